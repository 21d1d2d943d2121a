/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/history.h"

struct sums {
	float packets, bytes;
};

static const struct tier {
	unsigned int step, cells;
} tiers[] = {
#define X(step, cells) { step, cells },
	HISTORY_TIERS(X)
#undef X
};

#define TIERS ARRAY_SIZE(tiers)

/* clang-format off */
#define X(step, cells) + cells
enum { CELLS = 0 HISTORY_TIERS(X) }; /* of a series, tier after tier */
#undef X
/* clang-format on */

/* What is known of a cell of the axis. */
struct mark {
	int64_t number;	      /* which cell this place holds; second / step */
	unsigned int seconds; /* of it that are known */
};

struct history {
	struct mark mark[CELLS];
	struct sums *series[HISTORY_SERIES_MAX]; /* owned; CELLS each */
	int count;
	int64_t second; /* last opened */
	unsigned int opened;
};

static size_t tier_first(const struct tier *tier)
{
	size_t first = 0;

	for (const struct tier *t = tiers; t < tier; t++)
		first += t->cells;
	return first;
}

static size_t place(const struct tier *tier, int64_t number)
{
	return tier_first(tier) + (size_t)(number % tier->cells);
}

int history_new(struct history **ret)
{
	struct history *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	for (size_t i = 0; i < CELLS; i++)
		h->mark[i].number = -1;
	*ret = h;
	return 0;
}

struct history *history_free(struct history *h)
{
	if (!h)
		return NULL;
	for (int i = 0; i < h->count; i++)
		free(h->series[i]);
	free(h);
	return NULL;
}

int history_series(struct history *h)
{
	struct sums *sums;

	if (h->count == HISTORY_SERIES_MAX)
		return -ENOSPC;
	sums = calloc(CELLS, sizeof(*sums));
	if (!sums)
		return -ENOMEM;
	h->series[h->count] = sums;
	return h->count++;
}

/* The place held an older cell, which ends here. */
static void turn_over(struct history *h, size_t at, int64_t number)
{
	h->mark[at] = (struct mark){ .number = number };
	for (int i = 0; i < h->count; i++)
		h->series[i][at] = (struct sums){};
}

void history_open(struct history *h, int64_t second, unsigned int count)
{
	h->second = second;
	h->opened = count;
	for (size_t t = 0; t < TIERS; t++) {
		for (int64_t s = second; s < second + count; s++) {
			int64_t number = s / tiers[t].step;
			size_t at = place(&tiers[t], number);

			if (h->mark[at].number != number)
				turn_over(h, at, number);
			h->mark[at].seconds++;
		}
	}
}

void history_add(struct history *h, int series, double packets, double bytes)
{
	struct sums *sums = h->series[series];

	for (size_t t = 0; t < TIERS; t++) {
		for (int64_t s = h->second; s < h->second + h->opened; s++) {
			struct sums *cell = &sums[place(&tiers[t], s / tiers[t].step)];

			cell->packets += (float)(packets / h->opened);
			cell->bytes += (float)(bytes / h->opened);
		}
	}
}

/* The coarsest whose cells make up such steps; NULL: there is none. */
static const struct tier *tier_of(unsigned int step)
{
	for (size_t t = TIERS; step && t-- > 0;)
		if (step % tiers[t].step == 0)
			return &tiers[t];
	return NULL;
}

int64_t history_reach(unsigned int step)
{
	const struct tier *tier = tier_of(step);

	return tier ? (int64_t)tier->step * tier->cells : 0;
}

struct history_point history_read(const struct history *h, int series, int64_t second,
				  unsigned int step)
{
	const struct tier *tier = tier_of(step);
	struct history_point point = {};

	for (int64_t s = second; tier && s >= 0 && s < second + step; s += tier->step) {
		size_t at = place(tier, s / tier->step);

		if (h->mark[at].number != s / tier->step)
			continue;
		point.packets += (double)h->series[series][at].packets;
		point.bytes += (double)h->series[series][at].bytes;
		point.seconds += h->mark[at].seconds;
	}
	if (point.seconds) {
		point.packets /= point.seconds;
		point.bytes /= point.seconds;
	}
	return point;
}
