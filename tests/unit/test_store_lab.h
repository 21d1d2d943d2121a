/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of user/store share: a directory with a database of its own
 * for each test, the sqlite3 command as the foreign client, and sets of keys.
 */
#ifndef TEST_STORE_LAB_H
#define TEST_STORE_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "store/store.h"

#define DEADLINE_MS 10000 /* for what must happen, on a slow machine as well */

struct lab {
	char directory[64];
	char path[128];
	char uri[192];
	struct problem why;
};

static inline int lab_setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	if (!lab)
		return -1;
	snprintf(lab->directory, sizeof(lab->directory), "/tmp/moat-store-XXXXXX");
	if (!mkdtemp(lab->directory))
		return -1;
	snprintf(lab->path, sizeof(lab->path), "%s/moat.db", lab->directory);
	snprintf(lab->uri, sizeof(lab->uri), "sqlite://%s", lab->path);
	*state = lab;
	return 0;
}

static inline int lab_remove_entry(const char *path, const struct stat *st, int flag,
				   struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int lab_teardown(void **state)
{
	struct lab *lab = *state;

	nftw(lab->directory, lab_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(lab);
	return 0;
}

static inline struct store *lab_open(struct lab *lab)
{
	struct store *s = NULL;
	int err = store_open(lab->uri, &s, &lab->why);

	if (err)
		print_error("%s\n", lab->why.text);
	assert_int_equal(err, 0);
	return s;
}

static inline int64_t lab_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the sqlite3 command ---- */

struct client {
	pid_t pid;
	int in, out; /* to its standard input, from its standard output */
};

static inline struct client client_start(const char *path)
{
	struct client c = { .pid = -1 };
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (!c.pid) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		execlp("sqlite3", "sqlite3", "-batch", "-cmd", ".timeout 5000", path, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	c.in = in[1];
	c.out = out[0];
	return c;
}

static inline void client_send(const struct client *c, const char *sql)
{
	size_t length = strlen(sql);

	assert_int_equal(write(c->in, sql, length), (ssize_t)length);
}

/* Runs sql and returns once it is done: the client answers with a mark. */
static inline void client_run(const struct client *c, const char *sql)
{
	char seen[4096] = "";
	size_t size = 0;

	client_send(c, sql);
	client_send(c, "\n.print ~done\n");
	while (!strstr(seen, "~done")) {
		struct pollfd pfd = { .fd = c->out, .events = POLLIN };
		ssize_t got;

		if (size > sizeof(seen) / 2) { /* only the mark counts */
			memmove(seen, seen + size - 8, 9);
			size = 8;
		}
		assert_int_equal(poll(&pfd, 1, DEADLINE_MS), 1);
		got = read(c->out, seen + size, sizeof(seen) - 1 - size);
		assert_true(got > 0);
		size += (size_t)got;
		seen[size] = '\0';
	}
}

/* Returns the exit code. */
static inline int client_end(struct client *c)
{
	int status = 0;

	close(c->in);
	close(c->out);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* One run of the command with sql as its argument; returns its exit code. */
static inline int client_once(const char *path, const char *sql)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		execlp("sqlite3", "sqlite3", "-batch", "-bail", "-cmd", ".timeout 5000", path, sql,
		       (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define lab_sql(lab, sql) assert_int_equal(client_once((lab)->path, sql), 0)

/* The first column of the first row, of a connection of its own; -1: null or no row. */
static inline int64_t lab_number(const struct lab *lab, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int64_t number = -1;

	assert_int_equal(sqlite3_open_v2(lab->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		number = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return number;
}

/* ---- sets of "source category feed expires region" lines ---- */

#define SET_MAX 2048

struct set {
	char *line[SET_MAX]; /* owned, sorted */
	size_t count;
};

static inline void set_clear(struct set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->line[i]);
	set->count = 0;
}

/* Where the key ends in a line. */
static inline size_t set_key(const char *line)
{
	return (size_t)(strrchr(line, '|') - line);
}

static inline bool set_same_key(const char *a, const char *b)
{
	return set_key(a) == set_key(b) && !memcmp(a, b, set_key(a));
}

static inline char *set_line(const struct row *row)
{
	size_t size = 5 * (STORE_TEXT_MAX + 4) + 8;
	char *line = malloc(size);

	assert_non_null(line);
	snprintf(line, size, "%s|%s|%s|%s%s%s", row->source, row->category, row->feed,
		 row->expires_at ? row->expires_at : "never", row->region ? " in " : "",
		 row->region ? row->region : "");
	return line;
}

static inline void set_remove(struct set *set, const char *line)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!set_same_key(set->line[i], line))
			continue;
		free(set->line[i]);
		set->count--;
		memmove(&set->line[i], &set->line[i + 1], (set->count - i) * sizeof(set->line[0]));
		return;
	}
}

/* Takes line. */
static inline void set_add(struct set *set, char *line)
{
	size_t at = set->count;

	set_remove(set, line);
	at = set->count;
	assert_true(at < SET_MAX);
	while (at && strcmp(set->line[at - 1], line) > 0) {
		set->line[at] = set->line[at - 1];
		at--;
	}
	set->line[at] = line;
	set->count++;
}

static inline int set_apply(void *arg, const struct change *change)
{
	char *line = set_line(&change->row);

	if (!strcmp(change->op, "add")) {
		set_add(arg, line);
		return 0;
	}
	assert_string_equal(change->op, "remove");
	set_remove(arg, line);
	free(line);
	return 0;
}

static inline int set_collect(void *arg, const struct listing *listing)
{
	set_add(arg, set_line(&listing->key));
	return 0;
}

static inline void set_assert_equal(const struct set *a, const struct set *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		assert_string_equal(a->line[i], b->line[i]);
	assert_int_equal(a->count, b->count);
}

/* Follows to the end of the log. */
static inline void set_follow(struct lab *lab, struct store *s, struct set *set, int64_t *seq)
{
	int64_t before;

	do {
		int err;

		before = *seq;
		err = store_changes(s, *seq, 100, set_apply, set, seq, &lab->why);
		if (err)
			print_error("%s\n", lab->why.text);
		assert_int_equal(err, 0);
	} while (*seq != before);
}

/* The table as a snapshot of another opening of the database sees it. */
static inline void set_assert_is_table(struct lab *lab, const struct set *set)
{
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct set table = {};
	int64_t seq;

	assert_int_equal(store_snapshot(s, set_collect, &table, &seq, &lab->why), 0);
	set_assert_equal(set, &table);
	set_clear(&table);
}

static inline int count_listing(void *arg, const struct listing *listing)
{
	(void)listing;
	++*(size_t *)arg;
	return 0;
}

static inline int count_change(void *arg, const struct change *change)
{
	(void)change;
	++*(size_t *)arg;
	return 0;
}

/* Removes what one removal says; *ret_removed stays if it fails. */
static inline int lab_remove(struct lab *lab, struct store *s, const struct actor *actor,
			     struct removal removal, size_t *ret_removed)
{
	int err = store_remove(s, actor, &removal, 1, false, &lab->why);

	if (!err)
		*ret_removed = removal.removed;
	return err;
}

/* Adds one listing of feed manual. */
static inline int lab_add(struct lab *lab, struct store *s, const char *source)
{
	struct listing_input row = {
		.source = source,
		.category = "botnet",
		.feed = "manual",
		.confidence = -1,
	};

	return store_add(s, NULL, &row, 1, &lab->why);
}

#endif
