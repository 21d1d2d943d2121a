/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/sqlite.h"

#include <limits.h>

#define ROW_COLUMNS	"source, category, feed, expires_at, confidence, region"
#define LISTING_COLUMNS ROW_COLUMNS ", reason, reference, basis, created_at, review_at"

/* AUTOINCREMENT's own record survives pruning; change has more after a statement that broke off. */
#define HEAD                                                                                       \
	"SELECT max(coalesce((SELECT max(seq) FROM change), 0),"                                   \
	" coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0))"

int sqlite_head(struct store *s, int64_t *ret, struct problem *why)
{
	return sqlite_number(s, SLOT_HEAD, HEAD, ret, why);
}

/* ROW_COLUMNS begin at column at; the texts live in scratch 0..5. */
static void read_row(struct store *s, sqlite3_stmt *stmt, int at, struct row *ret)
{
	ret->source = sqlite_text(s, stmt, at, 0);
	ret->category = sqlite_text(s, stmt, at + 1, 1);
	ret->feed = sqlite_text(s, stmt, at + 2, 2);
	ret->expires_at = sqlite_text(s, stmt, at + 3, 3);
	ret->confidence = sqlite_text(s, stmt, at + 4, 4);
	ret->region = sqlite_text(s, stmt, at + 5, 5);
}

/* LISTING_COLUMNS begin at column at. */
static void read_listing(struct store *s, sqlite3_stmt *stmt, int at, struct listing *ret)
{
	read_row(s, stmt, at, &ret->key);
	ret->reason = sqlite_text(s, stmt, at + 6, 6);
	ret->reference = sqlite_text(s, stmt, at + 7, 7);
	ret->basis = sqlite_text(s, stmt, at + 8, 8);
	ret->created_at = sqlite_text(s, stmt, at + 9, 9);
	ret->review_at = sqlite_text(s, stmt, at + 10, 10);
}

/* What a loop over sqlite3_step() returns once it ended with rc. */
static int rows_end(struct store *s, int rc, struct problem *why)
{
	return rc == SQLITE_DONE ? 0 : sqlite_problem(s, rc, "reading", why);
}

int store_snapshot(struct store *s, store_listing_fn fn, void *arg, int64_t *ret_seq,
		   struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	struct listing listing = {};
	int64_t head = 0;
	int err, rc;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_begin_read(s, &txn, why);
	err = err ?: sqlite_head(s, &head, why);
	if (!err)
		err = sqlite_prepare(s, SLOT_SNAPSHOT,
				     "SELECT " ROW_COLUMNS " FROM listing NOT INDEXED", &stmt, why);
	if (err)
		return err;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		read_row(s, stmt, 0, &listing.key);
		err = fn(arg, &listing);
		if (err)
			return err;
	}
	err = rows_end(s, rc, why);
	if (err)
		return err;
	s->stale = false;
	*ret_seq = head;
	return 0;
}

static int stale(struct store *s, int64_t seq, struct problem *why)
{
	return problem_set(
		why, -ESTALE,
		"database '%s': its change log does not reach back to %lld: reading everything again",
		s->path, (long long)seq);
}

static void read_change(struct store *s, sqlite3_stmt *stmt, struct change *ret)
{
	ret->seq = sqlite3_column_int64(stmt, 0);
	ret->at = sqlite3_column_int64(stmt, 1);
	read_row(s, stmt, 2, &ret->row);
	ret->op = sqlite_text(s, stmt, 8, 6) ?: "";
}

/*
 * The log has no gaps but where it was pruned: a statement that fails takes
 * its rows of the log and their numbers back.
 */
static int follow(struct store *s, sqlite3_stmt *stmt, int64_t *seq, store_change_fn fn, void *arg,
		  struct problem *why)
{
	struct change change;
	size_t given = 0;
	int err, rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		read_change(s, stmt, &change);
		if (change.seq != *seq + 1)
			return given ? 0 : stale(s, *seq, why);
		err = fn(arg, &change);
		if (err)
			return err;
		*seq = change.seq;
		given++;
	}
	return rows_end(s, rc, why);
}

int store_changes(struct store *s, int64_t seq, size_t limit, store_change_fn fn, void *arg,
		  int64_t *ret_seq, struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int64_t last = seq, head = 0;
	int err;

	err = sqlite_ready(s, why);
	if (err)
		return err;
	if (s->stale || seq < 0 || seq == INT64_MAX)
		return stale(s, seq, why);
	err = sqlite_begin_read(s, &txn, why);
	err = err ?: sqlite_head(s, &head, why);
	if (err)
		return err;
	if (head < seq)
		return stale(s, seq, why);
	err = sqlite_prepare(s, SLOT_CHANGES,
			     "SELECT seq, at, " ROW_COLUMNS ", op FROM change"
			     " WHERE seq > ?1 ORDER BY seq LIMIT ?2",
			     &stmt, why);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, seq);
	sqlite3_bind_int64(stmt, 2, limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
	err = follow(s, stmt, &last, fn, arg, why);
	if (err)
		return err;
	if (limit && last == seq && head > seq)
		return stale(s, seq, why); /* all of it was pruned */
	*ret_seq = last;
	return 0;
}

int store_head(struct store *s, int64_t *ret_seq, struct problem *why)
{
	int64_t head = 0;
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_head(s, &head, why);
	if (!err)
		*ret_seq = head;
	return err;
}

