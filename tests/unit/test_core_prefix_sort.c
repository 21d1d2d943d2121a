/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sorting by prefix gives the order of prefix_compare(), and loses nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/prefix_sort.h"

#define MANY 100000

struct item {
	struct prefix prefix;
	uint32_t number;
};

static uint64_t mixed(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15ULL;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return z ^ z >> 31;
}

static int by_prefix(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

/* Sorts, compares with qsort(), and looks for each number. */
static void assert_sorts(struct item *items, size_t count)
{
	_cleanup_free_ struct item *want = calloc(count + 1, sizeof(*want));
	_cleanup_free_ bool *seen = calloc(count + 1, sizeof(*seen));

	assert_non_null(want);
	assert_non_null(seen);
	for (size_t i = 0; i < count; i++)
		items[i].number = (uint32_t)i;
	memcpy(want, items, count * sizeof(*items));
	qsort(want, count, sizeof(*want), by_prefix);

	prefix_sort(items, count, sizeof(*items));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(prefix_compare(&items[i].prefix, &want[i].prefix), 0);
		assert_true(items[i].number < count);
		assert_false(seen[items[i].number]);
		seen[items[i].number] = true;
	}
}

/* spread: how many of the leading bytes differ at all. */
static void fill(struct item *items, size_t count, unsigned int spread, uint8_t family,
		 uint64_t seed)
{
	for (size_t i = 0; i < count; i++) {
		struct prefix *p = &items[i].prefix;

		*p = (struct prefix){ .family = family < 2 ? family : mixed(&seed) % 2 };
		for (unsigned int at = 0; at < (p->family == MOAT_IPV4 ? 4 : 16); at++)
			p->addr[at] = at < spread ? (uint8_t)mixed(&seed) : 7;
		p->len = mixed(&seed) % (prefix_max(p->family) + 1);
		prefix_mask(p);
	}
}

static void sorts_any_mixture(void **state)
{
	_cleanup_free_ struct item *items = calloc(MANY, sizeof(*items));
	static const size_t counts[] = { 0, 1, 2, 3, 48, 49, 50, 1000, MANY };

	(void)state;
	assert_non_null(items);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		for (uint8_t family = 0; family < 3; family++) {
			for (unsigned int spread = 0; spread <= 16; spread += 2) {
				fill(items, counts[i], spread, family, i * 100 + spread);
				assert_sorts(items, counts[i]);
			}
		}
	}
}

static void equal_prefixes_stay_apart(void **state)
{
	_cleanup_free_ struct item *items = calloc(MANY, sizeof(*items));

	(void)state;
	assert_non_null(items);
	assert_sorts(items, MANY);
}

static void what_is_sorted_stays_so(void **state)
{
	_cleanup_free_ struct item *items = calloc(MANY, sizeof(*items));

	(void)state;
	assert_non_null(items);
	fill(items, MANY, 4, 2, 1);
	assert_sorts(items, MANY);
	assert_sorts(items, MANY);
	for (size_t i = 0; i < MANY / 2; i++) {
		struct item swapped = items[i];

		items[i] = items[MANY - 1 - i];
		items[MANY - 1 - i] = swapped;
	}
	assert_sorts(items, MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_any_mixture),
		cmocka_unit_test(equal_prefixes_stay_apart),
		cmocka_unit_test(what_is_sorted_stays_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
