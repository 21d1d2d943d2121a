/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trie of the sieve over maps on the heap, beside a list of prefixes that is
 * searched from end to end. For test_core_sieve_trie.c alone, which includes
 * cmocka before.
 *
 * The writer is compiled in here once more, so that a reader looks after every
 * one of its stores: an address has the answer of before or of after, and
 * where these are the same, no other.
 */
#ifndef TESTS_SIEVE_TRIE_LAB_H
#define TESTS_SIEVE_TRIE_LAB_H

#include "core/sieve_private.h"
#include "tests/unit/core_oracle.h"

static void stored(void);
static void *lab_calloc(size_t count, size_t size);

#undef publish64
#undef publish32
#define publish64(at, value) (__atomic_store_n(at, value, __ATOMIC_RELEASE), stored())
#define publish32(at, value) (__atomic_store_n(at, value, __ATOMIC_RELEASE), stored())
#define calloc(count, size)  lab_calloc(count, size)
#include "user/core/sieve_prefixes.c"
#include "user/core/sieve_stock.c"
#include "user/core/sieve_trie.c"
#undef calloc

#define ASKED	     UINT64_MAX
#define HOSTS_BITS   (WORD_ALL >> 1 & 0x1111111111111111)
#define LIST_MAX     512
#define PROBES_MAX   256
#define SLOW	     16
#define SLOW_ANSWERS 64
#define MANY_NODES   3000
#define MANY	     5000

static struct lab {
	struct sieve_maps maps;
	struct sieve_trie *trie;
	bool may_ask;

	struct listed {
		uint32_t addr, len;
		uint64_t word;
	} list[LIST_MAX];
	uint32_t count;

	/* What a reader may see during a change, and how many stores it took. */
	uint32_t probes;
	uint32_t addr[PROBES_MAX];
	uint64_t before[PROBES_MAX], after[PROBES_MAX];
	bool looking, asked[PROBES_MAX];
	uint32_t stores, look_every;

	/* Programs in the middle of a lookup: at each store some of them load once more. */
	struct slow {
		uint32_t addr, cell;
		enum { SLOW_IDLE, SLOW_ROOT, SLOW_MIDDLE, SLOW_LAST, SLOW_LEAF } next;
		uint64_t may[SLOW_ANSWERS]; /* what was true since it began */
		uint32_t count;
		/* Words since then of what covers it: where the answer changed meanwhile, its old
		 * leaf may have got one of them, though something longer was there already. */
		uint64_t also[SLOW_ANSWERS];
		uint32_t also_count;
	} slow[SLOW];
	uint64_t slow_lookups; /* finished */

	uint32_t memory_fails; /* one allocation of so many; 0: none */
	struct random random;
} lab;

static void *lab_calloc(size_t count, size_t size)
{
	if (lab.memory_fails && !random_below(&lab.random, lab.memory_fails))
		return NULL;
	return calloc(count, size);
}

/* ---- the reader, as bpf/sieve.h is; its own code ---- */

static uint32_t load_cell(uint32_t node, uint32_t at)
{
	return __atomic_load_n(&lab.maps.cells[node * 256 + at], __ATOMIC_ACQUIRE);
}

/* Whether anything is set in this word of the blocks. */
static bool load_sum(uint32_t word)
{
	uint64_t *sums = &lab.maps.blocks[MOAT_BLOCK_WORDS];

	return __atomic_load_n(&sums[word / 64], __ATOMIC_ACQUIRE) >> word % 64 & 1;
}

/* The word of the leaf, 0: clean, or ASKED. */
static uint64_t answer(uint32_t addr)
{
	uint32_t word = addr / 8192;
	uint64_t block;
	union moat_leaf leaf;
	uint32_t cell;

	if (__atomic_load_n(&lab.maps.sieve->sums, __ATOMIC_ACQUIRE) && !load_sum(word))
		return 0;
	block = __atomic_load_n(&lab.maps.blocks[word], __ATOMIC_ACQUIRE);
	if (!(block >> (addr / 256 % 32 * 2) & MOAT_BLOCK_PREFIXES))
		return 0;
	cell = load_cell(addr >> 24, addr >> 16 & 255);
	if (cell & MOAT_CELL_NODE)
		cell = load_cell(cell & ~MOAT_CELL_NODE, addr >> 8 & 255);
	if (cell & MOAT_CELL_NODE)
		cell = load_cell(cell & ~MOAT_CELL_NODE, addr & 255);
	if (cell == MOAT_LEAF_NONE)
		return 0;
	leaf.word = __atomic_load_n(&lab.maps.leaves[cell].word, __ATOMIC_ACQUIRE);
	return leaf.expires == 1 ? ASKED : leaf.word;
}

