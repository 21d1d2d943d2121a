/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which order the entries of a list are written: that of the texts of their
 * sources, which is the one of the database's index. Rows that come in it are
 * appended; in the order of the addresses ("2.0.0.0" before "10.0.0.0") they
 * would be put in all over it, while every other writer waits.
 *
 * Who uses it: feed_apply.c. Only speed depends on it: IPv6, of which lists have
 * less, stays in the order of the addresses, which is nearly the same.
 */
#ifndef DAEMON_FEED_ORDER_H
#define DAEMON_FEED_ORDER_H

#include "daemon/feed_set.h"

struct feed_order {
	uint64_t *key; /* owned */
	size_t count;
};

/* Of the entries that are to be written: those that are not the same and do not end. 0 or -ENOMEM. */
int feed_order_make(struct feed_set *set, struct feed_order *ret);
void feed_order_free(struct feed_order *o);

/* The index of an entry in its set. */
size_t feed_order_at(const struct feed_order *o, size_t at);

#endif
