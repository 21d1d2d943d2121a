/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/pcapng.h"

#define SECTION_BLOCK	 0x0A0D0D0AU
#define INTERFACE_BLOCK	 1U
#define STATISTICS_BLOCK 5U
#define PACKET_BLOCK	 6U

#define BYTE_ORDER_MAGIC 0x1A2B3C4DU
#define VERSION_MAJOR	 1
#define VERSION_MINOR	 0
#define NANOSECONDS	 9 /* if_tsresol: a power of ten */

/* clang-format off */
enum {
	OPTION_END     = 0,
	OPTION_COMMENT = 1,
	SECTION_HARDWARE = 2, SECTION_OS = 3, SECTION_APPLICATION = 4,
	INTERFACE_NAME = 2, INTERFACE_DESCRIPTION = 3, INTERFACE_RESOLUTION = 9,
	PACKET_FLAGS = 2, PACKET_DROPPED = 4, PACKET_VERDICT = 7,
	STATISTICS_START = 2, STATISTICS_END = 3, STATISTICS_RECEIVED = 4, STATISTICS_DROPPED = 5,
	STATISTICS_DELIVERED = 8,
};
/* clang-format on */

#define VERDICT_OF_XDP 2 /* first byte of epb_verdict */

/* A block under way. What does not fit is a bug of the limits in the header. */
struct block {
	uint8_t *at;
	size_t size;
};

static void put(struct block *b, const void *bytes, size_t size)
{
	static const uint8_t zeros[4];

	memcpy(b->at + b->size, bytes, size);
	b->size += size;
	if (size % 4) {
		memcpy(b->at + b->size, zeros, 4 - size % 4);
		b->size += 4 - size % 4;
	}
}

static void put16s(struct block *b, uint16_t first, uint16_t second)
{
	const uint16_t pair[2] = { first, second };

	put(b, pair, sizeof(pair));
}

static void put32(struct block *b, uint32_t value)
{
	put(b, &value, sizeof(value));
}

/* Times of pcapng are two words, the high one first, whatever the byte order. */
static void put_time(struct block *b, int64_t ns)
{
	put32(b, (uint32_t)((uint64_t)ns >> 32));
	put32(b, (uint32_t)ns);
}

static struct block begin(uint8_t *out, uint32_t type)
{
	struct block b = { .at = out };

	put32(&b, type);
	put32(&b, 0); /* its length, by finish() */
	return b;
}

static void put_option(struct block *b, uint16_t code, const void *value, size_t size)
{
	put16s(b, code, (uint16_t)size);
	put(b, value, size);
}

static void put_text(struct block *b, uint16_t code, const char *text)
{
	size_t size = text ? strlen(text) : 0;

	if (size > PCAPNG_TEXT_MAX) {
		size = PCAPNG_TEXT_MAX;
		while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
			size--; /* no half of a character */
	}
	if (size)
		put_option(b, code, text, size);
}

static void put_option_time(struct block *b, uint16_t code, int64_t ns)
{
	put16s(b, code, 8);
	put_time(b, ns);
}

static size_t finish(struct block *b)
{
	uint32_t length;

	put16s(b, OPTION_END, 0);
	length = (uint32_t)b->size + 4;
	memcpy(b->at + 4, &length, sizeof(length));
	put32(b, length);
	return b->size;
}

size_t pcapng_section(uint8_t out[static PCAPNG_BLOCK_MAX], const struct pcapng_section *s)
{
	struct block b = begin(out, SECTION_BLOCK);
	const int64_t unknown = -1;

	put32(&b, BYTE_ORDER_MAGIC);
	put16s(&b, VERSION_MAJOR, VERSION_MINOR);
	put(&b, &unknown, sizeof(unknown)); /* its length */
	put_text(&b, SECTION_HARDWARE, s->hardware);
	put_text(&b, SECTION_OS, s->os);
	put_text(&b, SECTION_APPLICATION, s->application);
	return finish(&b);
}

size_t pcapng_interface(uint8_t out[static PCAPNG_BLOCK_MAX], const struct pcapng_interface *i)
{
	struct block b = begin(out, INTERFACE_BLOCK);
	const uint8_t resolution = NANOSECONDS;

	put16s(&b, i->link, 0);
	put32(&b, i->most);
	put_text(&b, INTERFACE_NAME, i->name);
	put_text(&b, INTERFACE_DESCRIPTION, i->description);
	put_option(&b, INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
	return finish(&b);
}

size_t pcapng_packet(uint8_t out[static PCAPNG_BLOCK_MAX], const struct pcapng_packet *p)
{
	struct block b = begin(out, PACKET_BLOCK);
	size_t size = p->size < PCAPNG_PACKET_MAX ? p->size : PCAPNG_PACKET_MAX;
	uint32_t flags = p->direction;
	uint8_t verdict[9] = { VERDICT_OF_XDP };
	uint64_t returned;

	put32(&b, p->interface);
	put_time(&b, p->time_ns);
	put32(&b, (uint32_t)size);
	put32(&b, p->length > size ? p->length : (uint32_t)size);
	if (size)
		put(&b, p->bytes, size);
	put_text(&b, OPTION_COMMENT, p->note);
	if (flags)
		put_option(&b, PACKET_FLAGS, &flags, sizeof(flags));
	if (p->dropped)
		put_option(&b, PACKET_DROPPED, &p->dropped, sizeof(p->dropped));
	if (p->xdp_verdict >= 0) {
		returned = (uint64_t)p->xdp_verdict;
		memcpy(verdict + 1, &returned, sizeof(returned));
		put_option(&b, PACKET_VERDICT, verdict, sizeof(verdict));
	}
	return finish(&b);
}

size_t pcapng_statistics(uint8_t out[static PCAPNG_BLOCK_MAX], const struct pcapng_statistics *s)
{
	struct block b = begin(out, STATISTICS_BLOCK);
	uint64_t received = s->delivered + s->dropped;

	put32(&b, s->interface);
	put_time(&b, s->end_ns);
	put_text(&b, OPTION_COMMENT, s->note);
	put_option_time(&b, STATISTICS_START, s->start_ns);
	put_option_time(&b, STATISTICS_END, s->end_ns);
	put_option(&b, STATISTICS_RECEIVED, &received, sizeof(received));
	put_option(&b, STATISTICS_DROPPED, &s->dropped, sizeof(s->dropped));
	put_option(&b, STATISTICS_DELIVERED, &s->delivered, sizeof(s->delivered));
	return finish(&b);
}
