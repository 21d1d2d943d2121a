/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the sieve of moat/sieve.h: which class the source of a packet has,
 * for most packets without leaving the cache.
 *
 * LOOKUP_ASK is its word for "not certain": something matched that has ended
 * or goes on to another phase, or a part of the sieve had no room.
 */
#ifndef BPF_SIEVE_H
#define BPF_SIEVE_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/record.h"

static __always_inline const struct moat_sieve *sieve_of(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&moat_sieve, &zero);
}

/* ---- IPv4 ---- */

/*
 * Of half a bucket. Without a branch on what a slot holds: the CPU would have to
 * guess which it is, and would find out only when the bucket has come from memory.
 */
static __always_inline __u64 sieve_half4(const __u64 *at, __be32 source)
{
	__u64 found = 0;

#pragma unroll
	for (int i = 0; i < MOAT_SLOTS4 / 2; i++) {
		__u64 slot = WHOLE(&at[i]);
		__s64 equal = ((__u32)slot ^ source) - 1ULL;

		asm volatile("" : "+r"(equal)); /* or clang makes it a branch */
		found |= slot & (__u64)(equal >> 63);
	}
	return found;
}

static __always_inline __u64 sieve_bucket4(const struct moat_bucket4 *bucket, __be32 source,
					   __u64 hash)
{
	__u32 half = MOAT_HALF4(hash);
	__u64 slot = sieve_half4(&bucket->slot[half], source);

	return slot ?: sieve_half4(&bucket->slot[half ^ (MOAT_SLOTS4 / 2)], source);
}

static __always_inline bool sieve_flag4(const struct moat_bucket4 *bucket, int flag)
{
	return WHOLE(&bucket->slot[flag]) & MOAT_SLOT_FLAG;
}

/* The slot of a host, 0, or MOAT_SLOT_ASK. */
static __always_inline __u64 sieve_host(const struct moat_sieve *sieve, __be32 source)
{
	__u64 view = WHOLE(&sieve->hosts);
	__u64 hash = moat_hash4(sieve, source, 0);
	__u32 index = moat_view_index(view, hash);
	const struct moat_bucket4 *first = bpf_map_lookup_elem(&moat_hosts4, &index);
	const struct moat_bucket4 *second;
	__u64 slot;

	if (!first)
		return MOAT_SLOT_ASK;
	slot = sieve_bucket4(first, source, hash);
	if (slot || !sieve_flag4(first, MOAT_BUCKET4_OVERFLOW))
		return slot;

	hash = moat_hash4(sieve, source, 1);
	index = moat_view_index(view, hash);
	second = bpf_map_lookup_elem(&moat_hosts4, &index);
	if (!second)
		return MOAT_SLOT_ASK;
	slot = sieve_bucket4(second, source, hash);
	if (!slot && sieve_flag4(first, MOAT_BUCKET4_SPILLED))
		return MOAT_SLOT_ASK;
	return slot;
}

static __always_inline bool sieve_slot_live(const struct moat_sieve *sieve, __u64 slot)
{
	__u32 expires = slot >> MOAT_SLOT_EXPIRES_SHIFT & MOAT_SLOT_EXPIRES_MASK;

	return expires == MOAT_SLOT_NEVER ||
	       (clock_ticks() >> MOAT_SLOT_UNIT) - sieve->epoch < expires;
}

/*
 * A CPU guesses branches, not values. As a constant behind a branch the class is
 * known before the slot has come from memory, and with it the cell to count in
 * and all that follows. Classes are numbered from 1; the first are those of
 * sources in a single category.
 */
