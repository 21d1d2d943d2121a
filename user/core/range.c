/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/range.h"

range_address range_number(const struct prefix *p)
{
	unsigned int bytes = prefix_max(p->family) / 8;
	range_address value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value = value << 8 | p->addr[i];
	return value;
}

range_address range_last(const struct prefix *p)
{
	unsigned int bits = prefix_max(p->family) - p->len;
	range_address all = ~(range_address)0;

	return range_number(p) | (bits < 128 ? ((range_address)1 << bits) - 1 : all);
}

static struct prefix to_prefix(uint8_t family, range_address value, unsigned int bits)
{
	unsigned int max = prefix_max(family);
	struct prefix p = { .family = family, .len = max - bits };

	for (unsigned int i = max / 8; i--; value >>= 8)
		p.addr[i] = value;
	return p;
}

bool range_take(struct range *r, struct prefix *ret)
{
	unsigned int max = prefix_max(r->family);
	unsigned int bits = 0; /* of the largest block that begins here and does not pass the end */
	range_address block = 0; /* its last address, from its first */

	if (r->taken || r->first > r->last)
		return false;
	while (bits < max && !(r->first >> bits & 1) && r->last - r->first >= (block << 1 | 1)) {
		block = block << 1 | 1;
		bits++;
	}
	*ret = to_prefix(r->family, r->first, bits);
	r->taken = r->last - r->first == block;
	r->first += block + 1;
	return true;
}
