/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/crowdsec_table.h"

#include "core/units.h"
#include "daemon/feeds.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS_FIRST 1024 /* a power of two, as all sizes */
#define TYPES_MAX   255

struct decision {
	struct prefix source;
	uint8_t scope;	 /* enum feed_scope */
	uint8_t type;	 /* number of .types, plus 1; 0: the slot is free */
	uint16_t reason; /* number of .reasons, plus 1; 0: none */
	uint64_t id;	 /* 0: none, or no number */
	int64_t expires;
};

_Static_assert(sizeof(struct decision) == 40, "what the header promises, with room for the slots");

struct crowdsec_table {
	struct decision *slot; /* owned; open addressing, a source's decisions in one run */
	size_t slots, count;
	struct feeds *types, *reasons; /* owned; texts by number */
};

int crowdsec_table_new(struct crowdsec_table **ret)
{
	_cleanup_(crowdsec_table_freep) struct crowdsec_table *t = calloc(1, sizeof(*t));

	if (!t || feeds_new(&t->types) || feeds_new(&t->reasons))
		return -ENOMEM;
	t->slot = calloc(SLOTS_FIRST, sizeof(*t->slot));
	if (!t->slot)
		return -ENOMEM;
	t->slots = SLOTS_FIRST;
	*ret = take_ptr(t);
	return 0;
}

struct crowdsec_table *crowdsec_table_free(struct crowdsec_table *t)
{
	if (!t)
		return NULL;
	feeds_free(t->types);
	feeds_free(t->reasons);
	free(t->slot);
	free(t);
	return NULL;
}

size_t crowdsec_table_count(const struct crowdsec_table *t)
{
	return t->count;
}

/* ---- slots ---- */

static size_t home_of(const struct crowdsec_table *t, const struct prefix *source)
{
	return XXH3_64bits(source, sizeof(*source)) & (t->slots - 1);
}

static bool is_same(const struct decision *a, const struct decision *b)
{
	return a->type == b->type && a->scope == b->scope &&
	       !prefix_compare(&a->source, &b->source);
}

/* The slot that holds it, or the free one it would go to. */
static size_t slot_of(const struct crowdsec_table *t, const struct decision *d)
{
	size_t at = home_of(t, &d->source);

	while (t->slot[at].type && !is_same(&t->slot[at], d))
		at = (at + 1) & (t->slots - 1);
	return at;
}

static int grow(struct crowdsec_table *t)
{
	struct crowdsec_table larger = { .slots = t->slots * 2 };

	larger.slot = calloc(larger.slots, sizeof(*larger.slot));
	if (!larger.slot)
		return -ENOMEM;
	for (size_t i = 0; i < t->slots; i++)
		if (t->slot[i].type)
			larger.slot[slot_of(&larger, &t->slot[i])] = t->slot[i];
	free(t->slot);
	t->slot = larger.slot;
	t->slots = larger.slots;
	return 0;
}

/* What stood behind it in its run moves up, or a search would end at the hole. */
static void clear_slot(struct crowdsec_table *t, size_t hole)
{
	size_t mask = t->slots - 1;

	for (size_t at = (hole + 1) & mask; t->slot[at].type; at = (at + 1) & mask) {
		size_t home = home_of(t, &t->slot[at].source);

		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		t->slot[hole] = t->slot[at];
		hole = at;
	}
	t->slot[hole] = (struct decision){};
	t->count--;
}

/* ---- rows ---- */

static int number_of(struct feeds *texts, const char *text, int most)
{
	int known = feeds_find(texts, text, false);

	if (known >= 0)
		return known;
	return feeds_count(texts) < (size_t)most ? feeds_number(texts, text, false) : -ENOSPC;
}

int crowdsec_table_add(struct crowdsec_table *t, const struct feed_row *row)
{
	int type = number_of(t->types, row->category, TYPES_MAX);
	int reason = row->reason[0] ? number_of(t->reasons, row->reason, FEEDS_MAX) : -ENOENT;
	struct decision d = { .source = row->source, .scope = row->scope, .expires = row->expires };
	size_t at;

	if (type < 0)
		return type;
	d.type = (uint8_t)(type + 1);
	d.reason = (uint16_t)(reason >= 0 && reason < FEEDS_MAX ? reason + 1 : 0);
	if (units_number(row->reference, &d.id))
		d.id = 0;
	at = slot_of(t, &d);
	if (t->slot[at].type) {
		if (t->slot[at].expires <= d.expires)
			t->slot[at] = d;
		return 0;
	}
	if (t->count >= CROWDSEC_DECISIONS_MAX)
		return -E2BIG;
	if (t->count * 4 >= t->slots * 3) {
		if (grow(t))
			return -ENOMEM;
		at = slot_of(t, &d);
	}
	t->slot[at] = d;
	t->count++;
	return 0;
}

void crowdsec_table_remove(struct crowdsec_table *t, const struct feed_row *row)
{
	int type = feeds_find(t->types, row->category, false);
	struct decision d = { .source = row->source, .scope = row->scope };
	size_t at;

	if (type < 0)
		return;
	d.type = (uint8_t)(type + 1);
	at = slot_of(t, &d);
	if (t->slot[at].type)
		clear_slot(t, at);
}

static struct feed_row row_of(const struct crowdsec_table *t, const struct decision *d)
{
	struct feed_row row = {
		.source = d->source,
		.kind = FEED_ROW_ADD,
		.confidence = FEED_NO_CONFIDENCE,
		.scope = d->scope,
		.line = 1,
		.expires = d->expires,
	};

	snprintf(row.category, sizeof(row.category), "%s",
		 feeds_name(t->types, (uint16_t)(d->type - 1)));
	if (d->id)
		snprintf(row.reference, sizeof(row.reference), "%llu", (unsigned long long)d->id);
	if (d->reason)
		snprintf(row.reason, sizeof(row.reason), "%s",
			 feeds_name(t->reasons, (uint16_t)(d->reason - 1)));
	return row;
}

int crowdsec_table_each(const struct crowdsec_table *t, const struct prefix *source,
			crowdsec_row_fn fn, void *arg)
{
	int r = 0;

	for (size_t at = home_of(t, source); t->slot[at].type && !r;
	     at = (at + 1) & (t->slots - 1)) {
		struct feed_row row;

		if (prefix_compare(&t->slot[at].source, source) != 0)
			continue;
		row = row_of(t, &t->slot[at]);
		r = fn(arg, &row);
	}
	return r;
}

int crowdsec_table_reasons(const struct crowdsec_table *t, int64_t now, crowdsec_reason_fn fn,
			   void *arg)
{
	size_t reasons = feeds_count(t->reasons) + 1;
	_cleanup_free_ uint64_t(*count)[2] = calloc(reasons, sizeof(*count));

	if (!count)
		return -ENOMEM;
	for (size_t at = 0; at < t->slots; at++) {
		const struct decision *d = &t->slot[at];

		if (d->type && d->expires > now)
			count[d->reason][d->source.family == MOAT_IPV6]++;
	}
	for (size_t i = 0; i < reasons; i++)
		if (count[i][0] || count[i][1])
			fn(arg, i ? feeds_name(t->reasons, (uint16_t)(i - 1)) : "", count[i]);
	return 0;
}
