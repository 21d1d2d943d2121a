/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must never be blocked on this host, found by looking: its own
 * addresses, its gateways and its name servers.
 */
#ifndef DAEMON_DISCOVER_H
#define DAEMON_DISCOVER_H

#include "core/config.h"

#define DISCOVER_MAX 65536 /* prefixes, configured ones included */

/*
 * The configured never-block prefixes and what is found, sorted by
 * gate_sort_never_block(), in an array that is the caller's. What cannot be read is left out.
 */
int discover_never_block(const struct config *config, struct prefix **ret, size_t *ret_count,
			 struct problem *why);

#endif
