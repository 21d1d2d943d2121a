/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IPv6 part of the sieve: what its writer does, seen by a reader that does
 * what the program does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "tests/unit/core_oracle.h"
#include "tests/unit/sieve_six_lab.h"

#define BUCKETS_SOME (1U << 14)

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void put(struct six_lab *lab, const struct prefix *source, uint32_t class, uint32_t expires)
{
	lab->length[source->len] = true;
	six_put(lab->six, source, class, expires);
}

static struct six_seen seen(struct six_lab *lab, const char *address)
{
	struct prefix p = prefix_of(address);

	return six_read(lab, p.addr);
}

static void expect_listed(struct six_lab *lab, const uint8_t addr[16], uint32_t class, uint32_t len)
{
	struct six_seen is = six_read(lab, addr);

	assert_int_equal(is.answer, SIX_LISTED);
	assert_int_equal(is.class, class);
	assert_int_equal(is.len, len);
}

static struct sieve_numbers numbers(const struct six_lab *lab)
{
	struct sieve_numbers n = { 0 };

	six_numbers(lab->six, &n);
	return n;
}

/* How many words of what programs read are not 0. */
static size_t traces(const struct six_lab *lab)
{
	const uint64_t *bucket = (const uint64_t *)lab->maps.buckets;
	size_t words = sizeof(struct moat_bucket6) / sizeof(uint64_t);
	uint32_t level = 63 - (uint32_t)__builtin_clzll(lab->maps.sieve->buckets >> 8);
	size_t count = 0;

	for (size_t i = 1U << level; i < 2U << level; i++) {
		count += lab->maps.filter[i] != 0;
		for (size_t word = 0; word <= MOAT_SLOTS6; word++)
			count += bucket[i * words + word] != 0;
	}
	return count;
}

/* ---- one after the other ---- */

static void a_prefix_of_every_length_is_found_and_its_neighbour_is_not(void **state)
{
	struct prefix host = prefix_of("2001:db8:a5a5:5a5a:a5a5:5a5a:a5a5:5a5a");
	struct six_lab lab;

	(void)state;
	for (unsigned int len = 0; len <= 128; len++) {
		struct prefix source = prefix_shorten(&host, (uint8_t)len);
		struct prefix neighbour = host;

		six_lab_open(&lab, 64, len);
		put(&lab, &source, 7 + len, 0);
		expect_listed(&lab, host.addr, 7 + len, len);
		if (len) {
			neighbour.addr[(len - 1) / 8] ^= 0x80 >> (len - 1) % 8;
			assert_int_equal(six_read(&lab, neighbour.addr).answer, SIX_CLEAN);
		}
		six_lab_close(&lab);
	}
}

static void the_longest_of_all_lengths_decides(void **state)
{
	struct prefix host = prefix_of("2001:db8::1");
	struct six_lab lab;

	(void)state;
	six_lab_open(&lab, BUCKETS_SOME, 1);
	for (unsigned int len = 0; len <= 128; len++) {
		struct prefix source = prefix_shorten(&host, (uint8_t)len);

		put(&lab, &source, len, 0);
		six_grace(lab.six);
		six_grace(lab.six);
		if (!numbers(&lab).asked)
			expect_listed(&lab, host.addr, len, len);
	}
	for (int len = 128; len > 0; len--) {
		struct prefix source = prefix_shorten(&host, (uint8_t)len);

		six_delete(lab.six, &source);
		expect_listed(&lab, host.addr, (uint32_t)len - 1, (uint32_t)len - 1);
	}
	six_lab_close(&lab);
}

static void everything_matches_the_shortest_prefix(void **state)
{
	struct prefix all = { .family = MOAT_IPV6 };
	struct six_lab lab;

	(void)state;
	six_lab_open(&lab, 64, 1);
	put(&lab, &all, 3, 9);
	assert_int_equal(seen(&lab, "ffff::1").class, 3);
	assert_int_equal(seen(&lab, "::").class, 3);
	six_delete(lab.six, &all);
	assert_int_equal(seen(&lab, "ffff::1").answer, SIX_CLEAN);
	six_lab_close(&lab);
}

static void class_and_expiry_change_in_one_store(void **state)
{
	struct prefix source = prefix_of("2001:db8::/48");
	_cleanup_free_ struct moat_bucket6 *before = calloc(64, sizeof(*before));
	size_t differ = 0;
	struct six_lab lab;

	(void)state;
	assert_non_null(before);
	six_lab_open(&lab, 64, 1);
	put(&lab, &source, 3, 9);
	memcpy(before, lab.maps.buckets, 64 * sizeof(*before));
	put(&lab, &source, 65535, UINT32_MAX);
	for (size_t i = 0; i < 64 * sizeof(*before) / sizeof(uint64_t); i++)
		differ += ((uint64_t *)before)[i] != ((uint64_t *)lab.maps.buckets)[i];
	assert_int_equal(differ, 1);
	assert_int_equal(seen(&lab, "2001:db8::1").class, 65535);
	assert_int_equal(seen(&lab, "2001:db8::1").expires, UINT32_MAX);
	assert_int_equal(numbers(&lab).sources6, 1);
	six_lab_close(&lab);
}

static void a_freed_slot_waits_for_the_grace_period(void **state)
{
	struct prefix source = prefix_of("2001:db8::1");
	struct six_lab lab;

	(void)state;
	six_lab_open(&lab, 64, 1);
	put(&lab, &source, 3, 0);
	six_delete(lab.six, &source);
	assert_int_equal(seen(&lab, "2001:db8::1").answer, SIX_CLEAN);
	assert_int_equal(traces(&lab), 1);
	put(&lab, &source, 4, 0);
	expect_listed(&lab, source.addr, 4, 128);
	six_delete(lab.six, &source);
	assert_int_equal(traces(&lab), 2);
	six_grace(lab.six);
	assert_int_equal(traces(&lab), 0);
	six_lab_close(&lab);
}

