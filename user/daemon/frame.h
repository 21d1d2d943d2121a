/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes the packet that explain and the self-test send through the loaded
 * program: Ethernet, IP, and enough of a transport header for its ports.
 */
#ifndef DAEMON_FRAME_H
#define DAEMON_FRAME_H

#include "core/prefix.h"

#define FRAME_ROOM 256 /* bytes of a buffer for frame_make() */

/* source is a host. port: destination port or ICMP type. Returns the frame's length. */
uint32_t frame_make(uint8_t frame[static FRAME_ROOM], const struct prefix *source, uint8_t protocol,
		    uint16_t port);

#endif
