/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/api_rows.h"

#include <jansson.h>

#include "core/units.h"
#include "core/when.h"

#define BLOCK_SIZE (256 * 1024)
#define ROWS_FIRST 16

_Static_assert(BLOCK_SIZE > ROW_SIZE_MAX, "a text of a row fits into a block");

struct rows_block {
	struct rows_block *next;
	size_t used;
	char text[BLOCK_SIZE];
};

/* Where the parser is, for what people read. */
struct place {
	const char *at, *end;
	int line, column;
};

const char *rows_keep(struct rows *rows, const char *text)
{
	size_t size = strlen(text) + 1;
	struct rows_block *block = rows->block;
	char *copy;

	if (!block || size > sizeof(block->text) - block->used) {
		block = malloc(sizeof(*block));
		if (!block)
			return NULL;
		block->next = rows->block;
		block->used = 0;
		rows->block = block;
	}
	copy = block->text + block->used;
	memcpy(copy, text, size);
	block->used += size;
	return copy;
}

void rows_free(struct rows *rows)
{
	struct rows_block *next;

	for (struct rows_block *b = rows->block; b; b = next) {
		next = b->next;
		free(b);
	}
	free(rows->row);
	*rows = (struct rows){};
}

static struct listing_input *rows_add(struct rows *rows)
{
	size_t room = rows->room ? rows->room * 2 : ROWS_FIRST;
	struct listing_input *grown;

	if (rows->count == rows->room) {
		grown = reallocarray(rows->row, room, sizeof(*grown));
		if (!grown)
			return NULL;
		rows->row = grown;
		rows->room = room;
	}
	rows->row[rows->count] = (struct listing_input){ .confidence = -1 };
	return &rows->row[rows->count++];
}

/* ---- one row ---- */

struct row_parser {
	struct rows *rows;
	struct listing_input *row;
	int64_t now;
	bool has_expiry, has_review;
	struct problem *why;
};

static int row_problem(struct row_parser *p, const char *key, const char *what)
{
	return problem_set(p->why, -EINVAL, "row %zu: '%.40s': %s", p->rows->count - 1, key, what);
}

static int take_text(struct row_parser *p, const char *key, const json_t *value, const char **ret)
{
	if (!json_is_string(value))
		return row_problem(p, key, "a string is expected");
	if (json_string_length(value) > ROW_TEXT_MAX)
		return row_problem(p, key, "longer than 4096 bytes");
	*ret = rows_keep(p->rows, json_string_value(value));
	return *ret ? 0 : -ENOMEM;
}

static int take_confidence(struct row_parser *p, const char *key, const json_t *value)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return row_problem(p, key, "a whole number from 0 to 100 is expected");
	/* The gate refuses what is out of range; -1 is taken here for "none". */
	p->row->confidence = number < 0 || number > INT32_MAX ? INT32_MAX : (int)number;
	return 0;
}

/* A time that is given as such (at_key) or as how long from now. */
static int take_time(struct row_parser *p, const char *key, const char *at_key, const json_t *value,
		     int64_t *ret)
{
	const char *text = json_string_value(value);
	int64_t seconds;

	if (strcmp(key, at_key) != 0) {
		if (!text || units_duration(text, &seconds))
			return row_problem(
				p, key,
				"a duration is expected: \"90s\", \"15m\", \"12h\", \"30d\"");
		*ret = p->now + seconds;
		return 0;
	}
	if (json_is_integer(value))
		seconds = json_integer_value(value);
	else if (!text || when_parse(text, &seconds))
		return row_problem(p, key, "seconds since 1970 or an RFC 3339 time is expected");
	if (seconds <= 0 || seconds > WHEN_MAX)
		return row_problem(p, key, "not a time between 1970 and 9999");
	*ret = seconds;
	return 0;
}

static int take_expiry(struct row_parser *p, const char *key, const json_t *value)
{
	if (p->has_expiry)
		return row_problem(p, key, "give 'ttl' or 'expires_at', not both");
	p->has_expiry = true;
	return take_time(p, key, "expires_at", value, &p->row->expires_at);
}

static int take_review(struct row_parser *p, const char *key, const json_t *value)
{
	if (p->has_review)
		return row_problem(p, key, "give 'review' or 'review_at', not both");
	p->has_review = true;
	return take_time(p, key, "review_at", value, &p->row->review_at);
}

