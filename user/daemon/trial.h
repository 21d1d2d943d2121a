/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interfaces that the filter is on for a while: it comes off again by itself
 * unless that is confirmed.
 *
 * While one is on trial its link is not pinned: when moatd dies the kernel
 * takes the filter off at once. What was asked is on disk beside the database,
 * in DATABASE-attach, before anything is attached: a moatd that starts in time
 * puts the filter on again and goes on waiting, one that starts later leaves it
 * off, as after 'moatctl detach', until somebody attaches it.
 */
#ifndef DAEMON_TRIAL_H
#define DAEMON_TRIAL_H

#include "daemon/daemon.h"

#define TRIALS_MAX 64 /* interfaces at the same time */

struct trials;

/* Before anything is attached. What is on disk is told to d->ifaces. */
int trials_new(struct daemon *d, struct trials **ret);
struct trials *trials_free(struct trials *t); /* unpinned links end with their programs */
DEFINE_CLEANUP(struct trials, trials_free)

/* -EEXIST: the filter is on it already; and as ifaces_attach(). */
int trials_attach(struct trials *t, const char *iface, int64_t seconds, const struct actor *actor,
		  struct problem *why);
/* -ENODATA: it does not wait. */
int trials_confirm(struct trials *t, const char *iface, const struct actor *actor,
		   struct problem *why);
/* Attached for good, or detached, by hand: nothing waits any more. */
void trials_forget(struct trials *t, const char *iface);

/* Calls fn for each that waits, with the seconds left. t may be NULL. */
void trials_each(const struct trials *t, void (*fn)(void *arg, const char *iface, int64_t left),
		 void *arg);

#endif
