/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets as pcapng (draft-ietf-opsawg-pcapng), a block at a time into memory
 * of the caller: Wireshark and its kin open the blocks one after the other.
 *
 *	size = pcapng_section(block, &section);		once, first
 *	size = pcapng_interface(block, &interface);	number 0, 1, ... in this order
 *	size = pcapng_packet(block, &packet);
 *	size = pcapng_statistics(block, &statistics);	for each interface, last
 *
 * Every function returns how many bytes of the block are to be written, a
 * multiple of 4. Texts and packets are cut to what is allowed below, so every
 * block fits. Byte order is this host's, which a reader takes from the section.
 */
#ifndef CORE_PCAPNG_H
#define CORE_PCAPNG_H

#include "core/base.h"

#define PCAPNG_PACKET_MAX 65536 /* bytes of a packet */
#define PCAPNG_TEXT_MAX	  1024	/* bytes of a text */
#define PCAPNG_BLOCK_MAX  (PCAPNG_PACKET_MAX + 4 * PCAPNG_TEXT_MAX + 256)

#define PCAPNG_LINK_ETHERNET 1

struct pcapng_section {
	const char *hardware, *os, *application; /* NULL or "": unsaid */
};

struct pcapng_interface {
	const char *name;
	const char *description; /* NULL or "": unsaid */
	uint16_t link;		 /* PCAPNG_LINK_... */
	uint32_t most;		 /* bytes that are kept of a packet; 0: unsaid */
};

/* clang-format off */
enum pcapng_direction { PCAPNG_UNKNOWN, PCAPNG_INBOUND, PCAPNG_OUTBOUND };
/* clang-format on */

struct pcapng_packet {
	uint32_t interface; /* its number */
	int64_t time_ns;    /* since 1970 */
	const uint8_t *bytes;
	size_t size;	  /* of bytes */
	uint32_t length;  /* on the wire; at least size is written */
	const char *note; /* a comment; NULL or "": none */
	enum pcapng_direction direction;
	uint64_t dropped; /* packets that are missing before this one */
	int xdp_verdict;  /* what the XDP program returned (XDP_DROP, ...); negative: unsaid */
};

struct pcapng_statistics {
	uint32_t interface;
	int64_t start_ns, end_ns;
	uint64_t delivered; /* in this file */
	uint64_t dropped;   /* that should be, and are not */
	const char *note;   /* NULL or "": none */
};

size_t pcapng_section(uint8_t out[static PCAPNG_BLOCK_MAX], const struct pcapng_section *s);
size_t pcapng_interface(uint8_t out[static PCAPNG_BLOCK_MAX], const struct pcapng_interface *i);
size_t pcapng_packet(uint8_t out[static PCAPNG_BLOCK_MAX], const struct pcapng_packet *p);
size_t pcapng_statistics(uint8_t out[static PCAPNG_BLOCK_MAX], const struct pcapng_statistics *s);

#endif
