/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must never be blocked, from what is found on the host to what is in
 * force: at start, at a reload, and whenever it changes in between.
 */
#ifndef DAEMON_DAEMON_NEVER_H
#define DAEMON_DAEMON_NEVER_H

#include "daemon/daemon.h"
#include "daemon/discover.h"

/* Begins to watch the host, and looks. The loop must be there; sync comes after. */
int daemon_never_begin(struct daemon *d, struct never_block *ret, struct problem *why);
void daemon_never_end(struct daemon *d);

/* Looks anew, for a configuration that is to be. */
int daemon_never_look(struct daemon *d, const struct config *config, struct never_block *ret,
		      struct problem *why);

/* This is in force now: for status, and for the log if it says something new. */
void daemon_never_note(struct daemon *d, const struct never_block *now);

/* Puts what is known of the host in force, if it is not. arg is the daemon. */
void daemon_never_apply(void *arg);

#endif
