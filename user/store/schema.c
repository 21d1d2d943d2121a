/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/schema.h"

#include "store/store.h"

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
 */
const char schema_sql[] =
	"CREATE TABLE listing (\n"
	"  source     TEXT NOT NULL,      -- canonical CIDR or address\n"
	"  category   TEXT NOT NULL,\n"
	"  feed       TEXT NOT NULL DEFAULT 'manual',\n"
	"  reason     TEXT, reference TEXT, basis TEXT, region TEXT,\n"
	"  confidence INTEGER,            -- 0..100\n"
	"  created_at INTEGER NOT NULL DEFAULT (unixepoch()),\n"
	"  expires_at INTEGER,            -- seconds since 1970, null: never\n"
	"  PRIMARY KEY (source, category, feed));\n"

	"CREATE TABLE change (\n"
	"  seq INTEGER PRIMARY KEY AUTOINCREMENT,\n"
	"  op TEXT,                       -- add: the row is now like this; remove\n"
	"  source TEXT, category TEXT, feed TEXT, expires_at INTEGER, at INTEGER);\n"

	"CREATE TABLE refused (source TEXT, category TEXT, feed TEXT, cause TEXT, at INTEGER);\n"
	"CREATE INDEX refused_key ON refused (source, category, feed);\n"

	"CREATE TABLE audit (at INTEGER, actor TEXT, origin TEXT, verb TEXT, detail TEXT);\n"
	"CREATE INDEX audit_at ON audit (at);\n"

	"-- Who writes, for audit: one row inside a transaction of moatd, else none.\n"
	"CREATE TABLE writer (actor TEXT NOT NULL, origin TEXT NOT NULL);\n"

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
	"  INSERT INTO change (op, source, category, feed, expires_at, at)\n"
	"    VALUES ('add', NEW.source, NEW.category, NEW.feed, NEW.expires_at, unixepoch());\n"
	"  INSERT INTO audit VALUES (unixepoch(),\n"
	"    coalesce((SELECT actor FROM writer), 'sql'),\n"
	"    coalesce((SELECT origin FROM writer), 'sql'), 'add',\n"
	"    substr(NEW.source, 1, 64) || ' ' || substr(NEW.category, 1, 64) || ' ' ||\n"
	"    substr(NEW.feed, 1, 64) || coalesce(' until ' || substr(NEW.expires_at, 1, 64), ''));\n"
	"END;\n"

	"CREATE TRIGGER listing_update AFTER UPDATE ON listing\n"
	"BEGIN\n"
	"  INSERT INTO change (op, source, category, feed, expires_at, at)\n"
	"    SELECT 'remove', OLD.source, OLD.category, OLD.feed, OLD.expires_at, unixepoch()\n"
	"    WHERE OLD.source IS NOT NEW.source OR OLD.category IS NOT NEW.category\n"
	"      OR OLD.feed IS NOT NEW.feed;\n"
	"  INSERT INTO change (op, source, category, feed, expires_at, at)\n"
	"    VALUES ('add', NEW.source, NEW.category, NEW.feed, NEW.expires_at, unixepoch());\n"
	"  INSERT INTO audit VALUES (unixepoch(),\n"
	"    coalesce((SELECT actor FROM writer), 'sql'),\n"
	"    coalesce((SELECT origin FROM writer), 'sql'), 'update',\n"
	"    CASE WHEN OLD.source IS NOT NEW.source OR OLD.category IS NOT NEW.category\n"
	"      OR OLD.feed IS NOT NEW.feed THEN substr(OLD.source, 1, 64) || ' ' ||\n"
	"      substr(OLD.category, 1, 64) || ' ' || substr(OLD.feed, 1, 64) || ' -> ' ELSE '' END ||\n"
	"    substr(NEW.source, 1, 64) || ' ' || substr(NEW.category, 1, 64) || ' ' ||\n"
	"    substr(NEW.feed, 1, 64) || coalesce(' until ' || substr(NEW.expires_at, 1, 64), ''));\n"
	"END;\n"

	"CREATE TRIGGER listing_delete AFTER DELETE ON listing\n"
	"BEGIN\n"
	"  INSERT INTO change (op, source, category, feed, expires_at, at)\n"
	"    VALUES ('remove', OLD.source, OLD.category, OLD.feed, OLD.expires_at, unixepoch());\n"
	"  INSERT INTO audit VALUES (unixepoch(),\n"
	"    coalesce((SELECT actor FROM writer), 'sql'),\n"
	"    coalesce((SELECT origin FROM writer), 'sql'), 'remove',\n"
	"    substr(OLD.source, 1, 64) || ' ' || substr(OLD.category, 1, 64) || ' ' ||\n"
	"    substr(OLD.feed, 1, 64));\n"
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

	"-- The audit log: rows are added, nothing else.\n"
	"CREATE TRIGGER audit_guard_replace BEFORE INSERT ON audit\n"
	"WHEN NEW.rowid > 0 AND EXISTS (SELECT 1 FROM audit WHERE rowid = NEW.rowid)\n"
	"BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;\n"
	"CREATE TRIGGER audit_guard_insert AFTER INSERT ON audit WHEN NEW.rowid < 1\n"
	"BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;\n"
	"CREATE TRIGGER audit_guard_update BEFORE UPDATE ON audit\n"
	"BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;\n"
	"CREATE TRIGGER audit_guard_delete BEFORE DELETE ON audit\n"
	"BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;\n";

