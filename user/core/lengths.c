/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/lengths.h"

#include "core/prefix.h"

void lengths_add(struct lengths *l, uint8_t len)
{
	l->count[len]++;
	l->entries++;
}

void lengths_remove(struct lengths *l, uint8_t len)
{
	l->count[len]--;
	l->entries--;
}

bool lengths_added(const struct lengths *l)
{
	for (unsigned int len = 0; len < MOAT_LENGTHS6; len++) {
		if (l->count[len] && !l->in_force[len])
			return true;
	}
	return false;
}

bool lengths_removed(const struct lengths *l)
{
	for (unsigned int len = 0; len < MOAT_LENGTHS6; len++) {
		if (!l->count[len] && l->in_force[len])
			return true;
	}
	return false;
}

void lengths_settle(struct lengths *l)
{
	for (unsigned int len = 0; len < MOAT_LENGTHS6; len++) {
		l->in_force[len] = l->count[len] || l->refused[len];
		l->refused[len] = false;
	}
}

void lengths_fill(const struct lengths *l, uint8_t family, bool with_removed,
		  struct moat_lengths *ret)
{
	*ret = (struct moat_lengths){};
	for (int len = prefix_max(family); len >= 0; len--) {
		if (l->count[len] || (with_removed && l->in_force[len]))
			ret->at[ret->count++] = prefix_length_mask(family, len);
	}
}
