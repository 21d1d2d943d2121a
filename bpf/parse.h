/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the source address and, if a rule asks for it, the transport.
 *
 * parse_packet() reads Ethernet, up to three VLAN tags and the IP header as
 * far as the source address. Nothing behind that can keep a listed source
 * from its verdict: what is odd is noted in packet.doubt, which counts only if
 * the source turns out to be clean.
 *
 * parse_transport() walks IPv4 options and IPv6 extension headers to the
 * transport header. What it cannot reach stays unknown, and unknown fits every
 * scope: an attacker gains nothing by hiding ports.
 *
 * Lengths inside the headers (total length, payload length) are not believed
 * beyond the frame nor used to shorten it: 0 is legal for what the NIC merged,
 * and the stack refuses on its own what it cannot use.
 */
#ifndef BPF_PARSE_H
#define BPF_PARSE_H

#include "bpf/packet.h"

#define VLAN_TAGS   3 /* deep; what the kernel itself reads as VLAN: 802.1Q, 802.1ad */
#define EXT_HEADERS 8 /* in a row */

#define ETH_P_IP     0x0800
#define ETH_P_IPV6   0x86DD
#define ETH_P_8021Q  0x8100
#define ETH_P_8021AD 0x88A8

#define IP4_OFFSET 0x1FFF /* of frag_off, RFC 791 */
#define IP6_OFFSET 0xFFF8 /* of frag_off, RFC 8200 4.5 */

/* Protocol numbers; extension headers as of RFC 7045 and IANA. */
enum {
	PROTOCOL_HOPOPTS = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_DCCP = 33,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMPV6 = 58,
	PROTOCOL_DSTOPTS = 60,
	PROTOCOL_SCTP = 132,
	PROTOCOL_MOBILITY = 135,
	PROTOCOL_UDPLITE = 136,
	PROTOCOL_HIP = 139,
	PROTOCOL_SHIM6 = 140,
};

static __always_inline bool is_vlan(__be16 proto)
{
	return proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD);
}

static __always_inline bool is_extension(__u8 protocol)
{
	switch (protocol) {
	case PROTOCOL_HOPOPTS:
	case PROTOCOL_ROUTING:
	case PROTOCOL_FRAGMENT:
	case PROTOCOL_AH:
	case PROTOCOL_DSTOPTS:
	case PROTOCOL_MOBILITY:
	case PROTOCOL_HIP:
	case PROTOCOL_SHIM6:
		return true;
	}
	return false;
}

/* Source address of an IPv4 header, RFC 791. Needs 16 bytes of it. */
static __always_inline enum moat_reason parse_ip4(struct packet *pkt, const struct iphdr *ip,
						  const void *end)
{
	if ((const void *)&ip->daddr > end)
		return MOAT_TRUNCATED;
	if (ip->version != 4)
		return MOAT_BAD_HEADER;
	pkt->family = MOAT_IPV4;
	pkt->source[0] = ip->saddr;

	if ((const void *)(ip + 1) > end)
		pkt->doubt = MOAT_TRUNCATED;
	else if (ip->ihl < 5 || (const void *)ip + ip->ihl * 4 > end)
		pkt->doubt = MOAT_BAD_HEADER;
	return ip->saddr ? 0 : MOAT_CONTROL; /* 0.0.0.0: DHCP */
}

/* Source address of an IPv6 header, RFC 8200. Needs 24 bytes of it. */
static __always_inline enum moat_reason parse_ip6(struct packet *pkt, const struct ipv6hdr *ip,
						  const void *end)
{
	const __be32 *source = (const __be32 *)&ip->saddr;

	if ((const void *)&ip->daddr > end)
		return MOAT_TRUNCATED;
	if (ip->version != 6)
		return MOAT_BAD_HEADER;
	pkt->family = MOAT_IPV6;
	pkt->source[0] = source[0];
	pkt->source[1] = source[1];
	pkt->source[2] = source[2];
	pkt->source[3] = source[3];

	if ((const void *)(ip + 1) > end)
		pkt->doubt = MOAT_TRUNCATED;
	if ((source[0] & bpf_htonl(0xFFC00000)) == bpf_htonl(0xFE800000))
		return MOAT_CONTROL; /* fe80::/10: ND, RA, DHCPv6 */
	if (!(source[0] | source[1] | source[2] | source[3]))
		return MOAT_CONTROL; /* ::, duplicate address detection */
	return 0;
}

/* The frame between data and end: the reason of a packet without a source to judge, else 0. */
static __always_inline enum moat_reason parse_frame(const void *data, const void *end,
						    struct packet *pkt)
{
	const struct ethhdr *eth = data;
	const void *next = eth + 1;
	__be16 proto;

	pkt->family = MOAT_OTHER;
	if (next > end)
		return MOAT_TRUNCATED;
	proto = eth->h_proto;

#pragma unroll
	for (int i = 0; i < VLAN_TAGS; i++) {
		const struct vlan_hdr *tag = next;

		if (!is_vlan(proto))
			break;
		next = tag + 1;
		if (next > end)
			return MOAT_TRUNCATED;
		proto = tag->h_vlan_encapsulated_proto;
	}
	pkt->ip = next - data;

	if (proto == bpf_htons(ETH_P_IP))
		return parse_ip4(pkt, next, end);
	if (proto == bpf_htons(ETH_P_IPV6))
		return parse_ip6(pkt, next, end);
	return is_vlan(proto) ? MOAT_VLAN_DEPTH : MOAT_NOT_IP;
}

