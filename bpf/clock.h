/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The time in ticks, for what a packet may spend on it. Reading the clock takes
 * as long as all the rest of a listed packet, and waits for every load before
 * it: for the source's slot, which comes from memory. So it is read once in a
 * tick of the kernel's timer, which is a plain word, and kept beside that; an
 * expiry is noticed a tick of the timer (1 to 10 ms) later than it might be.
 */
#ifndef BPF_CLOCK_H
#define BPF_CLOCK_H

#include "bpf/maps.h"

/* One word, so that CPUs that store it at once leave one that belongs together. */
union clock {
	__u64 word;
	struct {
		__u32 timer; /* low half of jiffies */
		__u32 ticks;
	};
};

/* CLOCK_BOOTTIME >> MOAT_TICK_SHIFT. */
static __always_inline __u32 clock_ticks(void)
{
	__u32 zero = 0, timer = bpf_jiffies64();
	__u64 *at = bpf_map_lookup_elem(&moat_clock, &zero);
	union clock clock = { .word = at ? WHOLE(at) : 0 };

	if (clock.timer == timer && clock.ticks)
		return clock.ticks;
	clock.timer = timer;
	clock.ticks = bpf_ktime_get_boot_ns() >> MOAT_TICK_SHIFT;
	if (at)
		*(volatile __u64 *)at = clock.word;
	return clock.ticks;
}

#endif
