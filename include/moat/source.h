/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel holds about a source.
 *
 * A source is a prefix. Each installed prefix is one key of a hash map of its
 * family; the value says which class it has, until when, and what it is after
 * that. The longest installed prefix that covers an address and has a phase
 * that is still live decides alone: user space compiled everything that
 * shorter prefixes say into it.
 *
 *   value {class, expires, next} -> phase[next] -> phase[phase[next].next] ...
 *
 * A source whose listings end at different times has one phase for each set of
 * categories it goes through, so that it is judged right while no daemon runs.
 *
 * Who writes: the daemon. Who reads: the XDP program, which also writes tat.
 */
#ifndef MOAT_SOURCE_H
#define MOAT_SOURCE_H

#include "moat/abi.h"

#define MOAT_LENGTHS4 33  /* prefix lengths 0..32 */
#define MOAT_LENGTHS6 129 /* prefix lengths 0..128 */

/* Prefix lengths and addresses: host order, network order. Host bits are 0. */
struct moat_key4 {
	__u32 len;
	__be32 addr;
};

struct moat_key6 {
	__u32 len;
	__be32 addr[4];
};

/*
 * Time in the kernel's maps: ticks of the boot clock (CLOCK_BOOTTIME), 2^27 ns
 * (134 ms) each, rounded up when made from seconds; 32 bits last 18 years of
 * uptime. A phase is live while now < expires. 0: it never ends.
 */
#define MOAT_TICK_SHIFT 27
#define MOAT_NEVER	0

struct moat_source {
	struct bpf_spin_lock lock; /* guards tat; kernel side only */
	__u32 next;		   /* index of the next phase, 0: none */
	__u32 class;		   /* index into moat_classes */
	__u32 expires;		   /* in ticks */
	__u64 tat;		   /* limit: theoretical arrival time, boot ns (GCRA) */
};

struct moat_phase {
	__u32 class;
	__u32 expires;
	__u32 next;
	__u32 reserved;
};

/* Phases a source can go through at most: one a category, and one. */
#define MOAT_PHASES_MAX 65

/*
 * The prefix lengths in use of one family, longest first, with their masks in
 * network order (IPv4 uses mask[0]). Two banks a family; moat_control says
 * which is in force. count 0: no source of this family, every packet passes.
 */
struct moat_length {
	__u32 len;
	__be32 mask[4];
};

struct moat_lengths {
	__u32 count;
	struct moat_length at[MOAT_LENGTHS6];
};

/* The entry of moat_lengths for a family and bank. */
#define MOAT_LENGTHS_INDEX(family, bank) (2 * (family) + (bank))

_Static_assert(sizeof(struct moat_key4) == 8, "ABI");
_Static_assert(sizeof(struct moat_key6) == 20, "ABI");
_Static_assert(sizeof(struct moat_source) == 24, "ABI");
_Static_assert(sizeof(struct moat_phase) == 16, "ABI");
_Static_assert(sizeof(struct moat_lengths) == 4 + 20 * 129, "ABI");

#endif
