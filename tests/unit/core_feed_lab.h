/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A feed pushed through its parser in pieces of any size, and what came out.
 *
 *	struct feed_options o = { .format = FEED_PLAIN };
 *	_cleanup_(lab_done) struct lab l = lab_text(&o, "192.0.2.1\n");
 *
 * A result keeps every source, the first rows whole, and a sum over all bytes
 * of all rows, by which two ways of pushing are compared. Counting is done on
 * intervals of numbers and knows nothing of the code under test.
 */
#ifndef TESTS_CORE_FEED_LAB_H
#define TESTS_CORE_FEED_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/feed.h"

#define LAB_ROWS     64 /* kept whole */
#define LAB_FILE_MAX (64 << 20)

#define LAB_WHOLE  0 /* all bytes in one piece */
#define LAB_RANDOM SIZE_MAX

struct lab {
	int err; /* of finish */
	struct feed_summary sum;
	struct prefix *sources;
	uint32_t *lines;
	size_t count, room;
	struct feed_row rows[LAB_ROWS];
	uint64_t hash;
	int stop_at; /* the row callback returns stop_with at this row; 0: never */
	int stop_with;
};

static inline void lab_done(struct lab *l)
{
	free(l->sources);
	free(l->lines);
}

static inline int lab_row(void *arg, const struct feed_row *row)
{
	const uint8_t *bytes = (const uint8_t *)row;
	struct lab *l = arg;

	if (l->count == l->room) {
		l->room = l->room ? 2 * l->room : 1024;
		l->sources = realloc(l->sources, l->room * sizeof(*l->sources));
		l->lines = realloc(l->lines, l->room * sizeof(*l->lines));
		assert_non_null(l->sources);
		assert_non_null(l->lines);
	}
	if (l->count < LAB_ROWS)
		l->rows[l->count] = *row;
	l->sources[l->count] = row->source;
	l->lines[l->count++] = row->line;
	for (size_t i = 0; i < sizeof(*row); i++)
		l->hash = (l->hash ^ bytes[i]) * 0x100000001b3;
	return l->stop_at && l->count == (size_t)l->stop_at ? l->stop_with : 0;
}

static inline void lab_push(struct lab *l, const struct feed_options *options, const char *bytes,
			    size_t size, size_t piece)
{
	_cleanup_(feed_parser_freep) struct feed_parser *p = NULL;
	uint64_t random = 88172645463325252;

	assert_int_equal(feed_parser_new(options, lab_row, l, &p), 0);
	for (size_t at = 0; at < size;) {
		size_t n = piece;

		if (piece == LAB_RANDOM) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			n = 1 + (random >> 20) % (random & 64 ? 9 : 1500);
		}
		if (!n || n > size - at)
			n = size - at;
		if (piece) { /* a copy of its own, so that a read behind it is seen */
			_cleanup_free_ char *copy = malloc(n);

			memcpy(copy, bytes + at, n);
			if (feed_parser_push(p, copy, n) < 0)
				break;
		} else if (feed_parser_push(p, bytes + at, n) < 0) {
			break;
		}
		at += n;
	}
	l->err = feed_parser_finish(p, &l->sum);
}

static inline struct lab lab_bytes(const struct feed_options *options, const void *bytes,
				   size_t size, size_t piece)
{
	struct lab l = {};

	lab_push(&l, options, bytes, size, piece);
	return l;
}

static inline bool lab_same(const struct lab *a, const struct lab *b)
{
	return a->err == b->err && a->count == b->count && a->hash == b->hash &&
	       a->sum.format == b->sum.format && a->sum.fault == b->sum.fault &&
	       !strcmp(a->sum.detail, b->sum.detail) && a->sum.lines == b->sum.lines &&
	       a->sum.entries == b->sum.entries && a->sum.masked == b->sum.masked &&
	       a->sum.first_skipped == b->sum.first_skipped && a->sum.complete == b->sum.complete &&
	       a->sum.timestamp == b->sum.timestamp && !strcmp(a->sum.title, b->sum.title) &&
	       !memcmp(a->sum.skipped, b->sum.skipped, sizeof(a->sum.skipped));
}

