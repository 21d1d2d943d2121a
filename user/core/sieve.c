// SPDX-License-Identifier: BSD-2-Clause
/*
 * The whole: sizes, keys, which part a source belongs to, and the blocks' bit
 * of hosts.
 */
#include "core/sieve_blocks.h"
#include "core/sieve_private.h"
#include "core/sieve_resize.h"

struct sieve {
	struct sieve_maps maps;
	struct sieve_hosts *hosts;
	struct sieve_trie *trie;
	struct sieve_six *six;
	uint8_t *others; /* by /24: its hosts beside the first, where the block has the bit */
};

/* ---- sizes ---- */

#define BLOCKS	     (1U << 24)
#define REGION_MOST  24	    /* level: maps beyond 2^32 bytes are more than old kernels address */
#define NODES_BASE   16384U /* beside a share of the capacity: many prefixes share a node */
#define NODES_SHARE  32U
#define PARTS	     (MOAT_CELLS_OF_NODE / MOAT_CELLS_OF_ELEMENT)
#define NODES_MOST   (1U << 21) /* 2 GiB */
#define LEAVES_BASE  4096U	/* beside the capacity: numbers that wait for a grace period */
#define LEAVES_SHARE 8U

/* Elements of a map whose highest region has that many at least; the others are below it. */
static uint32_t regions_size(uint64_t elements)
{
	uint32_t level = MOAT_LEVEL_MIN;

	while (level < REGION_MOST && 1ULL << level < elements)
		level++;
	return 2U << level;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void sieve_size(const uint32_t capacity[2], struct sieve_size *ret)
{
	uint64_t sources = capacity[MOAT_IPV4];
	uint64_t slots = sources * 8 / RESIZE_FULL;
	uint64_t nodes = MOAT_ROOT_NODES + smaller(sources, NODES_BASE + sources / NODES_SHARE);
	uint64_t leaves = MOAT_LEAF_FIRST + sources + sources / LEAVES_SHARE + LEAVES_BASE;

	*ret = (struct sieve_size){
		.blocks = MOAT_BLOCK_ELEMENTS,
		.hosts = regions_size((slots + MOAT_SLOTS4) / MOAT_SLOTS4),
		.parts = smaller(nodes, NODES_MOST) * PARTS,
		.leaves = smaller(leaves, INT32_MAX / sizeof(union moat_leaf)),
		.buckets =
			regions_size((capacity[MOAT_IPV6] * 2ULL + MOAT_SLOTS6 - 1) / MOAT_SLOTS6),
	};
}

uint64_t sieve_memory(const struct sieve_size *size)
{
	return sizeof(struct moat_sieve) + (uint64_t)size->blocks * sizeof(uint64_t) +
	       (uint64_t)size->hosts * sizeof(struct moat_bucket4) +
	       (uint64_t)size->parts * sizeof(struct moat_node_part) +
	       (uint64_t)size->leaves * sizeof(union moat_leaf) +
	       (uint64_t)size->buckets * (sizeof(struct moat_bucket6) + sizeof(uint64_t));
}

uint64_t sieve_memory_beside(const uint32_t capacity[2])
{
	struct sieve_size size;

	sieve_size(capacity, &size);
	return BLOCKS + size.hosts + trie_memory_beside(&size, capacity[MOAT_IPV4]) +
	       six_memory_beside(&size);
}

/* ---- the whole ---- */

static void sieve_keys(struct moat_sieve *sieve, const uint64_t key[static SIEVE_KEYS])
{
	_Static_assert(ARRAY_SIZE(sieve->key4) + ARRAY_SIZE(sieve->key6) == SIEVE_KEYS, "keys");

	for (size_t i = 0; i < ARRAY_SIZE(sieve->key4); i++)
		sieve->key4[i] = key[i] | 1;
	for (size_t i = 0; i < ARRAY_SIZE(sieve->key6); i++)
		sieve->key6[i] = key[ARRAY_SIZE(sieve->key4) + i] | 1;
}

int sieve_new(const struct sieve_maps *maps, const uint64_t key[static SIEVE_KEYS], uint32_t now,
	      struct sieve **ret)
{
	_cleanup_(sieve_freep) struct sieve *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->maps = *maps;
	s->maps.sieve->sums = 1;
	s->maps.sieve->epoch = now >> MOAT_SLOT_UNIT;
	sieve_keys(s->maps.sieve, key);
	s->others = calloc(BLOCKS, 1);
	if (!s->others || hosts_new(&s->maps, &s->hosts) < 0 || trie_new(&s->maps, &s->trie) < 0 ||
	    six_new(&s->maps, &s->six) < 0)
		return -ENOMEM;
	*ret = take_ptr(s);
	return 0;
}

struct sieve *sieve_free(struct sieve *s)
{
	if (s) {
		hosts_free(s->hosts);
		trie_free(s->trie);
		six_free(s->six);
		free(s->others);
	}
	free(s);
	return NULL;
}

/* ---- hosts and their blocks ---- */

static __be32 address4(const struct prefix *source)
{
	__be32 addr;

	memcpy(&addr, source->addr, sizeof(addr));
	return addr;
}

static uint64_t block_bit(uint32_t host)
{
	return (uint64_t)MOAT_BLOCK_HOSTS << MOAT_BLOCK_SHIFT(host);
}

static void mark_host(struct sieve *s, uint32_t host, bool set)
{
	blocks_mark(s->maps.blocks, s->maps.sieve, MOAT_BLOCK_WORD(host), block_bit(host), set);
}

static void put_host(struct sieve *s, __be32 addr, uint32_t class, uint32_t expires)
{
	uint32_t host = be32toh(addr);
	uint8_t *others = &s->others[host >> 8];

	if (!hosts_put(s->hosts, addr, class, expires))
		return;
	if (!(s->maps.blocks[MOAT_BLOCK_WORD(host)] & block_bit(host)))
		mark_host(s, host, true);
	else if (*others < UINT8_MAX)
		++*others;
}

static void delete_host(struct sieve *s, __be32 addr)
{
	uint32_t host = be32toh(addr);
	uint8_t *others = &s->others[host >> 8];

	/* Who was lost cannot be counted any more. */
	if (!hosts_delete(s->hosts, addr) || hosts_lost(s->hosts))
		return;
	if (*others)
		--*others;
	else
		mark_host(s, host, false);
}

void sieve_hint(const struct sieve *s, const struct prefix *source)
{
	__be32 addr = address4(source);

	if (source->family == MOAT_IPV6) {
		six_hint(s->six, source);
		return;
	}
	if (source->len != 32)
		return;
	__builtin_prefetch(&s->others[be32toh(addr) >> 8], 1);
	__builtin_prefetch(&s->maps.blocks[MOAT_BLOCK_WORD(be32toh(addr))], 1);
	hosts_hint(s->hosts, addr);
}

/* ---- every source ---- */

void sieve_put(struct sieve *s, const struct prefix *source, uint32_t class, uint32_t expires)
{
	if (source->family == MOAT_IPV6)
		six_put(s->six, source, class, expires);
	else if (source->len < 32)
		trie_put(s->trie, source, class, expires);
	else
		put_host(s, address4(source), class, expires);
}

void sieve_delete(struct sieve *s, const struct prefix *source)
{
	if (source->family == MOAT_IPV6)
		six_delete(s->six, source);
	else if (source->len < 32)
		trie_delete(s->trie, source);
	else
		delete_host(s, address4(source));
}

void sieve_set_lengths(struct sieve *s, uint8_t family, uint32_t count)
{
	publish32(family == MOAT_IPV6 ? &s->maps.sieve->lengths6 : &s->maps.sieve->lengths4, count);
}

bool sieve_wants_grace(const struct sieve *s)
{
	return hosts_want_grace(s->hosts) || trie_wants_grace(s->trie) || six_wants_grace(s->six);
}

void sieve_grace(struct sieve *s)
{
	hosts_grace(s->hosts);
	trie_grace(s->trie);
	six_grace(s->six);
}

void sieve_numbers(const struct sieve *s, struct sieve_numbers *ret)
{
	struct sieve_numbers numbers = { 0 };

	hosts_numbers(s->hosts, &numbers);
	trie_numbers(s->trie, &numbers);
	six_numbers(s->six, &numbers);
	*ret = numbers;
}
