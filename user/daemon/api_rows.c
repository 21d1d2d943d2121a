/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/api_rows.h"

#include "core/json_read.h"
#include "core/units.h"
#include "core/when.h"

#define BLOCK_FIRST 16384
#define BLOCK_SIZE  (256 * 1024)
#define ROWS_FIRST  16

_Static_assert(BLOCK_FIRST > ROW_TEXT_MAX + 64, "a text of a row fits into a block");

struct rows_block {
	struct rows_block *next;
	size_t used, room;
	char text[];
};

/* ---- memory ---- */

static struct rows_block *add_block(struct rows *rows)
{
	size_t size = rows->block ? BLOCK_SIZE : BLOCK_FIRST;
	struct rows_block *block = malloc(size);

	if (!block)
		return NULL;
	block->next = rows->block;
	block->used = 0;
	block->room = size - offsetof(struct rows_block, text);
	rows->block = block;
	rows->held += size;
	return block;
}

const char *rows_keep(struct rows *rows, const char *text, size_t size)
{
	struct rows_block *block = rows->block;
	char *copy;

	if (!block || size >= block->room - block->used)
		block = add_block(rows);
	if (!block)
		return NULL;
	copy = block->text + block->used;
	memcpy(copy, text, size);
	copy[size] = '\0';
	block->used += size + 1;
	return copy;
}

void rows_free(struct rows *rows)
{
	struct rows_block *next;

	for (struct rows_block *b = rows->block; b; b = next) {
		next = b->next;
		free(b);
	}
	if (rows->reader)
		json_read_fini(rows->reader);
	free(rows->reader);
	free(rows->row);
	*rows = (struct rows){};
}

static struct listing_input *add_row(struct rows *rows)
{
	size_t room = rows->room ? rows->room * 2 : ROWS_FIRST;
	struct listing_input *grown;

	if (rows->count == rows->room) {
		grown = reallocarray(rows->row, room, sizeof(*grown));
		if (!grown)
			return NULL;
		rows->held += (room - rows->room) * sizeof(*grown);
		rows->row = grown;
		rows->room = room;
	}
	rows->row[rows->count] = (struct listing_input){ .confidence = -1 };
	return &rows->row[rows->count++];
}

/* ---- members ---- */

enum member_kind { TEXT, CONFIDENCE, EXPIRES_AT, TTL, REVIEW_AT, REVIEW, AT };

struct member {
	const char *key;
	enum member_kind kind;
	size_t offset; /* TEXT: of its pointer in struct listing_input */
};

#define AT_ROW(field) offsetof(struct listing_input, field)

static const struct member of_listings[] = {
	{ "source", TEXT, AT_ROW(source) },
	{ "category", TEXT, AT_ROW(category) },
	{ "feed", TEXT, AT_ROW(feed) },
	{ "reason", TEXT, AT_ROW(reason) },
	{ "reference", TEXT, AT_ROW(reference) },
	{ "basis", TEXT, AT_ROW(basis) },
	{ "region", TEXT, AT_ROW(region) },
	{ "confidence", CONFIDENCE, 0 },
	{ "ttl", TTL, 0 },
	{ "expires_at", EXPIRES_AT, 0 },
	{ "review", REVIEW, 0 },
	{ "review_at", REVIEW_AT, 0 },
};

static const struct member of_keys[] = {
	{ "source", TEXT, AT_ROW(source) },
	{ "category", TEXT, AT_ROW(category) },
	{ "feed", TEXT, AT_ROW(feed) },
};

/* Who reports is kept as the reference; when it was is for the handler, in expires_at. */
static const struct member of_reports[] = {
	{ "source", TEXT, AT_ROW(source) }, { "category", TEXT, AT_ROW(category) },
	{ "reason", TEXT, AT_ROW(reason) }, { "reporter", TEXT, AT_ROW(reference) },
	{ "confidence", CONFIDENCE, 0 },    { "at", AT, 0 },
};

