/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The audit log proved over HTTP: what moatd seals and notes by itself, what it
 * finds when it starts, and how an operator goes on from a broken chain.
 */
#include <sqlite3.h>

#include "daemon/audit_chain.h"
#include "daemon/audit_note.h"
#include "tests/unit/http_lab.h"

#define VERIFY "/api/v1/audit/verify"
#define ACCEPT "/api/v1/audit/accept"

static char uri[128];

static int setup(void **state)
{
	struct lab *lab;

	if (lab_setup(state))
		return -1;
	lab = *state;
	snprintf(uri, sizeof(uri), "sqlite://%s/moat.db", lab->dir);
	fake.config.database = uri;
	return audit_chain_new(&fake.daemon, &fake.daemon.audit);
}

static int teardown(void **state)
{
	fake.daemon.audit = audit_chain_free(fake.daemon.audit);
	return lab_teardown(state);
}

/* As moatd that ended and was started again. */
static void restart(void)
{
	fake.daemon.audit = audit_chain_free(fake.daemon.audit);
	assert_int_equal(audit_chain_new(&fake.daemon, &fake.daemon.audit), 0);
}

/* The same, without a chance to seal or note anything. */
static void crash(void)
{
	struct store *store = fake.store;

	fake.store = NULL;
	fake.daemon.audit = audit_chain_free(fake.daemon.audit);
	fake.store = store;
	assert_int_equal(audit_chain_new(&fake.daemon, &fake.daemon.audit), 0);
}

static void write_entries(int count)
{
	const struct actor actor = { "root", "test" };

	for (int i = 0; i < count; i++)
		assert_int_equal(store_audit(fake.store, &actor, 1700000000 + i, "attach", "x",
					     NULL),
				 0);
}

