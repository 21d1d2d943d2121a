/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sieve_six_region.h"

#define COUNT_STUCK 15 /* of a filter bit */

/* Bytes of a bucket's flags, above the flags themselves: how many prefixes want one. */
#define OVER_SHIFT  8
#define ASKED_SHIFT 16
#define FLAG_STUCK  255U

#define CHAIN_BUCKETS 64 /* buckets a chain of spilled prefixes stands for */

struct six_key six_key_of(const struct moat_sieve *sieve, uint64_t first, uint64_t second,
			  uint32_t len)
{
	return (struct six_key){ .half = { first, second },
				 .hash = moat_hash6(sieve, first, second, len),
				 .len = len };
}

/* ---- opening ---- */

static uint32_t chains(const struct six_region *r)
{
	return region_buckets(r) / CHAIN_BUCKETS + 1;
}

uint64_t region_memory(uint64_t buckets)
{
	return (buckets + 1) * sizeof(((struct six_region *)0)->counts[0]) +
	       (buckets / CHAIN_BUCKETS + 1) * sizeof(struct six_spilled *);
}

bool region_open(struct six_region *r, const struct sieve_maps *maps, uint32_t level)
{
	size_t buckets = (size_t)1 << level;
	struct six_region region = { .maps = maps, .view = moat_view(level), .level = level };
	_cleanup_free_ uint8_t *memory = NULL;

	/* Zeroed lazily by the system where it is large; the counts of a bucket in one cache line. */
	memory = calloc(1, (buckets + 1) * sizeof(*region.counts));
	region.spilled = calloc(chains(&region), sizeof(struct six_spilled *));
	if (!memory || !region.spilled) {
		free(region.spilled);
		return false;
	}
	region.counts = (void *)(((uintptr_t)memory + sizeof(*region.counts) - 1) &
				 ~(uintptr_t)(sizeof(*region.counts) - 1));
	region.memory = take_ptr(memory);
	*r = region;
	return true;
}

void region_close(struct six_region *r)
{
	for (uint32_t i = 0; r->spilled && i < chains(r); i++)
		while (r->spilled[i]) {
			struct six_spilled *next = r->spilled[i]->next;

			free(r->spilled[i]);
			r->spilled[i] = next;
		}
	free(r->spilled);
	free(r->memory);
	*r = (struct six_region){ 0 };
}

/* ---- places ---- */

/* Of the region's buckets, from 0. */
static uint32_t place(const struct six_region *r, uint64_t hash)
{
	return moat_view_index(r->view, hash) - region_buckets(r);
}

static struct moat_bucket6 *bucket_at(const struct six_region *r, uint32_t bucket)
{
	return &r->maps->buckets[region_buckets(r) + bucket];
}

static uint16_t mark_of(const struct six_key *key)
{
	return MOAT_MARK(key->len, key->hash);
}

static bool is_at(const struct moat_bucket6 *bucket, int slot, const struct six_key *key)
{
	union moat_meta meta = { .word = bucket->meta[slot] };

	return meta.mark == mark_of(key) && bucket->key[slot][0] == key->half[0] &&
	       bucket->key[slot][1] == key->half[1];
}

static __u64 *find_in(struct moat_bucket6 *bucket, const struct six_key *key)
{
	for (int i = 0; i < MOAT_SLOTS6; i++)
		if (is_at(bucket, i, key))
			return &bucket->meta[i];
	return NULL;
}

/* The slot of a prefix, or NULL. */
static __u64 *find(const struct six_region *r, const struct six_key *key)
{
	struct moat_bucket6 *first = bucket_at(r, place(r, key->hash));
	__u64 *meta = find_in(first, key);

	if (meta || !(first->flags & MOAT_BUCKET6_OVERFLOW))
		return meta;
	return find_in(bucket_at(r, place(r, moat_second6(key->hash))), key);
}

