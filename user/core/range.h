/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges of addresses, and the fewest prefixes that make one up: at most 62
 * for IPv4 and 254 for IPv6. Pure values.
 *
 *	struct range left = { MOAT_IPV4, first, last };
 *
 *	while (range_take(&left, &prefix))
 *		...
 */
#ifndef CORE_RANGE_H
#define CORE_RANGE_H

#include "core/prefix.h"

/* The number that an address is; IPv4 in its low 32 bits. */
typedef unsigned __int128 range_address;

struct range {
	uint8_t family; /* MOAT_IPV4 or MOAT_IPV6 */
	range_address first, last;
	bool taken; /* nothing is left */
};

/* Of the address of a prefix, whatever its length. */
range_address range_number(const struct prefix *p);

/* The last address of a prefix. */
range_address range_last(const struct prefix *p);

/* Takes the largest prefix off the front. False: nothing is left, or last is before first. */
bool range_take(struct range *r, struct prefix *ret);

#endif
