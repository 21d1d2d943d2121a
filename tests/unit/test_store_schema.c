// SPDX-License-Identifier: BSD-2-Clause
/*
 * What any SQL client sees: the tables as promised, defaults, and what the
 * guards of the logs refuse.
 */
#include "test_store_lab.h"

/* "name type notnull default pk", as the interface promises them. */
static const char promised_listing[] =
	"source TEXT 1 - 1,category TEXT 1 - 2,feed TEXT 1 'manual' 3,reason TEXT 0 - 0,"
	"reference TEXT 0 - 0,basis TEXT 0 - 0,region TEXT 0 - 0,confidence INTEGER 0 - 0,"
	"created_at INTEGER 1 unixepoch() 0,expires_at INTEGER 0 - 0,review_at INTEGER 0 - 0";
static const char promised_change[] =
	"seq INTEGER 0 - 1,op TEXT 0 - 0,source TEXT 0 - 0,category TEXT 0 - 0,feed TEXT 0 - 0,"
	"expires_at INTEGER 0 - 0,at INTEGER 0 - 0,region TEXT 0 - 0,confidence INTEGER 0 - 0";
static const char promised_refused[] =
	"source TEXT 0 - 0,category TEXT 0 - 0,feed TEXT 0 - 0,cause TEXT 0 - 0,at INTEGER 0 - 0";
static const char promised_audit[] =
	"at INTEGER 0 - 0,actor TEXT 0 - 0,origin TEXT 0 - 0,verb TEXT 0 - 0,detail TEXT 0 - 0,"
	"hash TEXT 0 - 0";

static void assert_table(struct lab *lab, const char *table, const char *promise)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(lab->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT group_concat(name || ' ' || type || ' ' || \"notnull\""
					    " || ' ' || coalesce(dflt_value, '-') || ' ' || pk)"
					    " FROM pragma_table_info(?1)",
					    -1, &stmt, NULL),
			 SQLITE_OK);
	sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_string_equal(sqlite3_column_text(stmt, 0), promise);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static void tables_are_as_promised(void **state)
{
	struct lab *lab = *state;

	store_free(lab_open(lab));
	assert_table(lab, "listing", promised_listing);
	assert_table(lab, "change", promised_change);
	assert_table(lab, "refused", promised_refused);
	assert_table(lab, "audit", promised_audit);
	assert_int_equal(lab_number(lab, "PRAGMA user_version"), STORE_SCHEMA);
	assert_int_equal(lab_number(lab, "SELECT instr(sql, 'AUTOINCREMENT') > 0 FROM sqlite_schema"
					 " WHERE name = 'change'"),
			 1);
	assert_int_equal(lab_number(lab, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"),
			 1);
}

static void a_row_of_two_columns_gets_the_promised_defaults(void **state)
{
	struct lab *lab = *state;

	store_free(lab_open(lab));
	lab_sql(lab, "INSERT INTO listing (source, category) VALUES ('192.0.2.1', 'botnet')");
	assert_int_equal(lab_number(lab, "SELECT feed = 'manual' AND expires_at IS NULL AND"
					 " abs(created_at - unixepoch()) < 60 FROM listing"),
			 1);
}

static void a_second_open_keeps_what_is_there(void **state)
{
	struct lab *lab = *state;
	struct store *s = lab_open(lab);
	size_t count = 0;
	int64_t seq = 0;

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	store_free(s);
	s = lab_open(lab);
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 1);
	assert_int_equal(seq, 1);
	store_free(s);
}

