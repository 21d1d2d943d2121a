/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of the JSON feeds: a file in, its rows as text and its summary
 * out. Each file is read whole and again in pieces of several sizes, and must
 * come out the same.
 *
 *	struct lab lab = {};
 *
 *	lab_read(&lab, &(struct feed_options){ .format = FEED_MISP }, json, strlen(json));
 *	assert_string_equal(lab_rows(&lab), "...");
 *	lab_free(&lab);
 *
 * A row: "+", "-" or "AS" and what it is; then, as far as given, "[category]
 * (reference) "reason" 90% until TIME masked" and "@" the number of its object.
 */
#ifndef TESTS_UNIT_FEED_JSON_LAB_H
#define TESTS_UNIT_FEED_JSON_LAB_H

#include "core/feed.h"
#include "core/text.h"

struct lab {
	struct feed_summary summary;
	struct feed_row *row; /* owned */
	size_t rows, room;
	struct text text;
};

static inline void lab_free(struct lab *lab)
{
	free(lab->row);
	text_free(&lab->text);
	*lab = (struct lab){};
}

static inline int lab_add(void *arg, const struct feed_row *row)
{
	struct lab *lab = arg;

	if (lab->rows == lab->room) {
		lab->room = lab->room ? 2 * lab->room : 64;
		lab->row = reallocarray(lab->row, lab->room, sizeof(*lab->row));
		assert_non_null(lab->row);
	}
	lab->row[lab->rows++] = *row;
	return 0;
}

static inline void lab_read_pieces(struct lab *lab, const struct feed_options *options,
				   const char *bytes, size_t size, size_t piece)
{
	_cleanup_(feed_parser_freep) struct feed_parser *p = NULL;

	assert_int_equal(feed_parser_new(options, lab_add, lab, &p), 0);
	for (size_t at = 0; at < size; at += piece) {
		size_t now = size - at < piece ? size - at : piece;
		_cleanup_free_ char *copy = malloc(now);

		assert_non_null(copy);
		memcpy(copy, bytes + at, now);
		if (feed_parser_push(p, copy, now))
			break;
	}
	assert_int_equal(feed_parser_finish(p, &lab->summary), 0);
}

/* bytes counts what was taken in before a fault was seen, which may depend on the pieces. */
static inline void lab_compare(struct lab *a, struct lab *b)
{
	if (a->summary.fault)
		b->summary.bytes = a->summary.bytes;
	assert_memory_equal(&a->summary, &b->summary, sizeof(a->summary));
	assert_int_equal(a->rows, b->rows);
	if (a->rows)
		assert_memory_equal(a->row, b->row, a->rows * sizeof(*a->row));
}

static inline void lab_read(struct lab *lab, const struct feed_options *options, const char *bytes,
			    size_t size)
{
	static const size_t pieces[] = { 1, 2, 7, 4096 };

	lab_free(lab);
	lab_read_pieces(lab, options, bytes, size, size ? size : 1);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct lab again = {};

		if (pieces[i] == 1 && size > 1 << 20) /* too slow */
			continue;
		lab_read_pieces(&again, options, bytes, size, pieces[i]);
		lab_compare(lab, &again);
		lab_free(&again);
	}
}

static inline const char *lab_rows(struct lab *lab)
{
	char prefix[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < lab->rows; i++) {
		const struct feed_row *r = &lab->row[i];

		if (r->kind == FEED_ROW_ASN)
			text_add(&lab->text, "AS%u", r->asn);
		else
			text_add(&lab->text, "%c%s", r->kind == FEED_ROW_REMOVE ? '-' : '+',
				 prefix_format(&r->source, prefix));
		if (r->category[0])
			text_add(&lab->text, " [%s]", r->category);
		if (r->reference[0])
			text_add(&lab->text, " (%s)", r->reference);
		if (r->reason[0])
			text_add(&lab->text, " \"%s\"", r->reason);
		if (r->confidence != FEED_NO_CONFIDENCE)
			text_add(&lab->text, " %u%%", r->confidence);
		if (r->expires)
			text_add(&lab->text, " until %lld", (long long)r->expires);
		if (r->masked)
			text_add(&lab->text, " masked");
		text_add(&lab->text, " @%u\n", r->line);
	}
	assert_false(lab->text.failed);
	return lab->text.data ? lab->text.data : "";
}

static inline uint64_t lab_skipped(const struct lab *lab)
{
	uint64_t sum = 0;

	for (int i = 0; i < FEED_SKIP_MAX; i++)
		sum += lab->summary.skipped[i];
	return sum;
}

#define LAB_NOW 1000000

/* One file, and what is to come of it. */
struct sample {
	const char *json, *rows;
	enum feed_fault fault;
	int skip;	    /* the cause that one object is left out for, FEED_SKIP_MAX: none is */
	const char *detail; /* part of it */
};

#define NONE FEED_SKIP_MAX

static inline void check_sample(enum feed_format format, const struct sample *s)
{
	struct feed_options options = { .format = format, .now = LAB_NOW };
	struct lab lab = {};

	lab_read(&lab, &options, s->json, strlen(s->json));
	if (lab.summary.fault != s->fault || (s->detail && !strstr(lab.summary.detail, s->detail)))
		fail_msg("%s: fault %s: %s", s->json, feed_fault_label(lab.summary.fault),
			 lab.summary.detail);
	assert_int_equal(!lab.summary.fault, !lab.summary.detail[0]);
	if (strcmp(lab_rows(&lab), s->rows))
		fail_msg("%s: %s", s->json, lab_rows(&lab));
	for (int i = 0; i < FEED_SKIP_MAX; i++) {
		if (lab.summary.skipped[i] != (i == s->skip))
			fail_msg("%s: %llu left out as %s", s->json,
				 (unsigned long long)lab.summary.skipped[i], feed_skip_label(i));
	}
	assert_int_equal(lab.summary.first_skipped != 0, s->skip != NONE);
	lab_free(&lab);
}

#define check_samples(format, samples)                                                             \
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)                                           \
	check_sample(format, &(samples)[i])

#endif
