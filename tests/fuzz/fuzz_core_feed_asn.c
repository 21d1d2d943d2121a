// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a table of AS numbers. The first byte is the size of the
 * pieces, which must make no difference; what comes out of an AS must be
 * prefixes in order that do not overlap and could not be fewer.
 */
#include "core/feed_asn_text.h"
#include "core_feed_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ASNS 64 /* of small number, which are asked for */

struct order {
	struct prefix last;
	uint64_t rows, hash;
};

static bool are_siblings(const struct prefix *a, const struct prefix *b)
{
	struct prefix x, y;

	if (a->family != b->family || a->len != b->len || !a->len)
		return false;
	x = prefix_shorten(a, a->len - 1);
	y = prefix_shorten(b, b->len - 1);
	return !prefix_compare(&x, &y);
}

static int check(void *arg, const struct feed_row *row)
{
	struct prefix masked = row->source;
	struct order *o = arg;

	must(row->kind == FEED_ROW_ADD && !row->asn);
	must(row->source.len && row->source.len <= prefix_max(row->source.family));
	prefix_mask(&masked);
	must(!prefix_compare(&masked, &row->source));
	must_be_text(row->reference, sizeof(row->reference));
	if (o->rows) {
		must(prefix_compare(&o->last, &row->source) < 0);
		must(!prefix_covers(&o->last, &row->source));
		must(!are_siblings(&o->last, &row->source));
	}
	o->last = row->source;
	o->rows++;
	for (size_t i = 0; i < sizeof(masked); i++)
		o->hash = (o->hash ^ ((const uint8_t *)&row->source)[i]) * 0x100000001b3;
	return 0;
}

static struct order read_table(const uint8_t *data, size_t size, size_t piece, int *ret_err)
{
	_cleanup_(feed_asn_freep) struct feed_asn *a = NULL;
	_cleanup_(feed_asn_text_freep) struct feed_asn_text *t = NULL;
	struct feed_row row = { .kind = FEED_ROW_ASN };
	struct problem why = {};
	struct order all = {};

	must(!feed_asn_new(&a) && !feed_asn_text_new(a, &t));
	while (size) {
		size_t n = piece && piece < size ? piece : size;
		_cleanup_free_ uint8_t *copy = malloc(n);
		int err;

		must(copy != NULL);
		memcpy(copy, data, n);
		err = feed_asn_text_push(t, copy, n);
		if (err)
			break;
		data += n;
		size -= n;
	}
	*ret_err = feed_asn_text_finish(t, &why);
	must(!*ret_err == !why.text[0]);
	if (*ret_err)
		return all;
	must(!feed_asn_end_table(a));
	feed_asn_ready(a);
	for (row.asn = 1; row.asn <= ASNS; row.asn++) {
		struct order one = {};
		uint64_t prefixes;

		must(!feed_asn_expand(a, &row, check, &one, &prefixes));
		must(prefixes == one.rows);
		all.rows += one.rows;
		all.hash = (all.hash ^ one.hash) * 0x100000001b3;
	}
	return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct order whole, pieces;
	int err, err_pieces;
	size_t piece;

	if (!size)
		return 0;
	piece = 1 + data[0] % 64;
	whole = read_table(data + 1, size - 1, 0, &err);
	pieces = read_table(data + 1, size - 1, piece, &err_pieces);
	must(!err == !err_pieces && whole.rows == pieces.rows && whole.hash == pieces.hash);
	return 0;
}
