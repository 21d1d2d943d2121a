/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether a packet that is about to be dropped answers a flow that was opened
 * from here (bpf/note.h). Asked for listed sources only: others pay nothing.
 *
 * A SYN without ACK is never an answer. A later fragment has no ports, so it
 * belongs to no flow. An ICMP error belongs to the flow it quotes, if it is
 * sent to the address that the flow was opened from.
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

/* error: the packet is one about the flow; then it counts. */
static __always_inline bool reply_is_live(const struct moat_flow_key *key, bool error)
{
	void *table = flow_table();
	struct moat_flow *noted;
	union flow_life life;

	noted = table ? bpf_map_lookup_elem(table, key) : NULL;
	if (!noted)
		return false;
	life.word = *(volatile __u64 *)noted;
	/* Signed: another CPU may have seen a packet after this one read the clock. */
	if ((__s32)(flow_now() - life.seen) > (__s32)moat_flow_lifetime(life.state))
		return false;
	if (!error)
		return true;
	if (noted->errors >= MOAT_FLOW_ERRORS)
		return false;
	__sync_fetch_and_add(&noted->errors,
			     1); /* as many more as there are CPUs may get through */
	return true;
}

/* Whether the IP packet at ip came to where the flow begins. */
static __always_inline bool reply_came_to(const struct moat_flow_key *key, const void *ip,
					  const void *end)
{
	struct moat_flow_key to = {};

	return flow_addresses(&to, ip, end, key->family, false) && to.local[0] == key->local[0] &&
	       to.local[1] == key->local[1] && to.local[2] == key->local[2] &&
	       to.local[3] == key->local[3];
}

/*
 * Whether the IP header at offset ip, with the union transport word, is of a
 * live flow. error: the offset of the IP header of the ICMP error that quotes
 * it, or 0. A function of its own: the verifier walks it once.
 */
__attribute__((noinline)) __u32 reply_noted(struct xdp_md *ctx, __u32 ip, __u32 family, __u64 word,
					    __u32 error)
{
	union transport transport = { .word = word };
	struct moat_flow_key key = {};
	const void *data = packet_data(ctx);
	const void *end = packet_end(ctx);
	bool quoted = error;

	if (!flow_addresses(&key, data + (ip & PARSE_OFFSET), end, family, quoted) ||
	    !reply_ports(&key, data + (transport.offset & PARSE_OFFSET), end, &transport, quoted))
		return false;
	if (quoted && !reply_came_to(&key, data + (error & 0x1F), end))
		return false;
	return reply_is_live(&key, quoted);
}

static __always_inline bool reply_belongs(struct xdp_md *ctx, const struct packet *pkt)
{
	union transport transport;
	__u32 ip = pkt->ip;
	__u32 error = 0;

	transport.word = parse_transport(ctx, ip, pkt->family);
	if (transport.known == TRANSPORT_PORTS && reply_is_error(&transport, pkt->family)) {
		error = pkt->ip;
		ip = transport.offset + ICMP_ERROR;
		transport.word = parse_transport(ctx, ip, pkt->family);
	}
	return transport.known == TRANSPORT_PORTS &&
	       reply_noted(ctx, ip, pkt->family, transport.word, error);
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
