/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counts a packet, once, in the cell of the way it leaves.
 */
#ifndef BPF_COUNT_H
#define BPF_COUNT_H

#include "bpf/maps.h"
#include "bpf/packet.h"

/* Returns how many packets the cell has now. */
static __always_inline __u64 count_packet(const struct packet *pkt, enum moat_verdict verdict,
					  enum moat_reason why)
{
	__u32 cell = moat_cell(pkt->family, verdict, why, pkt->category);
	struct moat_stats *stats = bpf_map_lookup_elem(&moat_stats, &cell);

	if (!stats)
		return 0;
	stats->bytes += pkt->length;
	return ++stats->packets;
}

#endif
