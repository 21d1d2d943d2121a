/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include "cli/client.h"
#include "cli/show.h"

/* ---- feeds ---- */

static void add_feed(struct table *table, const struct cli *cli, const json_t *feed)
{
	bool removed = strcmp(answer_text(feed, "state"), "removed") == 0;
	bool held = strcmp(answer_text(feed, "state"), "held") == 0;
	bool trouble = strcmp(answer_text(feed, "state"), "trouble") == 0;
	char entries[SHOW_MAX], good[SHOW_MAX], next[SHOW_MAX];

	table_add(table, TINT_BOLD, answer_text(feed, "name"));
	table_add(table, trouble || held ? TINT_BAD : TINT_NONE,
		  trouble ? answer_text(feed, "cause") : answer_text(feed, "state"));
	table_add(table, TINT_NONE, show_count(show_number(feed, "entries"), entries));
	table_add(table, TINT_NONE, answer_text(feed, "format"));
	table_add(table, TINT_NONE, answer_text(feed, "category"));
	table_add(table, TINT_NONE,
		  json_is_true(json_object_get(feed, "configured")) ? answer_text(feed, "mode")
		  : removed					    ? ""
								    : "imported");
	table_add(table, TINT_NONE,
		  show_time(json_object_get(feed, "last_good"), cli->now, "never", good));
	table_add(table, TINT_NONE,
		  json_is_true(json_object_get(feed, "running"))
			  ? "now"
			  : show_time(json_object_get(feed, "next"), cli->now, "", next));
}

static bool say_why(const struct cli *cli, const json_t *feed, const char *what, const char *why)
{
	if (!why[0])
		return false;
	show_clean(cli, TINT_BAD, answer_text(feed, "name"));
	fprintf(cli->out, ": %s", what);
	show_clean(cli, TINT_NONE, why);
	fputc('\n', cli->out);
	return true;
}

/* A list that is in force but for its AS numbers. */
static bool show_unexpanded(const struct cli *cli, const json_t *feed)
{
	const json_t *asn = json_object_get(feed, "asn");
	char text[SHOW_MAX];

	if (!asn || json_is_true(json_object_get(asn, "asn_table")))
		return false;
	show_clean(cli, TINT_BAD, answer_text(feed, "name"));
	fprintf(cli->out,
		": %s AS numbers are not in force: there is no asn_table in the configuration\n",
		show_count(show_number(asn, "numbers"), text));
	return true;
}

/* What somebody must look at, before what is fine. Whether there is anything. */
static bool show_wrong(const struct cli *cli, const json_t *feeds)
{
	bool wrong = false;
	json_t *feed;
	size_t i;

	json_array_foreach(feeds, i, feed) {
		wrong |= show_unexpanded(cli, feed);
		wrong |= say_why(cli, feed, "", answer_text(feed, "why"));
		wrong |= say_why(cli, feed, "held in monitor: ", answer_text(feed, "held_why"));
	}
	return wrong;
}

void show_feeds(const struct cli *cli, const json_t *feeds)
{
	static const char *const titles[] = { "FEED",	  "STATE", "ENTRIES",	"FORMAT",
					      "CATEGORY", "MODE",  "LAST GOOD", "NEXT" };
	struct table table = { .columns = ARRAY_SIZE(titles) };
	json_t *feed;
	size_t i;

	if (!json_array_size(feeds)) {
		fprintf(cli->out, "no feed is configured, and none was imported\n");
		return;
	}
	if (show_wrong(cli, feeds))
		fputc('\n', cli->out);
	for (size_t c = 0; c < ARRAY_SIZE(titles); c++)
		table_add(&table, TINT_DIM, titles[c]);
	json_array_foreach(feeds, i, feed)
		add_feed(&table, cli, feed);
	table_flush(&table, cli->out, cli->colour, "");
	table_free(&table);
}

/* ---- a list ---- */

static void count(const struct cli *cli, const char *before, int64_t n, const char *after)
{
	char text[SHOW_MAX];

	fprintf(cli->out, "%s%s%s", before, show_count(n, text), after);
}

/* "7 never_block, 2 prefix_floor"; nothing at all if there is none. */
static void show_causes(const struct cli *cli, const char *name, const json_t *counts)
{
	const char *separator = "", *key;
	json_t *value;

	if (!json_object_size(counts))
		return;
	show_label(cli, name);
	json_object_foreach((json_t *)counts, key, value) {
		count(cli, separator, json_integer_value(value), " ");
		show_clean(cli, TINT_NONE, key);
		separator = ", ";
	}
	fputc('\n', cli->out);
}

