/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Events: packets one by one, with what became of them and why, for whoever
 * watches: a few of very many.
 *
 * A packet whose verdict is not pass (or any packet, if so wished) becomes an
 * event as long as its CPU's token bucket has a token, and its ring a place.
 * Every one that was to be an event is counted, once: written, or lost (the
 * ring is full), or suppressed (over the rate).
 *
 * A ring, a bucket and the counts are one lane, and each CPU has one; the
 * interfaces share them. The lanes lie in the array moat_event_lane, the rings
 * behind each other in moat_event_ring: both mapped into the daemon, neither
 * pinned nor kept.
 *
 * Nobody watches: moat_event_wanted (of each program, moat.bpf.c) is 0, which
 * is all that a packet looks at. The daemon grants time (moat_event_lane.until)
 * and renews it; a program that finds it over, because nobody renews it any
 * more, takes back moat_event_wanted itself.
 *
 * Who writes: the XDP program, each CPU its own lane; tail, until, rate and
 * depth: the daemon.
 */
#ifndef MOAT_EVENT_H
#define MOAT_EVENT_H

#include "moat/abi.h"

/* moat_event_wanted. */
#define MOAT_EVENT_VERDICTS 1U /* packets whose verdict is not pass */
#define MOAT_EVENT_PASSES   2U /* those that pass */

#define MOAT_EVENT_HEAD	 128   /* bytes of the frame that an event keeps */
#define MOAT_EVENT_TOKEN 65536 /* what an event costs its bucket */

/* A lane has a bucket for what passes and one for the rest, so that neither starves the other. */
#define MOAT_EVENT_BUCKETS 2

struct moat_event {
	__u64 time;    /* boot clock, ns */
	__u32 ifindex; /* of the interface it came in by */
	__u32 length;  /* of the frame, in bytes */
	__u8 family;   /* enum moat_family */
	__u8 verdict;  /* enum moat_verdict */
	__u8 reason;   /* enum moat_reason */
	__u8 category; /* that decided; 0 without */
	__u8 matched;  /* with a policy reason: length of the installed prefix that decided */
	__u8 ip;       /* offset of the IP header in the frame; family other: none */
	__u8 size;     /* of head, in bytes: the frame, or its first MOAT_EVENT_HEAD */
	__u8 reserved;
	__u8 head[MOAT_EVENT_HEAD]; /* of the frame as it leaves the filter */
};

struct moat_event_lane {
	__u64 head;	  /* events written, ever; indexes are taken modulo the ring */
	__u64 lost;	  /* found the ring full, ever */
	__u64 suppressed; /* over the rate, ever */
	__u64 tick;	  /* of the kernel's timer, when the buckets were filled last */
	__u64 tokens[MOAT_EVENT_BUCKETS]; /* in them, MOAT_EVENT_TOKEN an event */
	__u64 reserved[2];		  /* the daemon's part has a cache line of its own */

	__u64 tail;  /* events read, ever */
	__u64 until; /* boot clock, ns: nothing is written from then on */
	__u64 rate;  /* tokens that a tick brings */
	__u64 depth; /* tokens that a bucket holds */
	__u64 spare[4];
};

_Static_assert(sizeof(struct moat_event) == 24 + MOAT_EVENT_HEAD, "ABI");
_Static_assert(sizeof(struct moat_event_lane) == 128, "ABI");

#endif
