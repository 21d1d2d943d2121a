// SPDX-License-Identifier: BSD-2-Clause
/*
 * A host is in its first place unless that is full, then in its second, then
 * spilled. It never moves inside a region, so that a reader that goes from the
 * first to the second, and then to the flags, misses none; what changes of it
 * is one store. Who spilled takes no slot before it is deleted or copied.
 *
 * Each bucket has a byte of marks beside the map: how many hosts whose first
 * place it is are elsewhere. They say when a flag of the bucket may go.
 */
#include "core/sieve_private.h"
#include "core/sieve_resize.h"
#include "core/sieve_spills.h"

/* Parts of a byte of marks; one that reached the most stays: nobody knows how many. */
#define MARK_OVERFLOW 0U
#define MARK_SPILLED  4U
#define MARK_MOST     15U

struct region {
	struct moat_bucket4 *bucket; /* of the map: elements by moat_view_index() */
	uint8_t *marks;		     /* by the same index, less the base */
	struct spills spills;
	uint64_t view;
	uint32_t base;
};

struct sieve_hosts {
	const struct sieve_maps *maps;
	struct resize resize;
	struct region now, next; /* in force; being filled while resize_runs() */
	uint64_t count;		 /* with those that spilled, without 0.0.0.0 and lost ones */
	uint64_t patience;	 /* count from which memory for a resize is asked for again */
	bool zero;		 /* 0.0.0.0 is a source, which no slot can say */
	uint64_t lost;		 /* no memory to remember who spilled: they stay marked for good */
};

static int region_open(struct region *r, const struct sieve_maps *maps, uint32_t level)
{
	*r = (struct region){
		.bucket = maps->hosts,
		.marks = calloc(1U << level, 1),
		.view = moat_view(level),
		.base = 1U << level,
	};
	return r->marks ? 0 : -ENOMEM;
}

static void region_close(struct region *r)
{
	free(r->marks);
	spills_clear(&r->spills);
	*r = (struct region){ 0 };
}

int hosts_new(const struct sieve_maps *maps, struct sieve_hosts **ret)
{
	struct sieve_hosts *h = calloc(1, sizeof(*h));

	if (!h || region_open(&h->now, maps, MOAT_LEVEL_MIN) < 0) {
		hosts_free(h);
		return -ENOMEM;
	}
	h->maps = maps;
	h->resize = resize_init(maps->size.hosts);
	publish64(&maps->sieve->hosts, h->now.view);
	*ret = h;
	return 0;
}

struct sieve_hosts *hosts_free(struct sieve_hosts *h)
{
	if (h) {
		region_close(&h->now);
		region_close(&h->next);
	}
	free(h);
	return NULL;
}

/* ---- one bucket ---- */

static uint32_t place_of(const struct sieve_hosts *h, const struct region *r, __be32 addr,
			 uint32_t place)
{
	return moat_view_index(r->view, moat_hash4(h->maps->sieve, addr, place));
}

/* The slot with this address; 0: a free one. NULL without. */
static __u64 *bucket_slot(struct moat_bucket4 *bucket, __be32 addr)
{
	for (int i = 0; i < MOAT_SLOTS4; i++)
		if ((__be32)bucket->slot[i] == addr)
			return &bucket->slot[i];
	return NULL;
}

/* A free slot for what has this hash. NULL without. */
static __u64 *bucket_free(struct moat_bucket4 *bucket, uint64_t hash)
{
	uint32_t half = MOAT_HALF4(hash);

	for (uint32_t i = 0; i < MOAT_SLOTS4; i++)
		if (!(__be32)bucket->slot[i ^ half])
			return &bucket->slot[i ^ half];
	return NULL;
}

/* The flag of a slot is its bucket's, not its host's. */
static void slot_store(__u64 *slot, uint64_t word)
{
	publish64(slot, (*slot & MOAT_SLOT_FLAG) | word);
}

static void flag_store(__u64 *slot, bool on)
{
	uint64_t word = on ? *slot | MOAT_SLOT_FLAG : *slot & ~MOAT_SLOT_FLAG;

	if (word != *slot)
		publish64(slot, word);
}

static uint32_t mark_read(const struct region *r, uint32_t first, uint32_t part)
{
	return r->marks[first - r->base] >> part & MARK_MOST;
}

/* Counts a host that is elsewhere; the reader follows only the flags. */
static void mark_change(struct region *r, uint32_t first, uint32_t part, int by)
{
	struct moat_bucket4 *bucket = &r->bucket[first];
	uint8_t *marks = &r->marks[first - r->base];

	if (mark_read(r, first, part) != MARK_MOST)
		*marks += by * (1 << part);
	flag_store(&bucket->slot[MOAT_BUCKET4_SPILLED], mark_read(r, first, MARK_SPILLED));
	flag_store(&bucket->slot[MOAT_BUCKET4_OVERFLOW], *marks);
}

