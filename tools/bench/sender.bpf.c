// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sends frames from random sources out of an interface: run by
 * BPF_PROG_TEST_RUN with live frames, redirects each to the interface.
 */
#include "tools/bench/source.bpf.h"

const volatile __u32 sender_ifindex = 0;
const volatile __u32 sender_sum = 0; /* of the IPv4 header without source and checksum, RFC 1071 */

char _license[] SEC("license") = "Dual BSD/GPL";

SEC("xdp")
int bench_send(struct xdp_md *ctx)
{
	const struct bench_source *source = bench_source();
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(eth + 1);
	__u32 sum;

	if (!source || (void *)(ip + 1) > (void *)(long)ctx->data_end)
		return XDP_DROP;
	sum = sender_sum + (source->addr[0] & 0xFFFF) + (source->addr[0] >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	ip->saddr = source->addr[0];
	ip->check = ~sum;
	return bpf_redirect(sender_ifindex, 0);
}
