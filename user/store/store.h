/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The abuse database: one interface, engines behind it.
 *
 * The schema is public (user/store/schema.c): any client may read and write
 * table listing; triggers write change and audit. The store follows change by
 * seq and never re-reads the world.
 *
 * Who uses it: the daemon's loop, from one thread. No call blocks for longer
 * than STORE_BUSY_MS on a lock; -EBUSY means another client holds it, try
 * again later. Nothing here judges a row: strings go out as they are, but for
 * what no reader could take (see sqlite_text.c): they are valid UTF-8 and at
 * most STORE_TEXT_MAX bytes and "..." long; a string that had to be changed
 * for that never passes the gate. Strings given to a callback live until it
 * returns. A callback does not call the store.
 *
 * After the file was replaced or its schema changed, store_changes() is
 * -ESTALE until a snapshot was taken. While it is gone every call is -ENOENT,
 * and none makes a new one: an empty database would empty the filter. The
 * store recovers by itself once there is a database again.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "core/base.h"
#include "core/gate.h"
#include "core/problem.h"

#define STORE_SCHEMA   3      /* version this program writes; a newer one is refused */
#define STORE_BUSY_MS  100    /* how long a write waits for another writer */
#define STORE_TEXT_MAX 1024   /* bytes of a string that is handed out */
#define STORE_SCAN_MAX 250000 /* rows that one store_list() looks at */
#define STORE_DUE_MAX  100000 /* listings that store_review_due() counts to */

struct store;

/*
 * uri: sqlite:///path. Creates the file and schema if there is none (not the
 * directory), and brings an older schema to this program's in one transaction,
 * without touching a row: an older moat then refuses it. A database it may only read is opened all the same: then
 * store_read_only() and every write is -EROFS.
 *   -ENOENT directory missing, -EACCES no permission, -ENOTSUP unknown engine,
 *   -EPROTO newer schema or foreign tables, -EBUSY locked, -EIO, -ENOSPC,
 *   -EINVAL uri without an absolute path, -EROFS no file and no way to make one,
 *   or an older schema and no way to change it
 */
int store_open(const char *uri, struct store **ret, struct problem *why);
struct store *store_free(struct store *s);
DEFINE_CLEANUP(struct store, store_free)

bool store_read_only(const struct store *s);

/* A row of listing in full. Text NULL is SQL null; numbers arrive as text, as any client left them. */
struct listing {
	struct row key; /* source, category, feed, expires_at, confidence, region */
	const char *reason, *reference, *basis;
	const char *created_at, *review_at;
};

/* Return non-zero to stop; the call then returns that value. */
typedef int (*store_listing_fn)(void *arg, const struct listing *listing);

/*
 * Every row, and the seq of the change log they are the state of. One read
 * transaction. Only listing.key is filled, the rest is NULL: this feeds the model.
 */
int store_snapshot(struct store *s, store_listing_fn fn, void *arg, int64_t *ret_seq,
		   struct problem *why);

struct change {
	int64_t seq;
	const char *op; /* "add" (insert or update: the row is now like this) or "remove" */
	struct row row; /* as it was then */
	int64_t at;	/* seconds since 1970 */
};

typedef int (*store_change_fn)(void *arg, const struct change *change);

/*
 * Changes after seq, in order, at most limit. Sets *ret_seq to the last one
 * given (or seq). -ESTALE: the log no longer reaches back to seq (pruned, or
 * the database was replaced by an older one); take a snapshot.
 */
int store_changes(struct store *s, int64_t seq, size_t limit, store_change_fn fn, void *arg,
		  int64_t *ret_seq, struct problem *why);

/* The newest seq of the log. */
int store_head(struct store *s, int64_t *ret_seq, struct problem *why);

/*
 * Whether the database may have changed since the last call: cheap (no
 * transaction). Also notices that the file was replaced or removed. What this
 * process added or removed counts. Returns 1, 0, or negative errno (store_head()
 * then says why in words).
 */
int store_poll(struct store *s);

/*
 * Becomes readable when a client of this host wrote, and a few times after
 * that (call store_wait_clear, then store_poll); -1: only polling. The same
 * descriptor for the store's life.
 */
int store_wait_fd(const struct store *s);
void store_wait_clear(struct store *s);

/* Who changes, for audit: set before writing. NULL resets to ("sql", "sql"). */
struct actor {
	const char *name;   /* "root", "uid 1000" */
	const char *origin; /* "api unix", "moatctl" */
};

/* What to add. Strings NULL for null; times 0 for null (never, no date); confidence -1 for none. */
struct listing_input {
	const char *source, *category, *feed, *reason, *reference, *basis, *region;
	int64_t expires_at, review_at;
	int confidence;
};

/*
 * Adds or refreshes (same source, category, feed), all or nothing. created_at
 * of a refreshed row stays. A row that is there and says all the same is left
 * alone: it is no change, and no row of audit.
 */
int store_add(struct store *s, const struct actor *actor, const struct listing_input *rows,
	      size_t count, struct problem *why);

/* How many rows the last store_add() that succeeded added or changed. */
size_t store_added(const struct store *s);

/* What to remove: category and feed NULL for any. */
struct removal {
	const char *source, *category, *feed;
	size_t removed; /* how many listings that were; filled in */
};

