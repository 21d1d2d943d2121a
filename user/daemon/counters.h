/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters of an interface as people know them: which verdict, reason and
 * category a cell stands for, for whoever shows or sums them.
 */
#ifndef DAEMON_COUNTERS_H
#define DAEMON_COUNTERS_H

#include "daemon/daemon.h"
#include "moat/stats.h"

/* What a cell of moat/stats.h counts. */
struct counter {
	uint32_t family, verdict, reason, category;
	bool has_category;
};

struct counter counter_of(size_t cell);

/*
 * Every number has a name of its own, also the self-test's and those that left
 * the configuration with packets counted: two series of one name would cost
 * the whole scrape.
 */
void counters_categories(const struct daemon *d, struct categories *ret);

/* The label of a counter's category, "" without one. */
const char *counter_category(const struct categories *categories, const struct counter *counter);

/* All MOAT_CELLS of an interface, owned by the caller. NULL: not loaded, or they cannot be read. */
struct moat_stats *counters_read(const struct iface_view *view);

/* Feeds in mode monitor count for the category they list: one name, one series. */
void counters_join_monitored(const struct categories *categories, struct moat_stats *cells);

#endif
