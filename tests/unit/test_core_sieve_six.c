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

#include "tests/unit/sieve_lab.h"

static void open_lab(uint32_t buckets, uint64_t seed)
{
	uint8_t lengths[129];
	struct sieve_size size;

	sieve_size((const uint32_t[2]){ 1, 1 }, &size);
	size.buckets = buckets;
	sieve_lab_open_sized(&size, seed, 100);
	for (unsigned int i = 0; i <= 128; i++)
		lengths[i] = (uint8_t)(128 - i);
	sieve_lab_lengths6(lengths, 129);
}

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void put(const struct prefix *source, uint32_t class)
{
	sieve_put(sieve_lab.sieve, source, class, MOAT_NEVER);
}

static void del(const struct prefix *source)
{
	sieve_delete(sieve_lab.sieve, source);
}

static void grace(void)
{
	sieve_grace(sieve_lab.sieve);
}

static void grace_if_wanted(void)
{
	if (sieve_wants_grace(sieve_lab.sieve))
		grace();
}

static struct sieve_answer seen(const char *address)
{
	struct prefix p = prefix_of(address);

	return sieve_lab_read(&p);
}

static void expect_listed(const struct prefix *host, uint32_t class, uint32_t len)
{
	struct sieve_answer is = sieve_lab_read(host);

	assert_true(is.listed);
	assert_int_equal(is.class, class);
	assert_int_equal(is.len, len);
}

static struct sieve_numbers numbers(void)
{
	struct sieve_numbers n;

	sieve_numbers(sieve_lab.sieve, &n);
	return n;
}

static uint32_t level(void)
{
	return 63 - (uint32_t)__builtin_clzll(sieve_lab.maps.sieve->buckets >> 8);
}

/* How many words of what programs read are not 0. */
static size_t traces(void)
{
	size_t count = 0;

	for (size_t i = 1U << level(); i < 2U << level(); i++) {
		count += sieve_lab.maps.filter[i] != 0;
		count += sieve_lab.maps.buckets[i].flags != 0;
		for (size_t slot = 0; slot < MOAT_SLOTS6; slot++)
			count += sieve_lab.maps.buckets[i].meta[slot] != 0;
	}
	return count;
}

/* ---- one after the other ---- */

static void a_prefix_of_every_length_is_found_and_its_neighbour_is_not(void **state)
{
	struct prefix host = prefix_of("2001:db8:a5a5:5a5a:a5a5:5a5a:a5a5:5a5a");

	(void)state;
	for (unsigned int len = 0; len <= 128; len++) {
		struct prefix source = prefix_shorten(&host, (uint8_t)len);
		struct prefix neighbour = host;

		open_lab(64, len);
		put(&source, 7 + len);
		expect_listed(&host, 7 + len, len);
		if (len) {
			neighbour.addr[(len - 1) / 8] ^= 0x80 >> (len - 1) % 8;
			assert_false(sieve_lab_read(&neighbour).listed);
			assert_false(sieve_lab_read(&neighbour).ask);
		}
		sieve_lab_close();
	}
}

static void the_longest_of_all_lengths_decides(void **state)
{
	struct prefix host = prefix_of("2001:db8::1");

	(void)state;
	open_lab(1U << 12, 1);
	for (unsigned int len = 0; len <= 128; len++) {
		struct prefix source = prefix_shorten(&host, (uint8_t)len);

		put(&source, len);
		grace();
		grace();
		if (!numbers().asked)
			expect_listed(&host, len, len);
	}
	for (int len = 128; len > 0; len--) {
		struct prefix source = prefix_shorten(&host, (uint8_t)len);

		del(&source);
		expect_listed(&host, (uint32_t)len - 1, (uint32_t)len - 1);
	}
	sieve_lab_close();
}

static void everything_matches_the_shortest_prefix(void **state)
{
	struct prefix all = { .family = MOAT_IPV6 };

	(void)state;
	open_lab(64, 1);
	put(&all, 3);
	assert_int_equal(seen("ffff::1").class, 3);
	assert_int_equal(seen("::").class, 3);
	del(&all);
	assert_false(seen("ffff::1").listed);
	sieve_lab_close();
}

static void an_ended_prefix_is_asked_for(void **state)
{
	struct prefix shorter = prefix_of("2001:db8::/32"), source = prefix_of("2001:db8::/48");

	(void)state;
	open_lab(64, 1);
	put(&shorter, 1);
	sieve_put(sieve_lab.sieve, &source, 2, 200);
	assert_int_equal(seen("2001:db8::1").class, 2);
	sieve_lab.now = 200;
	assert_true(seen("2001:db8::1").ask);
	assert_int_equal(seen("2001:db8:1::1").class, 1);
	sieve_lab_close();
}

