/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A strict JSON reader (RFC 8259) for bytes that come in pieces of any size.
 *
 *	struct json_read r = { .fn = on_token, .arg = me, .text_max = 4096 };
 *
 *	err = json_read_push(&r, bytes, size);	   as often as there are bytes
 *	err = err ?: json_read_finish(&r);
 *	json_read_fini(&r);
 *
 * It calls fn for each token as soon as that is whole. What it calls does not
 * depend on how the bytes were cut into pieces.
 *
 *  1. Strict: no comments, trailing commas, leading zeros, bare words or raw
 *     control characters; strings are valid UTF-8 without lone surrogates.
 *     A byte order mark in front is passed over, as RFC 8259 section 8.1 lets it.
 *  2. With .lines, one value a line (NDJSON): a value that spans lines and a
 *     line of two values are wrong, blank lines are not.
 *  3. Memory: this struct, and at most text_max bytes for a string or number
 *     that a piece ends in, or that has escapes. A longer one is given cut, at
 *     a character, and is checked to its end all the same.
 *  4. Nothing is remembered of an object, so double keys pass: who cares must
 *     look. Everything after the first error is ignored.
 */
#ifndef CORE_JSON_READ_H
#define CORE_JSON_READ_H

#include "core/base.h"

#define JSON_DEPTH_MAX 64 /* nested arrays and objects; the bits of json_read.objects */

enum json_kind {
	JSON_NONE,
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_token {
	enum json_kind kind;
	unsigned int depth; /* arrays and objects around it; 0: a value by itself */
	const char *text; /* key, string (unescaped) or number; only during the call, without NUL */
	size_t size;
	bool cut; /* longer than text_max */
};

/* Return non-zero to stop; push and finish then return that. */
typedef int (*json_token_fn)(void *arg, const struct json_token *token);

/* The caller sets the first four, the rest begins as zero. */
struct json_read {
	json_token_fn fn;
	void *arg;
	size_t text_max;
	bool lines;

	/* For the caller to read. */
	int error;	     /* what push returned */
	const char *why;     /* of -EBADMSG and -ENODATA, for a person */
	uint64_t where;	     /* byte of it, from 0 */
	uint64_t line;	     /* line feeds seen */
	uint64_t line_start; /* byte that the current line begins at */

	/* The reader's own. */
	uint8_t state;
	uint8_t resume;	     /* state behind an escape */
	uint8_t step;	     /* within an escape, literal, byte order mark, or UTF-8 character */
	uint8_t low, high;   /* bounds of the next byte of a UTF-8 character */
	bool key, held, cut; /* of the current text */
	const struct json_word *word; /* the literal being read */
	unsigned int depth;
	uint64_t objects; /* bit of a depth: an object, else an array */
	uint32_t unit, lead;
	uint64_t offset; /* of the piece */
	const char *piece;
	char *text; /* owned */
	size_t size, room;
};

/* 0, or -EBADMSG (not JSON), -ENOMEM, or what fn returned. */
int json_read_push(struct json_read *r, const void *bytes, size_t size);

/* The input ended. As push, or -ENODATA: it ends in the middle, or is empty where one value is due. */
int json_read_finish(struct json_read *r);

void json_read_fini(struct json_read *r);

/* A number without fraction and exponent. 0 or -EINVAL. */
int json_integer(const char *text, size_t size, int64_t *ret);

#endif
