/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether a packet that is about to be dropped answers a flow that was opened
 * from here (bpf/note.h). Asked for listed sources only: others pay nothing.
 *
 * A SYN without ACK is never an answer. A later fragment has no ports, so it
 * belongs to no flow. An ICMP error belongs to the flow it quotes.
 */
#ifndef BPF_REPLY_H
#define BPF_REPLY_H

#include "bpf/flow.h"

#define ICMP_ERROR 8 /* bytes before what an error quotes */

static __always_inline bool reply_is_error(const union transport *transport, __u32 family)
{
	if (!flow_is_icmp(transport, family))
		return false;
	if (family == MOAT_IPV4)
		return transport->port == ICMP4_UNREACHABLE ||
		       transport->port == ICMP4_TIME_EXCEEDED || transport->port == ICMP4_PARAMETER;
	return transport->port >= ICMP6_UNREACHABLE && transport->port <= ICMP6_PARAMETER;
}

/* Ports of the flow, or false if this is no packet of one. out: it was sent from here, and is quoted. */
static __always_inline bool reply_ports(struct moat_flow_key *key, const void *at, const void *end,
					const union transport *transport, bool out)
{
	const struct flow_echo *echo = at;
	const struct flow_tcp *tcp = at;
	__u8 type = out ? ICMP4_ECHO : ICMP4_ECHO_REPLY;

	key->protocol = transport->protocol;
	if (at + 4 > end)
		return false;
	if (transport->protocol == PROTOCOL_UDP || (transport->protocol == PROTOCOL_TCP && out)) {
		flow_ports(key, at, out);
		return true;
	}
	if (transport->protocol == PROTOCOL_TCP) {
		if ((const void *)(tcp + 1) > end || (tcp->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
			return false;
		flow_ports(key, at, out);
		return true;
	}
	if (key->family == MOAT_IPV6)
		type = out ? ICMP6_ECHO : ICMP6_ECHO_REPLY;
	if (!flow_is_icmp(transport, key->family) || (const void *)(echo + 1) > end ||
	    echo->type != type)
		return false;
	key->local_port = echo->id;
	return true;
}

static __always_inline bool reply_is_live(const struct moat_flow_key *key)
{
	void *table = flow_table();
	const struct moat_flow *noted;
	union {
		__u64 word;
		struct moat_flow flow;
	} value;

	noted = table ? bpf_map_lookup_elem(table, key) : NULL;
	if (!noted)
		return false;
	value.word = *(volatile __u64 *)noted;
	/* Signed: another CPU may have seen a packet after this one read the clock. */
	return (__s32)(flow_now() - value.flow.seen) <= (__s32)moat_flow_lifetime(value.flow.state);
}

/*
 * Whether the IP header at offset ip, with the union transport word, is of a
 * live flow. A function of its own: the verifier walks it once.
 */
__attribute__((noinline)) __u32 reply_noted(struct xdp_md *ctx, __u32 ip, __u32 family, __u64 word,
					    __u32 out)
{
	union transport transport = { .word = word };
	struct moat_flow_key key = {};
	const void *data = packet_data(ctx);
	const void *end = packet_end(ctx);

	return flow_addresses(&key, data + (ip & PARSE_OFFSET), end, family, out) &&
	       reply_ports(&key, data + (transport.offset & PARSE_OFFSET), end, &transport, out) &&
	       reply_is_live(&key);
}

static __always_inline bool reply_belongs(struct xdp_md *ctx, const struct packet *pkt)
{
	union transport transport;
	__u32 ip = pkt->ip;
	bool quoted = false;

	transport.word = parse_transport(ctx, ip, pkt->family);
	if (transport.known == TRANSPORT_PORTS && reply_is_error(&transport, pkt->family)) {
		quoted = true;
		ip = transport.offset + ICMP_ERROR;
		transport.word = parse_transport(ctx, ip, pkt->family);
	}
	return transport.known == TRANSPORT_PORTS &&
	       reply_noted(ctx, ip, pkt->family, transport.word, quoted);
}

/* why is what the rules say of the packet. */
static __always_inline enum moat_reason reply_check(struct xdp_md *ctx, const struct packet *pkt,
						    enum moat_reason why)
{
	const struct moat_iface *iface;
	__u32 zero = 0;

	if (why != MOAT_LISTED && why != MOAT_LIMIT)
		return why;
	iface = bpf_map_lookup_elem(&moat_iface, &zero);
	return iface && iface->replies && reply_belongs(ctx, pkt) ? MOAT_REPLY : why;
}

#endif
