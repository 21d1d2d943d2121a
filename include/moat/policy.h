/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a category means on this host, and which categories a class has.
 *
 * A policy is an action with a scope. A class is an interned set of
 * categories; its order lists those of them that can decide, strongest action
 * first, ties in the order of the configuration. The first whose scope fits
 * the packet decides.
 *
 * Policies, ports and classes exist in two banks, so that a reload changes
 * them all at once: the daemon writes the bank that is not in force, then
 * flips moat_control.policy_bank. A class that is new is written to both banks
 * before any source names it.
 *
 * Who writes: the daemon. Who reads: the XDP program.
 */
#ifndef MOAT_POLICY_H
#define MOAT_POLICY_H

#include "moat/abi.h"

/*
 * By strength, weakest first.
 *
 *        name     label */
/* clang-format off */
#define MOAT_ACTIONS(X)                                                                            \
	X(MONITOR, "monitor") /* count what would have happened */                                 \
	X(TAG,     "tag")     /* skb mark and/or DSCP */                                           \
	X(LIMIT,   "limit")   /* token bucket a source */                                          \
	X(DROP,    "drop")
/* clang-format on */

/* clang-format off */
enum moat_action {
#define X(name, label) MOAT_ACTION_##name,
	MOAT_ACTIONS(X)
#undef X
	MOAT_ACTION_MAX,
};
/* clang-format on */

#define MOAT_CATEGORIES	       64 /* sets of categories are 64-bit words */
#define MOAT_CATEGORY_ALLOW    0  /* built in: protects */
#define MOAT_CATEGORY_SELFTEST 63 /* built in: the sources the self-test sends from */
#define MOAT_CATEGORY_NAME     32 /* with the terminating NUL */

#define MOAT_PORT_WORDS	 1024 /* of 64 ports */
#define MOAT_CLASSES	 65536
#define MOAT_CLASS_ALLOW 0 /* also what an unwritten entry means: pass */

/* moat_policy.flags */
#define MOAT_POLICY_PROTOCOLS (1U << 0) /* only the protocols of the set */
#define MOAT_POLICY_PORTS     (1U << 1) /* only the ports of the category's moat_ports */
#define MOAT_POLICY_BITS      (1U << 2) /* limit: cost is by length, not by packet */
#define MOAT_POLICY_MARK      (1U << 3) /* tag: set the skb mark */
#define MOAT_POLICY_DSCP      (1U << 4) /* tag: rewrite the DSCP */
#define MOAT_POLICY_SHARED    (1U << 5) /* tag: only in place of another category's drop */

/*
 * What a category of addresses that many people share (MOAT_POLICY_SHARED) is
 * called where others have the label of their action. It never decides, so it
 * is in no order: a class names it as shared.
 */
#define MOAT_SHARED_LABEL "shared"

struct moat_policy {
	__u32 action; /* enum moat_action */
	__u32 flags;
	__u32 mark;
	__u32 dscp;	    /* 0..63 */
	__u64 cost;	    /* limit: ns a packet; with BITS: 2^-20 ns a byte */
	__u64 burst;	    /* limit: ns of credit */
	__u64 protocols[4]; /* bit p of word p/64: IP protocol p; both ICMPs are set together */
};

/*
 * Destination ports (for ICMP: types) of a category, bit p of word p/64.
 */
struct moat_ports {
	__u64 set[MOAT_PORT_WORDS];
};

struct moat_class {
	__u64 set;   /* bit c: category c; for the daemon that adopts the maps */
	__u8 count;  /* how many of order are set; 0 in MOAT_CLASS_ALLOW only */
	__u8 scoped; /* a policy in order has a scope: the packet's transport is needed */
	__u8 order[MOAT_CATEGORIES - 1];
	__u8 shared; /* category whose tag takes the place of drop; 0: none */
	__u8 reserved[6];
};

/* Names of the categories, for the daemon that adopts the maps. */
struct moat_name {
	char text[MOAT_CATEGORY_NAME];
};

#define MOAT_POLICY_INDEX(category, bank) (MOAT_CATEGORIES * (bank) + (category))
#define MOAT_CLASS_INDEX(class, bank)	  (MOAT_CLASSES * (bank) + (class))

_Static_assert(sizeof(struct moat_policy) == 64, "ABI");
_Static_assert(sizeof(struct moat_ports) == 8192, "ABI");
_Static_assert(sizeof(struct moat_class) == 80, "ABI");

#endif
