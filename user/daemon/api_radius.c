/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/api_radius.h"

#include <microhttpd.h>

#include "daemon/feed_report.h"
#include "daemon/samples.h"

/* Rows that the gate let pass: their sources can be read. */
static int add_rows(struct radius *r, const struct listing_input *row, size_t count)
{
	struct prefix source;
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		if (!prefix_parse(row[i].source, &source))
			err = radius_add(r, row[i].category, &source);
	return err;
}

int api_radius(struct daemon *d, const struct listing_input *row, size_t count,
	       struct radius_estimate *ret)
{
	_cleanup_(radius_freep) struct radius *r = NULL;
	int err = radius_new(d->config, &r);

	if (!err && d->config->manual_trusted)
		radius_trust(r);
	err = err ?: add_rows(r, row, count);
	return err ?: samples_estimate(d->samples, r, ret);
}

bool api_within_radius(struct daemon *d, const struct listing_input *row, size_t count, bool force,
		       struct http_reply *reply)
{
	const struct config_limits *limits = &d->config->limits;
	const struct http_problem about = { .cause = feed_guard_label(FEED_GUARD_RADIUS) };
	struct radius_estimate e = {};
	char text[RADIUS_TEXT];

	if (count <= limits->radius_sources || force)
		return true;
	if (api_radius(d, row, count, &e)) {
		http_reply_error(reply, -ENOMEM, &(struct problem){ "listings" });
		return false;
	}
	if (!radius_is_over(&e, limits))
		return true;
	http_reply_problem(reply, MHD_HTTP_CONFLICT, &about,
			   "refused by guard %s: %zu sources %s; radius_budget is %g %%: look at them, "
			   "then add them with force; no row of the request was added",
			   about.cause, e.sources, radius_text(&e, text),
			   limits->radius_budget / RADIUS_PPM * 100);
	return false;
}
