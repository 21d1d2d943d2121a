/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call is one transaction: all of it, or nothing.
 */
#include "store/sqlite.h"

#define ADD                                                                                        \
	"INSERT INTO listing (source, category, feed, reason, reference, basis, region,"           \
	" confidence, expires_at, review_at)"                                                      \
	" VALUES (?1, ?2, coalesce(?3, 'manual'), ?4, ?5, ?6, ?7, ?8, ?9, ?10)"                    \
	" ON CONFLICT (source, category, feed) DO UPDATE SET reason = excluded.reason,"            \
	" reference = excluded.reference, basis = excluded.basis, region = excluded.region,"       \
	" confidence = excluded.confidence, expires_at = excluded.expires_at,"                     \
	" review_at = excluded.review_at"                                                          \
	" WHERE (reason, reference, basis, region, confidence, expires_at, review_at) IS NOT"      \
	" (excluded.reason, excluded.reference, excluded.basis, excluded.region,"                  \
	" excluded.confidence, excluded.expires_at, excluded.review_at)"

static int add_row(struct store *s, sqlite3_stmt *stmt, const struct listing_input *row,
		   struct problem *why)
{
	const char *texts[] = { row->source,	row->category, row->feed,  row->reason,
				row->reference, row->basis,    row->region };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		sqlite_bind(stmt, (int)i + 1, texts[i]);
	if (row->confidence < 0)
		sqlite3_bind_null(stmt, 8);
	else
		sqlite3_bind_int(stmt, 8, row->confidence);
	sqlite_bind_time(stmt, 9, row->expires_at);
	sqlite_bind_time(stmt, 10, row->review_at);
	return sqlite_run(s, stmt, "adding listings", why);
}

int store_add(struct store *s, const struct actor *actor, const struct listing_input *rows,
	      size_t count, struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	size_t added = 0;
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_begin_actor(s, &txn, actor, why);
	err = err ?: sqlite_prepare(s, SLOT_ADD, ADD, &stmt, why);
	for (size_t i = 0; !err && i < count; i++) {
		err = add_row(s, stmt, &rows[i], why);
		added += (size_t)sqlite3_changes64(s->db);
	}
	err = err ?: sqlite_commit(s, &txn, why);
	if (err)
		return err;
	s->wrote = true;
	s->added = added;
	return 0;
}

size_t store_added(const struct store *s)
{
	return s->added;
}

static int remove_rows(struct store *s, sqlite3_stmt *stmt, struct removal *removal,
		       struct problem *why)
{
	int err;

	sqlite_bind(stmt, 1, removal->source);
	sqlite_bind(stmt, 2, removal->category);
	sqlite_bind(stmt, 3, removal->feed);
	err = sqlite_run(s, stmt, "removing listings", why);
	removal->removed = err ? 0 : (size_t)sqlite3_changes64(s->db);
	return err;
}

int store_remove(struct store *s, const struct actor *actor, struct removal *removals, size_t count,
		 bool dry_run, struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_begin_actor(s, &txn, actor, why);
	if (!err)
		err = sqlite_prepare(s, SLOT_REMOVE,
				     "DELETE FROM listing WHERE source = ?1"
				     " AND (?2 IS NULL OR category = ?2) AND (?3 IS NULL OR feed = ?3)",
				     &stmt, why);
	for (size_t i = 0; !err && i < count; i++)
		err = remove_rows(s, stmt, &removals[i], why);
	if (err || dry_run) /* what was begun is undone */
		return err;
	err = sqlite_commit(s, &txn, why);
	s->wrote |= !err;
	return err;
}

static int refused_remove(struct store *s, const struct refusal *row, struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_prepare(s, SLOT_REFUSED_REMOVE,
			     "DELETE FROM refused WHERE source IS ?1 AND category IS ?2 AND feed IS ?3",
			     &stmt, why);
	if (err)
		return err;
	sqlite_bind(stmt, 1, row->source);
	sqlite_bind(stmt, 2, row->category);
	sqlite_bind(stmt, 3, row->feed);
	return sqlite_run(s, stmt, "noting refused listings", why);
}

