/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A database of version 1 becomes one of this version in place: nothing lost,
 * nothing half done, and refused with what to do where that cannot be.
 */
#include "tests/unit/store_version_1.h"
#include "tests/unit/store_version_2.h"
#include "tests/unit/test_store_lab.h"

static void make_version(struct lab *lab, int version, const char *schema, const char *more)
{
	char *header = sqlite3_mprintf("PRAGMA application_id = %d; PRAGMA user_version = %d",
				       0x6d6f6174, version);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(lab->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, schema, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, header, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, more, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_free(header);
	sqlite3_close(db);
}

static void make_version_1(struct lab *lab, const char *more)
{
	make_version(lab, 1, version_1_sql, more);
}

static const char two_rows[] =
	"INSERT INTO listing (source, category, region) VALUES ('192.0.2.1', 'botnet', 'eu');"
	"INSERT INTO listing (source, category) VALUES ('192.0.2.2', 'spam')";

static int keep_region(void *arg, const struct listing *listing)
{
	char *found = arg;

	if (listing->key.region)
		snprintf(found, 16, "%s", listing->key.region);
	return 0;
}

static void a_version_1_database_keeps_its_rows_and_its_log(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = NULL;
	char region[16] = "";
	size_t changes = 0;
	int64_t seq = 0;

	make_version_1(lab, two_rows);
	s = lab_open(lab);
	assert_int_equal(lab_number(lab, "PRAGMA user_version"), STORE_SCHEMA);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 2);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE hash IS NULL"), 2);
	assert_int_equal(store_snapshot(s, keep_region, region, &seq, &lab->why), 0);
	assert_string_equal(region, "eu");
	assert_int_equal(seq, 2);
	assert_int_equal(store_changes(s, 0, 10, count_change, &changes, &seq, &lab->why), 0);
	assert_int_equal(changes, 2);
}

static void what_is_written_after_it_has_what_is_new(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = NULL;
	struct feed_state known = { .feed = "drop" };

	make_version_1(lab, two_rows);
	s = lab_open(lab);
	lab_sql(lab, "INSERT INTO listing (source, category, region, review_at)"
		     " VALUES ('192.0.2.3', 'botnet', 'de', 1800000000)");
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change WHERE region = 'de'"), 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE detail LIKE"
					 " '%region ''de'' review 1800000000'"),
			 1);
	assert_int_equal(store_feed_save(s, &known, &lab->why), 0);
}

static int note_confidence(void *arg, const struct change *change)
{
	char *text = arg;
	size_t used = strlen(text);

	snprintf(text + used, 64 - used, "%s ", change->row.confidence ?: "-");
	return 0;
}

static void a_version_2_database_gets_the_confidence_into_its_log(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = NULL;
	char text[64] = "";
	size_t listings = 0;
	int64_t seq = 0;

	make_version(lab, 2, version_2_sql,
		     "INSERT INTO listing (source, category, confidence, review_at) VALUES"
		     " ('192.0.2.1', 'botnet', 80, 1)");
	s = lab_open(lab);
	assert_int_equal(lab_number(lab, "PRAGMA user_version"), STORE_SCHEMA);
	lab_sql(lab, "UPDATE listing SET confidence = 90");
	assert_int_equal(store_changes(s, 0, 10, note_confidence, text, &seq, &lab->why), 0);
	assert_string_equal(text, "- 90 ");
	assert_int_equal(store_snapshot(s, count_listing, &listings, &seq, &lab->why), 0);
	assert_int_equal(listings, 1);
	assert_int_equal(store_review_due(s, 2, &listings, &lab->why), 0);
	assert_int_equal(listings, 1);
}

static void its_table_of_feeds_stays(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = NULL;

	make_version_1(lab, version_1_feed_sql);
	lab_sql(lab, "INSERT INTO feed (feed, entries) VALUES ('drop', 7)");
	s = lab_open(lab);
	assert_int_equal(lab_number(lab, "SELECT entries FROM feed WHERE feed = 'drop'"), 7);
}

