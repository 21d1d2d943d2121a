/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feed_set.h"

#include "core/gate.h"

#define ENTRIES_FIRST 1024
#define TEXTS_FIRST   4096

struct feed_set {
	struct feed_entry *entry; /* owned */
	size_t count, room;
	size_t duplicates;
	char *texts; /* owned: reference, reason, each with NUL; at 0 two empty ones */
	size_t texts_used, texts_room;
	char category[MOAT_CATEGORIES][MOAT_CATEGORY_NAME];
	int categories;
};

int feed_set_new(struct feed_set **ret)
{
	_cleanup_(feed_set_freep) struct feed_set *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->texts = calloc(1, TEXTS_FIRST);
	if (!s->texts)
		return -ENOMEM;
	s->texts_room = TEXTS_FIRST;
	s->texts_used = 2;
	*ret = take_ptr(s);
	return 0;
}

struct feed_set *feed_set_free(struct feed_set *s)
{
	if (!s)
		return NULL;
	free(s->entry);
	free(s->texts);
	free(s);
	return NULL;
}

int feed_set_category(struct feed_set *s, const char *name)
{
	for (int i = 0; i < s->categories; i++)
		if (!strcmp(s->category[i], name))
			return i;
	if (s->categories == MOAT_CATEGORIES)
		return -ENOSPC;
	snprintf(s->category[s->categories], sizeof(s->category[0]), "%s", name);
	return s->categories++;
}

const char *feed_set_category_name(const struct feed_set *s, uint8_t category)
{
	return s->category[category];
}

/* Where the texts of the row are. Many rows of a list say the same: the last one's are shared. */
static int keep_texts(struct feed_set *s, const struct feed_row *row, uint32_t *ret)
{
	size_t reference = strnlen(row->reference, sizeof(row->reference) - 1);
	size_t reason = strnlen(row->reason, sizeof(row->reason) - 1);
	size_t need = reference + reason + 2;
	const struct feed_entry *last = s->count ? &s->entry[s->count - 1] : NULL;
	char *at, *grown;

	*ret = 0;
	if (!reference && !reason)
		return 0;
	if (last && !strcmp(feed_set_reference(s, last), row->reference) &&
	    !strcmp(feed_set_reason(s, last), row->reason)) {
		*ret = last->texts;
		return 0;
	}
	if (s->texts_used + need > FEED_SET_TEXTS)
		return -E2BIG;
	if (s->texts_used + need > s->texts_room) {
		grown = realloc(s->texts, s->texts_room * 2);
		if (!grown)
			return -ENOMEM;
		s->texts = grown;
		s->texts_room *= 2;
	}
	at = s->texts + s->texts_used;
	memcpy(at, row->reference, reference);
	at[reference] = '\0';
	memcpy(at + reference + 1, row->reason, reason);
	at[reference + 1 + reason] = '\0';
	*ret = (uint32_t)s->texts_used;
	s->texts_used += need;
	return 0;
}

