/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Gives the packet in hand the next source address of tools/bench/source.h.
 */
#ifndef BENCH_SOURCE_BPF_H
#define BENCH_SOURCE_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tools/bench/source.h"

/* User space writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BENCH_SOURCES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bench_source);
} bench_sources SEC(".maps");

/* How many packets took an address. One CPU at a time runs the program. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u32);
} bench_cursor SEC(".maps");

static __always_inline const struct bench_source *bench_source(void)
{
	__u32 zero = 0;
	__u32 *cursor = bpf_map_lookup_elem(&bench_cursor, &zero);
	__u32 index;

	if (!cursor)
		return NULL;
	index = (*cursor)++ & (BENCH_SOURCES - 1);
	return bpf_map_lookup_elem(&bench_sources, &index);
}

/* The frame is an untagged Ethernet frame of IPv4 or IPv6. */
static __always_inline void bench_rewrite(const struct xdp_md *ctx)
{
	const struct bench_source *source = bench_source();
	struct ethhdr *eth = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct iphdr *ip4 = (void *)(eth + 1);
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	__be32 *at = (__be32 *)&ip6->saddr;

	if (!source || (void *)(ip6 + 1) > end)
		return;
	if (eth->h_proto == bpf_htons(0x0800)) {
		ip4->saddr = source->addr[0];
		return;
	}
	at[0] = source->addr[0];
	at[1] = source->addr[1];
	at[2] = source->addr[2];
	at[3] = source->addr[3];
}

#endif