static void deleting_what_is_not_there_changes_nothing(void **state)
{
	struct prefix one = prefix_of("2001:db8::1"), other = prefix_of("2001:db8::2");
	struct six_lab lab;

	(void)state;
	six_lab_open(&lab, 64, 1);
	six_delete(lab.six, &other);
	put(&lab, &one, 1, 0);
	six_delete(lab.six, &other);
	six_delete(lab.six, &other);
	expect_listed(&lab, one.addr, 1, 128);
	assert_int_equal(numbers(&lab).sources6, 1);
	six_lab_close(&lab);
}

/* ---- many: source number n of a set, one-to-one ---- */

typedef struct prefix (*set_fn)(uint32_t n);

static uint32_t mixed(uint32_t n)
{
	n *= 0x9E3779B1U;
	n ^= n >> 15;
	return n * 0x85EBCA6BU;
}

static struct prefix with_words(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint8_t len)
{
	uint32_t word[4] = { htobe32(a), htobe32(b), htobe32(c), htobe32(d) };
	struct prefix p = { .family = MOAT_IPV6, .len = len };

	memcpy(p.addr, word, sizeof(word));
	return p;
}

static struct prefix anywhere(uint32_t n)
{
	return with_words(mixed(n), mixed(n ^ 1), mixed(n ^ 2), n, 128);
}

static struct prefix of_one_64(uint32_t n)
{
	return with_words(0x20010db8, 0, 0, n, 128);
}

static struct prefix of_one_64_above(uint32_t n)
{
	return with_words(0x20010db8, 0, n, 0, 128);
}

static struct prefix of_one_32(uint32_t n)
{
	return with_words(0x20010db8, mixed(n), 0, 0, 64);
}

static struct prefix subnets_in_turn(uint32_t n)
{
	return with_words(0x20010db8 + (n >> 16), n << 16, 0, 0, 48);
}

/* A /44 to a /63, each in the one before: 20 in a chain. */
static struct prefix nested(uint32_t n)
{
	uint8_t len = 44 + n % 20;
	struct prefix p = with_words(0x20010000 + n / 20 / 4096, n / 20 << 20 | 0xFFFFF, 0, 0, len);

	prefix_mask(&p);
	return p;
}

static const struct {
	const char *name;
	set_fn of;
	uint32_t size;
} sets[] = {
	{ "anywhere", anywhere, 200000 },
	{ "all of one /64", of_one_64, 200000 },
	{ "all of one /64, upper bits", of_one_64_above, 200000 },
	{ "all of one /32", of_one_32, 200000 },
	{ "subnets in turn", subnets_in_turn, 200000 },
	{ "nested", nested, 1U << 20 },
};

static uint32_t class_of(uint32_t n)
{
	return mixed(n + 77) & 0xFFFF;
}

static size_t check_set(struct six_lab *lab, set_fn of, uint32_t from, uint32_t count)
{
	size_t asked = 0;

	for (uint32_t n = from; n < count; n++) {
		struct prefix source = of(n);
		struct six_seen is = six_read(lab, source.addr); /* no longer one covers it */

		if (is.answer == SIX_ASK) {
			asked++;
			continue;
		}
		if (is.answer != SIX_LISTED || is.class != class_of(n) || is.len != source.len)
			fail_msg("%u: answer %d, length %u", n, is.answer, is.len);
	}
	return asked;
}

static void many_of_each_shape_are_found_and_go_without_trace(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		struct six_lab lab;

		six_lab_open(&lab, 1U << 20, i);
		for (uint32_t n = 0; n < sets[i].size; n++) {
			struct prefix source = sets[i].of(n);

			put(&lab, &source, class_of(n), 0);
			if (six_wants_grace(lab.six))
				six_grace(lab.six);
		}
		six_grace(lab.six);
		six_grace(lab.six);
		print_message("%s: %zu asked\n", sets[i].name,
			      check_set(&lab, sets[i].of, 0, sets[i].size));
		assert_int_equal(numbers(&lab).sources6, sets[i].size);
		assert_true(numbers(&lab).asked < 16);
		for (uint32_t n = 0; n < sets[i].size; n++) {
			struct prefix source = sets[i].of(n);

			six_delete(lab.six, &source);
			if (six_wants_grace(lab.six))
				six_grace(lab.six);
		}
		for (uint32_t n = 0; n < 1000; n++) { /* nothing more: shrinks go on to the end */
			struct prefix source = sets[i].of(0);

			six_delete(lab.six, &source);
			six_grace(lab.six);
		}
		assert_int_equal(numbers(&lab).sources6, 0);
		assert_int_equal(numbers(&lab).slots6, MOAT_SLOTS6 << MOAT_LEVEL_MIN);
		assert_int_equal(traces(&lab), 0);
		six_lab_close(&lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_of_every_length_is_found_and_its_neighbour_is_not),
		cmocka_unit_test(the_longest_of_all_lengths_decides),
		cmocka_unit_test(everything_matches_the_shortest_prefix),
		cmocka_unit_test(class_and_expiry_change_in_one_store),
		cmocka_unit_test(a_freed_slot_waits_for_the_grace_period),
		cmocka_unit_test(deleting_what_is_not_there_changes_nothing),
		cmocka_unit_test(many_of_each_shape_are_found_and_go_without_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
