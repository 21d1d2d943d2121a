/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds that are held in monitor: their listings count and nobody is dropped,
 * from one call to the next and over restarts.
 */
#include "tests/unit/sync_lab.h"

#define PLENTY LAB_CATEGORIES "capacity: { ipv4: 5000, ipv6: 100 }\n"

/* Categories enough that no number is left to count for the last ones. */
#define CROWD 61

static void start(const char *config)
{
	lab_config(config);
	if (!lab.tables)
		lab_maps(6000, 400, 100);
	lab_restart();
	assert_int_equal(lab_start(), 0);
}

static void hold(const char *feed, bool held)
{
	lab_sql("INSERT INTO feed (feed, held) VALUES ('%s', %d) ON CONFLICT (feed) DO UPDATE SET"
		" held = %d",
		feed, held, held);
	if (sync_hold(lab.sync, feed, held, &lab.why))
		fail_msg("%s", lab.why.text);
}

static void list_of(const char *feed, const char *source, const char *category)
{
	lab_sql("INSERT INTO listing (source, category, feed) VALUES ('%s', '%s', '%s')", source,
		category, feed);
}

static void what_a_held_feed_lists_only_counts(void **state)
{
	(void)state;
	start(PLENTY);
	hold("drop", true);
	list_of("drop", "20.0.0.1", "botnet");
	list_of("drop", "20.0.0.2", "scraper");
	list_of("drop", "20.0.0.3", "scanner");
	list_of("drop", "20.0.0.4", "allow");
	list_of("other", "20.0.0.5", "botnet");
	lab_follow();
	assert_verdict("20.0.0.1", "monitor");
	assert_verdict("20.0.0.2", "monitor");
	assert_verdict("20.0.0.3", "monitor");
	assert_verdict("20.0.0.4", "allow"); /* who is protected stays so */
	assert_verdict("20.0.0.5", "drop");
}

static void a_feed_is_held_and_released_with_all_it_lists(void **state)
{
	(void)state;
	start(PLENTY);
	for (int i = 0; i < 500; i++)
		lab_sql("INSERT INTO listing (source, category, feed) VALUES ('20.0.%d.%d',"
			" 'botnet', 'drop')",
			i / 250, i % 250);
	list_of("drop", "20.1.0.1/32", "botnet"); /* in its other spelling */
	lab_follow();
	assert_verdict("20.0.1.7", "drop");
	hold("drop", true);
	assert_true(sync_held(lab.sync, "drop"));
	assert_verdict("20.0.1.7", "monitor");
	assert_verdict("20.0.0.0", "monitor");
	assert_verdict("20.1.0.1", "monitor");
	hold("drop", false);
	assert_false(sync_held(lab.sync, "drop"));
	assert_verdict("20.0.1.7", "drop");
	assert_verdict("20.1.0.1", "drop");
	assert_int_equal(lab_numbers().wanted[MOAT_IPV4], 501);
	lab_sql("DELETE FROM listing WHERE source IN ('20.0.1.7', '20.1.0.1/32')");
	lab_follow();
	assert_verdict("20.0.1.7", "clean");
	assert_verdict("20.1.0.1", "clean");
	lab_check();
}

static void a_row_that_goes_while_its_feed_is_held_is_gone(void **state)
{
	(void)state;
	start(PLENTY);
	list_of("drop", "20.0.0.1", "botnet");
	lab_follow();
	/* Gone from the database, and the daemon has not heard of it yet. */
	lab_sql("DELETE FROM listing");
	hold("drop", true);
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	hold("drop", false);
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	lab_check();
}

static void another_feed_s_claim_drops_all_the_same(void **state)
{
	(void)state;
	start(PLENTY);
	list_of("drop", "20.0.0.1", "botnet");
	list_of("other", "20.0.0.1", "botnet");
	lab_follow();
	hold("drop", true);
	assert_verdict("20.0.0.1", "drop");
}

static void what_is_held_is_held_after_a_restart(void **state)
{
	(void)state;
	start(PLENTY);
	hold("drop", true);
	list_of("drop", "20.0.0.1", "botnet");
	lab_follow();
	lab_restart();
	assert_int_equal(lab_start(), 0);
	assert_true(sync_held(lab.sync, "drop"));
	assert_verdict("20.0.0.1", "monitor");
	lab_sql("UPDATE feed SET held = 0");
	lab_restart();
	assert_int_equal(lab_start(), 0);
	assert_verdict("20.0.0.1", "drop");
	lab_check();
}

