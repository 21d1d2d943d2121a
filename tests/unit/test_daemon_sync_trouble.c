/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A database that does not answer, maps that cannot be written, a daemon that
 * is killed at any write: what is in force stays, is not called more than it
 * is, and heals by itself. Full maps are in test_daemon_sync_full.c.
 */
#include "tests/unit/sync_lab.h"

#define PLENTY LAB_CATEGORIES "capacity: { ipv4: 100, ipv6: 100 }\n"

static void start(const char *config)
{
	lab_config(config);
	lab_maps(400, 400, 100);
	lab_restart();
	assert_int_equal(lab_start(), 0);
}

static void database_fails(int error, size_t after)
{
	lab_fault[LAB_SNAPSHOT] = lab_fault[LAB_CHANGES] = lab_fault[LAB_REFUSED] =
		(struct lab_fault){ .error = error, .after = after };
}

static void database_works(void)
{
	memset(lab_fault, 0, sizeof(lab_fault));
}

/* ---- the database ---- */

static void while_the_database_fails_the_set_stays_and_listings_end(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_sql("INSERT INTO listing (source, category, expires_at) VALUES"
		" ('20.0.0.2', 'botnet', %lld)",
		(long long)lab_now() + 3);
	lab_follow();
	lab_sql("DELETE FROM listing WHERE source = '20.0.0.1'");
	database_fails(-EIO, 0);
	lab_pass(5);
	assert_int_equal(lab_follow(), -EIO);
	assert_verdict("20.0.0.1", "drop");
	assert_verdict("20.0.0.2", "clean");
	assert_false(lab_in_kernel("20.0.0.2"));
	assert_true(lab_numbers().started);
	assert_false(lab_numbers().current);
	assert_string_not_equal(lab_numbers().problem, "");

	lab_pass(10);
	assert_true(lab_numbers().lag >= 10);
	database_works();
	assert_int_equal(lab_follow(), 1);
	assert_verdict("20.0.0.1", "clean");
	assert_true(lab_numbers().lag == 0);
	lab_check();
}

static void a_try_that_failed_is_made_again_after_a_second_not_at_once(void **state)
{
	(void)state;
	start(PLENTY);
	database_fails(-EBUSY, 0);
	assert_int_equal(lab_follow(), -EBUSY);
	assert_true(sync_next(lab.sync) == 0);
	lab_pass(1);
	assert_true(sync_next(lab.sync) == 1);
}

static void a_whole_read_that_is_due_waits_for_its_next_try_as_well(void **state)
{
	(void)state;
	start(PLENTY);
	lab_sql("INSERT INTO listing (source, category, expires_at) VALUES"
		" ('20.0.0.1', 'botnet', %lld)",
		(long long)lab_now() + 3);
	lab_follow();
	lab_set_wall(lab_now() - 100);
	assert_int_equal(lab_follow(), 0);
	database_fails(-EIO, 0);
	lab_pass(200);
	assert_int_equal(lab_follow(), -EIO);
	assert_true(sync_next(lab.sync) == 0);
	database_works();
	assert_int_equal(lab_settle(), 0);
	lab_check();
}

static void of_a_log_that_breaks_off_nothing_is_written(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_follow();
	lab_sql("BEGIN; DELETE FROM listing;"
		" INSERT INTO listing (source, category) VALUES ('20.0.0.1', 'scanner'); COMMIT");
	database_fails(-EIO, 1);
	fake_tables_forget(lab.tables);
	assert_int_equal(lab_follow(), -EIO);
	database_fails(-EIO, 0);
	lab_pass(2);
	assert_int_equal(lab_follow(), -EIO);
	assert_int_equal(fake_tables_count(lab.tables, FAKE_PUT), 0);
	assert_int_equal(fake_tables_count(lab.tables, FAKE_DELETE), 0);
	assert_verdict("20.0.0.1", "drop");
	database_works();
	assert_int_equal(lab_settle(), 0);
	assert_verdict("20.0.0.1", "tag");
	lab_check();
}

