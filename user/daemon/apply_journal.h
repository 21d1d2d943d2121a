/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a configuration that is not confirmed, on disk beside the
 * database, in DATABASE-apply: written before it is put in force, removed when
 * all is decided. Whoever starts moatd in between goes on by it.
 *
 *	WAITING		in force until the deadline; then what ran before is
 *	CONFIRMED	to be the file of the configuration; that may not be done yet
 *	UNDONE		what ran before is in force again, or to be
 *
 * It holds two configurations, secrets of addresses included: mode 0600.
 */
#ifndef DAEMON_APPLY_JOURNAL_H
#define DAEMON_APPLY_JOURNAL_H

#include "core/problem.h"

#define JOURNAL_NAMES_MAX 256 /* interfaces */
#define JOURNAL_WHO_MAX	  96

enum journal_state { JOURNAL_WAITING, JOURNAL_CONFIRMED, JOURNAL_UNDONE };

struct journal {
	enum journal_state state;
	char *next, *was; /* owned: texts of configurations, valid UTF-8 */
	char actor[JOURNAL_WHO_MAX], origin[JOURNAL_WHO_MAX];
	int64_t seconds;    /* that it may take */
	int64_t until;	    /* the deadline: unix seconds */
	int64_t until_boot; /* and ms of the boot clock of this boot: */
	char boot[40];
	char (*attached)[16]; /* owned: interfaces that were filtered before */
	size_t attacheds;
};

void journal_free(struct journal *j); /* what it owns */

/* Sets the deadline, so many seconds from now. */
void journal_begin(struct journal *j, int64_t seconds);

/*
 * Milliseconds left, 0: none. By the boot clock; after a reboot by the clock
 * on the wall, and none if that was set back: what is not sure is not kept.
 */
int64_t journal_left(const struct journal *j);

bool journal_was_attached(const struct journal *j, const char *iface);

/* uri: of the database. 0; -ENOENT: there is none; -EINVAL: it cannot be understood. */
int journal_read(const char *uri, struct journal *ret, struct problem *why);
int journal_write(const char *uri, const struct journal *j, struct problem *why);
int journal_remove(const char *uri, struct problem *why);

#endif
