/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The switches the daemon turns while packets flow, and the tag that goes from
 * the XDP program to the tc program.
 *
 * moat_control is one for all interfaces, moat_iface one for each. Both are
 * mapped into the daemon and written with single plain stores.
 */
#ifndef MOAT_CONTROL_H
#define MOAT_CONTROL_H

#include "moat/abi.h"

#define MOAT_PAUSE_FOREVER (~0ULL)

struct moat_control {
	__u32 abi;	       /* MOAT_ABI of the daemon that made the maps */
	__u32 policy_bank;     /* 0 or 1 */
	__u32 lengths_bank[2]; /* by family: MOAT_IPV4, MOAT_IPV6 */
	__u64 paused_until;    /* boot ns; every packet passes until then; 0: not paused */
	__u32 sieve; /* number of the sieve that is being written: other programs ask the records */
	__u32 reserved; /* what earlier daemons wrote to these two says nothing */
};

struct moat_iface {
	__u32 enforce; /* 0: every action only counts */
	__u32 replies; /* 1: let answers to what was opened here through, even from listed sources */
	__u64 drop_reasons;  /* bit r: drop what leaves with plain reason r */
	__u32 sample_chance; /* of 2^32: so many packets that pass become samples (moat/sample.h) */
	__u16 sample_seed;
	__u8 drop_sampling; /* 0: no dropped packet becomes a sample; n: one in 2^(n-1) does */
	__u8 reserved;
};

/* XDP metadata of a tagged packet, directly before the frame. */
struct moat_tag {
	__u32 magic;
	__u32 mark;
};

#define MOAT_TAG_MAGIC 0x6d6f6174 /* "moat" */

_Static_assert(sizeof(struct moat_control) == 32, "ABI");
_Static_assert(sizeof(struct moat_iface) == 24, "ABI");

#endif
