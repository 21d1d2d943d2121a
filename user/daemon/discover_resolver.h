/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Name servers of resolv.conf(5), and a watch on the files that name them: the
 * directories, so that a new file in place of the old is seen, every link on
 * the way, and the file itself, which may be a mount of its own.
 */
#ifndef DAEMON_DISCOVER_RESOLVER_H
#define DAEMON_DISCOVER_RESOLVER_H

#include "daemon/discover.h"

/* Reads the files now. */
void discover_resolvers(struct finds *f);

#define RESOLVER_WATCHES 64

struct resolver_watch {
	int fd; /* inotify(7), not blocking; -1: none */
	struct {
		int wd;
		char name[64]; /* of what is waited for in the directory; "": the file itself */
	} at[RESOLVER_WATCHES];
	size_t count;
};

/* Begins, or begins anew: links and directories may be others by now. 0 or negative errno. */
int resolver_watch_begin(struct resolver_watch *w);
void resolver_watch_end(struct resolver_watch *w);

/* Takes what there is to read. Whether one of the files may have changed; then begin anew. */
bool resolver_watch_changed(struct resolver_watch *w);

#endif
