/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a feed is fetched next.
 */
#include <setjmp.h>
#include <stdarg.h>

#include "daemon/feed_schedule.h"

#include <cmocka.h>

#define HOUR  3600
#define TRIES 1000

static struct feed_timing hourly(void)
{
	return (struct feed_timing){ .every = HOUR, .seed = feed_schedule_seed("drop", "host") };
}

static void assert_between(int64_t value, int64_t low, int64_t high)
{
	if (value < low || value > high)
		fail_msg("%lld is not within %lld and %lld", (long long)value, (long long)low,
			 (long long)high);
}

static void a_good_fetch_is_repeated_no_earlier_than_asked_and_a_tenth_later_at_most(void **state)
{
	struct feed_timing t = hourly();
	int64_t least = INT64_MAX, most = 0;

	(void)state;
	for (t.attempt = 0; t.attempt < TRIES; t.attempt++) {
		int64_t next = feed_schedule_next(&t);

		assert_between(next, HOUR, HOUR + HOUR / FEED_JITTER_PART);
		least = next < least ? next : least;
		most = next > most ? next : most;
	}
	/* All of the room is used. */
	assert_between(least, HOUR, HOUR + 10);
	assert_between(most, HOUR + HOUR / FEED_JITTER_PART - 10, HOUR + HOUR / FEED_JITTER_PART);
}

static void the_same_seed_gives_the_same_times_and_another_host_others(void **state)
{
	struct feed_timing a = hourly(), b = hourly(), c = hourly();
	unsigned int same = 0;

	(void)state;
	c.seed = feed_schedule_seed("drop", "other");
	assert_true(feed_schedule_seed("ab", "c") != feed_schedule_seed("a", "bc"));
	for (a.attempt = 0; a.attempt < TRIES; a.attempt++) {
		b.attempt = c.attempt = a.attempt;
		assert_int_equal(feed_schedule_next(&a), feed_schedule_next(&b));
		same += feed_schedule_next(&a) == feed_schedule_next(&c);
	}
	assert_true(same < TRIES / 10);
}

static void failures_are_retried_soon_then_ever_later_up_to_the_cap(void **state)
{
	static const int64_t wanted[] = { 300, 600, 1200, 2400, 3600, 3600 };
	struct feed_timing t = hourly();

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++) {
		t.failures = i + 1;
		assert_between(feed_schedule_next(&t), wanted[i], wanted[i] + wanted[i] / 10);
	}
	t.failures = UINT32_MAX;
	assert_between(feed_schedule_next(&t), 3600, 3960);
}

static void a_feed_of_seconds_and_one_of_days_keep_their_own_bounds(void **state)
{
	struct feed_timing often = { .every = 60, .failures = 1 };
	struct feed_timing daily = { .every = 24 * HOUR, .failures = 100 };

	(void)state;
	assert_between(feed_schedule_next(&often), 60, 66);
	often.failures = 100;
	assert_between(feed_schedule_next(&often), FEED_RETRY_CAP, FEED_RETRY_CAP * 11 / 10);
	assert_between(feed_schedule_next(&daily), 24 * HOUR, 24 * HOUR * 11 / 10);
}

static void a_stream_is_jittered_and_retried_like_others_but_within_its_own_cap(void **state)
{
	struct feed_timing t = { .every = 10, .retry_cap = 60 };

	(void)state;
	for (t.attempt = 0; t.attempt < TRIES; t.attempt++) {
		assert_between(feed_schedule_next(&t), 10, 11);
		assert_between(feed_schedule_first(&t, 0, 1800000000), 1, 2);
	}
	for (t.failures = 1; t.failures < 10; t.failures++) {
		static const int64_t wanted[] = { 10, 20, 40, 60 };
		int64_t least = wanted[t.failures < 4 ? t.failures - 1 : 3];

		assert_between(feed_schedule_next(&t), least, least + least / 10);
	}
	t.retry_after = 90;
	assert_between(feed_schedule_next(&t), 90, 99);
	/* Without a cap of its own: no longer than six times what is configured. */
	t = (struct feed_timing){ .every = 2, .failures = 100 };
	assert_between(feed_schedule_next(&t), 12, 13);
}

static void what_the_server_asks_for_is_done_within_reason(void **state)
{
	struct feed_timing t = hourly();

	(void)state;
	t.retry_after = 5 * HOUR;
	assert_between(feed_schedule_next(&t), 5 * HOUR, 5 * HOUR * 11 / 10);
	t.failures = 1;
	assert_between(feed_schedule_next(&t), 5 * HOUR, 5 * HOUR * 11 / 10);
	t.retry_after = 10; /* sooner than we would anyway */
	assert_between(feed_schedule_next(&t), 300, 330);
	t.retry_after = INT64_MAX;
	assert_between(feed_schedule_next(&t), FEED_RETRY_AFTER_MAX,
		       FEED_RETRY_AFTER_MAX * 11 / 10);
	t.retry_after = INT64_MIN;
	assert_between(feed_schedule_next(&t), 300, 330);
}

static void nonsense_is_held_within_bounds(void **state)
{
	static const int64_t everies[] = { INT64_MIN, -1, 0, 1, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(everies); i++) {
		struct feed_timing t = { .every = everies[i], .seed = UINT64_MAX };

		assert_between(feed_schedule_next(&t), FEED_EVERY_MIN, FEED_EVERY_MAX * 11LL / 10);
		assert_between(feed_schedule_first(&t, INT64_MIN, INT64_MAX), 1,
			       1 + FEED_START_SPREAD);
	}
}

static void after_a_start_a_fresh_list_waits_and_a_stale_one_is_fetched_soon(void **state)
{
	const int64_t now = 1800000000;
	struct feed_timing t = hourly();

	(void)state;
	assert_between(feed_schedule_first(&t, 0, now), 1, 1 + FEED_START_SPREAD);
	assert_between(feed_schedule_first(&t, now - 2 * HOUR, now), 1, 1 + FEED_START_SPREAD);
	assert_between(feed_schedule_first(&t, now + HOUR, now), 1, 1 + FEED_START_SPREAD);
	assert_between(feed_schedule_first(&t, now - 600, now), HOUR - 600,
		       HOUR - 600 + FEED_START_SPREAD);
	assert_between(feed_schedule_first(&t, now - HOUR + 1, now), 1, 1 + FEED_START_SPREAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_good_fetch_is_repeated_no_earlier_than_asked_and_a_tenth_later_at_most),
		cmocka_unit_test(the_same_seed_gives_the_same_times_and_another_host_others),
		cmocka_unit_test(failures_are_retried_soon_then_ever_later_up_to_the_cap),
		cmocka_unit_test(a_feed_of_seconds_and_one_of_days_keep_their_own_bounds),
		cmocka_unit_test(
			a_stream_is_jittered_and_retried_like_others_but_within_its_own_cap),
		cmocka_unit_test(what_the_server_asks_for_is_done_within_reason),
		cmocka_unit_test(nonsense_is_held_within_bounds),
		cmocka_unit_test(after_a_start_a_fresh_list_waits_and_a_stale_one_is_fetched_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
