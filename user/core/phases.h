/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entries of moat_phases: which are in use, and what they say.
 *
 * Who uses it: the image. Index 0 is never used; it ends a chain. A phase that
 * is retired keeps its content until phases_settle(), when no program reads it
 * any more.
 */
#ifndef CORE_PHASES_H
#define CORE_PHASES_H

#include "core/base.h"
#include "moat/source.h"

struct phases {
	struct moat_phase *value; /* owned, size entries, as are the next three */
	uint8_t *state;		  /* enum phase_state */
	uint32_t *link;		  /* of the lists of retired and free ones */
	uint32_t *fresh;	  /* indices given out since the last settling */
	uint32_t size;		  /* entry 0 included; at least 1 */
	uint32_t freshes;
	uint32_t retired; /* first of its list; 0: none */
	uint32_t free;
	uint32_t unused; /* from here on never used, unless adopted */
	uint32_t used;	 /* how many, retired ones included */
};

enum phase_state {
	PHASE_NEVER, /* used; may be given out */
	PHASE_USED,
	PHASE_RETIRED,
	PHASE_FREE, /* in the list of free ones */
};

/* 0 or -ENOMEM; phases_fini() takes a half-made one. */
int phases_init(struct phases *p, uint32_t size);
void phases_fini(struct phases *p);

/* How many can be given out now. */
static inline uint32_t phases_room(const struct phases *p)
{
	return p->size - 1 - p->used;
}

/* Needs room. The caller fills p->value[]. */
uint32_t phases_take(struct phases *p);
void phases_retire(struct phases *p, uint32_t index);
void phases_settle(struct phases *p);

/* Copies what the map holds; size entries. */
void phases_adopt(struct phases *p, const struct moat_phase *values);

/*
 * Takes the chain that starts at first (0: none) as in use. False, with
 * nothing taken, if it does not end, leaves the map, or meets one in use.
 */
bool phases_adopt_chain(struct phases *p, uint32_t first);

#endif
