/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From rows to maps: following, spellings, expiry, clocks, reloads, numbers.
 * What goes wrong on the way is in test_daemon_sync_trouble.c.
 */
#include "tests/unit/sync_lab.h"

#define PLENTY LAB_CATEGORIES "capacity: { ipv4: 100, ipv6: 100 }\n"

/* A daemon in step with an empty database. */
static void start(const char *config)
{
	lab_config(config);
	if (!lab.tables)
		lab_maps(400, 400, 100);
	lab_restart();
	assert_int_equal(lab_start(), 0);
}

/* ---- following ---- */

static void a_row_of_a_foreign_client_is_in_force_after_one_follow(void **state)
{
	(void)state;
	start(PLENTY);
	assert_verdict("20.0.0.1", "clean");
	lab_list("20.0.0.0/24", "botnet");
	lab_list("20.0.0.1", "allow");
	lab_list("2400:cb00::/32", "scanner");
	assert_int_equal(lab_follow(), 3);
	assert_verdict("20.0.0.2", "drop");
	assert_verdict("20.0.0.1", "allow");
	assert_verdict("2400:cb00::1", "tag");
	lab_sql("DELETE FROM listing WHERE category = 'allow'");
	assert_int_equal(lab_follow(), 1);
	assert_verdict("20.0.0.1", "drop");
	lab_sql("DELETE FROM listing");
	lab_follow();
	assert_verdict("20.0.0.2", "clean");
	assert_verdict("2400:cb00::1", "clean");
	lab_check();
}

static void one_feed_s_claim_stays_when_another_s_goes(void **state)
{
	(void)state;
	start(PLENTY);
	lab_sql("INSERT INTO listing (source, category, feed) VALUES ('20.0.0.1', 'botnet', 'a'),"
		" ('20.0.0.1', 'botnet', 'b')");
	lab_follow();
	lab_sql("DELETE FROM listing WHERE feed = 'a'");
	lab_follow();
	assert_verdict("20.0.0.1", "drop");
	lab_check();
}

static void of_a_host_listed_in_two_spellings_each_row_ends_by_itself(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1/32", "botnet");
	lab_sql("INSERT INTO listing (source, category, expires_at) VALUES"
		" ('20.0.0.1', 'botnet', %lld)",
		(long long)lab_now() + 5);
	lab_follow();
	assert_int_equal(lab_numbers().wanted[MOAT_IPV4], 1);
	assert_int_equal(lab_count("manual", "botnet", "live"), 2);
	lab_check();

	lab_pass(6);
	lab_follow();
	assert_verdict("20.0.0.1", "drop"); /* the other row has no end */
	lab_check();
	lab_sql("UPDATE listing SET expires_at = 1 WHERE source = '20.0.0.1'");
	lab_follow();
	assert_verdict("20.0.0.1", "drop");
	lab_sql("DELETE FROM listing WHERE source = '20.0.0.1'");
	lab_follow();
	assert_verdict("20.0.0.1", "drop");
	lab_sql("DELETE FROM listing");
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	lab_check();
}

static void a_row_that_has_become_nonsense_is_out_of_force(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_list("20.0.0.2", "botnet");
	lab_follow();
	lab_sql("UPDATE listing SET expires_at = 'soon' WHERE source = '20.0.0.1'");
	lab_sql("UPDATE listing SET confidence = 101 WHERE source = '20.0.0.2'");
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	assert_string_equal(lab_refused("20.0.0.1", "botnet"), "bad_expiry");
	assert_string_equal(lab_refused("20.0.0.2", "botnet"), "bad_confidence");
	lab_check();
	lab_sql("UPDATE listing SET expires_at = NULL, confidence = 100");
	lab_follow();
	assert_verdict("20.0.0.1", "drop");
	assert_null(lab_refused("20.0.0.1", "botnet"));
	lab_check();
}

static void a_refused_spelling_that_goes_does_not_end_the_right_one(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("2400:cb00::/32", "botnet");
	lab_list("2400:CB00::/32", "botnet");
	lab_list("20.0.0.1", "botnet");
	lab_list("::ffff:20.0.0.1", "botnet");
	lab_follow();
	assert_string_equal(lab_refused("2400:CB00::/32", "botnet"), "not_canonical");
	lab_check();
	lab_sql("DELETE FROM listing WHERE source IN ('2400:CB00::/32', '::ffff:20.0.0.1')");
	lab_follow();
	assert_verdict("2400:cb00::1", "drop");
	assert_verdict("20.0.0.1", "drop");
	lab_check();
}

