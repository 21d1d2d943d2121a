/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/event.h"

#include "moat/policy.h"
#include "moat/stats.h"

#define EXT_HEADERS 8 /* in a row, as the filter itself reads them */

#define IP4_SIZE 20
#define IP6_SIZE 40
#define EXT_SIZE 8 /* the shortest */

/* IANA */
enum {
	HOPOPTS = 0,
	ICMP = 1,
	TCP = 6,
	UDP = 17,
	DCCP = 33,
	ROUTING = 43,
	FRAGMENT = 44,
	AH = 51,
	ICMPV6 = 58,
	DSTOPTS = 60,
	SCTP = 132,
	MOBILITY = 135,
	UDPLITE = 136,
	HIP = 139,
	SHIM6 = 140,
};

/* What is left of the first bytes. */
struct bytes {
	const uint8_t *at;
	size_t size;
};

static bool skip(struct bytes *b, size_t size)
{
	if (size > b->size)
		return false;
	b->at += size;
	b->size -= size;
	return true;
}

static uint16_t read16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

bool event_is_sound(const struct moat_event *e)
{
	return e->family < MOAT_FAMILY_MAX && e->verdict < MOAT_VERDICT_MAX &&
	       e->reason < MOAT_REASON_MAX && e->category < MOAT_CATEGORIES &&
	       e->size <= MOAT_EVENT_HEAD;
}

static bool is_extension(uint8_t protocol)
{
	switch (protocol) {
	case HOPOPTS:
	case ROUTING:
	case FRAGMENT:
	case AH:
	case DSTOPTS:
	case MOBILITY:
	case HIP:
	case SHIM6:
		return true;
	}
	return false;
}

/* b is at the transport header. */
static void parse_ports(struct bytes b, struct event_packet *ret)
{
	switch (ret->protocol) {
	case TCP:
	case UDP:
	case SCTP:
	case DCCP:
	case UDPLITE:
		if (b.size < 4)
			return;
		ret->source_port = read16(b.at);
		ret->destination_port = read16(b.at + 2);
		ret->known = EVENT_PORTS;
		return;
	case ICMP:
	case ICMPV6:
		if (b.size < 2)
			return;
		ret->icmp = true;
		ret->source_port = b.at[0];
		ret->destination_port = b.at[1];
		ret->known = EVENT_PORTS;
		return;
	}
}

static void take_addresses(struct event_packet *ret, uint8_t family, const uint8_t *source,
			   const uint8_t *destination)
{
	size_t size = family == MOAT_IPV4 ? 4 : 16;

	ret->source.family = ret->destination.family = family;
	ret->source.len = ret->destination.len = (uint8_t)prefix_max(family);
	memcpy(ret->source.addr, source, size);
	memcpy(ret->destination.addr, destination, size);
	ret->known = EVENT_ADDRESSES;
}

static void parse4(struct bytes b, struct event_packet *ret)
{
	const uint8_t *ip = b.at;

	if (b.size < IP4_SIZE)
		return;
	take_addresses(ret, MOAT_IPV4, ip + 12, ip + 16);
	ret->protocol = ip[9];
	ret->known = EVENT_PROTOCOL;
	if ((read16(ip + 6) & 0x1FFF) || (ip[0] & 0xF) < 5 || !skip(&b, (size_t)(ip[0] & 0xF) * 4))
		return; /* a later fragment, or a cut header */
	parse_ports(b, ret);
}

/* Bytes of the extension header at b, which holds EXT_SIZE of it. */
static size_t extension_size(uint8_t type, const uint8_t *at)
{
	if (type == FRAGMENT)
		return EXT_SIZE;
	return type == AH ? (at[1] + 2U) * 4 : (at[1] + 1U) * 8;
}

static void parse6(struct bytes b, struct event_packet *ret)
{
	const uint8_t *ip = b.at;
	uint8_t next;

	if (!skip(&b, IP6_SIZE))
		return;
	take_addresses(ret, MOAT_IPV6, ip + 8, ip + 24);
	next = ip[6];
	for (int i = 0; i < EXT_HEADERS && is_extension(next); i++) {
		uint8_t type = next;
		const uint8_t *at = b.at;

		if (b.size < EXT_SIZE)
			return;
		next = at[0];
		if (type == FRAGMENT && read16(at + 2) & 0xFFF8) {
			ret->protocol = next;
			ret->known = is_extension(next) ? EVENT_ADDRESSES : EVENT_PROTOCOL;
			return;
		}
		if (!skip(&b, extension_size(type, at)))
			return;
	}
	if (is_extension(next))
		return;
	ret->protocol = next;
	ret->known = EVENT_PROTOCOL;
	parse_ports(b, ret);
}

void event_parse(const struct moat_event *e, struct event_packet *ret)
{
	struct bytes b = { e->head, e->size <= MOAT_EVENT_HEAD ? e->size : MOAT_EVENT_HEAD };

	*ret = (struct event_packet){};
	if (!skip(&b, e->ip))
		return;
	if (e->family == MOAT_IPV4)
		parse4(b, ret);
	else if (e->family == MOAT_IPV6)
		parse6(b, ret);
}
