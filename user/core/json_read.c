// SPDX-License-Identifier: BSD-2-Clause
#include "core/json_state.h"

struct json_word {
	const char *text;
	enum json_kind kind;
};

static const struct json_word json_true = { "true", JSON_TRUE };
static const struct json_word json_false = { "false", JSON_FALSE };
static const struct json_word json_null = { "null", JSON_NULL };

/* ---- numbers and words ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The state behind c, or -1: c does not belong to the number. */
static int number_next(int state, char c)
{
	bool exponent = c == 'e' || c == 'E';

	switch (state) {
	case MINUS:
		return c == '0' ? ZERO : is_digit(c) ? DIGITS : -1;
	case DIGITS:
		if (is_digit(c))
			return DIGITS;
		return c == '.' ? POINT : exponent ? EXPONENT : -1;
	case ZERO:
		return c == '.' ? POINT : exponent ? EXPONENT : -1;
	case POINT:
		return is_digit(c) ? FRACTION : -1;
	case FRACTION:
		return is_digit(c) ? FRACTION : exponent ? EXPONENT : -1;
	case EXPONENT:
		if (c == '+' || c == '-')
			return EXPONENT_SIGN;
		return is_digit(c) ? EXPONENT_DIGITS : -1;
	default:
		return is_digit(c) ? EXPONENT_DIGITS : -1;
	}
}

static bool number_whole(int state)
{
	return state == ZERO || state == DIGITS || state == FRACTION || state == EXPONENT_DIGITS;
}

static const char *read_number(struct json_read *r, const char *p, const char *end)
{
	const char *run = p;

	for (; p < end; p++) {
		int next = number_next(r->state, *p);

		if (next < 0) {
			if (!number_whole(r->state))
				return json_fail(r, p, "a number without digits");
			json_value_done(r);
			return json_give_text(r, JSON_NUMBER, run, p - run) ? p : NULL;
		}
		r->state = next;
	}
	return json_hold(r, run, p - run) ? p : NULL;
}

static const char *read_word(struct json_read *r, const char *p, const char *end)
{
	struct json_token token = { .kind = r->word->kind, .depth = r->depth };

	for (; p < end; p++) {
		if (*p != r->word->text[r->step])
			return json_fail(r, p, "neither a value nor true, false or null");
		if (!r->word->text[++r->step]) {
			json_value_done(r);
			return json_give(r, &token) ? p + 1 : NULL;
		}
	}
	return p;
}

/* ---- structure ---- */

static bool in_object(const struct json_read *r)
{
	return r->objects >> (r->depth - 1) & 1;
}

static const char *begin_nested(struct json_read *r, const char *p)
{
	bool object = *p == '{';
	struct json_token token = { .kind = object ? JSON_OBJECT : JSON_ARRAY, .depth = r->depth };

	if (r->depth == JSON_DEPTH_MAX)
		return json_fail(r, p, "nested too deep");
	if (object)
		r->objects |= 1ULL << r->depth;
	else
		r->objects &= ~(1ULL << r->depth);
	r->depth++;
	r->state = object ? KEY_OR_END : VALUE_OR_END;
	return json_give(r, &token) ? p + 1 : NULL;
}

static const char *end_nested(struct json_read *r, const char *p)
{
	struct json_token token = {};

	if (in_object(r) != (*p == '}'))
		return json_fail(r, p, "closed by the other bracket");
	r->depth--;
	token.kind = *p == '}' ? JSON_OBJECT_END : JSON_ARRAY_END;
	token.depth = r->depth;
	json_value_done(r);
	return json_give(r, &token) ? p + 1 : NULL;
}

static const char *begin_word(struct json_read *r, const char *p, const struct json_word *word)
{
	r->state = WORD;
	r->word = word;
	r->step = 1;
	return p + 1;
}

static const char *begin_string(struct json_read *r, const char *p, bool key)
{
	r->state = STRING;
	r->key = key;
	return p + 1;
}

static const char *begin_value(struct json_read *r, const char *p)
{
	switch (*p) {
	case '"':
		return begin_string(r, p, false);
	case '{':
	case '[':
		return begin_nested(r, p);
	case 't':
		return begin_word(r, p, &json_true);
	case 'f':
		return begin_word(r, p, &json_false);
	case 'n':
		return begin_word(r, p, &json_null);
	case '-':
	case '0' ... '9':
		/* The first byte belongs to the text: read_number() begins with it once more. */
		r->state = MINUS;
		if (*p != '-')
			return p;
		return json_hold(r, p, 1) ? p + 1 : NULL;
	default:
		return json_fail(r, p, "no value where one is due");
	}
}

