/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a database, and noticing that it is no longer the same.
 */
#include "store/sqlite.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "core/log.h"

#define WAL_SUFFIX "-wal"

static void drop_statements(struct store *s)
{
	for (size_t i = 0; i < SLOT_MAX; i++) {
		sqlite3_finalize(s->stmts[i]);
		s->stmts[i] = NULL;
	}
}

static void close_database(struct store *s)
{
	drop_statements(s);
	sqlite3_close(s->db);
	s->db = NULL;
}

struct store *store_free(struct store *s)
{
	if (!s)
		return NULL;
	close_database(s);
	watch_close(&s->watch);
	free(s->path);
	free(s);
	return NULL;
}

static int64_t size_of_wal(const char *path, ino_t *ret_inode)
{
	char wal[PATH_MAX];
	struct stat st;
	int length = snprintf(wal, sizeof(wal), "%s" WAL_SUFFIX, path);

	*ret_inode = 0;
	if (length < 0 || (size_t)length >= sizeof(wal) || stat(wal, &st))
		return -1;
	*ret_inode = st.st_ino;
	return st.st_size;
}

/* The log is looked at even if the database is missing. */
static int look_at_files(const char *path, struct files *ret)
{
	struct stat st;

	*ret = (struct files){};
	size_of_wal(path, &ret->wal);
	if (stat(path, &st))
		return -errno;
	ret->device = st.st_dev;
	ret->database = st.st_ino;
	ret->modified = st.st_mtim;
	return 0;
}

/*
 * Closes files that are no longer at their path. Closing must not fold a log
 * into, nor delete it from, the database that is there now. A log that stayed
 * behind when the database went would be taken for the next one's and spoil
 * it: it is folded into the database it belongs to, wherever that went.
 */
static void abandon_database(struct store *s, const struct files *now)
{
	if (!s->db)
		return;
	if (s->files.wal && s->files.wal == now->wal)
		sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	close_database(s);
}

static bool same_files(const struct store *s, const struct files *now)
{
	const struct files *then = &s->files;

	if (now->device != then->device || now->database != then->database)
		return false;
	if (!s->immutable) /* nobody deletes the log of a database that we have open */
		return !then->wal || then->wal == now->wal;
	return !now->wal && now->modified.tv_sec == then->modified.tv_sec &&
	       now->modified.tv_nsec == then->modified.tv_nsec;
}

