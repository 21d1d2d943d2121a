/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interned sets of categories: number <-> set, and what the policies in
 * force make of each.
 *
 * Who uses it: the image. A number is held by every entry and phase that
 * carries it. Retiring gives a hold back at the next classes_settle(), when no
 * program reads the old value any more.
 *
 * Invariants:
 *  1. MOAT_CLASS_ALLOW is {allow}, always there, never counted.
 *  2. A number keeps its set while it is held.
 *  3. A number is free for another set only after a classes_settle().
 */
#ifndef CORE_CLASSES_H
#define CORE_CLASSES_H

#include "core/base.h"
#include "moat/policy.h"

#define CLASS_NONE	UINT32_MAX
#define CLASS_ALLOW_SET (1ULL << MOAT_CATEGORY_ALLOW)

struct class_slot {
	uint64_t set;
	uint32_t holds;
	uint32_t retired; /* holds that the next settling gives back */
	uint32_t next;	  /* of the same bucket; CLASS_NONE ends */
	bool used;
	bool doubtful; /* in doubt[] */
};

struct classes {
	struct class_slot *slot;  /* owned, MOAT_CLASSES */
	struct moat_class *value; /* owned, MOAT_CLASSES */
	uint32_t *bucket;	  /* owned, MOAT_CLASSES: by hash of the set */
	uint32_t *given;	  /* owned: numbers that were free again, a stack */
	uint32_t givens;
	uint32_t *doubt; /* owned: numbers to look at when settling */
	uint32_t doubts;
	uint32_t *fresh; /* owned: numbers to be written before what holds them */
	uint32_t freshes;
	uint32_t unused;		/* numbers from here on were never used, unless adopted */
	uint32_t room;			/* numbers left */
	uint32_t end;			/* one more than the highest used */
	uint8_t order[MOAT_CATEGORIES]; /* categories with a policy, the strongest first */
	uint64_t scoped;		/* bit c: category c has a scope */
	uint32_t orders;
	uint8_t shared[MOAT_CATEGORIES]; /* categories of shared addresses, by rank */
	uint32_t shareds;
};

/* 0 or -ENOMEM; classes_fini() takes a half-made one. */
int classes_init(struct classes *c);
void classes_fini(struct classes *c);

void classes_set_policies(struct classes *c,
			  const struct moat_policy policy[static MOAT_CATEGORIES],
			  const uint8_t rank[static MOAT_CATEGORIES]);

/* The number of a set, or CLASS_NONE. */
uint32_t classes_find(const struct classes *c, uint64_t set);

/* A number for a set that has none. Needs c->room. */
uint32_t classes_add(struct classes *c, uint64_t set);

/* Takes a number as the maps have it. 0, or -EINVAL for a number out of range. */
int classes_adopt(struct classes *c, uint32_t number, uint64_t set);

/*
 * Counts what the maps have of a number. One that was not adopted means
 * nothing (its set is 0), but is not given out. 0, or -EINVAL if out of range.
 */
int classes_adopt_hold(struct classes *c, uint32_t number);

/* Counts something that is yet to be written; if it is the first, so is the class. */
void classes_hold(struct classes *c, uint32_t number);
void classes_retire(struct classes *c, uint32_t number);
void classes_settle(struct classes *c);
/* Whether settling would free a number. */
bool classes_frees(const struct classes *c);

/* 0 for a number that means nothing. */
static inline uint64_t classes_set(const struct classes *c, uint32_t number)
{
	return number < MOAT_CLASSES ? c->slot[number].set : 0;
}

#endif
