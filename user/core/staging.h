/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entries of a batch: puts and deletes, in the order they are to be
 * written, as arrays of the kernel's keys and values.
 *
 * Who uses it: the image, one for each family. Both key types are words with
 * the prefix length first, so one code serves both.
 *
 * Invariants:
 *  1. Puts stand in the order they were staged.
 *  2. After staging_order(), deletes stand shortest prefix first.
 *  3. A put takes an earlier delete of the same key out: since all deletes are
 *     written after all puts, it would undo the put.
 */
#ifndef CORE_STAGING_H
#define CORE_STAGING_H

#include "core/base.h"
#include "core/prefix.h"

struct staging {
	uint32_t words;		   /* of a key */
	uint32_t *put;		   /* owned */
	struct moat_source *value; /* owned */
	uint32_t puts, put_room, value_room;
	uint32_t *delete; /* owned */
	uint32_t deletes, delete_room;
	uint32_t *seen;	     /* owned: hash table of deletes, index plus one */
	uint32_t seen_room;  /* a power of two */
	uint32_t seen_count; /* deletes that are in it */
	uint32_t withdrawn;  /* deletes taken out again */
	bool disordered;
};

void staging_init(struct staging *s, uint8_t family);
void staging_fini(struct staging *s);

/* Room for one put and one delete. 0, or -ENOMEM and nothing changed. */
int staging_reserve(struct staging *s);

/* Need room. is_new: the kernel did not hold the key, or its delete may be staged. */
void staging_put(struct staging *s, const struct prefix *source, const struct moat_source *value,
		 bool is_new);
void staging_delete(struct staging *s, const struct prefix *source);

void staging_order(struct staging *s);
void staging_clear(struct staging *s);

static inline bool staging_is_empty(const struct staging *s)
{
	return !s->puts && s->deletes == s->withdrawn;
}

#endif