static void a_start_without_database_leaves_the_pinned_set_and_claims_no_coverage(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_follow();
	lab_restart();
	database_fails(-EBUSY, 0);
	fake_tables_forget(lab.tables);
	assert_int_equal(lab_follow(), -EBUSY);
	assert_false(lab_numbers().started);
	assert_true(lab_numbers().coverage < 1);
	assert_verdict("20.0.0.1", "drop");
	assert_int_equal(fake_tables_count(lab.tables, FAKE_PUT), 0);
	assert_int_equal(fake_tables_count(lab.tables, FAKE_POLICIES), 0);
	database_works();
	assert_int_equal(lab_settle(), 0);
	lab_check();
}

static void a_reload_before_the_database_was_read_leaves_the_policies_alone(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "scanner");
	lab_list("20.0.0.1", "research");
	lab_follow();
	lab_restart();
	database_fails(-EBUSY, 0);
	lab_follow();
	/* The order of the two is in the class, which is not known yet. */
	lab_config("categories: { research: { action: drop }, scanner: { action: monitor } }\n");
	assert_int_equal(sync_reload(lab.sync, lab.config, lab.never, lab.nevers, &lab.why), 0);
	assert_verdict("20.0.0.1", "tag");
	database_works();
	assert_int_equal(lab_settle(), 0);
	assert_verdict("20.0.0.1", "drop");
	lab_check();
}

static void what_must_never_be_blocked_does_not_wait_for_the_database(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.0/24", "botnet");
	lab_follow();
	database_fails(-ENOENT, 0);
	lab_never("20.0.0.1");
	assert_int_equal(sync_reload(lab.sync, lab.config, lab.never, lab.nevers, &lab.why), 0);
	assert_verdict("20.0.0.1", "allow");
	assert_verdict("20.0.0.2", "drop");
	database_works();
	assert_int_equal(lab_settle(), 0);
	lab_check();
}

/* ---- table refused ---- */

static int64_t refused_rows(void)
{
	return lab_sql_number("SELECT count(*) FROM refused");
}

static void refusals_that_could_not_be_saved_are_saved_later_by_themselves(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("nonsense", "botnet");
	lab_fault[LAB_REFUSED].error = -EBUSY;
	assert_int_equal(lab_follow(), 1);
	assert_int_equal(refused_rows(), 0);
	assert_true(sync_next(lab.sync) == 0);
	lab_fault[LAB_REFUSED].error = 0;
	lab_pass(1);
	assert_true(sync_next(lab.sync) == 1);
	lab_follow();
	assert_int_equal(refused_rows(), 1);
	assert_true(sync_next(lab.sync) == 0);
	lab_check();
}

static void what_an_earlier_daemon_noted_goes_even_if_not_at_the_first_try(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("nonsense", "botnet");
	lab_follow();
	assert_int_equal(refused_rows(), 1);
	lab.sync = sync_free(lab.sync);
	lab_sql("DELETE FROM listing");
	lab_list("rubbish", "botnet");
	lab_restart();
	lab_fault[LAB_REFUSED].error = -EBUSY;
	assert_int_equal(lab_start(), 0);
	assert_int_equal(refused_rows(), 1);
	lab_fault[LAB_REFUSED].error = 0;
	assert_int_equal(lab_settle(), 0);
	assert_int_equal(refused_rows(), 1);
	lab_check();
}

/* ---- the maps ---- */

static int no_puts(void *arg, enum fake_op op, const struct prefix *source)
{
	(void)arg;
	(void)source;
	return op == FAKE_PUT ? -EPERM : 0;
}

static void while_the_maps_cannot_be_written_coverage_is_not_1(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_follow();
	fake_tables_fail(lab.tables, no_puts, NULL);
	lab_list("20.0.0.2", "botnet");
	assert_int_equal(lab_follow(), -EPERM);
	assert_true(lab_numbers().coverage < 1);
	assert_int_equal(lab_numbers().seq_kernel, 1);
	assert_int_equal(lab_numbers().seq_database, 2);
	assert_verdict("20.0.0.1", "drop");
	lab_pass(10);
	lab_follow();
	assert_true(lab_numbers().coverage < 1);
	fake_tables_fail(lab.tables, NULL, NULL);
	assert_int_equal(lab_settle(), 0);
	assert_verdict("20.0.0.2", "drop");
	lab_check();
}

