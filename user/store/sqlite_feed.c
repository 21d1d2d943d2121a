/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of feeds. What the triggers would write for each row costs ten times
 * the row, and half a million rows of audit a day tell nobody anything; so a
 * list is written with triggers off on this connection, its changes are logged
 * here, and audit gets one row.
 */
#include "store/sqlite.h"

/* OR ROLLBACK: any failure ends the transaction, so nothing has to be kept to undo half of it. */
#define PUT                                                                                        \
	"INSERT OR ROLLBACK INTO listing (source, category, feed, reason, reference, confidence,"  \
	" expires_at, basis, region, review_at)"                                                   \
	" SELECT source, category, ?1, reason, reference, confidence, expires_at, basis, region,"  \
	" review_at FROM " FEED_ROWS_TABLE " WHERE true"                                           \
	" ON CONFLICT (source, category, feed) DO UPDATE SET reason = excluded.reason,"            \
	" reference = excluded.reference, confidence = excluded.confidence,"                       \
	" expires_at = excluded.expires_at, region = excluded.region,"                             \
	" basis = coalesce(excluded.basis, basis),"                                                \
	" review_at = coalesce(review_at, excluded.review_at)"

#define LOG_PUT                                                                                    \
	"INSERT OR ROLLBACK INTO change (op, source, category, feed, expires_at, at, region,"      \
	" confidence)"                                                                             \
	" SELECT 'add', source, category, ?1, expires_at, ?2, region, confidence"                  \
	" FROM " FEED_ROWS_TABLE

#define LOG_END                                                                                    \
	"INSERT INTO change (op, source, category, feed, at) VALUES ('remove', ?1, ?2, ?3, ?4)"

#define DOING "taking over a feed"

#define CHECKPOINT_PAGES 1000 /* SQLite's own default */

/* ---- table feed ---- */

static void copy_text(struct store *s, sqlite3_stmt *stmt, int column, char *to, size_t size)
{
	snprintf(to, size, "%s", sqlite_text(s, stmt, column, 0) ?: "");
}

static int64_t at_least_0(int64_t number)
{
	return number > 0 ? number : 0;
}

static void read_state(struct store *s, sqlite3_stmt *stmt, struct feed_state *ret)
{
	*ret = (struct feed_state){
		.last_good = at_least_0(sqlite3_column_int64(stmt, 1)),
		.last_try = at_least_0(sqlite3_column_int64(stmt, 2)),
		.modified = at_least_0(sqlite3_column_int64(stmt, 3)),
		.entries = (uint64_t)at_least_0(sqlite3_column_int64(stmt, 4)),
		.failures = (uint64_t)at_least_0(sqlite3_column_int64(stmt, 5)),
		.origin = (uint64_t)sqlite3_column_int64(stmt, 11),
		.held = (uint64_t)at_least_0(sqlite3_column_int64(stmt, 12)),
	};
	copy_text(s, stmt, 0, ret->feed, sizeof(ret->feed));
	copy_text(s, stmt, 6, ret->format, sizeof(ret->format));
	copy_text(s, stmt, 7, ret->etag, sizeof(ret->etag));
	copy_text(s, stmt, 8, ret->last_modified, sizeof(ret->last_modified));
	copy_text(s, stmt, 9, ret->fault, sizeof(ret->fault));
	copy_text(s, stmt, 10, ret->detail, sizeof(ret->detail));
	copy_text(s, stmt, 13, ret->held_why, sizeof(ret->held_why));
}

int store_feed_states(struct store *s, store_feed_fn fn, void *arg, struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	struct feed_state state;
	int err, rc;

	err = sqlite_ready(s, why);
	if (!err)
		err = sqlite_prepare(s, SLOT_FEED_STATES,
				     "SELECT feed, last_good, last_try, modified, entries,"
				     " failures, format, etag, last_modified, fault, detail,"
				     " origin, held, held_why FROM feed ORDER BY feed",
				     &stmt, why);
	if (err)
		return err;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		read_state(s, stmt, &state);
		err = fn(arg, &state);
		if (err)
			return err;
	}
	return rc == SQLITE_DONE ? 0 : sqlite_problem(s, rc, "reading", why);
}

