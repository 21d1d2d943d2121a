// SPDX-License-Identifier: BSD-2-Clause
/*
 * The bits that say of each word of IPv4 blocks whether anything is set in it,
 * read as the program reads them.
 */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sieve_lab.h"

#define WORD_ADDRESSES 8192U
#define FEW	       (MOAT_BLOCK_WORDS / 4)

static void open_for(uint32_t sources)
{
	sieve_lab_open((const uint32_t[2]){ sources, 0 }, 1, 1000);
	sieve_set_lengths(sieve_lab.sieve, MOAT_IPV4, 1);
}

static struct prefix network(uint32_t host, uint8_t len)
{
	struct prefix p = sieve_lab_host4(host);

	p.len = len;
	prefix_mask(&p);
	return p;
}

static void put(uint32_t host, uint8_t len)
{
	struct prefix p = network(host, len);

	sieve_put(sieve_lab.sieve, &p, 1, MOAT_NEVER);
}

static void drop(uint32_t host, uint8_t len)
{
	struct prefix p = network(host, len);

	sieve_delete(sieve_lab.sieve, &p);
	if (sieve_wants_grace(sieve_lab.sieve))
		sieve_grace(sieve_lab.sieve);
}

static bool listed(uint32_t host)
{
	struct sieve_answer a = sieve_lab_read4(htobe32(host));

	assert_false(a.ask || a.empty);
	return a.listed;
}

/* Some of very many hosts have no slot: the records are asked for them. */
static bool clean(uint32_t host)
{
	struct sieve_answer a = sieve_lab_read4(htobe32(host));

	return !a.listed && !a.ask;
}

/* Each word's bit, how many are set, and whether they are looked at. */
static void check_sums(uint32_t set)
{
	const uint64_t *blocks = sieve_lab.maps.blocks;
	uint32_t found = 0;

	for (uint32_t word = 0; word < MOAT_BLOCK_WORDS; word++) {
		uint64_t bit = blocks[MOAT_BLOCK_SUM(word)] >> MOAT_BLOCK_SUM_SHIFT(word) & 1;

		if (bit != (blocks[word] != 0))
			fail_msg("word %u is %#lx, its sum %lu", word, blocks[word], bit);
		found += bit;
	}
	assert_int_equal(found, set);
	assert_int_equal(blocks[MOAT_BLOCK_SUMS_SET], set);
	assert_int_equal(sieve_lab.maps.sieve->sums, set <= FEW);
}

static void a_word_that_holds_nothing_any_more_says_so(void **state)
{
	(void)state;
	open_for(100);
	check_sums(0);
	put(0xC0000201, 32);
	put(0xC0000301, 32); /* another block of the same word */
	check_sums(1);
	drop(0xC0000201, 32);
	check_sums(1);
	assert_true(listed(0xC0000301));
	drop(0xC0000301, 32);
	check_sums(0);
	assert_false(listed(0xC0000301));
	sieve_lab_close();
}

static void hosts_and_prefixes_share_a_word(void **state)
{
	(void)state;
	open_for(100);
	put(0xC0000201, 32);
	put(0xC0000280, 25);
	drop(0xC0000201, 32);
	check_sums(1);
	assert_true(listed(0xC0000281));
	assert_false(listed(0xC0000201));
	put(0xC0000201, 32);
	drop(0xC0000280, 25);
	check_sums(1);
	assert_true(listed(0xC0000201));
	drop(0xC0000201, 32);
	check_sums(0);
	sieve_lab_close();
}

static void a_short_prefix_is_in_all_its_words(void **state)
{
	(void)state;
	open_for(100);
	put(0x0A000000, 8);
	check_sums((1U << 24) / WORD_ADDRESSES);
	assert_true(listed(0x0A000000));
	assert_true(listed(0x0AFFFFFF));
	assert_false(listed(0x0B000000));
	drop(0x0A000000, 8);
	check_sums(0);
	assert_false(listed(0x0A123456));
	sieve_lab_close();
}

static void many_words_are_not_asked_for_their_sums_and_few_are_again(void **state)
{
	const uint32_t count = FEW + 10;

	(void)state;
	open_for(count);
	for (uint32_t i = 1; i <= count; i++)
		put(i * WORD_ADDRESSES * 3, 32);
	check_sums(count);
	for (uint32_t i = 1; i <= count; i++) {
		assert_false(clean(i * WORD_ADDRESSES * 3));
		assert_true(clean(i * WORD_ADDRESSES * 3 + WORD_ADDRESSES));
	}
	for (uint32_t i = 1; i <= count; i++)
		if (i % 2)
			drop(i * WORD_ADDRESSES * 3, 32);
	check_sums(count / 2);
	for (uint32_t i = 1; i <= count; i++)
		assert_int_equal(clean(i * WORD_ADDRESSES * 3), i % 2);
	sieve_lab_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_that_holds_nothing_any_more_says_so),
		cmocka_unit_test(hosts_and_prefixes_share_a_word),
		cmocka_unit_test(a_short_prefix_is_in_all_its_words),
		cmocka_unit_test(many_words_are_not_asked_for_their_sums_and_few_are_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
