/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds frames from a description: everything that is not said is as in an
 * ordinary packet, everything said is taken as is, however odd.
 *
 *	{ .source = "192.0.2.1", .protocol = PACKET_TCP, .port = 22 }
 *	{ .tag = { 0x88a8, 0x8100 }, .source = "2001:db8::1", .ext = { { PACKET_HOPOPTS } },
 *	  .protocol = PACKET_UDP, .cut = 60 }
 *
 * Addresses that are not given are of the documentation ranges (RFC 5737,
 * RFC 3849); MAC addresses are locally administered.
 */
#ifndef PROG_PACKET_H
#define PROG_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_TAGS 8
#define PACKET_EXTS 12

/* Flags of TCP. */
#define PACKET_FIN 0x01
#define PACKET_SYN 0x02
#define PACKET_RST 0x04
#define PACKET_ACK 0x10

#define PACKET_MAX 71680 /* longest frame: what BPF_PROG_TEST_RUN takes with fragments */

enum {
	PACKET_HOPOPTS = 0,
	PACKET_ICMP = 1,
	PACKET_IPIP = 4,
	PACKET_TCP = 6,
	PACKET_UDP = 17,
	PACKET_DCCP = 33,
	PACKET_ROUTING = 43,
	PACKET_FRAGMENT = 44,
	PACKET_GRE = 47,
	PACKET_ESP = 50,
	PACKET_AH = 51,
	PACKET_ICMPV6 = 58,
	PACKET_NONE = 59,
	PACKET_DSTOPTS = 60,
	PACKET_OSPF = 89,
	PACKET_SCTP = 132,
	PACKET_MOBILITY = 135,
	PACKET_UDPLITE = 136,
	PACKET_HIP = 139,
	PACKET_SHIM6 = 140,
};

/* An IPv6 extension header. The list of a packet ends at count. */
struct packet_ext {
	uint8_t type;
	uint8_t units;	  /* beyond the first 8 bytes: of 8 bytes, for AH of 4 */
	uint8_t reserved; /* fragment: the byte others read as length */
	bool more;	  /* fragment */
	uint16_t offset;  /* fragment: in 8 bytes */
	bool bare;	  /* only 8 bytes are there, whatever units says */
};

struct packet {
	uint16_t tag[PACKET_TAGS]; /* TPIDs, outermost first; 0 ends */
	uint16_t type;		   /* EtherType; 0: that of source */
	const char *source;	   /* NULL: no IP header */
	const char *destination;   /* NULL: of the documentation ranges */

	uint8_t version; /* 0: right */
	uint8_t ihl;	 /* 0: right */
	uint8_t field;	 /* TOS or traffic class */
	uint8_t options; /* IPv4: bytes, a multiple of 4 */
	uint8_t option;	 /* value of each option byte */
	uint16_t offset; /* IPv4 fragment: in 8 bytes */
	bool more;	 /* IPv4 fragment */
	uint16_t wrong;	 /* added to the IPv4 checksum */

	struct packet_ext ext[PACKET_EXTS]; /* IPv6 */
	unsigned int exts;

	uint8_t protocol;
	bool headless; /* no transport header: the payload follows at once */
	uint16_t port; /* destination port; for ICMP type */
	uint16_t from; /* source port, 0: 40000; for ICMP echo identifier */
	uint8_t flags; /* TCP; 0: SYN */
	const struct packet
		*quoted;  /* its IP packet stands before the payload, as in an ICMP error */
	uint32_t payload; /* bytes */
	uint8_t fill;	  /* value of each */
	uint32_t cut;	  /* the frame ends here; 0: it is whole */
};

/* Returns the frame's size; room must be PACKET_MAX at least. */
size_t packet_build(const struct packet *p, uint8_t *frame);

#endif