static bool fill_free_slot(struct moat_bucket6 *bucket, const struct six_key *key, uint64_t meta)
{
	for (int i = 0; i < MOAT_SLOTS6; i++) {
		if (bucket->meta[i])
			continue;
		__atomic_store_n(&bucket->key[i][0], key->half[0], __ATOMIC_RELAXED);
		__atomic_store_n(&bucket->key[i][1], key->half[1], __ATOMIC_RELAXED);
		publish64(&bucket->meta[i], meta);
		return true;
	}
	return false;
}

/* Nothing was ever read of a region that no program sees: its slots need not wait. */
static void free_slot(struct six_region *r, __u64 *meta)
{
	const __u64 *from = r->maps->buckets[0].meta;
	size_t word = (size_t)(meta - from);
	size_t words = sizeof(struct moat_bucket6) / sizeof(uint64_t);
	uint32_t *list;

	if (!r->read) {
		publish64(meta, 0);
		return;
	}
	list = &r->freed[r->freed_count % SIX_FREED_LISTS];
	publish64(meta, MOAT_META_FREED | *list);
	*list = (uint32_t)(word / words * MOAT_SLOTS6 + word % words) + 1;
	r->freed_count++;
}

static __u64 *slot_of(const struct six_region *r, uint32_t number)
{
	return &r->maps->buckets[number / MOAT_SLOTS6].meta[number % MOAT_SLOTS6];
}

/* ---- flags ---- */

static uint64_t flag_count(const struct moat_bucket6 *bucket, uint32_t shift)
{
	return bucket->flags >> shift & FLAG_STUCK;
}

static void flag(struct moat_bucket6 *bucket, uint32_t shift, uint64_t bit)
{
	uint64_t one = flag_count(bucket, shift) < FLAG_STUCK;

	publish64(&bucket->flags, (bucket->flags | bit) + (one << shift));
}

static void unflag(struct moat_bucket6 *bucket, uint32_t shift, uint64_t bit)
{
	uint64_t count = flag_count(bucket, shift);
	uint64_t flags = bucket->flags;

	if (count == FLAG_STUCK)
		return;
	flags -= 1ULL << shift;
	publish64(&bucket->flags, count == 1 ? flags & ~bit : flags);
}

static void flag_over(struct moat_bucket6 *bucket)
{
	flag(bucket, OVER_SHIFT, MOAT_BUCKET6_OVERFLOW);
}

static void unflag_over(struct moat_bucket6 *bucket)
{
	unflag(bucket, OVER_SHIFT, MOAT_BUCKET6_OVERFLOW);
}

/* ---- the filter ---- */

static uint8_t count_of(const uint8_t counts[32], uint32_t bit)
{
	return counts[bit / 2] >> bit % 2 * 4 & 15;
}

static void count_add(uint8_t counts[32], uint32_t bit, int change)
{
	counts[bit / 2] = (uint8_t)(counts[bit / 2] + change * (1 << bit % 2 * 4));
}

/* bits: what moat_filter_bits() takes, in the word of the hash. */
static void item_add(struct six_region *r, uint64_t hash, uint64_t bits)
{
	uint32_t bucket = place(r, hash);
	uint64_t *word = &r->maps->filter[region_buckets(r) + bucket];
	uint8_t *counts = r->counts[bucket];
	uint64_t coming = moat_filter_bits(bits);

	for (int i = 0; i < 3; i++, bits >>= 6) {
		uint32_t bit = bits & 63;

		if (count_of(counts, bit) < COUNT_STUCK)
			count_add(counts, bit, 1);
	}
	if ((*word & coming) != coming)
		publish64(word, *word | coming);
}

static void item_remove(struct six_region *r, uint64_t hash, uint64_t bits)
{
	uint32_t bucket = place(r, hash);
	uint64_t *word = &r->maps->filter[region_buckets(r) + bucket];
	uint8_t *counts = r->counts[bucket];
	uint64_t gone = 0;

	for (int i = 0; i < 3; i++, bits >>= 6) {
		uint32_t bit = bits & 63;

		if (count_of(counts, bit) == COUNT_STUCK)
			continue;
		count_add(counts, bit, -1);
		if (!count_of(counts, bit))
			gone |= 1ULL << bit;
	}
	if (gone)
		publish64(word, *word & ~gone);
}

