/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bpf/act.h with the clock of timed/bpf/parse.h stopped behind it.
 */
#ifndef BENCH_TIMED_ACT_H
#define BENCH_TIMED_ACT_H

#include "tools/bench/timed.bpf.h"

#define act act_untimed
#include_next "bpf/act.h"
#undef act

static __always_inline int act(struct xdp_md *ctx, struct packet *pkt, enum moat_reason why)
{
	int action = act_untimed(ctx, pkt, why);

	bench_timed_end();
	return action;
}

#endif