static __always_inline __u32 sieve_class(__u64 slot)
{
	__u64 class = slot >> MOAT_SLOT_CLASS_SHIFT & MOAT_SLOT_CLASS_MASK;

#define GUESS(number)                                                                              \
	if (class == (number)) {                                                                   \
		class = (number);                                                                  \
		asm volatile("# " #number : "+r"(class)); /* or clang takes it from the slot */    \
		return class;                                                                      \
	}
	GUESS(1)
	GUESS(2)
	GUESS(3)
	GUESS(4)
#undef GUESS
	return class;
}

static __always_inline __u32 sieve_cell(__u32 node, __u32 at)
{
	__u32 index =
		node * (MOAT_CELLS_OF_NODE / MOAT_CELLS_OF_ELEMENT) + at / MOAT_CELLS_OF_ELEMENT;
	const struct moat_node_part *part = bpf_map_lookup_elem(&moat_nodes4, &index);

	return part ? *(const volatile __u32 *)&part->cell[at % MOAT_CELLS_OF_ELEMENT]
		    : MOAT_LEAF_ASK;
}

static __always_inline enum lookup sieve_prefix(__u32 host, struct found *found)
{
	__u32 cell = sieve_cell(host >> 24, host >> 16 & 255);
	const union moat_leaf *at;
	union moat_leaf leaf;

	if (cell & MOAT_CELL_NODE)
		cell = sieve_cell(cell & ~MOAT_CELL_NODE, host >> 8 & 255);
	if (cell & MOAT_CELL_NODE)
		cell = sieve_cell(cell & ~MOAT_CELL_NODE, host & 255);
	if (cell == MOAT_LEAF_NONE)
		return LOOKUP_CLEAN;

	at = bpf_map_lookup_elem(&moat_leaves4, &cell);
	if (!at)
		return LOOKUP_ASK;
	leaf.word = WHOLE(at);
	if (!lookup_live(leaf.expires))
		return LOOKUP_ASK;
	found->class = leaf.class;
	found->len = leaf.len;
	return LOOKUP_LISTED;
}

/* The bits of a /24, or BLOCK_ASK. */
#define BLOCK_ASK (~0U)
static __always_inline __u32 sieve_block(const struct moat_sieve *sieve, __u32 host)
{
	__u32 word = MOAT_BLOCK_WORD(host);
	__u32 sum = MOAT_BLOCK_SUM(word);
	const __u64 *at;

	if (WHOLE(&sieve->sums)) {
		at = bpf_map_lookup_elem(&moat_blocks4, &sum);
		if (at && !(WHOLE(at) >> MOAT_BLOCK_SUM_SHIFT(word) & 1))
			return 0;
	}
	at = bpf_map_lookup_elem(&moat_blocks4, &word);
	return at ? WHOLE(at) >> MOAT_BLOCK_SHIFT(host) & 3 : BLOCK_ASK;
}

static __always_inline enum lookup sieve4(__be32 source, struct found *found)
{
	const struct moat_sieve *sieve = sieve_of();
	__u32 host = bpf_ntohl(source);
	__u32 block;
	__u64 slot;

	block = sieve ? sieve_block(sieve, host) : BLOCK_ASK;
	if (block == BLOCK_ASK)
		return LOOKUP_ASK;
	if (!block)
		return sieve->lengths4 ? LOOKUP_CLEAN : LOOKUP_EMPTY;

	if (block & MOAT_BLOCK_HOSTS) {
		slot = sieve_host(sieve, source);
		if (slot && !sieve_slot_live(sieve, slot))
			return LOOKUP_ASK;
		if (slot) {
			found->class = sieve_class(slot);
			found->len = 32;
			return LOOKUP_LISTED;
		}
	}
	return block & MOAT_BLOCK_PREFIXES ? sieve_prefix(host, found) : LOOKUP_CLEAN;
}

/* ---- IPv6 ---- */

static __always_inline __u64 sieve_filter(__u64 view, __u64 hash)
{
	__u32 index = moat_view_index(view, hash);
	const __u64 *word = bpf_map_lookup_elem(&moat_filter6, &index);

	return word ? WHOLE(word) : ~0ULL;
}

static __always_inline bool sieve_may_have(__u64 filter, __u64 hash)
{
	__u64 bits = moat_filter_bits(hash);

	return (filter & bits) == bits;
}

static __always_inline __u64 sieve_bucket6(const struct moat_bucket6 *bucket, __u64 first,
					   __u64 second, __u16 mark)
{
#pragma unroll
	for (int i = 0; i < MOAT_SLOTS6; i++) {
		union moat_meta meta = { .word = WHOLE(&bucket->meta[i]) };

		if (meta.mark == mark && WHOLE(&bucket->key[i][0]) == first &&
		    WHOLE(&bucket->key[i][1]) == second)
			return meta.word;
	}
	return 0;
}

/*
 * The meta of a masked address, 0, or MOAT_META_ASK. A function of its own, so
 * that the verifier walks it once and not once a prefix length.
 */
__attribute__((noinline)) __u64 sieve_find6(__u64 first, __u64 second, __u64 hash, __u32 len)
{
	const struct moat_sieve *sieve = sieve_of();
	const struct moat_bucket6 *bucket;
	__u16 mark = MOAT_MARK(len, hash);
	__u64 view, flags, meta;
	__u32 index;

	if (!sieve)
		return MOAT_META_ASK;
	view = WHOLE(&sieve->buckets);
	index = moat_view_index(view, hash);
	bucket = bpf_map_lookup_elem(&moat_buckets6, &index);
	if (!bucket)
		return MOAT_META_ASK;
	meta = sieve_bucket6(bucket, first, second, mark);
	flags = WHOLE(&bucket->flags);
	if (meta || !(flags & MOAT_BUCKET6_OVERFLOW))
		return meta;

	index = moat_view_index(view, moat_second6(hash));
	bucket = bpf_map_lookup_elem(&moat_buckets6, &index);
	if (!bucket)
		return MOAT_META_ASK;
	meta = sieve_bucket6(bucket, first, second, mark);
	return !meta && flags & MOAT_BUCKET6_SPILLED ? MOAT_META_ASK : meta;
}

/* A union match. The address as two halves of network order bytes. */
__attribute__((noinline)) __u64 sieve6(__u64 first, __u64 second, __u32 bank)
{
	const struct moat_lengths *lengths = record_lengths(MOAT_IPV6, bank);
	const struct moat_sieve *sieve = sieve_of();
	union match out = { .result = LOOKUP_ASK };
	__u64 view, filter, stem;

	if (!lengths || !sieve)
		return out.word;
	out.result = LOOKUP_EMPTY;
	if (!sieve->lengths6)
		return out.word;
	out.result = LOOKUP_CLEAN;
	view = WHOLE(&sieve->buckets);
	stem = moat_hash6(sieve, first & bpf_cpu_to_be64(~0ULL << (64 - MOAT_MARKER)), 0,
			  MOAT_MARKER);
	filter = sieve_filter(view, stem);
	for (__u32 i = 0; i < MOAT_LENGTHS6 && i < lengths->count; i++) {
		const struct moat_length *length = &lengths->at[i];
		__u32 len = length->len;
		__u64 left, right, hash;
		union moat_meta meta;

		if (len > MOAT_MARKER && !sieve_may_have(filter, moat_marker6(stem, len)))
			continue;
		left = first & moat_half(length->mask[0], length->mask[1]);
		right = second & moat_half(length->mask[2], length->mask[3]);
		hash = moat_hash6(sieve, left, right, len);
		if (!sieve_may_have(sieve_filter(view, hash), hash))
			continue;
		meta.word = sieve_find6(left, right, hash, len);
		if (!meta.word)
			continue;
		out.result = lookup_live(meta.expires) ? LOOKUP_LISTED : LOOKUP_ASK;
		out.class = meta.class;
		out.len = len;
		break;
	}
	return out.word;
}

#endif
