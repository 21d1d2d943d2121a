/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moat's part of tools/bench/filter.h: tables as the daemon makes them, and its
 * program on them. Private to tools/bench/filter*.c.
 */
#ifndef BENCH_FILTER_MOAT_H
#define BENCH_FILTER_MOAT_H

#include <bpf/libbpf.h>

#include "plane/tables.h"

#define FILTER_CLASS 1 /* of every listed source */

/* When they all end, in ticks: tomorrow. Listings mostly have an end, which costs a look at the time. */
uint32_t filter_expires(void);

/* Tables with a sieve, not pinned. The caller owns them. */
int filter_moat_open(const uint32_t capacity[2], struct tables **ret);

/* Has an object that is not loaded yet use them. */
int filter_moat_use(const struct tables *t, struct bpf_object *object);

/* It is loaded: from now on it may read. */
void filter_moat_note_reader(const struct tables *t);

int filter_moat_put(struct tables *t, uint8_t family, const void *keys, uint32_t count);

#endif
