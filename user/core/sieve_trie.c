// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sieve's IPv4 prefixes. Each cell names the leaf of the longest prefix
 * that covers all of its addresses, so a prefix comes by naming its leaf
 * where the one it is nested in stood, and goes by the reverse: cells of
 * longer prefixes name neither, and no store touches them.
 *
 * Invariants, between any two stores (a program may read at each):
 *  1. A cell and, once it names a node, that node's cells give each address
 *     the same answer: nodes are filled before they are named, and are of one
 *     value when their name goes. Both then stay as they are for a grace period.
 *  2. A block's bit is set before its /24 has something: cells, then the bit;
 *     it goes after the last of it: cells, then the bit.
 *  3. MOAT_LEAF_ASK never leaves a cell. What lies below is not kept: the
 *     records answer. Its node is held by it.
 */
#include "core/sieve_blocks.h"
#include "core/sieve_prefixes.h"
#include "core/sieve_private.h"
#include "core/sieve_stock.h"

#define ROOT_LEN    16 /* bits that the root consumes, and those with the nodes below it */
#define MIDDLE_LEN  24
#define ROOT_STEP   (1U << (32 - ROOT_LEN)) /* addresses a cell */
#define MIDDLE_STEP (1U << (32 - MIDDLE_LEN))
#define WORD_ALL    (~0ULL / 3 * MOAT_BLOCK_PREFIXES)
#define ROOT_WORDS  (MOAT_BLOCK_WORDS / (MOAT_ROOT_NODES * MOAT_CELLS_OF_NODE)) /* of a root cell */
#define NODE_PARTS  (MOAT_CELLS_OF_NODE / MOAT_CELLS_OF_ELEMENT)

struct sieve_trie {
	/* borrowed */
	uint64_t *blocks;
	struct moat_sieve *sieve;
	uint32_t *cells;
	union moat_leaf *leaves;

	struct stock nodes, numbers; /* numbers: of leaves */
	struct prefix_set set;	     /* by MOAT_LEAF_ASK: had no room */
	uint16_t *held;	  /* by node: prefixes of its lengths, nodes below, cells that ask */
	uint64_t asked;	  /* of the set */
	uint64_t unknown; /* asked, and not in the set: no memory */
};

/* Cells of a prefix, in one node or the root. */
struct span {
	uint32_t first, count;
	uint32_t step; /* addresses a cell */
	bool exact;    /* or else: one cell that covers more, for want of a node */
};

/* What cells name, and what instead. */
struct swap {
	uint32_t from, to;
};

int trie_new(const struct sieve_maps *maps, struct sieve_trie **ret)
{
	_cleanup_(trie_freep) struct sieve_trie *t = calloc(1, sizeof(*t));
	uint32_t nodes = maps->size.parts / NODE_PARTS;
	uint32_t leaves = maps->size.leaves;

	if (!t)
		return -ENOMEM;
	t->blocks = maps->blocks;
	t->sieve = maps->sieve;
	t->cells = maps->cells;
	t->leaves = maps->leaves;
	t->held = calloc(nodes, sizeof(*t->held));
	prefix_set_init(&t->set, (uint64_t[]){ maps->sieve->key4[0], maps->sieve->key4[2] });
	if (leaves > PREFIX_SET_NUMBERS)
		leaves = PREFIX_SET_NUMBERS;
	if (!t->held || stock_init(&t->nodes, MOAT_ROOT_NODES, nodes) ||
	    stock_init(&t->numbers, MOAT_LEAF_FIRST, leaves))
		return -ENOMEM;
	publish64(&t->leaves[MOAT_LEAF_ASK].word, (union moat_leaf){ .expires = 1 }.word);
	*ret = take_ptr(t);
	return 0;
}

struct sieve_trie *trie_free(struct sieve_trie *t)
{
	if (!t)
		return NULL;
	stock_fini(&t->nodes);
	stock_fini(&t->numbers);
	prefix_set_fini(&t->set);
	free(t->held);
	free(t);
	return NULL;
}

/* ---- cells ---- */

static uint32_t below(uint32_t cell)
{
	return (cell & ~MOAT_CELL_NODE) * MOAT_CELLS_OF_NODE;
}

