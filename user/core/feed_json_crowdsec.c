// SPDX-License-Identifier: BSD-2-Clause
/*
 * The decision stream of a CrowdSec LAPI: what is new, and what is deleted,
 * which counts first although it stands last. So the new ones are held back.
 *
 * Nothing in an answer proves that it is whole: a database error of the server
 * closes it as if it were.
 */
#include "core/feed_held.h"
#include "core/feed_json.h"

enum { ID, ORIGIN, TYPE, SCOPE, VALUE, DURATION, SCENARIO, SIMULATED };

static const char *const fields[] = {
	"id", "origin", "type", "scope", "value", "duration", "scenario", "simulated", NULL,
};

enum { NEW, DELETED };

static const char *const keys[] = { "new", "deleted", NULL };

struct stream {
	struct feed_held added;
};

#define SECOND	     1000000000LL
#define DURATION_MAX (200LL * 366 * 86400) /* seconds; Go's own limit is 292 years */

static const struct {
	const char *name;
	int64_t ns;
} units[] = {
	{ "ns", 1 },	       { "us", 1000 },	{ "\xc2\xb5s", 1000 }, /* micro sign */
	{ "\xce\xbcs", 1000 },					       /* Greek mu */
	{ "ms", 1000000 },     { "s", SECOND }, { "m", 60 * SECOND },  { "h", 3600 * SECOND },
};

/* The longer name first where one begins another: "ms" before "m". */
static const char *take_unit(const char *p, int64_t *ret_ns)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t size = strlen(units[i].name);

		if (!strncmp(p, units[i].name, size)) {
			*ret_ns = units[i].ns;
			return p + size;
		}
	}
	return NULL;
}

/* "59", "59.756182786": whole units and billionths of one. At least one digit. */
static const char *take_amount(const char *p, int64_t *ret_whole, int64_t *ret_billionths)
{
	int64_t weight = 100000000;
	const char *start = p;

	*ret_whole = 0;
	*ret_billionths = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		*ret_whole = *ret_whole * 10 + (*p - '0');
		if (*ret_whole > DURATION_MAX * 1000)
			return NULL;
	}
	if (*p != '.')
		return p > start ? p : NULL;
	for (start = ++p; *p >= '0' && *p <= '9'; p++, weight /= 10)
		*ret_billionths += (*p - '0') * weight;
	return p > start ? p : NULL;
}

/* A Go duration, "-1h0m1.5s", as seconds, rounded. 0 or -EINVAL. */
static int parse_duration(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	const char *p = text + (negative || *text == '+');
	int64_t total = 0; /* nanoseconds; DURATION_MAX of them fit */

	if (!strcmp(p, "0")) {
		*ret = 0;
		return 0;
	}
	do {
		int64_t whole, billionths, unit, part;

		p = take_amount(p, &whole, &billionths);
		p = p ? take_unit(p, &unit) : NULL;
		if (!p || __builtin_mul_overflow(whole, unit, &part) ||
		    __builtin_add_overflow(total, part, &total))
			return -EINVAL;
		part = (int64_t)((__int128)billionths * unit / SECOND);
		if (__builtin_add_overflow(total, part, &total) || total / SECOND > DURATION_MAX)
			return -EINVAL;
	} while (*p);
	total = (total + SECOND / 2) / SECOND;
	*ret = negative ? -total : total;
	return 0;
}

/* Whether a list of words with commas has this one. */
static bool among(const char *words, const struct feed_json_value *v)
{
	while (*words) {
		size_t size = strcspn(words, ",");

		if (size == v->size && v->size && !memcmp(words, v->text, size))
			return true;
		words += size;
		words += *words == ',';
	}
	return false;
}

static uint8_t scope_of(const struct feed_json_value *scope)
{
	if (feed_json_like(scope, "ip"))
		return FEED_SCOPE_IP;
	return feed_json_like(scope, "range") ? FEED_SCOPE_RANGE : FEED_SCOPE_AS;
}

/* Why a decision is left out; FEED_SKIP_MAX: it is not. */
static enum feed_skip unusable(struct feed_json *j, const struct feed_json_record *r)
{
	const char *types = j->p->options.types ? j->p->options.types : "ban";

