/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Notes what listed sources send (moat/hits.h). In a flood a packet pays for a
 * look at the cell that it has just counted in, and no clock: the timer's tick
 * is a plain word in the kernel, and the random number is there already.
 */
#ifndef BPF_HITS_H
#define BPF_HITS_H

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "moat/sieve.h"
#include "moat/stats.h"

/* MOAT_HITS_EXACT of this kernel, 0: no hit is noted. Set before load; the value here is for HZ=250. */
const volatile __u32 moat_hits_exact = MOAT_HITS_EXACT(4000000);

/* moat_stats.pace: hits that are still noted one by one in this tick of the timer. */
union hit_pace {
	__u64 word;
	struct {
		__u32 tick;
		__u32 left;
	};
};

/* What hit_note() is told besides the address, in words: it is a global function. */
union hit_about {
	__u64 word;
	struct {
		__u8 family;
		__u8 len;
		__u16 reserved;
		__u32 length; /* of the frame */
	};
};

/*
 * Not in the body of hit_note(): clang 14 would describe the slot before the
 * table that lies in it, and leave out what its keys are.
 */
static __always_inline void *hit_table(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&moat_hit_slot, &zero);
}

/* The first len bits of 64, in network order. */
static __always_inline __u64 hit_mask(__u32 len)
{
	return len ? bpf_cpu_to_be64(~0ULL << (64 - len)) : 0;
}

static __always_inline void hit_begin(void *table, const struct moat_hit_key *key, __u32 length,
				      __u32 weight, __u32 now)
{
	struct moat_hit fresh = {
		.packets = weight,
		.bytes = (__u64)length * weight,
		.first = now,
		.last = now,
		.sampled = weight > 1,
	};

	bpf_map_update_elem(table, key, &fresh, BPF_NOEXIST);
}

/*
 * The address as two words of network order bytes; weight: how many packets
 * this one stands for. The entry that was found may have been given to another
 * source a moment ago, which then has a hit too many. A function of its own:
 * the verifier walks it once. Returns nothing of use.
 */
__attribute__((noinline)) int hit_note(__u64 first, __u64 second, __u64 word, __u32 weight)
{
	union hit_about about = { .word = word };
	__u32 len = about.len & 0xFF;
	struct moat_hit_key key = { .family = about.family, .len = len };
	void *table = hit_table();
	struct moat_hit *hit;
	__u32 now;

	if (!moat_hits_exact || !table)
		return 0;
	first &= hit_mask(len > 64 ? 64 : len);
	second &= hit_mask(len > 128 ? 64 : len > 64 ? len - 64 : 0);
	key.addr[0] = first;
	key.addr[1] = first >> 32;
	key.addr[2] = second;
	key.addr[3] = second >> 32;

	now = clock_ticks();
	hit = bpf_map_lookup_elem(table, &key);
	if (!hit) {
		hit_begin(table, &key, about.length, weight, now);
		return 0;
	}
	__sync_fetch_and_add(&hit->packets, weight);
	__sync_fetch_and_add(&hit->bytes, (__u64)about.length * weight);
	*(volatile __u32 *)&hit->last = now;
	if (weight > 1)
		*(volatile __u32 *)&hit->sampled = 1;
	return 0;
}

/* How many packets this one stands for; 0: it is not noted. */
static __always_inline __u32 hit_weight(struct moat_stats *cell, __u32 random)
{
	union hit_pace pace = { .word = cell->pace };
	__u32 tick = bpf_jiffies64();

	if (pace.tick != tick) {
		pace.tick = tick;
		pace.left = moat_hits_exact;
	}
	if (!pace.left)
		return random & (MOAT_HIT_CHANCE - 1) ? 0 : MOAT_HIT_CHANCE;
	pace.left--;
	cell->pace = pace.word;
	return 1;
}

/* A packet that this cell has counted. random: 32 bits that tell nothing of the packet. */
static __always_inline void hit_packet(const struct packet *pkt, enum moat_reason why,
				       struct moat_stats *cell, __u32 random)
{
	union hit_about about = {};
	__u32 weight;

	if (!moat_reason_has_category(why))
		return;
	weight = hit_weight(cell, random);
	if (!weight)
		return;
	about.family = pkt->family;
	about.len = pkt->matched;
	about.length = pkt->length;
	hit_note(moat_half(pkt->source[0], pkt->source[1]),
		 moat_half(pkt->source[2], pkt->source[3]), about.word, weight);
}

#endif
