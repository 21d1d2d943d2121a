/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sieve in Prometheus text. The families of moat_map_entries and
 * moat_map_capacity are written by metrics.c, which asks here for the rows.
 */
#ifndef DAEMON_METRICS_SIEVE_H
#define DAEMON_METRICS_SIEVE_H

#include "core/text.h"
#include "plane/tables.h"

/* How full a map of the kernel is. */
struct map_fill {
	const char *map;
	size_t entries, capacity;
};

#define METRICS_SIEVE_MAPS 3

/* Returns how many: 0 while there is no sieve. */
size_t metrics_sieve_maps(const struct tables_sieve_state *state,
			  struct map_fill ret[static METRICS_SIEVE_MAPS]);

void metrics_sieve_write(const struct tables_sieve_state *state, struct text *out);

#endif
