/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feed_overlap.h"

void overlap_free(struct overlap *o)
{
	free(o->allowed);
	*o = (struct overlap){};
}

static int note_allowed(struct overlap *o, const struct row *row, int64_t now)
{
	struct claim claim = {};

	if (gate_check(o->gate, row, &claim) != GATE_PASSED ||
	    claim.category != MOAT_CATEGORY_ALLOW || (claim.expires && claim.expires <= now))
		return 0;
	if (o->count == o->room) {
		size_t room = o->room ? o->room * 2 : 64;
		struct prefix *grown = reallocarray(o->allowed, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		o->allowed = grown;
		o->room = room;
	}
	o->allowed[o->count++] = claim.source;
	return 0;
}

int overlap_note(struct overlap *o, const struct row *row, int64_t now, struct feed_report *ret)
{
	struct prefix source;
	size_t i;

	if (!row->source || !row->feed || prefix_parse(row->source, &source) ||
	    !cover_overlaps(o->cover->prefix, o->cover->count, &source))
		return 0;
	for (i = 0; i < ret->overlaps && strcmp(ret->overlap[i].feed, row->feed) != 0; i++)
		;
	if (i < FEED_OVERLAPS_MAX && strlen(row->feed) < sizeof(ret->overlap[i].feed)) {
		if (i == ret->overlaps)
			snprintf(ret->overlap[ret->overlaps++].feed, sizeof(ret->overlap[i].feed),
				 "%s", row->feed);
		ret->overlap[i].sources++;
	}
	return note_allowed(o, row, now);
}

void overlap_ready(struct overlap *o)
{
	o->count = gate_sort_never_block(o->allowed, o->count);
}

bool overlap_protected(const struct overlap *o, const struct prefix *source)
{
	return cover_overlaps(o->gate->never_block, o->gate->never_blocks, source) ||
	       cover_overlaps(o->allowed, o->count, source);
}
