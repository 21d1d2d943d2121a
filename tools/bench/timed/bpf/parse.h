/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bpf/parse.h with a new source address in the packet before each parse, and a
 * clock that starts there. Found before the real one in the timed builds of
 * bpf/moat.bpf.c.
 */
#ifndef BENCH_TIMED_PARSE_H
#define BENCH_TIMED_PARSE_H

#include "tools/bench/timed.bpf.h"

#define parse_packet parse_packet_untimed
#include_next "bpf/parse.h"
#undef parse_packet

static __always_inline enum moat_reason parse_packet(const struct xdp_md *ctx, struct packet *pkt)
{
	bench_rewrite(ctx);
	bench_timed_begin();
	return parse_packet_untimed(ctx, pkt);
}

#endif
