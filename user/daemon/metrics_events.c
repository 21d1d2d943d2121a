/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_events.h"

#include "daemon/api_listing.h"
#include "daemon/events.h"
#include "daemon/http_stream.h"

/* Each number once: its name, as metric without "moat_" and "_total". */
static const struct {
	const char *name, *help;
	size_t at; /* in struct events_numbers */
} counters[] = {
#define COUNTER(name, member, help)                                                                \
	{                                                                                          \
		name, help, offsetof(struct events_numbers, member)                                \
	}
	COUNTER("moat_events_total", read, "Events of packets, as the kernel handed them out."),
	COUNTER("moat_events_lost_total", lost,
		"Packets that were to be events while a ring was full."),
	COUNTER("moat_events_suppressed_total", suppressed,
		"Packets that were to be events, over the rate."),
	COUNTER("moat_events_slow_total", slow,
		"Events that a reader did not take in time, summed over the readers."),
	COUNTER("moat_events_logged_total", logged, "Events written to the log."),
	COUNTER("moat_events_log_lost_total", log_lost,
		"Events that could not be written to the log."),
	COUNTER("moat_events_sflow_total", sflow_sent,
		"Dropped packets told to the sFlow collector."),
	COUNTER("moat_events_sflow_lost_total", sflow_lost,
		"Dropped packets that the sFlow collector was not told of."),
#undef COUNTER
};

void metrics_events_write(struct daemon *d, struct text *out)
{
	struct events_numbers n;

	events_numbers(d->events, &n);
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		uint64_t value;

		memcpy(&value, (const char *)&n + counters[i].at, sizeof(value));
		text_metric(out, counters[i].name, "counter", counters[i].help);
		text_sample(out, counters[i].name, (double)value, NULL);
	}
	text_metric(out, "moat_events_readers", "gauge",
		    "Who reads events now: streams, the log, the sFlow agent; 0: none are taken.");
	text_sample(out, "moat_events_readers", (double)n.readers, NULL);
	text_metric(out, "moat_http_streams", "gauge", "Answers without end that are open.");
	text_sample(out, "moat_http_streams", (double)http_streams_count(d->streams), NULL);
}

void status_emit_events(struct daemon *d, struct emit *e)
{
	struct events_numbers n;

	events_numbers(d->events, &n);
	emit_begin(e, "events", '{');
	emit_whole(e, "readers", (int64_t)n.readers);
	emit_whole(e, "streams", (int64_t)http_streams_count(d->streams));
	emit_whole(e, "rate", (int64_t)n.rate);
	emit_whole(e, "read", (int64_t)n.read);
	emit_whole(e, "lost", (int64_t)n.lost);
	emit_whole(e, "suppressed", (int64_t)n.suppressed);
	emit_whole(e, "slow", (int64_t)n.slow);
	listing_emit_time(e, "last_lost", n.lost_at);
	emit_text(e, "problem",
		  *d->events_problem ? d->events_problem
		  : *n.problem	     ? n.problem
				     : NULL);
	emit_end(e, '}');
}