static uint32_t middle_at(uint32_t node_cell, uint32_t addr)
{
	return below(node_cell) + (addr >> 8 & 255);
}

/* The cells of a prefix as far as there are nodes. */
static struct span locate(const struct sieve_trie *t, uint32_t addr, uint32_t len)
{
	uint32_t at = addr >> 16;

	if (len <= ROOT_LEN)
		return (struct span){ at, 1U << (ROOT_LEN - len), ROOT_STEP, true };
	if (!(t->cells[at] & MOAT_CELL_NODE))
		return (struct span){ at, 1, ROOT_STEP, false };
	at = middle_at(t->cells[at], addr);
	if (len <= MIDDLE_LEN)
		return (struct span){ at, 1U << (MIDDLE_LEN - len), MIDDLE_STEP, true };
	if (!(t->cells[at] & MOAT_CELL_NODE))
		return (struct span){ at, 1, MIDDLE_STEP, false };
	return (struct span){ below(t->cells[at]) + (addr & 255), 1U << (32 - len), 1, true };
}

/* The leaf of an address, as a program finds it. */
static uint32_t leaf_at(const struct sieve_trie *t, uint32_t addr)
{
	uint32_t cell = t->cells[addr >> 16];

	if (cell & MOAT_CELL_NODE)
		cell = t->cells[middle_at(cell, addr)];
	return cell & MOAT_CELL_NODE ? t->cells[below(cell) + (addr & 255)] : cell;
}

static void name(struct sieve_trie *t, uint32_t at, uint32_t leaf)
{
	publish32(&t->cells[at], leaf);
	if (leaf == MOAT_LEAF_ASK)
		t->held[at / MOAT_CELLS_OF_NODE]++;
}

static void mark_blocks(struct sieve_trie *t, uint32_t word, uint64_t bits, bool set)
{
	blocks_mark(t->blocks, t->sieve, word, bits, set);
}

static void mark_block(struct sieve_trie *t, uint32_t addr, bool set)
{
	mark_blocks(t, MOAT_BLOCK_WORD(addr),
		    (uint64_t)MOAT_BLOCK_PREFIXES << MOAT_BLOCK_SHIFT(addr), set);
}

/* Of a root cell: all of its /24s. */
static void mark_root(struct sieve_trie *t, uint32_t at, bool set)
{
	for (uint32_t i = 0; i < ROOT_WORDS; i++)
		mark_blocks(t, at * ROOT_WORDS + i, WORD_ALL, set);
}

static bool is_edge(struct swap swap)
{
	return swap.from == MOAT_LEAF_NONE || swap.to == MOAT_LEAF_NONE;
}

static void swap_last(struct sieve_trie *t, uint32_t first, uint32_t count, struct swap swap)
{
	for (uint32_t at = first; at < first + count; at++) {
		if (t->cells[at] == swap.from)
			name(t, at, swap.to);
	}
}

/* addr: where the first cell begins. A word of blocks at a time. */
static void swap_middle(struct sieve_trie *t, uint32_t first, uint32_t count, uint32_t addr,
			struct swap swap)
{
	uint32_t at = first;

	while (at < first + count) {
		uint32_t word = MOAT_BLOCK_WORD(addr);
		uint64_t bits = 0;

		for (; at < first + count && MOAT_BLOCK_WORD(addr) == word;
		     at++, addr += MIDDLE_STEP) {
			uint32_t cell = t->cells[at];

			if (cell & MOAT_CELL_NODE)
				swap_last(t, below(cell), MOAT_CELLS_OF_NODE, swap);
			if (cell != swap.from)
				continue;
			name(t, at, swap.to);
			bits |= (uint64_t)MOAT_BLOCK_PREFIXES << MOAT_BLOCK_SHIFT(addr);
		}
		if (bits && is_edge(swap))
			mark_blocks(t, word, bits, swap.to != MOAT_LEAF_NONE);
	}
}

static void swap_root(struct sieve_trie *t, uint32_t first, uint32_t count, struct swap swap)
{
	for (uint32_t at = first; at < first + count; at++) {
		uint32_t cell = t->cells[at];

		if (cell & MOAT_CELL_NODE)
			swap_middle(t, below(cell), MOAT_CELLS_OF_NODE, at << 16, swap);
		if (cell != swap.from)
			continue;
		name(t, at, swap.to);
		if (is_edge(swap))
			mark_root(t, at, swap.to != MOAT_LEAF_NONE);
	}
}