int feed_set_add(struct feed_set *s, const struct feed_row *row, uint8_t category, int64_t expires)
{
	size_t room = s->room ? s->room * 2 : ENTRIES_FIRST;
	struct feed_entry *grown;
	uint32_t texts;
	int err;

	if (s->count == FEED_SET_MAX)
		return -E2BIG;
	if (s->count == s->room) {
		grown = reallocarray(s->entry, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->entry = grown;
		s->room = room;
	}
	err = keep_texts(s, row, &texts);
	if (err)
		return err;
	s->entry[s->count++] = (struct feed_entry){
		.source = row->source,
		.category = category,
		.confidence = row->confidence <= 100 ? row->confidence : FEED_NO_CONFIDENCE,
		.ends = row->kind == FEED_ROW_REMOVE,
		.texts = texts,
		.expires = expires,
	};
	return 0;
}

static int compare_keys(const struct feed_entry *a, const struct prefix *source, int category)
{
	int order = prefix_compare(&a->source, source);

	return order ? order : (int)a->category - category;
}

/* Among equal keys the one that stays is the first. */
static int compare_entries(const void *a, const void *b)
{
	const struct feed_entry *x = a, *y = b;
	uint64_t ends_x = x->expires ? (uint64_t)x->expires : UINT64_MAX;
	uint64_t ends_y = y->expires ? (uint64_t)y->expires : UINT64_MAX;
	int order = compare_keys(x, &y->source, y->category);

	if (order)
		return order;
	if (x->ends != y->ends)
		return x->ends - y->ends;
	if (ends_x != ends_y)
		return ends_x > ends_y ? -1 : 1;
	return x->texts < y->texts ? -1 : x->texts > y->texts;
}

static bool is_sorted(const struct feed_set *s)
{
	for (size_t i = 1; i < s->count; i++)
		if (compare_entries(&s->entry[i - 1], &s->entry[i]) > 0)
			return false;
	return true;
}

void feed_set_sort(struct feed_set *s)
{
	size_t kept = 0;

	if (!s->count)
		return;
	if (!is_sorted(s))
		qsort(s->entry, s->count, sizeof(*s->entry), compare_entries);
	for (size_t i = 0; i < s->count; i++) {
		if (kept &&
		    !compare_keys(&s->entry[kept - 1], &s->entry[i].source, s->entry[i].category))
			continue;
		s->entry[kept++] = s->entry[i];
	}
	s->duplicates += s->count - kept;
	s->count = kept;
}

size_t feed_set_count(const struct feed_set *s)
{
	return s->count;
}

size_t feed_set_duplicates(const struct feed_set *s)
{
	return s->duplicates;
}

struct feed_entry *feed_set_at(struct feed_set *s, size_t index)
{
	return &s->entry[index];
}

struct feed_entry *feed_set_find(struct feed_set *s, const struct prefix *source, int category)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_keys(&s->entry[middle], source, category);

		if (!order)
			return &s->entry[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *feed_set_reference(const struct feed_set *s, const struct feed_entry *entry)
{
	return s->texts + entry->texts;
}

const char *feed_set_reason(const struct feed_set *s, const struct feed_entry *entry)
{
	const char *reference = feed_set_reference(s, entry);

	return reference + strlen(reference) + 1;
}

/* ---- covers ---- */

void cover_free(struct cover *c)
{
	free(c->prefix);
	*c = (struct cover){};
}

int cover_make(struct feed_set *s, struct cover *ret)
{
	struct prefix *prefix = malloc((s->count + 1) * sizeof(*prefix));
	size_t count = 0;

	if (!prefix)
		return -ENOMEM;
	for (size_t i = 0; i < s->count; i++) {
		const struct feed_entry *entry = &s->entry[i];

		if (entry->cause || entry->ends)
			continue;
		if (!count || !prefix_covers(&prefix[count - 1], &entry->source))
			prefix[count++] = entry->source;
	}
	*ret = (struct cover){ .prefix = prefix, .count = count };
	return 0;
}

bool cover_overlaps(const struct prefix *cover, size_t count, const struct prefix *p)
{
	size_t low = 0, high = count;

	/* The first that sorts behind p; the one before it may hold p, it may lie in p. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&cover[middle], p) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && prefix_covers(&cover[low - 1], p))
		return true;
	return low < count && prefix_covers(p, &cover[low]);
}

uint64_t cover_addresses(const struct cover *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->count; i++)
		if (c->prefix[i].family == MOAT_IPV4)
			sum += 1ULL << (32 - c->prefix[i].len);
	return sum;
}

uint64_t cover_nets(const struct cover *c)
{
	struct prefix last = {}, net;
	uint64_t sum = 0;

	for (size_t i = 0; i < c->count; i++) {
		if (c->prefix[i].family != MOAT_IPV6)
			continue;
		net = c->prefix[i].len > 64 ? prefix_shorten(&c->prefix[i], 64) : c->prefix[i];
		if (last.family == MOAT_IPV6 && !prefix_compare(&last, &net))
			continue;
		last = net;
		if (!net.len || __builtin_add_overflow(sum, 1ULL << (64 - net.len), &sum))
			return UINT64_MAX;
	}
	return sum;
}
