/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON written straight into a struct text: no tree, members in the order of
 * the calls.
 *
 *	struct emit e = { .out = &text };
 *
 *	emit_begin(&e, NULL, '{');
 *	emit_text(&e, "source", "192.0.2.1");
 *	emit_end(&e, '}');
 *
 * key is NULL inside an array and at the top. Errors stick in text.failed.
 * Strings may hold any bytes: what is not UTF-8 is written as U+FFFD, so the
 * output is always valid JSON.
 */
#ifndef CORE_EMIT_H
#define CORE_EMIT_H

#include "core/text.h"

struct emit {
	struct text *out;
	bool comma; /* the next member follows another one */
};

void emit_begin(struct emit *e, const char *key, char bracket); /* '{' or '[' */
void emit_end(struct emit *e, char bracket);			/* '}' or ']' */

void emit_text(struct emit *e, const char *key, const char *value); /* NULL: null */
void emit_whole(struct emit *e, const char *key, int64_t value);
void emit_real(struct emit *e, const char *key, double value); /* not finite: null */
void emit_bool(struct emit *e, const char *key, bool value);
void emit_null(struct emit *e, const char *key);

/*
 * Length of the UTF-8 character at s (NUL-terminated), 0 if it is not one:
 * overlong forms, surrogates and what lies beyond U+10FFFF included.
 */
size_t emit_utf8(const char *s);

#endif
