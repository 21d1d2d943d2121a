// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a body of rows: bounded rows with all that a row must have, or
 * a problem that says where; the same whatever pieces the body comes in. The
 * first byte says which rows, whether they are lines, and how large a piece is.
 */
#include "daemon/api_rows.h"

#define NOW 1790000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void must_be_bounded(const char *text, bool needed)
{
	must(text || !needed);
	must(!text || strlen(text) <= ROW_TEXT_MAX);
}

static void check_rows(const struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct listing_input *row = &rows->row[i];

		must_be_bounded(row->source, true);
		must_be_bounded(row->category, rows->form != ROWS_KEYS);
		must_be_bounded(row->feed, rows->form == ROWS_LISTINGS);
		must_be_bounded(row->reason, false);
		must_be_bounded(row->reference, false);
		must_be_bounded(row->basis, false);
		must_be_bounded(row->region, false);
		must(row->expires_at >= 0);
	}
}

/* Each piece lies in memory of its own: a read behind it is seen. */
static int push_piece(struct rows *rows, const uint8_t *data, size_t size)
{
	void *piece = malloc(size ? size : 1);
	int err;

	must(piece);
	if (size)
		memcpy(piece, data, size);
	err = rows_push(rows, piece, size);
	free(piece);
	return err;
}

static int parse(struct rows *rows, uint8_t how, const uint8_t *data, size_t size, size_t piece)
{
	int err = rows_begin(rows, how % 3, how & 4, NOW);

	while (!err && size) {
		size_t now = size < piece ? size : piece;

		err = push_piece(rows, data, now);
		data += now;
		size -= now;
	}
	return err ?: rows_finish(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rows rows, whole;
	uint8_t how = size ? data[0] : 0;
	size_t skip = size > 0;
	int err, err_whole;

	err = parse(&rows, how, data + skip, size - skip, 1 + (how >> 3));
	err_whole = parse(&whole, how, data + skip, size - skip, size);
	must(err == err_whole && rows.count == whole.count);
	must(strcmp(rows.why.text, whole.why.text) == 0);
	must(err <= 0 && (!err || *rows.why.text));
	must(rows.count <= ROWS_MAX);
	if (!err)
		check_rows(&rows);
	rows_free(&rows);
	rows_free(&whole);
	return 0;
}
