/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rate divided between those who want it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/shares.h"

#define MANY 1024

static uint64_t sum(const uint64_t *share, size_t count)
{
	uint64_t all = 0;

	for (size_t i = 0; i < count; i++)
		all += share[i];
	return all;
}

static void who_wants_alone_gets_nearly_all(void **state)
{
	uint64_t wanted[64] = { [7] = 1000000 }, share[64];

	(void)state;
	shares_divide(10000, wanted, share, 64);
	assert_in_range(share[7], 9300, 10000);
	assert_in_range(share[8], 1, 20); /* and the others may begin */
	assert_true(sum(share, 64) <= 10000);
}

static void all_who_want_much_get_the_same(void **state)
{
	uint64_t wanted[4] = { 1000000, 2000000, 100, 1000000 }, share[4];

	(void)state;
	shares_divide(10000, wanted, share, 4);
	assert_int_equal(share[0], share[1]);
	assert_int_equal(share[0], share[3]);
	assert_in_range(share[2], 100, 300);
	assert_in_range(share[0], 3100, 3300);
	assert_in_range(sum(share, 4), 9990, 10000);
}

static void who_wants_nothing_shares_alike(void **state)
{
	uint64_t wanted[4] = {}, share[4];

	(void)state;
	shares_divide(10000, wanted, share, 4);
	for (int i = 0; i < 4; i++)
		assert_in_range(share[i], 2490, 2500);
}

static void the_sum_is_never_more_than_the_total(void **state)
{
	static uint64_t wanted[MANY], share[MANY];
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t count = 1 + (size_t)round * 5;
		uint64_t total = (uint64_t)round * 977;

		for (size_t i = 0; i < count; i++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			wanted[i] = random >> (40 + random % 20);
		}
		shares_divide(total, wanted, share, count);
		assert_true(sum(share, count) <= total);
		assert_true(sum(share, count) + 2 * count >= total);
	}
	shares_divide(100, NULL, NULL, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_wants_alone_gets_nearly_all),
		cmocka_unit_test(all_who_want_much_get_the_same),
		cmocka_unit_test(who_wants_nothing_shares_alike),
		cmocka_unit_test(the_sum_is_never_more_than_the_total),
	};

	return cmocka_run_group_tests_name("shares", tests, NULL, NULL);
}
