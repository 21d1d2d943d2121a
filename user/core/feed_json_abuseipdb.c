// SPDX-License-Identifier: BSD-2-Clause
/*
 * The blacklist of AbuseIPDB's API v2. It is cut at a limit that the account
 * has, worst first, and does not say so: a round count is taken for the limit,
 * and such a list is not complete (who is not on it is not innocent).
 */
#include "core/feed_json.h"

#define LIMIT_STEP 10000 /* limits of accounts are multiples of it */

enum { ADDRESS, COUNTRY, SCORE, LAST };

static const char *const fields[] = {
	"ipAddress", "countryCode", "abuseConfidenceScore", "lastReportedAt", NULL,
};

enum { DATA, GENERATED };

static const char *const keys[] = { "data", "generatedAt", NULL };

static int record(struct feed_json *j, const struct feed_json_record *r)
{
	const struct feed_json_value *address = &r->field[ADDRESS];
	struct feed_row row = feed_json_row(r);
	char last[40];

	if (address->kind != JSON_STRING) {
		feed_skip(j->p, FEED_SKIP_SYNTAX, r->number);
		return 0;
	}
	if (!feed_json_source(j->p, address->text, address->size, r->number, &row))
		return 0;
	row.confidence = feed_json_confidence(&r->field[SCORE]);
	if (r->field[LAST].size) {
		feed_text_copy(last, sizeof(last), r->field[LAST].text, r->field[LAST].size);
		snprintf(row.reason, sizeof(row.reason), "last reported %s", last);
	}
	return feed_emit(j->p, &row);
}

static int value(struct feed_json *j, int key, const struct json_token *t)
{
	int64_t when;

	if (key == GENERATED && t->kind == JSON_STRING && !feed_json_time(t->text, t->size, &when))
		j->p->summary.timestamp = when;
	return 0;
}

static int finish(struct feed_json *j)
{
	struct feed_summary *summary = &j->p->summary;
	bool cut = summary->lines && summary->lines % LIMIT_STEP == 0;

	if (!j->listed)
		return feed_fault(j->p, FEED_FAULT_NO_ENTRIES, "no 'data' in it");
	summary->complete = !cut;
	/* The list of an account's best score may be empty; an empty answer still has its 'data'. */
	summary->may_be_empty = !summary->lines;
	snprintf(summary->title, sizeof(summary->title), "AbuseIPDB blacklist%s",
		 cut ? ", cut at its limit" : "");
	return 0;
}

const struct feed_json_shape feed_json_abuseipdb = {
	.fields = fields,
	.keys = keys,
	.lists = 1,
	.text_max = FEED_LINE_MAX,
	.record = record,
	.value = value,
	.finish = finish,
};
