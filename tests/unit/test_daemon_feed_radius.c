/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a list that would hit much of what passes comes to: held, refused,
 * released. The window of samples is the test's, the database is real.
 */
#include "tests/unit/feed_apply_lab.h"

#include "tests/unit/fake_daemon.h"

#define CLIENTS 100
#define OTHERS	1500 /* listed, and nobody of those who pass */

static char hits[65536], misses[65536]; /* lists: 30 of the clients among the others; the others */

static int setup(void **state)
{
	struct moat_sample sample = { .family = MOAT_IPV4, .chance = 1 };
	size_t used = 0;

	fake_reset();
	assert_int_equal(window_new(7, &fake.window), 0);
	window_open(fake.window, 0);
	fake.window_now = 100;
	for (int i = 0; i < 1000; i++) {
		memcpy(sample.source, (uint8_t[]){ 198, 51, 100, (uint8_t)(i % CLIENTS) }, 4);
		window_add(fake.window, 50, &sample, 1);
	}
	for (int i = 0; i < OTHERS; i++)
		used += (size_t)snprintf(misses + used, sizeof(misses) - used, "192.0.%d.%d\n",
					 i / 250, i % 250);
	used = (size_t)snprintf(hits, sizeof(hits), "%s", misses);
	for (int i = 0; i < 30; i++)
		used += (size_t)snprintf(hits + used, sizeof(hits) - used, "198.51.100.%d\n", i);
	return lab_setup(state);
}

static int teardown(void **state)
{
	fake.window = window_free(fake.window);
	return lab_teardown(state);
}

#define radius(...) ((struct list){ .format = FEED_PLAIN, .config = &fake.config, ##__VA_ARGS__ })

static void assert_about(double wanted, double got)
{
	assert_true(got > wanted * 0.9 && got < wanted * 1.1);
}

static void a_first_list_that_hits_too_much_is_held(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(), hits);

	assert_string_equal(r.cause, "");
	assert_true(r.applied);
	assert_int_equal(r.hold, FEED_HELD_BY_GUARD);
	assert_int_equal(r.radius.sources, OTHERS + 30);
	assert_about(0.3, r.radius.share);
	assert_int_equal(r.radius.hit_sources, 30);
	assert_non_null(strstr(r.hold_why, "would have hit 30.0 %"));
	assert_non_null(strstr(r.hold_why, "radius_budget is 0.5 %"));
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), OTHERS + 30);
}

static void a_list_that_hits_nobody_is_in_force_at_once(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(), misses);

	assert_int_equal(r.hold, FEED_FREE);
	assert_true(r.applied);
	assert_true(r.radius.judged);
	assert_float_equal(r.radius.share, 0, 0);
}

static void few_sources_are_never_held_but_reported(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(), "198.51.100.0/25\n");

	assert_int_equal(r.hold, FEED_FREE);
	assert_true(r.applied);
	assert_float_equal(r.radius.share, 1, 0);
}

static void a_list_after_one_in_force_is_refused(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(), "10.0.0.1\n192.0.9.1\n");

	assert_true(r.applied);
	r = take_text(lab, s, radius(.known = 2), hits);
	assert_string_equal(r.cause, "growth"); /* what stood against it before comes first */
	r = take_text(lab, s, radius(), hits);
	assert_false(r.applied);
	r = take_text(lab, s, radius(.max_growth = 1000000), hits);
	assert_string_equal(r.cause, "radius");
	assert_non_null(strstr(r.why.text, "--force"));
	assert_int_equal(r.hold, FEED_FREE);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 2);
	r = take_text(lab, s, radius(.force = true), hits);
	assert_true(r.applied);
	assert_true(r.forced);
	assert_int_equal(r.hold, FEED_FREE);
}

static void a_list_whose_last_one_has_aged_out_is_as_good_as_a_first(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(.ttl = HOUR, .force = true), hits);

	assert_true(r.applied);
	r = take_text(lab, s, radius(.ttl = HOUR, .now = NOW + DAY), hits);
	assert_int_equal(r.adds, 0);
	assert_int_equal(r.radius.sources, OTHERS + 30);
	assert_int_equal(r.hold, FEED_HELD_BY_GUARD);
}

static void an_unchanged_list_hits_nobody_anew(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(.force = true), hits);

	r = take_text(lab, s, radius(.known = OTHERS + 30), hits);
	assert_string_equal(r.cause, "");
	assert_int_equal(r.radius.sources, 0);
	assert_int_equal(r.hold, FEED_FREE);
}

static void a_held_feed_stays_held_until_a_list_hits_less(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(), hits);

	r = take_text(lab, s, radius(.held = FEED_HELD_BY_GUARD), hits);
	assert_int_equal(r.adds, 0);
	assert_int_equal(r.radius.sources, OTHERS + 30); /* all of it, not what is new */
	assert_int_equal(r.hold, FEED_HELD_BY_GUARD);
	r = take_text(lab, s, radius(.held = FEED_HELD_BY_GUARD), misses);
	assert_string_equal(r.cause, "");
	assert_int_equal(r.hold, FEED_FREE);
}

