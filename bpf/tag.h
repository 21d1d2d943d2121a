/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tags a packet: the DSCP in its IP header, the mark in XDP metadata that
 * moat_mark (the tc program) turns into skb->mark.
 */
#ifndef BPF_TAG_H
#define BPF_TAG_H

#include "bpf/packet.h"
#include "moat/control.h"
#include "moat/policy.h"

/* RFC 2474: the upper six bits of the field; the lower two are ECN and stay. */
static __always_inline __u8 tag_field(__u8 field, __u8 dscp)
{
	return (dscp << 2) | (field & 3);
}

/* RFC 1624, equation 3, for the 16-bit word that holds the field. */
static __always_inline void tag_dscp4(struct iphdr *ip, __u8 dscp)
{
	__u8 tos = tag_field(ip->tos, dscp);
	__u32 sum = (__u16)~bpf_ntohs(ip->check);

	sum += (__u16)~ip->tos; /* the word's upper byte (version, IHL) does not change */
	sum += tos;
	sum = (sum & 0xFFFF) + (sum >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	ip->check = bpf_htons((__u16)~sum);
	ip->tos = tos;
}

/* The traffic class lies across the first two bytes; no checksum covers it. */
static __always_inline void tag_dscp6(__u8 *ip, __u8 dscp)
{
	__u8 class = tag_field(ip[0] << 4 | ip[1] >> 4, dscp);

	ip[0] = (ip[0] & 0xF0) | class >> 4;
	ip[1] = class << 4 | (ip[1] & 0x0F);
}

static __always_inline void tag_dscp(const struct xdp_md *ctx, const struct packet *pkt)
{
	void *ip = packet_data(ctx) + (pkt->ip & 0x1F);

	if (ip + sizeof(struct iphdr) > packet_end(ctx))
		return;
	if (pkt->family == MOAT_IPV4)
		tag_dscp4(ip, pkt->dscp);
	else
		tag_dscp6(ip, pkt->dscp);
}

/* 0, or negative where the driver has no room for metadata. */
static __always_inline int tag_mark(struct xdp_md *ctx, __u32 mark)
{
	struct moat_tag *tag;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*tag)))
		return -1;
	tag = (void *)(long)ctx->data_meta;
	if ((void *)(tag + 1) > packet_data(ctx))
		return -1;
	tag->magic = MOAT_TAG_MAGIC;
	tag->mark = mark;
	return 0;
}

/*
 * Returns the reason the packet leaves with: why, unless that cannot be.
 * Without marks, a constant, the program does not call what moves a packet's data.
 */
static __always_inline enum moat_reason tag_packet(struct xdp_md *ctx, const struct packet *pkt,
						   enum moat_reason why, bool marks)
{
	if (pkt->tag & MOAT_POLICY_DSCP)
		tag_dscp(ctx, pkt);
	if (pkt->tag & MOAT_POLICY_MARK && (!marks || tag_mark(ctx, pkt->mark)))
		return MOAT_TAG_FAILED;
	return why;
}

#endif