/* In one piece, and checked to be the same byte by byte, by sevens and at random. */
static inline struct lab lab_sized(const struct feed_options *options, const void *bytes,
				   size_t size)
{
	static const size_t pieces[] = { 1, 7, LAB_RANDOM };
	struct lab l = lab_bytes(options, bytes, size, LAB_WHOLE);

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		_cleanup_(lab_done) struct lab other = lab_bytes(options, bytes, size, pieces[i]);

		if (!lab_same(&l, &other))
			fail_msg("pieces of %zu differ: fault '%s' and '%s', %zu and %zu rows",
				 pieces[i], l.sum.detail, other.sum.detail, l.count, other.count);
	}
	return l;
}

static inline struct lab lab_text(const struct feed_options *options, const char *text)
{
	return lab_sized(options, text, strlen(text));
}

static inline uint64_t lab_skips(const struct lab *l)
{
	uint64_t all = 0;

	for (int i = 0; i < FEED_SKIP_MAX; i++)
		all += l->sum.skipped[i];
	return all;
}

/* All rows as text: "192.0.2.1 192.0.2.0/24". */
static inline const char *lab_list(const struct lab *l, char *buf, size_t room)
{
	char text[PREFIX_TEXT_MAX];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < l->count && used < room; i++)
		used += snprintf(buf + used, room - used, "%s%s", i ? " " : "",
				 prefix_format(&l->sources[i], text));
	return buf;
}

static inline void lab_expect_fault(const struct lab *l, enum feed_fault fault)
{
	assert_int_equal(l->err, 0);
	if (l->sum.fault != fault)
		fail_msg("fault '%s' (%s) instead of '%s'", feed_fault_label(l->sum.fault),
			 l->sum.detail, feed_fault_label(fault));
	assert_true(fault == FEED_GOOD || l->sum.detail[0]);
}

typedef unsigned __int128 lab_wide;

struct lab_interval {
	lab_wide first, last;
};

struct lab_count {
	uint64_t distinct, inside, lengths;
	lab_wide addresses;
};

static inline int lab_compare(const void *a, const void *b)
{
	const struct lab_interval *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->last == y->last ? 0 : x->last > y->last ? -1 : 1;
}

/* Distinct prefixes of a family, those inside another, the size of the union, different lengths. */
static inline struct lab_count lab_count(const struct lab *l, uint8_t family)
{
	_cleanup_free_ struct lab_interval *list = calloc(l->count + 1, sizeof(*list));
	struct lab_count c = {};
	bool length[129] = {};
	lab_wide end = 0;
	size_t n = 0;

	assert_non_null(list);
	for (size_t i = 0; i < l->count; i++) {
		const struct prefix *p = &l->sources[i];
		unsigned int bits = family == MOAT_IPV4 ? 32 : 128;
		lab_wide first = 0, size;

		if (p->family != family)
			continue;
		for (unsigned int b = 0; b < bits / 8; b++)
			first = first << 8 | p->addr[b];
		size = (lab_wide)1 << (bits - p->len);
		assert_true(first % size == 0);
		list[n++] = (struct lab_interval){ first, first + size - 1 };
		c.lengths += !length[p->len];
		length[p->len] = true;
	}
	qsort(list, n, sizeof(*list), lab_compare);
	for (size_t i = 0; i < n; i++) {
		if (i && !lab_compare(&list[i], &list[i - 1]))
			continue;
		c.distinct++;
		if (c.distinct > 1 && list[i].last <= end) {
			c.inside++;
			continue;
		}
		c.addresses += list[i].last - list[i].first + 1;
		end = list[i].last;
	}
	return c;
}

/* A file of the shared data (MOAT_SHARED/data, by default ../shared/data). NULL: it is not there. */
static inline char *lab_file(const char *name, size_t *ret_size)
{
	const char *shared = getenv("MOAT_SHARED");
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *bytes = NULL;
	char path[512];

	snprintf(path, sizeof(path), "%s/data/%s", shared ? shared : "../shared", name);
	f = fopen(path, "re");
	if (!f) {
		print_message("# SKIP %s is not there\n", path);
		return NULL;
	}
	bytes = malloc(LAB_FILE_MAX);
	assert_non_null(bytes);
	*ret_size = fread(bytes, 1, LAB_FILE_MAX, f);
	return take_ptr(bytes);
}

#endif
