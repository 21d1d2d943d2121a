/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames for wire tests: built from a description, and read back.
 *
 * A frame is right in every length and checksum unless the description asks
 * for a cut. Pure: no I/O, no ownership.
 */
#ifndef TOOLS_TRAFFIC_FRAME_H
#define TOOLS_TRAFFIC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_VLANS   5	   /* one deeper than any stack of tags moat and its peers read */
#define FRAME_EXTS    12   /* deeper than moat reads */
#define FRAME_OPTIONS 10   /* 32-bit words of IPv4 options, RFC 791 */
#define FRAME_PAYLOAD 9000 /* bytes: jumbo frames */
#define FRAME_ROOM    9600 /* largest frame frame_build() makes */

struct address {
	bool v6;
	uint8_t bytes[16]; /* network order; IPv4 in the first 4, the rest 0 */
};

enum frame_fragment { FRAME_WHOLE, FRAME_FIRST, FRAME_LATER };

struct frame_tag {
	uint16_t type; /* 0x8100 or 0x88A8 */
	uint16_t id;
};

struct frame_spec {
	uint8_t from_mac[6], to_mac[6];
	struct frame_tag tag[FRAME_VLANS]; /* outermost first */
	size_t tags;
	struct address to4, to6; /* the one of the source's family is used */
	uint8_t protocol;
	uint16_t from_port, to_port; /* ICMP: to_port is the type */
	uint8_t dscp;		     /* 0..63 */
	size_t options;		     /* 32-bit words, all no-operation */
	uint8_t ext[FRAME_EXTS];     /* extension headers by protocol number */
	size_t exts;
	enum frame_fragment fragment;
	size_t payload; /* bytes behind the transport header */
	size_t cut;	/* the frame ends after so many bytes; 0: it is whole */
};

/* Writes the frame a source sends; returns its length. */
size_t frame_build(const struct frame_spec *spec, const struct address *from,
		   uint8_t ret_frame[static FRAME_ROOM]);

/* What a receiver can tell of a frame. */
struct frame_seen {
	bool ip; /* what follows is known */
	struct address from;
	uint8_t dscp;
	uint8_t protocol;    /* the first next header, extension headers included */
	bool checksum_right; /* of the IPv4 header; IPv6 has none */
	struct frame_tag tag[FRAME_VLANS];
	size_t tags;
};

void frame_read(const uint8_t *frame, size_t size, struct frame_seen *ret);

/* "192.0.2.1" or "2001:db8::1". 0 or -EINVAL. */
int address_parse(const char *text, struct address *ret);

/* Whether the first bits of a are those of net. */
bool address_in(const struct address *a, const struct address *net, unsigned int bits);

#endif
