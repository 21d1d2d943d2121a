/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events as JSON lines in a file, rotated by its size.
 *
 * Lines are whole: what does not fit on the disk is left out and counted, and
 * tried again by itself. A file that was moved away, by logrotate say, is
 * noticed within a second, at once by events_log_reopen().
 */
#ifndef DAEMON_EVENTS_LOG_H
#define DAEMON_EVENTS_LOG_H

#include "daemon/events.h"

struct events_log;

/* -ENOMEM, or what events_join() says. A file that cannot be opened is a problem of later. */
int events_log_new(struct events *e, struct loop *loop, const struct config_events *c,
		   struct events_log **ret, struct problem *why);
struct events_log *events_log_free(struct events_log *l); /* writes what is left */
DEFINE_CLEANUP(struct events_log, events_log_free)

void events_log_reopen(struct events_log *l);

struct events_log_numbers {
	uint64_t written, lost; /* events */
	const char *problem;	/* empty: none */
};
void events_log_numbers(const struct events_log *l, struct events_log_numbers *ret);

#endif