static void class_and_expiry_change_in_one_store(void **state)
{
	struct prefix source = prefix_of("2001:db8::/48");
	_cleanup_free_ struct moat_bucket6 *before = calloc(64, sizeof(*before));
	size_t differ = 0;

	(void)state;
	assert_non_null(before);
	open_lab(64, 1);
	put(&source, 3);
	memcpy(before, sieve_lab.maps.buckets, 64 * sizeof(*before));
	sieve_put(sieve_lab.sieve, &source, 65535, UINT32_MAX);
	for (size_t i = 0; i < 64 * sizeof(*before) / sizeof(uint64_t); i++)
		differ += ((uint64_t *)before)[i] != ((uint64_t *)sieve_lab.maps.buckets)[i];
	assert_int_equal(differ, 1);
	assert_int_equal(seen("2001:db8::1").class, 65535);
	assert_int_equal(numbers().sources6, 1);
	sieve_lab_close();
}

static void a_freed_slot_waits_for_the_grace_period(void **state)
{
	struct prefix source = prefix_of("2001:db8::1");

	(void)state;
	open_lab(64, 1);
	put(&source, 3);
	del(&source);
	assert_false(seen("2001:db8::1").listed);
	assert_int_equal(traces(), 1);
	put(&source, 4);
	expect_listed(&source, 4, 128);
	del(&source);
	assert_int_equal(traces(), 2);
	grace();
	assert_int_equal(traces(), 0);
	sieve_lab_close();
}

static void deleting_what_is_not_there_changes_nothing(void **state)
{
	struct prefix one = prefix_of("2001:db8::1"), other = prefix_of("2001:db8::2");

	(void)state;
	open_lab(64, 1);
	del(&other);
	put(&one, 1);
	del(&other);
	del(&other);
	expect_listed(&one, 1, 128);
	assert_int_equal(numbers().sources6, 1);
	sieve_lab_close();
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

/* How many of the set are asked for; the others are found as what they are. */
static size_t check_set(set_fn of, uint32_t from, uint32_t to)
{
	size_t asked = 0;

	for (uint32_t n = from; n < to; n++) {
		struct prefix source = of(n); /* its first address: no longer one covers it */
		struct sieve_answer is = sieve_lab_read(&source);

		asked += is.ask;
		if (!is.ask && (!is.listed || is.class != class_of(n) || is.len != source.len))
			fail_msg("%u: listed %d, class %u, length %u", n, is.listed, is.class,
				 is.len);
	}
	return asked;
}

static void put_set(set_fn of, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++) {
		struct prefix source = of(n);

		put(&source, class_of(n));
		grace_if_wanted();
	}
}

static void delete_set(set_fn of, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++) {
		struct prefix source = of(n);

		del(&source);
		grace_if_wanted();
	}
}

static void lengths_of_set(set_fn of)
{
	uint8_t lengths[129], count = 0;
	bool has[129] = { false };

	for (uint32_t n = 0; n < 1000; n++)
		has[of(n).len] = true;
	for (int len = 128; len >= 0; len--)
		if (has[len])
			lengths[count++] = (uint8_t)len;
	sieve_lab_lengths6(lengths, count);
}

static void many_of_each_shape_are_found_and_go_without_trace(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		struct prefix nothing = anywhere(0);

		open_lab(1U << 20, i + 1);
		lengths_of_set(sets[i].of);
		put_set(sets[i].of, 0, sets[i].size);
		grace();
		grace();
		assert_true(check_set(sets[i].of, 0, sets[i].size) <= numbers().asked);
		assert_int_equal(numbers().sources6, sets[i].size);
		assert_true(numbers().asked < 8);
		delete_set(sets[i].of, 0, sets[i].size);
		for (int more = 0; more < 1000; more++) { /* shrinks go on with each write */
			del(&nothing);
			grace();
		}
		assert_int_equal(numbers().sources6, 0);
		assert_int_equal(numbers().slots6, MOAT_SLOTS6 << MOAT_LEVEL_MIN);
		assert_int_equal(traces(), 0);
		sieve_lab_close();
	}
}

/* ---- short of room ---- */

static void what_has_no_slot_is_asked_for_until_it_has_one(void **state)
{
	const uint32_t slots = MOAT_SLOTS6 << MOAT_LEVEL_MIN, many = 200;

	(void)state;
	open_lab(2U << MOAT_LEVEL_MIN, 5);
	lengths_of_set(anywhere);
	put_set(anywhere, 0, many);
	assert_int_equal(numbers().sources6, many);
	assert_true(numbers().asked >= many - slots);
	assert_int_equal(check_set(anywhere, 0, many), numbers().asked);
	delete_set(anywhere, slots / 2, many);
	for (int i = 0; i < 8; i++)
		grace();
	assert_int_equal(numbers().asked, 0);
	assert_int_equal(check_set(anywhere, 0, slots / 2), 0);
	delete_set(anywhere, 0, slots / 2);
	grace();
	assert_true(traces() <= 1 << MOAT_LEVEL_MIN); /* a filter that was that full keeps bits */
	sieve_lab_close();
}

