/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The sieve: an index over the records of moat/source.h that answers most
 * packets from the cache and the rest with one miss.
 *
 * Its parts are arrays that the daemon maps and writes with plain stores, one
 * writer, while programs read. What it says of a source is exact (address bits
 * are compared whole) or "ask the records", never a guess: it is derived, a
 * daemon builds it anew at every start, and nothing pins it but the programs
 * that use it.
 *
 *	IPv4	blocks: 2 bits a /24: hosts inside? a prefix inside or over it?
 *		and a bit for each word of them, to look at first
 *		hosts: /32s, in buckets of eight; two places for each
 *		nodes, leaves: every shorter prefix, a trie that consumes 16, 8
 *		and 8 bits; each cell names the leaf of its longest match
 *	IPv6	filter: a word a bucket; three bits for each prefix, and three in
 *		the word of its /32 for its length when that is longer (a
 *		marker): one look there spares a look for each length
 *		buckets: prefixes of every length, five in two cache lines
 *
 * Order of stores, which readers on other CPUs rely on:
 *	coming	the record; then slot, or key and then meta; then the bits that
 *		lead to it (block, filter, cell)
 *	going	the slot, cell or meta; then the bits; then the record
 *	reuse	of an IPv6 slot, a node, a leaf, an old region: after a grace
 *		period, so that no running program sees it change its owner
 *
 * Hosts and buckets grow and shrink by doubling: the region of level k is the
 * elements [2^k, 2^(k+1)) of the map, and a view says which one is in force.
 * The other is filled beside it, then the view is stored.
 */
#ifndef MOAT_SIEVE_H
#define MOAT_SIEVE_H

#include "moat/abi.h"

/* ---- views ---- */

/*
 * Which region is in force, in one word: base (first element) << 8, and the
 * shift that makes 64 bits of hash an offset in it.
 */
#define MOAT_LEVEL_MIN 2
#define MOAT_LEVEL_MAX 28

static inline __u64 moat_view(__u32 level)
{
	return 1ULL << (level + 8) | (64 - level);
}

static inline __u32 moat_view_index(__u64 view, __u64 hash)
{
	return (__u32)(view >> 8) + (__u32)(hash >> (view & 63));
}

/*
 * The switches and keys of the sieve; one for all interfaces. The keys are
 * random for each sieve, odd where they multiply, and written before any
 * program runs: who cannot read them cannot prepare sources that collide
 * (multiply-shift hashing is universal: Dietzfelbinger et al., 1997).
 */
struct moat_sieve {
	/* IPv4, a cache line */
	__u64 hosts;	/* view of moat_hosts4 */
	__u64 key4[4];	/* factor and addend of both places, factor of the first, of the second */
	__u32 epoch;	/* MOAT_SLOT_UNIT that expiries of slots count from */
	__u32 lengths4; /* prefix lengths in use; 0: no IPv4 source at all */
	__u64 sums;	/* 1: few words of blocks are set, their sums are read first */
	__u64 reserved4;
	/* IPv6, the next */
	__u64 buckets; /* view of moat_buckets6 and moat_filter6 */
	__u64 key6[6]; /* factors: first and second half, length; of their sum */
	__u32 lengths6;
	__u32 reserved6;
};

/* ---- IPv4: blocks ---- */

#define MOAT_BLOCK_HOSTS    1U /* the /24 has /32s in moat_hosts4 */
#define MOAT_BLOCK_PREFIXES 2U /* the trie has something for an address of it */

/* Words of moat_blocks4: 32 blocks each; host is the address in host order. */
#define MOAT_BLOCK_WORDS       (1U << 19)
#define MOAT_BLOCK_WORD(host)  ((host) >> 13)
#define MOAT_BLOCK_SHIFT(host) (((host) >> 8 & 31) * 2)

/*
 * Behind the words a bit for each of them: whether anything is set in it. These
 * 64 KiB stay in the cache, which the words do not. Then how many words are set.
 */
#define MOAT_BLOCK_SUM(word)	   (MOAT_BLOCK_WORDS + (word) / 64)
#define MOAT_BLOCK_SUM_SHIFT(word) ((word)&63)
#define MOAT_BLOCK_SUMS_SET	   (MOAT_BLOCK_WORDS + MOAT_BLOCK_WORDS / 64)
#define MOAT_BLOCK_ELEMENTS	   (MOAT_BLOCK_SUMS_SET + 1)

/* ---- IPv4: hosts ---- */

/*
 * A slot is one word: address (network order, low 32 bits), expiry (20 bits),
 * class (11 bits), flag. 0.0.0.0 is no source: a slot with it is free. Expiry
 * counts units of the epoch, rounded down: before it the class holds for
 * certain, after it the record knows. A class that does not fit: expiry 0.
 */
#define MOAT_SLOTS4		8
#define MOAT_SLOT_EXPIRES_SHIFT 32
#define MOAT_SLOT_EXPIRES_MASK	0xFFFFFU
#define MOAT_SLOT_NEVER		0xFFFFFU
#define MOAT_SLOT_CLASS_SHIFT	52
#define MOAT_SLOT_CLASS_MASK	0x7FFU
#define MOAT_SLOT_FLAG		(1ULL << 63)
#define MOAT_SLOT_UNIT		8				/* 2^8 ticks, 34 s */
#define MOAT_SLOT_ASK		(1ULL << MOAT_SLOT_CLASS_SHIFT) /* what a reader takes for: ask the record */

