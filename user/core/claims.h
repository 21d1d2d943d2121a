/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The claims of the model: a list for each key, a heap by expiry over all, and
 * how many there are by feed and category.
 *
 * Who uses it: the model. A list is the index of its first claim, 0 if empty.
 * The heap is binary, with each claim knowing its place, so that any claim
 * leaves it in logarithmic time; claims that never expire are not in it.
 */
#ifndef CORE_CLAIMS_H
#define CORE_CLAIMS_H

#include "core/model.h"
#include "core/pool.h"

struct claim_record {
	uint32_t next;	 /* in the list of its key */
	uint32_t node;	 /* of the key in its family's tree; 0: this record is free */
	int64_t expires; /* 0: never */
	uint32_t place;	 /* in the heap, 0: not there */
	uint16_t feed;
	uint8_t category;
	uint8_t family;
};

struct claims {
	struct pool records;
	uint32_t *heap; /* owned; [0] is not used */
	uint32_t heap_used;
	uint32_t heap_room;
	uint32_t (*count)[MOAT_CATEGORIES]; /* owned; by feed */
	uint32_t count_room;
	uint32_t feeds; /* one more than the highest seen */
};

void claims_init(struct claims *c);
void claims_fini(struct claims *c);
size_t claims_memory(const struct claims *c);

static inline struct claim_record *claims_at(const struct claims *c, uint32_t claim)
{
	return pool_at(&c->records, claim);
}

/* Room for one claims_add() or claims_refresh() of that feed. 0 or -ENOMEM. */
int claims_reserve(struct claims *c, uint16_t feed);

/* The claim of a list, or 0. */
uint32_t claims_find(const struct claims *c, uint32_t list, uint8_t category, uint16_t feed);

void claims_add(struct claims *c, uint32_t *list, const struct claim *claim, uint32_t node);
void claims_refresh(struct claims *c, uint32_t claim, int64_t expires);
/* claim must be in the list. */
void claims_remove(struct claims *c, uint32_t *list, uint32_t claim);

/* The claim that expires first, or 0. */
uint32_t claims_first(const struct claims *c);

/*
 * Takes all that have expired by now out of the heap at once and calls drop
 * for each, which must claims_remove() it. Linear in the size of the heap:
 * for when many expire together. Returns how many.
 */
size_t claims_sweep(struct claims *c, int64_t now, void (*drop)(void *arg, uint32_t claim),
		    void *arg);

#endif
