/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the kernel's maps true to the abuse database.
 *
 *   store -> gate -> model -> compile -> image -> tables
 *
 * Adds before removes; nothing is written before everything was read; at start
 * pinned maps are reconciled, not refilled. A database that cannot be read
 * leaves the set in force and is tried again.
 */
#ifndef DAEMON_SYNC_H
#define DAEMON_SYNC_H

#include "core/config.h"
#include "core/gate.h"
#include "core/model.h"
#include "core/problem.h"
#include "core/whatif.h"
#include "plane/tables.h"
#include "store/store.h"

/* Ids of built-in feeds: their claims are not in the database. */
#define SYNC_FEED_NEVER_BLOCK 0
#define SYNC_FEED_SELFTEST    1

struct sync;

/* never: what must never be blocked, found and configured; sync copies it. */
int sync_new(const struct config *config, const struct prefix *never, size_t nevers,
	     struct tables *tables, struct sync **ret, struct problem *why);
struct sync *sync_free(struct sync *s);
DEFINE_CLEANUP(struct sync, sync_free)

/*
 * Reads everything and brings the maps there. Tries to open the database if it
 * is not open. 0: the maps are true to the database (coverage may still be
 * below 1). Otherwise the maps stay as they were; call again later.
 */
int sync_start(struct sync *s, struct problem *why);

/* Follows the change log, expires, retries refused, writes. Returns changes applied or negative. */
ssize_t sync_follow(struct sync *s, struct problem *why);

/* The same for at most SYNC_CHANGES changes; if it returns as many, call it again soon. */
#define SYNC_CHANGES 50000
ssize_t sync_follow_batch(struct sync *s, struct problem *why);

/* Puts a new configuration's categories, guards and never-block set in force. */
int sync_reload(struct sync *s, const struct config *config, const struct prefix *never,
		size_t nevers, struct problem *why);

/*
 * Holds a feed in monitor: its listings only count, from when this returns 0;
 * or gives it free. The database is the caller's: column held of table feed
 * says which feeds are held when it is read anew. On failure everything is
 * read anew by itself, and then it is as the database says.
 */
int sync_hold(struct sync *s, const char *feed, bool hold, struct problem *why);
bool sync_held(const struct sync *s, const char *feed);

/*
 * Another never-block set alone; reads of the database only what it concerns.
 * 1 in force, 0 it was already, or negative errno: it will be, as soon as the
 * database was read again.
 */
int sync_set_never(struct sync *s, const struct prefix *never, size_t nevers, struct problem *why);

/*
 * When sync_follow() has something to do on its own, unix seconds; 0: nothing
 * is to come. Expiry, another try of what failed, a clock that was set; what is
 * due already is in the past.
 */
int64_t sync_next(const struct sync *s);

/* NULL while the database is not open. Belongs to sync. */
struct store *sync_store(struct sync *s);
const struct categories *sync_categories(const struct sync *s);
/* The gate in force, for writers that answer a refusal at once. Valid until sync_reload(). */
const struct gate *sync_gate(const struct sync *s);

/* Deletes old rows of the change log, some at a time; call it now and then. */
void sync_prune(struct sync *s);

#define SYNC_LATENCY_BUCKETS 12
extern const double
	sync_latency_bound[SYNC_LATENCY_BUCKETS]; /* seconds, upper bounds, +Inf left out */

struct sync_numbers {
	bool started; /* everything was read and is in the maps, changes are followed */
	bool current; /* no known change is unapplied, the database answers */
	char problem[PROBLEM_MAX]; /* of the database or the last write; empty: none */
	size_t wanted[2], installed[2], refused[2]; /* sources by family, moat's own left out */
	size_t gate_refused;			    /* rows the gate refuses now */
	size_t by_cause[GATE_CAUSE_MAX];
	size_t elsewhere; /* rows in force on hosts of other regions only */
	double coverage;  /* installed / wanted; 1 when nothing is wanted, 0 while unknown */
	int64_t seq_database, seq_kernel;
	double lag;				    /* seconds the oldest unapplied change waits */
	int64_t last_success;			    /* unix seconds */
	uint64_t adds, removes, expires, refreshes; /* changes by kind */
	uint64_t latency_count[SYNC_LATENCY_BUCKETS +
			       1]; /* of each bucket alone; last: above all bounds */
	double latency_sum;
	size_t entries[2], capacity[2];
	size_t phases_used, phases, classes;
	size_t plans_cut;     /* times later phases of a source were left out, ever */
	size_t plans_cut_now; /* sources that lack some, at most */
	size_t memory;	      /* of the model */
};

void sync_numbers(const struct sync *s, struct sync_numbers *ret);

/* Claims by feed and category, state "live", "refused" or "elsewhere"; for moat_listings. */
void sync_each_count(const struct sync *s,
		     void (*fn)(void *arg, const char *feed, const char *category,
				const char *state, size_t count),
		     void *arg);

/* Refused now, oldest first: source, category, feed, cause. fn returns non-zero to stop. */
int sync_each_refused(const struct sync *s, int (*fn)(void *arg, const struct refusal *refusal),
		      void *arg);

/* What the model says of an address; see model_judge(). */
bool sync_judge(const struct sync *s, const struct prefix *address, struct prefix *ret_key,
		struct plan *ret_plan);

/* The category of a set that turns what it drops into a tag; 0: none. */
uint8_t sync_shared(const struct sync *s, uint64_t set);
/* Categories of shared addresses that cover an address, whether or not anything else does. */
uint64_t sync_sharing(const struct sync *s, const struct prefix *address);

#define SYNC_QUORUM_FEEDS  8  /* named */
#define SYNC_QUORUM_GROUPS 64 /* counted */

/* How a category with a k_of stands for an address. */
struct sync_quorum {
	uint8_t category; /* number */
	uint8_t need;
	unsigned int have; /* independent feeds; at most SYNC_QUORUM_GROUPS */
	bool trusted;	   /* a feed lists it that needs no others */
	bool acts;
	const char *feed[SYNC_QUORUM_FEEDS]; /* each once; belong to sync */
	size_t feeds;
};

/* Calls fn for each such category that any live claim puts on the address. */
void sync_each_quorum(const struct sync *s, const struct prefix *address,
		      void (*fn)(void *arg, const struct sync_quorum *quorum), void *arg);

/* Calls fn for every live claim on an address and on what covers it. */
void sync_each_claim(const struct sync *s, const struct prefix *address, whatif_claim_fn fn,
		     void *arg);

/*
 * Calls fn for every live listing of source and of what covers it: the number
 * of its feed, one and the same for all of the feed's, and its name, which
 * belongs to sync. moat's own are left out.
 */
void sync_each_owner(const struct sync *s, const struct prefix *source,
		     void (*fn)(void *arg, uint16_t feed, const char *name), void *arg);

/* Why an exact source is refused by the kernel side, GATE_PASSED if it is not. */
enum gate_cause sync_refused(const struct sync *s, const struct prefix *source);

#endif
