// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sieve's IPv4 prefixes: cells, leaves, blocks' bits, and what has no room.
 *
 * Oracle: a list of prefixes; it is asked after every store (sieve_trie_lab.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#include "tests/unit/sieve_trie_lab.h"

static uint32_t masked(uint32_t addr, uint32_t len)
{
	return len ? addr & ~0U << (32 - len) : 0;
}

static void a_prefix_of_each_length_answers_for_its_addresses_alone(void **state)
{
	(void)state;
	lab_open(MANY_NODES, 100);
	for (uint32_t len = 0; len < 32; len++) {
		uint32_t addr = masked(0xCB007155, len);

		put(addr, len, len + 1, 1000);
		assert_int_equal(answer(addr), word_for(len, len + 1, 1000));
		if (len)
			assert_int_equal(answer(addr ^ 1U << (32 - len)), 0);
		check_blocks();
		del(addr, len);
		assert_int_equal(answer(addr), 0);
		grace();
	}
	check_empty();
	lab_close();
}

static void of_all_lengths_over_an_address_the_longest_answers(void **state)
{
	(void)state;
	lab_open(MANY_NODES, 100);
	for (uint32_t turn = 0; turn < 4; turn++) {
		for (uint32_t i = 0; i < 32; i++) {
			uint32_t len = turn & 1 ? i : 31 - i;

			put(masked(0xC0000203, len), len, len, MOAT_NEVER);
		}
		assert_int_equal(answer(0xC0000203), word_for(31, 31, MOAT_NEVER));
		check_blocks();
		assert_int_equal(numbers().prefixes, 32);
		assert_int_equal(numbers().nodes, 2);
		for (uint32_t i = 0; i < 32; i++) {
			uint32_t len = turn & 2 ? i : 31 - i;

			del(masked(0xC0000203, len), len);
		}
		check_empty();
		grace();
	}
	lab_close();
}

static void nested_prefixes_come_and_go_in_every_order(void **state)
{
	static const struct {
		uint32_t addr, len;
	} nested[] = { { 0x0A000000, 15 }, { 0x0A000000, 16 }, { 0x0A001000, 20 },
		       { 0x0A001100, 24 }, { 0x0A001180, 25 }, { 0x0A001190, 28 } };
	uint32_t n = ARRAY_SIZE(nested), orders = 720;

	(void)state;
	lab_open(MANY_NODES, 100);
	for (uint32_t order = 0; order < orders; order++) {
		for (uint32_t going = 0; going < 2; going++) {
			uint32_t left = (1U << n) - 1, rest = going ? order * 7 % orders : order;

			for (uint32_t k = n; k; rest /= k, k--) {
				uint32_t pick = rest % k, i = 0;

				for (i = 0; !(left & 1U << i) || pick--; i++)
					;
				left &= ~(1U << i);
				if (going)
					del(nested[i].addr, nested[i].len);
				else
					put(nested[i].addr, nested[i].len, i + 1, 77);
			}
		}
		assert_int_equal(numbers().nodes, 0);
		grace();
	}
	check_empty();
	lab_close();
}

static void a_new_class_or_expiry_is_one_store(void **state)
{
	(void)state;
	lab_open(MANY_NODES, 100);
	for (uint32_t len = 0; len < 32; len += 7) {
		put(masked(0xC6336464, len), len, 5, 1000);
		put(masked(0xC6336464, len), len, 6, 2000);
		assert_int_equal(lab.stores, 1);
		assert_int_equal(answer(0xC6336464), word_for(len, 6, 2000));
	}
	assert_int_equal(numbers().prefixes, 5);
	lab_close();
}

static void a_delete_of_what_is_not_there_stores_nothing(void **state)
{
	(void)state;
	lab_open(MANY_NODES, 100);
	del(0x0A000000, 8);
	assert_int_equal(lab.stores, 0);
	put(0x0A000000, 8, 1, 1000);
	put(0x0A010100, 24, 2, 1000);
	del(0x0A000000, 16);
	assert_int_equal(lab.stores, 0);
	del(0x0A010100, 25);
	assert_int_equal(lab.stores, 0);
	del(0x0A010000, 17);
	assert_int_equal(lab.stores, 0);
	assert_int_equal(numbers().prefixes, 2);
	lab_close();
}

static void a_class_that_has_no_room_in_a_leaf_asks(void **state)
{
	struct prefix source = prefix_of(0x0A000000, 8);

	(void)state;
	lab_open(MANY_NODES, 100);
	trie_put(lab.trie, &source, 65535, 1000);
	assert_int_equal(answer(0x0A000001), word_for(8, 65535, 1000));
	trie_put(lab.trie, &source, 65536, 1000);
	assert_true(answer(0x0A000001) == ASKED);
	trie_put(lab.trie, &source, 7, MOAT_NEVER);
	assert_int_equal(answer(0x0A000001), word_for(8, 7, MOAT_NEVER));
	lab_close();
}

static void bits_behind_the_length_are_not_looked_at(void **state)
{
	struct prefix source = prefix_of(0x0A00FFFF, 17);

	(void)state;
	lab_open(MANY_NODES, 100);
	trie_put(lab.trie, &source, 1, 1000);
	assert_int_equal(answer(0x0A007FFF), 0);
	assert_int_equal(answer(0x0A008000), word_for(17, 1, 1000));
	source = prefix_of(0x0A008000, 17);
	trie_delete(lab.trie, &source);
	check_empty();
	lab_close();
}

/* Of a random prefix shorter than /32, that nests often. */
static uint32_t random_source(uint32_t *len)
{
	struct prefix p;

	do {
		p = random_prefix(&lab.random, MOAT_IPV4);
	} while (p.len == 32 || (p.len < 8 && random_below(&lab.random, 16)));
	*len = p.len;
	return (uint32_t)p.addr[0] << 24 | p.addr[1] << 16 | p.addr[2] << 8 | p.addr[3];
}

/* Changes at random; with_grace: the writer is helped as sieve.h says. */
static void churn(uint32_t changes, uint32_t most, bool with_grace)
{
	for (uint32_t i = 0; i < changes; i++) {
		uint32_t dice = random_below(&lab.random, 100), len, addr = random_source(&len);

		if (lab.count >= most || (lab.count && dice < 40)) {
			struct listed p = lab.list[random_below(&lab.random, lab.count)];

			del(p.addr, p.len);
		} else if (lab.count && dice < 50) {
			struct listed p = lab.list[random_below(&lab.random, lab.count)];

			put(p.addr, p.len, random_below(&lab.random, 65536), 2 + i);
		} else if (dice < 55) {
			del(addr, len);
		} else {
			put(addr, len, random_below(&lab.random, 65536), 2 + i);
		}
		if (!lab.memory_fails)
			assert_int_equal(numbers().prefixes, lab.count);
		if (with_grace && trie_wants_grace(lab.trie))
			grace();
	}
}

static void random_changes_answer_like_a_list_after_every_store(void **state)
{
	(void)state;
	lab_open(MANY_NODES, LIST_MAX + 100);
	for (uint32_t round = 0; round < 5; round++) {
		churn(MANY, 20 + round * 100, true);
		assert_int_equal(numbers().prefixes, lab.count);
		assert_int_equal(numbers().asked, 0);
		check_blocks();
		empty_lab();
		check_empty();
	}
	lab_close();
}

static void a_program_between_two_loads_finds_what_was_or_is(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 10; seed++) {
		lab_open(40 + seed * 8, 30);
		lab.random.state = seed * 0x9e3779b97f4a7c15;
		lab.may_ask = true;
		churn(2000, 20, true); /* numbers are few: all are used again and again */
		slow_end();
		assert_true(lab.slow_lookups > 500);
		assert_int_equal(numbers().asked, 0);
		lab_close();
	}
}

