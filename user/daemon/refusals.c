/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/refusals.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* One allocation: the struct, then source, category and feed with their NULs. */
struct refused_row {
	struct refused_row *chain; /* of the bucket */
	struct refused_row *older, *newer;
	struct refused_row *unsaved; /* queue of what table refused does not know yet */
	uint64_t hash;
	uint8_t cause; /* enum gate_cause; GATE_PASSED: gone, kept until saved */
	bool queued;
	uint32_t category, feed; /* offsets into text */
	char text[];
};

struct refusals {
	struct refused_row **bucket;
	size_t buckets; /* a power of two */
	size_t rows;	/* gone ones included */
	size_t by_cause[GATE_CAUSE_MAX];
	struct refused_row *oldest, *newest;
	struct refused_row *unsaved_first, *unsaved_last;
};

int refusals_new(struct refusals **ret)
{
	_cleanup_(refusals_freep) struct refusals *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->buckets = 64;
	r->bucket = calloc(r->buckets, sizeof(*r->bucket));
	if (!r->bucket)
		return -ENOMEM;
	*ret = take_ptr(r);
	return 0;
}

struct refusals *refusals_free(struct refusals *r)
{
	struct refused_row *row = r ? r->oldest : NULL;

	while (row) {
		struct refused_row *newer = row->newer;

		free(row);
		row = newer;
	}
	if (r)
		free(r->bucket);
	free(r);
	return NULL;
}

static const char *text_of(const char *text)
{
	return text ? text : "";
}

static uint64_t hash_of(const char *source, const char *category, const char *feed)
{
	XXH64_hash_t hash = XXH3_64bits(source, strlen(source) + 1);

	hash = XXH3_64bits_withSeed(category, strlen(category) + 1, hash);
	return XXH3_64bits_withSeed(feed, strlen(feed) + 1, hash);
}

static struct refused_row *row_find(const struct refusals *r, uint64_t hash, const char *source,
				    const char *category, const char *feed)
{
	struct refused_row *row = r->bucket[hash & (r->buckets - 1)];

	for (; row; row = row->chain)
		if (row->hash == hash && !strcmp(row->text, source) &&
		    !strcmp(row->text + row->category, category) &&
		    !strcmp(row->text + row->feed, feed))
			return row;
	return NULL;
}

static void refusals_grow(struct refusals *r)
{
	size_t buckets = r->buckets * 2;
	struct refused_row **bucket = calloc(buckets, sizeof(*bucket));

	if (!bucket)
		return; /* longer chains, no harm */
	for (struct refused_row *row = r->oldest; row; row = row->newer) {
		row->chain = bucket[row->hash & (buckets - 1)];
		bucket[row->hash & (buckets - 1)] = row;
	}
	free(r->bucket);
	r->bucket = bucket;
	r->buckets = buckets;
}

static struct refused_row *refusals_add(struct refusals *r, uint64_t hash, const char *source,
					const char *category, const char *feed)
{
	size_t a = strlen(source) + 1, b = strlen(category) + 1, c = strlen(feed) + 1;
	struct refused_row *row = calloc(1, sizeof(*row) + a + b + c);

	if (!row)
		return NULL;
	row->hash = hash;
	row->category = (uint32_t)a;
	row->feed = (uint32_t)(a + b);
	memcpy(row->text, source, a);
	memcpy(row->text + a, category, b);
	memcpy(row->text + a + b, feed, c);

	row->chain = r->bucket[hash & (r->buckets - 1)];
	r->bucket[hash & (r->buckets - 1)] = row;
	row->older = r->newest;
	*(r->newest ? &r->newest->newer : &r->oldest) = row;
	r->newest = row;
	if (++r->rows > r->buckets)
		refusals_grow(r);
	return row;
}

