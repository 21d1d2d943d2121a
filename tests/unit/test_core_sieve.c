// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sieve as a whole: sizes, and what the program reads of hosts, prefixes
 * and IPv6 together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sieve_naive.h"

#define START 100000 /* ticks */

/* ---- sizes ---- */

static struct sieve_size size_of(uint32_t ipv4, uint32_t ipv6)
{
	struct sieve_size size;

	sieve_size((const uint32_t[2]){ ipv4, ipv6 }, &size);
	return size;
}

static bool power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

static void maps_have_room_for_all_that_may_be_installed(void **state)
{
	static const uint32_t capacity[] = { 0, 1, 7, 1000, 1000000, 1048576, 10000000, 40000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(capacity); i++) {
		struct sieve_size size = size_of(capacity[i], capacity[i]);

		assert_true(power_of_two(size.hosts) && power_of_two(size.buckets));
		assert_true(size.hosts / 2 * MOAT_SLOTS4 >= capacity[i] * 8ULL / 5);
		assert_true(size.buckets / 2 * MOAT_SLOTS6 >= capacity[i] * 2ULL);
		assert_true(size.leaves >= capacity[i] + MOAT_LEAF_FIRST);
		assert_true(size.parts * MOAT_CELLS_OF_ELEMENT >=
			    MOAT_ROOT_NODES * MOAT_CELLS_OF_NODE);
		assert_int_equal(size.blocks, MOAT_BLOCK_ELEMENTS);
	}
}

static void no_map_is_larger_than_the_kernel_takes(void **state)
{
	struct sieve_size size = size_of(UINT32_MAX, UINT32_MAX);

	(void)state;
	assert_true(size.hosts * sizeof(struct moat_bucket4) <= 1ULL << 31);
	assert_true(size.parts * sizeof(struct moat_node_part) <= 1ULL << 31);
	assert_true(size.leaves * sizeof(union moat_leaf) <= 1ULL << 31);
	assert_true(size.buckets * sizeof(struct moat_bucket6) <= 1ULL << 32);
}

static void memory_is_the_sum_of_the_maps_and_grows_with_capacity(void **state)
{
	struct sieve_size size = size_of(1000000, 250000);
	uint32_t small[2] = { 1000, 1000 }, large[2] = { 1000000, 1000 };

	(void)state;
	assert_int_equal(sieve_memory(&size), sizeof(struct moat_sieve) + size.blocks * 8ULL +
						      size.hosts * 64ULL + size.parts * 64ULL +
						      size.leaves * 8ULL + size.buckets * 136ULL);
	assert_true(sieve_memory_beside(small) >= 1 << 24);
	assert_true(sieve_memory_beside(large) > sieve_memory_beside(small));
}

/* ---- the whole ---- */

static void lab_open(uint32_t ipv4, uint32_t ipv6, uint64_t seed)
{
	uint8_t lengths[MOAT_LENGTHS6];

	for (uint32_t i = 0; i < MOAT_LENGTHS6; i++)
		lengths[i] = 128 - i;
	sieve_lab_open((const uint32_t[2]){ ipv4, ipv6 }, seed, START);
	sieve_lab_lengths6(lengths, MOAT_LENGTHS6);
	sieve_set_lengths(sieve_lab.sieve, MOAT_IPV4, 33);
}

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void put(const char *text, uint32_t class)
{
	struct prefix p = prefix_of(text);

	sieve_put(sieve_lab.sieve, &p, class, MOAT_NEVER);
}

static void drop(const char *text)
{
	struct prefix p = prefix_of(text);

	sieve_delete(sieve_lab.sieve, &p);
}

/* Class of the host, -1 when it is clean, -2 when it is asked for. */
static int class_of(const char *text)
{
	struct prefix p = prefix_of(text);
	struct sieve_answer a = sieve_lab_read(&p);

	return a.ask ? -2 : a.listed ? (int)a.class : -1;
}