static void what_has_no_room_asks_and_the_rest_answers(void **state)
{
	static const struct {
		uint32_t nodes, leaves, memory_fails;
	} little[] = { { 0, 100, 0 }, { 1, 100, 0 },  { 4, 400, 0 },   { 20, 400, 0 },
		       { 400, 3, 0 }, { 400, 60, 0 }, { 400, 400, 3 }, { 6, 90, 2 } };

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(little); i++) {
		for (uint32_t seed = 1; seed <= 20; seed++) {
			lab_open(little[i].nodes, little[i].leaves);
			lab.random.state = seed * 0x9e3779b97f4a7c15;
			lab.may_ask = true;
			lab.memory_fails = little[i].memory_fails;
			churn(100 + seed * 20, 200, seed & 1);
			lab.memory_fails = 0;
			if (seed == 1)
				check_blocks();
			empty_lab();
			assert_int_equal(numbers().prefixes, 0);
			assert_int_equal(numbers().asked, lab.trie->unknown);
			assert_int_equal(lab.trie->numbers.used, 0);
			lab_close();
		}
	}
}

static void without_a_node_the_cell_asks_until_the_sieve_is_new(void **state)
{
	(void)state;
	lab_open(1, 100);
	lab.may_ask = true;
	put(0x0A000000, 8, 1, 1000);
	put(0x0A010000, 20, 2, 1000); /* takes the node */
	put(0x0A020000, 20, 3, 1000); /* has none: all of 10.2.0.0/16 */
	assert_true(answer(0x0A020000) == ASKED && answer(0x0A02FFFF) == ASKED);
	assert_int_equal(answer(0x0A01FFFF), word_for(8, 1, 1000));
	assert_int_equal(answer(0x0A030000), word_for(8, 1, 1000));
	assert_int_equal(numbers().asked, 1);

	put(0x0A010200, 25, 4, 1000); /* no node below the one that there is */
	assert_true(answer(0x0A0102FF) == ASKED);
	assert_int_equal(answer(0x0A010300), word_for(20, 2, 1000));
	assert_int_equal(numbers().asked, 2);

	put(0x0A020000, 16, 5, 1000); /* over what asks: a leaf, and no change to the cell */
	put(0x0A020080, 26, 6, 1000);
	assert_int_equal(numbers().asked, 3);
	del(0x0A020000, 20);
	del(0x0A020080, 26);
	del(0x0A020000, 16);
	del(0x0A010200, 25);
	del(0x0A010000, 20);
	del(0x0A000000, 8);
	assert_int_equal(numbers().asked, 0);
	assert_int_equal(numbers().prefixes, 0);
	assert_true(answer(0x0A020001) == ASKED && answer(0x0A010201) == ASKED);
	assert_int_equal(answer(0x0A010101), 0);
	put(0x0A020000, 16, 7, 1000);
	assert_true(answer(0x0A020001) == ASKED);
	lab_close();
}

