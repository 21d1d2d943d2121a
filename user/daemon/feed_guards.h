/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the size of a list is to be believed: against the last good one, and
 * against the address space. why says what and what to do.
 */
#ifndef DAEMON_FEED_GUARDS_H
#define DAEMON_FEED_GUARDS_H

#include "daemon/feed_apply.h"

/* old: listings that the feed had, 0: not known. */
enum feed_guard feed_guards_size(const struct feed_rules *rules, uint64_t old,
				 const struct feed_report *r, struct problem *why);
enum feed_guard feed_guards_share(const struct feed_rules *rules, const struct feed_report *r,
				  struct problem *why);

#endif
