/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A region of the sieve's IPv6 part: the buckets and filter words of one
 * level, and what moatd keeps beside them. Private to core/sieve_six*.c.
 *
 *	region_open(&r, maps, level)	for a region whose elements are all 0
 *	region_put(&r, &key, meta) / region_delete(&r, &key)
 *	region_grace(&r)		when readers from before have ended
 *	region_close(&r)		the maps' elements stay as they are
 *
 * Beside the maps:
 *	counts	4 bits for each bit of the filter: how many prefixes and markers
 *		want it, so that it goes with the last. 15 is for ever
 *	spilled	prefixes that are in neither of their places, until they get a
 *		slot there
 * and in the flags of a bucket, above what programs read: how many prefixes
 * want each flag; 255 is for ever.
 *
 * Invariants, of a region that programs read:
 *  1. A prefix that is there and does not change is found at every moment: in
 *     one of its places, or by its flag.
 *  2. A slot gets another owner only after a grace period, and a flag goes
 *     only when no program can have looked before the slot was filled.
 */
#ifndef CORE_SIEVE_SIX_REGION_H
#define CORE_SIEVE_SIX_REGION_H

#include "core/sieve_private.h"

struct six_key {
	uint64_t half[2]; /* of the masked address, as moat_half() */
	uint64_t hash;	  /* moat_hash6() */
	uint32_t len;
};

struct six_key six_key_of(const struct moat_sieve *sieve, uint64_t first, uint64_t second,
			  uint32_t len);

/* A prefix that has no slot, or has one that programs may not have seen yet. */
struct six_spilled {
	struct six_spilled *next;
	struct six_key key;
	uint64_t meta;
	bool placed; /* has a slot; goes with the next grace period */
};

/* Each step along a list waits for the memory: several are walked at a time. */
#define SIX_FREED_LISTS 16

struct six_region {
	const struct sieve_maps *maps;
	uint64_t view;
	uint32_t level;
	bool read;			 /* programs may be reading it */
	bool copied;			 /* bucket by bucket: what is there does not move */
	void *memory;			 /* owned; holds counts */
	uint8_t (*counts)[32];		 /* a bucket, from the region's first; in one cache line */
	struct six_spilled **spilled;	 /* owned chains, by hash */
	uint32_t freed[SIX_FREED_LISTS]; /* first of a list of freed slots: its number + 1 */
	uint32_t freed_count;
	uint64_t waiting; /* spilled ones that have no slot */
	uint64_t lost;	  /* those for which there was no memory: the records are asked for them */
};

static inline uint32_t region_buckets(const struct six_region *r)
{
	return 1U << r->level;
}

static inline uint64_t region_slots(const struct six_region *r)
{
	return (uint64_t)region_buckets(r) * MOAT_SLOTS6;
}

/* Bytes beside the maps for so many buckets, but for the few spilled prefixes. */
uint64_t region_memory(uint64_t buckets);

/* Returns whether there was memory. */
bool region_open(struct six_region *r, const struct sieve_maps *maps, uint32_t level);
void region_close(struct six_region *r);

/* New or changed. Returns whether it was not there before. */
bool region_put(struct six_region *r, const struct six_key *key, uint64_t meta);
/* Returns whether it was there. */
bool region_delete(struct six_region *r, const struct six_key *key);
void region_grace(struct six_region *r);

/* Puts every prefix of one bucket of from into the region. Returns how many. */
int region_copy_bucket(struct six_region *r, const struct six_region *from, uint32_t bucket);
/* Those that have no slot there. */
void region_copy_spilled(struct six_region *r, const struct six_region *from);

/* Brings what region_put() and region_delete() will need into the cache. */
void region_prefetch(const struct six_region *r, const struct six_key *key);

#endif
