/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of a map's elements: given out, given back, and given out again only
 * after a grace period. Who uses it: the sieve's trie, for nodes and leaves.
 *
 *	n = stock_take(&s)	0: none left
 *	stock_give(&s, n)	programs may still read the element: it stays as it is
 *	stock_grace(&s)		they have ended
 *
 * Invariant: numbers used, waiting and left add up to all of them.
 */
#ifndef CORE_SIEVE_STOCK_H
#define CORE_SIEVE_STOCK_H

#include "core/base.h"

struct stock {
	uint32_t *next; /* owned; of a number given back: the next of its list. Touched only then. */
	uint32_t fresh;	  /* from here on never given out */
	uint32_t end;	  /* the first number that there is not */
	uint32_t free;	  /* list; 0 ends it */
	uint32_t waiting; /* list, the latest first */
	uint32_t waiting_last;
	uint32_t used;	/* given out */
	uint32_t waits; /* on the list of those that wait */
	uint32_t left;	/* free and fresh */
};

/* The numbers first (not 0) to end - 1. 0 or -ENOMEM. */
int stock_init(struct stock *s, uint32_t first, uint32_t end);
void stock_fini(struct stock *s);

uint32_t stock_take(struct stock *s);
void stock_give(struct stock *s, uint32_t number);

/* Whether so many wait that those left may run out soon. */
bool stock_wants_grace(const struct stock *s);
void stock_grace(struct stock *s);

#endif
