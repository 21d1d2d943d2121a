/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The lookup as a BPF LPM trie a family: a peer for the benchmark, found before
 * bpf/lookup.h in its build of bpf/moat.bpf.c. Same interface; no phases, and
 * no state of limit (a trie holds no spin lock), neither of which is measured.
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
	__u32 len; /* a trie does not tell */
};

struct lpm_value {
	__u32 class;
	__u32 expires;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct moat_key4);
	__type(value, struct lpm_value);
} bench_lpm4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct moat_key6);
	__type(value, struct lpm_value);
} bench_lpm6 SEC(".maps");

static __always_inline const struct lpm_value *lookup_trie(const struct packet *pkt)
{
	struct moat_key6 key = { .len = 128 };
	struct moat_key4 key4 = { .len = 32, .addr = pkt->source[0] };

	if (pkt->family == MOAT_IPV4)
		return bpf_map_lookup_elem(&bench_lpm4, &key4);
	key.addr[0] = pkt->source[0];
	key.addr[1] = pkt->source[1];
	key.addr[2] = pkt->source[2];
	key.addr[3] = pkt->source[3];
	return bpf_map_lookup_elem(&bench_lpm6, &key);
}

static __always_inline enum lookup lookup_source(const struct packet *pkt,
						 const struct moat_control *control,
						 struct found *found)
{
	const struct lpm_value *value = lookup_trie(pkt);

	if (!value)
		return LOOKUP_CLEAN;
	if (value->expires != MOAT_NEVER && clock_ticks() >= value->expires)
		return LOOKUP_EXPIRED;
	found->class = value->class;
	return LOOKUP_LISTED;
}

static __always_inline struct moat_source *lookup_record(const struct packet *pkt,
							 const struct found *found)
{
	return NULL;
}

#endif