static void a_held_feed_is_not_released_for_want_of_traffic(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(), hits);

	fake.window_now = 100 + 2 * WINDOW_SECONDS;
	r = take_text(lab, s, radius(.held = FEED_HELD_BY_GUARD), hits);
	assert_false(r.radius.judged);
	assert_int_equal(r.hold, FEED_HELD_BY_GUARD);
	r = take_text(lab, s, radius(.feed = "other"), hits);
	assert_int_equal(r.hold, FEED_FREE); /* and none is held for it */
}

static void what_was_held_by_hand_is_released_by_hand(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(.held = FEED_HELD_BY_HAND), misses);

	assert_int_equal(r.hold, FEED_HELD_BY_HAND);
	r = take_text(lab, s, radius(.held = FEED_HELD_BY_HAND, .force = true), misses);
	assert_int_equal(r.hold, FEED_HELD_BY_HAND);
}

static void force_releases_what_the_guard_holds(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(), hits);

	r = take_text(lab, s, radius(.held = FEED_HELD_BY_GUARD, .force = true), hits);
	assert_int_equal(r.hold, FEED_FREE);
	assert_true(r.forced);
}

static void a_feed_in_mode_monitor_hits_nobody(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(.monitor = true), hits);

	assert_int_equal(r.radius.sources, 0);
	assert_int_equal(r.hold, FEED_HELD_BY_MODE);
	r = take_text(lab, s, radius(.monitor = true, .held = FEED_HELD_BY_GUARD), hits);
	assert_int_equal(r.hold, FEED_HELD_BY_MODE);
	r = take_text(lab, s, radius(.monitor = true, .held = FEED_HELD_BY_HAND), hits);
	assert_int_equal(r.hold, FEED_HELD_BY_HAND);
}

static void a_feed_that_leaves_mode_monitor_is_judged_as_a_whole(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(.monitor = true), hits);

	r = take_text(lab, s, radius(.held = FEED_HELD_BY_MODE, .again = true), hits);
	assert_int_equal(r.adds, 0);
	assert_int_equal(r.radius.sources, OTHERS + 30);
	assert_int_equal(r.hold, FEED_HELD_BY_GUARD);
	r = take_text(lab, s, radius(.held = FEED_HELD_BY_MODE), misses);
	assert_int_equal(r.hold, FEED_FREE);
}

static void without_traffic_it_waits_for_some_and_not_for_ever(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(.monitor = true), hits);

	fake.window_now = 100 + 2 * WINDOW_SECONDS;
	r = take_text(lab, s, radius(.held = FEED_HELD_BY_MODE), hits);
	assert_int_equal(r.hold, FEED_HELD_BY_MODE);
	r = take_text(lab, s, radius(.held = FEED_HELD_BY_MODE, .settled = true), hits);
	assert_int_equal(r.hold, FEED_FREE);
}

static void what_the_gate_keeps_out_hits_nobody(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(), "203.0.113.7\n192.0.2.1\n");

	assert_int_equal(r.refused[GATE_NEVER_BLOCK], 1);
	assert_int_equal(r.radius.sources, 1);
}

static void the_copy_on_disk_is_not_asked_again(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(.again = true), hits);

	assert_string_equal(r.cause, "");
	assert_int_equal(r.hold, FEED_FREE);
}

/* The same list, but the feed's category is another one now. */
static void what_the_copy_on_disk_adds_to_a_list_in_force_is_asked(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, radius(.monitor = true, .category = "spam"), hits);

	assert_true(r.applied);
	r = take_text(lab, s, radius(.again = true), hits);
	assert_int_equal(r.adds, OTHERS + 30);
	assert_string_equal(r.cause, "radius");
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing WHERE category = 'botnet'"),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(a_first_list_that_hits_too_much_is_held),
		T(a_list_that_hits_nobody_is_in_force_at_once),
		T(few_sources_are_never_held_but_reported),
		T(a_list_after_one_in_force_is_refused),
		T(a_list_whose_last_one_has_aged_out_is_as_good_as_a_first),
		T(an_unchanged_list_hits_nobody_anew),
		T(a_held_feed_stays_held_until_a_list_hits_less),
		T(a_held_feed_is_not_released_for_want_of_traffic),
		T(what_was_held_by_hand_is_released_by_hand),
		T(force_releases_what_the_guard_holds),
		T(a_feed_in_mode_monitor_hits_nobody),
		T(a_feed_that_leaves_mode_monitor_is_judged_as_a_whole),
		T(without_traffic_it_waits_for_some_and_not_for_ever),
		T(what_the_gate_keeps_out_hits_nobody),
		T(the_copy_on_disk_is_not_asked_again),
		T(what_the_copy_on_disk_adds_to_a_list_in_force_is_asked),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
