/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Categories that ask for feeds that agree, and shared addresses: from rows
 * and configuration to what the maps say. Random rows are in
 * test_daemon_sync_random.
 */
#include "tests/unit/sync_lab.h"

#define CATEGORIES                                                                                 \
	"categories:\n"                                                                            \
	"  botnet: { action: drop }\n"                                                             \
	"  proxy: { action: drop, k_of: 2 }\n"                                                     \
	"  cgnat: { action: shared, mark: 1 }\n"
#define CONFIG CATEGORIES "capacity: { ipv4: 3, ipv6: 3 }\n"

static void start(const char *config)
{
	lab_config(config);
	lab_maps(400, 400, 100);
	lab_restart();
	assert_int_equal(lab_start(), 0);
}

static void claim(const char *feed, const char *source, const char *category, int seconds)
{
	lab_sql("INSERT INTO listing (source, category, feed, expires_at)"
		" VALUES ('%s', '%s', '%s', nullif(%lld, 0))",
		source, category, feed, seconds ? (long long)lab_now() + seconds : 0);
	lab_follow();
}

static void reload(const char *config)
{
	struct config *before = lab.config;

	lab.config = NULL;
	lab_config(config);
	assert_int_equal(sync_reload(lab.sync, lab.config, lab.never, lab.nevers, &lab.why), 0);
	config_free(before);
	lab_check();
}

static void feeds_that_agree_drop_until_one_ends_with_no_daemon_running(void **state)
{
	(void)state;
	start(CONFIG);
	claim("one", "20.0.0.1", "proxy", 0);
	assert_verdict("20.0.0.1", "monitor");
	claim("two", "20.0.0.0/24", "proxy", 60);
	assert_verdict("20.0.0.1", "drop");
	assert_verdict("20.0.0.2", "monitor");
	lab_check();
	lab_pass(61); /* nobody follows */
	assert_verdict("20.0.0.1", "monitor");
	assert_verdict("20.0.0.2", "clean");
	lab_check_packets();
}

static void both_spellings_of_a_host_are_the_same_feed(void **state)
{
	(void)state;
	start(CONFIG);
	claim("one", "20.0.0.1/32", "proxy", 0);
	claim("one", "20.0.0.1", "proxy", 0);
	assert_verdict("20.0.0.1", "monitor");
	claim("two", "20.0.0.1/32", "proxy", 0);
	assert_verdict("20.0.0.1", "drop");
	lab_check();
}

static void a_reload_changes_how_many_must_agree(void **state)
{
	(void)state;
	start(CONFIG);
	claim("one", "20.0.0.1", "proxy", 0);
	claim("manual", "20.0.0.2", "proxy", 0);
	assert_verdict("20.0.0.2", "drop");
	reload("categories: { proxy: { action: drop } }\ncapacity: { ipv4: 3, ipv6: 3 }\n");
	assert_verdict("20.0.0.1", "drop");
	reload(CONFIG "manual: { trusted: false }\n");
	assert_verdict("20.0.0.1", "monitor");
	assert_verdict("20.0.0.2", "monitor");
	claim("two", "20.0.0.1", "proxy", 0);
	assert_verdict("20.0.0.1", "drop");
	reload(CONFIG "feeds:\n"
		      "  - { name: one, url: 'file:///1', category: proxy, group: g }\n"
		      "  - { name: two, url: 'file:///2', category: proxy, group: g }\n");
	assert_verdict("20.0.0.1", "monitor");
	assert_verdict("20.0.0.2", "drop");
}

static void a_feed_in_mode_monitor_does_not_count(void **state)
{
	(void)state;
	start(CONFIG
	      "feeds: [ { name: one, url: 'file:///1', category: proxy, mode: monitor } ]\n");
	claim("one", "20.0.0.1", "proxy", 0);
	claim("two", "20.0.0.1", "proxy", 0);
	assert_verdict("20.0.0.1", "monitor");
	claim("three", "20.0.0.1", "proxy", 0);
	assert_verdict("20.0.0.1", "drop");
}

static void shared_addresses_take_no_room_and_are_not_wanted(void **state)
{
	(void)state;
	start(CONFIG);
	for (int i = 0; i < 2; i++)
		lab_sql("INSERT INTO listing (source, category) VALUES ('21.64.%d.0/24', 'cgnat')",
			i);
	lab_follow();
	assert_int_equal(lab_numbers().wanted[MOAT_IPV4], 0);
	assert_int_equal(lab_numbers().refused[MOAT_IPV4], 0);
	assert_true(lab_numbers().coverage == 1);
	assert_false(lab_in_kernel("21.64.0.0/24"));
	assert_int_equal(lab_count("manual", "cgnat", "live"), 2);
	claim("one", "21.64.0.0/16", "botnet", 30);
	assert_verdict("21.64.0.1", "shared");
	assert_verdict("21.64.99.1", "drop");
	assert_int_equal(lab_numbers().wanted[MOAT_IPV4], 3);
	assert_int_equal(lab_numbers().refused[MOAT_IPV4], 0);
	lab_pass(31);
	lab_follow();
	assert_int_equal(lab_numbers().wanted[MOAT_IPV4], 0);
	assert_int_equal(lab_numbers().refused[MOAT_IPV4], 0);
	assert_false(lab_in_kernel("21.64.0.0/24"));
	lab_check();
}

static void what_waits_for_room_and_is_only_shared_then_is_not_refused_any_more(void **state)
{
	(void)state;
	start(CONFIG);
	for (int i = 1; i <= 4; i++)
		lab_sql("INSERT INTO listing (source, category) VALUES ('20.0.0.%d', 'botnet')", i);
	lab_follow();
	claim("one", "20.0.0.4", "cgnat", 0);
	assert_string_equal(lab_refused("20.0.0.4", "cgnat"), "map_full");
	lab_sql("DELETE FROM listing WHERE source = '20.0.0.4' AND category = 'botnet'");
	lab_follow();
	assert_null(lab_refused("20.0.0.4", "cgnat"));
	assert_int_equal(lab_numbers().refused[MOAT_IPV4], 0);
	lab_check();
}

static void a_category_that_becomes_shared_leaves_the_maps(void **state)
{
	(void)state;
	start("categories: { cgnat: { action: drop } }\ncapacity: { ipv4: 3, ipv6: 3 }\n");
	claim("one", "20.0.0.0/24", "cgnat", 0);
	assert_verdict("20.0.0.1", "drop");
	reload(CONFIG);
	assert_verdict("20.0.0.1", "clean");
	assert_false(lab_in_kernel("20.0.0.0/24"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(feeds_that_agree_drop_until_one_ends_with_no_daemon_running),
		LAB_TEST(both_spellings_of_a_host_are_the_same_feed),
		LAB_TEST(a_reload_changes_how_many_must_agree),
		LAB_TEST(a_feed_in_mode_monitor_does_not_count),
		LAB_TEST(shared_addresses_take_no_room_and_are_not_wanted),
		LAB_TEST(what_waits_for_room_and_is_only_shared_then_is_not_refused_any_more),
		LAB_TEST(a_category_that_becomes_shared_leaves_the_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
