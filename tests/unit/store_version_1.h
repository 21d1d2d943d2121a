/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The schema of version 1, word for word, as moat 0.1 made it: what an upgrade
 * starts from. Never changes.
 */
#ifndef STORE_VERSION_1_H
#define STORE_VERSION_1_H

static const char version_1_sql[] =
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

/* What version 1 made on the first list of a feed. */
static const char version_1_feed_sql[] =
	"CREATE TABLE feed (\n"
	"  feed TEXT PRIMARY KEY,         -- what moatd knows of it from fetch to fetch\n"
	"  last_good INTEGER, last_try INTEGER, modified INTEGER,\n"
	"  entries INTEGER, failures INTEGER, origin INTEGER, format TEXT,\n"
	"  etag TEXT, last_modified TEXT, fault TEXT, detail TEXT);";

#endif