/* Removes, all or nothing. With dry_run it counts, and nothing is changed. */
int store_remove(struct store *s, const struct actor *actor, struct removal *removals, size_t count,
		 bool dry_run, struct problem *why);

/* Rows whose source is exactly one of the texts (spellings of covering prefixes). */
int store_by_sources(struct store *s, const char *const *sources, size_t count, store_listing_fn fn,
		     void *arg, struct problem *why);

struct store_filter {
	const char *category, *feed; /* NULL: any */
	int expired;		     /* 0: live, 1: expired only, -1: both; against now */
	bool review_due;	     /* only those whose review_at is reached */
	int64_t now;
	int64_t cursor; /* rows after this (0: from the start) */
	size_t limit;
};

/*
 * In rowid order. *ret_cursor: continue there; 0: that was all. A page may be
 * short, even empty, and not the last: one call looks at STORE_SCAN_MAX rows.
 */
int store_list(struct store *s, const struct store_filter *filter, store_listing_fn fn, void *arg,
	       int64_t *ret_cursor, struct problem *why);

/*
 * How many listings that have not expired are to be looked at again by now; at
 * most STORE_DUE_MAX are counted.
 */
int store_review_due(struct store *s, int64_t now, size_t *ret, struct problem *why);

/* ---- feeds: lists that are taken over as a difference ---- */

/*
 * What is known of a feed from one fetch to the next, and over a restart:
 * table feed. Zero and "" where nothing is known.
 */
struct feed_state {
	char feed[64];
	int64_t last_good; /* the list that is in force was fetched, or confirmed by a 304 */
	int64_t last_try;
	int64_t modified;  /* what the list says of its own age */
	uint64_t entries;  /* of the list that is in force */
	uint64_t failures; /* tries since last_good */
	uint64_t held;	   /* enum feed_hold */
	uint64_t origin;   /* a hash of where the list came from */
	char format[16];   /* what it was taken for */
	char etag[256], last_modified[256];
	char fault[32];	    /* of the last try: label; "" if it was good */
	char detail[512];   /* of the fault, for a person */
	char held_why[256]; /* for a person; "" if it is not held */
};

/* Whether the listings of a feed only count. As numbers they stand in the database. */
enum feed_hold {
	FEED_FREE,
	FEED_HELD_BY_GUARD, /* until a later list hits less */
	FEED_HELD_BY_HAND,  /* until somebody releases it */
	FEED_HELD_BY_MODE, /* they came in mode monitor: until they were judged like a first list */
};

typedef int (*store_feed_fn)(void *arg, const struct feed_state *state);
int store_feed_states(struct store *s, store_feed_fn fn, void *arg, struct problem *why);
int store_feed_save(struct store *s, const struct feed_state *state, struct problem *why);

/* Every row of a feed (NULL: of all), in no order, without created_at. */
int store_feed_rows(struct store *s, const char *feed, store_listing_fn fn, void *arg,
		    struct problem *why);

/*
 * What makes the listings of a feed those of a new list. next() gives one row
 * after the other: first those to add or refresh, then (*ret_remove) those to
 * end, by source and category. It returns 1, 0 at the end, or negative to give
 * up; what a row points to lives until the next call. rewind() begins anew, with
 * the same rows: they are asked for more than once. In the order of the texts
 * of their sources rows are written several times as fast.
 *
 * A refresh sets what the list says: expiry, reason, reference, confidence,
 * region. A basis and a review date that the row has stay if the list gives
 * none, and a review date stays in any case: it counts from the first listing.
 */
struct feed_difference {
	const char *feed;
	int (*next)(void *arg, struct listing_input *ret, bool *ret_remove);
	void (*rewind)(void *arg);
	void *arg;
	const struct actor *actor;
	int64_t now;
	const char *detail;	 /* for audit: one row for the whole, verb "import" */
	struct feed_state state; /* from now on */
};

/*
 * All of it in one transaction, with the feed's new state: a reader, and a
 * database after a crash, has the old list or the new one. The log gets a row
 * for each change, audit one for all.
 */
int store_feed_apply(struct store *s, const struct feed_difference *difference,
		     struct problem *why);

/* ---- table refused: what the gate or the kernel did not take ---- */

struct refusal {
	const char *source, *category, *feed, *cause;
};

/* Replaces the whole table in one transaction. */
int store_refused_reset(struct store *s, const struct refusal *rows, size_t count, int64_t now,
			struct problem *why);
/* Adds or updates rows; cause NULL removes. */
int store_refused_update(struct store *s, const struct refusal *rows, size_t count, int64_t now,
			 struct problem *why);

/* ---- audit ---- */

struct audit_entry {
	int64_t at;
	const char *actor, *origin, *verb, *detail;
};

/* What is not a change of a listing: attach, detach, pause, reload. */
int store_audit(struct store *s, const struct actor *actor, int64_t now, const char *verb,
		const char *detail, struct problem *why);

typedef int (*store_audit_fn)(void *arg, const struct audit_entry *entry);
/* Entries with at >= since, oldest first, at most limit; the newest ones if there are more. */
int store_audit_list(struct store *s, int64_t since, size_t limit, store_audit_fn fn, void *arg,
		     struct problem *why);

/* Deletes changes with seq <= upto and at < before, at most limit. Returns how many, or error. */
ssize_t store_prune(struct store *s, int64_t upto, int64_t before, size_t limit,
		    struct problem *why);

#endif