/* In all cells of a prefix, and those below them. */
static void swap_cells(struct sieve_trie *t, struct span span, uint32_t addr, uint32_t len,
		       struct swap swap)
{
	if (swap.from == MOAT_LEAF_ASK || swap.from == swap.to)
		return;
	if (len <= ROOT_LEN)
		swap_root(t, span.first, span.count, swap);
	else if (len <= MIDDLE_LEN)
		swap_middle(t, span.first, span.count, addr, swap);
	else
		swap_last(t, span.first, span.count, swap);
}

/* ---- nodes ---- */

/* A node in place of what a cell names. Returns whether there was room. */
static bool split(struct sieve_trie *t, uint32_t at)
{
	uint32_t node = stock_take(&t->nodes);
	uint32_t *cells = &t->cells[node * MOAT_CELLS_OF_NODE];

	if (!node)
		return false;
	for (uint32_t i = 0; i < MOAT_CELLS_OF_NODE; i++)
		cells[i] = t->cells[at];
	t->held[node] = 0;
	t->held[at / MOAT_CELLS_OF_NODE]++;
	publish32(&t->cells[at], MOAT_CELL_NODE | node);
	return true;
}

/* A node that nothing holds: one leaf, or none, has all of it. */
static void collapse(struct sieve_trie *t, uint32_t at)
{
	uint32_t cell = t->cells[at];

	publish32(&t->cells[at], t->cells[below(cell)]);
	t->held[at / MOAT_CELLS_OF_NODE]--;
	stock_give(&t->nodes, cell & ~MOAT_CELL_NODE);
}

/* A prefix of this length is no more in the node of its cells. */
static void release(struct sieve_trie *t, struct span span, uint32_t addr, uint32_t len)
{
	uint32_t root = addr >> 16, middle;

	if (len <= ROOT_LEN)
		return;
	middle = middle_at(t->cells[root], addr);
	t->held[span.first / MOAT_CELLS_OF_NODE]--;
	if (len > MIDDLE_LEN) {
		if (t->held[span.first / MOAT_CELLS_OF_NODE])
			return;
		collapse(t, middle);
		if (t->cells[middle] == MOAT_LEAF_NONE)
			mark_block(t, addr, false);
	}
	if (!t->held[middle / MOAT_CELLS_OF_NODE])
		collapse(t, root);
}

/* ---- no room ---- */

static void drop(struct sieve_trie *t, uint32_t node_cell)
{
	uint32_t first = below(node_cell);

	for (uint32_t at = first; at < first + MOAT_CELLS_OF_NODE; at++) {
		if (t->cells[at] & MOAT_CELL_NODE)
			stock_give(&t->nodes, t->cells[at] & ~MOAT_CELL_NODE);
	}
	stock_give(&t->nodes, node_cell & ~MOAT_CELL_NODE);
}

/* All of these cells ask, whatever they named. Returns whether any did not. */
static bool ask(struct sieve_trie *t, struct span span, uint32_t addr)
{
	bool changed = false;

	for (uint32_t at = span.first; at < span.first + span.count; at++, addr += span.step) {
		uint32_t cell = t->cells[at];

		if (cell == MOAT_LEAF_ASK)
			continue;
		changed = true;
		name(t, at, MOAT_LEAF_ASK);
		if (span.step == ROOT_STEP)
			mark_root(t, at, true);
		else
			mark_block(t, addr, true);
		if (cell & MOAT_CELL_NODE) {
			t->held[at / MOAT_CELLS_OF_NODE]--;
			drop(t, cell);
		}
	}
	return changed;
}

/* ---- coming and going ---- */

/*
 * The leaf of the longest shorter prefix that covers this one. near: an
 * address of it, or of the other half of the next shorter; most have nothing
 * longer there, and then the trie knows.
 */
static uint32_t cover(const struct sieve_trie *t, uint32_t addr, uint32_t len, uint32_t near)
{
	uint32_t leaf = leaf_at(t, near);

	if (leaf == MOAT_LEAF_NONE)
		return MOAT_LEAF_NONE;
	if (leaf != MOAT_LEAF_ASK && t->leaves[leaf].len < len)
		return leaf;
	return prefix_set_cover(&t->set, addr, len);
}

