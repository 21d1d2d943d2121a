/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listings that left a list and stay a while: feeds flap, and half of what
 * comes new was listed before.
 *
 * A listing whose source is no more in the list ends a fixed time after that
 * was first seen, or when it would have anyway. The end is written once: the
 * next list finds it near enough and leaves it. A source that comes back is
 * refreshed in place.
 *
 * Who uses it: feed_apply.c, row by row, then once more to write.
 */
#ifndef DAEMON_FEED_LINGER_H
#define DAEMON_FEED_LINGER_H

#include "store/store.h"

struct linger {
	int64_t seconds; /* how long; 0: not at all */
	size_t count;	 /* that linger */
	size_t moves;	 /* of those, whose end is to be written */
	int64_t until;	 /* that end */
	char *text;	 /* owned: what the rows say, each text with NUL */
	size_t size, room;
	size_t at; /* when handing out */
};

void linger_free(struct linger *l);

/* A row that the list does not have. 1: it lingers, 0: it is to end now, or -ENOMEM. */
int linger_take(struct linger *l, const struct listing *have, int64_t now);

/* The next row whose end is to be written. Set l->at to 0 to begin. False: that was all. */
bool linger_next(struct linger *l, struct listing_input *ret);

#endif
