/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_feeds.h"

#include "daemon/feeds_run.h"

static double entries(const struct feed_view *view)
{
	return (double)view->state->entries;
}

static double last_good(const struct feed_view *view)
{
	return (double)view->state->last_good;
}

static double last_try(const struct feed_view *view)
{
	return (double)view->state->last_try;
}

static double modified(const struct feed_view *view)
{
	return (double)view->state->modified;
}

static double interval(const struct feed_view *view)
{
	return view->config ? (double)view->config->every : 0;
}

static double ttl(const struct feed_view *view)
{
	return view->config ? (double)view->config->ttl : 0;
}

static double in_trouble(const struct feed_view *view)
{
	return view->state->fault[0] != '\0';
}

static double held(const struct feed_view *view)
{
	return view->held != FEED_FREE;
}

static double asns(const struct feed_view *view)
{
	return (double)view->asns;
}

static double asns_left_out(const struct feed_view *view)
{
	return (double)(view->asns - view->asns_found);
}

static const struct {
	const char *name, *help;
	double (*of)(const struct feed_view *view);
} gauges[] = {
	{ "moat_feed_entries", "Listings of the list of a feed that is in force.", entries },
	{ "moat_feed_last_success_timestamp_seconds",
	  "When a feed's list was last fetched and good, or confirmed; 0: not yet.", last_good },
	{ "moat_feed_last_try_timestamp_seconds", "When a feed was last asked; 0: not yet.",
	  last_try },
	{ "moat_feed_modified_timestamp_seconds",
	  "How old a feed's list says that it is; 0: it does not.", modified },
	{ "moat_feed_interval_seconds",
	  "How often a feed is to be fetched; 0: never, by hand only.", interval },
	{ "moat_feed_ttl_seconds",
	  "How long after its last success the listings of a feed end; 0: they say themselves, or never.",
	  ttl },
	{ "moat_feed_in_trouble", "1 if the last list of a feed could not be taken over.",
	  in_trouble },
	{ "moat_feed_held",
	  "1 if the listings of a feed only count: held by a guard, by hand, or since mode monitor.",
	  held },
	{ "moat_feed_as_numbers", "AS numbers that the list of a feed names.", asns },
	{ "moat_feed_as_numbers_left_out",
	  "AS numbers of a feed that are not in force: no asn_table, or none in it.",
	  asns_left_out },
};

static void write_refused(void *arg, const char *feed, const char *cause, uint64_t count)
{
	text_sample(arg, "moat_feed_refused_total", (double)count, "feed", feed, "cause", cause,
		    NULL);
}

static void write_usage(void *arg, const char *feed, uint64_t sent, uint64_t failed)
{
	text_sample(arg, "moat_feed_usage_reports_total", (double)sent, "feed", feed, "result",
		    "ok", NULL);
	text_sample(arg, "moat_feed_usage_reports_total", (double)failed, "feed", feed, "result",
		    "failed", NULL);
}

void metrics_feeds_write(struct daemon *d, struct text *out)
{
	struct feed_view view;

	for (size_t g = 0; g < ARRAY_SIZE(gauges); g++) {
		text_metric(out, gauges[g].name, "gauge", gauges[g].help);
		for (size_t i = 0; i < feeds_run_count(d->feeds); i++) {
			feeds_run_view(d->feeds, i, &view);
			text_sample(out, gauges[g].name, gauges[g].of(&view), "feed",
				    view.state->feed, NULL);
		}
	}
	text_metric(out, "moat_feed_refused_total", "counter",
		    "Lists of a feed that were not taken over, by cause.");
	feeds_run_each_refused(d->feeds, write_refused, out);
	text_metric(out, "moat_feed_usage_reports_total", "counter",
		    "Usage metrics sent to the CrowdSec LAPI of a feed.");
	feeds_run_each_usage(d->feeds, write_usage, out);
}