static int take_member(struct row_parser *p, const char *key, const json_t *value)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = {
		{ "source", &p->row->source },	     { "category", &p->row->category },
		{ "feed", &p->row->feed },	     { "reason", &p->row->reason },
		{ "reference", &p->row->reference }, { "basis", &p->row->basis },
		{ "region", &p->row->region },
	};
	bool expiry = strcmp(key, "ttl") == 0 || strcmp(key, "expires_at") == 0;
	bool review = strcmp(key, "review") == 0 || strcmp(key, "review_at") == 0;
	bool confidence = strcmp(key, "confidence") == 0;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (strcmp(texts[i].key, key) == 0)
			return json_is_null(value) ? 0 : take_text(p, key, value, texts[i].to);
	}
	if (!expiry && !review && !confidence)
		return row_problem(p, key, "there is no such member");
	if (json_is_null(value))
		return 0;
	if (review)
		return take_review(p, key, value);
	return expiry ? take_expiry(p, key, value) : take_confidence(p, key, value);
}

static int take_row(struct rows *rows, json_t *object, int64_t now, struct problem *why)
{
	struct row_parser p = { .rows = rows, .now = now, .why = why };
	const char *key;
	json_t *value;
	int err;

	if (rows->count == ROWS_MAX)
		return problem_set(why, -E2BIG, "more than %d rows: send them in several requests",
				   ROWS_MAX);
	p.row = rows_add(rows);
	if (!p.row)
		return -ENOMEM;
	p.row->feed = "manual";
	json_object_foreach(object, key, value) {
		err = take_member(&p, key, value);
		if (err)
			return err;
	}
	if (!p.row->source)
		return row_problem(&p, "source", "is missing");
	if (!p.row->category)
		return row_problem(&p, "category", "is missing");
	return 0;
}

/* ---- the text ---- */

static void move(struct place *p, size_t bytes)
{
	for (; bytes; bytes--, p->at++) {
		if (*p->at == '\n') {
			p->line++;
			p->column = 1;
		} else {
			p->column++;
		}
	}
}

/* The next character that is not white space, '\0' at the end. */
static char peek(struct place *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
		move(p, 1);
	return p->at < p->end ? *p->at : '\0';
}

static int expected(const struct place *p, const char *what, struct problem *why)
{
	return problem_set(why, -EINVAL, "line %d, column %d: %s expected", p->line, p->column,
			   what);
}

static int parse_row(struct place *p, struct rows *rows, int64_t now, struct problem *why)
{
	json_auto_t *object = NULL;
	size_t left;
	json_error_t error;

	if (peek(p) != '{')
		return expected(p, "an object", why);
	left = (size_t)(p->end - p->at);
	object = json_loadb(p->at, left < ROW_SIZE_MAX ? left : ROW_SIZE_MAX,
			    JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &error);
	if (!object && left > ROW_SIZE_MAX &&
	    json_error_code(&error) == json_error_premature_end_of_input)
		return problem_set(why, -EINVAL, "line %d, column %d: a row of more than %d bytes",
				   p->line, p->column, ROW_SIZE_MAX);
	if (!object)
		return problem_set(why, -EINVAL, "line %d, column %d: %s", p->line + error.line - 1,
				   error.line == 1 ? p->column + error.column - 1 : error.column,
				   error.text);
	move(p, (size_t)error.position);
	return take_row(rows, object, now, why);
}

static int parse_array(struct place *p, struct rows *rows, int64_t now, struct problem *why)
{
	int err;

	move(p, 1);
	if (peek(p) == ']') {
		move(p, 1);
		return 0;
	}
	for (;;) {
		err = parse_row(p, rows, now, why);
		if (err)
			return err;
		if (peek(p) == ']') {
			move(p, 1);
			return 0;
		}
		if (peek(p) != ',')
			return expected(p, "',' or ']'", why);
		move(p, 1);
	}
}

int rows_parse(const char *body, size_t size, int64_t now, struct rows *rows, struct problem *why)
{
	const char *text = size ? body : ""; /* a request without a body has NULL */
	struct place p = { .at = text, .end = text + size, .line = 1, .column = 1 };
	int err;

	rows->array = peek(&p) == '[';
	err = rows->array ? parse_array(&p, rows, now, why) : parse_row(&p, rows, now, why);
	if (err)
		return err;
	if (peek(&p) || p.at < p.end)
		return expected(&p, "the end", why);
	return 0;
}
