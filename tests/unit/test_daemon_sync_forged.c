/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows with the names that moat uses for itself, and rows under a feed's name
 * that its list would never have: what any SQL client can write.
 */
#include "tests/unit/sync_lab.h"

#define PLENTY LAB_CATEGORIES "capacity: { ipv4: 100, ipv6: 100 }\n"
#define MONITORS                                                                                   \
	PLENTY "feeds:\n"                                                                          \
	       "  - { name: watched, url: 'file:///nonexistent', category: botnet,"                \
	       " mode: monitor }\n"
/* Categories enough that there are no numbers for all of them to only count. */
#define CROWD 61

static void start(const char *config)
{
	lab_config(config);
	lab_maps(400, 400, 100);
	lab_restart();
	assert_int_equal(lab_start(), 0);
}

static void list_of(const char *feed, const char *source, const char *category)
{
	lab_sql("INSERT INTO listing (source, category, feed) VALUES ('%s', '%s', '%s')", source,
		category, feed);
}

static void a_row_in_moat_s_own_name_takes_no_protection_away(void **state)
{
	(void)state;
	lab_never("20.0.0.1");
	start(PLENTY);
	lab_list("20.0.0.0/24", "botnet");
	list_of("(never_block)", "20.0.0.1", "allow");
	lab_follow();
	assert_verdict("20.0.0.1", "allow");
	assert_verdict("20.0.0.2", "drop");
	lab_sql("DELETE FROM listing WHERE feed = '(never_block)'");
	lab_follow();
	assert_verdict("20.0.0.1", "allow");
	lab_check();
}

static void the_name_of_what_only_counts_is_nobody_s(void **state)
{
	(void)state;
	start(MONITORS);
	list_of("watched", "20.0.0.1", "botnet");
	lab_follow();
	assert_verdict("20.0.0.1", "monitor");
	list_of("watched", "20.0.0.1", "~botnet");
	lab_follow();
	assert_verdict("20.0.0.1", "monitor");
	assert_int_equal(lab_count("watched", "botnet", "live"), 1);
	/* A second series with the same labels would make all of /metrics unreadable. */
	assert_int_equal(lab_count("watched", "botnet", "refused"), 0);
}

static void what_a_feed_in_mode_monitor_lists_only_counts_whatever_its_category(void **state)
{
	(void)state;
	start(MONITORS);
	list_of("watched", "20.0.0.1", "scraper");
	list_of("watched", "20.0.0.2", "scanner");
	list_of("watched", "20.0.0.3", "research");
	list_of("watched", "20.0.0.4", "allow");
	list_of("other", "20.0.0.5", "scraper");
	lab_follow();
	assert_verdict("20.0.0.1", "monitor");
	assert_verdict("20.0.0.2", "monitor");
	assert_verdict("20.0.0.3", "monitor");
	assert_verdict("20.0.0.4", "allow");
	assert_verdict("20.0.0.5", "limit");
}

static void its_rows_end_also_when_another_feed_was_held_since(void **state)
{
	(void)state;
	start(MONITORS);
	list_of("watched", "20.0.0.1", "scanner");
	lab_follow();
	lab_sql("INSERT INTO feed (feed, held) VALUES ('other', 1)");
	assert_int_equal(sync_hold(lab.sync, "other", true, &lab.why), 0);
	lab_sql("DELETE FROM listing");
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	assert_int_equal(lab_count("watched", "scanner", "live"), 0);
}

static void where_no_number_is_left_what_it_lists_is_kept_out(void **state)
{
	static char config[CROWD * 48];
	size_t used = (size_t)snprintf(config, sizeof(config), "categories:\n");

	(void)state;
	for (int i = 0; i < CROWD; i++)
		used += (size_t)snprintf(config + used, sizeof(config) - used,
					 "  c%d: { action: drop }\n", i);
	snprintf(config + used, sizeof(config) - used,
		 "capacity: { ipv4: 100, ipv6: 100 }\n"
		 "feeds: [ { name: watched, url: 'file:///nonexistent', category: c60,"
		 " mode: monitor } ]\n");
	start(config);
	list_of("watched", "20.0.0.1", "c60");
	list_of("watched", "20.0.0.2", "c1");
	lab_follow();
	assert_verdict("20.0.0.1", "monitor"); /* the one number that was left */
	assert_verdict("20.0.0.2", "clean");
	assert_string_equal(lab_refused("20.0.0.2", "c1"), "held");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_row_in_moat_s_own_name_takes_no_protection_away),
		LAB_TEST(the_name_of_what_only_counts_is_nobody_s),
		LAB_TEST(what_a_feed_in_mode_monitor_lists_only_counts_whatever_its_category),
		LAB_TEST(its_rows_end_also_when_another_feed_was_held_since),
		LAB_TEST(where_no_number_is_left_what_it_lists_is_kept_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
