/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/pool.h"

#define POOL_FIRST 512 /* items of the first allocation, at most 1/8 of it wasted later */

int pool_grow(void **items, uint32_t *room, uint64_t need, uint32_t size)
{
	uint64_t wanted = (uint64_t)*room + *room / 8 + POOL_FIRST;
	size_t bytes;
	void *grown;

	if (need <= *room)
		return 0;
	if (wanted < need)
		wanted = need;
	if (wanted > UINT32_MAX)
		wanted = UINT32_MAX;
	if (need > wanted || __builtin_mul_overflow(wanted, size, &bytes))
		return -ENOMEM;
	grown = realloc(*items, bytes);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*room = wanted;
	return 0;
}

void pool_init(struct pool *p, uint32_t stride)
{
	*p = (struct pool){ .stride = stride, .used = 1 };
}

void pool_fini(struct pool *p)
{
	free(p->items);
	*p = (struct pool){};
}

int pool_reserve(struct pool *p, uint32_t n)
{
	void *items = p->items;
	int rc;

	if (p->frees >= n)
		return 0;
	rc = pool_grow(&items, &p->room, (uint64_t)p->used + n - p->frees, p->stride);
	p->items = items;
	return rc;
}

uint32_t pool_take(struct pool *p)
{
	uint32_t index = p->free;

	if (index) {
		memcpy(&p->free, pool_at(p, index), sizeof(p->free));
		p->frees--;
	} else {
		index = p->used++;
	}
	memset(pool_at(p, index), 0, p->stride);
	return index;
}

void pool_give(struct pool *p, uint32_t index)
{
	memcpy(pool_at(p, index), &p->free, sizeof(p->free));
	p->free = index;
	p->frees++;
}
