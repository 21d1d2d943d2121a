/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/schema.h"

#include "store/store.h"

/* What a listing carries, for audit: only what is there; quote() keeps it unambiguous. */
#define CLAIM(row)                                                                                 \
	CLAIM_NUMBER(row, "until", "expires_at")                                                   \
	CLAIM_NUMBER(row, "confidence", "confidence")                                              \
	CLAIM_TEXT(row, "reason")                                                                  \
	CLAIM_TEXT(row, "reference")                                                               \
	CLAIM_TEXT(row, "basis")                                                                   \
	CLAIM_TEXT(row, "region")                                                                  \
	CLAIM_NUMBER(row, "review", "review_at")
#define NEW_CLAIM CLAIM("NEW")
#define OLD_CLAIM CLAIM("OLD")
#define CLAIM_NUMBER(row, word, column)                                                            \
	"\n      || coalesce(' " word " ' || substr(" row "." column ", 1, 64), '')"
#define CLAIM_TEXT(row, column)                                                                    \
	"\n      || coalesce(' " column " ' || nullif(quote(substr(" row "." column ", 1, 256)),"  \
	" 'NULL'), '')"

/*
 * Why the triggers look as they do:
 *
 * - REPLACE removes the rows it conflicts with without firing their DELETE
 *   triggers (recursive_triggers is off by default). On the primary key that
 *   is harmless: the log says "add", the row is now like this. On the rowid it
 *   would remove another key's row unseen, so an explicit rowid that belongs
 *   to another key is refused.
 * - NEW.rowid of a row without an explicit one is -1 in BEFORE triggers, so no
 *   row may have a rowid below 1.
 * - Triggers of one event fire in no defined order: one trigger writes all.
 * - writer is empty but inside a transaction of moatd, so nobody else sees it.
 * - A row of audit gets the rowid after the last one's, never one by hand: the
 *   order of the chain is that of the rowids, and a gap is a row that is gone.
 * - VACUUM keeps the rowids of a table that has an index, and may number those
 *   of others anew: listing (cursors) and audit (the chain) have one.
 */
const char schema_tables[] =
	"CREATE TABLE listing (\n"
	"  source     TEXT NOT NULL,      -- canonical CIDR or address\n"
	"  category   TEXT NOT NULL,\n"
	"  feed       TEXT NOT NULL DEFAULT 'manual',\n"
	"  reason     TEXT, reference TEXT, basis TEXT,\n"
	"  region     TEXT,               -- 'de,eu': in force where one of them is; null: everywhere\n"
	"  confidence INTEGER,            -- 0..100\n"
	"  created_at INTEGER NOT NULL DEFAULT (unixepoch()),\n"
	"  expires_at INTEGER,            -- seconds since 1970, null: never\n"
	"  review_at  INTEGER,            -- seconds since 1970: look at the claim again by then\n"
	"  PRIMARY KEY (source, category, feed));\n"

	"CREATE TABLE change (\n"
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,\n"
	"  op TEXT,                       -- add: the row is now like this; remove\n"
	"  source TEXT, category TEXT, feed TEXT, expires_at INTEGER, at INTEGER, region TEXT,\n"
	"  confidence INTEGER);\n"

	"CREATE TABLE refused (source TEXT, category TEXT, feed TEXT, cause TEXT, at INTEGER);\n"
	"CREATE INDEX refused_key ON refused (source, category, feed);\n"

	"CREATE TABLE audit (\n"
	"  at INTEGER, actor TEXT, origin TEXT, verb TEXT, detail TEXT,\n"
	"  hash TEXT);                    -- chains it to the row before; moatd fills it in\n"
	"CREATE INDEX audit_at ON audit (at);\n"

	"CREATE TABLE feed (\n"
	"  feed TEXT PRIMARY KEY,         -- what moatd knows of it from fetch to fetch\n"
	"  last_good INTEGER, last_try INTEGER, modified INTEGER,\n"
	"  entries INTEGER, failures INTEGER, origin INTEGER, format TEXT,\n"
	"  etag TEXT, last_modified TEXT, fault TEXT, detail TEXT,\n"
	"  held INTEGER, held_why TEXT);  -- 1: by a guard, 2: by hand, 3: by its mode\n"

	"-- Who writes, for audit: one row inside a transaction of moatd, else none.\n"
	"CREATE TABLE writer (actor TEXT NOT NULL, origin TEXT NOT NULL);\n";