static void without_a_leaf_it_asks_where_the_prefix_would_answer(void **state)
{
	(void)state;
	lab_open(10, 2);
	lab.may_ask = true;
	put(0x0A010000, 16, 1, 1000);
	put(0x0A010100, 24, 2, 1000);
	put(0x0A000000, 8, 3, 1000); /* no leaf left */
	assert_int_equal(answer(0x0A010000), word_for(16, 1, 1000));
	assert_int_equal(answer(0x0A010101), word_for(24, 2, 1000));
	assert_true(answer(0x0A020000) == ASKED);
	assert_int_equal(answer(0x0B000000), 0);
	assert_int_equal(numbers().asked, 1);
	del(0x0A010000, 16); /* what covered it asks */
	assert_true(answer(0x0A010000) == ASKED);
	assert_int_equal(answer(0x0A010101), word_for(24, 2, 1000));
	del(0x0A000000, 8);
	assert_int_equal(numbers().asked, 0);
	lab_close();
}

static void without_memory_for_the_set_all_of_the_prefix_asks(void **state)
{
	(void)state;
	lab_open(10, 1000);
	lab.may_ask = true;
	put(0x0A010180, 25, 1, 1000);
	for (uint32_t i = 1; i < 384; i++)
		put(0xC0000000 + (i << 16), 16, 2, 1000);
	lab.memory_fails = 1;
	put(0x0A000000, 8, 3, 1000);
	lab.memory_fails = 0;
	assert_int_equal(numbers().prefixes, 384);
	assert_int_equal(numbers().asked, 1);
	assert_true(answer(0x0A010181) == ASKED && answer(0x0AFFFFFF) == ASKED);
	assert_int_equal(numbers().nodes, 0); /* they are read no more */
	assert_int_equal(answer(0xC0010000), word_for(16, 2, 1000));
	del(0x0A010180, 25);
	assert_true(answer(0x0A010181) == ASKED);

	grace();
	put(0x0B010180, 25, 1, 1000); /* the nodes that were dropped, used and given back again */
	assert_int_equal(numbers().nodes, 2);
	del(0x0B010180, 25);
	assert_int_equal(numbers().nodes, 0);
	lab_close();
}

