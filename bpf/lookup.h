/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which class the source of a packet has.
 *
 * The interface, which a faster lookup replaces without touching anything
 * else: lookup_source() and lookup_record(). The implementation here: one hash
 * lookup for each prefix length in use, longest first.
 *
 * The longest match with a phase still live decides; one whose phases have all
 * ended is passed over as if it were not there.
 */
#ifndef BPF_LOOKUP_H
#define BPF_LOOKUP_H

#include "bpf/maps.h"
#include "bpf/packet.h"

enum lookup {
	LOOKUP_EMPTY,	/* nothing of this family is installed */
	LOOKUP_CLEAN,	/* not listed */
	LOOKUP_EXPIRED, /* listed once, nothing of it is live */
	LOOKUP_LISTED,
};

struct found {
	__u32 class;
	__u32 match; /* which of the lengths in use matched */
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
	return expires == MOAT_NEVER || bpf_ktime_get_boot_ns() >> MOAT_TICK_SHIFT < expires;
}

#define NO_PHASE (~0U)

/*
 * The class of the first live phase from next on, or NO_PHASE. Rare: only for
 * sources whose first phase has ended. A function of its own, so that the
 * verifier walks its loop once and not once a prefix length.
 */
__attribute__((noinline)) __u32 lookup_phases(__u32 next)
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
static __always_inline bool lookup_live_class(const struct moat_source *record, __u32 *class)
{
	union lifetime life = { .word = *(volatile __u64 *)&record->class };

	*class = life.class;
	if (lookup_live(life.expires))
		return true;
	if (!record->next)
		return false;
	*class = lookup_phases(record->next);
	return *class != NO_PHASE;
}

static __always_inline struct moat_source *lookup_key4(__be32 source,
						       const struct moat_length *length)
{
	struct moat_key4 key = { .len = length->len, .addr = source & length->mask[0] };

	return bpf_map_lookup_elem(&moat_source4, &key);
}

/* The address as two words of network order bytes. */
static __always_inline struct moat_source *lookup_key6(__u64 first, __u64 second,
						       const struct moat_length *length)
{
	struct moat_key6 key = {
		.len = length->len,
		.addr = { (__u32)first & length->mask[0], (first >> 32) & length->mask[1],
			  (__u32)second & length->mask[2], (second >> 32) & length->mask[3] },
	};

	return bpf_map_lookup_elem(&moat_source6, &key);
}

static __always_inline const struct moat_lengths *lookup_lengths(__u32 family, __u32 bank)
{
	__u32 index = MOAT_LENGTHS_INDEX(family, bank & 1);

	return bpf_map_lookup_elem(&moat_lengths, &index);
}

static __always_inline enum lookup lookup4(__be32 source, __u32 bank, struct found *found)
{
	const struct moat_lengths *lengths = lookup_lengths(MOAT_IPV4, bank);
	enum lookup result = LOOKUP_CLEAN;

	if (!lengths || !lengths->count)
		return LOOKUP_EMPTY;
	for (__u32 i = 0; i < MOAT_LENGTHS4 && i < lengths->count; i++) {
		const struct moat_source *record = lookup_key4(source, &lengths->at[i]);

		if (!record)
			continue;
		found->match = i;
		if (lookup_live_class(record, &found->class))
			return LOOKUP_LISTED;
		result = LOOKUP_EXPIRED;
	}
	return result;
}

/* The result of lookup6() in one register. */
union lookup6 {
	__u64 word;
	struct {
		__u32 class;
		__u16 match;
		__u16 result; /* enum lookup */
	};
};

/*
 * The union lookup6 of an address. A function of its own, so that the verifier
 * walks its loop once.
 */
__attribute__((noinline)) __u64 lookup6(__u64 first, __u64 second, __u32 bank)
{
	const struct moat_lengths *lengths = lookup_lengths(MOAT_IPV6, bank);
	union lookup6 out = { .result = LOOKUP_CLEAN };

	if (!lengths || !lengths->count) {
		out.result = LOOKUP_EMPTY;
		return out.word;
	}
	for (__u32 i = 0; i < MOAT_LENGTHS6 && i < lengths->count; i++) {
		const struct moat_source *record = lookup_key6(first, second, &lengths->at[i]);
		__u32 class;

		if (!record)
			continue;
		if (lookup_live_class(record, &class)) {
			out.class = class;
			out.match = i;
			out.result = LOOKUP_LISTED;
			break;
		}
		out.result = LOOKUP_EXPIRED;
	}
	return out.word;
}

/* family of the packet is IPv4 or IPv6. *found is set only with LOOKUP_LISTED. */
static __always_inline enum lookup lookup_source(const struct packet *pkt,
						 const struct moat_control *control,
						 struct found *found)
{
	union lookup6 out;

	if (pkt->family == MOAT_IPV4)
		return lookup4(pkt->source[0], control->lengths_bank[MOAT_IPV4], found);

	out.word = lookup6(pkt->source[0] | (__u64)pkt->source[1] << 32,
			   pkt->source[2] | (__u64)pkt->source[3] << 32,
			   control->lengths_bank[MOAT_IPV6]);
	found->class = out.class;
	found->match = out.match;
	return out.result;
}

/*
 * The record that holds the state of limit for a match of lookup_source(), or
 * NULL if it went away meanwhile.
 */
static __always_inline struct moat_source *lookup_record(const struct packet *pkt,
							 const struct moat_control *control,
							 const struct found *found)
{
	const struct moat_lengths *lengths =
		lookup_lengths(pkt->family, control->lengths_bank[pkt->family & 1]);

	if (!lengths || found->match >= MOAT_LENGTHS6)
		return NULL;
	if (pkt->family == MOAT_IPV4)
		return lookup_key4(pkt->source[0], &lengths->at[found->match]);
	return lookup_key6(pkt->source[0] | (__u64)pkt->source[1] << 32,
			   pkt->source[2] | (__u64)pkt->source[3] << 32,
			   &lengths->at[found->match]);
}

#endif
