/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bpf/act.h with the clock of timed/bpf/parse.h stopped behind it.
 */
#ifndef BENCH_TIMED_ACT_H
#define BENCH_TIMED_ACT_H

#include "tools/bench/timed.bpf.h"

#define leave leave_untimed
#include_next "bpf/act.h"
#undef leave

static __always_inline int leave(struct xdp_md *ctx, struct packet *pkt, enum moat_reason why,
				 bool marks)
{
	int action = leave_untimed(ctx, pkt, why, marks);

	bench_timed_end();
	return action;
}

#endif