/* path is absolute and shorter than PATH_MAX. */
static void directory_of(const char *path, char ret[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == path ? 1 : (size_t)(slash - path);

	memcpy(ret, path, length);
	ret[length] = '\0';
}

/* Says why a database cannot be there. */
static int check_path(const char *path, struct problem *why)
{
	char directory[PATH_MAX];
	struct stat st;

	if (strlen(path) + sizeof(WAL_SUFFIX) > PATH_MAX)
		return problem_set(why, -ENAMETOOLONG, "database '%.80s...': the path is too long",
				   path);
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return problem_set(
			why, -EINVAL,
			"database '%s': it is not a file: correct 'database' in the configuration",
			path);
	directory_of(path, directory);
	if (!stat(directory, &st) && S_ISDIR(st.st_mode))
		return 0;
	if (errno == EACCES)
		return problem_set(why, -EACCES,
				   "database '%s': directory '%s': no permission: let moatd search it",
				   path, directory);
	return problem_set(
		why, -ENOENT,
		"database '%s': directory '%s' does not exist: make it, or correct 'database' in the configuration",
		path, directory);
}

static bool file_system_is_read_only(const char *path)
{
	char directory[PATH_MAX];
	struct statvfs st;

	directory_of(path, directory);
	return !statvfs(directory, &st) && st.f_flag & ST_RDONLY;
}

static bool directory_is_writable(const char *path)
{
	char directory[PATH_MAX];

	directory_of(path, directory);
	return !euidaccess(directory, W_OK | X_OK);
}

/* SQLite's URI of a path; only in a URI can immutable be said. */
static int uri_of(const char *path, char *ret, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t at = 0;

	at = (size_t)snprintf(ret, size, "file:");
	for (; *path; path++) {
		if (at + sizeof("%00?immutable=1") > size)
			return -ENAMETOOLONG;
		if (strchr("%?#", *path)) {
			ret[at++] = '%';
			ret[at++] = hex[(unsigned char)*path >> 4];
			ret[at++] = hex[*path & 15];
		} else {
			ret[at++] = *path;
		}
	}
	snprintf(ret + at, size - at, "?immutable=1");
	return 0;
}

static int open_handle(struct store *s, const char *name, int flags)
{
	int rc;

	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	rc = sqlite3_open_v2(name, &s->db, flags, NULL);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite_add_rows_table(s);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	rc = sqlite3_exec(s->db,
			  "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192;"
			  "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;"
			  "PRAGMA cell_size_check = ON; SELECT count(*) FROM sqlite_schema",
			  NULL, NULL, NULL);
	s->read_only = sqlite3_db_readonly(s->db, "main") == 1;
	return rc;
}

/*
 * A WAL database without its log on a file system that nobody can write to
 * needs to be told so: SQLite could not make the index it wants to share.
 */
static int open_immutable(struct store *s)
{
	char uri[PATH_MAX * 3];
	ino_t wal;

	if (!file_system_is_read_only(s->path) || size_of_wal(s->path, &wal) >= 0 ||
	    uri_of(s->path, uri, sizeof(uri)))
		return SQLITE_CANTOPEN;
	sqlite3_close(s->db);
	s->db = NULL;
	s->immutable = true;
	return open_handle(s, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

static int explain_open(struct store *s, int rc, struct problem *why)
{
	if ((rc & 0xFF) == SQLITE_CANTOPEN || (rc & 0xFF) == SQLITE_READONLY) {
		if (euidaccess(s->path, F_OK) && file_system_is_read_only(s->path))
			rc = SQLITE_READONLY;
		else if (!directory_is_writable(s->path))
			return problem_set(
				why, -EACCES,
				"database '%s': opening: it, its -wal or its -shm cannot be made: no permission: let moatd write to the directory",
				s->path);
	}
	return sqlite_problem(s, rc, "opening", why);
}

/*
 * The child that reads feeds runs as nobody, and reasons may name people: what
 * is made is for its owner and group. The log and its index get the same mode.
 */
static void make_private(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	(void)fd; /* there already, or SQLite says what is wrong */
}

static int open_file(struct store *s, bool create, struct problem *why)
{
	int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
	int rc;

	s->immutable = false;
	if (create)
		make_private(s->path);
	rc = open_handle(s, s->path, flags);
	if (((rc & 0xFF) == SQLITE_CANTOPEN || (rc & 0xFF) == SQLITE_READONLY) &&
	    open_immutable(s) == SQLITE_OK)
		rc = SQLITE_OK;
	return rc == SQLITE_OK ? 0 : explain_open(s, rc, why);
}

static int set_wal(struct store *s, struct problem *why)
{
	sqlite3_stmt *stmt = NULL;
	bool wal;
	int rc;

	if (s->read_only)
		return 0;
	rc = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	wal = rc == SQLITE_ROW && !strcmp((const char *)sqlite3_column_text(stmt, 0) ?: "", "wal");
	sqlite3_finalize(stmt);
	if (rc != SQLITE_ROW)
		return sqlite_problem(s, rc, "turning its write-ahead log on", why);
	if (!wal)
		return problem_set(
			why, -ENOTSUP,
			"database '%s': no write-ahead log here: put it on a local file system",
			s->path);
	return 0;
}

/* Runs what makes or changes the schema, and looks whether it became this program's. */
static int write_schema(struct store *s, const char *tables, const char *doing, struct txn *txn,
			struct problem *why)
{
	struct problem what = {};
	char header[96];
	int64_t version;
	int rc;

	snprintf(header, sizeof(header), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 SCHEMA_APPLICATION_ID, STORE_SCHEMA);
	rc = sqlite3_exec(s->db, tables, NULL, NULL, NULL);
	rc = rc ?: sqlite3_exec(s->db, schema_triggers, NULL, NULL, NULL);
	rc = rc ?: sqlite3_exec(s->db, header, NULL, NULL, NULL);
	if (rc == SQLITE_OK && schema_check(s->db, &version, &what) != SCHEMA_CURRENT)
		return problem_set(
			why, -EPROTO,
			"database '%s': %s: %s: give moat a file of its own, or restore a backup",
			s->path, doing, what.text);
	rc = rc ?: sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return sqlite_problem(s, rc, doing, why);
	txn->db = NULL;
	return 0;
}

/* Another moatd may do the same at the same time: look again under the lock. */
static int create_schema(struct store *s, struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	int64_t version;
	int err;

	err = set_wal(s, why);
	err = err ?: sqlite_begin_write(s, &txn, why);
	if (err)
		return err;
	if (schema_check(s->db, &version, NULL) == SCHEMA_CURRENT)
		return 0;
	return write_schema(s, schema_tables, "making its tables", &txn, why);
}

static int upgrade_schema(struct store *s, const struct problem *what, struct problem *why)
{
	_cleanup_txn_ struct txn txn = { NULL };
	int64_t version = 0;
	const char *sql;
	int err, state;

	if (s->read_only)
		return problem_set(
			why, -EROFS,
			"database '%s': %s, and it can only be read: make the file and its directory writable for moatd once, so that it is brought to version %d",
			s->path, what->text, STORE_SCHEMA);
	err = set_wal(s, why);
	err = err ?: sqlite_begin_write(s, &txn, why);
	if (err)
		return err;
	state = schema_check(s->db, &version, NULL);
	if (state == SCHEMA_CURRENT)
		return 0;
	sql = state == SCHEMA_OLDER ? schema_upgrade(version) : NULL;
	if (!sql)
		return problem_set(why, -EPROTO,
				   "database '%s': %s: restore a backup, or give moat a file of its own",
				   s->path, what->text);
	err = write_schema(s, sql, "bringing its tables to this version", &txn, why);
	if (!err)
		log_info("database '%s': schema brought from version %lld to %d; an older moat will refuse it",
			 s->path, (long long)version, STORE_SCHEMA);
	return err;
}

static int check_schema(struct store *s, bool create, struct problem *why)
{
	struct problem what = {};
	int64_t version;
	int state = schema_check(s->db, &version, &what);

	switch (state) {
	case SCHEMA_CURRENT:
		return set_wal(s, why);
	case SCHEMA_EMPTY:
		if (create)
			return create_schema(s, why);
		return problem_set(
			why, -EPROTO,
			"database '%s': it is empty: restore a backup, or restart moatd to begin with an empty one",
			s->path);
	case SCHEMA_OLDER:
		return upgrade_schema(s, &what, why);
	case SCHEMA_NEWER:
		return problem_set(
			why, -EPROTO,
			"database '%s': %s: run the newer moat, or restore a backup from before it",
			s->path, what.text);
	case SCHEMA_FOREIGN:
		return problem_set(why, -EPROTO,
				   "database '%s': %s: give moat a file of its own, or restore a backup",
				   s->path, what.text);
	}
	return sqlite_problem(s, -state, "understanding its tables", why);
}

static int read_schema_version(struct store *s, int64_t *ret, struct problem *why)
{
	return sqlite_number(s, SLOT_SCHEMA_VERSION, "PRAGMA schema_version", ret, why);
}

/* From nothing to a database in use; leaves s->db NULL on failure. */
static int open_database(struct store *s, bool create, struct problem *why)
{
	int64_t version = 0;
	int err;

	err = check_path(s->path, why);
	err = err ?: open_file(s, create, why);
	err = err ?: check_schema(s, create, why);
	err = err ?: read_schema_version(s, &version, why);
	if (!err && look_at_files(s->path, &s->files))
		err = problem_set(why, -ENOENT, "database '%s': it disappeared while being opened",
				  s->path);
	if (err) {
		close_database(s);
		return err;
	}
	s->schema_version = version;
	s->data_version = -1;
	s->stale = true;
	watch_file(&s->watch, sqlite3_db_filename(s->db, "main"));
	return 0;
}

int sqlite_open(const char *path, struct store **ret, struct problem *why)
{
	_cleanup_(store_freep) struct store *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return problem_set(why, -ENOMEM, "database '%s': out of memory", path);
	watch_open(&s->watch);
	s->path = strdup(path);
	if (!s->path)
		return problem_set(why, -ENOMEM, "database '%s': out of memory", path);
	err = open_database(s, true, why);
	if (err)
		return err;
	s->stale = false; /* there was no other file before */
	if (s->watch.directory < 0)
		watch_close(&s->watch);
	*ret = take_ptr(s);
	return 0;
}

/* A client may have dropped a trigger, a newer moat may have taken over. */
static int look_at_schema(struct store *s, struct problem *why)
{
	int64_t version = 0;
	int err;

	err = read_schema_version(s, &version, why);
	if (err || version == s->schema_version)
		return err;
	s->stale = true; /* while a trigger was away, changes went unlogged */
	err = check_schema(s, false, why);
	if (!err)
		s->schema_version = version;
	return err;
}

static int report_missing(struct store *s, int err, struct problem *why)
{
	if (err == -EACCES)
		return problem_set(why, err,
				   "database '%s': no permission: let moatd search its directory",
				   s->path);
	return problem_set(why, -ENOENT,
			   "database '%s': %s: put it back, or restart moatd to begin with an empty one",
			   s->path, strerror(-err));
}

int sqlite_ready(struct store *s, struct problem *why)
{
	struct files now;
	int err;

	err = look_at_files(s->path, &now);
	if (err) {
		abandon_database(s, &now);
		return report_missing(s, err, why);
	}
	if (s->db && same_files(s, &now))
		return look_at_schema(s, why);
	abandon_database(s, &now);
	return open_database(s, false, why);
}

bool store_read_only(const struct store *s)
{
	return s->read_only;
}

int store_poll(struct store *s)
{
	int64_t version = 0;
	bool changed;
	int err;

	err = sqlite_ready(s, NULL);
	err = err ?: sqlite_number(s, SLOT_DATA_VERSION, "PRAGMA data_version", &version, NULL);
	if (err)
		return err;
	changed = s->wrote || version != s->data_version;
	s->data_version = version;
	s->wrote = false;
	return changed;
}

int store_wait_fd(const struct store *s)
{
	return s->watch.epoll;
}

void store_wait_clear(struct store *s)
{
	watch_clear(&s->watch);
}
