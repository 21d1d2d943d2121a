// SPDX-License-Identifier: BSD-2-Clause
/*
 * STIX 2.1: indicators in bundles and in the envelopes of TAXII 2.1.
 *
 * Of several versions of one indicator the newest counts, and may say that
 * there is nothing left of it: so rows are held until all versions are seen.
 */
#include "core/feed_held.h"
#include "core/feed_json.h"
#include "core/feed_pattern.h"

#define INDICATORS_MAX (1U << 20)
#define VERSIONS_FIRST 256

enum {
	TYPE,
	ID,
	MODIFIED,
	NAME,
	PATTERN,
	PATTERN_TYPE,
	VALID_UNTIL,
	CONFIDENCE,
	REVOKED,
	INDICATOR_TYPES,
	LABELS,
};

static const char *const fields[] = {
	"type",		"id",	       "modified",   "name",	"pattern",
	"pattern_type", "valid_until", "confidence", "revoked", "indicator_types",
	"labels",	NULL,
};

enum { OBJECTS, BUNDLE_TYPE, MORE };

static const char *const keys[] = { "objects", "type", "more", NULL };

/* One version of an indicator, whether it gives rows or not. */
struct version {
	uint64_t id; /* hash: who makes two collide hurts nobody's feed but his own */
	int64_t second;
	uint32_t nanosecond;
	uint32_t number; /* which of the file; its rows carry it */
	bool newest;
};

struct stix {
	struct feed_held rows;
	struct version *version; /* owned */
	size_t versions, room;
	bool bundle, more;
};

/* The row that the addresses of one pattern share. */
struct indicator {
	struct feed_json *j;
	struct feed_row row;
	uint64_t number;
};

/* FNV-1a, 64 bits. */
static uint64_t hash(const char *text, size_t size)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3;
	return h;
}

/* The fraction of a second, which tells versions apart that one program wrote in a row. */
static uint32_t nanoseconds(const char *text)
{
	const char *dot = strchr(text, '.');
	uint32_t weight = 100000000, sum = 0;

	for (const char *p = dot ? dot + 1 : ""; *p >= '0' && *p <= '9'; p++, weight /= 10)
		sum += (*p - '0') * weight;
	return sum;
}

static int add_version(struct feed_json *j, const struct feed_json_record *r)
{
	const struct feed_json_value *id = &r->field[ID], *modified = &r->field[MODIFIED];
	struct stix *stix = j->own;
	struct version *v;

	if (stix->versions == INDICATORS_MAX)
		return feed_fault(j->p, FEED_FAULT_TOO_LARGE, "more than %u indicators",
				  INDICATORS_MAX);
	if (stix->versions == stix->room) {
		size_t room = stix->room ? 2 * stix->room : VERSIONS_FIRST;

		v = reallocarray(stix->version, room, sizeof(*v));
		if (!v)
			return -ENOMEM;
		stix->version = v;
		stix->room = room;
	}
	v = &stix->version[stix->versions];
	*v = (struct version){ .id = hash(id->text, id->size), .number = stix->versions };
	stix->versions++;
	if (!feed_json_time(modified->text, modified->size, &v->second))
		v->nanosecond = nanoseconds(modified->text);
	return 0;
}

/* Whether the indicator may be used; else it is skipped. */
static bool usable(struct feed_json *j, const struct feed_json_record *r)
{
	const struct feed_json_value *pattern = &r->field[PATTERN], *type = &r->field[PATTERN_TYPE];
	enum feed_skip cause;

	if (feed_json_true(&r->field[REVOKED]))
		cause = FEED_SKIP_UNWANTED;
	else if (pattern->kind != JSON_STRING)
		cause = FEED_SKIP_SYNTAX;
	else if (pattern->cut)
		cause = FEED_SKIP_TOO_LONG;
	else if (feed_json_given(type) && !feed_json_is(type, "stix"))
		cause = FEED_SKIP_SCOPE;
	else
		return true;
	feed_skip(j->p, cause, r->number);
	return false;
}

static int add_address(void *arg, const char *text, size_t size)
{
	struct indicator *in = arg;
	struct stix *stix = in->j->own;
	struct feed_row row = in->row;
	int err;

	if (!feed_json_source(in->j->p, text, size, in->number, &row))
		return 0;
	err = feed_held_add(&stix->rows, &row, stix->versions - 1);
	if (err == -EFBIG)
		feed_fault(in->j->p, FEED_FAULT_TOO_LARGE, "more addresses than %u bytes hold",
			   FEED_HELD_MAX);
	return err;
}