static void a_feed_may_have_a_name_that_moat_uses_for_itself(void **state)
{
	(void)state;
	lab_never("30.0.0.0/24");
	start(PLENTY);
	lab_sql("INSERT INTO listing (source, category, feed) VALUES"
		" ('20.0.0.1', 'botnet', 'never_block'), ('20.0.0.2', 'botnet', 'selftest')");
	lab_follow();
	assert_int_equal(lab_numbers().wanted[MOAT_IPV4], 2);
	assert_int_equal(lab_count("never_block", "botnet", "live"), 1);
	lab_check();
}

static void adds_are_written_before_removes(void **state)
{
	const struct fake_write *write;
	bool deleted = false;
	size_t count;

	(void)state;
	start(PLENTY);
	for (int i = 1; i < 10; i++)
		lab_sql("INSERT INTO listing (source, category) VALUES ('20.0.0.%d', 'botnet')", i);
	lab_follow();
	fake_tables_forget(lab.tables);
	lab_sql("BEGIN; DELETE FROM listing;"
		" INSERT INTO listing (source, category) VALUES ('20.0.0.0/24', 'botnet'); COMMIT");
	lab_follow();
	write = fake_tables_writes(lab.tables, &count);
	for (size_t i = 0; i < count; i++) {
		deleted |= write[i].op == FAKE_DELETE;
		assert_false(deleted && write[i].op == FAKE_PUT);
	}
	assert_int_equal(fake_tables_count(lab.tables, FAKE_PUT), 1);
	assert_int_equal(fake_tables_count(lab.tables, FAKE_DELETE), 9);
}

static void a_restart_writes_no_source_that_is_there(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_sql("INSERT INTO listing (source, category, expires_at) VALUES"
		" ('20.0.0.1', 'scanner', %lld), ('2400:cb00::1', 'ssh', %lld)",
		(long long)lab_now() + 50, (long long)lab_now() + 60);
	lab_follow();
	lab_restart();
	fake_tables_forget(lab.tables);
	assert_int_equal(lab_start(), 0);
	assert_int_equal(fake_tables_count(lab.tables, FAKE_PUT), 0);
	assert_int_equal(fake_tables_count(lab.tables, FAKE_DELETE), 0);
	assert_int_equal(fake_tables_count(lab.tables, FAKE_LENGTHS), 0);
	lab_check();
}

static void what_changed_while_nobody_was_there_is_all_that_a_restart_writes(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_list("20.0.0.2", "botnet");
	lab_follow();
	lab.sync = sync_free(lab.sync);
	lab_sql("UPDATE listing SET source = '20.0.0.3' WHERE source = '20.0.0.2'");
	lab_restart();
	fake_tables_forget(lab.tables);
	assert_int_equal(lab_start(), 0);
	assert_int_equal(fake_tables_count(lab.tables, FAKE_PUT), 1);
	assert_int_equal(fake_tables_count(lab.tables, FAKE_DELETE), 1);
	lab_check();
}

static void another_database_in_its_place_is_taken_over(void **state)
{
	char other[160];

	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_follow();
	snprintf(other, sizeof(other), "%s.other", lab.path);
	lab_sql("VACUUM INTO '%s'", other);
	lab_sql("ATTACH '%s' AS other; UPDATE other.listing SET source = '20.0.0.2'", other);
	sqlite3_close(lab.client);
	lab.client = NULL;
	assert_int_equal(rename(other, lab.path), 0);
	assert_int_equal(lab_settle(), 0);
	assert_verdict("20.0.0.1", "clean");
	assert_verdict("20.0.0.2", "drop");
	lab_check();
}

/* ---- time ---- */

static void a_listing_ends_with_and_without_a_daemon(void **state)
{
	(void)state;
	start(PLENTY);
	lab_sql("INSERT INTO listing (source, category, expires_at) VALUES"
		" ('20.0.0.1', 'botnet', %lld), ('20.0.0.1', 'scanner', %lld)",
		(long long)lab_now() + 10, (long long)lab_now() + 20);
	lab_follow();
	assert_true(sync_next(lab.sync) == lab_now() + 10);
	lab_pass(10);
	assert_verdict("20.0.0.1", "tag"); /* nobody did anything */
	lab_follow();
	lab_check();
	lab_pass(10);
	assert_verdict("20.0.0.1", "clean");
	assert_true(lab_in_kernel("20.0.0.1"));
	lab_follow();
	assert_false(lab_in_kernel("20.0.0.1"));
	assert_int_equal(lab_numbers().expires, 2);
	assert_true(sync_next(lab.sync) == 0);
	lab_check();
}