static uint64_t leaf_word(uint32_t len, uint32_t class, uint32_t expires)
{
	union moat_leaf leaf = { .expires = expires, .class = class, .len = len };

	if (leaf.class != class)
		leaf = (union moat_leaf){ .expires = 1, .len = len };
	return leaf.word;
}

/* Brings a new prefix into the cells. Returns its leaf: MOAT_LEAF_ASK if it has no room. */
static uint32_t settle(struct sieve_trie *t, uint32_t addr, uint32_t len, uint64_t word)
{
	struct span span = locate(t, addr, len);
	uint32_t leaf;

	while (!span.exact) {
		if (t->cells[span.first] == MOAT_LEAF_ASK || !split(t, span.first)) {
			ask(t, span, addr);
			return MOAT_LEAF_ASK;
		}
		span = locate(t, addr, len);
	}
	leaf = stock_take(&t->numbers);
	if (leaf)
		publish64(&t->leaves[leaf].word, word);
	else
		leaf = MOAT_LEAF_ASK;
	swap_cells(t, span, addr, len, (struct swap){ cover(t, addr, len, addr), leaf });
	if (len > ROOT_LEN)
		t->held[span.first / MOAT_CELLS_OF_NODE]++;
	if (len > MIDDLE_LEN)
		mark_block(t, addr, true);
	return leaf;
}

static uint32_t host_order(const struct prefix *source)
{
	const uint8_t *a = source->addr;
	uint32_t addr = (uint32_t)a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3];

	return addr & ~(UINT32_MAX >> source->len); /* what is behind it would be cells of others */
}

void trie_put(struct sieve_trie *t, const struct prefix *source, uint32_t class, uint32_t expires)
{
	uint32_t addr = host_order(source), len = source->len;
	uint64_t word = leaf_word(len, class, expires);
	uint32_t leaf = prefix_set_find(&t->set, addr, len);

	if (leaf) {
		if (leaf != MOAT_LEAF_ASK)
			publish64(&t->leaves[leaf].word, word);
		return;
	}
	if (prefix_set_reserve(&t->set)) {
		t->unknown += ask(t, locate(t, addr, len), addr);
		return;
	}
	leaf = settle(t, addr, len, word);
	prefix_set_add(&t->set, addr, len, leaf);
	t->asked += leaf == MOAT_LEAF_ASK;
}

void trie_delete(struct sieve_trie *t, const struct prefix *source)
{
	uint32_t addr = host_order(source), len = source->len;
	uint32_t leaf = prefix_set_remove(&t->set, addr, len);
	struct span span = locate(t, addr, len);
	uint32_t covering = MOAT_LEAF_NONE;

	if (!leaf)
		return;
	t->asked -= leaf == MOAT_LEAF_ASK;
	if (span.exact) {
		if (len && leaf != MOAT_LEAF_ASK)
			covering = cover(t, addr, len, addr ^ 1U << (32 - len));
		swap_cells(t, span, addr, len, (struct swap){ leaf, covering });
		release(t, span, addr, len);
	}
	if (leaf != MOAT_LEAF_ASK)
		stock_give(&t->numbers, leaf);
}

/* ---- the rest ---- */

bool trie_wants_grace(const struct sieve_trie *t)
{
	return stock_wants_grace(&t->nodes) || stock_wants_grace(&t->numbers);
}

void trie_grace(struct sieve_trie *t)
{
	stock_grace(&t->nodes);
	stock_grace(&t->numbers);
}

void trie_numbers(const struct sieve_trie *t, struct sieve_numbers *ret)
{
	ret->prefixes += t->set.used;
	ret->nodes += t->nodes.used;
	ret->node_room += t->nodes.end - MOAT_ROOT_NODES;
	ret->asked += t->asked + t->unknown;
}

uint64_t trie_memory_beside(const struct sieve_size *size, uint64_t prefixes)
{
	uint64_t nodes = size->parts / NODE_PARTS;

	return sizeof(struct sieve_trie) + nodes * (sizeof(uint16_t) + sizeof(uint32_t)) +
	       size->leaves * sizeof(uint32_t) + prefix_set_memory_of(prefixes);
}