static void a_node_and_a_leaf_wait_for_a_grace_period(void **state)
{
	uint32_t node, leaf;

	(void)state;
	lab_open(4, 100);
	put(0x0A000100, 24, 1, 1000);
	node = lab.maps.cells[0x0A00] & ~MOAT_CELL_NODE;
	leaf = load_cell(node, 1);
	del(0x0A000100, 24);
	assert_int_equal(lab.maps.cells[0x0A00], 0);

	/* A program that had read the root's cell or the node's before still finds what it was. */
	put(0x0A000200, 24, 2, 1000);
	assert_int_not_equal(lab.maps.cells[0x0A00] & ~MOAT_CELL_NODE, node);
	assert_int_not_equal(load_cell(lab.maps.cells[0x0A00] & ~MOAT_CELL_NODE, 2), leaf);
	assert_int_equal(lab.maps.leaves[leaf].word, word_for(24, 1, 1000));

	grace();
	put(0x0B000100, 24, 3, 1000);
	assert_int_equal(lab.maps.cells[0x0B00] & ~MOAT_CELL_NODE, node);
	assert_int_equal(load_cell(node, 1), leaf);
	lab_close();
}

static void a_grace_period_is_wanted_when_what_is_left_runs_low(void **state)
{
	(void)state;
	lab_open(100, 40);
	assert_false(trie_wants_grace(lab.trie));
	for (uint32_t i = 0; i < 30; i++)
		put(0x0A000000 + (i << 16), 16, 1, 1000);
	assert_false(trie_wants_grace(lab.trie));
	del(0x0A000000, 16);
	assert_false(trie_wants_grace(lab.trie)); /* one waits, ten are left */
	del(0x0A010000, 16);
	assert_true(trie_wants_grace(lab.trie));
	grace();
	assert_false(trie_wants_grace(lab.trie));
	for (uint32_t i = 30; i < 42; i++)
		put(0x0A000000 + (i << 16), 16, 1, 1000);
	assert_int_equal(numbers().asked, 0);
	lab_close();
}

static void the_default_route_comes_and_goes_below_nodes(void **state)
{
	(void)state;
	lab_open(MANY_NODES, LIST_MAX + 100);
	churn(1000, 300, true);
	put(0, 0, 9, MOAT_NEVER);
	check_blocks();
	assert_int_equal(answer(0x01020304), word_for(0, 9, MOAT_NEVER));
	churn(1000, 300, true);
	del(0, 0);
	check_blocks();
	lab_close();
}

/* ---- another CPU ---- */

#define STEADY 12

struct steady {
	uint32_t addr;
	uint64_t word;
};

static struct steady steady[STEADY];
static uint64_t rounds_read;
static bool reader_ends;
static uint64_t wrong;

