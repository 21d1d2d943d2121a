/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The counters: one cell for each way a packet can leave.
 *
 * A per-CPU array for each interface; the cell of a packet follows from
 * family, verdict, reason and, for policy reasons, category. The sum over all
 * cells is the packets seen.
 *
 * Who writes: the XDP program, each CPU its own copy. Who reads: the daemon.
 */
#ifndef MOAT_STATS_H
#define MOAT_STATS_H

#include "moat/policy.h"
#include "moat/reason.h"

struct moat_stats {
	__u64 packets;
	__u64 bytes; /* whole frames, Ethernet header included */
	__u64 pace;  /* the program's own: how many hits it notes (moat/hits.h) */
};

#define MOAT_PLAIN_CELLS  (MOAT_FAMILY_MAX * MOAT_VERDICT_MAX * MOAT_REASON_MAX)
#define MOAT_POLICY_CELLS (2 * MOAT_VERDICT_MAX * MOAT_POLICY_REASONS * MOAT_CATEGORIES)
#define MOAT_CELLS	  (MOAT_PLAIN_CELLS + MOAT_POLICY_CELLS)

/* Whether a reason is counted by category (then the family is IPv4 or IPv6). */
static inline _Bool moat_reason_has_category(__u32 reason)
{
	return reason != MOAT_CLEAN && reason < MOAT_POLICY_REASONS;
}

static inline __u32 moat_cell(__u32 family, __u32 verdict, __u32 reason, __u32 category)
{
	__u32 row = family * MOAT_VERDICT_MAX + verdict;

	if (moat_reason_has_category(reason))
		return MOAT_PLAIN_CELLS + (row * MOAT_POLICY_REASONS + reason) * MOAT_CATEGORIES +
		       category;
	return row * MOAT_REASON_MAX + reason;
}

#endif
