/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/elsewhere.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS_FIRST 64

struct slot {
	uint64_t low, high; /* of the hash */
	uint16_t feed;
	uint8_t category;
	bool used;
};

/* Open addressing, at most three quarters full. */
struct elsewhere {
	struct slot *slot; /* owned */
	size_t slots;	   /* a power of two */
	size_t total;
	uint32_t (*count)[MOAT_CATEGORIES]; /* owned; by feed */
	size_t feeds;
};

int elsewhere_new(struct elsewhere **ret)
{
	_cleanup_(elsewhere_freep) struct elsewhere *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->slots = SLOTS_FIRST;
	e->slot = calloc(e->slots, sizeof(*e->slot));
	if (!e->slot)
		return -ENOMEM;
	*ret = take_ptr(e);
	return 0;
}

struct elsewhere *elsewhere_free(struct elsewhere *e)
{
	if (!e)
		return NULL;
	free(e->slot);
	free(e->count);
	free(e);
	return NULL;
}

static XXH128_hash_t hash_of(const struct row *row)
{
	const char *const text[] = { row->source, row->category, row->feed };
	XXH128_hash_t hash = {};

	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		const char *at = text[i] ?: "";

		hash.low64 ^= hash.high64;
		hash = XXH3_128bits_withSeed(at, strlen(at) + 1, hash.low64);
	}
	return hash;
}

/* The slot that has it, or the free one where it would be. */
static size_t find(const struct slot *slot, size_t slots, uint64_t low, uint64_t high)
{
	size_t at = low & (slots - 1);

	while (slot[at].used && (slot[at].low != low || slot[at].high != high))
		at = (at + 1) & (slots - 1);
	return at;
}

static int grow(struct elsewhere *e)
{
	size_t slots = e->slots * 2;
	struct slot *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (size_t i = 0; i < e->slots; i++)
		if (e->slot[i].used)
			slot[find(slot, slots, e->slot[i].low, e->slot[i].high)] = e->slot[i];
	free(e->slot);
	e->slot = slot;
	e->slots = slots;
	return 0;
}

static int reserve_feed(struct elsewhere *e, uint16_t feed)
{
	size_t feeds = e->feeds ? e->feeds : 16;
	uint32_t(*count)[MOAT_CATEGORIES];

	if (feed < e->feeds)
		return 0;
	while (feeds <= feed)
		feeds *= 2;
	count = reallocarray(e->count, feeds, sizeof(*count));
	if (!count)
		return -ENOMEM;
	memset(count + e->feeds, 0, (feeds - e->feeds) * sizeof(*count));
	e->count = count;
	e->feeds = feeds;
	return 0;
}

int elsewhere_set(struct elsewhere *e, const struct row *row, uint16_t feed, uint8_t category)
{
	XXH128_hash_t hash = hash_of(row);
	struct slot *slot;

	if (reserve_feed(e, feed) || (e->total >= e->slots / 4 * 3 && grow(e)))
		return -ENOMEM;
	slot = &e->slot[find(e->slot, e->slots, hash.low64, hash.high64)];
	if (slot->used)
		return 0;
	*slot = (struct slot){ hash.low64, hash.high64, feed, category, true };
	e->count[feed][category]++;
	e->total++;
	return 1;
}

int elsewhere_clear(struct elsewhere *e, const struct row *row)
{
	size_t mask = e->slots - 1, at, next;
	XXH128_hash_t hash;

	if (!e->total)
		return 0;
	hash = hash_of(row);
	at = find(e->slot, e->slots, hash.low64, hash.high64);
	if (!e->slot[at].used)
		return 0;
	e->count[e->slot[at].feed][e->slot[at].category]--;
	e->total--;
	/* What was put behind it for want of its place moves up. */
	for (next = (at + 1) & mask; e->slot[next].used; next = (next + 1) & mask) {
		size_t wants = e->slot[next].low & mask;

		if (((next - wants) & mask) < ((next - at) & mask))
			continue;
		e->slot[at] = e->slot[next];
		at = next;
	}
	e->slot[at].used = false;
	return 1;
}

size_t elsewhere_count(const struct elsewhere *e, uint16_t feed, uint8_t category)
{
	return feed < e->feeds ? e->count[feed][category] : 0;
}

size_t elsewhere_total(const struct elsewhere *e)
{
	return e->total;
}
