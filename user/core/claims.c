/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/claims.h"

void claims_init(struct claims *c)
{
	*c = (struct claims){};
	pool_init(&c->records, sizeof(struct claim_record));
}

void claims_fini(struct claims *c)
{
	pool_fini(&c->records);
	free(c->heap);
	free(c->count);
	*c = (struct claims){};
}

size_t claims_memory(const struct claims *c)
{
	return pool_memory(&c->records) + (size_t)c->heap_room * sizeof(c->heap[0]) +
	       (size_t)c->count_room * sizeof(c->count[0]);
}

/* ---- the heap: the parent of place p is p / 2 ---- */

static int64_t expires_at(const struct claims *c, uint32_t place)
{
	return claims_at(c, c->heap[place])->expires;
}

static void settle(struct claims *c, uint32_t place, uint32_t claim)
{
	c->heap[place] = claim;
	claims_at(c, claim)->place = place;
}

static void sift_up(struct claims *c, uint32_t place, uint32_t claim)
{
	int64_t expires = claims_at(c, claim)->expires;

	while (place > 1 && expires_at(c, place / 2) > expires) {
		settle(c, place, c->heap[place / 2]);
		place /= 2;
	}
	settle(c, place, claim);
}

static void sift_down(struct claims *c, uint32_t place, uint32_t claim)
{
	int64_t expires = claims_at(c, claim)->expires;

	while (place <= c->heap_used / 2) {
		uint32_t child = 2 * place;

		if (child < c->heap_used && expires_at(c, child + 1) < expires_at(c, child))
			child++;
		if (expires_at(c, child) >= expires)
			break;
		settle(c, place, c->heap[child]);
		place = child;
	}
	settle(c, place, claim);
}

static void heap_add(struct claims *c, uint32_t claim)
{
	sift_up(c, ++c->heap_used, claim);
}

static void heap_remove(struct claims *c, uint32_t claim)
{
	uint32_t place = claims_at(c, claim)->place;
	uint32_t last;

	if (!place)
		return;
	last = c->heap[c->heap_used--];
	claims_at(c, claim)->place = 0;
	if (last == claim)
		return;
	if (place > 1 && expires_at(c, place / 2) > claims_at(c, last)->expires)
		sift_up(c, place, last);
	else
		sift_down(c, place, last);
}

uint32_t claims_first(const struct claims *c)
{
	return c->heap_used ? c->heap[1] : 0;
}

size_t claims_sweep(struct claims *c, int64_t now, void (*drop)(void *arg, uint32_t claim),
		    void *arg)
{
	uint32_t used = c->heap_used, dropped = 0;

	c->heap_used = 0;
	for (uint32_t place = 1; place <= used; place++) {
		uint32_t claim = c->heap[place];

		if (claims_at(c, claim)->expires <= now) {
			claims_at(c, claim)->place = 0;
			drop(arg, claim);
			dropped++;
		} else {
			settle(c, ++c->heap_used, claim);
		}
	}
	for (uint32_t place = c->heap_used / 2; place; place--)
		sift_down(c, place, c->heap[place]);
	return dropped;
}

/* ---- lists ---- */

static int reserve_heap(struct claims *c)
{
	void *heap = c->heap;
	int rc = pool_grow(&heap, &c->heap_room, (uint64_t)c->heap_used + 2, sizeof(c->heap[0]));

	c->heap = heap;
	return rc;
}

static int reserve_count(struct claims *c, uint16_t feed)
{
	uint32_t room = c->count_room;
	uint32_t(*grown)[MOAT_CATEGORIES];

	if (feed < room)
		return 0;
	room = feed + 1 + feed / 4;
	grown = realloc(c->count, (size_t)room * sizeof(c->count[0]));
	if (!grown)
		return -ENOMEM;
	memset(grown + c->count_room, 0, (size_t)(room - c->count_room) * sizeof(c->count[0]));
	c->count = grown;
	c->count_room = room;
	return 0;
}

int claims_reserve(struct claims *c, uint16_t feed)
{
	if (pool_reserve(&c->records, 1) || reserve_heap(c) || reserve_count(c, feed))
		return -ENOMEM;
	return 0;
}

uint32_t claims_find(const struct claims *c, uint32_t list, uint8_t category, uint16_t feed)
{
	while (list) {
		const struct claim_record *r = claims_at(c, list);

		if (r->category == category && r->feed == feed)
			break;
		list = r->next;
	}
	return list;
}

void claims_add(struct claims *c, uint32_t *list, const struct claim *claim, uint32_t node)
{
	uint32_t index = pool_take(&c->records);
	struct claim_record *r = claims_at(c, index);

	r->next = *list;
	r->node = node;
	r->expires = claim->expires;
	r->feed = claim->feed;
	r->category = claim->category;
	r->family = claim->source.family;
	*list = index;
	if (r->expires)
		heap_add(c, index);
	c->count[r->feed][r->category]++;
	if (c->feeds <= r->feed)
		c->feeds = r->feed + 1;
}

void claims_refresh(struct claims *c, uint32_t claim, int64_t expires)
{
	struct claim_record *r = claims_at(c, claim);

	heap_remove(c, claim);
	r->expires = expires;
	if (expires)
		heap_add(c, claim);
}

void claims_remove(struct claims *c, uint32_t *list, uint32_t claim)
{
	struct claim_record *r = claims_at(c, claim);

	while (*list != claim)
		list = &claims_at(c, *list)->next;
	*list = r->next;
	heap_remove(c, claim);
	c->count[r->feed][r->category]--;
	r->node = 0;
	pool_give(&c->records, claim);
}
