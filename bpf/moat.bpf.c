/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * moat in the kernel: one XDP program that judges packets by their source, one
 * tc program that carries its tag on, and one that notes what this host opens.
 * Loaded once for each interface, with all maps but moat_iface, moat_stats and
 * moat_samples shared.
 *
 * Read in the order of the stages: parse, lookup, rules, act, count.
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/act.h"
#include "bpf/lookup.h"
#include "bpf/maps.h"
#include "bpf/note.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/reply.h"
#include "bpf/rules.h"

#define TC_ACT_UNSPEC (-1) /* continue with the next filter */

const volatile __u32 moat_frags = 0;

char _license[] SEC("license") = "Dual BSD/GPL";

/* The reason of a packet whose source is known. */
static __always_inline enum moat_reason judge(struct xdp_md *ctx, struct packet *pkt)
{
	struct found found = {};
	struct moat_control *control;
	enum lookup result;
	enum moat_reason why;
	__u32 zero = 0;

	control = bpf_map_lookup_elem(&moat_control, &zero);
	if (!control)
		return MOAT_INTERNAL;
	if (act_is_paused(control))
		return MOAT_PAUSED;

	result = lookup_source(pkt, control, &found);
	if (result == LOOKUP_LISTED) {
		pkt->matched = found.len;
		return reply_check(ctx, pkt, rules_check(ctx, pkt, control, &found));
	}

	why = parse_doubt(ctx, pkt); /* an expired listing counts no more: not even here */
	if (why)
		return why;
	if (result == LOOKUP_EXPIRED)
		return MOAT_EXPIRED;
	return result == LOOKUP_EMPTY ? MOAT_EMPTY : MOAT_CLEAN;
}

/* marks: whether it may set marks, a constant. */
static __always_inline int filter(struct xdp_md *ctx, bool marks)
{
	struct packet pkt = {};
	enum moat_reason why;

	packet_stays_in_memory(&pkt);
	pkt.length = moat_frags ? bpf_xdp_get_buff_len(ctx) : ctx->data_end - ctx->data;
	why = parse_packet(ctx, &pkt); /* no source to judge: leave it to the stack */
	why = why ?: judge(ctx, &pkt);

	return leave(ctx, &pkt, why, marks); /* the only way out: count, tag, verdict */
}

SEC("xdp")
int moat_ingress(struct xdp_md *ctx)
{
	return filter(ctx, true);
}

/*
 * The same under libxdp's dispatcher, in place of moat_ingress: what a kernel
 * since 6.12 lets stand there must not be able to move a packet's data.
 */
SEC("?xdp")
int moat_chained(struct xdp_md *ctx)
{
	return filter(ctx, false);
}

SEC("tc")
int moat_mark(struct __sk_buff *skb)
{
	struct moat_tag *tag = (void *)(long)skb->data_meta;

	if ((void *)(tag + 1) > (void *)(long)skb->data || tag->magic != MOAT_TAG_MAGIC)
		return TC_ACT_UNSPEC;
	skb->mark = tag->mark;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int moat_egress(struct __sk_buff *skb)
{
	note_packet(skb);
	return TC_ACT_UNSPEC; /* the packet goes its way unchanged */
}