/* clang-format off */
static const struct {
	const struct member *member;
	size_t members;
	bool needs_category;
	const char *feed; /* of a row that names none */
} forms[] = {
	[ROWS_LISTINGS] = { of_listings, ARRAY_SIZE(of_listings), true, "manual" },
	[ROWS_KEYS] = { of_keys, ARRAY_SIZE(of_keys), false, NULL },
	[ROWS_REPORTS] = { of_reports, ARRAY_SIZE(of_reports), true, NULL },
};
/* clang-format on */

static int row_problem(struct rows *rows, const char *key, size_t size, const char *what)
{
	return problem_set(&rows->why, -EINVAL, "row %zu: '%.*s': %s", rows->count - 1,
			   (int)(size < 40 ? size : 40), key, what);
}

static int value_problem(struct rows *rows, const char *what)
{
	return row_problem(rows, rows->member->key, strlen(rows->member->key), what);
}

static struct listing_input *current(struct rows *rows)
{
	return &rows->row[rows->count - 1];
}

static int take_key(struct rows *rows, const struct json_token *t)
{
	for (size_t i = 0; i < forms[rows->form].members; i++) {
		const struct member *member = &forms[rows->form].member[i];

		if (strlen(member->key) != t->size || memcmp(member->key, t->text, t->size) != 0)
			continue;
		if (rows->seen & 1U << i)
			return row_problem(rows, t->text, t->size, "duplicate member");
		rows->seen |= 1U << i;
		rows->member = member;
		return 0;
	}
	return row_problem(rows, t->text, t->size, "there is no such member");
}

static int take_text(struct rows *rows, const struct json_token *t)
{
	const char *copy;

	if (t->kind != JSON_STRING)
		return value_problem(rows, "a string is expected");
	if (t->cut)
		return value_problem(rows, "longer than 4096 bytes");
	if (memchr(t->text, '\0', t->size))
		return value_problem(rows, "holds a NUL character");
	copy = rows_keep(rows, t->text, t->size);
	if (!copy)
		return -ENOMEM;
	*(const char **)((char *)current(rows) + rows->member->offset) = copy;
	return 0;
}

static int take_confidence(struct rows *rows, const struct json_token *t)
{
	int64_t number;

	if (t->kind != JSON_NUMBER || json_integer(t->text, t->size, &number))
		return value_problem(rows, "a whole number from 0 to 100 is expected");
	/* The gate refuses what is out of range; -1 is taken here for "none". */
	current(rows)->confidence = number < 0 || number > INT32_MAX ? INT32_MAX : (int)number;
	return 0;
}

#define TIME_TEXT_MAX 64 /* bytes of a duration or time as text */

/* As text with its NUL; NULL: too long for a time. */
static const char *short_text(const struct json_token *t, char text[static TIME_TEXT_MAX])
{
	if (t->kind != JSON_STRING || t->size >= TIME_TEXT_MAX || memchr(t->text, '\0', t->size))
		return NULL;
	memcpy(text, t->text, t->size);
	text[t->size] = '\0';
	return text;
}

static int take_span(struct rows *rows, const struct json_token *t, int64_t *ret)
{
	char room[TIME_TEXT_MAX];
	const char *text = short_text(t, room);
	int64_t seconds;

	if (!text || units_duration(text, &seconds))
		return value_problem(rows,
				     "a duration is expected: \"90s\", \"15m\", \"12h\", \"30d\"");
	*ret = rows->now + seconds;
	return 0;
}

static int take_time(struct rows *rows, const struct json_token *t, int64_t *ret)
{
	char room[TIME_TEXT_MAX];
	const char *text = short_text(t, room);
	int64_t seconds;
	int err;

	err = t->kind == JSON_NUMBER ? json_integer(t->text, t->size, &seconds)
				     : (text ? when_parse(text, &seconds) : -EINVAL);
	if (err)
		return value_problem(rows, "seconds since 1970 or an RFC 3339 time is expected");
	if (seconds <= 0 || seconds > WHEN_MAX)
		return value_problem(rows, "not a time between 1970 and 9999");
	*ret = seconds;
	return 0;
}

