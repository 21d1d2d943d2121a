// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes into the JSON reader: it takes what a second reader takes, which
 * has the text whole and follows the grammar of RFC 8259 by recursion; and it
 * gives the same tokens when the bytes come in pieces.
 *
 * The first byte is the size of the pieces and whether lines are read.
 */
#include "core/json_read.h"

#define TEXT_LIMIT 24
#define LINES	   0x80

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

/* ---- the second reader: each function returns what follows, or NULL ---- */

static const char *second_value(const char *p, const char *end, int depth);

static const char *second_space(const char *p, const char *end)
{
	while (p < end && *p && strchr(" \t\r\n", *p))
		p++;
	return p;
}

static const char *second_digits(const char *p, const char *end)
{
	const char *start = p;

	while (p && p < end && *p >= '0' && *p <= '9')
		p++;
	return p > start ? p : NULL;
}

static const char *second_number(const char *p, const char *end)
{
	p += p < end && *p == '-';
	p = p < end && *p == '0' ? p + 1 : second_digits(p, end);
	if (p && p < end && *p == '.')
		p = second_digits(p + 1, end);
	if (p && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		p = second_digits(p, end);
	}
	return p;
}

static long second_unit(const char *p, const char *end)
{
	char hex[5] = "";

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	memcpy(hex, p + 2, 4);
	return strspn(hex, "0123456789abcdefABCDEF") == 4 ? strtol(hex, NULL, 16) : -1;
}

static const char *second_escape(const char *p, const char *end)
{
	long unit;

	if (end - p < 2)
		return NULL;
	if (p[1] != 'u')
		return p[1] && strchr("\"\\/bfnrt", p[1]) ? p + 2 : NULL;
	unit = second_unit(p, end);
	if (unit < 0xd800 || unit > 0xdfff)
		return unit < 0 ? NULL : p + 6;
	if (unit > 0xdbff)
		return NULL;
	unit = second_unit(p + 6, end);
	return unit >= 0xdc00 && unit <= 0xdfff ? p + 12 : NULL;
}

static const char *second_character(const char *p, const char *end)
{
	unsigned char c = *p;
	int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	uint32_t value = more ? c & (0x3f >> more) : c;

	if (c < 0x20 || (c >= 0x80 && c < 0xc0) || c > 0xf7 || end - p <= more)
		return NULL;
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return NULL;
		value = value << 6 | (p[i] & 0x3f);
	}
	if ((more == 1 && value < 0x80) || (more == 2 && value < 0x800) ||
	    (more == 3 && value < 0x10000) || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return NULL;
	return p + 1 + more;
}

static const char *second_string(const char *p, const char *end)
{
	if (p >= end || *p++ != '"')
		return NULL;
	while (p && p < end && *p != '"')
		p = *p == '\\' ? second_escape(p, end) : second_character(p, end);
	return p && p < end ? p + 1 : NULL;
}

static const char *second_nested(const char *p, const char *end, int depth)
{
	char close = *p == '{' ? '}' : ']';

	if (depth == JSON_DEPTH_MAX)
		return NULL;
	p = second_space(p + 1, end);
	if (p < end && *p == close)
		return p + 1;
	for (;;) {
		if (close == '}') {
			p = second_string(second_space(p, end), end);
			p = p ? second_space(p, end) : NULL;
			if (!p || p == end || *p++ != ':')
				return NULL;
		}
		p = second_value(second_space(p, end), end, depth + 1);
		p = p ? second_space(p, end) : NULL;
		if (!p || p == end)
			return NULL;
		if (*p == close)
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
}

static const char *second_value(const char *p, const char *end, int depth)
{
	static const char *const words[] = { "true", "false", "null" };

	if (p < end && (*p == '{' || *p == '['))
		return second_nested(p, end, depth);
	if (p < end && *p == '"')
		return second_string(p, end);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t size = strlen(words[i]);

		if ((size_t)(end - p) >= size && !memcmp(p, words[i], size))
			return p + size;
	}
	return second_number(p, end);
}

static bool second_text(const char *p, const char *end)
{
	p = second_value(second_space(p, end), end, 0);
	return p && second_space(p, end) == end;
}

static bool second_accepts(const char *p, const char *end, bool lines)
{
	if (end - p >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		p += 3;
	if (!lines)
		return second_text(p, end);
	while (p < end) {
		const char *feed = memchr(p, '\n', end - p);
		const char *stop = feed ? feed : end;

		if (second_space(p, stop) != stop && !second_text(p, stop))
			return false;
		p = feed ? feed + 1 : end;
	}
	return true;
}

/* ---- the reader ---- */

struct sum {
	uint64_t hash;
	int depth;
	unsigned int tokens;
};

static void add(struct sum *s, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		s->hash = (s->hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
}

static int on_token(void *arg, const struct json_token *t)
{
	bool ends = t->kind == JSON_OBJECT_END || t->kind == JSON_ARRAY_END;
	struct sum *s = arg;

	s->tokens++;
	s->depth -= ends;
	check(s->depth == (int)t->depth && s->depth >= 0 && s->depth <= JSON_DEPTH_MAX);
	s->depth += t->kind == JSON_OBJECT || t->kind == JSON_ARRAY;
	check(!t->text ==
	      !(t->kind == JSON_KEY || t->kind == JSON_STRING || t->kind == JSON_NUMBER));
	check(t->size <= TEXT_LIMIT && (!t->cut || t->size + 3 >= TEXT_LIMIT));
	for (const char *p = t->text; t->kind != JSON_NUMBER && p && p < t->text + t->size;) {
		/* A NUL or control character is text here, not JSON: it was escaped. */
		p = (unsigned char)*p < 0x20 ? p + 1 : second_character(p, t->text + t->size);
		check(p != NULL);
	}
	add(s, &t->kind, sizeof(t->kind));
	add(s, &t->cut, sizeof(t->cut));
	add(s, t->text, t->size);
	return 0;
}

static struct sum read_pieces(const uint8_t *data, size_t size, size_t piece, bool lines,
			      int *ret_error, uint64_t *ret_where)
{
	struct sum sum = {};
	struct json_read r = { .fn = on_token, .arg = &sum, .text_max = TEXT_LIMIT, .lines = lines };

	for (size_t at = 0; at < size; at += piece) {
		size_t now = size - at < piece ? size - at : piece;
		_cleanup_free_ char *copy = malloc(now);

		check(copy != NULL);
		memcpy(copy, data + at, now);
		if (json_read_push(&r, copy, now))
			break;
	}
	*ret_error = json_read_finish(&r);
	*ret_where = r.where;
	check(*ret_error ? r.why != NULL && r.where <= size : !r.why && !sum.depth);
	check(*ret_error == 0 || *ret_error == -EBADMSG ||
	      (*ret_error == -ENODATA && r.where == size));
	json_read_fini(&r);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t where, again_where;
	struct sum whole, again;
	int error, again_error;
	size_t piece;
	bool lines;

	if (!size)
		return 0;
	piece = (*data & ~LINES) + 1;
	lines = *data & LINES;
	data++;
	size--;
	whole = read_pieces(data, size, size + 1, lines, &error, &where);
	again = read_pieces(data, size, piece, lines, &again_error, &again_where);
	check(error == again_error && where == again_where);
	check(whole.hash == again.hash && whole.tokens == again.tokens);
	check(!error == second_accepts((const char *)data, (const char *)data + size, lines));
	return 0;
}
