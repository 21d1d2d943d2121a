/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another configuration while moatd runs, from its check to its confirmation.
 *
 *	apply at once		in force, then the file of the configuration
 *	apply, N seconds	in force; what ran before is again after N seconds, unless
 *	confirm			it becomes the file of the configuration, the one before
 *				it FILE.previous
 *	rollback		what ran before, now
 *
 * All of it outlives moatd and the machine (apply_journal.h): a moatd that is
 * started within the N seconds goes on with the new configuration and waits;
 * one that is started later begins with the file as it was. While something
 * waits neither another apply nor SIGHUP is taken.
 *
 * The new configuration may already stand in the file: edited there, then
 * applied. Then a rollback puts into the file what ran before, and keeps what
 * was edited as FILE.rejected.
 */
#ifndef DAEMON_APPLY_H
#define DAEMON_APPLY_H

#include "core/config_change.h"
#include "daemon/daemon.h"

#define APPLY_SECONDS_MAX (24 * 60 * 60) /* longer is no trial but a change */

struct apply;

/*
 * At start, as the user that moatd runs as, before anything is made by the configuration. *config, read from
 * path, may be exchanged for the one that waits; interfaces that one which was
 * not confirmed had put a filter on lose it again.
 */
int apply_new(const char *path, struct config **config, struct apply **ret, struct problem *why);
/* The daemon is there: its loop, and with it d->apply. */
int apply_begin(struct apply *c, struct daemon *d);
struct apply *apply_free(struct apply *c);
DEFINE_CLEANUP(struct apply, apply_free)

/*
 * A configuration checked against the one in force, and not put there. 0, or
 *   -EINVAL why has line and column (of "configuration")
 *   -EPERM it changes what only a restart can; why names the keys
 */
int apply_check(const struct daemon *d, const char *text, size_t size, struct config **ret,
		struct problem *why);

/*
 * seconds 0: at once. -EALREADY one waits; -ENODATA there is nothing to confirm, for nothing
 * changes; as apply_check(), and what putting it in force fails with: then
 * what ran before is in force.
 */
int apply_config(struct apply *c, const char *text, size_t size, int64_t seconds,
		 const struct actor *actor, struct problem *why);

/* -ENODATA: nothing waits. */
int apply_confirm(struct apply *c, const struct actor *actor, struct problem *why);
int apply_rollback(struct apply *c, const struct actor *actor, struct problem *why);

/* Takes NULL: nothing waits, nothing ever happened. */
struct apply_view {
	bool waiting;
	bool owed;				  /* decided, and not in the file yet */
	int64_t seconds_left;			  /* rounded up */
	int64_t until;				  /* unix seconds */
	const char *actor;			  /* who applied it */
	const char *keys;			  /* what it changes, for people */
	const char *problem;			  /* what could not be done yet; "": nothing */
	uint64_t applied, confirmed, rolled_back; /* since start */
};
void apply_view(const struct apply *c, struct apply_view *ret);

#endif
