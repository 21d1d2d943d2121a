/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/packet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define IP4_HEADER 20
#define IP6_HEADER 40

/* Where the next bytes go. Overflow is a bug of the test: it ends there. */
struct writer {
	uint8_t *frame;
	size_t at;
};

static uint8_t *take(struct writer *w, size_t size)
{
	uint8_t *here = w->frame + w->at;

	if (size > PACKET_MAX - w->at)
		abort();
	memset(here, 0, size);
	w->at += size;
	return here;
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put_address(int family, const char *text, uint8_t *at)
{
	if (inet_pton(family, text, at) != 1)
		abort();
}

static bool is_ip6(const struct packet *p)
{
	return p->source && strchr(p->source, ':');
}

static void put_ethernet(struct writer *w, const struct packet *p)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	unsigned int type = p->type ?: is_ip6(p) ? 0x86dd : 0x0800;

	memcpy(take(w, sizeof(macs)), macs, sizeof(macs));
	for (int i = 0; i < PACKET_TAGS && p->tag[i]; i++) {
		uint8_t *tag = take(w, 4);

		put16(tag, p->tag[i]);
		put16(tag + 2, 100 + i);
	}
	put16(take(w, 2), type);
}

static void put_transport(struct writer *w, const struct packet *p)
{
	static const uint8_t sizes[256] = {
		[PACKET_TCP] = 20, [PACKET_UDP] = 8,	[PACKET_DCCP] = 12,   [PACKET_SCTP] = 12,
		[PACKET_ICMP] = 8, [PACKET_ICMPV6] = 8, [PACKET_UDPLITE] = 8,
	};
	uint8_t *header;

	if (p->headless || !sizes[p->protocol])
		return;
	header = take(w, sizes[p->protocol]);
	if (p->protocol == PACKET_ICMP || p->protocol == PACKET_ICMPV6) {
		header[0] = p->port;
		put16(header + 4, p->from);
		return;
	}
	put16(header, p->from ?: 40000);
	put16(header + 2, p->port);
	if (p->protocol == PACKET_TCP) {
		header[12] = 5 << 4;
		header[13] = p->flags ?: PACKET_SYN;
	} else if (p->protocol == PACKET_UDP) {
		put16(header + 4, 8 + p->payload);
	}
}

static uint16_t checksum(const uint8_t *header, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += header[i] << 8 | header[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void put_ip4(struct writer *w, const struct packet *p);
static void put_ip6(struct writer *w, const struct packet *p);

static void put_quoted(struct writer *w, const struct packet *p)
{
	if (!p)
		return;
	if (is_ip6(p))
		put_ip6(w, p);
	else
		put_ip4(w, p);
}

static void put_ip4(struct writer *w, const struct packet *p)
{
	size_t start = w->at, header = IP4_HEADER + p->options;
	uint8_t *ip = take(w, header);

	ip[0] = (p->version ?: 4) << 4 | ((p->ihl ?: header / 4) & 15);
	ip[1] = p->field;
	put16(ip + 4, 1);
	put16(ip + 6, (p->more ? 0x2000 : 0) | (p->offset & 0x1fff));
	ip[8] = 64;
	ip[9] = p->protocol;
	put_address(AF_INET, p->source, ip + 12);
	put_address(AF_INET, p->destination ?: "203.0.113.1", ip + 16);
	memset(ip + IP4_HEADER, p->option, p->options);

	put_transport(w, p);
	put_quoted(w, p->quoted);
	memset(take(w, p->payload), p->fill, p->payload);
	put16(ip + 2, w->at - start);
	put16(ip + 10, checksum(ip, header) + p->wrong);
}

static void put_ext(struct writer *w, const struct packet_ext *ext, uint8_t next)
{
	size_t size = 8 + ext->units * (ext->type == PACKET_AH ? 4U : 8U);
	uint8_t *header = take(w, ext->bare || ext->type == PACKET_FRAGMENT ? 8 : size);

	header[0] = next;
	header[1] = ext->units;
	if (ext->type != PACKET_FRAGMENT)
		return;
	header[1] = ext->reserved;
	put16(header + 2, (unsigned int)ext->offset << 3 | ext->more);
	header[7] = 1;
}

static void put_ip6(struct writer *w, const struct packet *p)
{
	uint8_t *ip = take(w, IP6_HEADER);
	size_t start = w->at;

	put16(ip, (unsigned int)(p->version ?: 6) << 12 | (unsigned int)p->field << 4 | 0x5);
	ip[3] = 0x42; /* a flow label, which a new DSCP must leave alone */
	ip[6] = p->exts ? p->ext[0].type : p->protocol;
	ip[7] = 64;
	put_address(AF_INET6, p->source, ip + 8);
	put_address(AF_INET6, p->destination ?: "2001:db8:ffff::1", ip + 24);
	for (unsigned int i = 0; i < p->exts; i++)
		put_ext(w, &p->ext[i], i + 1 < p->exts ? p->ext[i + 1].type : p->protocol);

	put_transport(w, p);
	put_quoted(w, p->quoted);
	memset(take(w, p->payload), p->fill, p->payload);
	put16(ip + 4, w->at - start);
}

size_t packet_build(const struct packet *p, uint8_t *frame)
{
	struct writer w = { .frame = frame };

	put_ethernet(&w, p);
	if (!p->source)
		memset(take(&w, p->payload), p->fill, p->payload);
	else if (is_ip6(p))
		put_ip6(&w, p);
	else
		put_ip4(&w, p);
	return p->cut && p->cut < w.at ? p->cut : w.at;
}