static void an_empty_file_becomes_a_database(void **state)
{
	struct lab *lab = *state;
	int fd = open(lab->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	close(fd);
	store_free(lab_open(lab));
	assert_int_equal(lab_number(lab, "PRAGMA user_version"), STORE_SCHEMA);
}

/* ---- refused at opening ---- */

static void assert_refused(struct lab *lab, int error, const char *text)
{
	struct store *s = NULL;

	assert_int_equal(store_open(lab->uri, &s, &lab->why), error);
	assert_null(s);
	if (!strstr(lab->why.text, text))
		print_error("expected '%s' in: %s\n", text, lab->why.text);
	assert_non_null(strstr(lab->why.text, text));
	assert_non_null(strstr(lab->why.text, "moat.db'"));
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
	struct lab *lab = *state;

	store_free(lab_open(lab));
	lab_sql(lab, "PRAGMA user_version = 4");
	assert_refused(lab, -EPROTO, "schema is version 4, this moat knows up to 3");
	assert_non_null(strstr(lab->why.text, "run the newer moat"));
	assert_int_equal(lab_number(lab, "PRAGMA user_version"), 4);
}

static void tables_of_another_program_are_refused_and_left_alone(void **state)
{
	struct lab *lab = *state;

	lab_sql(lab, "CREATE TABLE listing (source INT, owner TEXT)");
	assert_refused(lab, -EPROTO, "something else than a moat database");
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM sqlite_schema"), 1);
	assert_int_equal(lab_number(lab, "SELECT journal_mode = 'delete' FROM pragma_journal_mode"),
			 1);
}

static void a_table_of_the_wrong_shape_is_refused(void **state)
{
	struct lab *lab = *state;

	store_free(lab_open(lab));
	lab_sql(lab, "ALTER TABLE refused RENAME COLUMN cause TO why");
	assert_refused(lab, -EPROTO, "table 'refused' is not as moat made it");
}

static void a_missing_trigger_is_refused(void **state)
{
	struct lab *lab = *state;

	store_free(lab_open(lab));
	lab_sql(lab, "DROP TRIGGER listing_delete");
	assert_refused(lab, -EPROTO, "trigger 'listing_delete' is missing");
}

static void columns_and_views_of_the_operator_are_fine(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = NULL;

	store_free(lab_open(lab));
	lab_sql(lab, "ALTER TABLE listing ADD COLUMN ticket TEXT;"
		     "CREATE VIEW mine AS SELECT * FROM listing; CREATE INDEX i ON listing (feed)");
	s = lab_open(lab);
	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	struct lab *lab = *state;
	_cleanup_fclose_ FILE *f = fopen(lab->path, "we");

	for (int i = 0; i < 2000; i++)
		fputs("not a database\n", f);
	fflush(f);
	assert_refused(lab, -EPROTO, "not an SQLite database");
}

static void a_schema_changed_while_open_is_noticed_and_so_is_its_repair(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	size_t count = 0;
	int64_t seq = 0;

	assert_int_equal(store_head(s, &seq, &lab->why), 0);
	lab_sql(lab, "ALTER TABLE refused RENAME COLUMN cause TO why");
	assert_int_equal(store_poll(s), -EPROTO);
	assert_int_equal(store_head(s, &seq, &lab->why), -EPROTO);
	assert_non_null(strstr(lab->why.text, "'refused'"));
	lab_sql(lab, "ALTER TABLE refused RENAME COLUMN why TO cause");
	assert_int_equal(store_head(s, &seq, &lab->why), 0);

	/* changes may have gone unlogged meanwhile */
	assert_int_equal(store_changes(s, seq, 10, count_change, &count, &seq, &lab->why), -ESTALE);
	assert_int_equal(store_snapshot(s, count_listing, &count, &seq, &lab->why), 0);
	assert_int_equal(store_changes(s, seq, 10, count_change, &count, &seq, &lab->why), 0);
}

/* ---- the logs ---- */

static void the_audit_log_is_append_only(void **state)
{
	static const char *const refused[] = {
		"DELETE FROM audit",
		"UPDATE audit SET actor = 'nobody'",
		"REPLACE INTO audit (rowid, actor) VALUES (1, 'nobody')",
		"INSERT INTO audit (rowid, actor) VALUES (-1, 'nobody')",
		"UPDATE OR REPLACE audit SET rowid = 1 WHERE rowid = 2",
		"INSERT OR REPLACE INTO audit (rowid, at) SELECT rowid, 0 FROM audit",
		"INSERT INTO audit (rowid, actor) VALUES (100, 'nobody')",
		"INSERT INTO audit (actor, hash) VALUES ('nobody', 'ab')",
		"UPDATE audit SET hash = 'ab'", /* only moatd seals */
		"BEGIN; INSERT INTO writer VALUES ('a', 'b'); UPDATE audit SET hash = 'ab', at = 1",
		"BEGIN; INSERT INTO writer VALUES ('a', 'b'); UPDATE audit SET hash = 'ab';"
		"UPDATE audit SET hash = 'cd'",
	};
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_not_equal(client_once(lab->path, refused[i]), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE actor = 'sql'"), 2);
}

static void the_change_log_is_not_written_by_hand(void **state)
{
	static const char *const refused[] = {
		"DELETE FROM change",
		"DELETE FROM change WHERE seq = 1",
		"UPDATE change SET op = 'remove'",
		"UPDATE change SET seq = seq + 10",
		"INSERT INTO change (seq, op) VALUES (9223372036854775807, 'add')",
		"INSERT OR REPLACE INTO change (seq, op) VALUES (1, 'remove')",
		"INSERT INTO change (seq, op) VALUES (0, 'add')",
		"INSERT INTO change (seq, op) VALUES (-1, 'add')",
	};
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_not_equal(client_once(lab->path, refused[i]), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change WHERE op = 'add'"), 1);
	assert_int_equal(lab_number(lab, "SELECT max(seq) FROM change"), 1);
}

static void rowids_that_would_remove_another_row_unseen_are_refused(void **state)
{
	static const char *const refused[] = {
		"REPLACE INTO listing (rowid, source, category) VALUES (1, '192.0.2.9', 'spam')",
		"INSERT OR IGNORE INTO listing (rowid, source, category) VALUES (1, '192.0.2.9', 'spam')",
		"UPDATE OR REPLACE listing SET rowid = 1 WHERE rowid = 2",
		"INSERT INTO listing (rowid, source, category) VALUES (-1, '192.0.2.9', 'spam')",
		"INSERT INTO listing (rowid, source, category) VALUES (0, '192.0.2.9', 'spam')",
	};
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct set set = {};
	int64_t seq = 0;

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_not_equal(client_once(lab->path, refused[i]), 0);
	lab_sql(lab,
		"REPLACE INTO listing (rowid, source, category) VALUES (1, '192.0.2.1', 'botnet')");
	set_follow(lab, s, &set, &seq);
	assert_int_equal(set.count, 2);
	set_assert_is_table(lab, &set);
	set_clear(&set);
}

/* Cursors of pages and the chain of the audit log go by them. */
static void numbers_of_rows_outlive_a_vacuum(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);

	lab_sql(lab, "INSERT INTO listing (source, category) VALUES ('192.0.2.1', 'botnet'),"
		     " ('192.0.2.2', 'botnet'), ('192.0.2.3', 'botnet'), ('192.0.2.4', 'botnet');"
		     "DELETE FROM listing WHERE source < '192.0.2.3'");
	lab_sql(lab, "VACUUM");
	assert_int_equal(lab_number(lab, "SELECT min(rowid) FROM listing"), 3);
	assert_int_equal(lab_number(lab, "SELECT max(rowid) FROM listing"), 4);
	assert_int_equal(lab_number(lab, "SELECT max(rowid) FROM audit"), 6);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(tables_are_as_promised),
		TEST(a_row_of_two_columns_gets_the_promised_defaults),
		TEST(a_second_open_keeps_what_is_there),
		TEST(an_empty_file_becomes_a_database),
		TEST(a_newer_schema_is_refused_and_left_alone),
		TEST(tables_of_another_program_are_refused_and_left_alone),
		TEST(a_table_of_the_wrong_shape_is_refused),
		TEST(a_missing_trigger_is_refused),
		TEST(columns_and_views_of_the_operator_are_fine),
		TEST(a_file_that_is_no_database_is_refused),
		TEST(a_schema_changed_while_open_is_noticed_and_so_is_its_repair),
		TEST(the_audit_log_is_append_only),
		TEST(the_change_log_is_not_written_by_hand),
		TEST(numbers_of_rows_outlive_a_vacuum),
		TEST(rowids_that_would_remove_another_row_unseen_are_refused),
	};

	return cmocka_run_group_tests_name("store: schema", tests, NULL, NULL);
}