/* One entry fails, in an odd way. */
static int busy(void *arg, enum fake_op op, const struct prefix *source)
{
	return op == FAKE_PUT && !prefix_compare(source, arg) ? -EBUSY : 0;
}

static void an_entry_that_could_not_be_changed_does_not_outlive_its_listing(void **state)
{
	struct prefix odd;

	(void)state;
	start(PLENTY);
	prefix_parse("20.0.0.1", &odd);
	lab_list("20.0.0.1", "botnet");
	lab_follow();
	fake_tables_fail(lab.tables, busy, &odd);
	lab_sql("UPDATE listing SET category = 'scanner'");
	assert_int_equal(lab_follow(), 2);
	assert_true(lab_numbers().coverage < 1);
	assert_string_equal(lab_refused("20.0.0.1", "scanner"), "map_full");
	lab_sql("DELETE FROM listing");
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	lab_check();
}

static void an_entry_the_kernel_refused_is_tried_again_by_itself(void **state)
{
	struct prefix odd;

	(void)state;
	start(PLENTY);
	prefix_parse("20.0.0.1", &odd);
	fake_tables_fail(lab.tables, busy, &odd);
	lab_list("20.0.0.1", "botnet");
	lab_list("20.0.0.2", "botnet");
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	assert_verdict("20.0.0.2", "drop");
	fake_tables_fail(lab.tables, NULL, NULL);
	assert_int_equal(lab_settle(), 0);
	assert_verdict("20.0.0.1", "drop");
	assert_null(lab_refused("20.0.0.1", "botnet"));
	lab_check();
}

static int first_put_is_full(void *arg, enum fake_op op, const struct prefix *source)
{
	bool *done = arg;

	(void)source;
	if (op != FAKE_PUT || *done)
		return 0;
	*done = true;
	return -ENOSPC;
}

/* The last source of one length goes in the batch in which another length's is refused. */
static void the_length_of_a_refused_entry_is_in_force_when_it_is_taken(void **state)
{
	bool done = false;

	(void)state;
	start(PLENTY);
	lab_list("20.0.0.0/24", "botnet");
	lab_follow();
	fake_tables_fail(lab.tables, first_put_is_full, &done);
	lab_sql("BEGIN; DELETE FROM listing;"
		" INSERT INTO listing (source, category) VALUES ('20.1.0.0/16', 'botnet'); COMMIT");
	lab_follow();
	assert_true(done);
	assert_verdict("20.1.2.3", "drop");
	lab_check();
}

/* ---- killed ---- */

#define KILL_SQL                                                                                   \
	"BEGIN; DELETE FROM listing WHERE source IN ('20.0.0.0/24', '2400:cb00::1');"              \
	" UPDATE listing SET category = 'scanner' WHERE source = '20.0.1.0/24';"                   \
	" INSERT INTO listing (source, category) VALUES ('20.0.0.0/16', 'botnet'),"                \
	" ('20.0.2.1', 'allow'), ('20.0.0.9', 'research'), ('20.0.3.0/28', 'ssh');"                \
	" INSERT INTO listing (source, category, expires_at) VALUES"                               \
	" ('20.0.1.7', 'botnet', 1800000600), ('20.0.2.0/24', 'ssh', 1800000700);"                 \
	" DELETE FROM listing WHERE source = '20.0.3.0/24'; COMMIT"

static const char *const watched[] = { "20.0.0.1", "20.0.0.9",	   "20.0.1.1",	   "20.0.1.7",
				       "20.0.2.1", "20.0.2.2",	   "20.0.3.1",	   "20.0.3.100",
				       "20.0.9.9", "2400:cb00::1", "2400:cb00::2", "30.0.0.1" };

static struct watch {
	char before[ARRAY_SIZE(watched)][16], after[ARRAY_SIZE(watched)][16];
	bool judges;
	long left; /* writes until the kill; -1: none */
} watch;

