/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosts that found no slot: words as moat/sieve.h lays them out, by
 * address, so that a resize can place them and a delete can count them.
 *
 * A zeroed struct is an empty set; spills_clear() frees it. Few: at half load
 * four in ten thousand. Private to core/sieve*.c.
 */
#ifndef CORE_SIEVE_SPILLS_H
#define CORE_SIEVE_SPILLS_H

#include "core/base.h"
#include "moat/sieve.h"

struct spills {
	uint64_t *word;
	uint32_t room; /* a power of two, or 0 */
	uint32_t count;
};

void spills_clear(struct spills *s);

/* Adds or replaces the host's word; its address is not 0. 0, or -ENOMEM for one that is not there yet. */
int spills_put(struct spills *s, uint64_t word);
bool spills_has(const struct spills *s, __be32 addr);
/* Returns whether it was there. */
bool spills_delete(struct spills *s, __be32 addr);

#endif
