/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/top.h"

#include "cli/show.h"
#include "core/when.h"
#include "moat/reason.h"

#define MS_PER_S 1000.0

const struct top_way top_ways[TOP_BY_MAX] = {
	[TOP_SOURCE] = { "source", "sources", "source", "SOURCE", "CATEGORIES" },
	[TOP_PREFIX] = { "prefix", "prefixes", "prefix", "PREFIX", "SOURCES" },
	[TOP_CATEGORY] = { "category", "categories", "category", "CATEGORY", "VERDICTS" },
	[TOP_FEED] = { "feed", "feeds", "feed", "FEED", "SOURCES" },
};

const char *const top_sort_words[TOP_SORT_MAX] = {
	[TOP_RATE] = "rate", [TOP_HITS] = "hits", [TOP_BYTES] = "bytes",
	[TOP_LAST] = "last", [TOP_NAME] = "name",
};

enum top_by top_way_of(const char *by)
{
	enum top_by way = TOP_SOURCE;

	while (way < TOP_BY_MAX && strcmp(top_ways[way].by, by) != 0)
		way++;
	return way;
}

void top_path(enum top_by by, const char *limit, unsigned int seen, struct text *out)
{
	text_add(out, "/api/v1/top?by=%s", top_ways[by].by);
	client_param(out, "limit", limit);
	if (seen && by != TOP_CATEGORY)
		text_add(out, "&seen=%us", seen);
}

/* ---- rows ---- */

static void verdicts_of(const json_t *row, struct text *out)
{
	static const char *const verdicts[] = {
#define X(name, label) label,
		MOAT_VERDICTS(X)
#undef X
	};
	const char *separator = "";
	char count[SHOW_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		int64_t packets = show_number(row, verdicts[i]);

		if (!packets)
			continue;
		text_add(out, "%s%s %s", separator, verdicts[i], show_count(packets, count));
		separator = ", ";
	}
}

void top_detail(enum top_by by, const json_t *row, struct text *out)
{
	int64_t sources = show_number(row, "sources");
	char count[SHOW_MAX];

	text_add(out, "%s", "");
	if (by == TOP_SOURCE)
		show_names(json_object_get(row, "categories"), out);
	else if (by == TOP_CATEGORY)
		verdicts_of(row, out);
	else
		text_add(out, "%s source%s", show_count(sources, count), sources == 1 ? "" : "s");
}

static void rows_free(struct top_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->row[i].name);
		free(rows->row[i].detail);
	}
	free(rows->row);
	*rows = (struct top_rows){};
}

void top_free(struct top *t)
{
	rows_free(&t->rows);
	rows_free(&t->before);
	json_decref(t->status);
	t->status = NULL;
}

