/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the chance of a packet to become a sample follows the traffic.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/samples.h"

#define CERTAIN MOAT_SAMPLE_CERTAIN

static void quiet_traffic_is_taken_whole_after_some_looks(void **state)
{
	uint32_t chance = 0;
	int looks = 0;

	(void)state;
	for (; chance != CERTAIN; looks++) {
		chance = samples_chance(chance, 10, 500, 1);
		assert_true(looks < 10);
	}
	assert_true(looks > 3); /* not at once: a burst may be about to begin */
}

static void a_burst_lowers_the_chance_at_once(void **state)
{
	/* 1 M packets in half a second, all taken: from now on about 1,500 of 2 M. */
	uint32_t chance = samples_chance(CERTAIN, 1e6, 500, 1);

	(void)state;
	assert_float_equal((double)chance / CERTAIN * 2e6, SAMPLES_RATE, SAMPLES_RATE * 0.01);
}

static void the_chance_rises_by_twice_at_most(void **state)
{
	(void)state;
	assert_int_equal(samples_chance(1000, 0, 500, 1), 2000);
	assert_int_equal(samples_chance(CERTAIN / 2 + 1, 0, 500, 1), CERTAIN);
}

static void interfaces_share_the_rate(void **state)
{
	double one = samples_chance(CERTAIN, 1e6, 500, 1);
	double four = samples_chance(CERTAIN, 1e6, 500, 4);

	(void)state;
	assert_float_equal(one / four, 4, 0.01);
}

static void it_is_never_0_which_would_mean_off(void **state)
{
	(void)state;
	assert_int_equal(samples_chance(CERTAIN, 1e18, 500, 64), 1);
	assert_true(samples_chance(1, 1e6, 0, 0) >= 1);
}

static void steady_traffic_settles_at_the_rate(void **state)
{
	static const double rates[] = { 100, 3000, 40000, 14.8e6 };

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		uint32_t chance = 0;
		double taken;

		for (int look = 0; look < 40; look++)
			chance = samples_chance(chance, rates[i] / 2, 500, 1);
		taken = rates[i] * chance / CERTAIN;
		assert_true(taken < SAMPLES_RATE * 1.01);
		assert_true(taken > (rates[i] < SAMPLES_RATE ? rates[i] : SAMPLES_RATE) * 0.99);
	}
}

static void the_chance_of_dropped_packets_is_a_power_of_two_that_rises_as_well(void **state)
{
	uint32_t chance = samples_chance(0, 10, 500, 1);
	uint8_t last = 32, n = 0;

	(void)state;
	assert_int_equal(samples_drop_sampling(CERTAIN), 1);
	assert_int_equal(samples_drop_sampling(CERTAIN / 3), 3);
	assert_int_equal(samples_drop_sampling(1), 32);
	for (int look = 0; look < 10; look++) {
		n = samples_drop_sampling(chance);
		assert_true(n == 1 || n < last);
		last = n;
		chance = samples_chance(CERTAIN >> (n - 1), 10, 500, 1);
	}
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_traffic_is_taken_whole_after_some_looks),
		cmocka_unit_test(a_burst_lowers_the_chance_at_once),
		cmocka_unit_test(the_chance_rises_by_twice_at_most),
		cmocka_unit_test(interfaces_share_the_rate),
		cmocka_unit_test(it_is_never_0_which_would_mean_off),
		cmocka_unit_test(steady_traffic_settles_at_the_rate),
		cmocka_unit_test(
			the_chance_of_dropped_packets_is_a_power_of_two_that_rises_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
