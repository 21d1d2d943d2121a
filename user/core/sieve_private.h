/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a struct sieve. Private to core/sieve*.c.
 *
 *	sieve.c		sizes, the whole, blocks
 *	sieve_hosts.c	IPv4 /32s: buckets, two places, resizing
 *	sieve_spills.c	those of them that found no slot
 *	sieve_trie.c	IPv4 prefixes: nodes, leaves (sieve_stock.h gives out their
 *			numbers, sieve_prefixes.h knows which prefixes there are)
 *	sieve_six.c	IPv6: growing and shrinking (sieve_six_region.h: buckets,
 *			filter, markers of one region)
 *
 *	sieve_resize.h	when hosts and buckets grow and shrink
 *
 * Each part owns its own memory beside the maps.
 */
#ifndef CORE_SIEVE_PRIVATE_H
#define CORE_SIEVE_PRIVATE_H

#include "core/sieve.h"

/* ---- sieve_hosts.c ---- */

struct sieve_hosts;

int hosts_new(const struct sieve_maps *maps, struct sieve_hosts **ret);
struct sieve_hosts *hosts_free(struct sieve_hosts *h);
/* addr: network order. Returns whether it was not there before. */
bool hosts_put(struct sieve_hosts *h, __be32 addr, uint32_t class, uint32_t expires);
/* Returns whether it was there. */
bool hosts_delete(struct sieve_hosts *h, __be32 addr);
/* Whether some were marked for good: then hosts_delete() does not know all that were there. */
bool hosts_lost(const struct sieve_hosts *h);
/* The host will be put or deleted soon. */
void hosts_hint(const struct sieve_hosts *h, __be32 addr);
bool hosts_want_grace(const struct sieve_hosts *h);
void hosts_grace(struct sieve_hosts *h);
void hosts_numbers(const struct sieve_hosts *h, struct sieve_numbers *ret); /* adds its own */

/* ---- sieve_trie.c ---- */

struct sieve_trie;

/* The keys of maps->sieve are there: they are used from now on. Returns 0 or -ENOMEM. */
int trie_new(const struct sieve_maps *maps, struct sieve_trie **ret);
struct sieve_trie *trie_free(struct sieve_trie *t);
DEFINE_CLEANUP(struct sieve_trie, trie_free)
/* source: IPv4, shorter than /32. Writes cells and the blocks' bit MOAT_BLOCK_PREFIXES. */
void trie_put(struct sieve_trie *t, const struct prefix *source, uint32_t class, uint32_t expires);
void trie_delete(struct sieve_trie *t, const struct prefix *source);
bool trie_wants_grace(const struct sieve_trie *t);
void trie_grace(struct sieve_trie *t);
void trie_numbers(const struct sieve_trie *t, struct sieve_numbers *ret); /* adds its own */
/* Bytes beside the maps with so many prefixes, at most. */
uint64_t trie_memory_beside(const struct sieve_size *size, uint64_t prefixes);

/* ---- sieve_six.c ---- */

struct sieve_six;

/* The keys of maps->sieve are there. Returns 0, -ENOMEM, or -EINVAL: too few buckets. */
int six_new(const struct sieve_maps *maps, struct sieve_six **ret);
struct sieve_six *six_free(struct sieve_six *s);
void six_put(struct sieve_six *s, const struct prefix *source, uint32_t class, uint32_t expires);
void six_delete(struct sieve_six *s, const struct prefix *source);
void six_hint(const struct sieve_six *s, const struct prefix *source);
bool six_wants_grace(const struct sieve_six *s);
void six_grace(struct sieve_six *s);
void six_numbers(const struct sieve_six *s, struct sieve_numbers *ret); /* adds its own */
/* Bytes beside the maps with so many elements in them, at most. */
uint64_t six_memory_beside(const struct sieve_size *size);

/* ---- stores ---- */

/*
 * What a program may be reading: whole, and after all that was stored before.
 * Macros, for words of the headers of moat/ (__u64) and of user space (uint64_t).
 */
#define publish64(at, value)                                                                       \
	({                                                                                         \
		_Static_assert(sizeof(*(at)) == 8, "a word of 64 bits");                           \
		__atomic_store_n(at, value, __ATOMIC_RELEASE);                                     \
	})

#define publish32(at, value)                                                                       \
	({                                                                                         \
		_Static_assert(sizeof(*(at)) == 4, "a word of 32 bits");                           \
		__atomic_store_n(at, value, __ATOMIC_RELEASE);                                     \
	})

#endif
