// SPDX-License-Identifier: BSD-2-Clause
/*
 * A foreign client, the sqlite3 command, writes; the store follows. What
 * applying the log to an empty set gives must be what the table holds.
 */
#include "test_store_lab.h"

#define RANDOM_BATCHES	  60 /* of RANDOM_STATEMENTS each, followed after each */
#define RANDOM_STATEMENTS 12
#define COMMIT_TO_WAKE_MS 100

struct follower {
	struct store *s;
	struct set set;
	int64_t seq;
};

static void follow(struct lab *lab, struct follower *f)
{
	set_follow(lab, f->s, &f->set, &f->seq);
}

static void follower_end(struct follower *f)
{
	set_clear(&f->set);
	f->s = store_free(f->s);
}

/* Runs sql in the sqlite3 command on rows 192.0.2.1 and .2; both sets must agree after it. */
static void assert_followed(struct lab *lab, const char *sql, const char *first, size_t count)
{
	struct follower f = { .s = lab_open(lab) };

	lab_sql(lab, "INSERT INTO listing (source, category, expires_at) VALUES"
		     " ('192.0.2.1', 'botnet', 100), ('192.0.2.2', 'botnet', 200)");
	follow(lab, &f);
	assert_int_equal(f.set.count, 2);
	lab_sql(lab, sql);
	follow(lab, &f);
	set_assert_is_table(lab, &f.set);
	assert_int_equal(f.set.count, count);
	if (first)
		assert_string_equal(f.set.line[0], first);
	follower_end(&f);
}

static void an_insert_is_followed(void **state)
{
	assert_followed(*state,
			"INSERT INTO listing (source, category) VALUES ('192.0.2.0', 'spam')",
			"192.0.2.0|spam|manual|never", 3);
}

static void an_insert_or_replace_is_followed(void **state)
{
	assert_followed(*state,
			"INSERT OR REPLACE INTO listing (source, category, expires_at)"
			" VALUES ('192.0.2.1', 'botnet', 300)",
			"192.0.2.1|botnet|manual|300", 2);
}

static void a_replace_with_recursive_triggers_is_followed(void **state)
{
	assert_followed(*state,
			"PRAGMA recursive_triggers = ON; REPLACE INTO listing"
			" (source, category, expires_at) VALUES ('192.0.2.1', 'botnet', 300)",
			"192.0.2.1|botnet|manual|300", 2);
}

static void a_change_of_the_region_is_followed(void **state)
{
	assert_followed(*state, "UPDATE listing SET region = 'de,eu' WHERE expires_at = 100",
			"192.0.2.1|botnet|manual|100 in de,eu", 2);
}

static void an_upsert_is_followed(void **state)
{
	assert_followed(*state,
			"INSERT INTO listing (source, category, expires_at)"
			" VALUES ('192.0.2.1', 'botnet', 400) ON CONFLICT DO UPDATE"
			" SET expires_at = excluded.expires_at",
			"192.0.2.1|botnet|manual|400", 2);
}

static void an_update_of_the_key_removes_the_old_and_adds_the_new(void **state)
{
	assert_followed(*state,
			"UPDATE listing SET source = '192.0.2.0' WHERE source = '192.0.2.1'",
			"192.0.2.0|botnet|manual|100", 2);
}

static void an_update_of_the_key_onto_another_row_is_followed(void **state)
{
	assert_followed(*state,
			"UPDATE OR REPLACE listing SET source = '192.0.2.2'"
			" WHERE source = '192.0.2.1'",
			"192.0.2.2|botnet|manual|100", 1);
}

static void a_delete_is_followed(void **state)
{
	assert_followed(*state, "DELETE FROM listing WHERE source = '192.0.2.1'",
			"192.0.2.2|botnet|manual|200", 1);
}

static void a_delete_of_everything_is_followed(void **state)
{
	assert_followed(*state, "DELETE FROM listing", NULL, 0);
}

static void what_was_rolled_back_is_not_followed(void **state)
{
	assert_followed(*state,
			"BEGIN; DELETE FROM listing; ROLLBACK; SAVEPOINT a;"
			"INSERT INTO listing (source, category) VALUES ('x', 'y');"
			"ROLLBACK TO a; RELEASE a",
			"192.0.2.1|botnet|manual|100", 2);
}

static void a_bulk_insert_in_one_transaction_is_followed(void **state)
{
	assert_followed(*state,
			"BEGIN; WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1"
			" FROM n WHERE i < 1500) INSERT INTO listing (source, category)"
			" SELECT '2001:db8::' || i, 'spam' FROM n; COMMIT",
			"192.0.2.1|botnet|manual|100", 1502);
}

/* ---- at random ---- */

static unsigned int dice(uint64_t *seed, unsigned int sides)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return (unsigned int)(*seed >> 33) % sides;
}

