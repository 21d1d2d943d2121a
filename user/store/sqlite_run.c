/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statements and transactions, and what their failures mean to a person.
 */
#include "store/sqlite.h"

/* An I/O error says more by the system's errno than by SQLite's code. */
static int error_of_system(struct store *s)
{
	switch (s->db ? sqlite3_system_errno(s->db) : 0) {
	case ENOSPC:
	case EDQUOT:
		return -ENOSPC;
	case EROFS:
		return -EROFS;
	case EACCES:
	case EPERM:
		return -EACCES;
	case ENOENT:
		return -ENOENT;
	}
	return -EIO;
}

static int error_of(struct store *s, int rc)
{
	switch (rc & 0xFF) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CONSTRAINT:
		return -EINVAL;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_NOTADB:
		return -EPROTO;
	}
	return error_of_system(s);
}

static const char *advice(int error)
{
	switch (error) {
	case -EBUSY:
		return "another client holds the lock: try again, or end its transaction";
	case -ENOSPC:
		return "no room: free space on the file system that holds it";
	case -EROFS:
		return "it can only be read: make the file and its directory writable for moatd";
	case -EACCES:
		return "no permission: let moatd read and write the file, its -wal and -shm, and the directory";
	case -ENOENT:
		return "it disappeared: put it back";
	case -ENOMEM:
		return "out of memory";
	case -EINVAL:
		return "the row was not accepted: correct it";
	case -E2BIG:
		return "a value is too long: shorten it";
	case -EPROTO:
		return "it is not an SQLite database: correct 'database' in the configuration";
	}
	return "check it (sqlite3 FILE 'PRAGMA integrity_check') and the disk, or restore a backup";
}

int sqlite_problem(struct store *s, int rc, const char *doing, struct problem *why)
{
	int error = error_of(s, rc);
	const char *text = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc);

	return problem_set(why, error, "database '%s': %s: %s: %s", s->path, doing, text,
			   advice(error));
}

int sqlite_prepare(struct store *s, enum sqlite_slot slot, const char *sql, sqlite3_stmt **ret,
		   struct problem *why)
{
	sqlite3_stmt **stmt = &s->stmts[slot];
	int rc = SQLITE_OK;

	if (!*stmt)
		rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
	if (rc != SQLITE_OK)
		return sqlite_problem(s, rc, "understanding its tables", why);
	sqlite3_reset(*stmt);
	*ret = *stmt;
	return 0;
}

int sqlite_run(struct store *s, sqlite3_stmt *stmt, const char *doing, struct problem *why)
{
	int rc = sqlite3_step(stmt);
	int err = 0;

	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		err = sqlite_problem(s, rc, doing, why);
	sqlite3_reset(stmt);
	return err;
}

int sqlite_number(struct store *s, enum sqlite_slot slot, const char *sql, int64_t *ret,
		  struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err, rc;

	err = sqlite_prepare(s, slot, sql, &stmt, why);
	if (err)
		return err;
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_problem(s, rc, "reading", why);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	return 0;
}

static int run_slot(struct store *s, enum sqlite_slot slot, const char *sql, const char *doing,
		    struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_prepare(s, slot, sql, &stmt, why);
	return err ?: sqlite_run(s, stmt, doing, why);
}

void sqlite_txn_end(struct txn *txn)
{
	if (txn->db && !sqlite3_get_autocommit(txn->db)) /* SQLite may have rolled back itself */
		sqlite3_exec(txn->db, "ROLLBACK", NULL, NULL, NULL);
	txn->db = NULL;
}

int sqlite_begin_read(struct store *s, struct txn *txn, struct problem *why)
{
	int err = run_slot(s, SLOT_BEGIN, "BEGIN", "reading", why);

	if (!err)
		txn->db = s->db;
	return err;
}

int sqlite_begin_write(struct store *s, struct txn *txn, struct problem *why)
{
	int err;

	if (s->read_only)
		return sqlite_problem(s, SQLITE_READONLY, "writing", why);
	err = run_slot(s, SLOT_BEGIN_WRITE, "BEGIN IMMEDIATE", "writing", why);
	if (!err)
		txn->db = s->db;
	return err;
}

int sqlite_begin_actor(struct store *s, struct txn *txn, const struct actor *actor,
		       struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_begin_write(s, txn, why);
	if (!err) /* also what another client may have left there */
		err = run_slot(s, SLOT_WRITER_CLEAR, "DELETE FROM writer", "writing", why);
	if (err || !actor || !actor->name)
		return err;
	err = sqlite_prepare(s, SLOT_WRITER_SET, "INSERT INTO writer VALUES (?1, ?2)", &stmt, why);
	if (err)
		return err;
	sqlite_bind(stmt, 1, actor->name);
	sqlite_bind(stmt, 2, actor->origin ?: "moatd");
	return sqlite_run(s, stmt, "writing", why);
}

int sqlite_commit(struct store *s, struct txn *txn, struct problem *why)
{
	int err;

	err = run_slot(s, SLOT_WRITER_CLEAR, "DELETE FROM writer", "writing", why);
	err = err ?: run_slot(s, SLOT_COMMIT, "COMMIT", "writing", why);
	if (!err)
		txn->db = NULL;
	return err;
}
