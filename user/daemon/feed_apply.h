/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the rows of one list to the listings of its feed.
 *
 *	feed_apply_new(&rules, now, &a)
 *	feed_apply_rows(a, ...)		as they come from the child
 *	feed_apply_judge(a, ...)	at the end: compares, asks the guards, reports
 *	feed_apply_write(a, ...)	if nothing stands against it
 *
 * A list that is not to be trusted changes nothing: the feed's listings stay,
 * and age. What the gate does not let in is written all the same, so that it is
 * listed as refused with its cause, like a row of any writer.
 *
 * When the expiry of a listing is all that moved, and by less than an eighth
 * of the ttl, the row stays as it is: a list that is fetched every few minutes
 * does not rewrite itself every few minutes, and ends at most that much early.
 */
#ifndef DAEMON_FEED_APPLY_H
#define DAEMON_FEED_APPLY_H

#include "core/config.h"
#include "core/gate.h"
#include "daemon/feed_report.h"
#include "store/store.h"

#define FEED_END_SLACK	 2	/* seconds that ends which come as durations differ by */
#define FEED_TTL_SLACK	 8	/* a refresh moves an expiry by at least ttl / this */
#define FEED_GROWTH_FREE 256	/* entries more are never suspicious */
#define FEED_GROWTH_MAX	 200000 /* entries more at once always are */

/* How rows become listings. */
struct feed_rules {
	char feed[CONFIG_FEED_NAME];
	char category[MOAT_CATEGORY_NAME]; /* of rows without a mapping; "": their own, if we have it */
	struct config_mapping *mapping; /* owned */
	size_t mappings;
	int64_t ttl;	      /* 0: without end */
	int confidence;	      /* of rows that have none; -1: none */
	char *basis, *region; /* owned; of every row; NULL: none, everywhere */
	int64_t review;	      /* seconds from the first listing to its review date; 0: none */
	int64_t linger;	      /* how long what leaves the list stays */
	uint64_t min_entries;
	bool allow_empty;
	struct config_limits limits;
};

/* From the configuration. 0 or -ENOMEM. */
int feed_rules_copy(const struct config_feed *feed, struct feed_rules *ret);
void feed_rules_free(struct feed_rules *r);

struct feed_apply;

/*
 * Takes over rules, leaving it empty. fetched: when the list was good, which
 * its listings' expiries count from; now, or earlier for a copy from disk.
 */
int feed_apply_new(struct feed_rules *rules, const struct gate *gate, int64_t fetched,
		   struct feed_apply **ret);
struct feed_apply *feed_apply_free(struct feed_apply *a);
DEFINE_CLEANUP(struct feed_apply, feed_apply_free)

/* 0, or negative: too much, or out of memory; feed_apply_judge() then says so. */
int feed_apply_rows(struct feed_apply *a, const struct feed_row *row, size_t count);

/* The category that the feed's own name of one stands for, or NULL: rows of it are left out. */
const char *feed_apply_category(const struct feed_apply *a, const char *theirs);

/* Ends a listing that no row names: a stream's, which the answer shows to be gone. 0 or -ENOMEM. */
int feed_apply_end(struct feed_apply *a, const char *source, const char *category);

struct feed_judge {
	const struct feed_summary *summary;
	const struct gate *gate; /* as it is now */
	struct store *store;
	int64_t now;
	bool known; /* entries is that of the last good list */
	uint64_t entries;
	bool force;    /* overrules guards that may be overruled, and lets wide prefixes in */
	bool again;    /* it was judged good before: its size is no question any more */
	bool stream;   /* it may be one of changes; who fetches a list asked for all of it */
	bool tables;   /* AS numbers were expanded */
	bool overlaps; /* with each other feed: reads the whole database */
	const struct samples *samples; /* of what passes now; NULL: none */
	const struct config *config; /* whose policies say what acts; NULL: the radius is not asked */
	bool trusted;		     /* the feed needs no other to agree */
	bool monitor;		     /* the feed is in mode monitor: nothing of it acts */
	bool settled;		     /* if nothing can be judged now, it will not be soon either */
	enum feed_hold held;	     /* as the feed is now */
};

/*
 * Fills ret; ret->cause says whether something stands against it. Returns 0, or
 * negative if it could not be judged: then the cause is "database" or "too_many".
 */
int feed_apply_judge(struct feed_apply *a, const struct feed_judge *judge, struct feed_report *ret);

/* Writes what was judged, with the feed's new state. Nothing to write: only the state. */
int feed_apply_write(struct feed_apply *a, struct store *store, const struct actor *actor,
		     int64_t now, const struct feed_state *state, struct feed_report *report,
		     struct problem *why);

#endif
