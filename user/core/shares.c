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
	uint64_t floor = count ? total / SHARES_FLOOR / count : 0;
	uint64_t rest = total - floor * count;
	size_t open = count, left;

	for (size_t i = 0; i < count; i++)
		ret_share[i] = UINT64_MAX;
	for (left = open; left; open = left) {
		left = satisfy(&rest, wanted, ret_share, count, open);
		if (left == open)
			break;
	}
	for (size_t i = 0; i < count; i++)
		if (ret_share[i] == UINT64_MAX)
			ret_share[i] = rest / left;
	if (!left) /* all are content: what remains goes to everybody */
		floor += count ? rest / count : 0;
	for (size_t i = 0; i < count; i++)
		ret_share[i] += floor;
}
