// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the clock of the timed builds costs without any filter.
 */
#include "tools/bench/timed.bpf.h"

char _license[] SEC("license") = "Dual BSD/GPL";

SEC("xdp")
int moat_ingress(struct xdp_md *ctx)
{
	bench_rewrite(ctx);
	bench_timed_begin();
	bench_timed_end();
	return XDP_PASS;
}
