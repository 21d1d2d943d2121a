/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only way out: turns a reason into a verdict, counts it, and says it to
 * the driver. XDP_DROP stands in this file only.
 */
#ifndef BPF_ACT_H
#define BPF_ACT_H

#include "bpf/count.h"
#include "bpf/event.h"
#include "bpf/hits.h"
#include "bpf/maps.h"
#include "bpf/sample.h"
#include "bpf/tag.h"

/* The reasons that lead to a verdict, a bit each. */
static __always_inline __u64 act_reasons(enum moat_verdict of)
{
#define X(name, verdict, label, text) | (__u64)(MOAT_VERDICT_##verdict == of) << MOAT_##name
	return 0 MOAT_REASONS_POLICY(X) MOAT_REASONS_PLAIN(X);
#undef X
}

/*
 * By bits, not by a switch: a reason is compared with none of the others, and
 * the verifier of some kernels warns of its own doubts about long switches.
 */
static __always_inline enum moat_verdict act_default(enum moat_reason why)
{
	__u64 bit = 1ULL << (why & 63);

	if (act_reasons(MOAT_VERDICT_DROP) & bit)
		return MOAT_VERDICT_DROP;
	if (act_reasons(MOAT_VERDICT_TAG) & bit)
		return MOAT_VERDICT_TAG;
	if (act_reasons(MOAT_VERDICT_MONITOR) & bit)
		return MOAT_VERDICT_MONITOR;
	return MOAT_VERDICT_PASS;
}

static __always_inline bool act_is_paused(const struct moat_control *control)
{
	__u64 until = *(volatile __u64 *)&control->paused_until;

	return until && (until == MOAT_PAUSE_FOREVER || bpf_ktime_get_boot_ns() < until);
}

/* Whether the configuration drops a plain reason; while paused nothing drops. */
static __always_inline bool act_drops_plain(const struct moat_iface *iface, enum moat_reason why)
{
	const struct moat_control *control;
	__u32 zero = 0;

	if (why < MOAT_POLICY_REASONS || !(iface->drop_reasons & (1ULL << (why & 63))))
		return false;
	control = bpf_map_lookup_elem(&moat_control, &zero);
	return control && !act_is_paused(control);
}

static __always_inline int act(struct xdp_md *ctx, struct packet *pkt, enum moat_reason why,
			       bool marks)
{
	enum moat_verdict verdict = act_default(why);
	const struct moat_iface *iface;
	struct moat_stats *cell;
	__u32 zero = 0;

	iface = bpf_map_lookup_elem(&moat_iface, &zero);
	if (!iface)
		return XDP_PASS;
	if (act_drops_plain(iface, why))
		verdict = MOAT_VERDICT_DROP;
	if (!iface->enforce && (verdict == MOAT_VERDICT_DROP || verdict == MOAT_VERDICT_TAG))
		verdict = MOAT_VERDICT_MONITOR;

	if (verdict == MOAT_VERDICT_TAG) {
		why = tag_packet(ctx, pkt, why, marks);
		verdict = act_default(why);
	}
	cell = count_packet(pkt, verdict, why);
	if (cell) {
		sample_packet(ctx, pkt, iface, verdict, why, cell->packets);
		hit_packet(pkt, why, cell, sample_mix(cell->packets, iface->sample_seed));
	}
	event_packet(ctx, pkt, verdict, why);
	return verdict == MOAT_VERDICT_DROP ? XDP_DROP : XDP_PASS;
}

/*
 * The same. Most packets leave for one of two reasons: with these as constants
 * the compiler knows verdict and cell, which otherwise are a dozen comparisons.
 */
static __always_inline int leave(struct xdp_md *ctx, struct packet *pkt, enum moat_reason why,
				 bool marks)
{
	if (why == MOAT_LISTED)
		return act(ctx, pkt, MOAT_LISTED, marks);
	if (why == MOAT_CLEAN)
		return act(ctx, pkt, MOAT_CLEAN, marks);
	return act(ctx, pkt, why, marks);
}

#endif