const char schema_triggers[] =
	"CREATE INDEX IF NOT EXISTS listing_review ON listing (review_at, expires_at)\n"
	"WHERE review_at IS NOT NULL;\n"

	"CREATE TRIGGER listing_guard_insert BEFORE INSERT ON listing\n"
	"WHEN NEW.rowid > 0 AND EXISTS (SELECT 1 FROM listing WHERE rowid = NEW.rowid AND\n"
	"  (source IS NOT NEW.source OR category IS NOT NEW.category OR feed IS NOT NEW.feed))\n"
	"BEGIN\n"
	"  SELECT RAISE(ABORT, 'listing: this rowid belongs to another row: leave rowid out');\n"
	"END;\n"

	"CREATE TRIGGER listing_guard_update BEFORE UPDATE ON listing\n"
	"WHEN NEW.rowid IS NOT OLD.rowid\n"
	"BEGIN\n"
	"  SELECT RAISE(ABORT, 'listing: a rowid does not change: leave rowid out');\n"
	"END;\n"

	"CREATE TRIGGER listing_insert AFTER INSERT ON listing\n"
	"BEGIN\n"
	"  SELECT RAISE(ABORT, 'listing: rowid is below 1: leave rowid out') WHERE NEW.rowid < 1;\n"
	"  INSERT INTO change (op, source, category, feed, expires_at, at, region, confidence)\n"
	"    VALUES ('add', NEW.source, NEW.category, NEW.feed, NEW.expires_at, unixepoch(),\n"
	"      NEW.region, NEW.confidence);\n"
	"  INSERT INTO audit (at, actor, origin, verb, detail) VALUES (unixepoch(),\n"
	"    coalesce((SELECT actor FROM writer), 'sql'),\n"
	"    coalesce((SELECT origin FROM writer), 'sql'), 'add',\n"
	"    substr(NEW.source, 1, 64) || ' ' || substr(NEW.category, 1, 64) || ' ' ||\n"
	"    substr(NEW.feed, 1, 64)" NEW_CLAIM ");\n"
	"END;\n"

	"CREATE TRIGGER listing_update AFTER UPDATE ON listing\n"
	"BEGIN\n"
	"  INSERT INTO change (op, source, category, feed, expires_at, at, region)\n"
	"    SELECT 'remove', OLD.source, OLD.category, OLD.feed, OLD.expires_at, unixepoch(),\n"
	"      OLD.region\n"
	"    WHERE OLD.source IS NOT NEW.source OR OLD.category IS NOT NEW.category\n"
	"      OR OLD.feed IS NOT NEW.feed;\n"
	"  INSERT INTO change (op, source, category, feed, expires_at, at, region, confidence)\n"
	"    VALUES ('add', NEW.source, NEW.category, NEW.feed, NEW.expires_at, unixepoch(),\n"
	"      NEW.region, NEW.confidence);\n"
	"  INSERT INTO audit (at, actor, origin, verb, detail) VALUES (unixepoch(),\n"
	"    coalesce((SELECT actor FROM writer), 'sql'),\n"
	"    coalesce((SELECT origin FROM writer), 'sql'), 'update',\n"
	"    CASE WHEN OLD.source IS NOT NEW.source OR OLD.category IS NOT NEW.category\n"
	"      OR OLD.feed IS NOT NEW.feed THEN substr(OLD.source, 1, 64) || ' ' ||\n"
	"      substr(OLD.category, 1, 64) || ' ' || substr(OLD.feed, 1, 64) || ' -> ' ELSE '' END ||\n"
	"    substr(NEW.source, 1, 64) || ' ' || substr(NEW.category, 1, 64) || ' ' ||\n"
	"    substr(NEW.feed, 1, 64)" NEW_CLAIM ");\n"
	"END;\n"

	"CREATE TRIGGER listing_delete AFTER DELETE ON listing\n"
	"BEGIN\n"
	"  INSERT INTO change (op, source, category, feed, expires_at, at, region)\n"
	"    VALUES ('remove', OLD.source, OLD.category, OLD.feed, OLD.expires_at, unixepoch(),\n"
	"      OLD.region);\n"
	"  INSERT INTO audit (at, actor, origin, verb, detail) VALUES (unixepoch(),\n"
	"    coalesce((SELECT actor FROM writer), 'sql'),\n"
	"    coalesce((SELECT origin FROM writer), 'sql'), 'remove',\n"
	"    substr(OLD.source, 1, 64) || ' ' || substr(OLD.category, 1, 64) || ' ' ||\n"
	"    substr(OLD.feed, 1, 64)" OLD_CLAIM ");\n"
	"END;\n"

	"-- The log: a seq is given out by SQLite, never by hand; only moatd prunes.\n"
	"CREATE TRIGGER change_guard_seq BEFORE INSERT ON change WHEN NEW.seq > 0\n"
	"BEGIN SELECT RAISE(ABORT, 'change is written by triggers: write to listing'); END;\n"
	"CREATE TRIGGER change_guard_insert AFTER INSERT ON change WHEN NEW.seq < 1\n"
	"BEGIN SELECT RAISE(ABORT, 'change is written by triggers: write to listing'); END;\n"
	"CREATE TRIGGER change_guard_update BEFORE UPDATE ON change\n"
	"BEGIN SELECT RAISE(ABORT, 'change is written by triggers: write to listing'); END;\n"
	"CREATE TRIGGER change_guard_delete BEFORE DELETE ON change\n"
	"WHEN NOT EXISTS (SELECT 1 FROM writer)\n"
	"BEGIN SELECT RAISE(ABORT, 'change is pruned by moatd alone'); END;\n"

	"-- The audit log: rows are added, and sealed once by moatd; nothing else.\n"
	"CREATE TRIGGER audit_guard_rowid BEFORE INSERT ON audit WHEN NEW.rowid > 0\n"
	"BEGIN SELECT RAISE(ABORT, 'audit is append-only: leave rowid out'); END;\n"
	"CREATE TRIGGER audit_guard_insert AFTER INSERT ON audit\n"
	"WHEN NEW.rowid < 1 OR NEW.hash IS NOT NULL\n"
	"BEGIN SELECT RAISE(ABORT, 'audit is append-only: leave rowid and hash out'); END;\n"
	"CREATE TRIGGER audit_guard_update BEFORE UPDATE ON audit\n"
	"WHEN OLD.hash IS NOT NULL OR NEW.hash IS NULL OR NEW.rowid IS NOT OLD.rowid\n"
	"  OR NEW.at IS NOT OLD.at OR NEW.actor IS NOT OLD.actor OR NEW.origin IS NOT OLD.origin\n"
	"  OR NEW.verb IS NOT OLD.verb OR NEW.detail IS NOT OLD.detail\n"
	"  OR NOT EXISTS (SELECT 1 FROM writer)\n"
	"BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;\n"
	"CREATE TRIGGER audit_guard_delete BEFORE DELETE ON audit\n"
	"BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;\n";

