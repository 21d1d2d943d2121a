/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What each listed source sent: how many packets, when the first, when the
 * last.
 *
 * A hit is a packet that leaves with a policy reason (moat/reason.h); it goes
 * to the installed prefix that decided. The table is of a fixed size: where it
 * is full, those that were not seen for the longest time give way, so it tells
 * of the sources that are active, and remembers fewer than are listed.
 *
 * How it stays cheap: in each tick of the kernel's timer, a CPU notes the first
 * MOAT_HITS_EXACT hits that a cell of its counters (moat/stats.h) counts; of what
 * comes beyond, in a flood, one in MOAT_HIT_CHANCE by chance, which then stands
 * for as many. So what is counted is exact at the rates of a quiet day, and
 * right on average at any other; struct moat_hit says which.
 *
 * moat_hits lies in moat_hit_slot, so that it can be left out, and exchanged
 * for one of another size under a running program.
 *
 * Who writes: the XDP program. Who reads: the daemon.
 */
#ifndef MOAT_HITS_H
#define MOAT_HITS_H

#include "moat/abi.h"

/* Unused bytes are 0: keys are compared whole. Host bits of the address are 0. */
struct moat_hit_key {
	__be32 addr[4]; /* IPv4 in [0] */
	__u8 family;	/* MOAT_IPV4, MOAT_IPV6 */
	__u8 len;	/* of the prefix */
	__u16 reserved;
};

/*
 * Written by all CPUs: counts are added atomically, the rest are single words.
 * What two CPUs bring at once to a source that is new may count once.
 */
struct moat_hit {
	__u64 packets;
	__u64 bytes;   /* of whole frames */
	__u32 first;   /* in ticks, MOAT_TICK_SHIFT */
	__u32 last;    /* likewise */
	__u32 sampled; /* not 0: part of it was counted by chance */
	__u32 reserved;
};

/* A power of two. */
#define MOAT_HIT_CHANCE 256

/* Hits that a cell notes a tick before chance decides, for a tick of so many ns: one each 125 us. */
#define MOAT_HITS_EXACT(tick_ns) ((tick_ns) / 125000 + 1)

_Static_assert(sizeof(struct moat_hit_key) == 20, "ABI");
_Static_assert(sizeof(struct moat_hit) == 32, "ABI");
_Static_assert(!(MOAT_HIT_CHANCE & (MOAT_HIT_CHANCE - 1)), "a power of two");

#endif
