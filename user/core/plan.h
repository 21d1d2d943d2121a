/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Merges the claims that cover a source into its plan (struct plan, model.h).
 *
 * Who uses it: the model, which adds the claims of covering prefixes on its
 * way down the tree and those of the key itself last.
 *
 * Only the last end of a category matters, so a merge has one time for each.
 */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include "core/model.h"

struct quorum_vote;

#define PLAN_FOREVER INT64_MAX

struct merge {
	uint64_t live;			/* bit c: category c is claimed */
	uint64_t voted;			/* bit c: category c has votes (quorum.h) */
	struct quorum_vote *vote;	/* not owned; set where voted is */
	int64_t until[MOAT_CATEGORIES]; /* its last end; set where live is */
};

/* When a claim ends, as a time that compares. */
static inline int64_t plan_end(int64_t expires)
{
	return expires ? expires : PLAN_FOREVER;
}

/* Takes a claim that ends at end; what has ended by now is left out. */
static inline void merge_add(struct merge *m, uint8_t category, int64_t end, int64_t now)
{
	uint64_t bit = 1ULL << category;

	if (end <= now)
		return;
	if (!(m->live & bit) || m->until[category] < end)
		m->until[category] = end;
	m->live |= bit;
}

/* *to becomes what *from is, but for votes; copies only what is set. */
void merge_copy(struct merge *to, const struct merge *from);

/*
 * The plan of a key. own_end: when the last claim of the key itself ends; 0
 * or a time passed: nothing of it is live, the plan is empty. Otherwise that
 * claim must be in m.
 */
void merge_plan(const struct merge *m, int64_t own_end, struct plan *ret);

/*
 * Leaves out phases of which all categories are idle: never act by themselves.
 * They come last, for sets only shrink, and a shorter prefix says no more then.
 */
void plan_trim(struct plan *plan, uint64_t idle);

#endif
