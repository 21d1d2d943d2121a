/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/plan.h"

#define ALLOW (1ULL << MOAT_CATEGORY_ALLOW)

void merge_copy(struct merge *to, const struct merge *from)
{
	to->live = from->live;
	to->voted = 0;
	for (uint64_t left = from->live; left; left &= left - 1) {
		int c = __builtin_ctzll(left);

		to->until[c] = from->until[c];
	}
}

/* The first end among the categories of a set. */
static int64_t first_end(const struct merge *m, uint64_t set)
{
	int64_t first = PLAN_FOREVER;

	for (; set; set &= set - 1) {
		int64_t end = m->until[__builtin_ctzll(set)];

		if (end < first)
			first = end;
	}
	return first;
}

/* The categories of a set that live on after a time. */
static uint64_t live_after(const struct merge *m, uint64_t set, int64_t time)
{
	uint64_t live = set;

	for (; set; set &= set - 1) {
		int c = __builtin_ctzll(set);

		if (m->until[c] <= time)
			live &= ~(1ULL << c);
	}
	return live;
}

void merge_plan(const struct merge *m, int64_t own_end, struct plan *ret)
{
	uint64_t live = m->live;
	int64_t until = 0;

	ret->count = 0;
	while (live && until < own_end) {
		uint64_t set = live & ALLOW ? ALLOW : live;

		until = first_end(m, set);
		if (until > own_end)
			until = own_end;
		ret->phase[ret->count].set = set;
		ret->phase[ret->count].until = until == PLAN_FOREVER ? 0 : until;
		ret->count++;
		live = live_after(m, live, until);
	}
}

void plan_trim(struct plan *plan, uint64_t idle)
{
	while (plan->count && !(plan->phase[plan->count - 1].set & ~idle))
		plan->count--;
}