static void columns_of_the_operator_are_no_hindrance(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = NULL;

	make_version_1(lab, "ALTER TABLE listing ADD COLUMN ticket TEXT; CREATE VIEW mine AS"
			    " SELECT * FROM listing");
	s = lab_open(lab);
	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
}

static void a_second_opening_finds_nothing_to_do(void **state)
{
	struct lab *lab = *state;
	int64_t before;

	make_version_1(lab, two_rows);
	store_free(lab_open(lab));
	before = lab_number(lab, "PRAGMA schema_version");
	store_free(lab_open(lab));
	assert_int_equal(lab_number(lab, "PRAGMA schema_version"), before);
}

static void a_database_that_is_not_moats_shape_is_left_as_it_was(void **state)
{
	struct lab *lab = *state;
	struct store *s = NULL;

	make_version_1(lab, "ALTER TABLE refused RENAME COLUMN cause TO why");
	assert_int_equal(store_open(lab->uri, &s, &lab->why), -EPROTO);
	assert_non_null(strstr(lab->why.text, "table 'refused' is not as moat made it"));
	assert_int_equal(lab_number(lab, "PRAGMA user_version"), 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM pragma_table_info('audit')"), 5);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM sqlite_schema WHERE name ="
					 " 'audit_guard_replace'"),
			 1);
}

static void one_that_another_client_locks_is_tried_again_later(void **state)
{
	struct lab *lab = *state;
	struct store *s = NULL;
	struct client c;

	make_version_1(lab, two_rows);
	c = client_start(lab->path);
	client_run(&c, "BEGIN IMMEDIATE;");
	assert_int_equal(store_open(lab->uri, &s, &lab->why), -EBUSY);
	client_run(&c, "ROLLBACK;");
	assert_int_equal(client_end(&c), 0);
	store_free(lab_open(lab));
}

static void one_that_takes_the_place_of_the_open_one_is_upgraded_too(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	char moved[sizeof(lab->path) + 8];
	size_t count = 0;
	int64_t seq = 0;

	snprintf(moved, sizeof(moved), "%s.old", lab->path);
	assert_int_equal(rename(lab->path, moved), 0);
	assert_int_equal(store_head(s, &seq, &lab->why), -ENOENT);
	make_version_1(lab, two_rows);
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 2);
	assert_int_equal(lab_number(lab, "PRAGMA user_version"), STORE_SCHEMA);
}

/* As another user: root may write to what is read-only for others. */
static void one_that_can_only_be_read_says_what_to_do(void **state)
{
	struct lab *lab = *state;
	int status = 0;
	pid_t pid;

	make_version_1(lab, two_rows);
	lab_sql(lab, "PRAGMA journal_mode = DELETE");
	assert_int_equal(chmod(lab->path, 0444), 0);
	assert_int_equal(chmod(lab->directory, 0555), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct store *s = NULL;
		int err;

		if (!geteuid() && setresuid(65534, 65534, 65534))
			_exit(3);
		err = store_open(lab->uri, &s, &lab->why);
		if (err != -EROFS || !strstr(lab->why.text, "version 1, this moat needs 3") ||
		    !strstr(lab->why.text, "writable for moatd once"))
			_exit(fprintf(stderr, "%d %s\n", err, lab->why.text) ? 1 : 2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(lab->directory, 0755), 0);
	assert_int_equal(status, 0);
	assert_int_equal(lab_number(lab, "PRAGMA user_version"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_version_1_database_keeps_its_rows_and_its_log),
		TEST(what_is_written_after_it_has_what_is_new),
		TEST(a_version_2_database_gets_the_confidence_into_its_log),
		TEST(its_table_of_feeds_stays),
		TEST(columns_of_the_operator_are_no_hindrance),
		TEST(a_second_opening_finds_nothing_to_do),
		TEST(a_database_that_is_not_moats_shape_is_left_as_it_was),
		TEST(one_that_another_client_locks_is_tried_again_later),
		TEST(one_that_takes_the_place_of_the_open_one_is_upgraded_too),
		TEST(one_that_can_only_be_read_says_what_to_do),
	};

	return cmocka_run_group_tests_name("store: upgrade", tests, NULL, NULL);
}