static void remember(char ret[ARRAY_SIZE(watched)][16])
{
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		snprintf(ret[i], 16, "%s", lab_verdict_of(watched[i], 6, 22));
}

/* At any moment each packet gets what it got before, or what it gets in the end. */
static int look(void *arg, enum fake_op op, const struct prefix *source)
{
	(void)arg;
	(void)source;
	for (size_t i = 0; watch.judges && i < ARRAY_SIZE(watched); i++) {
		const char *now = lab_verdict_of(watched[i], 6, 22);

		if (strcmp(now, watch.before[i]) != 0 && strcmp(now, watch.after[i]) != 0)
			fail_msg("%s: %s, between %s and %s", watched[i], now, watch.before[i],
				 watch.after[i]);
	}
	if (watch.left < 0 || op == FAKE_READ)
		return 0;
	return watch.left-- == 0 ? (watch.left = 0, -EPERM) : 0;
}

static void start_list(void)
{
	start(PLENTY);
	lab_sql("INSERT INTO listing (source, category) VALUES ('20.0.0.0/24', 'botnet'),"
		" ('20.0.1.0/24', 'botnet'), ('20.0.1.7', 'ssh'), ('20.0.3.0/24', 'botnet'),"
		" ('2400:cb00::1', 'scanner'), ('2400:cb00::/64', 'research')");
	lab_follow();
	remember(watch.before);
}

static void learn_what_comes_of_it(void)
{
	watch = (struct watch){ .left = -1 };
	start_list();
	lab_sql(KILL_SQL);
	lab_follow();
	remember(watch.after);
	lab.sync = sync_free(lab.sync);
	lab_sql("DELETE FROM listing");
}

static void no_packet_sees_more_than_the_old_verdict_and_the_new(void **state)
{
	(void)state;
	learn_what_comes_of_it();
	start_list();
	watch.judges = true;
	fake_tables_fail(lab.tables, look, NULL);
	lab_sql(KILL_SQL);
	lab_follow();
	assert_int_equal(lab_start(), 0);
	fake_tables_fail(lab.tables, NULL, NULL);
	lab_check();
}

static void killed_at_any_write_a_restart_mends_it_unseen(void **state)
{
	bool killed = true;

	(void)state;
	learn_what_comes_of_it();
	for (long at = 0; killed; at++) {
		start_list();
		watch.judges = true;
		watch.left = at;
		fake_tables_fail(lab.tables, look, NULL);
		lab_sql(KILL_SQL);
		killed = lab_follow() < 0;
		watch.left = -1;
		lab_restart();
		assert_int_equal(lab_start(), 0);
		fake_tables_fail(lab.tables, NULL, NULL);
		lab_check();
		lab.sync = sync_free(lab.sync);
		lab_sql("DELETE FROM listing");
		assert_true(at < 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(while_the_database_fails_the_set_stays_and_listings_end),
		LAB_TEST(a_try_that_failed_is_made_again_after_a_second_not_at_once),
		LAB_TEST(a_whole_read_that_is_due_waits_for_its_next_try_as_well),
		LAB_TEST(of_a_log_that_breaks_off_nothing_is_written),
		LAB_TEST(a_start_without_database_leaves_the_pinned_set_and_claims_no_coverage),
		LAB_TEST(a_reload_before_the_database_was_read_leaves_the_policies_alone),
		LAB_TEST(what_must_never_be_blocked_does_not_wait_for_the_database),
		LAB_TEST(refusals_that_could_not_be_saved_are_saved_later_by_themselves),
		LAB_TEST(what_an_earlier_daemon_noted_goes_even_if_not_at_the_first_try),
		LAB_TEST(while_the_maps_cannot_be_written_coverage_is_not_1),
		LAB_TEST(an_entry_that_could_not_be_changed_does_not_outlive_its_listing),
		LAB_TEST(an_entry_the_kernel_refused_is_tried_again_by_itself),
		LAB_TEST(the_length_of_a_refused_entry_is_in_force_when_it_is_taken),
		LAB_TEST(no_packet_sees_more_than_the_old_verdict_and_the_new),
		LAB_TEST(killed_at_any_write_a_restart_mends_it_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