/* Few keys, so that statements meet each other's rows; nonsense among them. */
static const char *random_key(uint64_t *seed, char *key, size_t size)
{
	static const char *const sources[] = { "'192.0.2.%u'", "'2001:db8::%u'", "x'3%u'", "%u",
					       "'192.0.2.' || char(0, 4%u)" };
	static const char *const categories[] = { "'botnet'", "'spam'", "x'7370616d'" };
	char source[64];

	snprintf(source, sizeof(source), sources[dice(seed, ARRAY_SIZE(sources))], dice(seed, 5));
	snprintf(key, size, "%s, %s, %s", source, categories[dice(seed, ARRAY_SIZE(categories))],
		 dice(seed, 3) ? "'manual'" : "'feed'");
	return key;
}

static const char *random_expiry(uint64_t *seed)
{
	static const char *const values[] = { "NULL", "100", "2000000000", "'soon'",
					      "1.5",  "-3",  "x'00ff'",	   "'7'" };

	return values[dice(seed, ARRAY_SIZE(values))];
}

static const char *const statements[] = {
	"INSERT INTO listing (source, category, feed, expires_at) VALUES (%s, %s);",
	"INSERT OR REPLACE INTO listing (source, category, feed, expires_at) VALUES (%s, %s);",
	"INSERT OR IGNORE INTO listing (source, category, feed, expires_at) VALUES (%s, %s);",
	"INSERT OR FAIL INTO listing (source, category, feed, expires_at) SELECT source, category,"
	" 'copy', 5 FROM listing UNION ALL SELECT * FROM (VALUES (%s, %s));",
	"INSERT INTO listing (source, category, feed, expires_at) VALUES (%s, %s)"
	" ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at;",
	"INSERT INTO listing (source, category, feed, expires_at) VALUES (%s, %s)"
	" ON CONFLICT (source, category, feed) DO NOTHING;",
	"DELETE FROM listing WHERE (source, category, feed) = (%s) OR expires_at = %s;",
	"UPDATE listing SET expires_at = coalesce(expires_at, 0) + 1, reason = 'again'"
	" WHERE (source, category, feed) < (%s) AND expires_at IS NOT %s;",
	"UPDATE listing SET region = CASE WHEN (source, category, feed) < (%s) THEN 'eu' END"
	" WHERE expires_at IS NOT %s;",
	"INSERT OR REPLACE INTO listing (source, category, feed, region) VALUES (%s, %s);",
	"UPDATE listing SET (source, category, feed) = (%s) WHERE expires_at IS %s;",
	"UPDATE OR REPLACE listing SET (source, category, feed) = (%s) WHERE expires_at IS NOT %s;",
	"UPDATE OR IGNORE listing SET (source, category, feed) = (%s) WHERE expires_at IS NOT %s;",
	"UPDATE OR FAIL listing SET (source, category, feed) = (%s) WHERE expires_at IS NOT %s;",
	"DELETE FROM listing WHERE feed = 'copy'; SELECT %s, %s;",
	"INSERT OR REPLACE INTO listing (rowid, source, category, feed, expires_at)"
	" VALUES (3, %s, %s);",
};

static const char *const around[][2] = {
	{ "", "" },
	{ "BEGIN;", "COMMIT;" },
	{ "BEGIN;", "ROLLBACK;" },
	{ "SAVEPOINT a;", "ROLLBACK TO a; RELEASE a;" },
	{ "PRAGMA recursive_triggers = ON;", "" },
	{ "PRAGMA recursive_triggers = OFF;", "" },
	{ "VACUUM;", "" },
};

static void random_batch(const struct client *client, uint64_t *seed)
{
	unsigned int way = dice(seed, ARRAY_SIZE(around));
	char sql[512], key[160];

	client_send(client, around[way][0]);
	for (int i = 0; i < RANDOM_STATEMENTS; i++) {
		random_key(seed, key, sizeof(key));
		snprintf(sql, sizeof(sql), statements[dice(seed, ARRAY_SIZE(statements))], key,
			 random_expiry(seed));
		client_send(client, sql);
		client_send(client, "\n");
	}
	client_run(client, around[way][1]);
}

static void replaying_the_log_gives_the_table_whatever_a_client_does(void **state)
{
	struct lab *lab = *state;
	uint64_t seed = (uint64_t)getpid();
	struct follower f = { .s = lab_open(lab) };
	struct client client = client_start(lab->path);
	size_t most = 0;

	print_message("seed %llu\n", (unsigned long long)seed);
	for (int i = 0; i < RANDOM_BATCHES; i++) {
		struct set again = {};
		int64_t seq;

		random_batch(&client, &seed);
		if (store_changes(f.s, f.seq, 0, set_apply, &f.set, &seq, &lab->why) == -ESTALE)
			store_snapshot(f.s, set_collect, &again, &seq, &lab->why); /* VACUUM */
		set_clear(&again);
		follow(lab, &f);
		set_assert_is_table(lab, &f.set);
		most = f.set.count > most ? f.set.count : most;
	}
	client_end(&client);
	assert_true(most > 10);
	follower_end(&f);
}

