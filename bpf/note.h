/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Notes the flows that outgoing packets open, for bpf/reply.h. What cannot be
 * read is not noted: its answers are judged like any packet.
 *
 * A flow is opened by this host alone. What a peer opened (our SYN and ACK
 * answers it) is not noted, and no more a flow of ours if its ports once were.
 */
#ifndef BPF_NOTE_H
#define BPF_NOTE_H

#include "bpf/flow.h"

#define NOTE_HEADERS 128 /* bytes: more than the stack puts before a payload */

/*
 * One store, so that state and time belong together. The entry may have been
 * given to another flow a moment ago, which then looks fresher than it is;
 * that one was opened from here as well.
 */
static __always_inline void note_touch(struct moat_flow *flow, __u32 state, __u32 now)
{
	union flow_life value = { .seen = now, .state = state };

	if (flow->seen != now || flow->state != state)
		*(volatile __u64 *)flow = value.word;
	if (flow->errors)
		flow->errors = 0;
}

static __always_inline void note_open(void *table, const struct moat_flow_key *key, __u32 state)
{
	struct moat_flow *flow = bpf_map_lookup_elem(table, key);
	struct moat_flow fresh = { .seen = flow_now(), .state = state };

	if (flow)
		note_touch(flow, state, fresh.seen);
	else
		bpf_map_update_elem(table, key, &fresh, BPF_ANY);
}

static __always_inline void note_tcp(void *table, const struct moat_flow_key *key, __u8 flags)
{
	struct moat_flow *flow;
	__u32 state;

	if ((flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		note_open(table, key, MOAT_FLOW_OPENING);
		return;
	}
	flow = bpf_map_lookup_elem(table, key);
	if (!flow)
		return;
	if (flags & (TCP_RST | TCP_SYN)) { /* over, or the peer's now */
		bpf_map_delete_elem(table, key);
		return;
	}
	state = flags & TCP_FIN || flow->state == MOAT_FLOW_CLOSING ? MOAT_FLOW_CLOSING
								    : MOAT_FLOW_OPEN;
	note_touch(flow, state, flow_now());
}

/* A server's answers come from a port of its own and open nothing. */
static __always_inline bool note_is_client(__be16 port)
{
	const struct moat_ports *clients;
	__u32 zero = 0;

	clients = bpf_map_lookup_elem(&moat_clients, &zero);
	return clients && packet_port_is_in(clients, bpf_ntohs(port));
}

/* The transport header at offset; key has the addresses. Returns false if it is not all there. */
static __always_inline bool note_transport(const struct __sk_buff *skb, void *table,
					   struct moat_flow_key *key,
					   const union transport *transport)
{
	const void *at = (void *)(long)skb->data + (transport->offset & PARSE_OFFSET);
	const void *end = (void *)(long)skb->data_end;
	const struct flow_echo *echo = at;
	const struct flow_tcp *tcp = at;

	key->protocol = transport->protocol;
	if (transport->protocol == PROTOCOL_TCP) {
		if ((const void *)(tcp + 1) > end)
			return false;
		flow_ports(key, at, true);
		note_tcp(table, key, tcp->flags);
	} else if (transport->protocol == PROTOCOL_UDP) {
		if (at + 4 > end)
			return false;
		flow_ports(key, at, true);
		if (note_is_client(key->local_port))
			note_open(table, key, MOAT_FLOW_UDP);
	} else if (flow_is_icmp(transport, key->family)) {
		if ((const void *)(echo + 1) > end)
			return false;
		key->local_port = echo->id;
		if (echo->type == (key->family == MOAT_IPV4 ? ICMP4_ECHO : ICMP6_ECHO))
			note_open(table, key, MOAT_FLOW_ECHO);
	}
	return true;
}

/* The union transport of an outgoing packet: parse_transport() for the other context. */
__attribute__((noinline)) __u64 note_parse(struct __sk_buff *skb, __u32 ip, __u32 family)
{
	return parse_transport_at((void *)(long)skb->data, (void *)(long)skb->data_end, ip, family);
}

/*
 * Notes what the linear part of the packet says. Returns false if headers may
 * be behind it. A function of its own: the verifier walks it once.
 */
__attribute__((noinline)) int note_linear(struct __sk_buff *skb)
{
	const void *data = (void *)(long)skb->data;
	const void *end = (void *)(long)skb->data_end;
	struct moat_flow_key key = {};
	union transport transport;
	struct packet pkt = {};
	void *table = flow_table();
	enum moat_reason why;

	if (!table)
		return true;
	why = parse_frame(data, end, &pkt);
	if (why)
		return why != MOAT_TRUNCATED;
	if (!flow_addresses(&key, data + (pkt.ip & 0x1F), end, pkt.family, true))
		return false;
	transport.word = note_parse(skb, pkt.ip, pkt.family);
	if (transport.known != TRANSPORT_PORTS)
		return false;
	return note_transport(skb, table, &key, &transport);
}

/*
 * Headers that are not in the linear part are brought there; the bytes stay
 * what they are. Only then: it costs a copy of the headers, which the stack
 * shares with its own copy for retransmission.
 */
static __always_inline void note_packet(struct __sk_buff *skb)
{
	__u32 linear = skb->data_end - skb->data;

	if (note_linear(skb) || linear >= NOTE_HEADERS || skb->len <= linear)
		return;
	if (!bpf_skb_pull_data(skb, skb->len < NOTE_HEADERS ? skb->len : NOTE_HEADERS))
		note_linear(skb);
}

#endif