/* ---- one region ---- */

struct spot {
	uint32_t first, second; /* buckets; second only where it was looked for */
	__u64 *slot;		/* that holds the host, or NULL */
	bool overflowed, spilled;
};

static struct spot region_find(const struct sieve_hosts *h, const struct region *r, __be32 addr)
{
	struct spot spot = { .first = place_of(h, r, addr, 0) };

	spot.slot = bucket_slot(&r->bucket[spot.first], addr);
	if (spot.slot || !r->marks[spot.first - r->base])
		return spot;
	spot.second = place_of(h, r, addr, 1);
	spot.slot = bucket_slot(&r->bucket[spot.second], addr);
	spot.overflowed = spot.slot;
	spot.spilled = !spot.slot && spills_has(&r->spills, addr);
	return spot;
}

/* In the first place, the second, or nowhere. */
static bool region_place(const struct sieve_hosts *h, struct region *r, uint32_t first,
			 uint64_t word)
{
	uint64_t hash = moat_hash4(h->maps->sieve, (__be32)word, 0);
	__u64 *slot = bucket_free(&r->bucket[first], hash);

	if (slot) {
		slot_store(slot, word);
		return true;
	}
	hash = moat_hash4(h->maps->sieve, (__be32)word, 1);
	slot = bucket_free(&r->bucket[moat_view_index(r->view, hash)], hash);
	if (!slot)
		return false;
	slot_store(slot, word);
	mark_change(r, first, MARK_OVERFLOW, 1);
	return true;
}

/* 1: it was not there. 0: it was. -ENOMEM: it is marked for good, as if it were there. */
static int region_put(const struct sieve_hosts *h, struct region *r, uint64_t word)
{
	struct spot spot = region_find(h, r, (__be32)word);

	if (spot.slot) {
		slot_store(spot.slot, word);
		return 0;
	}
	if (spot.spilled)
		return spills_put(&r->spills, word);
	if (region_place(h, r, spot.first, word))
		return 1;
	mark_change(r, spot.first, MARK_SPILLED, 1);
	return spills_put(&r->spills, word) < 0 ? -ENOMEM : 1;
}

static bool region_delete(const struct sieve_hosts *h, struct region *r, __be32 addr)
{
	struct spot spot = region_find(h, r, addr);

	if (spot.slot) {
		slot_store(spot.slot, 0);
		if (spot.overflowed)
			mark_change(r, spot.first, MARK_OVERFLOW, -1);
		return true;
	}
	if (!spot.spilled)
		return false;
	spills_delete(&r->spills, addr);
	mark_change(r, spot.first, MARK_SPILLED, -1);
	return true;
}

/* ---- resizing ---- */

/* From here on the table cannot be copied: who is in it is no longer known. */
static void hosts_lose(struct sieve_hosts *h)
{
	h->lost++;
	resize_abandon(&h->resize);
	region_close(&h->next);
}

static void hosts_begin(struct sieve_hosts *h)
{
	uint32_t wanted = resize_wanted(&h->resize, h->count, MOAT_SLOTS4);

	if (wanted == h->resize.level || h->lost || resize_blocked(&h->resize, wanted))
		return;
	if (wanted > h->resize.level && h->count < h->patience)
		return;
	if (region_open(&h->next, h->maps, wanted) < 0) {
		h->patience = h->count + h->count / 8;
		return;
	}
	h->patience = 0;
	resize_begin(&h->resize, wanted);
}

static void hosts_clear(struct sieve_hosts *h)
{
	uint32_t count = resize_to_clear(&h->resize);

	memset(&h->next.bucket[h->next.base + h->resize.cleared], 0,
	       count * sizeof(struct moat_bucket4));
	h->resize.cleared += count;
}

/* What no slot holds. Few, so that they go in one step. */
static int hosts_copy_rest(struct sieve_hosts *h)
{
	const struct spills *spills = &h->now.spills;

	for (uint32_t i = 0; i < spills->room; i++)
		if (spills->word[i] && region_put(h, &h->next, spills->word[i]) < 0)
			return -ENOMEM;
	if (h->zero)
		mark_change(&h->next, place_of(h, &h->next, 0, 0), MARK_SPILLED, 1);
	return 0;
}