static void a_family_without_sources_is_said_to_be_empty(void **state)
{
	struct prefix four = prefix_of("192.0.2.1"), six = prefix_of("2001:db8::1");

	(void)state;
	sieve_lab_open((const uint32_t[2]){ 10, 10 }, 1, START);
	assert_true(sieve_lab_read(&four).empty && sieve_lab_read(&six).empty);
	sieve_set_lengths(sieve_lab.sieve, MOAT_IPV4, 1);
	assert_false(sieve_lab_read(&four).empty);
	assert_true(sieve_lab_read(&six).empty);
	sieve_set_lengths(sieve_lab.sieve, MOAT_IPV6, 1);
	assert_false(sieve_lab_read(&six).empty);
	sieve_set_lengths(sieve_lab.sieve, MOAT_IPV4, 0);
	assert_true(sieve_lab_read(&four).empty);
	sieve_lab_close();
}

static void a_host_decides_before_the_prefixes_over_it(void **state)
{
	(void)state;
	lab_open(100, 100, 1);
	put("192.0.2.0/24", 2);
	put("192.0.2.1", 1);
	put("192.0.2.128/25", 3);
	assert_int_equal(class_of("192.0.2.1"), 1);
	assert_int_equal(class_of("192.0.2.2"), 2);
	assert_int_equal(class_of("192.0.2.129"), 3);
	assert_int_equal(class_of("192.0.3.1"), -1);
	drop("192.0.2.1");
	assert_int_equal(class_of("192.0.2.1"), 2);
	put("192.0.2.1", 4);
	drop("192.0.2.0/24");
	assert_int_equal(class_of("192.0.2.1"), 4);
	assert_int_equal(class_of("192.0.2.2"), -1);
	drop("192.0.2.128/25");
	assert_int_equal(class_of("192.0.2.1"), 4);
	assert_int_equal(class_of("192.0.2.129"), -1);
	sieve_lab_close();
}

static void the_families_do_not_know_of_each_other(void **state)
{
	(void)state;
	lab_open(100, 100, 1);
	put("0.0.0.0/0", 1);
	assert_int_equal(class_of("192.0.2.1"), 1);
	assert_int_equal(class_of("2001:db8::1"), -1);
	drop("0.0.0.0/0");
	put("::/0", 2);
	put("2001:db8::/32", 3);
	put("2001:db8::1", 4);
	assert_int_equal(class_of("192.0.2.1"), -1);
	assert_int_equal(class_of("2001:db9::1"), 2);
	assert_int_equal(class_of("2001:db8::2"), 3);
	assert_int_equal(class_of("2001:db8::1"), 4);
	sieve_lab_close();
}

static void an_ended_match_is_asked_for_and_not_passed_over(void **state)
{
	struct prefix host = prefix_of("192.0.2.1"), net = prefix_of("198.51.100.0/24");

	(void)state;
	lab_open(100, 100, 1);
	put("192.0.2.0/24", 1);
	put("198.51.0.0/16", 1);
	sieve_put(sieve_lab.sieve, &host, 2, START + 1000);
	sieve_put(sieve_lab.sieve, &net, 2, START + 1000);
	assert_int_equal(class_of("192.0.2.1"), 2);
	assert_int_equal(class_of("198.51.100.1"), 2);
	sieve_lab.now = START + 1000;
	assert_int_equal(class_of("192.0.2.1"), -2);
	assert_int_equal(class_of("198.51.100.1"), -2);
	sieve_lab_close();
}

/* ---- at random ---- */

/* Sources of a few trees, so that they nest. */
static struct prefix random_source(uint64_t *random)
{
	uint64_t r = sieve_lab_random(random);
	struct prefix p = { .family = r & 1 ? MOAT_IPV6 : MOAT_IPV4 };
	unsigned int bytes = p.family == MOAT_IPV6 ? 16 : 4;

	for (unsigned int i = 0; i < bytes; i++)
		p.addr[i] = 32 + (sieve_lab_random(random) >> 40 & 1) * (i % 3 ? 129 : 1);
	p.len = r >> 8 & 1 ? bytes * 8 : (r >> 16) % (bytes * 8 + 1);
	prefix_mask(&p);
	return p;
}

