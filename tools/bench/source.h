/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The source addresses that benchmark packets come from, one after the other,
 * for both sides of the kernel line.
 *
 * A packet repeated finds its lookup in the cache every time; so each run
 * takes the next of BENCH_SOURCES random addresses, in every implementation,
 * the empty one included, whose cost is subtracted.
 */
#ifndef BENCH_SOURCE_H
#define BENCH_SOURCE_H

#include "moat/abi.h"

#define BENCH_SOURCES (1U << 20)

#define BENCH_MAP_SOURCES "bench_sources"
#define BENCH_MAP_CURSOR  "bench_cursor"
#define BENCH_MAP_TIMED	  "bench_timed"

struct bench_source {
	__be32 addr[4]; /* IPv4 in [0] */
};

/* Of the timed builds (tools/bench/timed.bpf.h). */
#define BENCH_TIMED_EVERY  16	 /* packets: the last of each so many is timed */
#define BENCH_TIMED_MAX_NS 10000 /* longer took an interrupt */

struct bench_timed {
	__u64 packets; /* that went by */
	__u64 begin;   /* of the one in hand, if it is timed; else 0 */
	__u64 ns;      /* that all timed ones took */
	__u64 count;   /* of these */
};

#endif
