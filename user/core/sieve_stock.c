// SPDX-License-Identifier: BSD-2-Clause
#include "core/sieve_stock.h"

/* One number waits for so many that are left: a grace period is worth it. */
#define LEFT_FOR_WAITING 8

int stock_init(struct stock *s, uint32_t first, uint32_t end)
{
	*s = (struct stock){ .fresh = first, .end = end > first ? end : first };
	s->left = s->end - first;
	s->next = calloc(s->end, sizeof(*s->next));
	return s->next ? 0 : -ENOMEM;
}

void stock_fini(struct stock *s)
{
	free(s->next);
	*s = (struct stock){};
}

uint32_t stock_take(struct stock *s)
{
	uint32_t number = s->free;

	if (number)
		s->free = s->next[number];
	else if (s->fresh < s->end)
		number = s->fresh++;
	else
		return 0;
	s->used++;
	s->left--;
	return number;
}

void stock_give(struct stock *s, uint32_t number)
{
	if (!s->waiting)
		s->waiting_last = number;
	s->next[number] = s->waiting;
	s->waiting = number;
	s->waits++;
	s->used--;
}

bool stock_wants_grace(const struct stock *s)
{
	return s->waits && (uint64_t)s->waits * LEFT_FOR_WAITING >= s->left;
}

void stock_grace(struct stock *s)
{
	if (!s->waiting)
		return;
	s->next[s->waiting_last] = s->free;
	s->free = s->waiting;
	s->left += s->waits;
	s->waiting = 0;
	s->waits = 0;
}