static int save_state(struct store *s, const struct feed_state *state, struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_prepare(s, SLOT_FEED_SAVE,
			     "INSERT OR REPLACE INTO feed (feed, last_good, last_try, modified,"
			     " entries, failures, format, etag, last_modified, fault, detail,"
			     " origin, held, held_why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
			     " ?10, ?11, ?12, ?13, ?14)",
			     &stmt, why);
	if (err)
		return err;
	sqlite_bind(stmt, 1, state->feed);
	sqlite3_bind_int64(stmt, 2, state->last_good);
	sqlite3_bind_int64(stmt, 3, state->last_try);
	sqlite3_bind_int64(stmt, 4, state->modified);
	sqlite3_bind_int64(stmt, 5, (int64_t)state->entries);
	sqlite3_bind_int64(stmt, 6, (int64_t)state->failures);
	sqlite_bind(stmt, 7, state->format);
	sqlite_bind(stmt, 8, state->etag);
	sqlite_bind(stmt, 9, state->last_modified);
	sqlite_bind(stmt, 10, state->fault);
	sqlite_bind(stmt, 11, state->detail);
	sqlite3_bind_int64(stmt, 12, (int64_t)state->origin);
	sqlite3_bind_int64(stmt, 13, (int64_t)state->held);
	sqlite_bind(stmt, 14, state->held_why);
	return sqlite_run(s, stmt, "noting the state of a feed", why);
}

int store_feed_save(struct store *s, const struct feed_state *state, struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_begin_write(s, &txn, why);
	err = err ?: save_state(s, state, why);
	return err ?: sqlite_commit(s, &txn, why);
}

/* ---- rows ---- */

int store_feed_rows(struct store *s, const char *feed, store_listing_fn fn, void *arg,
		    struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err, rc;

	err = sqlite_ready(s, why);
	if (!err)
		err = sqlite_prepare(s, SLOT_FEED_SCAN,
				     "SELECT source, category, feed, expires_at, confidence, region,"
				     " reason, reference, basis, review_at FROM listing NOT INDEXED"
				     " WHERE ?1 IS NULL OR feed = ?1",
				     &stmt, why);
	if (err)
		return err;
	sqlite_bind(stmt, 1, feed);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct listing listing = {
			.key = { .source = sqlite_text(s, stmt, 0, 0),
				 .category = sqlite_text(s, stmt, 1, 1),
				 .feed = sqlite_text(s, stmt, 2, 2),
				 .expires_at = sqlite_text(s, stmt, 3, 3),
				 .confidence = sqlite_text(s, stmt, 4, 4),
				 .region = sqlite_text(s, stmt, 5, 5) },
			.reason = sqlite_text(s, stmt, 6, 6),
			.reference = sqlite_text(s, stmt, 7, 7),
			.basis = sqlite_text(s, stmt, 8, 8),
			.review_at = sqlite_text(s, stmt, 9, 9),
		};

		err = fn(arg, &listing);
		if (err)
			return err;
	}
	return rc == SQLITE_DONE ? 0 : sqlite_problem(s, rc, "reading", why);
}

/* ---- writing ---- */

struct writer {
	struct store *s;
	const struct feed_difference *difference;
	struct feed_rows rows;
	struct problem *why;
};

static void writer_done(struct writer *w)
{
	w->s->rows = NULL;
}

static int writer_gave_up(const struct writer *w)
{
	return problem_set(w->why, w->rows.state, "feed '%s': %s", w->difference->feed,
			   strerror(-w->rows.state));
}

