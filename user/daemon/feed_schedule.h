/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a feed is fetched next. Pure: no clock, no random source; all times in
 * seconds.
 *
 *	good    every, and up to a tenth more, so that hosts do not ask together
 *	        and none asks earlier than its feed allows
 *	failed  soon at first, then twice as long each time, until the cap
 *	always  not before what the server asked for in Retry-After, within reason
 */
#ifndef DAEMON_FEED_SCHEDULE_H
#define DAEMON_FEED_SCHEDULE_H

#include "core/base.h"

#define FEED_EVERY_MIN	     1
#define FEED_EVERY_MAX	     (366 * 86400)
#define FEED_JITTER_PART     10	  /* jitter is at most every / this */
#define FEED_RETRY_FIRST     300  /* after the first failure, or every if that is less */
#define FEED_RETRY_CAP	     3600 /* between failures at most, or every if that is more ... */
#define FEED_RETRY_OFTEN     60	  /* who asks more often than this asks what is near: ... */
#define FEED_RETRY_TIMES     6	  /* ... between failures at most so often every */
#define FEED_RETRY_AFTER_MAX (7 * 86400) /* a server cannot switch a feed off */
#define FEED_START_SPREAD                                                                          \
	30 /* first fetches after a start are spread over this, or a tenth of every */

struct feed_timing {
	int64_t every;
	uint64_t seed;	       /* of this feed on this host, e.g. feed_schedule_seed() */
	uint64_t attempt;      /* counts fetches: each has its own jitter */
	unsigned int failures; /* in a row, 0: the last fetch was good (304 included) */
	int64_t retry_after;   /* 0: the server did not ask */
	int64_t retry_cap;     /* 0: FEED_RETRY_CAP */
};

/* Seconds from the end of a fetch to the next one, at least 1. */
int64_t feed_schedule_next(const struct feed_timing *t);

/*
 * Seconds from now to the first fetch after a start; last is when the last good
 * one was, 0: never. A last in the future (the clock was set back) counts as never.
 */
int64_t feed_schedule_first(const struct feed_timing *t, int64_t last, int64_t now);

/* Two texts as a seed: the feed's name and something of this host. */
uint64_t feed_schedule_seed(const char *feed, const char *host);

#endif
