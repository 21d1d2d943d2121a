/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The JSON of an event, without printf: hundreds of thousands a second.
 */
#include "core/event.h"
#include "moat/policy.h"
#include "moat/stats.h"

struct writer {
	char *at;
	const char *end; /* room for a NUL is behind it */
};

static void put(struct writer *w, const char *bytes, size_t size)
{
	if (size > (size_t)(w->end - w->at))
		size = (size_t)(w->end - w->at);
	memcpy(w->at, bytes, size);
	w->at += size;
}

#define PUT(w, literal) put(w, literal, sizeof(literal) - 1)

static void put_number(struct writer *w, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	put(w, digits + at, sizeof(digits) - at);
}

/* Names are ASCII but for those of interfaces, which may hold any bytes. */
static void put_escaped(struct writer *w, const char *text)
{
	static const char hex[] = "0123456789abcdef";

	for (const char *run = text; *text; run = text) {
		unsigned char c;

		while (*text >= 0x20 && *text < 0x7f && *text != '"' && *text != '\\')
			text++;
		put(w, run, (size_t)(text - run));
		c = (unsigned char)*text;
		if (!c)
			return;
		PUT(w, "\\u00");
		put(w, &hex[c >> 4], 1);
		put(w, &hex[c & 15], 1);
		text++;
	}
}

/* ,"key":"text" unless it is empty. */
static void put_text(struct writer *w, const char *key, const char *text)
{
	if (!*text)
		return;
	PUT(w, ",\"");
	put(w, key, strlen(key));
	PUT(w, "\":\"");
	put_escaped(w, text);
	PUT(w, "\"");
}

static void put_whole(struct writer *w, const char *key, uint64_t value)
{
	PUT(w, ",\"");
	put(w, key, strlen(key));
	PUT(w, "\":");
	put_number(w, value);
}

/* "2026-11-23T11:00:00.000123Z" */
static void put_time(struct writer *w, const struct event_names *names)
{
	char micros[7] = ".000000";
	uint32_t rest = names->micros;

	put(w, names->second, strcspn(names->second, "Z"));
	for (size_t i = sizeof(micros) - 1; i && rest; i--, rest /= 10)
		micros[i] = (char)('0' + rest % 10);
	put(w, micros, sizeof(micros));
	PUT(w, "Z");
}

static void put_base64(struct writer *w, const uint8_t *bytes, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char out[4];

	for (size_t i = 0; i < size; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16;

		if (i + 1 < size)
			group |= (uint32_t)bytes[i + 1] << 8;
		if (i + 2 < size)
			group |= bytes[i + 2];
		out[0] = digits[group >> 18];
		out[1] = digits[group >> 12 & 63];
		out[2] = i + 1 < size ? digits[group >> 6 & 63] : '=';
		out[3] = i + 2 < size ? digits[group & 63] : '=';
		put(w, out, sizeof(out));
	}
}

static void put_packet(struct writer *w, const struct event_packet *packet, const char *protocol)
{
	char text[PREFIX_TEXT_MAX];

	if (packet->known == EVENT_NOTHING)
		return;
	put_text(w, "source", prefix_format(&packet->source, text));
	put_text(w, "destination", prefix_format(&packet->destination, text));
	if (packet->known == EVENT_ADDRESSES)
		return;
	put_text(w, "protocol", protocol);
	if (packet->known == EVENT_PROTOCOL)
		return;
	put_whole(w, packet->icmp ? "type" : "source_port", packet->source_port);
	put_whole(w, packet->icmp ? "code" : "destination_port", packet->destination_port);
}

/* The installed prefix that decided. */
static void put_listed(struct writer *w, const struct moat_event *event,
		       const struct event_packet *packet)
{
	char text[PREFIX_TEXT_MAX];
	struct prefix listed;

	if (!moat_reason_has_category(event->reason) || packet->known == EVENT_NOTHING ||
	    event->matched > packet->source.len)
		return;
	listed = prefix_shorten(&packet->source, event->matched);
	put_text(w, "listed", prefix_format(&listed, text));
}

size_t event_json(const struct moat_event *event, const struct event_packet *packet,
		  const struct event_names *names, bool bytes, char buf[static EVENT_JSON_MAX])
{
	struct writer w = { buf, buf + EVENT_JSON_MAX - 1 };

	PUT(&w, "{\"time\":\"");
	put_time(&w, names);
	PUT(&w, "\"");
	put_text(&w, "iface", names->iface);
	put_text(&w, "family", names->family);
	put_packet(&w, packet, names->protocol);
	put_whole(&w, "length", event->length);
	put_text(&w, "verdict", names->verdict);
	put_text(&w, "reason", names->reason);
	put_text(&w, "category", names->category);
	put_listed(&w, event, packet);
	if (bytes) {
		PUT(&w, ",\"bytes\":\"");
		put_base64(&w, event->head, event->size);
		PUT(&w, "\"");
	}
	PUT(&w, "}");
	*w.at = '\0';
	return (size_t)(w.at - buf);
}
