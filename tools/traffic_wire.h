/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames on and off an interface, by AF_PACKET.
 *
 * Sending is exact: a frame that the interface had no room for is sent again,
 * so that what wire_send() counts is what the peer got. Receiving counts what
 * the stack would get: behind XDP, with the tags as they were on the wire.
 */
#ifndef TOOLS_TRAFFIC_WIRE_H
#define TOOLS_TRAFFIC_WIRE_H

#include <signal.h>

#include "traffic_frame.h"

/* Set by a signal: send and receive end at the next frame. */
extern volatile sig_atomic_t wire_stop;

/* Gives the next frame, or NULL at the end. It lives until WIRE_BATCH more were asked for. */
typedef const uint8_t *(*wire_next_fn)(void *arg, size_t *ret_size);

#define WIRE_BATCH 64

struct wire_sent {
	uint64_t frames;
	uint64_t skipped; /* longer than the interface takes */
	double seconds;
};

/* rate: frames a second, 0 as fast as it goes. 0 or negative errno. */
int wire_send(const char *iface, uint64_t rate, wire_next_fn next, void *arg,
	      struct wire_sent *ret);

struct wire_filter {
	bool by_source, by_protocol, by_vlan;
	struct address net;
	unsigned int bits;
	uint8_t protocol;
	uint16_t vlan; /* of the outermost tag */
};

/*
 * Counts matching frames until expect of them came (0: no such end), seconds
 * have passed, or a signal stops it; then prints what came, one fact a line:
 *
 *	total N
 *	source ADDRESS N LAST		LAST: when the last one came, unix seconds
 *	dscp N COUNT
 *	vlan ID[.ID...] COUNT
 *	other N				not IP
 *	bad_checksum N			IPv4 headers
 *	lost N				the kernel dropped before we read: counts are too low
 *
 * Prints "ready" when it listens. Returns 0, 1 if fewer than expect came, or
 * negative errno.
 */
int wire_receive(const char *iface, const struct wire_filter *filter, uint64_t expect,
		 double seconds);

#endif
