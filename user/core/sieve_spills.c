// SPDX-License-Identifier: BSD-2-Clause
/*
 * Open addressing, a step at a time; what follows a gap moves up when one goes.
 */
#include "core/sieve_spills.h"

#define SPILLS_MIN  64U
#define SPILLS_MOST (1U << 30)

void spills_clear(struct spills *s)
{
	free(s->word);
	*s = (struct spills){ 0 };
}

/* The keys of the tables decide who is here: nobody outside can choose addresses that meet. */
static uint32_t spills_home(const struct spills *s, __be32 addr)
{
	return (uint32_t)(addr * 0x9E3779B97F4A7C15ULL >> 32) & (s->room - 1);
}

/* Where the address is, or the free place where it would be. */
static uint32_t spills_at(const struct spills *s, __be32 addr)
{
	uint32_t at = spills_home(s, addr);

	while (s->word[at] && (__be32)s->word[at] != addr)
		at = (at + 1) & (s->room - 1);
	return at;
}

static int spills_grow(struct spills *s)
{
	struct spills to = { .room = s->room ? s->room * 2 : SPILLS_MIN };

	if (s->room > SPILLS_MOST / 2)
		return -ENOMEM;
	to.word = calloc(to.room, sizeof(*to.word));
	if (!to.word)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->room; i++)
		if (s->word[i])
			to.word[spills_at(&to, (__be32)s->word[i])] = s->word[i];
	to.count = s->count;
	free(s->word);
	*s = to;
	return 0;
}

int spills_put(struct spills *s, uint64_t word)
{
	uint32_t at;

	if (!s->room && spills_grow(s) < 0)
		return -ENOMEM;
	at = spills_at(s, (__be32)word);
	if (!s->word[at]) {
		if (s->count + 1 > s->room / 2) {
			if (spills_grow(s) < 0)
				return -ENOMEM;
			at = spills_at(s, (__be32)word);
		}
		s->count++;
	}
	s->word[at] = word;
	return 0;
}

bool spills_has(const struct spills *s, __be32 addr)
{
	return s->count && s->word[spills_at(s, addr)];
}

bool spills_delete(struct spills *s, __be32 addr)
{
	uint32_t mask = s->room - 1, gap, at;

	if (!spills_has(s, addr))
		return false;
	gap = spills_at(s, addr);
	for (at = (gap + 1) & mask; s->word[at]; at = (at + 1) & mask) {
		uint32_t home = spills_home(s, (__be32)s->word[at]);

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		s->word[gap] = s->word[at];
		gap = at;
	}
	s->word[gap] = 0;
	if (!--s->count)
		spills_clear(s);
	return true;
}
