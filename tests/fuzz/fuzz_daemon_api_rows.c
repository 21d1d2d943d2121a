// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as the body of a POST of listings: bounded rows with all that a
 * row must have, or a problem that says where.
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rows rows = {};
	struct problem why = {};
	char *body = malloc(size ? size : 1); /* without NUL, and a read behind it is seen */
	int err;

	must(body);
	if (size)
		memcpy(body, data, size);
	err = rows_parse(body, size, NOW, &rows, &why);
	must(err <= 0 && (!err || *why.text || err == -ENOMEM));
	must(rows.count <= ROWS_MAX);
	for (size_t i = 0; !err && i < rows.count; i++) {
		const struct listing_input *row = &rows.row[i];

		must_be_bounded(row->source, true);
		must_be_bounded(row->category, true);
		must_be_bounded(row->feed, true);
		must_be_bounded(row->reason, false);
		must_be_bounded(row->reference, false);
		must_be_bounded(row->basis, false);
		must_be_bounded(row->region, false);
		must(row->expires_at >= 0);
	}
	rows_free(&rows);
	free(body);
	return 0;
}
