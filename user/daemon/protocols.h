/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of IP protocols, and what a policy's scope says in words.
 */
#ifndef DAEMON_PROTOCOLS_H
#define DAEMON_PROTOCOLS_H

#include "core/config.h"
#include "core/text.h"

/* "tcp", "58". 0 or -EINVAL. */
int protocol_parse(const char *text, uint8_t *ret);

/* Name or number. Returns buf. */
const char *protocol_format(uint8_t protocol, char buf[static 16]);

/* "any protocol", "tcp ports 22, 3389", "udp, tcp ports 6000-6010". */
void scope_write(const struct config_category *category, struct text *out);

#endif