static int record(struct feed_json *j, const struct feed_json_record *r)
{
	const struct feed_json_value *category =
		r->field[INDICATOR_TYPES].size ? &r->field[INDICATOR_TYPES] : &r->field[LABELS];
	const struct feed_json_value *until = &r->field[VALID_UNTIL], *id = &r->field[ID];
	struct indicator in = { .j = j, .row = feed_json_row(r), .number = r->number };
	enum feed_skip cause;
	int err;

	/* What else is in a bundle (identities, relations, malware) is about indicators. */
	if (!feed_json_is(&r->field[TYPE], "indicator"))
		return 0;
	if (!id->size) {
		feed_skip(j->p, FEED_SKIP_SYNTAX, r->number);
		return 0;
	}
	err = add_version(j, r);
	if (err || j->p->summary.fault || !usable(j, r))
		return err;
	/* An end that cannot be read must not become none. */
	if (feed_json_given(until) && feed_json_time(until->text, until->size, &in.row.expires)) {
		feed_skip(j->p, FEED_SKIP_SYNTAX, r->number);
		return 0;
	}
	in.row.confidence = feed_json_confidence(&r->field[CONFIDENCE]);
	feed_text_copy(in.row.category, sizeof(in.row.category), category->text, category->size);
	feed_text_copy(in.row.reference, sizeof(in.row.reference), id->text, id->size);
	feed_text_copy(in.row.reason, sizeof(in.row.reason), r->field[NAME].text,
		       r->field[NAME].size);
	err = feed_pattern_read(r->field[PATTERN].text, r->field[PATTERN].size, add_address, &in,
				&cause);
	if (err == -EINVAL)
		feed_skip(j->p, cause, r->number);
	return err == -ENOMEM ? err : 0;
}

static int value(struct feed_json *j, int key, const struct json_token *t)
{
	struct stix *stix = j->own;

	if (t->depth == 1 && key == BUNDLE_TYPE && t->kind == JSON_STRING)
		stix->bundle = t->size == 6 && !memcmp(t->text, "bundle", 6);
	if (t->depth == 1 && key == MORE)
		stix->more = t->kind == JSON_TRUE;
	return 0;
}

static int compare_versions(const void *a, const void *b)
{
	const struct version *left = a, *right = b;

	if (left->id != right->id)
		return left->id < right->id ? -1 : 1;
	if (left->second != right->second)
		return left->second < right->second ? -1 : 1;
	if (left->nanosecond != right->nanosecond)
		return left->nanosecond < right->nanosecond ? -1 : 1;
	return left->number < right->number ? -1 : left->number > right->number;
}

static int compare_numbers(const void *a, const void *b)
{
	const struct version *left = a, *right = b;

	return left->number < right->number ? -1 : left->number > right->number;
}

/* Of each id the last in order; of equals that which stands last. */
static void find_newest(struct stix *stix)
{
	if (!stix->versions)
		return;
	qsort(stix->version, stix->versions, sizeof(*stix->version), compare_versions);
	for (size_t i = 0; i < stix->versions; i++)
		stix->version[i].newest = i + 1 == stix->versions ||
					  stix->version[i].id != stix->version[i + 1].id;
	qsort(stix->version, stix->versions, sizeof(*stix->version), compare_numbers);
}

static int finish(struct feed_json *j)
{
	struct feed_summary *summary = &j->p->summary;
	struct stix *stix = j->own;
	struct feed_row row;
	uint32_t number;
	size_t at = 0;

	/* An envelope with nothing in it is "{}". */
	if (!j->listed && (j->keyed || j->array[1]) && !stix->bundle)
		return feed_fault(j->p, FEED_FAULT_NO_ENTRIES, "no 'objects' in it");
	find_newest(stix);
	while (feed_held_next(&stix->rows, &at, &row, &number)) {
		int err;

		if (!stix->version[number].newest) {
			feed_skip(j->p, FEED_SKIP_UNWANTED, row.line);
			continue;
		}
		err = feed_emit(j->p, &row);
		if (err)
			return err;
	}
	summary->complete = !stix->more;
	summary->may_be_empty = !stix->versions;
	snprintf(summary->title, sizeof(summary->title), "%s%s",
		 stix->bundle ? "STIX bundle" : "TAXII envelope",
		 stix->more ? ", more to come" : "");
	return 0;
}

static void fini(void *own)
{
	struct stix *stix = own;

	feed_held_free(&stix->rows);
	free(stix->version);
}

const struct feed_json_shape feed_json_stix = {
	.fields = fields,
	.keys = keys,
	.lists = 1,
	.anywhere = true,
	.text_max = FEED_OBJECT_MAX / 2,
	.own_size = sizeof(struct stix),
	.record = record,
	.value = value,
	.finish = finish,
	.fini = fini,
};
