// SPDX-License-Identifier: BSD-2-Clause
/*
 * Spamhaus DROP and ASN-DROP as NDJSON: an object a line, and metadata in the
 * last that counts the lines and bytes before it. The counts must be exact.
 */
#include "core/feed_json.h"

enum {
	CIDR,
	SBLID,
	ASN,
	ASNAME,
	DOMAIN,
	TYPE,
	TIMESTAMP,
	SIZE,
	RECORDS,
	COPYRIGHT,
	MESSAGE,
	STATUS
};

static const char *const fields[] = {
	"cidr", "sblid",   "asn",	"asname",  "domain", "type", "timestamp",
	"size", "records", "copyright", "message", "status", NULL,
};

struct drop {
	bool ended; /* the metadata was there */
};

static int metadata(struct feed_json *j, const struct feed_json_record *r)
{
	struct feed_summary *summary = &j->p->summary;
	struct drop *drop = j->own;
	uint64_t before = r->number - 1;
	int64_t size, records, timestamp;

	drop->ended = true;
	summary->lines--; /* it is not one of them */
	if (feed_json_integer(&r->field[SIZE], &size) ||
	    feed_json_integer(&r->field[RECORDS], &records) || size < 0 || records < 0)
		return feed_fault(j->p, FEED_FAULT_MISMATCH, "metadata without size and records");
	if ((uint64_t)records != before)
		return feed_fault(j->p, FEED_FAULT_MISMATCH,
				  "metadata counts %lld records, %llu are there",
				  (long long)records, (unsigned long long)before);
	if ((uint64_t)size != r->start)
		return feed_fault(j->p, FEED_FAULT_MISMATCH,
				  "metadata counts %lld bytes, %llu are there", (long long)size,
				  (unsigned long long)r->start);
	if (feed_json_integer(&r->field[TIMESTAMP], &timestamp) == 0 && timestamp > 0)
		summary->timestamp = timestamp;
	feed_text_copy(summary->title, sizeof(summary->title), r->field[COPYRIGHT].text,
		       r->field[COPYRIGHT].size);
	return 0;
}

static int add_prefix(struct feed_json *j, const struct feed_json_record *r)
{
	const struct feed_json_value *cidr = &r->field[CIDR], *sbl = &r->field[SBLID];
	struct feed_row row = feed_json_row(r);

	if (!feed_json_source(j->p, cidr->text, cidr->size, r->number, &row))
		return 0;
	feed_text_copy(row.reference, sizeof(row.reference), sbl->text, sbl->size);
	return feed_emit(j->p, &row);
}

static int add_asn(struct feed_json *j, const struct feed_json_record *r)
{
	const struct feed_json_value *name = &r->field[ASNAME], *domain = &r->field[DOMAIN];
	struct feed_row row = feed_json_row(r);
	int64_t asn;

	if (feed_json_integer(&r->field[ASN], &asn) || asn < 1 || asn > UINT32_MAX) {
		feed_skip(j->p, FEED_SKIP_SYNTAX, r->number);
		return 0;
	}
	row.kind = FEED_ROW_ASN;
	row.asn = asn;
	feed_text_copy(row.reference, sizeof(row.reference), domain->text, domain->size);
	feed_text_copy(row.reason, sizeof(row.reason), name->text, name->size);
	return feed_emit(j->p, &row);
}

static int record(struct feed_json *j, const struct feed_json_record *r)
{
	const struct drop *drop = j->own;

	if (drop->ended)
		return feed_fault(j->p, FEED_FAULT_MISMATCH, "more behind the metadata");
	if (feed_json_is(&r->field[TYPE], "metadata"))
		return metadata(j, r);
	if (r->field[CIDR].kind == JSON_STRING)
		return add_prefix(j, r);
	if (feed_json_given(&r->field[ASN]))
		return add_asn(j, r);
	if (r->number == 1 &&
	    (feed_json_given(&r->field[MESSAGE]) || feed_json_given(&r->field[STATUS]))) {
		char text[96];

		feed_text_copy(text, sizeof(text), r->field[MESSAGE].text, r->field[MESSAGE].size);
		return feed_fault(j->p, FEED_FAULT_ERROR_PAGE,
				  "an error message instead of a list: %s", text);
	}
	feed_skip(j->p, FEED_SKIP_SYNTAX, r->number);
	return 0;
}

static int finish(struct feed_json *j)
{
	struct feed_summary *summary = &j->p->summary;
	const struct drop *drop = j->own;

	if (!drop->ended)
		return feed_fault(j->p, FEED_FAULT_TRUNCATED, "%llu records and no metadata",
				  (unsigned long long)summary->lines);
	summary->complete = true;
	summary->may_be_empty = !summary->lines;
	return 0;
}

const struct feed_json_shape feed_json_spamhaus = {
	.fields = fields,
	.lines = true,
	.text_max = FEED_LINE_MAX,
	.own_size = sizeof(struct drop),
	.record = record,
	.finish = finish,
};