static void refusals_delete(struct refusals *r, struct refused_row *row)
{
	struct refused_row **link = &r->bucket[row->hash & (r->buckets - 1)];

	while (*link != row)
		link = &(*link)->chain;
	*link = row->chain;
	*(row->older ? &row->older->newer : &r->oldest) = row->newer;
	*(row->newer ? &row->newer->older : &r->newest) = row->older;
	r->rows--;
	free(row);
}

static void refusals_cause(struct refusals *r, struct refused_row *row, enum gate_cause cause)
{
	r->by_cause[row->cause]--;
	r->by_cause[cause]++;
	row->cause = cause;
	if (row->queued)
		return;
	row->queued = true;
	row->unsaved = NULL;
	*(r->unsaved_last ? &r->unsaved_last->unsaved : &r->unsaved_first) = row;
	r->unsaved_last = row;
}

int refusals_set(struct refusals *r, const char *source, const char *category, const char *feed,
		 enum gate_cause cause)
{
	struct refused_row *row;
	uint64_t hash;

	source = text_of(source);
	category = text_of(category);
	feed = text_of(feed);
	hash = hash_of(source, category, feed);
	row = row_find(r, hash, source, category, feed);
	if (row && row->cause == cause)
		return 0;
	if (!row) {
		row = refusals_add(r, hash, source, category, feed);
		if (!row)
			return -ENOMEM;
		r->by_cause[GATE_PASSED]++;
	}
	refusals_cause(r, row, cause);
	return 1;
}

int refusals_clear(struct refusals *r, const char *source, const char *category, const char *feed)
{
	struct refused_row *row;

	if (!r->rows)
		return 0;
	source = text_of(source);
	category = text_of(category);
	feed = text_of(feed);
	row = row_find(r, hash_of(source, category, feed), source, category, feed);
	if (!row || row->cause == GATE_PASSED)
		return 0;
	refusals_cause(r, row, GATE_PASSED);
	return 1;
}

enum gate_cause refusals_find(const struct refusals *r, const char *source, const char *category,
			      const char *feed)
{
	const struct refused_row *row;

	if (!r->rows)
		return GATE_PASSED;
	source = text_of(source);
	category = text_of(category);
	feed = text_of(feed);
	row = row_find(r, hash_of(source, category, feed), source, category, feed);
	return row ? row->cause : GATE_PASSED;
}

size_t refusals_count(const struct refusals *r)
{
	return r->rows - r->by_cause[GATE_PASSED];
}

size_t refusals_by_cause(const struct refusals *r, enum gate_cause cause)
{
	return r->by_cause[cause];
}

static struct refusal refusal_of(const struct refused_row *row)
{
	return (struct refusal){
		.source = row->text,
		.category = row->text + row->category,
		.feed = row->text + row->feed,
		.cause = row->cause == GATE_PASSED ? NULL : gate_cause_label(row->cause),
	};
}

int refusals_each(const struct refusals *r, int (*fn)(void *arg, const struct refusal *refusal),
		  void *arg)
{
	for (const struct refused_row *row = r->oldest; row; row = row->newer) {
		struct refusal refusal = refusal_of(row);
		int stop = refusal.cause ? fn(arg, &refusal) : 0;

		if (stop)
			return stop;
	}
	return 0;
}

size_t refusals_unsaved(const struct refusals *r, struct refusal *rows, size_t limit)
{
	size_t count = 0;

	for (const struct refused_row *row = r->unsaved_first; row && count < limit;
	     row = row->unsaved)
		rows[count++] = refusal_of(row);
	return count;
}

void refusals_saved(struct refusals *r, size_t count)
{
	while (count-- && r->unsaved_first) {
		struct refused_row *row = r->unsaved_first;

		r->unsaved_first = row->unsaved;
		if (!r->unsaved_first)
			r->unsaved_last = NULL;
		row->queued = false;
		if (row->cause != GATE_PASSED)
			continue;
		r->by_cause[GATE_PASSED]--;
		refusals_delete(r, row);
	}
}
