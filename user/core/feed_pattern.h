/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses in a STIX pattern.
 *
 *	[ipv4-addr:value = '192.0.2.1']
 *	[ipv4-addr:value IN ('192.0.2.1', '192.0.2.2') OR ipv6-addr:value ISSUBSET '2001:db8::/32']
 *	[network-traffic:dst_ref.value = '192.0.2.1'] OR [ipv4-addr:value = '198.51.100.0/24']
 *
 * A pattern counts only if each of its addresses alone fulfils it: with AND,
 * FOLLOWEDBY, NOT, qualifiers, or anything that is no address it is no list of
 * sources, and nothing of it is taken.
 */
#ifndef CORE_FEED_PATTERN_H
#define CORE_FEED_PATTERN_H

#include "core/feed.h"

#define FEED_PATTERN_DEPTH_MAX 16 /* nested parentheses */
#define FEED_PATTERN_VALUE_MAX 64 /* bytes of a value that can be an address */

/* A value, unescaped; longer ones are given as no text at all. Non-zero stops. */
typedef int (*feed_pattern_fn)(void *arg, const char *text, size_t size);

/*
 * Calls fn for each address, in order, after the whole pattern is known to
 * count. Returns 0, what fn returned, or -EINVAL: it does not count, for
 * *ret_skip (nothing was called).
 */
int feed_pattern_read(const char *text, size_t size, feed_pattern_fn fn, void *arg,
		      enum feed_skip *ret_skip);

#endif