static int hosts_copy(struct sieve_hosts *h)
{
	uint32_t end = h->resize.copied + resize_to_copy(&h->resize);

	for (; h->resize.copied < end; h->resize.copied++) {
		const struct moat_bucket4 *bucket = &h->now.bucket[h->now.base + h->resize.copied];

		for (int i = 0; i < MOAT_SLOTS4; i++) {
			uint64_t word = bucket->slot[i] & ~MOAT_SLOT_FLAG;

			if (word && region_put(h, &h->next, word) < 0)
				return -ENOMEM;
		}
	}
	return resize_copied(&h->resize) ? hosts_copy_rest(h) : 0;
}

/* A portion of what is to do, with every write. */
static void hosts_step(struct sieve_hosts *h)
{
	if (!resize_runs(&h->resize)) {
		hosts_begin(h);
		return;
	}
	if (!resize_copies(&h->resize)) {
		hosts_clear(h);
		return;
	}
	/* The target lost one, what is in force did not: it stays as it is. */
	if (hosts_copy(h) < 0) {
		resize_abandon(&h->resize);
		region_close(&h->next);
		h->patience = h->count + h->count / 8;
		return;
	}
	if (!resize_copied(&h->resize))
		return;
	publish64(&h->maps->sieve->hosts, h->next.view);
	region_close(&h->now);
	h->now = h->next;
	h->next = (struct region){ 0 };
	resize_end(&h->resize);
}

/* ---- for sieve.c ---- */

/* Rounded down, and at least one unit short of never: what is said to live does. */
static uint64_t slot_word(const struct moat_sieve *sieve, __be32 addr, uint32_t class,
			  uint32_t expires)
{
	uint32_t unit = expires >> MOAT_SLOT_UNIT;
	uint64_t until = unit > sieve->epoch ? unit - sieve->epoch : 0;

	if (expires == MOAT_NEVER)
		until = MOAT_SLOT_NEVER;
	else if (until >= MOAT_SLOT_NEVER)
		until = MOAT_SLOT_NEVER - 1;
	if (class > MOAT_SLOT_CLASS_MASK) {
		class = 0;
		until = 0;
	}
	return addr | until << MOAT_SLOT_EXPIRES_SHIFT | (uint64_t) class << MOAT_SLOT_CLASS_SHIFT;
}

/* A free slot has this address: it is marked as if it had found none. */
static bool hosts_set_zero(struct sieve_hosts *h, bool listed)
{
	bool changes = h->zero != listed;

	if (changes)
		mark_change(&h->now, place_of(h, &h->now, 0, 0), MARK_SPILLED, listed ? 1 : -1);
	h->zero = listed;
	return changes;
}

bool hosts_put(struct sieve_hosts *h, __be32 addr, uint32_t class, uint32_t expires)
{
	uint64_t word = slot_word(h->maps->sieve, addr, class, expires);
	int added;

	if (!addr)
		return hosts_set_zero(h, true);
	hosts_step(h);
	added = region_put(h, &h->now, word);
	if (added < 0) {
		hosts_lose(h);
		return true;
	}
	h->count += added;
	if (resize_copies(&h->resize) && region_put(h, &h->next, word) < 0) {
		resize_abandon(&h->resize);
		region_close(&h->next);
	}
	return added;
}

bool hosts_delete(struct sieve_hosts *h, __be32 addr)
{
	bool there;

	if (!addr)
		return hosts_set_zero(h, false);
	hosts_step(h);
	there = region_delete(h, &h->now, addr);
	if (there)
		h->count--;
	if (resize_copies(&h->resize))
		region_delete(h, &h->next, addr);
	return there;
}

bool hosts_lost(const struct sieve_hosts *h)
{
	return h->lost;
}

void hosts_hint(const struct sieve_hosts *h, __be32 addr)
{
	uint64_t hash = moat_hash4(h->maps->sieve, addr, 0);

	__builtin_prefetch(&h->now.bucket[moat_view_index(h->now.view, hash)], 1);
	if (resize_copies(&h->resize))
		__builtin_prefetch(&h->next.bucket[moat_view_index(h->next.view, hash)], 1);
}

bool hosts_want_grace(const struct sieve_hosts *h)
{
	uint32_t wanted = resize_wanted(&h->resize, h->count, MOAT_SLOTS4);

	return !h->lost && !resize_runs(&h->resize) && resize_blocked(&h->resize, wanted);
}

void hosts_grace(struct sieve_hosts *h)
{
	resize_grace(&h->resize);
}

void hosts_numbers(const struct sieve_hosts *h, struct sieve_numbers *ret)
{
	ret->hosts += h->count - h->now.spills.count;
	ret->host_slots += (uint64_t)MOAT_SLOTS4 << h->resize.level;
	ret->asked += h->now.spills.count + h->zero + h->lost;
	ret->resizes += h->resize.finished;
	ret->resizing |= resize_runs(&h->resize);
}
