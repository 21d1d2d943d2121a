// SPDX-License-Identifier: BSD-2-Clause
#include "core/feed_json.h"

#include <strings.h>

#include "core/feed_target.h"
#include "core/when.h"

#define TEXTS_FIRST 1024
#define SOURCE_MAX  64 /* bytes of text that can be an address */
#define TIME_MAX    40

_Static_assert(FEED_DEPTH_MAX == JSON_DEPTH_MAX, "the reader keeps the promise of feed.h");

/* Keys of what servers send instead of a list. The first ones hold a text for people. */
static const char *const complaints[] = {
	"message",     "error",	     "detail",	   "title",	"msg",
	"reason",      "errors",     "status",	   "code",	"fault",
	"http_status", "statusCode", "error_code", "exception", NULL,
};

static int find(const char *const *names, const char *text, size_t size)
{
	for (int i = 0; names && names[i]; i++) {
		/* The text may hold a NUL, which a name does not. */
		if (size && names[i][0] == *text && strlen(names[i]) == size &&
		    !memcmp(names[i], text, size))
			return i;
	}
	return -1;
}

/* ---- one record ---- */

static int put_aside(struct feed_json *j, const char *text, size_t size)
{
	size_t room = j->room ? j->room : TEXTS_FIRST;
	char *texts;

	while (room - j->used <= size)
		room *= 2;
	if (room != j->room) {
		texts = realloc(j->texts, room);
		if (!texts)
			return -ENOMEM;
		j->texts = texts;
		j->room = room;
	}
	memcpy(j->texts + j->used, text, size);
	j->used += size;
	j->texts[j->used++] = '\0';
	return 0;
}

static int set_field(struct feed_json *j, const struct json_token *t)
{
	struct feed_json_value *v = &j->record.field[j->slot];

	v->kind = t->kind;
	v->size = 0;
	if (t->kind != JSON_STRING && t->kind != JSON_NUMBER)
		return 0;
	if (t->size + 1 > FEED_OBJECT_MAX - j->used) {
		v->cut = true;
		j->too_long = true;
		return 0;
	}
	v->cut = t->cut;
	v->size = t->size;
	j->at[j->slot] = j->used;
	return put_aside(j, t->text, t->size);
}

static void begin_record(struct feed_json *j, const struct json_token *t)
{
	uint64_t number = j->record.number + 1;

	memset(&j->record, 0, sizeof(j->record));
	j->record.number = number;
	j->record.key = j->under[t->depth];
	j->record.start = j->read.line_start;
	j->inside = t->depth + 1;
	j->slot = -1;
	j->twice = false;
	j->too_long = false;
	j->used = 0;
}

static int end_record(struct feed_json *j)
{
	struct feed_json_record *r = &j->record;

	j->inside = 0;
	j->p->summary.lines++;
	if (j->twice || j->too_long) {
		feed_skip(j->p, j->twice ? FEED_SKIP_SYNTAX : FEED_SKIP_TOO_LONG, r->number);
		return 0;
	}
	for (size_t i = 0; i < FEED_JSON_FIELDS_MAX; i++) {
		bool has_text = r->field[i].kind == JSON_STRING || r->field[i].kind == JSON_NUMBER;

		r->field[i].text = has_text ? j->texts + j->at[i] : "";
	}
	return j->shape->record(j, r);
}

static int in_record(struct feed_json *j, const struct json_token *t)
{
	bool ends = t->kind == JSON_OBJECT_END || t->kind == JSON_ARRAY_END;

	if (ends && t->depth + 1 == j->inside)
		return end_record(j);
	if (ends)
		return 0;
	if (t->kind == JSON_ARRAY)
		j->array[t->depth + 1] = true;
	else if (t->kind == JSON_OBJECT)
		j->array[t->depth + 1] = false;
	if (t->kind == JSON_KEY && t->depth == j->inside) {
		j->slot = t->cut ? -1 : find(j->shape->fields, t->text, t->size);
		if (j->slot >= 0 && j->record.field[j->slot].kind != JSON_NONE)
			j->twice = true;
		return 0;
	}
	if (t->kind == JSON_KEY || j->slot < 0)
		return 0;
	if (t->depth == j->inside)
		return set_field(j, t);
	/* The first plain value of a list. */
	if (t->depth == j->inside + 1 && j->array[t->depth] &&
	    j->record.field[j->slot].kind == JSON_ARRAY)
		return set_field(j, t);
	return 0;
}

/* ---- outside of records ---- */

/* Whether the values at this depth stand under the key of a list. */
static bool is_list(const struct feed_json *j, unsigned int depth)
{
	return j->under[depth] >= 0 && j->under[depth] < j->shape->lists;
}

static void skip_element(struct feed_json *j)
{
	j->p->summary.lines++;
	j->record.number++;
	feed_skip(j->p, FEED_SKIP_SYNTAX, j->record.number);
}