static int compare_names(const void *a, const void *b)
{
	const struct top_row *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static double rate_since(const struct top_rows *before, const struct top_row *row, int64_t at_ms)
{
	const struct top_row *then = before->count ? bsearch(row, before->row, before->count,
							     sizeof(*row), compare_names)
						   : NULL;
	double seconds = (double)(at_ms - before->at_ms) / MS_PER_S;

	if (!then || seconds <= 0)
		return -1;
	return row->hits > then->hits ? (double)(row->hits - then->hits) / seconds : 0;
}

static bool read_row(enum top_by by, const json_t *json, struct top_row *ret)
{
	struct text name = {}, detail = {};
	int64_t last;

	clean_text(&name, answer_text(json, top_ways[by].name));
	top_detail(by, json, &detail);
	if (name.failed || detail.failed) {
		text_free(&name);
		text_free(&detail);
		return false;
	}
	*ret = (struct top_row){
		.name = name.data,
		.detail = detail.data,
		.hits = show_number(json, "hits"),
		.bytes = show_number(json, "bytes"),
		.exact = json_is_true(json_object_get(json, "hits_exact")),
		.last = when_parse(answer_text(json, "last_seen"), &last) ? 0 : last,
	};
	return true;
}

void top_take_rows(struct top *t, const json_t *json, int64_t at_ms)
{
	const json_t *array = json_object_get(json, top_ways[t->by].array);
	size_t count = json_array_size(array) < TOP_ROWS_MAX ? json_array_size(array)
							     : TOP_ROWS_MAX;
	struct top_rows now = { .at_ms = at_ms };

	t->no_hits = json_object_get(json, "capacity") && !show_number(json, "capacity");
	now.row = calloc(count + 1, sizeof(*now.row));
	for (size_t i = 0; now.row && i < count; i++)
		now.count += read_row(t->by, json_array_get(array, i), &now.row[now.count]);
	if (t->rows.count)
		qsort(t->rows.row, t->rows.count, sizeof(*t->rows.row), compare_names);
	rows_free(&t->before);
	t->before = t->rows;
	t->rows = now;
	for (size_t i = 0; i < now.count; i++)
		now.row[i].rate = rate_since(&t->before, &now.row[i], at_ms);
	top_sort_rows(t);
}

void top_forget_rows(struct top *t)
{
	rows_free(&t->rows);
	rows_free(&t->before);
	t->first = 0;
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct top_row *left = a, *right = b;
	const struct top *t = arg;

	if (t->sort == TOP_RATE && left->rate != right->rate)
		return left->rate < right->rate ? 1 : -1;
	if (t->sort == TOP_BYTES && left->bytes != right->bytes)
		return left->bytes < right->bytes ? 1 : -1;
	if (t->sort == TOP_LAST && left->last != right->last)
		return left->last < right->last ? 1 : -1;
	if (t->sort != TOP_NAME && left->hits != right->hits)
		return left->hits < right->hits ? 1 : -1;
	return strcmp(left->name, right->name);
}

void top_sort_rows(struct top *t)
{
	if (t->rows.count)
		qsort_r(t->rows.row, t->rows.count, sizeof(*t->rows.row), compare_rows, t);
}

bool top_row_fits(const struct top *t, const struct top_row *row)
{
	return !t->filter[0] || strcasestr(row->name, t->filter) ||
	       strcasestr(row->detail, t->filter);
}

size_t top_rows_fitting(const struct top *t)
{
	size_t count = 0;

	for (size_t i = 0; i < t->rows.count; i++)
		count += top_row_fits(t, &t->rows.row[i]);
	return count;
}

/* ---- counters ---- */

void top_take_status(struct top *t, json_t *status)
{
	json_decref(t->status);
	t->status = status;
}

/* The value of label key in a sample's line, cut to room. False: it has none. */
static bool label_of(const char *line, const char *key, char *out, size_t room)
{
	char start[32];
	const char *at;

	snprintf(start, sizeof(start), "%s=\"", key);
	at = strstr(line, start);
	if (!at)
		return false;
	at += strlen(start);
	snprintf(out, room, "%.*s", (int)strcspn(at, "\""), at);
	return true;
}

static void count_packets(struct top_counts *counts, const char *name, double packets)
{
	size_t i = 0;

	while (i < counts->count && strcmp(counts->of[i].name, name) != 0)
		i++;
	if (i == TOP_COUNTS_MAX)
		return;
	if (i == counts->count) {
		counts->of[i] = (struct top_count){};
		snprintf(counts->of[i].name, sizeof(counts->of[i].name), "%s", name);
		counts->count++;
	}
	counts->of[i].packets += packets;
}

/* What was counted before and is less now began anew. */
static void set_rates(struct top_counts *now, const struct top_counts *before)
{
	double seconds = (double)(now->at_ms - before->at_ms) / MS_PER_S;

	for (size_t i = 0; i < now->count; i++) {
		struct top_count *count = &now->of[i];
		double then = 0;

		for (size_t b = 0; b < before->count; b++)
			if (strcmp(before->of[b].name, count->name) == 0)
				then = before->of[b].packets;
		count->rate = before->at_ms && seconds > 0 && count->packets > then
				      ? (count->packets - then) / seconds
				      : 0;
	}
}

void top_take_metrics(struct top *t, const char *metrics, int64_t at_ms)
{
	static const char metric[] = "moat_packets_total{";
	struct top_counts verdicts = { .at_ms = at_ms }, reasons = { .at_ms = at_ms };
	_cleanup_free_ char *copy = strdup(metrics);
	char *rest = NULL, name[24];

	for (char *line = copy ? strtok_r(copy, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *value = strrchr(line, ' ');

		if (strncmp(line, metric, sizeof(metric) - 1) != 0 || !value)
			continue;
		if (label_of(line, "verdict", name, sizeof(name)))
			count_packets(&verdicts, name, strtod(value, NULL));
		if (label_of(line, "reason", name, sizeof(name)))
			count_packets(&reasons, name, strtod(value, NULL));
	}
	set_rates(&verdicts, &t->verdicts);
	set_rates(&reasons, &t->reasons);
	t->verdicts = verdicts;
	t->reasons = reasons;
}
