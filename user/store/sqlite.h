/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the SQLite engine share. Nobody else includes it.
 *
 *	sqlite.c       opening, whether the file is still the one we opened
 *	sqlite_run.c   errors, statements, transactions
 *	sqlite_text.c  a column's value as text that is safe to hand out
 *	sqlite_read.c, sqlite_write.c, sqlite_feed.c  the calls of store.h
 *	sqlite_rows.c  the rows of a list as a table that one statement reads
 *	sqlite_seal.c  those of seal.h
 *
 * Every call of store.h starts with sqlite_ready(), so nothing is ever read
 * from or written to a file that is no longer at its path.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "store/schema.h"
#include "store/store.h"
#include "store/watch.h"

#define TEXT_COLUMNS 11	   /* that one row of any query hands out */
#define TEXT_MORE    "..." /* ends what was cut */

/* One for each statement that is prepared once and kept. */
enum sqlite_slot {
	SLOT_DATA_VERSION,
	SLOT_SCHEMA_VERSION,
	SLOT_BEGIN,
	SLOT_BEGIN_WRITE,
	SLOT_COMMIT,
	SLOT_HEAD,
	SLOT_SNAPSHOT,
	SLOT_CHANGES,
	SLOT_BY_SOURCE,
	SLOT_LIST_END,
	SLOT_LIST,
	SLOT_REVIEW_DUE,
	SLOT_AUDIT_LIST,
	SLOT_AUDIT_ROWS,
	SLOT_AUDIT_HASH,
	SLOT_AUDIT_SEAL,
	SLOT_AUDIT_LAST,
	SLOT_AUDIT_COUNT,
	SLOT_WRITER_SET,
	SLOT_WRITER_CLEAR,
	SLOT_ADD,
	SLOT_REMOVE,
	SLOT_REFUSED_CLEAR,
	SLOT_REFUSED_REMOVE,
	SLOT_REFUSED_ADD,
	SLOT_AUDIT,
	SLOT_PRUNE_LIST,
	SLOT_PRUNE,
	SLOT_FEED_STATES,
	SLOT_FEED_SAVE,
	SLOT_FEED_SCAN,
	SLOT_FEED_PUT,
	SLOT_FEED_END,
	SLOT_FEED_LOG,
	SLOT_FEED_LOG_END,
	SLOT_MAX,
};

/* Which files are open: inodes of the database and its write-ahead log. */
struct files {
	dev_t device;
	ino_t database, wal;	  /* wal 0: none */
	struct timespec modified; /* of the database; only looked at when immutable */
};

struct store {
	char *path;		       /* owned; as configured */
	sqlite3 *db;		       /* owned; NULL while what is at path cannot be used */
	sqlite3_stmt *stmts[SLOT_MAX]; /* owned; of db */
	struct files files;
	bool read_only;
	bool immutable; /* read-only file system and no log: SQLite neither locks nor looks again */
	bool stale;	/* another file or schema since the last snapshot: its seq means nothing */
	bool wrote;	/* we did, since the last store_poll() */
	size_t added;	/* by the last store_add() */
	int64_t data_version, schema_version;
	struct watch watch;
	struct feed_rows *rows; /* what FEED_ROWS_TABLE reads; NULL: nothing is being written */
	char scratch[TEXT_COLUMNS][STORE_TEXT_MAX + sizeof(TEXT_MORE)];
};

int sqlite_open(const char *path, struct store **ret, struct problem *why);

/* Reopens a file that was replaced, looks at the schema again if it changed. */
int sqlite_ready(struct store *s, struct problem *why);

/* ---- sqlite_run.c ---- */

/*
 * Says that doing something failed with SQLite result code rc, and what to do.
 * Returns the negative errno that stands for it.
 */
int sqlite_problem(struct store *s, int rc, const char *doing, struct problem *why);

/* The statement of a slot, reset. It stays the store's: hand it back by sqlite_done. */
int sqlite_prepare(struct store *s, enum sqlite_slot slot, const char *sql, sqlite3_stmt **ret,
		   struct problem *why);

static inline void sqlite_done(sqlite3_stmt **stmt)
{
	if (!*stmt)
		return;
	sqlite3_reset(*stmt);
	sqlite3_clear_bindings(*stmt);
}

/* Runs a statement that gives no rows. */
int sqlite_run(struct store *s, sqlite3_stmt *stmt, const char *doing, struct problem *why);

/*
 * The first column of the first row. No row: *ret stays.
 */
int sqlite_number(struct store *s, enum sqlite_slot slot, const char *sql, int64_t *ret,
		  struct problem *why);

/* Binds text, NULL as null. It must live until the statement is done. */
static inline void sqlite_bind(sqlite3_stmt *stmt, int index, const char *text)
{
	if (text)
		sqlite3_bind_text(stmt, index, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, index);
}

/* Binds seconds since 1970, 0 as null. */
static inline void sqlite_bind_time(sqlite3_stmt *stmt, int index, int64_t seconds)
{
	if (seconds)
		sqlite3_bind_int64(stmt, index, seconds);
	else
		sqlite3_bind_null(stmt, index);
}

/* Rolls back when it leaves scope, unless committed. */
struct txn {
	sqlite3 *db; /* NULL: none open */
};

void sqlite_txn_end(struct txn *txn);
#define _cleanup_txn_ _cleanup_(sqlite_txn_end)

int sqlite_begin_read(struct store *s, struct txn *txn, struct problem *why);
/* Takes the write lock at once. -EROFS on a read-only database. */
int sqlite_begin_write(struct store *s, struct txn *txn, struct problem *why);
/* The same, and triggers write actor to audit until the commit. */
int sqlite_begin_actor(struct store *s, struct txn *txn, const struct actor *actor,
		       struct problem *why);
int sqlite_commit(struct store *s, struct txn *txn, struct problem *why);

/* One row of audit, inside a transaction. */
int sqlite_audit(struct store *s, const struct actor *actor, int64_t now, const char *verb,
		 const char *detail, struct problem *why);

/* ---- sqlite_rows.c ---- */

#define FEED_ROWS_TABLE "moat_feed_rows" /* what a difference puts, without what it ends */

/* Where the reading of a difference stands. */
struct feed_rows {
	const struct feed_difference *difference;
	struct listing_input row;
	bool remove; /* row is one to end */
	int state;   /* 1: row is valid, 0: that was all, negative errno: it gave up */
};

int feed_rows_next(struct feed_rows *rows);

/* Makes FEED_ROWS_TABLE known to a connection just opened. SQLite's result code. */
int sqlite_add_rows_table(struct store *s);

/* ---- sqlite_read.c ---- */

/* store_head() inside a transaction. */
int sqlite_head(struct store *s, int64_t *ret, struct problem *why);

/* ---- sqlite_text.c ---- */

/*
 * The value of a column as text, NULL for null. It lives in SQLite's memory or
 * in s->scratch[slot] until the next row.
 */
const char *sqlite_text(struct store *s, sqlite3_stmt *stmt, int column, size_t slot);

#endif