/* Triggers of all versions: they are made anew. */
#define DROP_TRIGGERS                                                                              \
	"DROP TRIGGER IF EXISTS listing_guard_insert;\n"                                           \
	"DROP TRIGGER IF EXISTS listing_guard_update;\n"                                           \
	"DROP TRIGGER IF EXISTS listing_insert;\n"                                                 \
	"DROP TRIGGER IF EXISTS listing_update;\n"                                                 \
	"DROP TRIGGER IF EXISTS listing_delete;\n"                                                 \
	"DROP TRIGGER IF EXISTS change_guard_seq;\n"                                               \
	"DROP TRIGGER IF EXISTS change_guard_insert;\n"                                            \
	"DROP TRIGGER IF EXISTS change_guard_update;\n"                                            \
	"DROP TRIGGER IF EXISTS change_guard_delete;\n"                                            \
	"DROP TRIGGER IF EXISTS audit_guard_rowid;\n"                                              \
	"DROP TRIGGER IF EXISTS audit_guard_replace;\n"                                            \
	"DROP TRIGGER IF EXISTS audit_guard_insert;\n"                                             \
	"DROP TRIGGER IF EXISTS audit_guard_update;\n"                                             \
	"DROP TRIGGER IF EXISTS audit_guard_delete;\n"

/*
 * Version 2 had no confidence of a change: each was looked up in listing, which
 * cost more than all the rest of following the log. Columns are added, so that
 * no row is rewritten.
 */
#define FROM_VERSION_2 "ALTER TABLE change ADD COLUMN confidence INTEGER;\n" DROP_TRIGGERS

static const char from_version_2[] = FROM_VERSION_2;

/*
 * Version 1 had no review_at, region of a change, hash, nor held, and table
 * feed only once there had been one.
 */
static const char from_version_1[] =
	"CREATE TABLE IF NOT EXISTS feed (\n"
	"  feed TEXT PRIMARY KEY, last_good INTEGER, last_try INTEGER, modified INTEGER,\n"
	"  entries INTEGER, failures INTEGER, origin INTEGER, format TEXT,\n"
	"  etag TEXT, last_modified TEXT, fault TEXT, detail TEXT);\n"
	"ALTER TABLE feed ADD COLUMN held INTEGER;\n"
	"ALTER TABLE feed ADD COLUMN held_why TEXT;\n"
	"ALTER TABLE listing ADD COLUMN review_at INTEGER;\n"
	"ALTER TABLE change ADD COLUMN region TEXT;\n"
	"ALTER TABLE audit ADD COLUMN hash TEXT;\n" FROM_VERSION_2;

const char *schema_upgrade(int64_t version)
{
	switch (version) {
	case 1:
		return from_version_1;
	case 2:
		return from_version_2;
	}
	return NULL;
}

/*
 * One row an object, and one a column. A table is what queries depend on, not
 * its spelling nor the order of its columns, and may have columns of somebody
 * else's; a trigger or index is its text.
 */
