/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the sieve of moat/sieve.h: the index over the installed sources that
 * the XDP program reads while it is written.
 *
 *	sieve_size(capacity, &size)	how many elements the maps need
 *	(make and map them)
 *	sieve_new(&maps, key, now, &s)
 *	sieve_put(s, ...), sieve_delete(s, ...)
 *	if (sieve_wants_grace(s)) { wait for a grace period; sieve_grace(s); }
 *
 * Pure code on memory that is lent: it makes no system call and reads no
 * clock, so that it runs in unit tests and fuzzers as it runs on maps.
 *
 * The sieve never fails to be right. What has no room in it, or no memory
 * beside it, is marked so that the program asks the records (sieve_numbers()
 * counts it); what cannot be resized stays as it is, only slower.
 *
 * One writer. Growing and shrinking go along with the writes, a few buckets
 * each, so that no single one waits for a large table to be copied.
 */
#ifndef CORE_SIEVE_H
#define CORE_SIEVE_H

#include "core/prefix.h"
#include "moat/sieve.h"

/* Elements of the maps. */
struct sieve_size {
	uint32_t blocks;  /* words, moat_blocks4 */
	uint32_t hosts;	  /* buckets, moat_hosts4: all regions; a power of two */
	uint32_t parts;	  /* struct moat_node_part, moat_nodes4 */
	uint32_t leaves;  /* moat_leaves4 */
	uint32_t buckets; /* moat_buckets6, and words of moat_filter6; a power of two */
};

/*
 * For so many sources a family (MOAT_IPV4, MOAT_IPV6). No map is larger than
 * 2^32 bytes: of more than about 40 million sources some are asked for.
 */
void sieve_size(const uint32_t capacity[2], struct sieve_size *ret);

/* Bytes of the maps; sieve_memory_beside(): bytes of moatd's own, when all of capacity is used. */
uint64_t sieve_memory(const struct sieve_size *size);
uint64_t sieve_memory_beside(const uint32_t capacity[2]);

/* The maps, zeroed, writable, outliving the sieve. Belong to the caller. */
struct sieve_maps {
	struct moat_sieve *sieve;
	uint64_t *blocks;
	struct moat_bucket4 *hosts;
	uint32_t *cells; /* of the parts, one after the other */
	union moat_leaf *leaves;
	struct moat_bucket6 *buckets;
	uint64_t *filter;
	struct sieve_size size;
};

#define SIEVE_KEYS 10 /* random words: what is hashed cannot be foretold without them */

struct sieve;

/* now: ticks of the boot clock (moat/source.h). Returns 0 or -ENOMEM. */
int sieve_new(const struct sieve_maps *maps, const uint64_t key[static SIEVE_KEYS], uint32_t now,
	      struct sieve **ret);
struct sieve *sieve_free(struct sieve *s); /* the maps stay as they are */
DEFINE_CLEANUP(struct sieve, sieve_free)

/*
 * The record of this source is there and has this class and expiry (its first
 * phase: ticks, MOAT_NEVER). New or changed: in force with the last store.
 */
void sieve_put(struct sieve *s, const struct prefix *source, uint32_t class, uint32_t expires);

/* The record of this source goes next. One that is not there is no error. */
void sieve_delete(struct sieve *s, const struct prefix *source);

/*
 * The source will be put or deleted soon: its memory is fetched meanwhile. For
 * batches, SIEVE_AHEAD sources before its turn: a table beyond the cache takes
 * twice as many a second.
 */
#define SIEVE_AHEAD 8
void sieve_hint(const struct sieve *s, const struct prefix *source);

/* How many lengths a family has in use, when they are in force: 0 is how the program knows that it is empty. */
void sieve_set_lengths(struct sieve *s, uint8_t family, uint32_t count);

/* Whether memory waits for a grace period before it can be used again. */
bool sieve_wants_grace(const struct sieve *s);
/* Every program that ran at the last sieve_put() or sieve_delete() has ended. */
void sieve_grace(struct sieve *s);

/* For status and metrics. */
struct sieve_numbers {
	uint64_t hosts;	     /* /32s with a slot */
	uint64_t host_slots; /* of the region in force */
	uint64_t prefixes;   /* shorter ones */
	uint64_t nodes, node_room;
	uint64_t sources6;
	uint64_t slots6;  /* of the region in force */
	uint64_t asked;	  /* sources that had no room: the records answer for them */
	uint64_t resizes; /* finished */
	bool resizing;
};
void sieve_numbers(const struct sieve *s, struct sieve_numbers *ret);

#endif
