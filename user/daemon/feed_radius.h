/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guard of the blast radius, for one list: whom of those who send now it
 * would hit, and what follows from that.
 *
 *	nothing of the feed is in force yet	its listings are held in monitor
 *	a list is in force			the new one is refused
 *	the feed is held by this guard		it is released once a list hits less
	it was in mode monitor until now	what it lists is judged like a first list
 *
 * Who uses it: feed_apply.c, once the entries are compared.
 */
#ifndef DAEMON_FEED_RADIUS_H
#define DAEMON_FEED_RADIUS_H

#include "core/radius.h"
#include "daemon/feed_apply.h"
#include "daemon/feed_set.h"

/* What the list adds to what acts: its new entries, or all of a held feed. 0 or -ENOMEM. */
int feed_radius_add(struct radius *r, struct feed_set *set, bool held);

/* Estimates, and decides unless something else stands against the list. 0 or -ENOMEM. */
int feed_radius_judge(struct radius *r, const struct config_limits *limits,
		      const struct feed_judge *judge, struct feed_report *report);

#endif
