/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of the JSON reader, for json_read.c (structure, numbers, words)
 * and json_string.c (texts of tokens, strings, escapes).
 *
 * Each json_read_...() takes the bytes from p to end of a piece and returns
 * how far it came, or NULL: r->error says why. What lasts beyond a piece is
 * in r; of the text of a token only what the piece does not hold any more.
 */
#ifndef CORE_JSON_STATE_H
#define CORE_JSON_STATE_H

#include "core/json_read.h"

enum json_state {
	START,
	MARK, /* within a byte order mark */
	VALUE,
	VALUE_OR_END, /* behind "[" */
	KEY,
	KEY_OR_END, /* behind "{" */
	COLON,
	AFTER, /* behind a value within something */
	DONE,  /* behind the outermost value */
	STRING,
	UTF8, /* within a character */
	ESCAPE,
	HEX,
	LOW_BACKSLASH, /* behind the first half of a surrogate pair */
	LOW_U,
	MINUS,
	ZERO,
	DIGITS,
	POINT,
	FRACTION,
	EXPONENT,
	EXPONENT_SIGN,
	EXPONENT_DIGITS,
	WORD,
};

/* Not JSON at p. Returns NULL. */
const char *json_fail(struct json_read *r, const char *p, const char *why);

/* Puts bytes of a text aside: the piece ends, or they are not what stands in the input. */
bool json_hold(struct json_read *r, const char *bytes, size_t size);

/* Hands a token to the caller. False: it stops the reading. */
bool json_give(struct json_read *r, const struct json_token *token);
/* One with a text: what was put aside, then the run of this piece. */
bool json_give_text(struct json_read *r, enum json_kind kind, const char *run, size_t size);

/* The state behind a value. */
void json_value_done(struct json_read *r);

const char *json_read_string(struct json_read *r, const char *p, const char *end);
const char *json_read_escape(struct json_read *r, const char *p);
const char *json_read_hex(struct json_read *r, const char *p, const char *end);
const char *json_read_low(struct json_read *r, const char *p);

#endif
