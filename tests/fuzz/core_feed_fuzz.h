/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the fuzzers of feeds: bytes through a parser in pieces, every row
 * checked to be one that may go through a pipe, and the sum of all that came
 * out, by which two ways of pushing are compared.
 */
#ifndef TESTS_CORE_FEED_FUZZ_H
#define TESTS_CORE_FEED_FUZZ_H

#include "core/feed.h"

struct outcome {
	struct feed_summary sum;
	uint64_t rows, hash;
	int err;
};

static inline void must(bool good)
{
	if (!good)
		abort();
}

/* Ends in NUL, nothing behind it, no control characters. */
static inline void must_be_text(const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	must(size < room);
	for (size_t i = 0; i < room; i++)
		must(i < size ? (unsigned char)text[i] >= 0x20 && text[i] != 0x7f : !text[i]);
}

static inline int check_row(void *arg, const struct feed_row *row)
{
	const uint8_t *bytes = (const uint8_t *)row;
	struct outcome *out = arg;
	struct prefix masked = row->source;

	must(row->kind <= FEED_ROW_ASN);
	if (row->kind == FEED_ROW_ASN) {
		must(row->asn && !row->source.len);
	} else {
		must(row->source.family == MOAT_IPV4 || row->source.family == MOAT_IPV6);
		must(row->source.len && row->source.len <= prefix_max(row->source.family));
		prefix_mask(&masked);
		must(!prefix_compare(&masked, &row->source));
	}
	must(row->confidence <= 100 || row->confidence == FEED_NO_CONFIDENCE);
	must(row->masked <= 1 && !row->scope && row->line && row->expires >= 0);
	must_be_text(row->category, sizeof(row->category));
	must_be_text(row->reference, sizeof(row->reference));
	must_be_text(row->reason, sizeof(row->reason));
	out->rows++;
	for (size_t i = 0; i < sizeof(*row); i++)
		out->hash = (out->hash ^ bytes[i]) * 0x100000001b3;
	return 0;
}

/* piece 0: all at once. Each piece is a copy, so that a read behind it is seen. */
static inline struct outcome run(const struct feed_options *o, const uint8_t *data, size_t size,
				 size_t piece)
{
	_cleanup_(feed_parser_freep) struct feed_parser *p = NULL;
	struct outcome out = {};

	must(!feed_parser_new(o, check_row, &out, &p));
	while (size) {
		size_t n = piece && piece < size ? piece : size;
		_cleanup_free_ uint8_t *copy = malloc(n);
		int err;

		must(copy != NULL);
		memcpy(copy, data, n);
		err = feed_parser_push(p, copy, n);
		must(err <= 0);
		if (err)
			break;
		data += n;
		size -= n;
	}
	out.err = feed_parser_finish(p, &out.sum);
	must(!out.err && out.sum.entries == out.rows);
	must(out.sum.fault < FEED_FAULT_MAX && !out.sum.fault == !out.sum.detail[0]);
	must_be_text(out.sum.detail, sizeof(out.sum.detail));
	must_be_text(out.sum.title, sizeof(out.sum.title));
	must(out.sum.fault || out.rows || out.sum.may_be_empty);
	return out;
}

static inline void must_be_same(const struct outcome *a, const struct outcome *b)
{
	must(a->rows == b->rows && a->hash == b->hash && a->sum.fault == b->sum.fault);
	must(a->sum.lines == b->sum.lines && a->sum.masked == b->sum.masked);
	must(a->sum.format == b->sum.format && a->sum.complete == b->sum.complete);
	must(!memcmp(a->sum.skipped, b->sum.skipped, sizeof(a->sum.skipped)));
	must(!strcmp(a->sum.detail, b->sum.detail) && !strcmp(a->sum.title, b->sum.title));
}

#endif
