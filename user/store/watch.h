/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One file descriptor that becomes readable when somebody wrote to the files
 * of a database.
 *
 * A writer's last write() comes before its commit is visible: in WAL mode the
 * index that readers trust is shared memory, which no inotify sees, and an
 * fsync() may lie between. So after every sign of writing the descriptor
 * becomes readable again, at growing intervals, until WATCH_LAST_MS.
 *
 * While somebody writes without a pause it is readable once a WATCH_FIRST_MS,
 * not once a write.
 */
#ifndef STORE_WATCH_H
#define STORE_WATCH_H

#include "core/base.h"

#define WATCH_FIRST_MS 1
#define WATCH_LAST_MS  512

struct watch {
	int epoll; /* what the caller waits for; -1: not available */
	int inotify;
	int timer;
	int directory;	       /* inotify's watch descriptor, -1: none */
	unsigned int delay_ms; /* of the timer that runs, 0: none does */
};

/* All is -1 after a failure; the caller polls instead. */
void watch_open(struct watch *w);
void watch_close(struct watch *w);

/* Watches the directory that holds file; replaces what was watched. 0 or -errno. */
int watch_file(struct watch *w, const char *file);

/* Takes what there is to read. */
void watch_clear(struct watch *w);

#endif
