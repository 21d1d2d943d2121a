/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What listed sources sent: one of them, and the most active.
 */
#include "cli/client.h"
#include "cli/show.h"
#include "cli/top.h"

void show_hits(const struct cli *cli, const json_t *source)
{
	const json_t *hits = json_object_get(source, "hits");
	const char *about = json_is_true(json_object_get(source, "hits_exact")) ? "" : "about ";
	char count[SHOW_MAX], last[SHOW_MAX], first[SHOW_MAX];

	if (!json_is_integer(hits))
		return;
	fprintf(cli->out, "  %-9s ", "hits");
	if (!json_integer_value(hits)) {
		fputs("none that is remembered\n", cli->out);
		return;
	}
	fprintf(cli->out, "%s%s, last %s, first %s\n", about,
		show_count(json_integer_value(hits), count),
		show_time(json_object_get(source, "last_seen"), cli->now, "never", last),
		show_time(json_object_get(source, "first_seen"), cli->now, "never", first));
}

static void add_count(struct table *table, const json_t *row, const char *member)
{
	bool exact = json_is_true(json_object_get(row, "hits_exact"));
	char count[SHOW_MAX], text[SHOW_MAX + 1];

	snprintf(text, sizeof(text), "%s%s", exact ? "" : "~",
		 show_count(show_number(row, member), count));
	table_add(table, TINT_NONE, text);
}

static void add_row(const struct cli *cli, struct table *table, enum top_by by, const json_t *row)
{
	struct text detail = {};
	char time[SHOW_MAX];

	top_detail(by, row, &detail);
	table_add(table, TINT_NONE, answer_text(row, top_ways[by].name));
	add_count(table, row, "hits");
	add_count(table, row, "bytes");
	if (by != TOP_CATEGORY) {
		table_add(table, TINT_NONE,
			  show_time(json_object_get(row, "last_seen"), cli->now, "", time));
		table_add(table, TINT_NONE,
			  show_time(json_object_get(row, "first_seen"), cli->now, "", time));
	}
	table_add(table, TINT_NONE, detail.failed ? "" : detail.data);
	text_free(&detail);
}

void show_top(const struct cli *cli, const json_t *top)
{
	enum top_by by = top_way_of(answer_text(top, "by"));
	const json_t *rows = by < TOP_BY_MAX ? json_object_get(top, top_ways[by].array) : NULL;
	struct table table = { .columns = by == TOP_CATEGORY ? 4 : 6 };
	const json_t *row;
	size_t i;

	if (!json_array_size(rows)) {
		fputs(by == TOP_CATEGORY || show_number(top, "capacity")
			      ? "no listed source was seen\n"
			      : "hits are not noted (hits: 0)\n",
		      cli->out);
		return;
	}
	table_add(&table, TINT_DIM, top_ways[by].title);
	table_add(&table, TINT_DIM, "HITS");
	table_add(&table, TINT_DIM, "BYTES");
	if (by != TOP_CATEGORY) {
		table_add(&table, TINT_DIM, "LAST");
		table_add(&table, TINT_DIM, "FIRST");
	}
	table_add(&table, TINT_DIM, top_ways[by].detail);
	json_array_foreach(rows, i, row)
		add_row(cli, &table, by, row);
	table_flush(&table, cli->out, cli->colour, "");
	table_free(&table);
}