/* ---- crash and wake ---- */

static void a_writer_killed_inside_its_transaction_leaves_nothing_behind(void **state)
{
	struct lab *lab = *state;
	struct follower f = { .s = lab_open(lab) };
	struct client client = client_start(lab->path);
	size_t count = 0;

	client_run(&client,
		   "INSERT INTO listing (source, category) VALUES ('192.0.2.1', 'botnet');");
	client_run(&client, "PRAGMA cache_size = 10; BEGIN; WITH RECURSIVE n (i) AS (SELECT 1"
			    " UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO listing"
			    " (source, category) SELECT '2001:db8::' || i, 'spam' FROM n;");
	kill(client.pid, SIGKILL); /* the log file holds pages of it by now */
	client_end(&client);

	follow(lab, &f);
	assert_int_equal(f.set.count, 1);
	assert_int_equal(lab_add(lab, f.s, "192.0.2.2"), 0);
	follow(lab, &f);
	assert_int_equal(f.set.count, 2);
	set_assert_is_table(lab, &f.set);
	assert_int_equal(store_changes(f.s, 0, 10, count_change, &count, &f.seq, &lab->why), 0);
	assert_int_equal(count, 2);
	follower_end(&f);
}

/* Waits on the descriptor until store_poll() says 1; returns how long, -1 after the deadline. */
static int64_t wait_for_change(struct store *s)
{
	int64_t start = lab_ms();

	while (lab_ms() - start < DEADLINE_MS) {
		struct pollfd pfd = { .fd = store_wait_fd(s), .events = POLLIN };

		if (poll(&pfd, 1, DEADLINE_MS) != 1)
			return -1;
		store_wait_clear(s);
		if (store_poll(s) == 1)
			return lab_ms() - start;
	}
	return -1;
}

/* Until nothing is left to be told of. */
static void settle(struct store *s)
{
	struct pollfd pfd = { .fd = store_wait_fd(s), .events = POLLIN };

	while (poll(&pfd, 1, 1100) == 1)
		store_wait_clear(s);
	while (store_poll(s) == 1)
		;
}

static void a_commit_of_another_process_wakes_in_time(void **state)
{
	struct lab *lab = *state;
	struct follower f = { .s = lab_open(lab) };
	struct client client = client_start(lab->path);
	int64_t best = DEADLINE_MS;
	char sql[128];

	client_run(&client, "SELECT * FROM listing;");
	settle(f.s);
	for (int i = 1; i <= 10; i++) {
		int64_t took;

		snprintf(sql, sizeof(sql),
			 "INSERT INTO listing (source, category) VALUES ('192.0.2.%d', 'spam');\n",
			 i);
		client_send(&client, sql);
		took = wait_for_change(f.s);
		assert_true(took >= 0);
		best = took < best ? took : best;
		follow(lab, &f);
		assert_int_equal(f.set.count, i);
	}
	client_end(&client);
	if (best > COMMIT_TO_WAKE_MS)
		print_error("fastest of ten: %lld ms\n", (long long)best);
	assert_true(best <= COMMIT_TO_WAKE_MS);
	follower_end(&f);
}

static void the_descriptor_is_quiet_when_nobody_writes(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct pollfd pfd = { .fd = store_wait_fd(s), .events = POLLIN };

	settle(s);
	assert_int_equal(store_poll(s), 0);
	assert_int_equal(poll(&pfd, 1, 0), 0);
}

static void our_own_commit_counts_as_a_change_once(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);

	assert_int_equal(store_poll(s), 1);
	assert_int_equal(store_poll(s), 0);
	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	assert_int_equal(store_poll(s), 1);
	assert_int_equal(store_poll(s), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_insert_is_followed),
		TEST(an_insert_or_replace_is_followed),
		TEST(a_replace_with_recursive_triggers_is_followed),
		TEST(a_change_of_the_region_is_followed),
		TEST(an_upsert_is_followed),
		TEST(an_update_of_the_key_removes_the_old_and_adds_the_new),
		TEST(an_update_of_the_key_onto_another_row_is_followed),
		TEST(a_delete_is_followed),
		TEST(a_delete_of_everything_is_followed),
		TEST(what_was_rolled_back_is_not_followed),
		TEST(a_bulk_insert_in_one_transaction_is_followed),
		TEST(replaying_the_log_gives_the_table_whatever_a_client_does),
		TEST(a_writer_killed_inside_its_transaction_leaves_nothing_behind),
		TEST(a_commit_of_another_process_wakes_in_time),
		TEST(the_descriptor_is_quiet_when_nobody_writes),
		TEST(our_own_commit_counts_as_a_change_once),
	};

	return cmocka_run_group_tests_name("store: follow", tests, NULL, NULL);
}
