/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records: which class the source of a packet has by the hash maps, one
 * look for each prefix length in use, longest first.
 *
 * The whole truth, and slow. The sieve (bpf/sieve.h) asks here when it is not
 * certain; a host without a sieve asks for every packet.
 *
 * The longest match with a phase still live decides; one whose phases have all
 * ended is passed over as if it were not there.
 */
#ifndef BPF_RECORD_H
#define BPF_RECORD_H

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "moat/sieve.h"

enum lookup {
	LOOKUP_EMPTY,	/* nothing of this family is installed */
	LOOKUP_CLEAN,	/* not listed */
	LOOKUP_EXPIRED, /* listed once, nothing of it is live */
	LOOKUP_LISTED,
	LOOKUP_ASK, /* of the sieve: only the records know */
};

struct found {
	__u32 class;
	__u32 len; /* prefix length of the match */
};

/* Class and expires in one load, so that they belong together. */
union lifetime {
	__u64 word;
	struct {
		__u32 class;
		__u32 expires;
	};
};

static __always_inline bool lookup_live(__u32 expires)
{
	return expires == MOAT_NEVER || clock_ticks() < expires;
}

#define NO_PHASE (~0U)

/*
 * The class of the first live phase from next on, or NO_PHASE. Rare: only for
 * sources whose first phase has ended. A function of its own, so that the
 * verifier walks its loop once and not once a prefix length.
 */
__attribute__((noinline)) __u32 record_phases(__u32 next)
{
	for (int i = 0; i < MOAT_PHASES_MAX && next; i++) {
		const struct moat_phase *phase = bpf_map_lookup_elem(&moat_phases, &next);

		if (!phase)
			break;
		if (lookup_live(phase->expires))
			return phase->class;
		next = phase->next;
	}
	return NO_PHASE;
}

/* Whether a phase of the record is live; then *class is that phase's. */
static __always_inline bool record_live_class(const struct moat_source *record, __u32 *class)
{
	union lifetime life = { .word = *(volatile __u64 *)&record->class };

	*class = life.class;
	if (lookup_live(life.expires))
		return true;
	if (!record->next)
		return false;
	*class = record_phases(record->next);
	return *class != NO_PHASE;
}

static __always_inline struct moat_source *record_key4(__be32 source,
						       const struct moat_length *length)
{
	struct moat_key4 key = { .len = length->len, .addr = source & length->mask[0] };

	return bpf_map_lookup_elem(&moat_source4, &key);
}

/* The address as two words of network order bytes. */
static __always_inline struct moat_source *record_key6(__u64 first, __u64 second,
						       const struct moat_length *length)
{
	struct moat_key6 key = {
		.len = length->len,
		.addr = { (__u32)first & length->mask[0], (first >> 32) & length->mask[1],
			  (__u32)second & length->mask[2], (second >> 32) & length->mask[3] },
	};

	return bpf_map_lookup_elem(&moat_source6, &key);
}

static __always_inline const struct moat_lengths *record_lengths(__u32 family, __u32 bank)
{
	__u32 index = MOAT_LENGTHS_INDEX(family, bank & 1);

	return bpf_map_lookup_elem(&moat_lengths, &index);
}

/* What was found, in one register: the result of functions that the verifier walks once. */
union match {
	__u64 word;
	struct {
		__u32 class;
		__u16 len;
		__u16 result; /* enum lookup */
	};
};

/*
 * The longest live record that covers an address, as a union match. family is a
 * constant; the address as two words of network order bytes, IPv4 in the first.
 */
static __always_inline __u64 record_walk(__u32 family, __u64 first, __u64 second, __u32 bank)
{
	const __u32 most = family == MOAT_IPV4 ? MOAT_LENGTHS4 : MOAT_LENGTHS6;
	const struct moat_lengths *lengths = record_lengths(family, bank);
	union match out = { .result = LOOKUP_CLEAN };

	if (!lengths || !lengths->count) {
		out.result = LOOKUP_EMPTY;
		return out.word;
	}
	for (__u32 i = 0; i < most && i < lengths->count; i++) {
		const struct moat_length *length = &lengths->at[i];
		const struct moat_source *record = family == MOAT_IPV4
							   ? record_key4((__be32)first, length)
							   : record_key6(first, second, length);
		__u32 class;

		if (!record)
			continue;
		if (record_live_class(record, &class)) {
			out.class = class;
			out.len = length->len;
			out.result = LOOKUP_LISTED;
			break;
		}
		out.result = LOOKUP_EXPIRED;
	}
	return out.word;
}

__attribute__((noinline)) __u64 record4(__be32 source, __u32 bank)
{
	return record_walk(MOAT_IPV4, source, 0, bank);
}

__attribute__((noinline)) __u64 record6(__u64 first, __u64 second, __u32 bank)
{
	return record_walk(MOAT_IPV6, first, second, bank);
}

/* The first len bits of 32, network order. */
static __always_inline __be32 record_mask(__u32 len, __u32 word)
{
	__u32 bits = len > word * 32 ? len - word * 32 : 0;

	return bits > 31 ? ~0U : bpf_htonl(~(~0U >> bits));
}

/* The record of the prefix of that length that covers the packet's source, or NULL. */
static __always_inline struct moat_source *record_of(const struct packet *pkt, __u32 len)
{
	struct moat_length length = { .len = len };

	length.mask[0] = record_mask(len, 0);
	if (pkt->family == MOAT_IPV4)
		return record_key4(pkt->source[0], &length);
	length.mask[1] = record_mask(len, 1);
	length.mask[2] = record_mask(len, 2);
	length.mask[3] = record_mask(len, 3);
	return record_key6(moat_half(pkt->source[0], pkt->source[1]),
			   moat_half(pkt->source[2], pkt->source[3]), &length);
}

#endif