/* ---- the list ---- */

static bool covers(uint32_t addr, uint32_t len, uint32_t host)
{
	return !len || (addr ^ host) >> (32 - len) == 0;
}

static uint64_t expected(uint32_t host)
{
	const struct listed *best = NULL;

	for (uint32_t i = 0; i < lab.count; i++) {
		const struct listed *p = &lab.list[i];

		if (covers(p->addr, p->len, host) && (!best || p->len > best->len))
			best = p;
	}
	return best ? best->word : 0;
}

static uint64_t word_for(uint32_t len, uint32_t class, uint32_t expires)
{
	return (union moat_leaf){ .expires = expires, .class = class, .len = len }.word;
}

static struct listed *listed_find(uint32_t addr, uint32_t len)
{
	for (uint32_t i = 0; i < lab.count; i++) {
		if (lab.list[i].addr == addr && lab.list[i].len == len)
			return &lab.list[i];
	}
	return NULL;
}

/* ---- programs in the middle of a lookup ---- */

static void slow_finish(struct slow *s, uint64_t found)
{
	bool right = found == ASKED && lab.may_ask, changed = false;

	s->next = SLOW_IDLE;
	lab.slow_lookups++;
	for (uint32_t i = 0; i < s->count; i++) {
		right |= s->may[i] == found;
		changed |= s->may[i] != s->may[0];
	}
	for (uint32_t i = 0; changed && i < s->also_count; i++)
		right |= s->also[i] == found;
	if (!right)
		fail_msg("%08x: %#lx, of %u answers that are true", s->addr, found, s->count);
}

/* Its next load. */
static void slow_step(struct slow *s)
{
	uint32_t at = s->next == SLOW_MIDDLE ? s->addr >> 8 & 255 : s->addr & 255;
	union moat_leaf leaf;

	if (s->next == SLOW_ROOT) {
		s->cell = load_cell(s->addr >> 24, s->addr >> 16 & 255);
	} else if (s->next == SLOW_MIDDLE || s->next == SLOW_LAST) {
		s->cell = load_cell(s->cell & ~MOAT_CELL_NODE, at);
	} else {
		leaf.word = __atomic_load_n(&lab.maps.leaves[s->cell].word, __ATOMIC_ACQUIRE);
		slow_finish(s, leaf.expires == 1 ? ASKED : leaf.word);
		return;
	}
	if (s->cell == MOAT_LEAF_NONE)
		slow_finish(s, 0);
	else
		s->next = s->cell & MOAT_CELL_NODE ? s->next + 1 : SLOW_LEAF;
}

/* At a store: one address of those that are watched, whose block was seen a moment ago. */
static void slow_begin(struct slow *s)
{
	uint32_t i = random_below(&lab.random, lab.probes);

	*s = (struct slow){ .addr = lab.addr[i],
			    .next = SLOW_ROOT,
			    .may = { lab.before[i], lab.after[i] },
			    .count = 2 };
}

static void slow_run(void)
{
	for (uint32_t i = 0; i < SLOW; i++) {
		struct slow *s = &lab.slow[i];

		if (random_below(&lab.random, 4 + i * 4))
			continue;
		if (s->next == SLOW_IDLE)
			slow_begin(s);
		else
			slow_step(s);
	}
}

static bool slow_is_full(const struct slow *s)
{
	return s->count == SLOW_ANSWERS || s->also_count == SLOW_ANSWERS;
}

