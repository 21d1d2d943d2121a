/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listings of a POST: JSON text, one object or an array of them, read row
 * by row, so that memory is bounded by the rows and not by what a body can
 * nest. Judges the form only; what a row says is the gate's to judge.
 */
#ifndef DAEMON_API_ROWS_H
#define DAEMON_API_ROWS_H

#include "core/problem.h"
#include "store/store.h"

#define ROWS_MAX     100000
#define ROW_SIZE_MAX 65536 /* bytes of JSON of one row */
#define ROW_TEXT_MAX 4096  /* bytes of one member */

struct rows {
	struct listing_input *row; /* owned; confidence may lie outside 0..100 */
	size_t count;
	size_t room;
	bool array;		  /* the body was an array */
	struct rows_block *block; /* owned: where the texts are */
};

/*
 * now: what "ttl" counts from. 0, -EINVAL (why has line and column, or the
 * row), -E2BIG too many rows, -ENOMEM. Free rows in every case.
 */
int rows_parse(const char *body, size_t size, int64_t now, struct rows *rows, struct problem *why);
void rows_free(struct rows *rows);

/* A copy that lives as long as rows; NULL: out of memory. */
const char *rows_keep(struct rows *rows, const char *text);

#endif
