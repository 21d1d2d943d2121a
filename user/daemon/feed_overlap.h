/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a list has in common with what else is listed: with each other feed, and
 * with what is protected. Warninglists are feeds of category allow; what they
 * protect counts as never-block, like the set of the configuration.
 *
 * Who uses it: feed_apply.c. overlap_note() for each row of other feeds,
 * overlap_ready(), then overlap_protected() for each entry.
 */
#ifndef DAEMON_FEED_OVERLAP_H
#define DAEMON_FEED_OVERLAP_H

#include "core/gate.h"
#include "daemon/feed_report.h"
#include "daemon/feed_set.h"

struct overlap {
	const struct gate *gate;
	const struct cover *cover; /* of the list */
	struct prefix *allowed;	   /* owned: what other feeds protect, where the list is, too */
	size_t count, room;
};

void overlap_free(struct overlap *o);

/* Counts the row in ret. 0 or -ENOMEM. */
int overlap_note(struct overlap *o, const struct row *row, int64_t now, struct feed_report *ret);

void overlap_ready(struct overlap *o);

/* Whether a never-block prefix or one that another feed protects overlaps the source. */
bool overlap_protected(const struct overlap *o, const struct prefix *source);

#endif
