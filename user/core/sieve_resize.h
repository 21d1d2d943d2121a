/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a table of the sieve grows and shrinks, and how far it has come.
 *
 * A table lies in one map, the region of level k in the elements
 * [2^k, 2^(k+1)) (moat/sieve.h). To resize: clear the region of the level
 * wanted, copy what is in force into it, store the view. Every write does a
 * portion of that; from resize_copies() on it goes to both regions.
 *
 * A region that was in force is no target before a grace period: a program
 * that took its view just before may still read it.
 *
 * Pure values, no ownership. Private to core/sieve*.c.
 */
#ifndef CORE_SIEVE_RESIZE_H
#define CORE_SIEVE_RESIZE_H

#include "core/base.h"
#include "moat/sieve.h"

/* What one write does at most: small enough for a packet's time, enough to end well before the table is full. */
#define RESIZE_CLEARS 32
#define RESIZE_COPIES 4

/*
 * Eighths of its room beyond which a table grows. By then two hosts in a
 * thousand have found no slot, and the records are asked for them; a larger
 * table would have a slot for those, and more to wait for memory of for all.
 */
#define RESIZE_FULL 5

struct resize {
	uint32_t level;		  /* in force */
	uint32_t top;		  /* the highest that the map has room for */
	uint32_t target;	  /* level that is being filled, 0: none */
	uint32_t cleared, copied; /* elements of the target; of the region in force */
	uint32_t used;	    /* levels that were filled once: to be cleared before they are again */
	uint32_t unsettled; /* levels that programs may still be reading */
	uint64_t finished;
};

/* size: elements of the map, a power of two. */
static inline struct resize resize_init(uint32_t size)
{
	return (struct resize){
		.level = MOAT_LEVEL_MIN,
		.top = 30 - __builtin_clz(size),
		.used = 1U << MOAT_LEVEL_MIN,
	};
}

static inline bool resize_runs(const struct resize *r)
{
	return r->target;
}

static inline bool resize_copies(const struct resize *r)
{
	return r->target && r->cleared == 1U << r->target;
}

/* The level that fits so many entries in elements of so many slots: this one, or the next to it. */
static inline uint32_t resize_wanted(const struct resize *r, uint64_t entries, uint32_t slots)
{
	uint64_t room = (uint64_t)slots << r->level;

	if (entries > room / 8 * RESIZE_FULL && r->level < r->top)
		return r->level + 1;
	if (entries < room / 8 && r->level > MOAT_LEVEL_MIN)
		return r->level - 1;
	return r->level;
}

static inline bool resize_blocked(const struct resize *r, uint32_t wanted)
{
	return r->unsettled >> wanted & 1;
}

/* The caller has what it needs beside the map for this level. */
static inline void resize_begin(struct resize *r, uint32_t wanted)
{
	r->target = wanted;
	r->cleared = r->used >> wanted & 1 ? 0 : 1U << wanted;
	r->copied = 0;
	r->used |= 1U << wanted;
}

/* The caller clears (copies) so many elements from r->cleared (r->copied) on, then adds them there. */
static inline uint32_t resize_to_clear(const struct resize *r)
{
	uint32_t left = (1U << r->target) - r->cleared;

	return left < RESIZE_CLEARS ? left : RESIZE_CLEARS;
}

static inline uint32_t resize_to_copy(const struct resize *r)
{
	uint32_t left = (1U << r->level) - r->copied;

	return left < RESIZE_COPIES ? left : RESIZE_COPIES;
}

static inline bool resize_copied(const struct resize *r)
{
	return resize_copies(r) && r->copied == 1U << r->level;
}

/* The caller has stored the view of the target. */
static inline void resize_end(struct resize *r)
{
	r->unsettled |= 1U << r->level;
	r->level = r->target;
	r->target = 0;
	r->finished++;
}

/* The target was never in force: no program has seen it. */
static inline void resize_abandon(struct resize *r)
{
	r->target = 0;
}

static inline void resize_grace(struct resize *r)
{
	r->unsettled = 0;
}

#endif