static void check_all(const struct naive *naive, uint64_t *random)
{
	for (uint32_t i = 0; i < naive->count; i++) {
		struct prefix host = naive->at[i].source, other = random_source(random);

		host.len = other.len = prefix_max(host.family);
		if (other.family != host.family)
			other = host;
		assert_true(naive_agrees(naive, &host, sieve_lab_read(&host)));
		assert_true(naive_agrees(naive, &other, sieve_lab_read(&other)));
	}
}

static void any_sequence_of_all_kinds_agrees_with_a_list(void **state)
{
	static struct naive naive;
	uint64_t random = 0x5EED;

	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		naive.count = 0;
		lab_open(seed * 100, seed * 100, seed);
		for (uint32_t op = 0; op < 8000; op++) {
			struct prefix p = random_source(&random);
			uint64_t r = sieve_lab_random(&random);
			uint32_t class = (r >> 16) % 3000;
			uint32_t end = r >> 8 & 1 ? MOAT_NEVER : sieve_lab.now + (r >> 40) % 5000;

			if ((op / 500 % 2 ? r % 4 > 0 : r % 4 > 2)) {
				if (naive_put(&naive, &p, class, end))
					sieve_put(sieve_lab.sieve, &p, class, end);
			} else {
				if (naive.count)
					p = naive.at[r % naive.count].source;
				naive_delete(&naive, &p);
				sieve_delete(sieve_lab.sieve, &p);
			}
			sieve_lab.now += r >> 60;
			if (sieve_wants_grace(sieve_lab.sieve) || r >> 50 & 1)
				sieve_grace(sieve_lab.sieve);
			p.len = prefix_max(p.family);
			assert_true(naive_agrees(&naive, &p, sieve_lab_read(&p)));
			if (op % 50 == 0)
				check_all(&naive, &random);
		}
		sieve_lab_close();
	}
}

/* ---- sets that lists have ---- */

static uint32_t shaped(int shape, uint32_t i)
{
	switch (shape) {
	case 0:
		return 0x0A000000 + i;
	case 1:
		return 0x0A000001 + (i << 8);
	case 2:
		return 0x0A000000 + (i >> 3 << 8) + (i & 7) * 32;
	default:
		return (i & 255) << 24 | (i >> 8 & 255) << 16 | 1;
	}
}

static void neighbours_find_room_as_well_as_others(void **state)
{
	enum { COUNT = 32768 };
	struct sieve_numbers n;

	(void)state;
	for (int shape = 0; shape < 4; shape++)
		for (uint64_t key = 1; key <= 10; key++) {
			lab_open(COUNT, 0, key);
			for (uint32_t i = 0; i < COUNT; i++) {
				struct prefix p = sieve_lab_host4(shaped(shape, i));

				sieve_put(sieve_lab.sieve, &p, 1, MOAT_NEVER);
			}
			sieve_numbers(sieve_lab.sieve, &n);
			assert_true(n.asked < COUNT / 1000);
			sieve_lab_close();
		}
}

static void what_was_announced_changes_nothing(void **state)
{
	struct prefix p = prefix_of("192.0.2.1"), q = prefix_of("2001:db8::/32");

	(void)state;
	lab_open(10, 10, 1);
	sieve_hint(sieve_lab.sieve, &p);
	sieve_hint(sieve_lab.sieve, &q);
	assert_int_equal(class_of("192.0.2.1"), -1);
	assert_int_equal(class_of("2001:db8::1"), -1);
	sieve_lab_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_have_room_for_all_that_may_be_installed),
		cmocka_unit_test(no_map_is_larger_than_the_kernel_takes),
		cmocka_unit_test(memory_is_the_sum_of_the_maps_and_grows_with_capacity),
		cmocka_unit_test(a_family_without_sources_is_said_to_be_empty),
		cmocka_unit_test(a_host_decides_before_the_prefixes_over_it),
		cmocka_unit_test(the_families_do_not_know_of_each_other),
		cmocka_unit_test(an_ended_match_is_asked_for_and_not_passed_over),
		cmocka_unit_test(any_sequence_of_all_kinds_agrees_with_a_list),
		cmocka_unit_test(neighbours_find_room_as_well_as_others),
		cmocka_unit_test(what_was_announced_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
