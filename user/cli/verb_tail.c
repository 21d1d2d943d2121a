/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tail: sampled packets as they come, a line each.
 */
#include <stdio_ext.h>
#include <time.h>

#include "cli/sighting.h"
#include "cli/show.h"
#include "cli/stream.h"
#include "cli/verbs.h"

#define NS_PER_S  1000000000LL
#define NS_PER_MS 1000000LL

static const struct verb_option tail_options[] = { SIGHTING_OPTIONS };

/* Room for what most packets have, so that the columns stay where they are. */
static const struct {
	const char *title;
	size_t width;
} columns[] = {
	{ "TIME (UTC)", 12 },  { "IFACE", 6 },	   { "VERDICT", 7 },
	{ "REASON", 8 },       { "CATEGORY", 10 }, { "SOURCE", 21 },
	{ "DESTINATION", 21 }, { "PROTOCOL", 8 },  { "LENGTH", 6 },
};

struct watch {
	struct cli *cli;
	struct table table;
	uint64_t left; /* packets until it is enough */
	uint64_t missing, told;
	bool unwritten; /* nobody takes the output */
};

static enum tint tint_of(const char *verdict)
{
	static const struct {
		const char *verdict;
		enum tint tint;
	} tints[] = {
		{ "drop", TINT_BAD },
		{ "tag", TINT_WARN },
		{ "monitor", TINT_DIM },
		{ "pass", TINT_GOOD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tints); i++)
		if (strcmp(tints[i].verdict, verdict) == 0)
			return tints[i].tint;
	return TINT_NONE;
}

static void add_time(struct table *table, int64_t ns)
{
	time_t seconds = ns / NS_PER_S;
	struct tm at = {};
	char text[SHOW_MAX];

	gmtime_r(&seconds, &at);
	snprintf(text, sizeof(text), "%02d:%02d:%02d.%03d", at.tm_hour, at.tm_min, at.tm_sec,
		 (int)(ns % NS_PER_S / NS_PER_MS));
	table_add(table, TINT_NONE, text);
}

/* 192.0.2.1:53, [2001:db8::1]:53; an ICMP type is no port. */
static void add_address(struct table *table, const char *address, int port)
{
	bool six = strchr(address, ':');
	char text[128];

	if (port < 0)
		snprintf(text, sizeof(text), "%s", address);
	else
		snprintf(text, sizeof(text), "%s%s%s:%d", six ? "[" : "", address, six ? "]" : "",
			 port);
	table_add(table, TINT_NONE, text);
}

static void add_protocol(struct table *table, const struct sighting *event)
{
	const char *protocol = *event->protocol ? event->protocol : event->family;
	char text[SHOW_MAX];

	if (event->type >= 0)
		snprintf(text, sizeof(text), "%s %d", protocol, event->type);
	table_add(table, TINT_NONE, event->type >= 0 ? text : protocol);
}

static void show_packet(struct watch *w, const struct sighting *event)
{
	enum tint tint = tint_of(event->verdict);
	struct table *t = &w->table;
	char length[SHOW_MAX];

	add_time(t, event->time_ns);
	table_add(t, TINT_NONE, event->iface);
	table_add(t, tint, event->verdict);
	table_add(t, TINT_NONE, event->reason);
	table_add(t, TINT_NONE, event->category);
	add_address(t, event->source, event->source_port);
	add_address(t, event->destination, event->destination_port);
	add_protocol(t, event);
	snprintf(length, sizeof(length), "%u", event->length);
	table_add(t, TINT_NONE, length);
	table_flush(t, w->cli->out, w->cli->colour, "");
}

static void show_missing(const struct watch *w, uint64_t count)
{
	char text[SHOW_MAX];

	fprintf(w->cli->out, "%s-- %s packet%s missing here: more than could be told of --%s\n",
		tint_begin(w->cli->colour, TINT_WARN), show_count((int64_t)count, text),
		count == 1 ? " is" : "s are", tint_end(w->cli->colour, TINT_WARN));
}

static int take_event(void *arg, const char *line, const json_t *json)
{
	struct watch *w = arg;
	uint64_t missing = sighting_lost(json, &w->told);
	struct sighting event;
	bool packet;

	if (!w->left)
		return CLI_DONE;
	packet = sighting_read(json, &event);
	w->missing += missing;
	w->left -= packet && w->left != UINT64_MAX;
	if (w->cli->json) {
		fprintf(w->cli->out, "%s\n", line);
		return CLI_DONE;
	}
	if (missing)
		show_missing(w, missing);
	if (packet)
		show_packet(w, &event);
	return CLI_DONE;
}

static bool take_rest(void *arg)
{
	struct watch *w = arg;

	w->unwritten = fflush(w->cli->out) || ferror(w->cli->out);
	return w->left && !w->unwritten;
}

static void begin_table(struct watch *w)
{
	struct table *t = &w->table;

	t->columns = ARRAY_SIZE(columns);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		t->width[i] = columns[i].width;
		table_add(t, TINT_DIM, columns[i].title);
	}
	if (!w->cli->json)
		table_flush(t, w->cli->out, w->cli->colour, "");
}

static int watch_events(struct cli *cli, const struct sighting_filter *filter)
{
	_cleanup_(live_freep) struct live *live = NULL;
	struct watch w = { .cli = cli, .left = filter->count };
	const struct stream stream = {
		.path = filter->path.data,
		.seconds = filter->seconds,
		.out = fileno(cli->out),
		.line = take_event,
		.rest = take_rest,
		.arg = &w,
	};
	/* A signal simply ends it: there is nothing to put back. */
	int code = live_new(cli, LIVE_NO_SIGNALS, &live);

	if (code != CLI_DONE)
		return code;
	begin_table(&w);
	code = stream_run(cli, live, &stream);
	table_free(&w.table);
	if (w.unwritten && errno == EPIPE) {
		/* "| head" has seen enough. */
		__fpurge(cli->out);
		clearerr(cli->out);
	}
	return code;
}

static int run_tail(struct cli *cli, const struct call *call)
{
	_cleanup_(sighting_filter_free) struct sighting_filter filter = {};
	int code = sighting_filter_read(cli, call, false, &filter);

	return code == CLI_DONE ? watch_events(cli, &filter) : code;
}

const struct verb verb_tail = {
	.name = "tail",
	.args = "",
	.summary = "sampled packets as they come: what became of each, and why",
	.details =
		"What is dropped, limited, tagged or monitored, and with --passes the rest. Of a flood\n"
		"'events' of the configuration says how many a second; what is missing is said.",
	.options = tail_options,
	.option_count = ARRAY_SIZE(tail_options),
	.run = run_tail,
};
