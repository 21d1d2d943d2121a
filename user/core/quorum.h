/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Categories that act only where enough independent feeds agree (k_of).
 *
 * A claim of such a category is a vote of its feed's group. Where the live
 * claims that cover a source come from k groups or more the category is in the
 * set of the source; where there are fewer, only the category that monitors in
 * its place is. Over time: the category ends at the k-th largest end over the
 * groups, the one that monitors at the largest. A claim of a trusted feed
 * needs no others.
 *
 * Who uses it: the model, which adds votes on its way down the tree. Only the
 * k largest ends can matter, so a ballot has that many votes for a category,
 * and a row of ballots has room for all categories with a quorum. Without any
 * nothing is allocated and nothing is copied.
 */
#ifndef CORE_QUORUM_H
#define CORE_QUORUM_H

#include "core/plan.h"

struct quorum_vote {
	int64_t end; /* 0: none; the votes of a category stand latest end first */
	uint32_t group;
};

struct quorum {
	uint64_t counted; /* bit c: category c needs more than one group */
	uint8_t k_of[MOAT_CATEGORIES];
	uint8_t below[MOAT_CATEGORIES];
	uint16_t at[MOAT_CATEGORIES]; /* where its votes begin in a row */
	uint32_t votes;		      /* of a row */
	struct quorum_vote *vote;     /* owned: QUORUM_ROWS rows; NULL without counted */
	uint32_t *group;	      /* owned: by feed, for those that were told */
	uint32_t groups;
};

/* A row for each key on a path, one for the key in hand, and one for nothing. */
#define QUORUM_ROWS (MOAT_LENGTHS6 + 2)

void quorum_fini(struct quorum *q);
size_t quorum_memory(const struct quorum *q);

/* Takes k_of and below of the rules; groups stay. 0, or -ENOMEM and nothing changed. */
int quorum_set_rules(struct quorum *q, const struct model_rules *rules);

/* 1 if the feed was of another group, 0, or -ENOMEM. */
int quorum_set_group(struct quorum *q, uint16_t feed, uint32_t group);

/* A feed nobody told of is a group of its own. */
static inline uint32_t quorum_group(const struct quorum *q, uint16_t feed)
{
	return feed < q->groups ? q->group[feed] : feed;
}

/* The votes of a merge at a depth are kept in the row of that depth. */
static inline struct quorum_vote *quorum_row(const struct quorum *q, unsigned int row)
{
	return q->vote ? q->vote + (size_t)row * q->votes : NULL;
}

/* Takes a claim of a category that is counted. m->vote is the row of m. */
void quorum_add(const struct quorum *q, struct merge *m, uint8_t category, uint32_t group,
		int64_t end, int64_t now);

/* *to, which has a row of its own, becomes what *from is; copies only what is set. */
void quorum_copy(const struct quorum *q, struct merge *to, const struct merge *from);

/* Turns the votes into ends of categories: what merge_plan() reads. */
void quorum_decide(const struct quorum *q, struct merge *m);

#endif