static void *read_steady(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&reader_ends, __ATOMIC_ACQUIRE)) {
		for (uint32_t i = 0; i < STEADY; i++)
			wrong += answer(steady[i].addr) != steady[i].word;
		__atomic_add_fetch(&rounds_read, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* A round that began after now has ended: nothing of before is still being read. */
static void reader_grace(void)
{
	uint64_t now = __atomic_load_n(&rounds_read, __ATOMIC_ACQUIRE);

	while (__atomic_load_n(&rounds_read, __ATOMIC_ACQUIRE) < now + 2)
		sched_yield();
	trie_grace(lab.trie);
}

static void a_reader_on_another_cpu_never_misses_what_does_not_change(void **state)
{
	pthread_t reader;

	(void)state;
	lab_open(60, 100);
	rounds_read = wrong = 0;
	reader_ends = false;
	for (uint32_t i = 0; i < STEADY; i++) {
		static const uint8_t lens[] = { 9, 12, 16, 17, 20, 23, 24, 25, 26, 28, 30, 31 };
		uint32_t host = 0x14000000 + (i << 24 | i << 16 | i << 8 | 3);
		struct prefix source = prefix_of(masked(host, lens[i]), lens[i]);

		trie_put(lab.trie, &source, i + 1, MOAT_NEVER);
		steady[i] = (struct steady){ host, word_for(lens[i], i + 1, MOAT_NEVER) };
	}
	assert_int_equal(pthread_create(&reader, NULL, read_steady, NULL), 0);
	for (uint32_t i = 0; i < 20000; i++) {
		/* Below and above a steady one, on its path. */
		uint32_t host = steady[random_below(&lab.random, STEADY)].addr;
		uint32_t len = 6 + random_below(&lab.random, 26);
		bool longer = random_below(&lab.random, 2);
		struct prefix source =
			prefix_of(masked(longer ? host ^ 1U << (32 - len) : host, len), len);
		uint64_t own = answer(host);

		if (!longer && len >= (own >> 48 & 255))
			continue; /* it would change what the address is */
		trie_put(lab.trie, &source, 100 + i % 1000, MOAT_NEVER);
		trie_delete(lab.trie, &source);
		if (trie_wants_grace(lab.trie))
			reader_grace();
	}
	__atomic_store_n(&reader_ends, true, __ATOMIC_RELEASE);
	pthread_join(reader, NULL);
	assert_int_equal(wrong, 0);
	assert_true(rounds_read > 0);
	assert_int_equal(numbers().asked, 0);
	assert_int_equal(numbers().prefixes, STEADY);
	lab_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_of_each_length_answers_for_its_addresses_alone),
		cmocka_unit_test(of_all_lengths_over_an_address_the_longest_answers),
		cmocka_unit_test(nested_prefixes_come_and_go_in_every_order),
		cmocka_unit_test(a_new_class_or_expiry_is_one_store),
		cmocka_unit_test(a_delete_of_what_is_not_there_stores_nothing),
		cmocka_unit_test(a_class_that_has_no_room_in_a_leaf_asks),
		cmocka_unit_test(bits_behind_the_length_are_not_looked_at),
		cmocka_unit_test(random_changes_answer_like_a_list_after_every_store),
		cmocka_unit_test(a_program_between_two_loads_finds_what_was_or_is),
		cmocka_unit_test(what_has_no_room_asks_and_the_rest_answers),
		cmocka_unit_test(without_a_node_the_cell_asks_until_the_sieve_is_new),
		cmocka_unit_test(without_a_leaf_it_asks_where_the_prefix_would_answer),
		cmocka_unit_test(without_memory_for_the_set_all_of_the_prefix_asks),
		cmocka_unit_test(a_node_and_a_leaf_wait_for_a_grace_period),
		cmocka_unit_test(a_grace_period_is_wanted_when_what_is_left_runs_low),
		cmocka_unit_test(the_default_route_comes_and_goes_below_nodes),
		cmocka_unit_test(a_reader_on_another_cpu_never_misses_what_does_not_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
