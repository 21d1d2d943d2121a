/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of a body: JSON text, one object or an array of them, or lines of
 * an object each (NDJSON), read as the bytes come, so that memory is bounded
 * by the rows and not by what a body can nest.
 *
 *	err = rows_begin(&rows, ROWS_LISTINGS, false, now);
 *	err = err ?: rows_push(&rows, bytes, size);	as often as there are bytes
 *	err = err ?: rows_finish(&rows);	rows.why says what is wrong
 *	rows_free(&rows);			in every case
 *
 * Judges the form only; what a row says is the gate's to judge. What is wrong
 * sticks, and what comes after it is passed over.
 */
#ifndef DAEMON_API_ROWS_H
#define DAEMON_API_ROWS_H

#include "core/problem.h"
#include "store/store.h"

#define ROWS_MAX     100000
#define ROW_TEXT_MAX 4096 /* bytes of one member */

/* Which members there are, and which must be. */
enum rows_form {
	ROWS_LISTINGS, /* to be added: source and category must be */
	ROWS_KEYS,     /* to be ended: source must be; a category or feed that is not is NULL */
	ROWS_REPORTS,  /* of abuse: source and category must be; feed is NULL */
};

struct rows {
	struct listing_input *row; /* owned; confidence may lie outside 0..100 */
	size_t count;
	bool array;  /* the body was an array or lines: a row has an index */
	size_t held; /* bytes of memory */
	struct problem why;

	/* The parser's own. */
	size_t room;
	struct rows_block *block; /* owned: where the texts are */
	struct json_read *reader; /* owned */
	enum rows_form form;
	int64_t now;
	int error;
	unsigned int depth;	     /* of the objects that are rows */
	const struct member *member; /* whose value comes next */
	uint32_t seen;		     /* members of the current row, by their place in the table */
	bool has_expiry, has_review;
};

/* lines: NDJSON. now: what "ttl" counts from. 0 or -ENOMEM. */
int rows_begin(struct rows *rows, enum rows_form form, bool lines, int64_t now);

/* 0, -EINVAL (why has line and column, or the row), -E2BIG too many rows, -ENOMEM. */
int rows_push(struct rows *rows, const void *bytes, size_t size);
int rows_finish(struct rows *rows);
void rows_free(struct rows *rows);

/* A copy that lives as long as rows; NULL: out of memory. */
const char *rows_keep(struct rows *rows, const char *text, size_t size);

#endif
