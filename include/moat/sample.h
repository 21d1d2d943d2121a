/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Samples of the packets that pass: whom the filter lets in, for whoever asks
 * what a list or a policy would hit, or who sends most; and of those that are
 * dropped, for whoever asks what another policy would let pass.
 *
 * Each packet with a readable IP source that is not dropped is taken with the
 * same chance (moat_iface.sample_chance), independently of all others, so that
 * the way from one sample to the next is of random length and nothing that
 * repeats itself can hide between samples. A sample carries the chance it was
 * taken with: it stands for MOAT_SAMPLE_CERTAIN / chance packets. Dropped ones
 * are taken with a chance of their own (moat_iface.drop_sampling), and never
 * fill more than half of a ring: a flood must not hide what passes.
 *
 * One ring for each CPU in the array moat_samples, mapped into the daemon. The
 * program writes at head, the daemon moves tail; a full ring takes nothing and
 * counts what it missed. Neither pinned nor kept: samples end with the program.
 *
 * Who writes: the XDP program, each CPU its own ring; tail: the daemon.
 */
#ifndef MOAT_SAMPLE_H
#define MOAT_SAMPLE_H

#include "moat/abi.h"

#define MOAT_SAMPLE_CERTAIN 0xFFFFFFFFU /* the chance that takes every packet */
#define MOAT_SAMPLE_RING    1024	/* samples of one CPU; a power of two */

/* How much of the transport is known: the rest of moat_sample holds no more. */
/* clang-format off */
enum moat_sample_known {
	MOAT_SAMPLE_SOURCE,   /* not even the protocol */
	MOAT_SAMPLE_PROTOCOL, /* a later fragment, a cut header */
	MOAT_SAMPLE_PORT,
};
/* clang-format on */

struct moat_sample {
	__be32 source[4]; /* IPv4 in [0], the rest 0 */
	__u32 time;	  /* in ticks, MOAT_TICK_SHIFT */
	__u32 chance;	  /* above 0 */
	__u32 length;	  /* of the frame, in bytes */
	__u16 port;	  /* destination port, or ICMP type; host order */
	__u8 protocol;	  /* IP protocol number */
	__u8 known;	  /* enum moat_sample_known */
	__u8 family;	  /* enum moat_family: IPv4 or IPv6 */
	__u8 verdict;	  /* enum moat_verdict */
	__u8 reason;	  /* enum moat_reason */
	__u8 category;	  /* that decided; 0 without */
	__u32 reserved;
};

/* Counts of ever; indexes are taken modulo the ring. */
struct moat_samples {
	__u64 head;	    /* samples written */
	__u64 missed;	    /* packets that were to be samples while the ring was full */
	__u64 missed_drops; /* the same of dropped packets */
	__u64 reserved[5];  /* tail has a cache line of its own */
	__u64 tail;	    /* samples read */
	__u64 spare[7];
	struct moat_sample ring[MOAT_SAMPLE_RING];
};

_Static_assert(sizeof(struct moat_sample) == 40, "ABI");
_Static_assert(sizeof(struct moat_samples) == 128 + 40 * MOAT_SAMPLE_RING, "ABI");

#endif
