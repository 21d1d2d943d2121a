/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The schema of version 2, word for word as sqlite_schema has it: what an
 * upgrade starts from. Never changes.
 */
#ifndef STORE_VERSION_2_H
#define STORE_VERSION_2_H

static const char version_2_sql[] =
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
	"  source TEXT, category TEXT, feed TEXT, expires_at INTEGER, at INTEGER, region TEXT);\n"

	"CREATE TABLE refused (source TEXT, category TEXT, feed TEXT, cause TEXT, at INTEGER);\n"

	"CREATE INDEX refused_key ON refused (source, category, feed);\n"

	"CREATE TABLE audit (\n"
	"  at INTEGER, actor TEXT, origin TEXT, verb TEXT, detail TEXT,\n"
	"  hash TEXT);\n"

	"CREATE INDEX audit_at ON audit (at);\n"

	"CREATE TABLE feed (\n"
	"  feed TEXT PRIMARY KEY,         -- what moatd knows of it from fetch to fetch\n"
	"  last_good INTEGER, last_try INTEGER, modified INTEGER,\n"
	"  entries INTEGER, failures INTEGER, origin INTEGER, format TEXT,\n"
	"  etag TEXT, last_modified TEXT, fault TEXT, detail TEXT,\n"
	"  held INTEGER, held_why TEXT);\n"

	"CREATE TABLE writer (actor TEXT NOT NULL, origin TEXT NOT NULL);\n"

	"CREATE INDEX listing_review ON listing (review_at, expires_at)\n"
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
	"  INSERT INTO change (op, source, category, feed, expires_at, at, region)\n"
	"    VALUES ('add', NEW.source, NEW.category, NEW.feed, NEW.expires_at, unixepoch(),\n"
	"      NEW.region);\n"
	"  INSERT INTO audit (at, actor, origin, verb, detail) VALUES (unixepoch(),\n"
	"    coalesce((SELECT actor FROM writer), 'sql'),\n"
	"    coalesce((SELECT origin FROM writer), 'sql'), 'add',\n"
	"    substr(NEW.source, 1, 64) || ' ' || substr(NEW.category, 1, 64) || ' ' ||\n"
	"    substr(NEW.feed, 1, 64)\n"
	"      || coalesce(' until ' || substr(NEW.expires_at, 1, 64), '')\n"
	"      || coalesce(' confidence ' || substr(NEW.confidence, 1, 64), '')\n"
	"      || coalesce(' reason ' || nullif(quote(substr(NEW.reason, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' reference ' || nullif(quote(substr(NEW.reference, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' basis ' || nullif(quote(substr(NEW.basis, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' region ' || nullif(quote(substr(NEW.region, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' review ' || substr(NEW.review_at, 1, 64), ''));\n"
	"END;\n"

	"CREATE TRIGGER listing_update AFTER UPDATE ON listing\n"
	"BEGIN\n"
	"  INSERT INTO change (op, source, category, feed, expires_at, at, region)\n"
	"    SELECT 'remove', OLD.source, OLD.category, OLD.feed, OLD.expires_at, unixepoch(),\n"
	"      OLD.region\n"
	"    WHERE OLD.source IS NOT NEW.source OR OLD.category IS NOT NEW.category\n"
	"      OR OLD.feed IS NOT NEW.feed;\n"
	"  INSERT INTO change (op, source, category, feed, expires_at, at, region)\n"
	"    VALUES ('add', NEW.source, NEW.category, NEW.feed, NEW.expires_at, unixepoch(),\n"
	"      NEW.region);\n"
	"  INSERT INTO audit (at, actor, origin, verb, detail) VALUES (unixepoch(),\n"
	"    coalesce((SELECT actor FROM writer), 'sql'),\n"
	"    coalesce((SELECT origin FROM writer), 'sql'), 'update',\n"
	"    CASE WHEN OLD.source IS NOT NEW.source OR OLD.category IS NOT NEW.category\n"
	"      OR OLD.feed IS NOT NEW.feed THEN substr(OLD.source, 1, 64) || ' ' ||\n"
	"      substr(OLD.category, 1, 64) || ' ' || substr(OLD.feed, 1, 64) || ' -> ' ELSE '' END ||\n"
	"    substr(NEW.source, 1, 64) || ' ' || substr(NEW.category, 1, 64) || ' ' ||\n"
	"    substr(NEW.feed, 1, 64)\n"
	"      || coalesce(' until ' || substr(NEW.expires_at, 1, 64), '')\n"
	"      || coalesce(' confidence ' || substr(NEW.confidence, 1, 64), '')\n"
	"      || coalesce(' reason ' || nullif(quote(substr(NEW.reason, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' reference ' || nullif(quote(substr(NEW.reference, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' basis ' || nullif(quote(substr(NEW.basis, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' region ' || nullif(quote(substr(NEW.region, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' review ' || substr(NEW.review_at, 1, 64), ''));\n"
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
	"    substr(OLD.feed, 1, 64)\n"
	"      || coalesce(' until ' || substr(OLD.expires_at, 1, 64), '')\n"
	"      || coalesce(' confidence ' || substr(OLD.confidence, 1, 64), '')\n"
	"      || coalesce(' reason ' || nullif(quote(substr(OLD.reason, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' reference ' || nullif(quote(substr(OLD.reference, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' basis ' || nullif(quote(substr(OLD.basis, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' region ' || nullif(quote(substr(OLD.region, 1, 256)), 'NULL'), '')\n"
	"      || coalesce(' review ' || substr(OLD.review_at, 1, 64), ''));\n"
	"END;\n"

	"CREATE TRIGGER change_guard_seq BEFORE INSERT ON change WHEN NEW.seq > 0\n"
	"BEGIN SELECT RAISE(ABORT, 'change is written by triggers: write to listing'); END;\n"

	"CREATE TRIGGER change_guard_insert AFTER INSERT ON change WHEN NEW.seq < 1\n"
	"BEGIN SELECT RAISE(ABORT, 'change is written by triggers: write to listing'); END;\n"

	"CREATE TRIGGER change_guard_update BEFORE UPDATE ON change\n"
	"BEGIN SELECT RAISE(ABORT, 'change is written by triggers: write to listing'); END;\n"

	"CREATE TRIGGER change_guard_delete BEFORE DELETE ON change\n"
	"WHEN NOT EXISTS (SELECT 1 FROM writer)\n"
	"BEGIN SELECT RAISE(ABORT, 'change is pruned by moatd alone'); END;\n"

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

#endif