/* Of the address that the marker stands at. */
static uint64_t stem_of(const struct six_region *r, const struct six_key *key)
{
	_Static_assert(MOAT_MARKER == 32, "one word of the address");

	return moat_hash6(r->maps->sieve, key->half[0] & moat_half(~0U, 0), 0, MOAT_MARKER);
}

static void filter_add(struct six_region *r, const struct six_key *key)
{
	item_add(r, key->hash, key->hash);
	if (key->len > MOAT_MARKER) {
		uint64_t stem = stem_of(r, key);

		item_add(r, stem, moat_marker6(stem, key->len));
	}
}

static void filter_remove(struct six_region *r, const struct six_key *key)
{
	item_remove(r, key->hash, key->hash);
	if (key->len > MOAT_MARKER) {
		uint64_t stem = stem_of(r, key);

		item_remove(r, stem, moat_marker6(stem, key->len));
	}
}

/* ---- prefixes without a slot ---- */

static struct six_spilled **chain_of(const struct six_region *r, const struct six_key *key)
{
	return &r->spilled[place(r, key->hash) / CHAIN_BUCKETS];
}

/* Where it is linked from, or NULL. */
static struct six_spilled **find_spilled(const struct six_region *r, const struct six_key *key)
{
	if (!(bucket_at(r, place(r, key->hash))->flags & MOAT_BUCKET6_SPILLED))
		return NULL;
	for (struct six_spilled **at = chain_of(r, key); *at; at = &(*at)->next)
		if ((*at)->key.len == key->len && (*at)->key.half[0] == key->half[0] &&
		    (*at)->key.half[1] == key->half[1])
			return at;
	return NULL;
}

static void spill(struct six_region *r, const struct six_key *key, uint64_t meta)
{
	struct moat_bucket6 *first = bucket_at(r, place(r, key->hash));
	struct six_spilled *one = calloc(1, sizeof(*one));
	struct six_spilled **chain = chain_of(r, key);

	if (one) {
		*one = (struct six_spilled){ .next = *chain, .key = *key, .meta = meta };
		*chain = one;
		r->waiting++;
	} else {
		publish64(&first->flags, first->flags | (uint64_t)FLAG_STUCK << OVER_SHIFT |
						 (uint64_t)FLAG_STUCK << ASKED_SHIFT);
		r->lost++;
	}
	flag(first, ASKED_SHIFT, MOAT_BUCKET6_SPILLED);
	flag_over(first);
}

static void unspill(struct six_region *r, struct six_spilled **at)
{
	struct six_spilled *one = *at;
	struct moat_bucket6 *first = bucket_at(r, place(r, one->key.hash));

	unflag(first, ASKED_SHIFT, MOAT_BUCKET6_SPILLED);
	unflag_over(first);
	r->waiting -= !one->placed;
	*at = one->next;
	free(one);
}

/*
 * Makes one of a full bucket go to its second place, so that there is a slot
 * when the grace period of its first is over.
 */
static void displace(struct six_region *r, uint32_t bucket)
{
	struct moat_bucket6 *from = bucket_at(r, bucket);

	for (int i = 0; i < MOAT_SLOTS6; i++) {
		union moat_meta meta = { .word = from->meta[i] };
		struct six_key key;

		if (!meta.mark)
			return; /* one is on its way already */
		key = six_key_of(r->maps->sieve, from->key[i][0], from->key[i][1],
				 (meta.mark & 0xFFU) - 1);
		if (place(r, key.hash) != bucket ||
		    !fill_free_slot(bucket_at(r, place(r, moat_second6(key.hash))), &key,
				    meta.word))
			continue;
		flag_over(from);
		free_slot(r, &from->meta[i]);
		return;
	}
}

/* Into a free slot of one of its places. */
static bool fill(struct six_region *r, const struct six_key *key, uint64_t meta)
{
	struct moat_bucket6 *first = bucket_at(r, place(r, key->hash));

	if (!fill_free_slot(first, key, meta)) {
		if (!fill_free_slot(bucket_at(r, place(r, moat_second6(key->hash))), key, meta))
			return false;
		flag_over(first);
	}
	return true;
}

