// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a packet costs without any filter: the new source address, then pass.
 */
#include "tools/bench/source.bpf.h"

char _license[] SEC("license") = "Dual BSD/GPL";

SEC("xdp")
int moat_ingress(struct xdp_md *ctx)
{
	bench_rewrite(ctx);
	return XDP_PASS;
}
