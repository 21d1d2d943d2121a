/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of feeds. What the triggers would write for each row costs ten times
 * the row, and half a million rows of audit a day tell nobody anything; so a
 * list is written with triggers off on this connection, its changes are logged
 * here, and audit gets one row.
 */
#include "store/sqlite.h"

#define PUT                                                                                        \
	"INSERT INTO listing (source, category, feed, reason, reference, confidence, expires_at,"  \
	" basis, region, review_at)"                                                               \
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"                                        \
	" ON CONFLICT (source, category, feed) DO UPDATE SET reason = excluded.reason,"            \
	" reference = excluded.reference, confidence = excluded.confidence,"                       \
	" expires_at = excluded.expires_at, region = excluded.region,"                             \
	" basis = coalesce(excluded.basis, basis),"                                                \
	" review_at = coalesce(review_at, excluded.review_at)"

#define DOING "taking over a feed"

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

/* The three statements that a difference is written with. */
struct writer {
	struct store *s;
	const struct feed_difference *difference;
	sqlite3_stmt *put, *end, *log;
	struct problem *why;
};

static void writer_done(struct writer *w)
{
	sqlite_done(&w->put);
	sqlite_done(&w->end);
	sqlite_done(&w->log);
}

static int writer_prepare(struct writer *w)
{
	int err = sqlite_prepare(w->s, SLOT_FEED_PUT, PUT, &w->put, w->why);

	if (!err)
		err = sqlite_prepare(w->s, SLOT_FEED_END,
				     "DELETE FROM listing WHERE source = ?1 AND category = ?2"
				     " AND feed = ?3",
				     &w->end, w->why);
	if (!err)
		err = sqlite_prepare(w->s, SLOT_FEED_LOG,
				     "INSERT INTO change (op, source, category, feed, expires_at, at,"
				     " region) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
				     &w->log, w->why);
	return err;
}

static int writer_log(struct writer *w, const struct listing_input *row, bool remove)
{
	sqlite_bind(w->log, 1, remove ? "remove" : "add");
	sqlite_bind(w->log, 2, row->source);
	sqlite_bind(w->log, 3, row->category);
	sqlite_bind(w->log, 4, w->difference->feed);
	sqlite_bind_time(w->log, 5, row->expires_at);
	sqlite3_bind_int64(w->log, 6, w->difference->now);
	sqlite_bind(w->log, 7, row->region);
	return sqlite_run(w->s, w->log, DOING, w->why);
}

static int writer_put(struct writer *w, const struct listing_input *row)
{
	int err;

	sqlite_bind(w->put, 1, row->source);
	sqlite_bind(w->put, 2, row->category);
	sqlite_bind(w->put, 3, w->difference->feed);
	sqlite_bind(w->put, 4, row->reason);
	sqlite_bind(w->put, 5, row->reference);
	if (row->confidence < 0)
		sqlite3_bind_null(w->put, 6);
	else
		sqlite3_bind_int(w->put, 6, row->confidence);
	sqlite_bind_time(w->put, 7, row->expires_at);
	sqlite_bind(w->put, 8, row->basis);
	sqlite_bind(w->put, 9, row->region);
	sqlite_bind_time(w->put, 10, row->review_at);
	err = sqlite_run(w->s, w->put, DOING, w->why);
	return err ?: writer_log(w, row, false);
}

static int writer_end(struct writer *w, const struct listing_input *row)
{
	int err;

	sqlite_bind(w->end, 1, row->source);
	sqlite_bind(w->end, 2, row->category);
	sqlite_bind(w->end, 3, w->difference->feed);
	err = sqlite_run(w->s, w->end, DOING, w->why);
	if (err || !sqlite3_changes64(w->s->db))
		return err;
	return writer_log(w, row, true);
}

static int write_rows(struct store *s, const struct feed_difference *difference,
		      struct problem *why)
{
	_cleanup_(writer_done) struct writer w = { .s = s, .difference = difference, .why = why };
	struct listing_input row = {};
	bool remove = false;
	int err = writer_prepare(&w);

	while (!err) {
		int r = difference->next(difference->arg, &row, &remove);

		if (r <= 0)
			return r < 0 ? problem_set(why, r, "feed '%s': %s", difference->feed,
						   strerror(-r))
				     : 0;
		err = remove ? writer_end(&w, &row) : writer_put(&w, &row);
	}
	return err;
}

/* Off while it lives: nobody but this connection, and only inside its transaction. */
static void triggers(struct store *s, bool on)
{
	if (s->db)
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, on, NULL);
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
	err = err ?: sqlite_commit(s, &txn, why);
	if (err)
		return err;
	s->wrote = true;
	return 0;
}