/*
 * One row an object. A table's shape is what queries depend on, not its
 * spelling, and starts alike if somebody added columns of their own; that of a
 * trigger or index is its text.
 */
#define SHAPES                                                                                     \
	"SELECT m.type, m.name, CASE WHEN m.type = 'table' THEN"                                   \
	" (SELECT wr FROM pragma_table_list(m.name) WHERE schema = 'main') ||"                     \
	" (upper(m.sql) LIKE '%AUTOINCREMENT%') || (SELECT group_concat(name || ' ' || type ||"    \
	" ' ' || \"notnull\" || ' ' || coalesce(dflt_value, '') || ' ' || pk, ', ')"               \
	" FROM pragma_table_info(m.name)) ELSE m.sql END"                                          \
	" FROM sqlite_schema m WHERE m.name NOT LIKE 'sqlite^_%' ESCAPE '^'"

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

/* Whether the object that find is bound to has the shape in want. */
static int compare_shape(sqlite3_stmt *want, sqlite3_stmt *find, struct problem *what)
{
	const char *type = (const char *)sqlite3_column_text(want, 0);
	const char *name = (const char *)sqlite3_column_text(want, 1);
	const char *shape = (const char *)sqlite3_column_text(want, 2);
	const char *found;
	bool same;
	int rc;

	if (!type || !name || !shape)
		return -SQLITE_NOMEM;
	sqlite3_reset(find);
	sqlite3_bind_text(find, 1, type, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(find, 2, name, -1, SQLITE_TRANSIENT);
	rc = sqlite3_step(find);
	if (rc == SQLITE_DONE) {
		problem_set(what, 0, "%s '%s' is missing", type, name);
		return SCHEMA_FOREIGN;
	}
	if (rc != SQLITE_ROW)
		return -rc;

	found = (const char *)sqlite3_column_text(find, 2);
	same = found && !(strcmp(type, "table") ? strcmp(found, shape)
						: strncmp(found, shape, strlen(shape)));
	if (same)
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
	rc = rc ?: sqlite3_exec(model, schema_sql, NULL, NULL, NULL);
	rc = rc ?: sqlite3_prepare_v2(model, SHAPES, -1, &want, NULL);
	rc = rc
		     ?: sqlite3_prepare_v2(db, SHAPES " AND m.type = ?1 AND m.name = ?2", -1, &find,
					   NULL);
	if (rc != SQLITE_OK)
		return -rc;

	while ((rc = sqlite3_step(want)) == SQLITE_ROW) {
		state = compare_shape(want, find, what);
		if (state != SCHEMA_CURRENT)
			return state;
	}
	return rc == SQLITE_DONE ? SCHEMA_CURRENT : -rc;
}

int schema_check(sqlite3 *db, struct problem *what)
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
	return check_shapes(db, what);
}
