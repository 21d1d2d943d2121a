// SPDX-License-Identifier: BSD-2-Clause
/*
 * MISP: attributes of events, of objects in events, or by themselves, as the
 * REST interface and feeds give them. Taken are addresses meant for detection
 * (to_ids); the type goes into the category, for ip-src is who attacks and
 * ip-dst mostly whom the infected call.
 */
#include "core/feed_json.h"

enum { UUID, TYPE, VALUE, TO_IDS, DELETED, COMMENT, CATEGORY };

static const char *const fields[] = {
	"uuid", "type", "value", "to_ids", "deleted", "comment", "category", NULL,
};

enum { ATTRIBUTE, INFO, TIMESTAMP };

static const char *const keys[] = { "Attribute", "info", "timestamp", NULL };

static int record(struct feed_json *j, const struct feed_json_record *r)
{
	const struct feed_json_value *type = &r->field[TYPE], *text = &r->field[VALUE];
	const struct feed_json_value *why = r->field[COMMENT].size ? &r->field[COMMENT]
								   : &r->field[CATEGORY];
	struct feed_row row = feed_json_row(r);

	if (type->kind != JSON_STRING || text->kind != JSON_STRING) {
		feed_skip(j->p, FEED_SKIP_SYNTAX, r->number);
		return 0;
	}
	if (feed_json_is(type, "ip-src|port") || feed_json_is(type, "ip-dst|port")) {
		feed_skip(j->p, FEED_SKIP_PORT, r->number);
		return 0;
	}
	if (!feed_json_is(type, "ip-src") && !feed_json_is(type, "ip-dst")) {
		feed_skip(j->p, FEED_SKIP_SCOPE, r->number);
		return 0;
	}
	if (!feed_json_true(&r->field[TO_IDS]) || feed_json_true(&r->field[DELETED])) {
		feed_skip(j->p, FEED_SKIP_UNWANTED, r->number);
		return 0;
	}
	if (!feed_json_source(j->p, text->text, text->size, r->number, &row))
		return 0;
	feed_text_copy(row.category, sizeof(row.category), type->text, type->size);
	feed_text_copy(row.reference, sizeof(row.reference), r->field[UUID].text,
		       r->field[UUID].size);
	feed_text_copy(row.reason, sizeof(row.reason), why->text, why->size);
	return feed_emit(j->p, &row);
}

struct misp {
	unsigned int title_depth; /* 0: none yet */
};

/* Of several events: the first title (a related event has one too, deeper), the last time. */
static int value(struct feed_json *j, int key, const struct json_token *t)
{
	struct feed_summary *summary = &j->p->summary;
	struct misp *misp = j->own;
	int64_t when;

	if (key == INFO && t->kind == JSON_STRING &&
	    (!misp->title_depth || t->depth < misp->title_depth)) {
		misp->title_depth = t->depth;
		feed_text_copy(summary->title, sizeof(summary->title), t->text, t->size);
	}
	if (key == TIMESTAMP && !json_integer(t->text, t->size, &when) && when > summary->timestamp)
		summary->timestamp = when;
	return 0;
}

static int finish(struct feed_json *j)
{
	struct feed_summary *summary = &j->p->summary;

	if (!j->listed)
		return feed_fault(j->p, FEED_FAULT_NO_ENTRIES, "no 'Attribute' in it");
	summary->complete = true;
	summary->may_be_empty = !summary->lines;
	return 0;
}

const struct feed_json_shape feed_json_misp = {
	.fields = fields,
	.keys = keys,
	.lists = 1,
	.anywhere = true,
	.single = true,
	.text_max = FEED_LINE_MAX,
	.own_size = sizeof(struct misp),
	.record = record,
	.value = value,
	.finish = finish,
};
