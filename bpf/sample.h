/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Takes a sample of the packets that pass, and of those that are dropped.
 *
 * What every packet pays is a few instructions on values that are at hand: the
 * counter that it has just raised, mixed, is its random number. No state, no
 * helper; whoever cannot read the seed cannot foresee the next sample.
 */
#ifndef BPF_SAMPLE_H
#define BPF_SAMPLE_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/parse.h"

/* 32 random bits of a counter: the finalizer of SplitMix64 (Steele et al., 2014). */
static __always_inline __u32 sample_mix(__u64 counter, __u32 seed)
{
	__u64 x = counter + ((__u64)seed << 32);

	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
	return x >> 32;
}

/*
 * What a sample says besides the source. In words, for the arguments of a
 * global function, which the verifier walks once.
 */
union sample_about {
	__u64 word;
	struct {
		__u8 family;
		__u8 verdict;
		__u8 reason;
		__u8 category;
		__u32 ip; /* offset of the IP header */
	};
};

static __always_inline void sample_source(struct moat_sample *sample, const void *at,
					  const void *end, __u8 family)
{
	const struct iphdr *ip4 = at;
	const struct ipv6hdr *ip6 = at;

	if (family == MOAT_IPV4 && (const void *)&ip4->daddr <= end) {
		sample->source[0] = ip4->saddr;
		sample->source[1] = sample->source[2] = sample->source[3] = 0;
	} else if (family == MOAT_IPV6 && (const void *)&ip6->daddr <= end) {
		__builtin_memcpy(sample->source, &ip6->saddr, sizeof(sample->source));
	}
}

/* Returns nothing of use; a global function must return a number. */
__attribute__((noinline)) int sample_take(struct xdp_md *ctx, __u64 word, __u32 length,
					  __u32 chance)
{
	union sample_about about = { .word = word };
	__u32 cpu = bpf_get_smp_processor_id();
	struct moat_samples *samples;
	struct moat_sample *sample;
	union transport transport;
	__u64 used;

	samples = bpf_map_lookup_elem(&moat_samples, &cpu);
	if (!samples)
		return 0;
	used = samples->head - *(volatile __u64 *)&samples->tail;
	if (about.verdict == MOAT_VERDICT_DROP && used >= MOAT_SAMPLE_RING / 2) {
		samples->missed_drops++;
		return 0;
	}
	if (used >= MOAT_SAMPLE_RING) {
		samples->missed++;
		return 0;
	}
	transport.word = parse_transport(ctx, about.ip, about.family);
	sample = &samples->ring[samples->head & (MOAT_SAMPLE_RING - 1)];
	sample_source(sample, packet_data(ctx) + (about.ip & 0x1F), packet_end(ctx), about.family);
	sample->time = bpf_ktime_get_boot_ns() >> MOAT_TICK_SHIFT;
	sample->chance = chance;
	sample->length = length;
	sample->port = transport.port;
	sample->protocol = transport.protocol;
	sample->known = transport.known;
	sample->family = about.family;
	sample->verdict = about.verdict;
	sample->reason = about.reason;
	sample->category = about.category;
	*(volatile __u64 *)&samples->head = samples->head + 1;
	return 0;
}

/* counter: of the cell that counted this packet. */
static __always_inline void sample_packet(struct xdp_md *ctx, const struct packet *pkt,
					  const struct moat_iface *iface, enum moat_verdict verdict,
					  enum moat_reason why, __u64 counter)
{
	__u32 chance = iface->sample_chance;
	union sample_about about;

	if (verdict == MOAT_VERDICT_DROP)
		chance = iface->drop_sampling
				 ? MOAT_SAMPLE_CERTAIN >> ((iface->drop_sampling - 1) & 31)
				 : 0;
	if (sample_mix(counter, iface->sample_seed) >= chance || pkt->family == MOAT_OTHER)
		return;
	about.family = pkt->family;
	about.verdict = verdict;
	about.reason = why;
	about.category = pkt->category;
	about.ip = pkt->ip;
	sample_take(ctx, about.word, pkt->length, chance);
}

#endif
