/* SPDX-License-Identifier: BSD-2-Clause */
#include "traffic_frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum {
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_AH = 51,
	PROTOCOL_ICMPV6 = 58,
};

#define TYPE_VLAN	0x8100
#define TYPE_QINQ	0x88A8
#define TYPE_IP4	0x0800
#define TYPE_IP6	0x86DD
#define HOP_LIMIT	64
#define IDENTIFICATION	0x6d6f
#define MORE_FRAGMENTS	0x2000 /* IPv4, RFC 791 */
#define LATER_OFFSET	1480   /* bytes; a multiple of 8 */
#define TCP_DATA_OFFSET (5 << 4)
#define TCP_SYN		0x02
#define PADN		1 /* RFC 8200 4.2 */

/* A cursor over the frame being written. */
struct pen {
	uint8_t *at;
};

static void put8(struct pen *pen, uint8_t value)
{
	*pen->at++ = value;
}

static void put16(struct pen *pen, uint16_t value)
{
	put8(pen, value >> 8);
	put8(pen, value & 0xFF);
}

static void put32(struct pen *pen, uint32_t value)
{
	put16(pen, value >> 16);
	put16(pen, value & 0xFFFF);
}

static void put_bytes(struct pen *pen, const void *bytes, size_t size)
{
	memcpy(pen->at, bytes, size);
	pen->at += size;
}

static void put_zeros(struct pen *pen, size_t size)
{
	memset(pen->at, 0, size);
	pen->at += size;
}

static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += bytes[i] << 8 | bytes[i + 1];
	return size & 1 ? sum + (bytes[size - 1] << 8) : sum;
}

/* RFC 1071. 0 over a header that carries its right checksum. */
static uint16_t sum_finish(uint32_t sum)
{
	sum = (sum & 0xFFFF) + (sum >> 16);
	sum = (sum & 0xFFFF) + (sum >> 16);
	return ~sum;
}

static void set16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value & 0xFF;
}

static size_t transport_size(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return 20;
	case PROTOCOL_UDP:
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return 8;
	}
	return 0;
}

/* Bytes of the IP payload behind extension headers. */
static size_t body_size(const struct frame_spec *spec)
{
	size_t header = spec->fragment == FRAME_LATER ? 0 : transport_size(spec->protocol);

	return header + spec->payload;
}

static void put_payload(struct pen *pen, size_t size)
{
	for (size_t i = 0; i < size; i++)
		put8(pen, 'a' + i % 26);
}

/* pseudo is the sum over the pseudo header without the length and protocol. */
static void put_body(struct pen *pen, const struct frame_spec *spec, uint32_t pseudo)
{
	uint8_t *start = pen->at;
	size_t size = body_size(spec);
	uint8_t *check = NULL;

	if (spec->fragment != FRAME_LATER && spec->protocol == PROTOCOL_TCP) {
		put16(pen, spec->from_port);
		put16(pen, spec->to_port);
		put32(pen, 1); /* sequence number */
		put32(pen, 0);
		put8(pen, TCP_DATA_OFFSET);
		put8(pen, TCP_SYN);
		put16(pen, 0xFFFF); /* window */
		check = pen->at;
		put32(pen, 0);
	} else if (spec->fragment != FRAME_LATER && spec->protocol == PROTOCOL_UDP) {
		put16(pen, spec->from_port);
		put16(pen, spec->to_port);
		put16(pen, size);
		check = pen->at;
		put16(pen, 0);
	} else if (spec->fragment != FRAME_LATER && transport_size(spec->protocol)) {
		put8(pen, spec->to_port & 0xFF);
		put8(pen, 0); /* code */
		check = pen->at;
		put16(pen, 0);
		put16(pen, spec->from_port); /* identifier */
		put16(pen, 1);		     /* sequence number */
	}
	put_payload(pen, spec->payload);
	if (!check)
		return;
	if (spec->protocol == PROTOCOL_ICMP)
		pseudo = 0; /* the only one without a pseudo header */
	else
		pseudo += spec->protocol + size;
	set16(check, sum_finish(sum_words(pseudo, start, size)));
	if (spec->protocol == PROTOCOL_UDP && !check[0] && !check[1])
		set16(check, 0xFFFF); /* RFC 768: 0 means none */
}

static void put_ip4(struct pen *pen, const struct frame_spec *spec, const struct address *from)
{
	uint8_t *start = pen->at;
	size_t header = 20 + spec->options * 4;
	uint16_t fragment = 0;

	if (spec->fragment == FRAME_FIRST)
		fragment = MORE_FRAGMENTS;
	if (spec->fragment == FRAME_LATER)
		fragment = LATER_OFFSET / 8;
	put8(pen, 4 << 4 | header / 4);
	put8(pen, spec->dscp << 2);
	put16(pen, header + body_size(spec));
	put16(pen, IDENTIFICATION);
	put16(pen, fragment);
	put8(pen, HOP_LIMIT);
	put8(pen, spec->protocol);
	put16(pen, 0);
	put_bytes(pen, from->bytes, 4);
	put_bytes(pen, spec->to4.bytes, 4);
	memset(pen->at, 1, spec->options * 4); /* no operation */
	pen->at += spec->options * 4;
	set16(start + 10, sum_finish(sum_words(0, start, header)));
	put_body(pen, spec, sum_words(0, start + 12, 8));
}

