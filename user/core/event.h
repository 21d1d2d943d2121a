/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event (moat/event.h) as people and machines read it: the addresses, the
 * protocol and the ports of its first bytes, and the JSON object of it.
 *
 * The bytes come from the wire: nothing in them is believed that they do not
 * hold.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/prefix.h"
#include "moat/event.h"

/* How much could be read of it. */
enum event_known {
	EVENT_NOTHING,	 /* no IP header */
	EVENT_ADDRESSES, /* the protocol is unknown */
	EVENT_PROTOCOL,	 /* a later fragment, a cut header, a protocol without ports */
	EVENT_PORTS,	 /* TCP, UDP and their kin: ports; ICMP: type and code */
};

struct event_packet {
	enum event_known known;
	struct prefix source, destination; /* hosts */
	uint8_t protocol;		   /* IP protocol number */
	bool icmp;			   /* then the two are type and code */
	uint16_t source_port, destination_port;
};

/* Whether the numbers of an event are in their ranges; what is not must not be used. */
bool event_is_sound(const struct moat_event *event);

void event_parse(const struct moat_event *event, struct event_packet *ret);

/* What an event is called, for event_json(). No text is NULL; "" is left out. */
struct event_names {
	const char *second; /* it happened in, units_time_format() */
	uint32_t micros;    /* of it */
	const char *iface, *family, *protocol, *verdict, *reason, *category;
};

/* Enough for any event with its bytes. */
#define EVENT_JSON_MAX 1536

/*
 * {"time":"2026-11-23T11:00:00.000123Z","iface":"eth0","family":"ipv4",
 *  "source":"198.51.100.7","destination":"192.0.2.1","protocol":"tcp",
 *  "source_port":40000,"destination_port":22,"length":60,"verdict":"drop",
 *  "reason":"listed","category":"botnet","listed":"198.51.100.0/24",
 *  "bytes":"base64"}
 *
 * without a line's end. What is not known is left out; ICMP has type and code
 * in place of ports; listed is the installed prefix that decided. bytes: the
 * first MOAT_EVENT_HEAD of the frame. Returns the size, below EVENT_JSON_MAX;
 * buf ends in NUL.
 */
size_t event_json(const struct moat_event *event, const struct event_packet *packet,
		  const struct event_names *names, bool bytes, char buf[static EVENT_JSON_MAX]);

#endif