/* The same of the packet in hand. */
static __always_inline enum moat_reason parse_packet(const struct xdp_md *ctx, struct packet *pkt)
{
	return parse_frame(packet_data(ctx), packet_end(ctx), pkt);
}

/* What parse_transport() found, in one register. */
union transport {
	__u64 word;
	struct {
		__u16 port; /* destination port, or ICMP type, host order */
		__u8 protocol;
		__u8 known; /* enum transport_known */
		__u8 doubt; /* plain reason a clean source leaves with, or 0 */
		__u8 reserved;
		__u16 offset; /* with TRANSPORT_PORTS: of the transport header in the frame */
	};
};

/* Ports of TCP, UDP and their kin, type of ICMP; at is the transport header. */
static __always_inline void parse_ports(union transport *out, const void *data, const void *at,
					const void *end)
{
	const __be16 *ports = at;
	const __u8 *icmp = at;

	out->known = TRANSPORT_PROTOCOL;
	out->offset = at - data;
	switch (out->protocol) {
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
	case PROTOCOL_SCTP:
	case PROTOCOL_DCCP:
	case PROTOCOL_UDPLITE:
		if ((const void *)(ports + 2) > end)
			return;
		out->port = bpf_ntohs(ports[1]);
		out->known = TRANSPORT_PORTS;
		return;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		if ((const void *)(icmp + 2) > end)
			return;
		out->port = icmp[0];
		out->known = TRANSPORT_PORTS;
		return;
	}
}

static __always_inline void parse_transport4(union transport *out, const void *data,
					     const struct iphdr *ip, const void *end)
{
	if ((const void *)&ip->saddr > end)
		return;
	out->protocol = ip->protocol;
	out->known = TRANSPORT_PROTOCOL;
	if ((const void *)(ip + 1) > end || ip->ihl < 5 || ip->frag_off & bpf_htons(IP4_OFFSET))
		return;
	parse_ports(out, data, (const void *)ip + ip->ihl * 4, end);
}

/*
 * Walks the extension headers. The transport stays unknown, with a doubt,
 * where the chain is cut or too long. A later fragment ends the walk: its
 * protocol is known only if the fragment header names a transport.
 */
static __always_inline void parse_transport6(union transport *out, const void *data,
					     const struct ipv6hdr *ip, const void *end)
{
	const void *at = ip + 1;
	__u8 next;

	if (at > end)
		return;
	next = ip->nexthdr;

	for (int i = 0; i < EXT_HEADERS && is_extension(next); i++) {
		const struct ipv6_opt_hdr *ext = at;
		const struct frag_hdr *frag = at;

		if ((const void *)(frag + 1) > end) { /* no extension header is shorter than 8 */
			out->doubt = MOAT_TRUNCATED;
			return;
		}
		if (next == PROTOCOL_FRAGMENT && frag->frag_off & bpf_htons(IP6_OFFSET)) {
			out->protocol = frag->nexthdr;
			out->known = is_extension(frag->nexthdr) ? TRANSPORT_UNKNOWN
								 : TRANSPORT_PROTOCOL;
			return;
		}
		if (next == PROTOCOL_FRAGMENT)
			at = frag + 1; /* its length byte is reserved, RFC 8200 4.5 */
		else if (next == PROTOCOL_AH)
			at += (ext->hdrlen + 2) * 4; /* RFC 4302 2.2 */
		else
			at += (ext->hdrlen + 1) * 8;
		next = ext->nexthdr;
	}
	if (at > end)
		out->doubt = MOAT_TRUNCATED; /* the last header claims more than there is */
	else if (is_extension(next))
		out->doubt = MOAT_EXT_DEPTH;
	if (is_extension(next))
		return;
	out->protocol = next;
	parse_ports(out, data, at, end);
}

/* Where an IP header can begin that an ICMP error quotes: offsets up to here are followed. */
#define PARSE_OFFSET 0x7FFF

/* The union transport of the IP header at offset ip of the frame between data and end. */
static __always_inline __u64 parse_transport_at(const void *data, const void *end, __u32 ip,
						__u32 family)
{
	const void *at = data + (ip & PARSE_OFFSET);
	union transport out = {};

	if (family == MOAT_IPV4)
		parse_transport4(&out, data, at, end);
	else
		parse_transport6(&out, data, at, end);
	return out.word;
}

/*
 * The same of a packet whose source is known. Needed for scoped rules, replies
 * and odd IPv6 packets only, hence a function of its own: the verifier walks
 * its loop once.
 */
__attribute__((noinline)) __u64 parse_transport(struct xdp_md *ctx, __u32 ip, __u32 family)
{
	return parse_transport_at(packet_data(ctx), packet_end(ctx), ip, family);
}

/* The doubt of a clean source: an IPv6 chain of extension headers can add one. */
static __always_inline enum moat_reason parse_doubt(struct xdp_md *ctx, const struct packet *pkt)
{
	const struct ipv6hdr *ip = packet_data(ctx) + (pkt->ip & 0x1F);
	union transport transport;

	if (pkt->family != MOAT_IPV6 || pkt->doubt || (const void *)(ip + 1) > packet_end(ctx) ||
	    !is_extension(ip->nexthdr))
		return pkt->doubt;
	transport.word = parse_transport(ctx, pkt->ip, MOAT_IPV6);
	return transport.doubt;
}

#endif