static void a_clock_that_is_set_is_noticed_without_a_change(void **state)
{
	(void)state;
	start(PLENTY);
	lab_sql("INSERT INTO listing (source, category, expires_at) VALUES"
		" ('20.0.0.1', 'botnet', %lld)",
		(long long)lab_now() + 100);
	lab_follow();
	assert_true(sync_next(lab.sync) > lab_now());
	lab_set_wall(lab_now() - 1000);
	assert_true(sync_next(lab.sync) && sync_next(lab.sync) <= lab_now());
	lab_follow();
	lab_pass(1099);
	assert_verdict("20.0.0.1", "drop");
	lab_pass(1);
	assert_verdict("20.0.0.1", "clean");
}

static void a_clock_set_back_brings_listings_back_that_had_ended(void **state)
{
	(void)state;
	start(PLENTY);
	lab_sql("INSERT INTO listing (source, category, expires_at) VALUES"
		" ('20.0.0.1', 'botnet', %lld)",
		(long long)lab_now() + 100);
	lab_follow();
	lab_set_wall(lab_now() + 1000);
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	lab_set_wall(lab_now() - 1000);
	assert_int_equal(lab_settle(), 0);
	assert_verdict("20.0.0.1", "drop");
	lab_check();
}

static void the_change_log_is_pruned_once_it_is_old(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_set_wall(lab_sql_number("SELECT unixepoch()")); /* rows of the log bear that */
	lab_settle();
	sync_prune(lab.sync);
	assert_int_equal(lab_sql_number("SELECT count(*) FROM change"), 1);
	lab_pass(8 * 86400);
	sync_prune(lab.sync);
	assert_int_equal(lab_sql_number("SELECT count(*) FROM change"), 0);
	lab_list("20.0.0.2", "botnet");
	assert_int_equal(lab_follow(), 1);
	assert_verdict("20.0.0.2", "drop");
	lab_check();
}

/* ---- reloads ---- */

static int reload(const char *config)
{
	lab_config(config);
	return sync_reload(lab.sync, lab.config, lab.never, lab.nevers, &lab.why);
}

static void a_category_goes_and_comes_back_by_reload(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "scanner");
	lab_list("20.0.0.1", "research");
	lab_follow();
	assert_verdict("20.0.0.1", "tag");
	assert_int_equal(reload("categories: { research: { action: monitor } }\n"), 0);
	assert_verdict("20.0.0.1", "monitor");
	assert_string_equal(lab_refused("20.0.0.1", "scanner"), "unknown_category");
	lab_check();
	assert_int_equal(reload("categories: { other: { action: drop },"
				" scanner: { action: limit, rate: 5pps },"
				" research: { action: monitor } }\n"),
			 0);
	assert_verdict("20.0.0.1", "limit");
	lab_check();
	lab_restart();
	assert_int_equal(lab_start(), 0);
	lab_check();
}

/* The text of n categories called PREFIX0, PREFIX1, ... */
static const char *many_categories(const char *prefix, int n)
{
	static char text[4096];
	size_t size = (size_t)snprintf(text, sizeof(text), "categories:\n");

	for (int i = 0; i < n; i++)
		size += (size_t)snprintf(text + size, sizeof(text) - size,
					 "  %s%d: { action: drop }\n", prefix, i);
	return text;
}

static void numbers_of_categories_are_given_back_in_two_reloads(void **state)
{
	(void)state;
	start(many_categories("a", 40));
	lab_list("20.0.0.1", "a39");
	lab_follow();
	assert_int_equal(reload(many_categories("b", 40)), -ENOSPC);
	assert_non_null(strstr(lab.why.text, "take it out"));
	assert_verdict("20.0.0.1", "drop");
	assert_int_equal(reload("categories: { b0: { action: drop } }\n"), 0);
	assert_int_equal(reload(many_categories("b", 40)), 0);
	lab_list("20.0.0.2", "b39");
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	assert_verdict("20.0.0.2", "drop");
	lab_check();
}

