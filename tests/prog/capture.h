/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads capture files (pcap and pcapng, gzipped or not) as Ethernet frames.
 *
 * A packet of another link type gets an Ethernet header put before its IP
 * header, since that is how the filter would meet it.
 */
#ifndef PROG_CAPTURE_H
#define PROG_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

struct capture_frame {
	uint8_t *bytes; /* owned by the capture */
	size_t size;
};

struct capture {
	struct capture_frame *frame;
	size_t frames;
};

/* Ends the test program with a text if the file cannot be read. */
struct capture *capture_read(const char *path);
struct capture *capture_free(struct capture *c);

#endif
