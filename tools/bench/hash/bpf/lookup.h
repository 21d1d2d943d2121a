/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lookup as one BPF hash map a family and one look into it a prefix length
 * in use: a peer for the benchmark, found before bpf/lookup.h in its build of
 * bpf/moat.bpf.c. Same interface; no phases.
 */
#ifndef BPF_LOOKUP_H
#define BPF_LOOKUP_H

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/packet.h"

enum lookup {
	LOOKUP_EMPTY,
	LOOKUP_CLEAN,
	LOOKUP_EXPIRED,
	LOOKUP_LISTED,
};

struct found {
	__u32 class;
	__u32 len;
};

struct hash_value {
	__u32 class;
	__u32 expires;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct moat_key4);
	__type(value, struct hash_value);
} bench_hash4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct moat_key6);
	__type(value, struct hash_value);
} bench_hash6 SEC(".maps");

static __always_inline const struct moat_lengths *lookup_lengths(__u32 family)
{
	__u32 index = MOAT_LENGTHS_INDEX(family, 0);

	return bpf_map_lookup_elem(&moat_lengths, &index);
}

static __always_inline bool lookup_live(const struct hash_value *value, __u32 now)
{
	return value->expires == MOAT_NEVER || now < value->expires;
}

static __always_inline enum lookup lookup4(const struct packet *pkt, struct found *found)
{
	const struct moat_lengths *lengths = lookup_lengths(MOAT_IPV4);
	__u32 now = clock_ticks();

	if (!lengths)
		return LOOKUP_EMPTY;
	for (__u32 i = 0; i < MOAT_LENGTHS4 && i < lengths->count; i++) {
		const struct moat_length *length = &lengths->at[i];
		struct moat_key4 key = { length->len, pkt->source[0] & length->mask[0] };
		const struct hash_value *value = bpf_map_lookup_elem(&bench_hash4, &key);

		if (value && lookup_live(value, now)) {
			found->class = value->class;
			found->len = length->len;
			return LOOKUP_LISTED;
		}
	}
	return LOOKUP_CLEAN;
}

static __always_inline enum lookup lookup6(const struct packet *pkt, struct found *found)
{
	const struct moat_lengths *lengths = lookup_lengths(MOAT_IPV6);
	__u32 now = clock_ticks();

	if (!lengths)
		return LOOKUP_EMPTY;
	for (__u32 i = 0; i < MOAT_LENGTHS6 && i < lengths->count; i++) {
		const struct moat_length *length = &lengths->at[i];
		struct moat_key6 key = {
			length->len,
			{ pkt->source[0] & length->mask[0], pkt->source[1] & length->mask[1],
			  pkt->source[2] & length->mask[2], pkt->source[3] & length->mask[3] },
		};
		const struct hash_value *value = bpf_map_lookup_elem(&bench_hash6, &key);

		if (value && lookup_live(value, now)) {
			found->class = value->class;
			found->len = length->len;
			return LOOKUP_LISTED;
		}
	}
	return LOOKUP_CLEAN;
}

static __always_inline enum lookup lookup_source(const struct packet *pkt,
						 const struct moat_control *control,
						 struct found *found)
{
	return pkt->family == MOAT_IPV4 ? lookup4(pkt, found) : lookup6(pkt, found);
}

static __always_inline struct moat_source *lookup_record(const struct packet *pkt,
							 const struct found *found)
{
	return NULL;
}

#endif