static void a_never_block_prefix_protects_and_its_rows_are_refused(void **state)
{
	(void)state;
	lab_never("20.0.0.1");
	start(PLENTY);
	lab_list("20.0.0.0/24", "botnet");
	lab_list("20.0.0.1", "botnet");
	lab_follow();
	assert_verdict("20.0.0.1", "allow");
	assert_verdict("20.0.0.2", "drop");
	assert_string_equal(lab_refused("20.0.0.1", "botnet"), "never_block");
	lab_check();
	lab.nevers = 0;
	assert_int_equal(reload(PLENTY), 0);
	assert_verdict("20.0.0.1", "drop");
	lab_check();
}

/* ---- numbers ---- */

static void rows_the_gate_refuses_do_not_count_as_less_live_ones(void **state)
{
	(void)state;
	start(PLENTY);
	for (int i = 1; i <= 5; i++)
		lab_sql("INSERT INTO listing (source, category) VALUES ('20.0.0.%d', 'botnet')", i);
	lab_sql("INSERT INTO listing (source, category) VALUES ('20.0.0.0/7', 'botnet'),"
		" ('20.0.0.1/8', 'botnet'), ('x', 'botnet')");
	lab_follow();
	assert_int_equal(lab_count("manual", "botnet", "live"), 5);
	assert_int_equal(lab_count("manual", "botnet", "refused"), 3);
	assert_true(lab_numbers().coverage == 1);
	lab_check();
}

static void moats_own_sources_are_left_out_unless_they_are_missing(void **state)
{
	(void)state;
	lab_never("30.0.0.1");
	lab_never("30.0.0.3");
	start(PLENTY);
	assert_int_equal(lab_numbers().wanted[MOAT_IPV4], 0);
	assert_int_equal(lab_numbers().installed[MOAT_IPV4], 0);
	assert_int_equal(fake_tables_entries(lab.tables, MOAT_IPV4), 3);
	assert_true(lab_numbers().coverage == 1);

	lab_maps(2, 2, 100); /* three are too many */
	lab_restart();
	assert_int_equal(lab_start(), 0);
	assert_int_equal(lab_numbers().wanted[MOAT_IPV4], 1);
	assert_int_equal(lab_numbers().refused[MOAT_IPV4], 1);
	assert_true(lab_numbers().coverage < 1);
}

static void changes_are_counted_by_kind_and_timed(void **state)
{
	struct sync_numbers n;

	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_list("20.0.0.2", "botnet");
	lab_sql("UPDATE listing SET reason = 'x' WHERE source = '20.0.0.1'");
	lab_sql("DELETE FROM listing WHERE source = '20.0.0.2'");
	lab_follow();
	n = lab_numbers();
	assert_int_equal(n.adds, 2);
	assert_int_equal(n.refreshes, 1);
	assert_int_equal(n.removes, 1);
	assert_int_equal(n.latency_count[0], 4);
	assert_int_equal(n.seq_kernel, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_row_of_a_foreign_client_is_in_force_after_one_follow),
		LAB_TEST(one_feed_s_claim_stays_when_another_s_goes),
		LAB_TEST(of_a_host_listed_in_two_spellings_each_row_ends_by_itself),
		LAB_TEST(a_row_that_has_become_nonsense_is_out_of_force),
		LAB_TEST(a_refused_spelling_that_goes_does_not_end_the_right_one),
		LAB_TEST(a_feed_may_have_a_name_that_moat_uses_for_itself),
		LAB_TEST(adds_are_written_before_removes),
		LAB_TEST(a_restart_writes_no_source_that_is_there),
		LAB_TEST(what_changed_while_nobody_was_there_is_all_that_a_restart_writes),
		LAB_TEST(another_database_in_its_place_is_taken_over),
		LAB_TEST(a_listing_ends_with_and_without_a_daemon),
		LAB_TEST(a_clock_that_is_set_is_noticed_without_a_change),
		LAB_TEST(a_clock_set_back_brings_listings_back_that_had_ended),
		LAB_TEST(the_change_log_is_pruned_once_it_is_old),
		LAB_TEST(a_category_goes_and_comes_back_by_reload),
		LAB_TEST(numbers_of_categories_are_given_back_in_two_reloads),
		LAB_TEST(a_never_block_prefix_protects_and_its_rows_are_refused),
		LAB_TEST(rows_the_gate_refuses_do_not_count_as_less_live_ones),
		LAB_TEST(moats_own_sources_are_left_out_unless_they_are_missing),
		LAB_TEST(changes_are_counted_by_kind_and_timed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