static int refused_add(struct store *s, const struct refusal *row, int64_t now, struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_prepare(s, SLOT_REFUSED_ADD, "INSERT INTO refused VALUES (?1, ?2, ?3, ?4, ?5)",
			     &stmt, why);
	if (err)
		return err;
	sqlite_bind(stmt, 1, row->source);
	sqlite_bind(stmt, 2, row->category);
	sqlite_bind(stmt, 3, row->feed);
	sqlite_bind(stmt, 4, row->cause);
	sqlite3_bind_int64(stmt, 5, now);
	return sqlite_run(s, stmt, "noting refused listings", why);
}

int store_refused_reset(struct store *s, const struct refusal *rows, size_t count, int64_t now,
			struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_begin_write(s, &txn, why);
	err = err ?: sqlite_prepare(s, SLOT_REFUSED_CLEAR, "DELETE FROM refused", &stmt, why);
	err = err ?: sqlite_run(s, stmt, "noting refused listings", why);
	for (size_t i = 0; !err && i < count; i++)
		err = refused_add(s, &rows[i], now, why);
	return err ?: sqlite_commit(s, &txn, why);
}

int store_refused_update(struct store *s, const struct refusal *rows, size_t count, int64_t now,
			 struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_begin_write(s, &txn, why);
	for (size_t i = 0; !err && i < count; i++) {
		err = refused_remove(s, &rows[i], why);
		if (!err && rows[i].cause)
			err = refused_add(s, &rows[i], now, why);
	}
	return err ?: sqlite_commit(s, &txn, why);
}

int sqlite_audit(struct store *s, const struct actor *actor, int64_t now, const char *verb,
		 const char *detail, struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_prepare(s, SLOT_AUDIT,
			     "INSERT INTO audit (at, actor, origin, verb, detail)"
			     " VALUES (?1, ?2, ?3, ?4, ?5)",
			     &stmt, why);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, now);
	sqlite_bind(stmt, 2, actor && actor->name ? actor->name : "sql");
	sqlite_bind(stmt, 3, actor && actor->origin ? actor->origin : "sql");
	sqlite_bind(stmt, 4, verb);
	sqlite_bind(stmt, 5, detail);
	return sqlite_run(s, stmt, "writing the audit log", why);
}

int store_audit(struct store *s, const struct actor *actor, int64_t now, const char *verb,
		const char *detail, struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_begin_write(s, &txn, why);
	err = err ?: sqlite_audit(s, actor, now, verb, detail, why);
	return err ?: sqlite_commit(s, &txn, why);
}

/*
 * The newest seq that may go. The log goes from its old end only, so that it
 * has no gaps: the first change that must stay, whatever the clock did, keeps
 * all behind it. Returns how many go, or negative.
 */
static ssize_t prune_reach(struct store *s, int64_t upto, int64_t before, size_t limit,
			   int64_t *ret_seq, struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	size_t count = 0;
	int err, rc;

	err = sqlite_prepare(s, SLOT_PRUNE_LIST,
			     "SELECT seq, at FROM change WHERE seq <= ?1 ORDER BY seq", &stmt, why);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, upto);
	while (count < limit) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_DONE)
			break;
		if (rc != SQLITE_ROW)
			return sqlite_problem(s, rc, "pruning the change log", why);
		if (sqlite3_column_int64(stmt, 1) >= before)
			break;
		*ret_seq = sqlite3_column_int64(stmt, 0);
		count++;
	}
	return (ssize_t)count;
}

ssize_t store_prune(struct store *s, int64_t upto, int64_t before, size_t limit,
		    struct problem *why)
{
	static const struct actor pruner = { "moatd", "prune" }; /* the log's guard asks for one */
	_cleanup_txn_ struct txn txn = { NULL };
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int64_t reach = 0;
	ssize_t count;
	int err;

	err = sqlite_ready(s, why);
	if (err)
		return err;
	count = prune_reach(s, upto, before, limit, &reach, why);
	if (count <= 0)
		return count;
	err = sqlite_begin_actor(s, &txn, &pruner, why);
	if (!err)
		err = sqlite_prepare(s, SLOT_PRUNE, "DELETE FROM change WHERE seq <= ?1", &stmt,
				     why);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, reach);
	err = sqlite_run(s, stmt, "pruning the change log", why);
	err = err ?: sqlite_commit(s, &txn, why);
	return err ?: count;
}
