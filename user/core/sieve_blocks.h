/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sieve's blocks and their sums, which hosts and prefixes write. Private to
 * core/sieve*.c.
 */
#ifndef CORE_SIEVE_BLOCKS_H
#define CORE_SIEVE_BLOCKS_H

#include "core/sieve_private.h"

/* With more words than that set, the sums send too many packets on to the words. */
#define BLOCKS_FEW (MOAT_BLOCK_WORDS / 4)

/* A word that was 0 is not, or the other way round. */
static inline void blocks_sum(uint64_t *blocks, struct moat_sieve *sieve, uint32_t word, bool set)
{
	uint64_t *sum = &blocks[MOAT_BLOCK_SUM(word)];
	uint64_t *words_set = &blocks[MOAT_BLOCK_SUMS_SET];
	uint64_t bit = 1ULL << MOAT_BLOCK_SUM_SHIFT(word);
	uint64_t few;

	publish64(sum, set ? *sum | bit : *sum & ~bit);
	*words_set += set ? 1 : -1ULL;
	few = *words_set <= BLOCKS_FEW;
	if (sieve->sums != few)
		publish64(&sieve->sums, few);
}

/* Sets or clears bits of a word. */
static inline void blocks_mark(uint64_t *blocks, struct moat_sieve *sieve, uint32_t word,
			       uint64_t bits, bool set)
{
	uint64_t was = blocks[word];
	uint64_t value = set ? was | bits : was & ~bits;

	if (value == was)
		return;
	publish64(&blocks[word], value);
	if (!was || !value)
		blocks_sum(blocks, sieve, word, set);
}

#endif
