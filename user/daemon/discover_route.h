/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gateways of every routing table and every next hop, from rtnetlink(7): asked
 * for at once, or message by message.
 */
#ifndef DAEMON_DISCOVER_ROUTE_H
#define DAEMON_DISCOVER_ROUTE_H

#include <linux/rtnetlink.h>

#include "daemon/discover.h"

#define ROUTE_ROOM 65536 /* bytes of messages taken from the kernel at a time */

/* Looks now; waits until all routes were read. */
void discover_gateways(struct finds *f);

/* The gateways of one RTM_NEWROUTE or RTM_DELROUTE. */
void route_gateways(const struct nlmsghdr *message, struct finds *f);

/* Asks for all routes of a family. The answers come to fd. 0 or negative errno. */
int route_ask(int fd, int family);

/*
 * Takes a buffer of answers. 1: more will come, 0: that was the last, or
 * negative errno. *torn is set if the kernel says that routes changed meanwhile.
 */
int route_answers(const void *buffer, size_t size, struct finds *f, bool *torn);

#endif
