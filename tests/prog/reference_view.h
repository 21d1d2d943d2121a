/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame as the reference model reads it. Private to reference*.c.
 */
#ifndef PROG_REFERENCE_VIEW_H
#define PROG_REFERENCE_VIEW_H

#include "tests/prog/reference.h"

/* What a reader of the frame finds. */
struct view {
	enum moat_family family;
	enum moat_reason early; /* there is no source to judge; 0: there is */
	enum moat_reason odd;	/* what is wrong behind the source address; 0: nothing */
	size_t ip;		/* offset of the IP header */
	uint8_t source[16];
	uint8_t destination[16]; /* if the fixed header is whole */
	bool has_destination;
	size_t transport; /* offset of the transport header, with has_port */
	bool has_protocol;
	uint8_t protocol;
	bool has_port;
	uint16_t port; /* destination port, or ICMP type */
};

static inline unsigned int view_read16(const uint8_t *at)
{
	return at[0] * 256U + at[1];
}

void view_read_frame(const uint8_t *f, size_t size, struct view *v);

/* From the IP header at v->ip on; v->family is set. */
void view_read_ipv4(const uint8_t *f, size_t size, struct view *v);
void view_read_ipv6(const uint8_t *f, size_t size, struct view *v);

/* Whether the frame that v is of answers a flow that is still remembered. */
bool reference_is_reply(struct reference *r, uint64_t now, const uint8_t *f, size_t size,
			const struct view *v);

#endif