/* The list changed: this prefix has a word, or went. Who would see more than is kept ends. */
static void slow_note(uint32_t addr, uint32_t len, uint64_t word)
{
	for (uint32_t i = 0; i < SLOW; i++) {
		struct slow *s = &lab.slow[i];

		while (s->next != SLOW_IDLE && slow_is_full(s))
			slow_step(s);
		if (s->next == SLOW_IDLE || !covers(addr, len, s->addr))
			continue;
		s->may[s->count++] = expected(s->addr);
		if (word)
			s->also[s->also_count++] = word;
	}
}

static void slow_end(void)
{
	for (uint32_t i = 0; i < SLOW; i++) {
		while (lab.slow[i].next != SLOW_IDLE)
			slow_step(&lab.slow[i]);
	}
}

/* Every program that ran has ended. */
static void grace(void)
{
	slow_end();
	trie_grace(lab.trie);
}

/* ---- the lab ---- */

/* The other writer's, in some words of the blocks. */
static uint64_t bits_of_hosts(uint32_t word)
{
	return word % 8 == 3 ? HOSTS_BITS : 0;
}

/* nodes: beside the root; leaves: for prefixes. */
static void lab_open(uint32_t nodes, uint32_t leaves)
{
	struct sieve_size size = { .blocks = MOAT_BLOCK_ELEMENTS,
				   .parts = (MOAT_ROOT_NODES + nodes) * 16,
				   .leaves = leaves + MOAT_LEAF_FIRST };

	lab = (struct lab){ .random = { 0x9e3779b97f4a7c15 }, .look_every = 1 };
	lab.maps.size = size;
	lab.maps.sieve = calloc(1, sizeof(*lab.maps.sieve));
	lab.maps.blocks = calloc(size.blocks, sizeof(uint64_t));
	lab.maps.cells = calloc(size.parts, sizeof(struct moat_node_part));
	lab.maps.leaves = calloc(size.leaves, sizeof(union moat_leaf));
	assert_true(lab.maps.sieve && lab.maps.blocks && lab.maps.cells && lab.maps.leaves);
	lab.maps.sieve->key4[0] = 0x1234567812345679;
	lab.maps.sieve->key4[2] = 0xABCDEF01ABCDEF01;
	lab.maps.sieve->sums = 1;
	for (uint32_t i = 0; i < MOAT_BLOCK_WORDS; i++)
		blocks_mark(lab.maps.blocks, lab.maps.sieve, i, bits_of_hosts(i), true);
	assert_int_equal(trie_new(&lab.maps, &lab.trie), 0);
}

static void lab_close(void)
{
	trie_free(lab.trie);
	free(lab.maps.sieve);
	free(lab.maps.blocks);
	free(lab.maps.cells);
	free(lab.maps.leaves);
}

static void check_answer(uint32_t i, uint64_t now)
{
	if (now == ASKED && lab.may_ask) {
		lab.asked[i] = true;
		return;
	}
	if (lab.asked[i])
		fail_msg("%08x asked, and answers %#lx", lab.addr[i], now);
	if (now != lab.before[i] && now != lab.after[i])
		fail_msg("%08x: %#lx, after store %u; before the change %#lx, after it %#lx",
			 lab.addr[i], now, lab.stores, lab.before[i], lab.after[i]);
}

static void stored(void)
{
	lab.stores++;
	if (!lab.looking || lab.stores % lab.look_every)
		return;
	slow_run();
	for (uint32_t i = 0; i < lab.probes; i++)
		check_answer(i, answer(lab.addr[i]));
}

static void probe(uint32_t addr)
{
	if (lab.probes < PROBES_MAX)
		lab.addr[lab.probes++] = addr;
}

static void probe_edges(uint32_t addr, uint32_t len)
{
	uint32_t last = addr | (uint32_t)(UINT32_MAX >> 1 >> (len ? len - 1 : 0));

	if (!len)
		last = UINT32_MAX;
	probe(addr);
	probe(last);
	probe(addr - 1);
	probe(last + 1);
	probe(addr + (last - addr) / 2);
}

