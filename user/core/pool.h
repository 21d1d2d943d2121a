/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of equal items named by 32-bit indices, which stay valid while the
 * pool grows and take half the room of pointers. Index 0 names nothing.
 *
 * Who uses it: the model. Room is reserved first, where failing is easy; then
 * pool_take() cannot fail, so a change is made whole or not at all:
 *
 *	if (pool_reserve(&p, 2))
 *		return -ENOMEM;
 *	a = pool_take(&p);
 *	b = pool_take(&p);
 *
 * Invariants:
 *  1. Addresses of items are valid until the next pool_reserve().
 *  2. The first four bytes of an item given back hold the list of such items.
 */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include "core/base.h"

struct pool {
	uint8_t *items;	 /* owned */
	uint32_t stride; /* bytes an item, a multiple of 4 */
	uint32_t room;
	uint32_t used;	/* items ever taken, index 0 included */
	uint32_t free;	/* first item given back */
	uint32_t frees; /* how many were given back */
};

void pool_init(struct pool *p, uint32_t stride);
void pool_fini(struct pool *p);

/* Makes room for n more items. 0 or -ENOMEM; items stay as they are. */
int pool_reserve(struct pool *p, uint32_t n);

/* An item of zero bytes. Needs room reserved before. */
uint32_t pool_take(struct pool *p);
void pool_give(struct pool *p, uint32_t index);

static inline void *pool_at(const struct pool *p, uint32_t index)
{
	return p->items + (size_t)index * p->stride;
}

static inline size_t pool_memory(const struct pool *p)
{
	return (size_t)p->room * p->stride;
}

/*
 * Makes *items (of size bytes each) hold at least need of them; *room counts
 * those it has. Grows by an eighth at least. 0, or -ENOMEM and nothing changed.
 */
int pool_grow(void **items, uint32_t *room, uint64_t need, uint32_t size);

#endif
