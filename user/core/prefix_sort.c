/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/prefix_sort.h"

#define DIGITS (sizeof(struct prefix)) /* the family, each byte of the address, the length */
#define VALUES 256
#define FEW    48 /* items that are inserted one by one */

struct sort {
	uint8_t *items;
	size_t stride;
};

static void *item_at(const struct sort *s, size_t index)
{
	return s->items + index * s->stride;
}

/* What prefix_compare() looks at first, second, ... */
static uint8_t digit_of(const struct prefix *p, unsigned int digit)
{
	if (!digit)
		return p->family;
	return digit <= sizeof(p->addr) ? p->addr[digit - 1] : p->len;
}

static void swap(const struct sort *s, size_t a, size_t b)
{
	uint8_t item[PREFIX_SORT_STRIDE_MAX];

	memcpy(item, item_at(s, a), s->stride);
	memcpy(item_at(s, a), item_at(s, b), s->stride);
	memcpy(item_at(s, b), item, s->stride);
}

static void insert_each(const struct sort *s, size_t from, size_t to)
{
	uint8_t item[PREFIX_SORT_STRIDE_MAX];

	for (size_t i = from + 1; i < to; i++) {
		size_t at = i;

		if (prefix_compare(item_at(s, i - 1), item_at(s, i)) <= 0)
			continue;
		memcpy(item, item_at(s, i), s->stride);
		for (; at > from && prefix_compare(item_at(s, at - 1), (void *)item) > 0; at--)
			memcpy(item_at(s, at), item_at(s, at - 1), s->stride);
		memcpy(item_at(s, at), item, s->stride);
	}
}

/* Puts each item where its digit belongs; end[] is where each value's items end. */
static void permute(const struct sort *s, size_t from, unsigned int digit,
		    const size_t end[static VALUES])
{
	size_t next[VALUES];

	for (unsigned int value = 0; value < VALUES; value++)
		next[value] = value ? end[value - 1] : from;
	for (unsigned int value = 0; value < VALUES; value++) {
		while (next[value] < end[value]) {
			uint8_t belongs = digit_of(item_at(s, next[value]), digit);

			if (belongs != value)
				swap(s, next[value], next[belongs]);
			next[belongs]++;
		}
	}
}

/* Items [from, to) agree in all digits before this one. Depth is that of the digits. */
static void sort_by(const struct sort *s, size_t from, size_t to, unsigned int digit)
{
	size_t end[VALUES] = {};

	for (; digit < DIGITS && to - from > FEW; digit++) {
		memset(end, 0, sizeof(end));
		for (size_t i = from; i < to; i++)
			end[digit_of(item_at(s, i), digit)]++;
		if (end[digit_of(item_at(s, from), digit)] < to - from)
			break;
	}
	if (digit == DIGITS)
		return;
	if (to - from <= FEW) {
		insert_each(s, from, to);
		return;
	}
	for (size_t value = 0, at = from; value < VALUES; value++)
		end[value] = at += end[value];
	permute(s, from, digit, end);
	for (size_t value = 0; value < VALUES; value++) {
		size_t start = value ? end[value - 1] : from;

		if (end[value] - start > 1)
			sort_by(s, start, end[value], digit + 1);
	}
}

void prefix_sort(void *items, size_t count, size_t stride)
{
	struct sort s = { .items = items, .stride = stride };

	if (count > 1 && stride >= sizeof(struct prefix) && stride <= PREFIX_SORT_STRIDE_MAX)
		sort_by(&s, 0, count, 0);
}