/* Which addresses are watched while this prefix changes: it, what is listed near it, some more. */
static void watch(uint32_t addr, uint32_t len)
{
	lab.probes = 0;
	probe_edges(addr, len);
	for (uint32_t i = 0; i < 16 && lab.count; i++) {
		const struct listed *p = &lab.list[random_below(&lab.random, lab.count)];

		probe_edges(p->addr, p->len);
	}
	for (uint32_t i = 0; i < lab.probes; i++)
		lab.before[i] = expected(lab.addr[i]);
}

static void change(const struct prefix *source, bool put, uint32_t class, uint32_t expires)
{
	for (uint32_t i = 0; i < lab.probes; i++) {
		lab.after[i] = expected(lab.addr[i]);
		lab.asked[i] = answer(lab.addr[i]) == ASKED;
	}
	lab.looking = true;
	lab.stores = 0;
	lab.look_every = source->len < 12 ? 509 : 1; /* thousands of cells */
	if (put)
		trie_put(lab.trie, source, class, expires);
	else
		trie_delete(lab.trie, source);
	lab.looking = false;
	for (uint32_t i = 0; i < lab.probes; i++) {
		lab.before[i] = lab.after[i];
		check_answer(i, answer(lab.addr[i]));
	}
}

static struct prefix prefix_of(uint32_t addr, uint32_t len)
{
	return (struct prefix){ .family = MOAT_IPV4,
				.len = len,
				.addr = { addr >> 24, addr >> 16, addr >> 8, addr } };
}

static void put(uint32_t addr, uint32_t len, uint32_t class, uint32_t expires)
{
	struct prefix source = prefix_of(addr, len);
	struct listed *p;

	watch(addr, len);
	p = listed_find(addr, len);
	if (!p) {
		assert_true(lab.count < LIST_MAX);
		p = &lab.list[lab.count++];
	}
	*p = (struct listed){ addr, len, word_for(len, class, expires) };
	slow_note(addr, len, p->word);
	change(&source, true, class, expires);
}

static void del(uint32_t addr, uint32_t len)
{
	struct prefix source = prefix_of(addr, len);
	struct listed *p;

	watch(addr, len);
	p = listed_find(addr, len);
	if (p)
		*p = lab.list[--lab.count];
	slow_note(addr, len, 0);
	change(&source, false, 0, 0);
}

static struct sieve_numbers numbers(void)
{
	struct sieve_numbers n = {};

	trie_numbers(lab.trie, &n);
	return n;
}

/* ---- all of the maps ---- */

static uint64_t bits_of_cells(uint32_t word)
{
	uint32_t root = lab.maps.cells[word / 8];
	uint64_t bits = 0;

	if (!(root & MOAT_CELL_NODE))
		return root ? WORD_ALL : 0;
	for (uint32_t i = 0; i < 32; i++) {
		if (load_cell(root & ~MOAT_CELL_NODE, word % 8 * 32 + i))
			bits |= (uint64_t)MOAT_BLOCK_PREFIXES << i * 2;
	}
	return bits;
}

/* A /24's bit is set exactly where its cell is not empty; the other writer's are as they were. */
static void check_blocks(void)
{
	for (uint32_t word = 0; word < MOAT_BLOCK_WORDS; word++) {
		uint64_t bits = lab.maps.blocks[word];

		if (bits != (bits_of_cells(word) | bits_of_hosts(word)))
			fail_msg("word %05x of the blocks: %#lx", word, bits);
		if (load_sum(word) != !!bits)
			fail_msg("word %05x of the blocks: %#lx, the sum denies it", word, bits);
	}
}

static void check_empty(void)
{
	for (uint32_t i = 0; i < MOAT_BLOCK_WORDS; i++)
		assert_int_equal(lab.maps.blocks[i], bits_of_hosts(i));
	for (uint32_t i = 0; i < 65536; i++)
		assert_int_equal(lab.maps.cells[i], 0);
	assert_int_equal(numbers().nodes, 0);
	assert_int_equal(numbers().prefixes, 0);
	assert_int_equal(lab.trie->numbers.used, 0);
}

static void empty_lab(void)
{
	while (lab.count) {
		struct listed p = lab.list[random_below(&lab.random, lab.count)];

		del(p.addr, p.len);
	}
}

#endif