static const char *line_feed(struct json_read *r, const char *p)
{
	if (r->lines && r->depth)
		return json_fail(r, p, "the line ends in the middle of a value");
	if (r->lines)
		r->state = VALUE;
	r->line++;
	r->line_start = r->offset + (p + 1 - r->piece);
	return p + 1;
}

static const char *read_after(struct json_read *r, const char *p)
{
	if (*p == ',') {
		r->state = in_object(r) ? KEY : VALUE;
		return p + 1;
	}
	if (*p == '}' || *p == ']')
		return end_nested(r, p);
	return json_fail(r, p, "neither a comma nor the end behind a value");
}

/* One byte outside of strings, numbers and words. */
static const char *read_structure(struct json_read *r, const char *p)
{
	if (*p == '\n')
		return line_feed(r, p);
	if (*p == ' ' || *p == '\t' || *p == '\r')
		return p + 1;

	switch (r->state) {
	case VALUE:
		return begin_value(r, p);
	case VALUE_OR_END:
		return *p == ']' ? end_nested(r, p) : begin_value(r, p);
	case KEY_OR_END:
		if (*p == '}')
			return end_nested(r, p);
		return *p == '"' ? begin_string(r, p, true)
				 : json_fail(r, p, "no key where one is due");
	case KEY:
		return *p == '"' ? begin_string(r, p, true)
				 : json_fail(r, p, "no key where one is due");
	case COLON:
		if (*p != ':')
			return json_fail(r, p, "no colon behind a key");
		r->state = VALUE;
		return p + 1;
	case AFTER:
		return read_after(r, p);
	default:
		return json_fail(r, p, r->lines ? "two values on a line" : "more behind the value");
	}
}

static const char *read_mark(struct json_read *r, const char *p)
{
	static const char mark[] = "\xef\xbb\xbf";

	if (r->state == START && *p != mark[0]) {
		r->state = VALUE;
		return p;
	}
	r->state = MARK;
	if (*p != mark[r->step])
		return json_fail(r, p, "no value where one is due");
	if (!mark[++r->step])
		r->state = VALUE;
	return p + 1;
}

static const char *read_some(struct json_read *r, const char *p, const char *end)
{
	switch (r->state) {
	case START:
	case MARK:
		return read_mark(r, p);
	case STRING:
	case UTF8:
		return json_read_string(r, p, end);
	case ESCAPE:
		return json_read_escape(r, p);
	case HEX:
		return json_read_hex(r, p, end);
	case LOW_BACKSLASH:
	case LOW_U:
		return json_read_low(r, p);
	case MINUS ... EXPONENT_DIGITS:
		return read_number(r, p, end);
	case WORD:
		return read_word(r, p, end);
	default:
		return read_structure(r, p);
	}
}

int json_read_push(struct json_read *r, const void *bytes, size_t size)
{
	const char *p = bytes;
	const char *end = p + size;

	if (r->error || !size)
		return r->error;
	r->piece = p;
	while (p && p < end)
		p = read_some(r, p, end);
	r->offset += size;
	return r->error;
}

int json_read_finish(struct json_read *r)
{
	if (r->error)
		return r->error;
	r->piece = NULL;
	if (number_whole(r->state) && !r->depth) {
		json_value_done(r);
		if (!json_give_text(r, JSON_NUMBER, "", 0))
			return r->error;
	}
	if (r->state == DONE ||
	    (r->lines && (r->state == START || (r->state == VALUE && !r->depth))))
		return 0;
	r->error = -ENODATA;
	r->why = r->depth || r->state > DONE ? "ends in the middle" : "holds no value";
	r->where = r->offset;
	return r->error;
}

void json_read_fini(struct json_read *r)
{
	free(r->text);
	r->text = NULL;
	r->room = 0;
}

int json_integer(const char *text, size_t size, int64_t *ret)
{
	bool negative = size && *text == '-';
	int64_t value = 0;

	if (size == negative)
		return -EINVAL;
	for (size_t i = negative; i < size; i++) {
		int digit = text[i] - '0';

		if (!is_digit(text[i]) || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, negative ? -digit : digit, &value))
			return -EINVAL;
	}
	*ret = value;
	return 0;
}
