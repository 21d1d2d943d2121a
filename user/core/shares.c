/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/shares.h"

/* Those that want no more than an equal share get what they want. Returns how many were not content before. */
static size_t satisfy(uint64_t *rest, const uint64_t *wanted, uint64_t *share, size_t count,
		      size_t open)
{
	uint64_t equal = *rest / open;
	size_t left = open;

	for (size_t i = 0; i < count; i++) {
		if (share[i] != UINT64_MAX || wanted[i] > equal)
			continue;
		share[i] = wanted[i];
		*rest -= wanted[i];
		left--;
	}
	return left;
}

void shares_divide(uint64_t total, const uint64_t *wanted, uint64_t *ret_share, size_t count)
{
	size_t open = count, before = 0;
	uint64_t floor, rest;

	if (!count)
		return;
	floor = total / SHARES_FLOOR / count;
	rest = total - floor * count;
	for (size_t i = 0; i < count; i++)
		ret_share[i] = UINT64_MAX;
	while (open && open != before) {
		before = open;
		open = satisfy(&rest, wanted, ret_share, count, open);
	}
	if (!open) /* all are content: what remains goes to everybody */
		floor += rest / count;
	for (size_t i = 0; i < count; i++)
		ret_share[i] =
			floor + (ret_share[i] == UINT64_MAX ? rest / (open ?: 1) : ret_share[i]);
}