/* Flags of a bucket: those of its first two slots, whatever these hold. */
#define MOAT_BUCKET4_OVERFLOW 0 /* slot: hosts whose first place is here are in their second */
#define MOAT_BUCKET4_SPILLED  1 /* slot: hosts whose first place is here are in neither: ask */

struct moat_bucket4 {
	__u64 slot[MOAT_SLOTS4];
};

/*
 * Lists are full of neighbours: a single product would take many keys that lie
 * in a row to a few places for a few of all factors.
 */
static inline __u64 moat_hash4(const struct moat_sieve *sieve, __be32 source, __u32 place)
{
	__u64 hash = (__u64)source * sieve->key4[0] + sieve->key4[1];

	return (hash ^ hash >> 32) * sieve->key4[2 + place];
}

/*
 * The first slot of the half of its bucket that a host with this hash takes if
 * there is room: nineteen of twenty are found there.
 */
#define MOAT_HALF4(hash) ((__u32)((hash) >> 32 & 1) * (MOAT_SLOTS4 / 2))

/* ---- IPv4: prefixes ---- */

/*
 * Nodes are 256 cells, stored in elements of 16. The first 256 nodes are the
 * root: its 65,536 cells are for the first 16 bits. A cell is 0 (nothing), a
 * leaf's number, or MOAT_CELL_NODE and a node's.
 */
#define MOAT_CELLS_OF_ELEMENT 16
#define MOAT_CELLS_OF_NODE    256U
#define MOAT_ROOT_NODES	      256U
#define MOAT_CELL_NODE	      (1U << 31)

struct moat_node_part {
	__u32 cell[MOAT_CELLS_OF_ELEMENT];
};

/* A prefix and what it is. Stored in one word. */
union moat_leaf {
	__u64 word;
	struct {
		__u32 expires; /* in ticks; MOAT_NEVER */
		__u16 class;
		__u8 len;
		__u8 reserved;
	};
};

#define MOAT_LEAF_NONE	0U
#define MOAT_LEAF_ASK	1U /* ended since the first tick: ask the records */
#define MOAT_LEAF_FIRST 2U

/* ---- IPv6 ---- */

#define MOAT_SLOTS6 5

/* Stored in one word; 0: the slot is free. */
union moat_meta {
	__u64 word;
	struct {
		__u32 expires; /* in ticks; MOAT_NEVER */
		__u16 class;
		__u16 mark; /* MOAT_MARK of what the slot is for; 0 with anything else: freed */
	};
};

/* Prefix length and eight bits of its hash: most other slots differ in it. */
#define MOAT_MARK(len, hash) ((__u16)(((len) + 1) | ((hash) >> 16 & 0xFF00)))

/* A freed slot, not to be reused before a grace period; in the low half, the writer's list of them. */
#define MOAT_META_FREED (1ULL << 32)
#define MOAT_META_ASK	1ULL /* what a reader takes for: ask the records */

#define MOAT_BUCKET6_OVERFLOW (1ULL << 0) /* as of IPv4 */
#define MOAT_BUCKET6_SPILLED  (1ULL << 1)

struct moat_bucket6 {
	__u64 meta[MOAT_SLOTS6];
	__u64 flags;
	__u64 key[MOAT_SLOTS6][2]; /* halves of the masked address, network order bytes */
};

/* Prefixes longer than this leave a marker of their length in the filter word of their first bits. */
#define MOAT_MARKER 32

/* A half of an address, as the functions below and keys take it, from two of its words. */
static inline __u64 moat_half(__be32 left, __be32 right)
{
	return left | (__u64)right << 32;
}

/*
 * Of an address masked to len bits. Its high bits are the first place and the
 * filter's word, by moat_view_index(); the low ones tell the rest apart.
 */
static inline __u64 moat_hash6(const struct moat_sieve *sieve, __u64 first, __u64 second, __u32 len)
{
	__u64 hash = first * sieve->key6[0] + second * sieve->key6[1] + len * sieve->key6[2];

	hash = (hash ^ hash >> 32) * sieve->key6[3];
	return hash ^ hash >> 32;
}

/* For moat_view_index(): the second place. */
static inline __u64 moat_second6(__u64 hash)
{
	return hash << 32;
}

/* The bits of a word of the filter: of a prefix, by its hash; of a marker, by moat_marker6(). */
static inline __u64 moat_filter_bits(__u64 hash)
{
	return 1ULL << (hash & 63) | 1ULL << (hash >> 6 & 63) | 1ULL << (hash >> 12 & 63);
}

/* hash: of the first MOAT_MARKER bits; len: of the prefixes that are longer. */
static inline __u64 moat_marker6(__u64 hash, __u32 len)
{
	return (hash >> 18) + len * 0x1B873ULL;
}

_Static_assert(sizeof(struct moat_sieve) == 128, "ABI");
_Static_assert(sizeof(struct moat_bucket4) == 64, "ABI");
_Static_assert(sizeof(struct moat_node_part) == 64, "ABI");
_Static_assert(sizeof(union moat_leaf) == 8, "ABI");
_Static_assert(sizeof(union moat_meta) == 8, "ABI");
_Static_assert(sizeof(struct moat_bucket6) == 128, "ABI");

#endif