static int take_expiry(struct rows *rows, const struct json_token *t)
{
	int64_t *to = &current(rows)->expires_at;

	if (rows->has_expiry)
		return value_problem(rows, "give 'ttl' or 'expires_at', not both");
	rows->has_expiry = true;
	return rows->member->kind == TTL ? take_span(rows, t, to) : take_time(rows, t, to);
}

static int take_review(struct rows *rows, const struct json_token *t)
{
	int64_t *to = &current(rows)->review_at;

	if (rows->has_review)
		return value_problem(rows, "give 'review' or 'review_at', not both");
	rows->has_review = true;
	return rows->member->kind == REVIEW ? take_span(rows, t, to) : take_time(rows, t, to);
}

static int take_value(struct rows *rows, const struct json_token *t)
{
	if (t->kind == JSON_NULL)
		return 0;
	switch (rows->member->kind) {
	case TEXT:
		return take_text(rows, t);
	case CONFIDENCE:
		return take_confidence(rows, t);
	case TTL:
	case EXPIRES_AT:
		return take_expiry(rows, t);
	case REVIEW:
	case REVIEW_AT:
		return take_review(rows, t);
	case AT:
		return take_time(rows, t, &current(rows)->expires_at);
	}
	return 0;
}

/* ---- rows ---- */

static int begin_row(struct rows *rows)
{
	if (rows->count == ROWS_MAX)
		return problem_set(&rows->why, -E2BIG,
				   "more than %d rows: send them in several requests", ROWS_MAX);
	if (!add_row(rows))
		return -ENOMEM;
	current(rows)->feed = forms[rows->form].feed;
	rows->seen = 0;
	rows->has_expiry = rows->has_review = false;
	return 0;
}

static int end_row(struct rows *rows)
{
	if (!current(rows)->source)
		return row_problem(rows, "source", strlen("source"), "is missing");
	if (!current(rows)->category && forms[rows->form].needs_category)
		return row_problem(rows, "category", strlen("category"), "is missing");
	return 0;
}

static int on_token(void *arg, const struct json_token *t)
{
	struct rows *rows = arg;

	if (t->depth > rows->depth)
		return t->kind == JSON_KEY ? take_key(rows, t) : take_value(rows, t);
	if (t->kind == JSON_ARRAY && t->depth == 0 && !rows->array) {
		rows->array = true;
		rows->depth = 1;
		return 0;
	}
	if (t->kind == JSON_OBJECT)
		return begin_row(rows);
	if (t->kind == JSON_OBJECT_END)
		return end_row(rows);
	if (t->kind == JSON_ARRAY_END && t->depth == 0)
		return 0;
	return problem_set(&rows->why, -EINVAL, "row %zu: an object is expected", rows->count);
}

int rows_begin(struct rows *rows, enum rows_form form, bool lines, int64_t now)
{
	*rows = (struct rows){ .form = form, .now = now, .array = lines };
	rows->reader = calloc(1, sizeof(*rows->reader));
	if (!rows->reader)
		return -ENOMEM;
	*rows->reader = (struct json_read){
		.fn = on_token, .arg = rows, .text_max = ROW_TEXT_MAX, .lines = lines
	};
	return 0;
}

/* What is not JSON is told by its place. */
static int say_where(struct rows *rows, int err)
{
	const struct json_read *r = rows->reader;

	if (err == -EBADMSG || err == -ENODATA)
		err = problem_set(&rows->why, -EINVAL, "line %llu, column %llu: %s",
				  (unsigned long long)r->line + 1,
				  (unsigned long long)(r->where - r->line_start) + 1, r->why);
	else if (err && !rows->why.text[0])
		problem_set(&rows->why, err, "%s", strerror(-err));
	rows->error = err;
	return err;
}

int rows_push(struct rows *rows, const void *bytes, size_t size)
{
	if (rows->error)
		return rows->error;
	return say_where(rows, json_read_push(rows->reader, bytes, size));
}

int rows_finish(struct rows *rows)
{
	if (rows->error)
		return rows->error;
	return say_where(rows, json_read_finish(rows->reader));
}
