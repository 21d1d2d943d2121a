/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Takes the time of every BENCH_TIMED_EVERY-th packet, so that its cost among
 * others can be told apart from theirs.
 */
#ifndef BENCH_TIMED_BPF_H
#define BENCH_TIMED_BPF_H

#include "tools/bench/source.bpf.h"

/* Program writes, user space reads and sets to 0. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bench_timed);
} bench_timed SEC(".maps");

static __always_inline struct bench_timed *bench_timed_state(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&bench_timed, &zero);
}

/* After bench_rewrite(). */
static __always_inline void bench_timed_begin(void)
{
	struct bench_timed *timed = bench_timed_state();

	if (!timed || ++timed->packets % BENCH_TIMED_EVERY)
		return;
	timed->begin = bpf_ktime_get_ns();
}

/* What an interrupt took is not the packet's. */
static __always_inline void bench_timed_end(void)
{
	struct bench_timed *timed = bench_timed_state();
	__u64 took;

	if (!timed || !timed->begin)
		return;
	took = bpf_ktime_get_ns() - timed->begin;
	timed->begin = 0;
	if (took >= BENCH_TIMED_MAX_NS)
		return;
	timed->ns += took;
	timed->count++;
}

#endif
