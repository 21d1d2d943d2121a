// SPDX-License-Identifier: BSD-2-Clause
#include <math.h>

#include "core/text.h"

#define TEXT_FIRST 4096
#define TEXT_MAX   ((size_t)1 << 30) /* bytes: far above what a scrape carries */

#define WHOLE_MAX 9007199254740992.0 /* 2^53: whole numbers up to it are exact */

void text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){};
}

/* Makes room for more bytes and a NUL. */
static bool reserve(struct text *t, size_t more)
{
	size_t room = t->room ? t->room : TEXT_FIRST;
	char *data;

	if (t->failed)
		return false;
	if (more < t->room - t->size)
		return true;
	while (room - t->size <= more && room < TEXT_MAX)
		room *= 2;
	data = room - t->size > more ? realloc(t->data, room) : NULL;
	if (!data) {
		t->failed = true;
		return false;
	}
	t->data = data;
	t->room = room;
	return true;
}

static void add_bytes(struct text *t, const char *bytes, size_t size)
{
	if (!reserve(t, size))
		return;
	memcpy(t->data + t->size, bytes, size);
	t->size += size;
	t->data[t->size] = '\0';
}

static void add_string(struct text *t, const char *string)
{
	add_bytes(t, string, strlen(string));
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int size;

	if (!reserve(t, 0))
		return;
	va_start(args, fmt);
	size = vsnprintf(t->data + t->size, t->room - t->size, fmt, args);
	va_end(args);
	if (size < 0) {
		t->failed = true;
		return;
	}
	if ((size_t)size >= t->room - t->size) {
		if (!reserve(t, size)) {
			t->data[t->size] = '\0';
			return;
		}
		va_start(args, fmt);
		vsnprintf(t->data + t->size, t->room - t->size, fmt, args);
		va_end(args);
	}
	t->size += size;
}

/* Bytes of the UTF-8 character at p (RFC 3629), 0 if it is none. */
static size_t utf8_size(const unsigned char *p)
{
	size_t size = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned int second;

	if (p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80) /* also the NUL that ends the text */
			return 0;
	}
	if (size < 3)
		return size;
	second = p[0] << 8 | p[1];
	/* Overlong forms, surrogates, and beyond U+10FFFF. */
	if ((size == 3 && second < 0xe0a0) || (second >= 0xeda0 && second < 0xee00) ||
	    (size == 4 && second < 0xf090) || second >= 0xf490)
		return 0;
	return size;
}

/* What is not UTF-8 becomes U+FFFD: one bad byte would cost the whole scrape. */
static void add_escaped(struct text *t, const char *text, bool quotes)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		size_t size = utf8_size(p);

		if (*p == '\\')
			add_string(t, "\\\\");
		else if (*p == '\n')
			add_string(t, "\\n");
		else if (*p == '"' && quotes)
			add_string(t, "\\\"");
		else if (size)
			add_bytes(t, (const char *)p, size);
		else
			add_string(t, "\xef\xbf\xbd");
		p += size ? size : 1;
	}
}

void text_metric(struct text *t, const char *name, const char *type, const char *help)
{
	text_add(t, "# HELP %s ", name);
	add_escaped(t, help, false);
	text_add(t, "\n# TYPE %s %s\n", name, type);
}

static void add_labels(struct text *t, va_list args)
{
	const char *separator = "{";
	const char *label;

	while ((label = va_arg(args, const char *))) {
		const char *value = va_arg(args, const char *);

		text_add(t, "%s%s=\"", separator, label);
		add_escaped(t, value ? value : "", true);
		add_string(t, "\"");
		separator = ",";
	}
	if (*separator == ',')
		add_string(t, "}");
}

static void add_value(struct text *t, double value)
{
	char shortest[32];

	if (isnan(value)) {
		add_string(t, "NaN");
	} else if (isinf(value)) {
		add_string(t, value > 0 ? "+Inf" : "-Inf");
	} else if (value == trunc(value) && fabs(value) <= WHOLE_MAX) {
		text_add(t, "%lld", (long long)value);
	} else {
		snprintf(shortest, sizeof(shortest), "%.15g", value);
		if (strtod(shortest, NULL) != value)
			snprintf(shortest, sizeof(shortest), "%.17g", value);
		add_string(t, shortest);
	}
}

void text_sample(struct text *t, const char *name, double value, ...)
{
	va_list args;

	add_string(t, name);
	va_start(args, value);
	add_labels(t, args);
	va_end(args);
	add_string(t, " ");
	add_value(t, value);
	add_string(t, "\n");
}