static bool fill_or_make_room(struct six_region *r, const struct six_key *key, uint64_t meta)
{
	if (fill(r, key, meta))
		return true;
	if (!r->copied)
		displace(r, place(r, key->hash));
	return !r->read && fill(r, key, meta);
}

/* ---- what others call ---- */

bool region_put(struct six_region *r, const struct six_key *key, uint64_t meta)
{
	__u64 *at = find(r, key);
	struct six_spilled **spilled;

	if (at) {
		publish64(at, meta);
		return false;
	}
	spilled = find_spilled(r, key);
	if (spilled) {
		(*spilled)->meta = meta;
		return false;
	}
	if (!fill_or_make_room(r, key, meta))
		spill(r, key, meta);
	filter_add(r, key);
	return true;
}

bool region_delete(struct six_region *r, const struct six_key *key)
{
	__u64 *at = find(r, key);
	struct six_spilled **spilled = find_spilled(r, key);
	struct moat_bucket6 *first = bucket_at(r, place(r, key->hash));

	if (!at && !spilled)
		return false;
	if (at) {
		free_slot(r, at);
		if (at < first->meta || at >= first->meta + MOAT_SLOTS6)
			unflag_over(first);
	}
	if (spilled)
		unspill(r, spilled);
	filter_remove(r, key);
	return true;
}

static void reuse_freed(struct six_region *r)
{
	for (uint32_t i = 0; r->freed_count; i = (i + 1) % SIX_FREED_LISTS) {
		__u64 *meta;

		if (!r->freed[i])
			continue;
		meta = slot_of(r, r->freed[i] - 1);
		r->freed[i] = (uint32_t)*meta;
		publish64(meta, 0);
		r->freed_count--;
	}
}

void region_grace(struct six_region *r)
{
	reuse_freed(r);
	for (uint32_t i = 0; i < chains(r); i++) {
		struct six_spilled **at = &r->spilled[i];

		while (*at) {
			struct six_spilled *one = *at;

			if (one->placed) {
				unspill(r, at);
				continue;
			}
			if (!r->copied && fill_or_make_room(r, &one->key, one->meta)) {
				one->placed = true;
				r->waiting--;
			}
			at = &one->next;
		}
	}
}

int region_copy_bucket(struct six_region *r, const struct six_region *from, uint32_t bucket)
{
	const struct moat_bucket6 *at = bucket_at(from, bucket);
	int count = 0;

	for (int i = 0; i < MOAT_SLOTS6; i++) {
		union moat_meta meta = { .word = at->meta[i] };
		struct six_key key;

		if (!meta.mark)
			continue;
		key = six_key_of(r->maps->sieve, at->key[i][0], at->key[i][1],
				 (meta.mark & 0xFFU) - 1);
		region_put(r, &key, meta.word);
		count++;
	}
	return count;
}

void region_copy_spilled(struct six_region *r, const struct six_region *from)
{
	for (uint32_t i = 0; i < chains(from); i++)
		for (const struct six_spilled *one = from->spilled[i]; one; one = one->next)
			if (!one->placed)
				region_put(r, &one->key, one->meta);
}

/* Inlined by force: gcc takes a function that only prefetches for one without effect, and drops its calls. */
static inline __attribute__((always_inline)) void prefetch_filter(const struct six_region *r,
								  uint64_t hash)
{
	uint32_t bucket = place(r, hash);

	__builtin_prefetch(&r->counts[bucket], 1);
	__builtin_prefetch(&r->maps->filter[region_buckets(r) + bucket], 1);
}

void region_prefetch(const struct six_region *r, const struct six_key *key)
{
	const struct moat_bucket6 *first = bucket_at(r, place(r, key->hash));

	__builtin_prefetch(first, 1);
	__builtin_prefetch(&first->key[2], 1);
	prefetch_filter(r, key->hash);
	if (key->len > MOAT_MARKER)
		prefetch_filter(r, stem_of(r, key));
}
