/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What listed sources sent: one of them, and the most active.
 */
#include "cli/client.h"
#include "cli/show.h"

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

static void add_count(struct table *table, const json_t *source, const char *member)
{
	bool exact = json_is_true(json_object_get(source, "hits_exact"));
	char count[SHOW_MAX], text[SHOW_MAX + 1];

	snprintf(text, sizeof(text), "%s%s", exact ? "" : "~",
		 show_count(show_number(source, member), count));
	table_add(table, TINT_NONE, text);
}

static void add_source(const struct cli *cli, struct table *table, const json_t *source)
{
	struct text names = {};
	char time[SHOW_MAX];

	show_names(json_object_get(source, "categories"), &names);
	table_add(table, TINT_NONE, answer_text(source, "source"));
	add_count(table, source, "hits");
	add_count(table, source, "bytes");
	table_add(table, TINT_NONE,
		  show_time(json_object_get(source, "last_seen"), cli->now, "", time));
	table_add(table, TINT_NONE,
		  show_time(json_object_get(source, "first_seen"), cli->now, "", time));
	table_add(table, TINT_NONE, names.data);
	text_free(&names);
}

void show_top(const struct cli *cli, const json_t *top)
{
	static const char *const titles[] = { "SOURCE", "HITS",	 "BYTES",
					      "LAST",	"FIRST", "CATEGORIES" };
	const json_t *sources = json_object_get(top, "sources");
	struct table table = { .columns = ARRAY_SIZE(titles) };
	const json_t *source;
	size_t i;

	if (!json_array_size(sources)) {
		fputs(show_number(top, "capacity") ? "no listed source was seen\n"
						   : "hits are not noted (hits: 0)\n",
		      cli->out);
		return;
	}
	for (size_t c = 0; c < ARRAY_SIZE(titles); c++)
		table_add(&table, TINT_DIM, titles[c]);
	json_array_foreach(sources, i, source)
		add_source(cli, &table, source);
	table_flush(&table, cli->out, cli->colour, "");
	table_free(&table);
}