static void tamper(const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(uri + strlen("sqlite://"), &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_not_equal(sqlite3_total_changes(db), 0);
	sqlite3_close(db);
}

static int64_t number(const struct response *r, const char *key)
{
	return json_integer_value(json_object_get(r->json, key));
}

static void assert_whole(void **state, int64_t entries)
{
	_cleanup_response_ struct response r = get(state, VERIFY);

	assert_int_equal(r.status, 200);
	assert_true(json_is_true(json_object_get(r.json, "whole")));
	assert_int_equal(number(&r, "entries"), entries);
	assert_int_equal(number(&r, "unsealed"), 0);
}

static void assert_broken(void **state, const char *kind, int64_t entry)
{
	_cleanup_response_ struct response r = get(state, VERIFY);
	const json_t *fault = json_object_get(r.json, "fault");

	assert_int_equal(r.status, 200);
	assert_true(json_is_false(json_object_get(r.json, "whole")));
	assert_string_equal(member(fault, "kind"), kind);
	assert_int_equal(json_integer_value(json_object_get(fault, "entry")), entry);
}

static const char *broken(void)
{
	static struct audit_view view;

	audit_chain_view(fake.daemon.audit, &view);
	return view.broken;
}

static void an_empty_log_is_whole(void **state)
{
	assert_whole(state, 0);
}

static void what_was_written_until_now_is_sealed_noted_and_proved(void **state)
{
	_cleanup_response_ struct response r = {};
	struct audit_note note;

	write_entries(5);
	r = get(state, VERIFY);
	assert_true(json_is_true(json_object_get(r.json, "whole")));
	assert_int_equal(number(&r, "entries"), 5);
	assert_string_equal(response_text(&r, "from"), "2023-11-14T22:13:20Z");
	assert_string_equal(response_text(&r, "to"), "2023-11-14T22:13:24Z");
	assert_int_equal(audit_note_read(uri, &note, NULL), 0);
	assert_int_equal(note.head.entry, 5);
	assert_string_equal(note.head.hash, response_text(&r, "head"));
	assert_int_equal(note.from.entry, 0);
}

static void a_head_noted_elsewhere_is_in_it_or_not(void **state)
{
	_cleanup_response_ struct response first = {}, again = {}, other = {}, odd = {};
	char path[160];

	write_entries(3);
	first = get(state, VERIFY);
	write_entries(3);
	snprintf(path, sizeof(path), VERIFY "?head=%s", response_text(&first, "head"));
	again = get(state, path);
	assert_true(json_is_true(json_object_get(again.json, "whole")));
	assert_int_equal(number(&again, "found_entry"), 3);
	path[strlen(path) - 1] ^= 1;
	other = get(state, path);
	assert_true(json_is_false(json_object_get(other.json, "whole")));
	assert_string_equal(member(json_object_get(other.json, "fault"), "kind"), "foreign");
	assert_string_equal(broken(), ""); /* that is not the chain's fault */
	odd = get(state, VERIFY "?head=12");
	assert_int_equal(odd.status, 400);
}

static void a_changed_entry_is_named_and_degrades_until_it_is_as_it_was(void **state)
{
	_cleanup_response_ struct response r = {};

	write_entries(5);
	assert_whole(state, 5);
	tamper("UPDATE audit SET actor = 'nobody' WHERE rowid = 3");
	assert_broken(state, "changed", 3);
	assert_non_null(strstr(broken(), "entry 3 is not what was sealed there"));
	r = get(state, "/metrics");
	assert_non_null(strstr(r.body, "\nmoat_audit_entries 5\n"));
	assert_non_null(strstr(r.body, "\nmoat_audit_sealed 5\n"));
	assert_non_null(strstr(r.body, "\nmoat_audit_whole 0\n"));
	tamper("UPDATE audit SET actor = 'root' WHERE rowid = 3");
	assert_whole(state, 5);
	assert_string_equal(broken(), "");
}

static void an_end_cut_off_while_moatd_was_away_is_noticed(void **state)
{
	write_entries(9);
	assert_whole(state, 9);
	restart();
	tamper("DELETE FROM audit WHERE rowid > 6");
	assert_broken(state, "cut", 9);
	assert_non_null(strstr(broken(), "entry 9"));
}

static void a_broken_chain_stays_so_over_a_restart_and_goes_on(void **state)
{
	write_entries(9);
	assert_whole(state, 9);
	tamper("DELETE FROM audit WHERE rowid > 6");
	assert_broken(state, "cut", 9);
	write_entries(5); /* as many and more: now there is another entry 9 */
	restart();
	assert_broken(state, "remade", 9);
}

static void an_operator_accepts_it_as_it_is_and_that_is_an_entry(void **state)
{
	_cleanup_response_ struct response accepted = {}, r = {}, log = {};
	const json_t *entry;

	write_entries(9);
	assert_whole(state, 9);
	tamper("DELETE FROM audit WHERE rowid > 6");
	assert_broken(state, "cut", 9);
	accepted = post(state, ACCEPT, "");
	assert_int_equal(accepted.status, 200);
	assert_int_equal(number(&accepted, "accepted_entry"), 6);
	assert_string_equal(broken(), "");
	r = get(state, VERIFY);
	assert_true(json_is_true(json_object_get(r.json, "whole")));
	assert_int_equal(number(&r, "accepted_entry"), 6);
	assert_int_equal(number(&r, "entries"), 1);
	log = get(state, "/api/v1/audit?limit=1");
	entry = json_array_get(json_object_get(log.json, "audit"), 0);
	assert_string_equal(member(entry, "verb"), "accept");
	assert_non_null(strstr(member(entry, "detail"), "it was broken: entry 9"));
	restart();
	tamper("UPDATE audit SET actor = 'nobody' WHERE rowid = 2");
	assert_whole(state, 1); /* accepted is not proved */
	tamper("DELETE FROM audit WHERE rowid > 5");
	assert_broken(state, "cut", 6);
}

static void accepting_is_for_the_unix_socket(void **state)
{
	_cleanup_response_ struct response r = lab_ask(*state, LAB_TCP, "POST", ACCEPT, "");

	assert_int_equal(r.status, 401);
}

static void a_crash_between_write_and_seal_loses_nothing(void **state)
{
	for (int i = 1; i <= 5; i++) {
		write_entries(2);
		crash();
		assert_whole(state, 2 * i);
		write_entries(1);
		crash();
		tamper("DELETE FROM audit WHERE hash IS NULL"); /* what nobody sealed is no evidence */
		assert_whole(state, 2 * i);
	}
}

static void a_lost_note_is_no_fault_and_comes_again(void **state)
{
	struct lab *lab = *state;
	struct audit_note note;
	char path[128];

	snprintf(path, sizeof(path), "%s/moat.db-audit", lab->dir);
	write_entries(4);
	assert_whole(state, 4);
	assert_int_equal(unlink(path), 0);
	crash();
	write_entries(1);
	assert_whole(state, 5);
	assert_int_equal(audit_note_read(uri, &note, NULL), 0);
	assert_int_equal(note.head.entry, 5);
}

static void a_note_that_is_none_is_told_from_a_good_one(void **state)
{
	static const char *const odd[] = {
		"",
		"moat audit 1\n",
		"moat audit 2\nfrom 0 00\nhead 0 00\n",
		"moat audit 1\nfrom 0 " CHAIN_START "\nhead -1 " CHAIN_START "\n",
		"moat audit 1\nfrom 0 " CHAIN_START "\nhead 1 " CHAIN_START "0\n",
		"moat audit 1\nfrom 0 " CHAIN_START "\nhead 1 " CHAIN_START "\nmore\n",
		"moat audit 1\nfrom 0 " CHAIN_START "\nhead 99999999999999999999 " CHAIN_START "\n",
	};
	struct lab *lab = *state;
	struct audit_note note;
	char path[128];

	snprintf(path, sizeof(path), "%s/moat.db-audit", lab->dir);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		FILE *file = fopen(path, "we");

		assert_non_null(file);
		fputs(odd[i], file);
		fclose(file);
		assert_int_equal(audit_note_read(uri, &note, NULL), -EINVAL);
	}
	note = (struct audit_note){ AUDIT_START, { 7, CHAIN_START } };
	assert_int_equal(audit_note_write(uri, &note, NULL), 0);
	note.head.entry = 0;
	assert_int_equal(audit_note_read(uri, &note, NULL), 0);
	assert_int_equal(note.head.entry, 7);
}

static void without_a_database_it_is_503(void **state)
{
	struct store *store = fake.store;
	_cleanup_response_ struct response r = {};

	fake.store = NULL;
	r = get(state, VERIFY);
	fake.store = store;
	assert_int_equal(r.status, 503);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_log_is_whole),
		TEST(what_was_written_until_now_is_sealed_noted_and_proved),
		TEST(a_head_noted_elsewhere_is_in_it_or_not),
		TEST(a_changed_entry_is_named_and_degrades_until_it_is_as_it_was),
		TEST(an_end_cut_off_while_moatd_was_away_is_noticed),
		TEST(a_broken_chain_stays_so_over_a_restart_and_goes_on),
		TEST(an_operator_accepts_it_as_it_is_and_that_is_an_entry),
		TEST(accepting_is_for_the_unix_socket),
		TEST(a_crash_between_write_and_seal_loses_nothing),
		TEST(a_lost_note_is_no_fault_and_comes_again),
		TEST(a_note_that_is_none_is_told_from_a_good_one),
		TEST(without_a_database_it_is_503),
	};

	return cmocka_run_group_tests_name("daemon: audit over HTTP", tests, NULL, NULL);
}
