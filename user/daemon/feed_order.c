/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feed_order.h"

#include <inttypes.h>

/*
 * A key: the ranks of four octets and of the length in text order, and the
 * index. Text order of "10." and "1." is that of the numbers' own texts, since
 * what follows a number ('.', '/' or the end) sorts before every digit.
 */
#define INDEX_BITS  22
#define LENGTH_BITS 9
#define IPV6_KEY    UINT64_MAX >> INDEX_BITS << INDEX_BITS

_Static_assert(FEED_SET_MAX <= 1 << INDEX_BITS, "an index fits");
_Static_assert(INDEX_BITS + LENGTH_BITS + 32 < 64, "no IPv4 key sorts behind IPv6");

static void rank_numbers(uint8_t rank[static 256])
{
	char text[256][4];

	for (unsigned int i = 0; i < 256; i++)
		snprintf(text[i], sizeof(text[i]), "%" PRIu8, (uint8_t)i);
	for (size_t i = 0; i < 256; i++) {
		rank[i] = 0;
		for (size_t j = 0; j < 256; j++)
			rank[i] += strcmp(text[j], text[i]) < 0;
	}
}

static uint64_t key_of(const struct prefix *p, const uint8_t rank[static 256])
{
	uint64_t key = 0;

	if (p->family != MOAT_IPV4)
		return IPV6_KEY;
	for (size_t i = 0; i < 4; i++)
		key = key << 8 | rank[p->addr[i]];
	key = key << LENGTH_BITS | (prefix_is_host(p) ? 0U : rank[p->len] + 1U);
	return key << INDEX_BITS;
}

static int compare_keys(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int feed_order_make(struct feed_set *set, struct feed_order *ret)
{
	_cleanup_free_ uint64_t *key = calloc(feed_set_count(set) + 1, sizeof(*key));
	uint8_t rank[256];
	size_t count = 0;

	if (!key)
		return -ENOMEM;
	rank_numbers(rank);
	for (size_t i = 0; i < feed_set_count(set); i++) {
		const struct feed_entry *entry = feed_set_at(set, i);

		if (!entry->ends && entry->fate != FEED_SAME)
			key[count++] = key_of(&entry->source, rank) | i;
	}
	qsort(key, count, sizeof(*key), compare_keys);
	*ret = (struct feed_order){ .key = take_ptr(key), .count = count };
	return 0;
}

void feed_order_free(struct feed_order *o)
{
	free(o->key);
	*o = (struct feed_order){};
}

size_t feed_order_at(const struct feed_order *o, size_t at)
{
	return o->key[at] & ((1U << INDEX_BITS) - 1);
}
