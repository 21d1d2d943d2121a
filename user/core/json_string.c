// SPDX-License-Identifier: BSD-2-Clause
#include "core/json_state.h"

#include <endian.h>

#define TEXT_FIRST 256

/* ---- the text of a token ---- */

const char *json_fail(struct json_read *r, const char *p, const char *why)
{
	r->error = -EBADMSG;
	r->why = why;
	r->where = r->offset + (p - r->piece);
	return NULL;
}

static bool reserve(struct json_read *r, size_t size)
{
	size_t room = r->room ? r->room : TEXT_FIRST;
	char *text;

	while (room < size)
		room *= 2;
	if (room == r->room)
		return true;
	text = realloc(r->text, room);
	if (!text) {
		r->error = -ENOMEM;
		return false;
	}
	r->text = text;
	r->room = room;
	return true;
}

bool json_hold(struct json_read *r, const char *bytes, size_t size)
{
	r->held = true;
	if (r->cut || !size)
		return true;
	if (size > r->text_max - r->size) {
		size = r->text_max - r->size;
		r->cut = true;
	}
	if (!reserve(r, r->size + size))
		return false;
	memcpy(r->text + r->size, bytes, size);
	r->size += size;
	return true;
}

/* Without the first bytes of a character that lost its others. */
static size_t whole_characters(const char *text, size_t size)
{
	for (size_t back = 1; back <= 3 && back <= size; back++) {
		unsigned char c = text[size - back];
		size_t wants = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

		if (c < 0x80)
			return size;
		if (c >= 0xc0)
			return wants > back ? size - back : size;
	}
	return size;
}

bool json_give(struct json_read *r, const struct json_token *token)
{
	r->error = r->fn(r->arg, token);
	return !r->error;
}

bool json_give_text(struct json_read *r, enum json_kind kind, const char *run, size_t size)
{
	struct json_token token = { .kind = kind, .depth = r->depth, .text = run, .size = size };

	if (r->held) {
		if (!json_hold(r, run, size))
			return false;
		token.text = r->text ? r->text : "";
		token.size = r->size;
		token.cut = r->cut;
	} else if (size > r->text_max) {
		token.size = r->text_max;
		token.cut = true;
	}
	if (token.cut)
		token.size = whole_characters(token.text, token.size);
	r->held = false;
	r->cut = false;
	r->size = 0;
	return json_give(r, &token);
}

void json_value_done(struct json_read *r)
{
	r->state = r->depth ? AFTER : DONE;
}

/* ---- strings ---- */

#define EACH(byte) (0x0101010101010101ULL * (byte))

/* The first byte that is a quote, a backslash, a control character or not ASCII. */
static const char *plain_end(const char *p, const char *end)
{
	while (end - p >= 8) {
		uint64_t x, quote, backslash, special;

		memcpy(&x, p, sizeof(x));
		x = le64toh(x);
		quote = x ^ EACH('"');
		backslash = x ^ EACH('\\');
		/* The top bit of each byte that is below 0x20, zero, zero, or above 0x7f. The lowest is
		 * exact; borrows may set higher ones. */
		special = (x - EACH(0x20)) | (quote - EACH(1)) | (backslash - EACH(1)) | x;
		special &= EACH(0x80);
		if (special)
			return p + (__builtin_ctzll(special) >> 3);
		p += 8;
	}
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
	       *p != '\\')
		p++;
	return p;
}

/* The first byte of a character beyond ASCII: what may follow (RFC 3629 section 4). */
static bool utf8_begin(struct json_read *r, unsigned char c)
{
	if (c < 0xc2 || c > 0xf4)
		return false;
	r->step = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	r->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	r->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	return true;
}

static const char *utf8_rest(struct json_read *r, const char *p, const char *end)
{
	for (; p < end && r->step; p++, r->step--) {
		unsigned char c = *p;

		if (c < r->low || c > r->high)
			return json_fail(r, p, "a string is not UTF-8");
		r->low = 0x80;
		r->high = 0xbf;
	}
	r->state = r->step ? UTF8 : STRING;
	return p;
}