static void what_is_held_is_held_after_a_reload(void **state)
{
	(void)state;
	start(PLENTY);
	hold("drop", true);
	list_of("drop", "20.0.0.1", "botnet");
	lab_follow();
	lab_config(
		"categories: { other: { action: drop }, botnet: { action: limit, rate: 5pps } }\n"
		"capacity: { ipv4: 5000, ipv6: 100 }\n");
	assert_int_equal(sync_reload(lab.sync, lab.config, lab.never, lab.nevers, &lab.why), 0);
	assert_verdict("20.0.0.1", "monitor");
	hold("drop", false);
	assert_verdict("20.0.0.1", "limit");
}

#define MONITOR                                                                                    \
	"feeds: [ { name: drop, url: 'https://example.net/d', category: botnet, mode: monitor } ]\n"

static void reload(const char *config)
{
	lab_config(config);
	assert_int_equal(sync_reload(lab.sync, lab.config, lab.never, lab.nevers, &lab.why), 0);
}

static void what_came_in_mode_monitor_is_held_when_the_mode_is_over(void **state)
{
	(void)state;
	start(PLENTY MONITOR);
	lab_sql("INSERT INTO feed (feed, held) VALUES ('drop', %d)", FEED_HELD_BY_MODE);
	list_of("drop", "20.0.0.1", "botnet");
	list_of("other", "20.0.0.2", "botnet");
	lab_follow();
	assert_verdict("20.0.0.1", "monitor");
	assert_false(sync_held(lab.sync, "drop"));
	/* In mode enforce now, or removed, or called otherwise: nobody has judged it. */
	reload(PLENTY);
	assert_true(sync_held(lab.sync, "drop"));
	assert_verdict("20.0.0.1", "monitor");
	assert_verdict("20.0.0.2", "drop");
	lab_restart();
	assert_int_equal(lab_start(), 0);
	assert_verdict("20.0.0.1", "monitor");
	reload(PLENTY MONITOR);
	assert_verdict("20.0.0.1", "monitor");
	assert_false(sync_held(lab.sync, "drop"));
	lab_check();
}

static void where_no_number_is_left_what_is_held_is_kept_out(void **state)
{
	static char config[CROWD * 48];
	size_t used = (size_t)snprintf(config, sizeof(config), "categories:\n");

	(void)state;
	for (int i = 0; i < CROWD; i++)
		used += (size_t)snprintf(config + used, sizeof(config) - used,
					 "  c%d: { action: drop }\n", i);
	snprintf(config + used, sizeof(config) - used, "capacity: { ipv4: 5000, ipv6: 100 }\n");
	start(config);
	list_of("drop", "20.0.0.1", "c0");
	list_of("drop", "20.0.0.2", "c60");
	lab_follow();
	assert_verdict("20.0.0.2", "drop");
	hold("drop", true);
	assert_verdict("20.0.0.1", "monitor"); /* the one number that was left */
	assert_verdict("20.0.0.2", "clean");
	assert_string_equal(lab_refused("20.0.0.2", "c60"), "held");
	hold("drop", false);
	assert_verdict("20.0.0.2", "drop");
	assert_null(lab_refused("20.0.0.2", "c60"));
}

static void before_the_database_was_read_nothing_is_held(void **state)
{
	(void)state;
	lab_config(PLENTY);
	lab_maps(6000, 400, 100);
	lab_restart();
	assert_int_equal(sync_hold(lab.sync, "drop", true, &lab.why), -EAGAIN);
	assert_false(sync_held(lab.sync, "drop"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(what_a_held_feed_lists_only_counts),
		LAB_TEST(a_feed_is_held_and_released_with_all_it_lists),
		LAB_TEST(a_row_that_goes_while_its_feed_is_held_is_gone),
		LAB_TEST(another_feed_s_claim_drops_all_the_same),
		LAB_TEST(what_is_held_is_held_after_a_restart),
		LAB_TEST(what_is_held_is_held_after_a_reload),
		LAB_TEST(what_came_in_mode_monitor_is_held_when_the_mode_is_over),
		LAB_TEST(where_no_number_is_left_what_is_held_is_kept_out),
		LAB_TEST(before_the_database_was_read_nothing_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