static int on_key(struct feed_json *j, const struct json_token *t)
{
	int key = t->cut ? -1 : find(j->shape->keys, t->text, t->size);

	if (key >= 0 && key < j->shape->lists && t->depth != 1 && !j->shape->anywhere)
		key = -1;
	j->under[t->depth] = key;
	if (t->depth != 1)
		return 0;
	j->keyed = true;
	j->errors_at = key < 0 ? find(complaints, t->text, t->size) : -1;
	if (j->errors_at >= 0)
		j->complains = true;
	return 0;
}

static int on_value(struct feed_json *j, const struct json_token *t)
{
	int key = j->under[t->depth];

	if (t->depth == 0 && !j->record.number)
		return feed_fault(j->p, FEED_FAULT_ERROR_PAGE, "a single value instead of a list");
	if (t->depth == 0) { /* a line of NDJSON */
		skip_element(j);
		return 0;
	}
	if (t->depth == 1 && j->errors_at >= 0 && t->kind == JSON_STRING && !j->message[0])
		feed_text_copy(j->message, sizeof(j->message), t->text, t->size);
	if (!is_list(j, t->depth))
		return j->shape->value ? j->shape->value(j, key, t) : 0;
	if (j->array[t->depth])
		skip_element(j);
	else if (t->kind != JSON_NULL)
		return feed_fault(j->p, FEED_FAULT_SYNTAX, "'%s' is not a list",
				  j->shape->keys[key]);
	j->listed = true;
	return 0;
}

static int on_nested(struct feed_json *j, const struct json_token *t)
{
	bool list = is_list(j, t->depth), object = t->kind == JSON_OBJECT;

	j->array[t->depth + 1] = !object;
	j->under[t->depth + 1] = object ? -1 : j->under[t->depth];
	if (j->shape->lines && t->depth == 0) {
		if (object)
			begin_record(j, t);
		else
			skip_element(j);
		return 0;
	}
	if (!list)
		return 0;
	j->listed = true;
	if (object && (j->array[t->depth] || j->shape->single)) {
		begin_record(j, t);
	} else if (object) {
		return feed_fault(j->p, FEED_FAULT_SYNTAX, "'%s' is not a list",
				  j->shape->keys[j->under[t->depth]]);
	} else if (j->array[t->depth]) { /* a list in a list */
		j->under[t->depth + 1] = -1;
		skip_element(j);
	}
	return 0;
}

static int outside(struct feed_json *j, const struct json_token *t)
{
	switch (t->kind) {
	case JSON_KEY:
		return on_key(j, t);
	case JSON_OBJECT:
	case JSON_ARRAY:
		return on_nested(j, t);
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		return 0;
	default:
		return on_value(j, t);
	}
}

static int on_token(void *arg, const struct json_token *t)
{
	struct feed_json *j = arg;
	int err = j->inside ? in_record(j, t) : outside(j, t);

	/* A fault ends the reading; -ECANCELED never leaves this file. */
	return err ? err : j->p->summary.fault ? -ECANCELED : 0;
}

/* ---- the reader ---- */

static const struct feed_json_shape *shape_of(enum feed_format format)
{
	switch (format) {
	case FEED_SPAMHAUS:
	case FEED_ASN:
		return &feed_json_spamhaus;
	case FEED_ABUSEIPDB:
		return &feed_json_abuseipdb;
	case FEED_STIX:
	case FEED_TAXII:
		return &feed_json_stix;
	case FEED_MISP:
		return &feed_json_misp;
	case FEED_WARNINGLIST:
		return &feed_json_warninglist;
	case FEED_CLOUD:
		return &feed_json_cloud;
	case FEED_CROWDSEC:
		return &feed_json_crowdsec;
	default:
		return NULL;
	}
}

static int json_init(struct feed_parser *p, void *state)
{
	struct feed_json *j = state;

	j->p = p;
	j->shape = shape_of(p->format);
	if (!j->shape)
		return -EINVAL;
	j->own = calloc(1, j->shape->own_size ? j->shape->own_size : 1);
	if (!j->own)
		return -ENOMEM;
	j->under[0] = -1;
	j->errors_at = -1;
	j->read = (struct json_read){
		.fn = on_token,
		.arg = j,
		.text_max = j->shape->text_max,
		.lines = j->shape->lines,
	};
	return 0;
}