static void a_class_that_changes_while_asked_for_is_the_one_that_gets_the_slot(void **state)
{
	const uint32_t many = 40;

	(void)state;
	open_lab(2U << MOAT_LEVEL_MIN, 5);
	lengths_of_set(anywhere);
	for (uint32_t n = 0; n < many; n++) {
		struct prefix source = anywhere(n);

		put(&source, 1);
	}
	put_set(anywhere, 0, many);
	for (uint32_t n = 0; n < many; n++) {
		struct prefix source = anywhere(n);
		struct sieve_answer is = sieve_lab_read(&source);

		if (is.ask) {
			del(&source);
			put(&source, 1);
			put(&source, class_of(n));
		}
	}
	delete_set(anywhere, 0, many / 2);
	for (int i = 0; i < 8; i++)
		grace();
	assert_true(check_set(anywhere, many / 2, many) <= many / 4);
	sieve_lab_close();
}

static void a_quarter_to_a_half_of_the_slots_is_used(void **state)
{
	(void)state;
	open_lab(1U << 16, 5);
	lengths_of_set(anywhere);
	for (uint32_t n = 0; n < 60000; n += 500) {
		put_set(anywhere, n, n + 500);
		if (n > 1000 && !numbers().resizing) {
			assert_true(numbers().sources6 * 5 > numbers().slots6);
			assert_true(numbers().sources6 * 5 < numbers().slots6 * 3);
		}
	}
	assert_true(numbers().resizes >= 10);
	sieve_lab_close();
}

static void a_region_that_programs_may_still_read_is_not_filled_before_a_grace_period(void **state)
{
	uint64_t before;

	(void)state;
	open_lab(1U << 10, 5);
	for (uint32_t n = 0; n < 600; n++) {
		struct prefix source = anywhere(n);

		put(&source, 1);
	}
	before = numbers().resizes;
	assert_true(before >= 5);
	for (uint32_t n = 0; n < 600; n++) {
		struct prefix source = anywhere(n);

		del(&source);
	}
	assert_int_equal(numbers().resizes, before);
	assert_true(sieve_wants_grace(sieve_lab.sieve));
	for (uint32_t n = 0; n < 600; n++) {
		struct prefix source = anywhere(n);

		del(&source);
		grace();
	}
	assert_int_equal(numbers().resizes, 2 * before);
	sieve_lab_close();
}

/* ---- the filter ---- */

static double false_answers(void)
{
	const uint32_t tries = 1000000;
	uint32_t wrong = 0;

	for (uint32_t n = 0; n < tries; n++) {
		struct prefix clean = anywhere(~n);
		uint64_t half[2], hash;

		memcpy(half, clean.addr, sizeof(half));
		hash = moat_hash6(sieve_lab.maps.sieve, half[0], half[1], 128);
		wrong += (sieve_lab.maps
				  .filter[moat_view_index(sieve_lab.maps.sieve->buckets, hash)] &
			  moat_filter_bits(hash)) == moat_filter_bits(hash);
	}
	return (double)wrong / tries;
}

/* Where every source has markers of its own, as in anywhere(), four items a source. */
static void the_filter_says_no_for_most_of_what_is_not_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		uint32_t half = MOAT_SLOTS6 << 13; /* of level 14 */

		open_lab(2U << 14, i + 1);
		put_set(sets[i].of, 0, half);
		print_message("%s: %.4f\n", sets[i].name, false_answers());
		assert_true(false_answers() < (sets[i].of == anywhere ? 0.08 : 0.04));
		sieve_lab_close();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_of_every_length_is_found_and_its_neighbour_is_not),
		cmocka_unit_test(the_longest_of_all_lengths_decides),
		cmocka_unit_test(everything_matches_the_shortest_prefix),
		cmocka_unit_test(an_ended_prefix_is_asked_for),
		cmocka_unit_test(class_and_expiry_change_in_one_store),
		cmocka_unit_test(a_freed_slot_waits_for_the_grace_period),
		cmocka_unit_test(deleting_what_is_not_there_changes_nothing),
		cmocka_unit_test(many_of_each_shape_are_found_and_go_without_trace),
		cmocka_unit_test(what_has_no_slot_is_asked_for_until_it_has_one),
		cmocka_unit_test(
			a_class_that_changes_while_asked_for_is_the_one_that_gets_the_slot),
		cmocka_unit_test(a_quarter_to_a_half_of_the_slots_is_used),
		cmocka_unit_test(
			a_region_that_programs_may_still_read_is_not_filled_before_a_grace_period),
		cmocka_unit_test(the_filter_says_no_for_most_of_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
