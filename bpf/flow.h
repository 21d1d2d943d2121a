/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What both directions know of a flow: its table, and its key as the headers
 * of a packet give it.
 */
#ifndef BPF_FLOW_H
#define BPF_FLOW_H

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/parse.h"

#define TCP_FIN 0x01 /* of the flags, RFC 9293 3.1 */
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* Types of ICMP (RFC 792) and ICMPv6 (RFC 4443). */
enum {
	ICMP4_ECHO_REPLY = 0,
	ICMP4_UNREACHABLE = 3,
	ICMP4_ECHO = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAMETER = 12,
	ICMP6_UNREACHABLE = 1,
	ICMP6_PARAMETER = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
};

/* The first bytes of the transports whose flows are noted, and not one more. */
struct flow_tcp {
	__be16 source, destination;
	__be16 numbers[4];
	__u8 offset, flags;
};

struct flow_echo {
	__u8 type, code;
	__be16 checksum, id;
};

_Static_assert(sizeof(struct flow_tcp) == 14 && sizeof(struct flow_echo) == 6, "no padding");

/* The first two fields of moat_flow in one load or store, so that they belong together. */
union flow_life {
	__u64 word;
	struct {
		__u32 seen, state;
	};
};

static __always_inline void *flow_table(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&moat_flow_slot, &zero);
}

static __always_inline __u32 flow_now(void)
{
	return clock_ticks();
}

/* Addresses of the IP header at ip; out: it goes (or, quoted, went) from here. */
static __always_inline bool flow_addresses(struct moat_flow_key *key, const void *ip,
					   const void *end, __u32 family, bool out)
{
	__be32 *from = out ? key->local : key->remote;
	__be32 *to = out ? key->remote : key->local;

	key->family = family;
	if (family == MOAT_IPV4) {
		const struct iphdr *header = ip;

		if ((const void *)(header + 1) > end || header->version != 4)
			return false;
		from[0] = header->saddr;
		to[0] = header->daddr;
	} else {
		const struct ipv6hdr *header = ip;

		if ((const void *)(header + 1) > end || header->version != 6)
			return false;
		__builtin_memcpy(from, &header->saddr, sizeof(key->local));
		__builtin_memcpy(to, &header->daddr, sizeof(key->local));
	}
	return true;
}

/* at: four bytes of ports that are there. */
static __always_inline void flow_ports(struct moat_flow_key *key, const __be16 *at, bool out)
{
	key->local_port = out ? at[0] : at[1];
	key->remote_port = out ? at[1] : at[0];
}

static __always_inline bool flow_is_icmp(const union transport *transport, __u32 family)
{
	return transport->protocol == (family == MOAT_IPV4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);
}

#endif