	for (int i = TYPE; i <= VALUE; i++) {
		if (r->field[i].kind != JSON_STRING)
			return FEED_SKIP_SYNTAX;
	}
	if (!feed_json_like(&r->field[SCOPE], "ip") && !feed_json_like(&r->field[SCOPE], "range"))
		return FEED_SKIP_SCOPE;
	if (!among(types, &r->field[TYPE]) || feed_json_true(&r->field[SIMULATED]))
		return FEED_SKIP_UNWANTED;
	return FEED_SKIP_MAX;
}

/* "lists: firehol_greensnow", "CAPI: crowdsecurity/ssh-bf" */
static void set_texts(const struct feed_json_record *r, struct feed_row *row)
{
	const struct feed_json_value *origin = &r->field[ORIGIN], *scenario = &r->field[SCENARIO];
	size_t used;

	feed_text_copy(row->category, sizeof(row->category), r->field[TYPE].text,
		       r->field[TYPE].size);
	feed_text_copy(row->reference, sizeof(row->reference), r->field[ID].text,
		       r->field[ID].size);
	feed_text_copy(row->reason, sizeof(row->reason), origin->text, origin->size);
	used = strlen(row->reason);
	if (used && scenario->size && used + 2 < sizeof(row->reason)) {
		memcpy(row->reason + used, ": ", 3);
		used += 2;
	}
	feed_text_copy(row->reason + used, sizeof(row->reason) - used, scenario->text,
		       scenario->size);
}

static int record(struct feed_json *j, const struct feed_json_record *r)
{
	const struct feed_json_value *value = &r->field[VALUE], *duration = &r->field[DURATION];
	enum feed_skip cause = unusable(j, r);
	struct feed_row row = feed_json_row(r);
	struct stream *stream = j->own;
	int64_t seconds;
	int err;

	if (cause != FEED_SKIP_MAX) {
		feed_skip(j->p, cause, r->number);
		return 0;
	}
	if (!feed_json_source(j->p, value->text, value->size, r->number, &row))
		return 0;
	set_texts(r, &row);
	row.scope = scope_of(&r->field[SCOPE]);
	if (r->key == DELETED) {
		row.kind = FEED_ROW_REMOVE;
		return feed_emit(j->p, &row);
	}
	/* Without an end it would stay for ever, which the server never says. */
	if (duration->kind != JSON_STRING || strlen(duration->text) != duration->size ||
	    parse_duration(duration->text, &seconds) ||
	    __builtin_add_overflow(j->p->options.now, seconds, &row.expires)) {
		feed_skip(j->p, FEED_SKIP_SYNTAX, r->number);
		return 0;
	}
	if (row.expires < 1)
		row.expires = 1; /* long over; 0 would mean never */
	err = feed_held_add(&stream->added, &row, 0);
	if (err == -EFBIG)
		return feed_fault(j->p, FEED_FAULT_TOO_LARGE,
				  "more new decisions than %u bytes hold", FEED_HELD_MAX);
	return err;
}

static int finish(struct feed_json *j)
{
	struct stream *stream = j->own;
	struct feed_row row;
	uint32_t tag;
	size_t at = 0;

	/* Either list may be missing; an answer of something else has neither. */
	if (!j->listed && (j->keyed || j->array[1]))
		return feed_fault(j->p, FEED_FAULT_NO_ENTRIES, "neither 'new' nor 'deleted' in it");
	while (feed_held_next(&stream->added, &at, &row, &tag)) {
		int err = feed_emit(j->p, &row);

		if (err)
			return err;
	}
	j->p->summary.may_be_empty = true;
	return 0;
}

static void fini(void *own)
{
	struct stream *stream = own;

	feed_held_free(&stream->added);
}

const struct feed_json_shape feed_json_crowdsec = {
	.fields = fields,
	.keys = keys,
	.lists = 2,
	.text_max = FEED_LINE_MAX,
	.own_size = sizeof(struct stream),
	.record = record,
	.finish = finish,
	.fini = fini,
};