/* What the reader's error means for the file. byte is the one it stopped at, -1: the end. */
static int json_fault(struct feed_json *j, int err, int byte)
{
	struct feed_parser *p = j->p;
	const struct json_read *r = &j->read;

	if (p->summary.fault)
		return 0;
	if (!r->why)
		return err; /* of the receiver of rows, or no memory */
	if (err == -ENODATA && !r->offset)
		return feed_fault(p, FEED_FAULT_EMPTY, "no bytes at all");
	if (err == -ENODATA)
		return feed_fault(p, FEED_FAULT_TRUNCATED, "%s, behind %llu objects and %llu bytes",
				  r->why, (unsigned long long)p->summary.lines,
				  (unsigned long long)r->where);
	if (byte == '\0')
		return feed_fault(p, FEED_FAULT_BINARY, "a NUL byte at %llu",
				  (unsigned long long)r->where);
	if (!p->summary.lines && !r->depth && !j->keyed)
		return feed_fault(p, FEED_FAULT_ERROR_PAGE, "not JSON: byte %llu: %s",
				  (unsigned long long)r->where, r->why);
	return feed_fault(p, FEED_FAULT_SYNTAX, "line %llu, byte %llu: %s",
			  (unsigned long long)r->line + 1, (unsigned long long)r->where, r->why);
}

static int json_push(struct feed_parser *p, void *state, const char *bytes, size_t size)
{
	struct feed_json *j = state;
	int err;

	if (p->summary.fault || p->stopped)
		return p->stopped;
	err = json_read_push(&j->read, bytes, size);
	if (!err)
		return 0;
	/* .where is set together with .why only. */
	return json_fault(j, err,
			  j->read.why ? bytes[j->read.where - (j->read.offset - size)] : -1);
}

static int json_finish(struct feed_parser *p, void *state)
{
	struct feed_json *j = state;
	int err;

	if (p->summary.fault || p->stopped)
		return p->stopped;
	err = json_read_finish(&j->read);
	if (err)
		return json_fault(j, err, -1);
	if (!j->listed && !p->summary.lines && j->complains)
		return feed_fault(p, FEED_FAULT_ERROR_PAGE,
				  "an error message instead of a list: %s",
				  j->message[0] ? j->message : "no text");
	err = j->shape->finish(j);
	if (err || p->summary.fault)
		return err;
	feed_judge_lines(p);
	return 0;
}

static void json_fini(void *state)
{
	struct feed_json *j = state;

	if (j->own && j->shape->fini)
		j->shape->fini(j->own);
	free(j->own);
	free(j->texts);
	json_read_fini(&j->read);
}

const struct feed_reader feed_reader_json = {
	.size = sizeof(struct feed_json),
	.init = json_init,
	.push = json_push,
	.finish = json_finish,
	.fini = json_fini,
};

/* ---- values ---- */

struct feed_row feed_json_row(const struct feed_json_record *r)
{
	struct feed_row row = {
		.confidence = FEED_NO_CONFIDENCE,
		.line = r->number > UINT32_MAX ? UINT32_MAX : r->number,
	};

	return row;
}

bool feed_json_source(struct feed_parser *p, const char *text, size_t size, uint64_t number,
		      struct feed_row *row)
{
	enum feed_skip cause = FEED_SKIP_SYNTAX;
	struct feed_target target;
	char copy[SOURCE_MAX];

	/* Nearly always it is just that; what else it may be takes longer to find out. */
	if (size < sizeof(copy)) {
		memcpy(copy, text, size);
		copy[size] = '\0';
		if (strlen(copy) == size && !prefix_parse(copy, &row->source))
			return true;
	}
	if (!feed_target_field(text, size, &target, &cause) || target.range) {
		feed_skip(p, cause, number);
		return false;
	}
	if (feed_target_refused(p, &target)) {
		feed_skip(p, FEED_SKIP_HOST_BITS, number);
		return false;
	}
	row->source = target.first;
	row->masked = target.host_bits;
	return true;
}

bool feed_json_is(const struct feed_json_value *v, const char *text)
{
	return v->kind == JSON_STRING && v->size == strlen(text) && !memcmp(v->text, text, v->size);
}

bool feed_json_like(const struct feed_json_value *v, const char *text)
{
	return v->kind == JSON_STRING && v->size == strlen(text) && !strcasecmp(v->text, text);
}

bool feed_json_true(const struct feed_json_value *v)
{
	int64_t value;

	return v->kind == JSON_TRUE || (feed_json_integer(v, &value) == 0 && value == 1);
}

int feed_json_integer(const struct feed_json_value *v, int64_t *ret)
{
	if ((v->kind != JSON_STRING && v->kind != JSON_NUMBER) || v->cut)
		return -EINVAL;
	return json_integer(v->text, v->size, ret);
}

uint8_t feed_json_confidence(const struct feed_json_value *v)
{
	int64_t value;

	if (feed_json_integer(v, &value) || value < 0 || value > 100)
		return FEED_NO_CONFIDENCE;
	return value;
}

int feed_json_time(const char *text, size_t size, int64_t *ret)
{
	char copy[TIME_MAX];

	if (size >= sizeof(copy) || memchr(text, '\0', size))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	return when_parse(copy, ret);
}
