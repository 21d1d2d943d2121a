// SPDX-License-Identifier: BSD-2-Clause
#include "core/feed_held.h"

#define HELD_FIRST ((size_t)1 << 16)

/* A row up to its texts, and how long these are without NUL. */
#define FIXED offsetof(struct feed_row, category)

struct packed {
	uint32_t tag;
	uint8_t category, reference, reason;
	uint8_t unused;
	char fixed[FIXED];
};

int feed_held_add(struct feed_held *h, const struct feed_row *row, uint32_t tag)
{
	struct packed packed = {
		.tag = tag,
		.category = strnlen(row->category, sizeof(row->category) - 1),
		.reference = strnlen(row->reference, sizeof(row->reference) - 1),
		.reason = strnlen(row->reason, sizeof(row->reason) - 1),
	};
	size_t more = sizeof(packed) + packed.category + packed.reference + packed.reason;
	size_t room = h->room ? h->room : HELD_FIRST;
	char *to;

	if (more > FEED_HELD_MAX - h->size)
		return -EFBIG;
	while (room - h->size < more)
		room *= 2;
	if (room != h->room) {
		to = realloc(h->bytes, room);
		if (!to)
			return -ENOMEM;
		h->bytes = to;
		h->room = room;
	}
	memcpy(packed.fixed, row, FIXED);
	to = h->bytes + h->size;
	memcpy(to, &packed, sizeof(packed));
	to += sizeof(packed);
	memcpy(to, row->category, packed.category);
	to += packed.category;
	memcpy(to, row->reference, packed.reference);
	to += packed.reference;
	memcpy(to, row->reason, packed.reason);
	h->size += more;
	return 0;
}

bool feed_held_next(const struct feed_held *h, size_t *at, struct feed_row *row, uint32_t *tag)
{
	struct packed packed;
	const char *from;

	if (*at >= h->size)
		return false;
	from = h->bytes + *at;
	memcpy(&packed, from, sizeof(packed));
	from += sizeof(packed);
	*tag = packed.tag;
	memset(row, 0, sizeof(*row));
	memcpy(row, packed.fixed, FIXED);
	memcpy(row->category, from, packed.category);
	from += packed.category;
	memcpy(row->reference, from, packed.reference);
	from += packed.reference;
	memcpy(row->reason, from, packed.reason);
	from += packed.reason;
	*at = from - h->bytes;
	return true;
}

void feed_held_free(struct feed_held *h)
{
	free(h->bytes);
	*h = (struct feed_held){};
}