#define SHAPES                                                                                     \
	"SELECT type, name, part, shape FROM ("                                                    \
	"SELECT m.type, m.name, '' AS part, CASE WHEN m.type = 'table' THEN"                       \
	" (SELECT wr FROM pragma_table_list(m.name) WHERE schema = 'main') ||"                     \
	" (upper(m.sql) LIKE '%AUTOINCREMENT%') ELSE m.sql END AS shape"                           \
	" FROM sqlite_schema m WHERE m.name NOT LIKE 'sqlite^_%' ESCAPE '^'"                       \
	" UNION ALL SELECT m.type, m.name, c.name, c.type || ' ' || c.\"notnull\" || ' ' ||"       \
	" coalesce(c.dflt_value, '') || ' ' || c.pk"                                               \
	" FROM sqlite_schema m, pragma_table_info(m.name) c"                                       \
	" WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite^_%' ESCAPE '^')"

static void close_db(sqlite3 **db)
{
	sqlite3_close(*db);
}

static void finalize(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}

static int query_number(sqlite3 *db, const char *sql, int64_t *ret)
{
	_cleanup_(finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc != SQLITE_OK)
		return -rc;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? -SQLITE_ERROR : -rc;
	*ret = sqlite3_column_int64(stmt, 0);
	return 0;
}

/* Whether there is what the row of want says: all of it or a part of it. */
static int compare_shape(sqlite3_stmt *want, sqlite3_stmt *find, struct problem *what)
{
	const char *type = (const char *)sqlite3_column_text(want, 0);
	const char *name = (const char *)sqlite3_column_text(want, 1);
	const char *part = (const char *)sqlite3_column_text(want, 2);
	const char *shape = (const char *)sqlite3_column_text(want, 3);
	const char *found;
	int rc;

	if (!type || !name || !part || !shape)
		return -SQLITE_NOMEM;
	sqlite3_reset(find);
	sqlite3_bind_text(find, 1, type, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(find, 2, name, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(find, 3, part, -1, SQLITE_TRANSIENT);
	rc = sqlite3_step(find);
	if (rc == SQLITE_DONE && !*part) {
		problem_set(what, 0, "%s '%s' is missing", type, name);
		return SCHEMA_FOREIGN;
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return -rc;

	found = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(find, 3) : NULL;
	if (found && !strcmp(found, shape))
		return SCHEMA_CURRENT;
	problem_set(what, 0, "%s '%s' is not as moat made it", type, name);
	return SCHEMA_FOREIGN;
}

/* The schema made in memory is the yardstick: nothing is written down twice. */
static int check_shapes(sqlite3 *db, struct problem *what)
{
	_cleanup_(close_db) sqlite3 *model = NULL;
	_cleanup_(finalize) sqlite3_stmt *want = NULL;
	_cleanup_(finalize) sqlite3_stmt *find = NULL;
	int rc, state;

	rc = sqlite3_open_v2(":memory:", &model, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	rc = rc ?: sqlite3_exec(model, schema_tables, NULL, NULL, NULL);
	rc = rc ?: sqlite3_exec(model, schema_triggers, NULL, NULL, NULL);
	rc = rc ?: sqlite3_prepare_v2(model, SHAPES, -1, &want, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, SHAPES " WHERE type = ?1 AND name = ?2 AND part = ?3",
					-1, &find, NULL);
	if (rc != SQLITE_OK)
		return -rc;

	while ((rc = sqlite3_step(want)) == SQLITE_ROW) {
		state = compare_shape(want, find, what);
		if (state != SCHEMA_CURRENT)
			return state;
	}
	return rc == SQLITE_DONE ? SCHEMA_CURRENT : -rc;
}

int schema_check(sqlite3 *db, int64_t *ret_version, struct problem *what)
{
	int64_t application = 0, version = 0, objects = 0;
	int err;

	err = query_number(db, "PRAGMA application_id", &application);
	err = err ?: query_number(db, "PRAGMA user_version", &version);
	err = err ?: query_number(db, "SELECT count(*) FROM sqlite_schema", &objects);
	if (err)
		return err;

	if (!application && !version && !objects)
		return SCHEMA_EMPTY;
	if (application != SCHEMA_APPLICATION_ID || version < 1) {
		problem_set(what, 0, "it holds something else than a moat database");
		return SCHEMA_FOREIGN;
	}
	if (version > STORE_SCHEMA) {
		problem_set(what, 0, "its schema is version %lld, this moat knows up to %d",
			    (long long)version, STORE_SCHEMA);
		return SCHEMA_NEWER;
	}
	*ret_version = version;
	if (version < STORE_SCHEMA) {
		problem_set(what, 0, "its schema is version %lld, this moat needs %d",
			    (long long)version, STORE_SCHEMA);
		return SCHEMA_OLDER;
	}
	return check_shapes(db, what);
}
