/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guards that judge a list by its size: against the last one, against what
 * the configuration wants of it, against the address space.
 *
 * Who uses it: feed_apply.c, once the report is counted. Pure.
 */
#ifndef DAEMON_FEED_GUARD_H
#define DAEMON_FEED_GUARD_H

#include "daemon/feed_apply.h"

/* The first that stands against the list, with why and what to do; FEED_PASSED if none does. */
enum feed_guard feed_guard_ask(const struct feed_rules *rules, const struct feed_judge *judge,
			       const struct feed_report *report, struct problem *why);

#endif
