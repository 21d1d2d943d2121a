/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/feed_asn.h"

#include "core/feed_private.h"

#define ENTRIES_FIRST 1024

struct entry {
	range_address first, last;
	uint32_t asn;
	uint8_t family;
};

struct entries {
	struct entry *at; /* owned */
	size_t count, room, max;
};

struct feed_asn {
	struct entries table;  /* the one that is being read */
	struct entries ranges; /* whose is what; after feed_asn_ready() by AS, family, address */
	uint64_t added[2];     /* by family */
};

int feed_asn_new(struct feed_asn **ret)
{
	struct feed_asn *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->table.max = ASN_ENTRIES_MAX;
	a->ranges.max = ASN_RANGES_MAX;
	*ret = a;
	return 0;
}

struct feed_asn *feed_asn_free(struct feed_asn *a)
{
	if (!a)
		return NULL;
	free(a->table.at);
	free(a->ranges.at);
	free(a);
	return NULL;
}

static int append(struct entries *e, const struct entry *entry)
{
	size_t room = e->room ? 2 * e->room : ENTRIES_FIRST;
	struct entry *grown;

	if (e->count == e->max)
		return -EFBIG;
	if (e->count == e->room) {
		grown = reallocarray(e->at, room, sizeof(*e->at));
		if (!grown)
			return -ENOMEM;
		e->at = grown;
		e->room = room;
	}
	e->at[e->count++] = *entry;
	return 0;
}

static bool is_all(const struct range *r)
{
	range_address last = r->family == MOAT_IPV4 ? UINT32_MAX : ~(range_address)0;

	return !r->first && r->last == last;
}

int feed_asn_add(struct feed_asn *a, const struct range *range, uint32_t asn)
{
	const struct entry entry = { range->first, range->last, asn, range->family };

	a->added[range->family]++;
	return !asn || is_all(range) ? 0 : append(&a->table, &entry);
}

/* ---- who has the last word ---- */

static int compare_addresses(range_address a, range_address b)
{
	return a < b ? -1 : a > b;
}

/* By address; what surrounds others before them. */
static int compare_entries(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int order = a->family - b->family;

	order = order ?: compare_addresses(a->first, b->first);
	order = order ?: compare_addresses(b->last, a->last);
	return order ?: (a->asn > b->asn) - (a->asn < b->asn);
}

/* Entries of the same addresses, all of them owners: count of them, from at. */
struct group {
	size_t at, count;
};

/* The groups around the current address, the narrowest on top. */
struct sweep {
	const struct entries *table;
	struct entries *out;
	struct group *stack; /* owned */
	size_t depth;
	range_address position; /* what is before it is done */
};

/* What lies from the position to last is the top's. */
static int give(struct sweep *s, range_address last)
{
	const struct group *top = &s->stack[s->depth - 1];
	int err = 0;

	if (s->position > last)
		return 0;
	for (size_t i = 0; i < top->count && !err; i++) {
		struct entry piece = s->table->at[top->at + i];

		piece.first = s->position;
		piece.last = last;
		err = append(s->out, &piece);
	}
	return err;
}

/* Ends the groups that end before an address; all: whatever they end at. */
static int leave(struct sweep *s, range_address before, bool all)
{
	while (s->depth) {
		range_address last = s->table->at[s->stack[s->depth - 1].at].last;
		int err;

		if (!all && last >= before)
			return 0;
		err = give(s, last);
		if (err)
			return err;
		if (last ==
		    ~(range_address)0) { /* the end of all: nothing is left of what is around it */
			s->depth = 0;
			return 0;
		}
		if (last >= s->position)
			s->position = last + 1;
		s->depth--;
	}
	return 0;
}

static size_t group_size(const struct entries *t, size_t at)
{
	size_t count = 1;

	while (at + count < t->count && t->at[at + count].first == t->at[at].first &&
	       t->at[at + count].last == t->at[at].last &&
	       t->at[at + count].family == t->at[at].family)
		count++;
	return count;
}

static int sweep(struct sweep *s)
{
	const struct entries *t = s->table;
	size_t count;

	for (size_t i = 0; i < t->count; i += count) {
		const struct entry *e = &t->at[i];
		bool other = i && t->at[i - 1].family != e->family;
		int err = leave(s, e->first, other);

		if (!err && s->depth && e->first)
			err = give(s, e->first - 1);
		if (err)
			return err;
		s->position = e->first;
		count = group_size(t, i);
		s->stack[s->depth++] = (struct group){ i, count };
	}
	return leave(s, 0, true);
}

int feed_asn_end_table(struct feed_asn *a)
{
	struct sweep s = { .table = &a->table, .out = &a->ranges };
	int err;

	if (!a->table.count)
		return 0;
	qsort(a->table.at, a->table.count, sizeof(*a->table.at), compare_entries);
	s.stack = reallocarray(NULL, a->table.count, sizeof(*s.stack));
	err = s.stack ? sweep(&s) : -ENOMEM;
	free(s.stack);
	free(a->table.at);
	a->table = (struct entries){ .max = ASN_ENTRIES_MAX };
	return err;
}

/* ---- by AS ---- */

static int compare_owners(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int order = (a->asn > b->asn) - (a->asn < b->asn);

	return order ?: compare_entries(x, y);
}

/* Neighbours of one AS become one range. */
void feed_asn_ready(struct feed_asn *a)
{
	struct entries *e = &a->ranges;
	size_t kept = 0;

	if (e->count)
		qsort(e->at, e->count, sizeof(*e->at), compare_owners);
	for (size_t i = 0; i < e->count; i++) {
		struct entry *last = kept ? &e->at[kept - 1] : NULL;

		if (last && last->asn == e->at[i].asn && last->family == e->at[i].family &&
		    (e->at[i].first <= last->last || e->at[i].first - last->last == 1)) {
			if (e->at[i].last > last->last)
				last->last = e->at[i].last;
		} else {
			e->at[kept++] = e->at[i];
		}
	}
	e->count = kept;
}

uint64_t feed_asn_entries(const struct feed_asn *a, uint8_t family)
{
	return a->added[family];
}

/* The first range of an AS, or where it would be. */
static size_t find(const struct entries *e, uint32_t asn)
{
	size_t low = 0, high = e->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->at[middle].asn < asn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* "AS64496 SBL256894" */
static void set_reference(struct feed_row *row, const struct feed_row *from)
{
	char text[sizeof(row->reference) + 16];

	snprintf(text, sizeof(text), "AS%u%s%s", from->asn, from->reference[0] ? " " : "",
		 from->reference);
	memset(row->reference, 0, sizeof(row->reference));
	feed_text_copy(row->reference, sizeof(row->reference), text, strlen(text));
}

int feed_asn_expand(const struct feed_asn *a, const struct feed_row *row, feed_row_fn fn, void *arg,
		    uint64_t *ret_prefixes)
{
	const struct entries *e = &a->ranges;
	struct feed_row out = *row;
	uint64_t count = 0;
	int err = 0;

	out.kind = row->kind == FEED_ROW_ASN_REMOVE ? FEED_ROW_REMOVE : FEED_ROW_ADD;
	out.asn = 0;
	set_reference(&out, row);
	for (size_t i = find(e, row->asn); i < e->count && e->at[i].asn == row->asn; i++) {
		struct range left = { e->at[i].family, e->at[i].first, e->at[i].last, false };

		while (!err && range_take(&left, &out.source)) {
			count++;
			err = fn(arg, &out);
		}
		if (err)
			break;
	}
	*ret_prefixes = count;
	return err;
}