static void show_head(const struct cli *cli, const json_t *report)
{
	bool refused = answer_text(report, "cause")[0];
	bool dry_run = json_is_true(json_object_get(report, "dry_run"));

	show_clean(cli, TINT_BOLD, answer_text(report, "feed"));
	fputs(": ", cli->out);
	if (!refused && answer_text(report, "held")[0]) {
		fprintf(cli->out, "%sHELD%s in monitor, %s: ", tint_begin(cli->colour, TINT_BAD),
			tint_end(cli->colour, TINT_BAD),
			dry_run ? "its listings would only count" : "its listings only count");
		show_clean(cli, TINT_NONE, answer_text(report, "held_why"));
	} else if (refused) {
		fprintf(cli->out, "%sREFUSED%s, nothing would be changed: ",
			tint_begin(cli->colour, TINT_BAD), tint_end(cli->colour, TINT_BAD));
		show_clean(cli, TINT_NONE, answer_text(report, "why"));
	} else {
		fputs(dry_run ? "dry run, nothing was changed" : "in force", cli->out);
	}
	if (!refused && json_is_true(json_object_get(report, "forced")))
		fputs(", forced", cli->out);
	fputc('\n', cli->out);
}

static void show_difference(const struct cli *cli, const json_t *report)
{
	show_label(cli, "listings");
	count(cli, "", show_number(report, "entries"), " (");
	count(cli, "+", show_number(report, "adds"), " ");
	count(cli, "-", show_number(report, "removes"), ", ");
	count(cli, "", show_number(report, "refreshes"), " refreshed, ");
	count(cli, "", show_number(report, "unchanged"), " unchanged)");
	if (show_number(report, "lingering"))
		count(cli, ", ", show_number(report, "lingering"), " linger");
	if (show_number(report, "masked"))
		count(cli, ", ", show_number(report, "masked"),
		      " had host bits, which were masked");
	if (show_number(report, "duplicates"))
		count(cli, ", ", show_number(report, "duplicates"), " said twice");
	fputc('\n', cli->out);
}

static void show_covers(const struct cli *cli, const json_t *report)
{
	const json_t *covers = json_object_get(report, "covers");
	const json_t *overlap = json_object_get(report, "overlap");
	int64_t v4 = show_number(covers, "ipv4_addresses"),
		v6 = show_number(covers, "ipv6_nets_64");

	show_label(cli, "covers");
	count(cli, "", v4, " IPv4 addresses");
	if (v4)
		fprintf(cli->out, " (%.4f %% of all)", (double)v4 * 100 / 4294967296.0);
	if (v6)
		count(cli, ", ", v6, " IPv6 /64s");
	fputc('\n', cli->out);
	if (show_number(overlap, "never_block")) {
		show_label(cli, "overlaps");
		count(cli, "", show_number(overlap, "never_block"),
		      " with what must never be blocked\n");
	}
	show_causes(cli, "also in", json_object_get(overlap, "feeds"));
}

/* Wide prefixes that are new need a word of somebody, and an end. */
static void show_wide(const struct cli *cli, const json_t *report)
{
	int64_t wide = show_number(json_object_get(report, "skipped"), "wide");

	if (wide)
		count(cli, "              wide: ", wide,
		      " shorter than wide_v4 or wide_v6: look at them, --force and a ttl let "
		      "them in\n");
}

/* Whom it would hit of those who send now. */
static void show_radius(const struct cli *cli, const json_t *radius)
{
	const char *separator = "              first: ";
	json_t *hit;
	size_t i;

	if (!show_number(radius, "sources"))
		return;
	show_label(cli, "radius");
	count(cli, "", show_number(radius, "sources"), " added sources: ");
	show_clean(cli, TINT_NONE, answer_text(radius, "text"));
	fputc('\n', cli->out);
	json_array_foreach(json_object_get(radius, "top"), i, hit) {
		fputs(separator, cli->out);
		show_clean(cli, TINT_NONE, answer_text(hit, "source"));
		fprintf(cli->out, " (%.2f %%)",
			json_real_value(json_object_get(hit, "share")) * 100);
		separator = ", ";
	}
	if (i)
		fputc('\n', cli->out);
}

static void show_asns(const struct cli *cli, const json_t *asn)
{
	int64_t numbers = show_number(asn, "numbers"), expanded = show_number(asn, "expanded");

	if (!asn)
		return;
	show_label(cli, "AS numbers");
	count(cli, "", numbers, "");
	if (json_is_true(json_object_get(asn, "asn_table"))) {
		count(cli, ": ", expanded, " expanded to ");
		count(cli, "", show_number(asn, "prefixes"), " prefixes");
		if (numbers > expanded)
			count(cli, ", ", numbers - expanded, " without one in asn_table");
	} else {
		fputs(", left out: no asn_table in the configuration", cli->out);
	}
	fputc('\n', cli->out);
}

void show_report(const struct cli *cli, const json_t *report)
{
	show_head(cli, report);
	show_label(cli, "format");
	fprintf(cli->out, "%s%s\n", answer_text(report, "format"),
		json_is_true(json_object_get(report, "complete")) ? ", complete" : "");
	show_difference(cli, report);
	show_causes(cli, "refused", json_object_get(report, "refused"));
	show_causes(cli, "left out", json_object_get(report, "skipped"));
	show_wide(cli, report);
	show_asns(cli, json_object_get(report, "asn"));
	show_covers(cli, report);
	show_radius(cli, json_object_get(report, "radius"));
}