/* One statement for all rows to put; it leaves rows at the first to end. */
static int writer_put(struct writer *w, enum sqlite_slot slot, const char *sql, bool log)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err = sqlite_prepare(w->s, slot, sql, &stmt, w->why);

	if (err)
		return err;
	sqlite_bind(stmt, 1, w->difference->feed);
	if (log)
		sqlite3_bind_int64(stmt, 2, w->difference->now);
	err = sqlite_run(w->s, stmt, DOING, w->why);
	return w->rows.state < 0 ? writer_gave_up(w) : err;
}

/* Another client may have been faster: then there is nothing to log. */
static int writer_end(struct writer *w, sqlite3_stmt *end, sqlite3_stmt *log)
{
	const struct listing_input *row = &w->rows.row;
	int err;

	sqlite_bind(end, 1, row->source);
	sqlite_bind(end, 2, row->category);
	sqlite_bind(end, 3, w->difference->feed);
	err = sqlite_run(w->s, end, DOING, w->why);
	if (err || !sqlite3_changes64(w->s->db))
		return err;
	sqlite_bind(log, 1, row->source);
	sqlite_bind(log, 2, row->category);
	sqlite_bind(log, 3, w->difference->feed);
	sqlite3_bind_int64(log, 4, w->difference->now);
	return sqlite_run(w->s, log, DOING, w->why);
}

static int writer_ends(struct writer *w)
{
	_cleanup_(sqlite_done) sqlite3_stmt *end = NULL;
	_cleanup_(sqlite_done) sqlite3_stmt *log = NULL;
	int err;

	err = sqlite_prepare(w->s, SLOT_FEED_END,
			     "DELETE FROM listing WHERE source = ?1 AND category = ?2 AND feed = ?3",
			     &end, w->why);
	err = err ?: sqlite_prepare(w->s, SLOT_FEED_LOG_END, LOG_END, &log, w->why);
	while (!err && w->rows.state > 0) {
		if (!w->rows.remove)
			return problem_set(w->why, -EINVAL,
					   "feed '%s': a row to put behind one to end",
					   w->difference->feed);
		err = writer_end(w, end, log);
		if (!err)
			feed_rows_next(&w->rows);
	}
	return err || w->rows.state >= 0 ? err : writer_gave_up(w);
}

static int write_rows(struct store *s, const struct feed_difference *difference,
		      struct problem *why)
{
	_cleanup_(writer_done) struct writer w = {
		.s = s,
		.difference = difference,
		.rows = { .difference = difference },
		.why = why,
	};
	int err;

	s->rows = &w.rows;
	err = writer_put(&w, SLOT_FEED_PUT, PUT, false);
	err = err ?: writer_put(&w, SLOT_FEED_LOG, LOG_PUT, true);
	return err ?: writer_ends(&w);
}

/* Off while it lives: nobody but this connection, and only inside its transaction. */
static void triggers(struct store *s, bool on)
{
	if (s->db)
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, on, NULL);
}

/*
 * A commit of this size would at once copy the log into the database. The next
 * commit of anybody does as well, when the list is in force.
 */
static int commit_unfolded(struct store *s, struct txn *txn, struct problem *why)
{
	int err;

	sqlite3_wal_autocheckpoint(s->db, 0);
	err = sqlite_commit(s, txn, why);
	if (s->db)
		sqlite3_wal_autocheckpoint(s->db, CHECKPOINT_PAGES);
	return err;
}

int store_feed_apply(struct store *s, const struct feed_difference *difference, struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_begin_actor(s, &txn, difference->actor, why);
	if (err)
		return err;
	triggers(s, false);
	err = write_rows(s, difference, why);
	triggers(s, true);
	err = err ?: save_state(s, &difference->state, why);
	if (!err)
		err = sqlite_audit(s, difference->actor, difference->now, "import",
				   difference->detail, why);
	err = err ?: commit_unfolded(s, &txn, why);
	if (err)
		return err;
	s->wrote = true;
	return 0;
}