static const char *string_end(struct json_read *r, const char *run, const char *quote)
{
	enum json_kind kind = r->key ? JSON_KEY : JSON_STRING;

	if (r->key)
		r->state = COLON;
	else
		json_value_done(r);
	return json_give_text(r, kind, run, quote - run) ? quote + 1 : NULL;
}

const char *json_read_string(struct json_read *r, const char *p, const char *end)
{
	const char *run = p;

	if (r->state == UTF8) {
		p = utf8_rest(r, p, end);
		if (!p)
			return NULL;
	}
	while (p < end) {
		p = plain_end(p, end);
		if (p == end)
			break;
		if (*p == '"')
			return string_end(r, run, p);
		if (*p == '\\') {
			r->state = ESCAPE;
			return json_hold(r, run, p - run) ? p + 1 : NULL;
		}
		if ((unsigned char)*p < 0x20)
			return json_fail(r, p, "a control character in a string");
		if (!utf8_begin(r, *p))
			return json_fail(r, p, "a string is not UTF-8");
		p = utf8_rest(r, p + 1, end);
		if (!p)
			return NULL;
	}
	return json_hold(r, run, p - run) ? p : NULL;
}

/* ---- escapes ---- */

static bool hold_character(struct json_read *r, uint32_t c)
{
	char utf8[4];
	size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (size == 1) {
		utf8[0] = c;
		return json_hold(r, utf8, 1);
	}
	utf8[0] = (0xf00 >> size & 0xff) | c >> 6 * (size - 1);
	for (size_t i = 1; i < size; i++)
		utf8[i] = 0x80 | (c >> 6 * (size - 1 - i) & 0x3f);
	return json_hold(r, utf8, size);
}

const char *json_read_escape(struct json_read *r, const char *p)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (*p == 'u') {
		r->state = HEX;
		r->step = 0;
		r->unit = 0;
		return p + 1;
	}
	found = *p ? strchr(from, *p) : NULL;
	if (!found)
		return json_fail(r, p, "an unknown escape");
	r->state = STRING;
	return json_hold(r, to + (found - from), 1) ? p + 1 : NULL;
}

/* Four digits are there: a character, or half of one. */
static const char *unit_done(struct json_read *r, const char *p)
{
	uint32_t unit = r->unit;
	bool first = unit >= 0xd800 && unit < 0xdc00;
	bool second = unit >= 0xdc00 && unit < 0xe000;

	if (second != (r->lead != 0))
		return json_fail(r, p, "half of a surrogate pair");
	if (first) {
		r->lead = unit;
		r->state = LOW_BACKSLASH;
		return p + 1;
	}
	if (second)
		unit = 0x10000 + ((r->lead - 0xd800) << 10) + (unit - 0xdc00);
	r->lead = 0;
	r->state = STRING;
	return hold_character(r, unit) ? p + 1 : NULL;
}

const char *json_read_hex(struct json_read *r, const char *p, const char *end)
{
	for (; p < end; p++) {
		unsigned char c = *p, letter = c | 0x20;
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (letter >= 'a' && letter <= 'f')
			digit = letter - 'a' + 10;
		else
			return json_fail(r, p, "\\u without four digits");
		r->unit = r->unit << 4 | digit;
		if (++r->step == 4)
			return unit_done(r, p);
	}
	return p;
}

const char *json_read_low(struct json_read *r, const char *p)
{
	if (*p != (r->state == LOW_U ? 'u' : '\\'))
		return json_fail(r, p, "half of a surrogate pair");
	if (r->state == LOW_BACKSLASH) {
		r->state = LOW_U;
	} else {
		r->state = HEX;
		r->step = 0;
		r->unit = 0;
	}
	return p + 1;
}
