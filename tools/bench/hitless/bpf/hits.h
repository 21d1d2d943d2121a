/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filter without bpf/hits.h: what is found before it in the build that
 * tools/bench/hits.c measures against.
 */
#ifndef BPF_HITS_H
#define BPF_HITS_H

#include "bpf/packet.h"
#include "moat/stats.h"

static __always_inline void hit_packet(const struct packet *pkt, enum moat_reason why,
				       struct moat_stats *cell, __u32 random)
{
}

#endif
