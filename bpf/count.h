/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts a packet, once, in the cell of the way it leaves.
 */
#ifndef BPF_COUNT_H
#define BPF_COUNT_H

#include "bpf/maps.h"
#include "bpf/packet.h"

/* Returns the cell, never NULL. */
static __always_inline struct moat_stats *count_packet(const struct packet *pkt,
						       enum moat_verdict verdict,
						       enum moat_reason why)
{
	__u32 cell = moat_cell(pkt->family, verdict, why, pkt->category);
	struct moat_stats *stats = bpf_map_lookup_elem(&moat_stats, &cell);

	if (!stats)
		return NULL;
	stats->bytes += pkt->length;
	stats->packets++;
	return stats;
}

#endif
