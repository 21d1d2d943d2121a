/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/emit.h"

#include <inttypes.h>
#include <math.h>

static bool is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t emit_utf8(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;

	if (u[0] < 0x80)
		return u[0] != 0;
	if (u[0] >= 0xc2 && u[0] <= 0xdf)
		return is_tail(u[1]) ? 2 : 0;
	if ((u[0] & 0xf0) == 0xe0) {
		if (!is_tail(u[1]) || !is_tail(u[2]))
			return 0;
		if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f))
			return 0;
		return 3;
	}
	if (u[0] >= 0xf0 && u[0] <= 0xf4) {
		if (!is_tail(u[1]) || !is_tail(u[2]) || !is_tail(u[3]))
			return 0;
		if ((u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

/* Bytes from s that need no escape. */
static size_t plain_run(const char *s)
{
	size_t n = 0, step;

	while (s[n]) {
		if ((unsigned char)s[n] < 0x20 || s[n] == '"' || s[n] == '\\' || s[n] == 0x7f)
			break;
		step = emit_utf8(s + n);
		if (!step)
			break;
		n += step;
	}
	return n;
}

static void quoted(struct text *out, const char *s)
{
	size_t run;

	text_add(out, "\"");
	while (*s) {
		run = plain_run(s);
		if (run) {
			text_add(out, "%.*s", (int)run, s);
			s += run;
			continue;
		}
		if (*s == '"' || *s == '\\')
			text_add(out, "\\%c", *s);
		else if (*s == '\n')
			text_add(out, "\\n");
		else if ((unsigned char)*s < 0x80)
			text_add(out, "\\u%04x", (unsigned int)*s);
		else
			text_add(out, "\\ufffd");
		s++;
	}
	text_add(out, "\"");
}

static void before(struct emit *e, const char *key)
{
	if (e->comma)
		text_add(e->out, ",");
	e->comma = true;
	if (!key)
		return;
	quoted(e->out, key);
	text_add(e->out, ":");
}

void emit_begin(struct emit *e, const char *key, char bracket)
{
	before(e, key);
	text_add(e->out, "%c", bracket);
	e->comma = false;
}

void emit_end(struct emit *e, char bracket)
{
	text_add(e->out, "%c", bracket);
	e->comma = true;
}

void emit_text(struct emit *e, const char *key, const char *value)
{
	before(e, key);
	if (value)
		quoted(e->out, value);
	else
		text_add(e->out, "null");
}

void emit_whole(struct emit *e, const char *key, int64_t value)
{
	before(e, key);
	text_add(e->out, "%" PRId64, value);
}

void emit_real(struct emit *e, const char *key, double value)
{
	before(e, key);
	if (isfinite(value))
		text_add(e->out, "%.15g", value);
	else
		text_add(e->out, "null");
}

void emit_bool(struct emit *e, const char *key, bool value)
{
	before(e, key);
	text_add(e->out, value ? "true" : "false");
}

void emit_null(struct emit *e, const char *key)
{
	before(e, key);
	text_add(e->out, "null");
}
