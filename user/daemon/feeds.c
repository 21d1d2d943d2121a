/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeds.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* More than twice FEEDS_MAX, so that probing ends soon. */
#define FEEDS_SLOTS (1U << 17)

struct feed {
	char *name; /* owned */
	bool cidr;
};

struct feeds {
	struct feed *feed; /* by number */
	size_t count, room;
	uint32_t slot[FEEDS_SLOTS]; /* number plus 1; 0: free */
};

int feeds_new(struct feeds **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct feeds *feeds_free(struct feeds *f)
{
	if (!f)
		return NULL;
	for (size_t i = 0; i < f->count; i++)
		free(f->feed[i].name);
	free(f->feed);
	free(f);
	return NULL;
}

static bool feed_is(const struct feed *feed, const char *name, bool cidr)
{
	return feed->cidr == cidr && !strcmp(feed->name, name);
}

/* The slot that holds the name, or the free one it would go to. */
static uint32_t feeds_slot(const struct feeds *f, const char *name, bool cidr)
{
	uint32_t at = (uint32_t)XXH3_64bits_withSeed(name, strlen(name), cidr) & (FEEDS_SLOTS - 1);

	while (f->slot[at] && !feed_is(&f->feed[f->slot[at] - 1], name, cidr))
		at = (at + 1) & (FEEDS_SLOTS - 1);
	return at;
}

int feeds_find(const struct feeds *f, const char *name, bool cidr)
{
	uint32_t number = f->slot[feeds_slot(f, name, cidr)];

	return number ? (int)number - 1 : -ENOENT;
}

int feeds_number(struct feeds *f, const char *name, bool cidr)
{
	uint32_t at = feeds_slot(f, name, cidr);

	if (f->slot[at])
		return (int)f->slot[at] - 1;
	if (f->count >= FEEDS_MAX)
		return -ENOSPC;
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 16;
		struct feed *grown = reallocarray(f->feed, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		f->feed = grown;
		f->room = room;
	}
	f->feed[f->count] = (struct feed){ .name = strdup(name), .cidr = cidr };
	if (!f->feed[f->count].name)
		return -ENOMEM;
	f->slot[at] = (uint32_t)++f->count;
	return (int)f->count - 1;
}

size_t feeds_count(const struct feeds *f)
{
	return f->count;
}

const char *feeds_name(const struct feeds *f, uint16_t number)
{
	return f->feed[number].name;
}

bool feeds_is_cidr(const struct feeds *f, uint16_t number)
{
	return f->feed[number].cidr;
}
