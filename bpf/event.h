/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writes events (moat/event.h). While nobody watches a packet pays one load;
 * over the rate, a look at its CPU's lane.
 */
#ifndef BPF_EVENT_H
#define BPF_EVENT_H

#include "bpf/maps.h"
#include "bpf/packet.h"

#define EVENT_WORDS    (MOAT_EVENT_HEAD / 8)
#define EVENT_IDLE_MAX 1024 /* ticks: nobody saves up for longer */

/* Places of one CPU's ring, a power of two; 0: there is none. Set before load. */
const volatile __u32 moat_event_room = 0;

/* MOAT_EVENT_VERDICTS, MOAT_EVENT_PASSES. The daemon's, and each program's own; 0: nobody watches. */
volatile __u32 moat_event_wanted = 0;

/* What event_take() is told, in words: it is a global function. */
union event_about {
	__u64 word;
	struct {
		__u8 family;
		__u8 verdict;
		__u8 reason;
		__u8 category;
		__u8 matched;
		__u8 ip;
		__u16 reserved;
	};
};

/* The clock is asked once in a tick: whether anybody still watches. */
static __always_inline bool event_refill(struct moat_event_lane *lane, __u64 now)
{
	__u64 ticks = now - lane->tick, depth = WHOLE(&lane->depth);
	__u64 more;

	if (bpf_ktime_get_boot_ns() >= WHOLE(&lane->until)) {
		moat_event_wanted = 0;
		return false;
	}
	more = WHOLE(&lane->rate) * (ticks > EVENT_IDLE_MAX ? EVENT_IDLE_MAX : ticks);
	lane->tick = now;
	for (int i = 0; i < MOAT_EVENT_BUCKETS; i++) {
		__u64 tokens = lane->tokens[i] + more;

		lane->tokens[i] = tokens > depth ? depth : tokens;
	}
	return true;
}

static __always_inline bool event_has_token(struct moat_event_lane *lane, __u32 bucket)
{
	__u64 now = bpf_jiffies64();

	if (lane->tick != now && !event_refill(lane, now))
		return false;
	if (lane->tokens[bucket & 1] < MOAT_EVENT_TOKEN) {
		lane->suppressed++;
		return false;
	}
	lane->tokens[bucket & 1] -= MOAT_EVENT_TOKEN;
	return true;
}

/* The first bytes of a frame in one piece. Returns how many. */
static __always_inline __u32 event_copy(const struct xdp_md *ctx, __u8 *head)
{
	const __u8 *at = packet_data(ctx);
	const void *end = packet_end(ctx);
	__u32 size = 0;

#pragma unroll
	for (int i = 0; i < EVENT_WORDS; i++) {
		if ((const void *)(at + 8) > end)
			break;
		*(__u64 *)(head + size) = *(const __u64 *)at;
		at += 8;
		size += 8;
	}
	for (int i = 0; i < 8 && size < MOAT_EVENT_HEAD; i++) {
		if ((const void *)(at + 1) > end)
			break;
		head[size & (MOAT_EVENT_HEAD - 1)] = *at++;
		size++;
	}
	return size;
}

/* The same of any frame: of several buffers, the first may hold less than the headers. */
static __always_inline __u32 event_head(struct xdp_md *ctx, __u8 *head, __u32 length)
{
	__u32 size = length < MOAT_EVENT_HEAD ? length : MOAT_EVENT_HEAD;

	if (!moat_frags)
		return event_copy(ctx, head);
	/* Before 6.8 the verifier learns nothing from a comparison with zero. */
	size--;
	asm volatile("" : "+r"(size));
	if (size >= MOAT_EVENT_HEAD || bpf_xdp_load_bytes(ctx, 0, head, size + 1))
		return 0;
	return size + 1;
}

/* Returns nothing of use; a global function must return a number. */
__attribute__((noinline)) int event_take(struct xdp_md *ctx, __u64 word, __u32 length)
{
	union event_about about = { .word = word };
	__u32 cpu = bpf_get_smp_processor_id();
	struct moat_event_lane *lane;
	struct moat_event *event;
	__u32 place;

	lane = bpf_map_lookup_elem(&moat_event_lane, &cpu);
	if (!lane || !moat_event_room || !event_has_token(lane, about.verdict == MOAT_VERDICT_PASS))
		return 0;
	place = cpu * moat_event_room + (lane->head & (moat_event_room - 1));
	event = bpf_map_lookup_elem(&moat_event_ring, &place);
	if (!event || lane->head - WHOLE(&lane->tail) >= moat_event_room) {
		lane->lost++;
		return 0;
	}
	event->time = bpf_ktime_get_boot_ns();
	event->ifindex = ctx->ingress_ifindex;
	event->length = length;
	event->family = about.family;
	event->verdict = about.verdict;
	event->reason = about.reason;
	event->category = about.category;
	event->matched = about.matched;
	event->ip = about.ip;
	event->size = event_head(ctx, event->head, length);
	*(volatile __u64 *)&lane->head = lane->head + 1;
	return 0;
}

static __always_inline void event_packet(struct xdp_md *ctx, const struct packet *pkt,
					 enum moat_verdict verdict, enum moat_reason why)
{
	__u32 wanted = moat_event_wanted;
	union event_about about = {};

	if (!wanted ||
	    !(wanted & (verdict == MOAT_VERDICT_PASS ? MOAT_EVENT_PASSES : MOAT_EVENT_VERDICTS)))
		return;
	about.family = pkt->family;
	about.verdict = verdict;
	about.reason = why;
	about.category = pkt->category;
	about.matched = pkt->matched;
	about.ip = pkt->ip;
	event_take(ctx, about.word, pkt->length);
}

#endif
