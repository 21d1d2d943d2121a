/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each listed source sent (moat/hits.h): the table, and what is in it.
 */
#ifndef PLANE_HITS_H
#define PLANE_HITS_H

#include "moat/hits.h"
#include "plane/tables.h"

/* Bytes of kernel memory that a table of so many sources takes. */
uint64_t tables_hits_memory(uint32_t sources);

/*
 * Notes hits of so many sources at most, 0: of none. A pinned table of that
 * size is adopted, so that a restart forgets nothing; one of another size is
 * replaced, and what it knew is forgotten. On failure nothing is noted.
 */
int tables_set_hits(struct tables *t, uint32_t sources, struct problem *why);
/* Of how many sources hits have room; 0: none are noted. */
uint32_t tables_hits(const struct tables *t);

/* 0, -ENOENT nothing is known of this source, or another error. */
int tables_hit(const struct tables *t, const struct prefix *source, struct moat_hit *ret);

/*
 * Every source with hits, in no order, while more come; those that came or went
 * meanwhile may be there or not. fn returns non-zero to stop, and that is
 * returned.
 */
typedef int (*tables_hit_fn)(void *arg, const struct prefix *source, const struct moat_hit *hit);
int tables_each_hit(const struct tables *t, tables_hit_fn fn, void *arg);

#endif