/* One extension header; next is what follows it. */
static void put_ext(struct pen *pen, uint8_t kind, uint8_t next, enum frame_fragment fragment)
{
	put8(pen, next);
	switch (kind) {
	case PROTOCOL_FRAGMENT:
		put8(pen, 0);
		put16(pen, fragment == FRAME_LATER ? LATER_OFFSET : fragment == FRAME_FIRST);
		put32(pen, IDENTIFICATION);
		return;
	case PROTOCOL_AH:
		put8(pen, 4); /* in 4-byte units less 2: 24 bytes, RFC 4302 2.2 */
		put_zeros(pen, 22);
		return;
	}
	put8(pen, 0); /* in 8-byte units less 1 */
	put8(pen, PADN);
	put8(pen, 4);
	put_zeros(pen, 4);
}

static void put_ip6(struct pen *pen, const struct frame_spec *spec, const struct address *from)
{
	uint8_t *start = pen->at;
	uint8_t kind[FRAME_EXTS + 1];
	size_t kinds = spec->exts;

	memcpy(kind, spec->ext, sizeof(spec->ext));
	if (spec->fragment != FRAME_WHOLE)
		kind[kinds++] = PROTOCOL_FRAGMENT;
	put32(pen, 6U << 28 | (uint32_t)spec->dscp << 22);
	put16(pen, 0);
	put8(pen, kinds ? kind[0] : spec->protocol);
	put8(pen, HOP_LIMIT);
	put_bytes(pen, from->bytes, 16);
	put_bytes(pen, spec->to6.bytes, 16);
	for (size_t i = 0; i < kinds; i++)
		put_ext(pen, kind[i], i + 1 < kinds ? kind[i + 1] : spec->protocol, spec->fragment);
	put_body(pen, spec, sum_words(0, start + 8, 32));
	set16(start + 4, pen->at - start - 40);
}

size_t frame_build(const struct frame_spec *spec, const struct address *from,
		   uint8_t ret_frame[static FRAME_ROOM])
{
	struct pen pen = { ret_frame };
	size_t size;

	put_bytes(&pen, spec->to_mac, 6);
	put_bytes(&pen, spec->from_mac, 6);
	for (size_t i = 0; i < spec->tags; i++) {
		put16(&pen, spec->tag[i].type);
		put16(&pen, spec->tag[i].id);
	}
	put16(&pen, from->v6 ? TYPE_IP6 : TYPE_IP4);
	if (from->v6)
		put_ip6(&pen, spec, from);
	else
		put_ip4(&pen, spec, from);
	size = pen.at - ret_frame;
	return spec->cut && spec->cut < size ? spec->cut : size;
}

static uint16_t read16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void read_ip(const uint8_t *ip, size_t size, bool v6, struct frame_seen *ret)
{
	size_t header = (ip[0] & 0x0F) * 4;

	ret->ip = true;
	ret->from.v6 = v6;
	if (v6) {
		memcpy(ret->from.bytes, ip + 8, 16);
		ret->dscp = (ip[0] << 4 | ip[1] >> 4) >> 2 & 0x3F;
		ret->protocol = ip[6];
		ret->checksum_right = true;
		return;
	}
	memcpy(ret->from.bytes, ip + 12, 4);
	ret->dscp = ip[1] >> 2;
	ret->protocol = ip[9];
	ret->checksum_right = header <= size && !sum_finish(sum_words(0, ip, header));
}

void frame_read(const uint8_t *frame, size_t size, struct frame_seen *ret)
{
	size_t at = 12;
	uint16_t type = 0;

	*ret = (struct frame_seen){ 0 };
	while (at + 2 <= size) {
		type = read16(frame + at);
		at += 2;
		if ((type != TYPE_VLAN && type != TYPE_QINQ) || at + 2 > size ||
		    ret->tags == FRAME_VLANS)
			break;
		ret->tag[ret->tags++] = (struct frame_tag){ type, read16(frame + at) & 0x0FFF };
		at += 2;
	}
	if (type == TYPE_IP4 && at + 20 <= size)
		read_ip(frame + at, size - at, false, ret);
	else if (type == TYPE_IP6 && at + 40 <= size)
		read_ip(frame + at, size - at, true, ret);
}

int address_parse(const char *text, struct address *ret)
{
	struct address a = { .v6 = strchr(text, ':') != NULL };

	if (inet_pton(a.v6 ? AF_INET6 : AF_INET, text, a.bytes) != 1)
		return -EINVAL;
	*ret = a;
	return 0;
}

bool address_in(const struct address *a, const struct address *net, unsigned int bits)
{
	uint8_t rest = 0xFF << (8 - bits % 8) & 0xFF;

	if (a->v6 != net->v6 || memcmp(a->bytes, net->bytes, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || !((a->bytes[bits / 8] ^ net->bytes[bits / 8]) & rest);
}
