/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the IPv6 part of a sieve as bpf/sieve.h does, load for load, for tests
 * of its writer; and the arrays that stand for its maps.
 *
 * Before each load the reader calls lab->between, if there is one: what a
 * writer on another CPU does at that moment, in an order that tests decide.
 */
#ifndef TESTS_SIEVE_SIX_LAB_H
#define TESTS_SIEVE_SIX_LAB_H

#include "core/base.h"
#include "core/prefix.h"
#include "core/sieve_private.h"

struct six_lab {
	struct sieve_maps maps;
	struct sieve_six *six;
	void (*between)(void *arg);
	void *arg;
	bool length[129];      /* in use, as moat_lengths tells */
	uint64_t looks;	       /* into the buckets */
	uint64_t filter_looks; /* into the filter */
};

enum six_answer {
	SIX_CLEAN,
	SIX_LISTED,
	SIX_ASK,
};

struct six_seen {
	enum six_answer answer;
	uint32_t class;
	uint32_t expires;
	uint32_t len;
};

static inline uint64_t six_load(const struct six_lab *lab, const __u64 *at)
{
	if (lab->between)
		lab->between(lab->arg);
	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static inline uint64_t six_load_filter(struct six_lab *lab, uint64_t view, uint64_t hash)
{
	lab->filter_looks++;
	if (lab->between)
		lab->between(lab->arg);
	return __atomic_load_n(&lab->maps.filter[moat_view_index(view, hash)], __ATOMIC_ACQUIRE);
}

static inline bool six_may_have(struct six_lab *lab, uint64_t view, uint64_t hash, uint64_t bits)
{
	return (six_load_filter(lab, view, hash) & bits) == bits;
}

static inline bool six_marked(struct six_lab *lab, uint64_t view, uint64_t first, uint32_t len)
{
	uint64_t hash = moat_hash6(lab->maps.sieve, first, 0, len);

	return six_may_have(lab, view, hash, moat_marker_bits(hash));
}

static inline uint64_t six_mask(uint32_t len, uint32_t half)
{
	struct moat_length length = prefix_length_mask(MOAT_IPV6, (uint8_t)len);

	return moat_half(length.mask[2 * half], length.mask[2 * half + 1]);
}

static inline uint32_t six_longest(struct six_lab *lab, uint64_t view, uint64_t first)
{
	if (!six_marked(lab, view, first & six_mask(MOAT_MARKER_FIRST, 0), MOAT_MARKER_FIRST))
		return MOAT_MARKER_FIRST;
	if (!six_marked(lab, view, first & six_mask(MOAT_MARKER_SECOND, 0), MOAT_MARKER_SECOND))
		return MOAT_MARKER_SECOND;
	return six_marked(lab, view, first, MOAT_MARKER_THIRD) ? 128 : MOAT_MARKER_THIRD;
}

static inline uint64_t six_read_bucket(const struct six_lab *lab, const struct moat_bucket6 *bucket,
				       uint64_t first, uint64_t second, uint16_t mark)
{
	for (int i = 0; i < MOAT_SLOTS6; i++) {
		union moat_meta meta = { .word = six_load(lab, &bucket->meta[i]) };

		if (meta.mark == mark && six_load(lab, &bucket->key[i][0]) == first &&
		    six_load(lab, &bucket->key[i][1]) == second)
			return meta.word;
	}
	return 0;
}

static inline uint64_t six_find(struct six_lab *lab, uint64_t first, uint64_t second, uint64_t hash,
				uint32_t len)
{
	uint64_t view = six_load(lab, &lab->maps.sieve->buckets);
	const struct moat_bucket6 *bucket = &lab->maps.buckets[moat_view_index(view, hash)];
	uint16_t mark = MOAT_MARK(len, hash);
	uint64_t meta, flags;

	lab->looks++;
	meta = six_read_bucket(lab, bucket, first, second, mark);
	flags = six_load(lab, &bucket->flags);
	if (meta || !(flags & MOAT_BUCKET6_OVERFLOW))
		return meta;
	bucket = &lab->maps.buckets[moat_view_index(view, moat_second6(hash))];
	meta = six_read_bucket(lab, bucket, first, second, mark);
	return !meta && flags & MOAT_BUCKET6_SPILLED ? MOAT_META_ASK : meta;
}

/* What a program says of the address, but for the time. */
static inline struct six_seen six_read(struct six_lab *lab, const uint8_t addr[16])
{
	uint64_t view = six_load(lab, &lab->maps.sieve->buckets);
	uint64_t half[2];
	uint32_t longest;

	memcpy(half, addr, sizeof(half));
	longest = six_longest(lab, view, half[0]);
	for (int len = 128; len >= 0; len--) {
		uint64_t first = half[0] & six_mask((uint32_t)len, 0);
		uint64_t second = half[1] & six_mask((uint32_t)len, 1);
		uint64_t hash = moat_hash6(lab->maps.sieve, first, second, (uint32_t)len);
		union moat_meta meta;

		if (!lab->length[len] || (uint32_t)len > longest ||
		    !six_may_have(lab, view, hash, moat_filter_bits(hash)))
			continue;
		meta.word = six_find(lab, first, second, hash, (uint32_t)len);
		if (meta.word == MOAT_META_ASK)
			return (struct six_seen){ .answer = SIX_ASK };
		if (meta.word)
			return (struct six_seen){ .answer = SIX_LISTED,
						  .class = meta.class,
						  .expires = meta.expires,
						  .len = (uint32_t)len };
	}
	return (struct six_seen){ .answer = SIX_CLEAN };
}

/* Arrays for so many buckets: all regions. key: nothing but that keys are from it. */
static inline void six_lab_open(struct six_lab *lab, uint32_t buckets, uint64_t key)
{
	*lab = (struct six_lab){ .maps = { .sieve = calloc(1, sizeof(struct moat_sieve)),
					   .buckets = calloc(buckets, sizeof(struct moat_bucket6)),
					   .filter = calloc(buckets, sizeof(uint64_t)),
					   .size = { .buckets = buckets } } };
	for (size_t i = 0; lab->maps.sieve && i < ARRAY_SIZE(lab->maps.sieve->key6); i++) {
		key = key * 6364136223846793005U + 1442695040888963407U;
		lab->maps.sieve->key6[i] = (key ^ key >> 29) | 1;
	}
	if (!lab->maps.sieve || !lab->maps.buckets || !lab->maps.filter ||
	    six_new(&lab->maps, &lab->six))
		abort();
}

static inline void six_lab_close(struct six_lab *lab)
{
	lab->six = six_free(lab->six);
	free(lab->maps.sieve);
	free(lab->maps.buckets);
	free(lab->maps.filter);
}

#endif
