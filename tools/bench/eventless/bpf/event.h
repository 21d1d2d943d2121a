/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filter without bpf/event.h: what is found before it in the build that
 * tools/bench/events.c measures against.
 */
#ifndef BPF_EVENT_H
#define BPF_EVENT_H

#include "bpf/packet.h"

static __always_inline void event_packet(struct xdp_md *ctx, const struct packet *pkt,
					 enum moat_verdict verdict, enum moat_reason why)
{
}

#endif
