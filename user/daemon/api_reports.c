/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POST /api/v1/reports: what others saw, as listings of feed "reports" that end
 * by themselves. A report counts from when it came, so that a late one never
 * ends a listing sooner; one that is as old as listings last is left out.
 */
#include "daemon/api_reports.h"

#include <microhttpd.h>

#include "core/units.h"
#include "daemon/api_add.h"
#include "daemon/api_body.h"
#include "daemon/api_listing.h"

#define FEED	   "reports"
#define TTL_PRESET 86400
#define TTL_MAX	   (30 * 86400)

static bool take_ttl(const struct http_request *rq, int64_t *ret, struct http_reply *reply)
{
	const char *text = http_query(rq, "ttl");

	*ret = TTL_PRESET;
	if (!text || (!units_duration(text, ret) && *ret <= TTL_MAX))
		return true;
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
			   "ttl='%.40s': a duration up to 30d is expected", text);
	return false;
}

/* Turns reports into listings, in their order, without those that are too old. Returns how many were. */
static size_t to_listings(struct rows *rows, int64_t now, int64_t ttl)
{
	size_t kept = 0;

	for (size_t i = 0; i < rows->count; i++) {
		struct listing_input *row = &rows->row[i];
		int64_t at = row->expires_at; /* as the parser gives the time of a report */

		if (at && at + ttl <= now)
			continue;
		row->feed = FEED;
		row->expires_at = now + ttl;
		rows->row[kept++] = *row;
	}
	now = (int64_t)(rows->count - kept);
	rows->count = kept;
	return (size_t)now;
}

void api_reports(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	const struct add_how how = { .skip = true, .refused_only = true };
	struct rows *rows;
	ssize_t added = -1;
	size_t expired;
	int64_t ttl;

	if (!take_ttl(rq, &ttl, reply))
		return;
	rows = api_body_rows(rq, reply);
	if (!rows)
		return;
	expired = to_listings(rows, api_now(), ttl);
	api_add_rows(d, rq, rows, &how, reply, &added);
	if (added < 0)
		return;
	d->reports[REPORTS_ACCEPTED] += (uint64_t)added;
	d->reports[REPORTS_REFUSED] += rows->count - (size_t)added;
	d->reports[REPORTS_EXPIRED] += expired;
}

void reports_write_metrics(const struct daemon *d, struct text *out)
{
	static const char *const results[REPORTS_RESULTS] = {
		[REPORTS_ACCEPTED] = "accepted",
		[REPORTS_REFUSED] = "refused",
		[REPORTS_EXPIRED] = "expired",
	};

	text_metric(out, "moat_reports_total", "counter",
		    "Reports of abuse that were sent, by what became of them.");
	for (size_t i = 0; i < REPORTS_RESULTS; i++)
		text_sample(out, "moat_reports_total", (double)d->reports[i], "result", results[i],
			    NULL);
}
