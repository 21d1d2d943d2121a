/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows in force elsewhere: each is known once, and counted where it belongs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/elsewhere.h"

#define ROWS 5000

static void a_row_counts_once_until_it_is_cleared(void **state)
{
	_cleanup_(elsewhere_freep) struct elsewhere *e = NULL;
	const struct row row = { .source = "192.0.2.1", .category = "botnet", .feed = "f" };

	(void)state;
	assert_int_equal(elsewhere_new(&e), 0);
	assert_int_equal(elsewhere_clear(e, &row), 0);
	assert_int_equal(elsewhere_set(e, &row, 9, 3), 1);
	assert_int_equal(elsewhere_set(e, &row, 9, 3), 0);
	assert_int_equal(elsewhere_count(e, 9, 3), 1);
	assert_int_equal(elsewhere_count(e, 9, 2), 0);
	assert_int_equal(elsewhere_count(e, 60000, 3), 0);
	assert_int_equal(elsewhere_clear(e, &row), 1);
	assert_int_equal(elsewhere_total(e), 0);
	assert_int_equal(elsewhere_count(e, 9, 3), 0);
}

static void a_row_is_all_of_source_category_and_feed(void **state)
{
	static const struct row rows[] = {
		{ .source = "a", .category = "b", .feed = "c" },
		{ .source = "ab", .category = "", .feed = "c" },
		{ .source = "", .category = "ab", .feed = "c" },
		{ .source = "b", .category = "a", .feed = "c" },
		{ .source = NULL, .category = "a", .feed = "bc" },
	};
	_cleanup_(elsewhere_freep) struct elsewhere *e = NULL;

	(void)state;
	assert_int_equal(elsewhere_new(&e), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(elsewhere_set(e, &rows[i], 0, 0), 1);
	assert_int_equal(elsewhere_total(e), ARRAY_SIZE(rows));
}

/* Deletes from clusters of slots, and grows: a plain array of flags is the oracle. */
static void thousands_come_and_go_and_none_is_lost(void **state)
{
	_cleanup_(elsewhere_freep) struct elsewhere *e = NULL;
	static bool there[ROWS];
	uint64_t random = 88172645463325252ULL; /* fixed: a failure repeats */
	size_t total = 0;

	(void)state;
	assert_int_equal(elsewhere_new(&e), 0);
	for (int step = 0; step < 20 * ROWS; step++) {
		char source[32];
		size_t n;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		n = random % ROWS;
		snprintf(source, sizeof(source), "%zu", n);
		if (random >> 40 & 1) {
			assert_int_equal(elsewhere_set(e, &(struct row){ .source = source },
						       (uint16_t)(n % 7), 1),
					 !there[n]);
			total += !there[n];
			there[n] = true;
		} else {
			assert_int_equal(elsewhere_clear(e, &(struct row){ .source = source }),
					 there[n]);
			total -= there[n];
			there[n] = false;
		}
		assert_int_equal(elsewhere_total(e), total);
	}
	for (uint16_t feed = 0; feed < 7; feed++)
		total -= elsewhere_count(e, feed, 1);
	assert_int_equal(total, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_counts_once_until_it_is_cleared),
		cmocka_unit_test(a_row_is_all_of_source_category_and_feed),
		cmocka_unit_test(thousands_come_and_go_and_none_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
