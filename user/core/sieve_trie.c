// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every prefix is asked for: the first one makes every cell of the root say so.
 */
#include "core/sieve_private.h"

struct sieve_trie {
	const struct sieve_maps *maps;
	bool asks;
};

int trie_new(const struct sieve_maps *maps, struct sieve_trie **ret)
{
	struct sieve_trie *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->maps = maps;
	*ret = t;
	return 0;
}

struct sieve_trie *trie_free(struct sieve_trie *t)
{
	free(t);
	return NULL;
}

void trie_put(struct sieve_trie *t, const struct prefix *source, uint32_t class, uint32_t expires)
{
	(void)source;
	(void)class;
	(void)expires;
	if (t->asks)
		return;
	t->maps->leaves[MOAT_LEAF_ASK].expires = 1;
	for (uint32_t i = 0; i < MOAT_ROOT_NODES * MOAT_CELLS_OF_NODE; i++)
		publish32(&t->maps->cells[i], MOAT_LEAF_ASK);
	for (uint32_t i = 0; i < MOAT_BLOCK_WORDS; i++)
		publish64(&t->maps->blocks[i], t->maps->blocks[i] | 0xAAAAAAAAAAAAAAAAULL);
	t->asks = true;
}

void trie_delete(struct sieve_trie *t, const struct prefix *source)
{
	(void)t;
	(void)source;
}

bool trie_wants_grace(const struct sieve_trie *t)
{
	(void)t;
	return false;
}

void trie_grace(struct sieve_trie *t)
{
	(void)t;
}

void trie_numbers(const struct sieve_trie *t, struct sieve_numbers *ret)
{
	ret->asked += t->asks;
}
