/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bpf/parse.h with a new source address in the packet before each parse. Found
 * before the real one in the benchmark's builds of bpf/moat.bpf.c.
 */
#ifndef BENCH_PARSE_H
#define BENCH_PARSE_H

#include "tools/bench/source.bpf.h"

#define parse_packet parse_packet_as_it_is
#include_next "bpf/parse.h"
#undef parse_packet

static __always_inline enum moat_reason parse_packet(const struct xdp_md *ctx, struct packet *pkt)
{
	bench_rewrite(ctx);
	return parse_packet_as_it_is(ctx, pkt);
}

#endif