static int give_source(struct store *s, sqlite3_stmt *stmt, const char *source, store_listing_fn fn,
		       void *arg, struct problem *why)
{
	struct listing listing;
	int err, rc;

	sqlite3_reset(stmt);
	sqlite_bind(stmt, 1, source);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		read_listing(s, stmt, 0, &listing);
		err = fn(arg, &listing);
		if (err)
			return err;
	}
	return rows_end(s, rc, why);
}

int store_by_sources(struct store *s, const char *const *sources, size_t count, store_listing_fn fn,
		     void *arg, struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_begin_read(s, &txn, why);
	if (!err)
		err = sqlite_prepare(s, SLOT_BY_SOURCE,
				     "SELECT " LISTING_COLUMNS " FROM listing WHERE source = ?1"
				     " ORDER BY category, feed",
				     &stmt, why);
	for (size_t i = 0; !err && i < count; i++)
		err = give_source(s, stmt, sources[i], fn, arg, why);
	return err;
}

/* The last rowid a page may look at; INT64_MAX if it reaches the end. */
static int list_end(struct store *s, int64_t cursor, int64_t *ret, struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err, rc;

	err = sqlite_prepare(s, SLOT_LIST_END,
			     "SELECT rowid FROM listing NOT INDEXED WHERE rowid > ?1"
			     " ORDER BY rowid LIMIT 1 OFFSET ?2",
			     &stmt, why);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, cursor);
	sqlite3_bind_int64(stmt, 2, STORE_SCAN_MAX - 1);
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_problem(s, rc, "reading", why);
	*ret = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : INT64_MAX;
	return 0;
}

/* At most limit rows; *ret_last is the rowid of the last, if there were that many and more. */
static int give_page(struct store *s, sqlite3_stmt *stmt, size_t limit, store_listing_fn fn,
		     void *arg, int64_t *ret_last, struct problem *why)
{
	struct listing listing;
	int64_t last = 0;
	size_t given = 0;
	int err, rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (given == limit) {
			*ret_last = last;
			return 0;
		}
		last = sqlite3_column_int64(stmt, 0);
		read_listing(s, stmt, 1, &listing);
		err = fn(arg, &listing);
		if (err)
			return err;
		given++;
	}
	return rows_end(s, rc, why);
}

int store_list(struct store *s, const struct store_filter *filter, store_listing_fn fn, void *arg,
	       int64_t *ret_cursor, struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int64_t end = 0, last = 0;
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_begin_read(s, &txn, why);
	err = err ?: list_end(s, filter->cursor, &end, why);
	if (!err)
		err = sqlite_prepare(s, SLOT_LIST,
				     "SELECT rowid, " LISTING_COLUMNS " FROM listing NOT INDEXED"
				     " WHERE rowid > ?1 AND rowid <= ?2"
				     " AND (?3 IS NULL OR category = ?3)"
				     " AND (?4 IS NULL OR feed = ?4)"
				     " AND (?5 < 0 OR ?5 = (expires_at IS NOT NULL AND expires_at <= ?6))"
				     " AND (NOT ?7 OR review_at <= ?6)"
				     " ORDER BY rowid",
				     &stmt, why);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, filter->cursor);
	sqlite3_bind_int64(stmt, 2, end);
	sqlite_bind(stmt, 3, filter->category);
	sqlite_bind(stmt, 4, filter->feed);
	sqlite3_bind_int(stmt, 5, filter->expired);
	sqlite3_bind_int64(stmt, 6, filter->now);
	sqlite3_bind_int(stmt, 7, filter->review_due);
	err = give_page(s, stmt, filter->limit, fn, arg, &last, why);
	if (err)
		return err;
	*ret_cursor = last ?: end == INT64_MAX ? 0 : end;
	return 0;
}

/* Through listing_review, which holds only rows with a date. Text is no date. */
int store_review_due(struct store *s, int64_t now, size_t *ret, struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err, rc;

	err = sqlite_ready(s, why);
	if (!err)
		err = sqlite_prepare(s, SLOT_REVIEW_DUE,
				     "SELECT count(*) FROM (SELECT 1 FROM listing"
				     " WHERE review_at <= ?1 AND (expires_at IS NULL OR"
				     " expires_at > ?1) LIMIT ?2)",
				     &stmt, why);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, now);
	sqlite3_bind_int64(stmt, 2, STORE_DUE_MAX);
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return sqlite_problem(s, rc, "reading", why);
	*ret = (size_t)sqlite3_column_int64(stmt, 0);
	return 0;
}

int store_audit_list(struct store *s, int64_t since, size_t limit, store_audit_fn fn, void *arg,
		     struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	struct audit_entry entry;
	int err, rc;

	err = sqlite_ready(s, why);
	if (!err)
		err = sqlite_prepare(s, SLOT_AUDIT_LIST,
				     "SELECT at, actor, origin, verb, detail FROM ("
				     " SELECT rowid AS id, * FROM audit WHERE at >= ?1"
				     " ORDER BY at DESC, rowid DESC LIMIT ?2) ORDER BY at, id",
				     &stmt, why);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, since);
	sqlite3_bind_int64(stmt, 2, limit < INT64_MAX ? (int64_t)limit : INT64_MAX);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		entry.at = sqlite3_column_int64(stmt, 0);
		entry.actor = sqlite_text(s, stmt, 1, 0);
		entry.origin = sqlite_text(s, stmt, 2, 1);
		entry.verb = sqlite_text(s, stmt, 3, 2);
		entry.detail = sqlite_text(s, stmt, 4, 3);
		err = fn(arg, &entry);
		if (err)
			return err;
	}
	return rows_end(s, rc, why);
}
