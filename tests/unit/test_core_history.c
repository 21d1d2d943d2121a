/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seconds, tens of seconds and minutes of many series in bounded memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/history.h"

#define START 1000020 /* a whole minute */

static int setup(void **state)
{
	return history_new((struct history **)state);
}

static int teardown(void **state)
{
	history_free(*state);
	return 0;
}

static void second(struct history *h, int64_t at, int series, double packets)
{
	history_open(h, at, 1);
	history_add(h, series, packets, packets * 60);
}

static double packets(const struct history *h, int series, int64_t at, unsigned int step)
{
	return history_read(h, series, at, step).packets;
}

static void a_second_is_read_as_it_was_added(void **state)
{
	struct history *h = *state;
	int series = history_series(h);

	second(h, START, series, 7);
	second(h, START + 1, series, 0);
	assert_float_equal(packets(h, series, START, 1), 7, 0);
	assert_float_equal(history_read(h, series, START, 1).bytes, 420, 0);
	assert_float_equal(packets(h, series, START + 1, 1), 0, 0);
	assert_int_equal(history_read(h, series, START + 1, 1).seconds, 1);
}

static void what_nobody_looked_at_is_a_gap_and_not_a_zero(void **state)
{
	struct history *h = *state;
	int series = history_series(h);

	second(h, START, series, 7);
	second(h, START + 2, series, 7);
	assert_int_equal(history_read(h, series, START + 1, 1).seconds, 0);
	assert_int_equal(history_read(h, series, START - 1, 1).seconds, 0);
	assert_int_equal(history_read(h, series, START + 3, 1).seconds, 0);
	assert_int_equal(history_read(h, series, START, 10).seconds, 2);
	assert_float_equal(packets(h, series, START, 10), 7, 0);
}

static void steps_are_means_of_their_seconds(void **state)
{
	struct history *h = *state;
	int series = history_series(h);

	for (int i = 0; i < 600; i++)
		second(h, START + i, series, i);
	assert_float_equal(packets(h, series, START + 10, 10), 14.5, 1e-6);
	assert_float_equal(packets(h, series, START + 120, 60), 149.5, 1e-6);
	assert_float_equal(packets(h, series, START + 180, 300), 329.5, 1e-6);
}

static void several_seconds_at_once_share_what_came(void **state)
{
	struct history *h = *state;
	int series = history_series(h);

	history_open(h, START + 8, 4);
	history_add(h, series, 100, 0);
	for (int i = 8; i < 12; i++)
		assert_float_equal(packets(h, series, START + i, 1), 25, 0);
	assert_int_equal(history_read(h, series, START, 10).seconds, 2);
	assert_float_equal(packets(h, series, START, 10), 25, 0);
}

static void the_old_gives_way_tier_by_tier(void **state)
{
	struct history *h = *state;
	int series = history_series(h);
	int64_t end = START + 7 * 86400 + 3600;

	for (int64_t at = START; at < end; at++)
		second(h, at, series, 3);
	assert_int_equal(history_read(h, series, end - 600, 1).seconds, 1);
	assert_int_equal(history_read(h, series, end - 601, 1).seconds, 0);
	assert_int_equal(history_read(h, series, end - 6 * 3600, 10).seconds, 10);
	assert_int_equal(history_read(h, series, end - 6 * 3600 - 10, 10).seconds, 0);
	assert_int_equal(history_read(h, series, end - 7 * 86400, 60).seconds, 60);
	assert_int_equal(history_read(h, series, end - 7 * 86400 - 60, 60).seconds, 0);
	assert_float_equal(packets(h, series, end - 7 * 86400, 1800), 3, 1e-4);
}

static void a_series_that_comes_later_had_nothing_before(void **state)
{
	struct history *h = *state;
	int first = history_series(h), later;

	second(h, START, first, 9);
	later = history_series(h);
	second(h, START + 1, later, 4);
	assert_float_equal(packets(h, later, START, 1), 0, 0);
	assert_int_equal(history_read(h, later, START, 1).seconds, 1);
	assert_float_equal(packets(h, later, START, 10), 2, 0);
	assert_float_equal(packets(h, first, START, 10), 4.5, 0);
}

static void the_number_of_series_is_bounded(void **state)
{
	struct history *h = *state;

	for (int i = 0; i < HISTORY_SERIES_MAX; i++)
		assert_int_equal(history_series(h), i);
	assert_int_equal(history_series(h), -ENOSPC);
}

static void only_some_steps_exist(void **state)
{
	(void)state;
	assert_int_equal(history_reach(0), 0);
	assert_int_equal(history_reach(1), 600);
	assert_int_equal(history_reach(10), 6 * 3600);
	assert_int_equal(history_reach(1800), HISTORY_SECONDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_second_is_read_as_it_was_added, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_looked_at_is_a_gap_and_not_a_zero,
						setup, teardown),
		cmocka_unit_test_setup_teardown(steps_are_means_of_their_seconds, setup, teardown),
		cmocka_unit_test_setup_teardown(several_seconds_at_once_share_what_came, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_old_gives_way_tier_by_tier, setup, teardown),
		cmocka_unit_test_setup_teardown(a_series_that_comes_later_had_nothing_before, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_number_of_series_is_bounded, setup, teardown),
		cmocka_unit_test(only_some_steps_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
