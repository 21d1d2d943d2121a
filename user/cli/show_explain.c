/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why an address gets what it gets, as a story of a few lines.
 */
#include <inttypes.h>

#include "cli/client.h"
#include "cli/show.h"
#include "core/units.h"

static void label(const struct cli *cli, const char *text)
{
	fprintf(cli->out, "  %-9s ", text);
}

/* "dropped", as a headline says it. */
static const char *verdict_word(const char *verdict)
{
	static const struct {
		const char *verdict, *word;
	} words[] = {
		{ "drop", "is DROPPED" },
		{ "pass", "passes" },
		{ "tag", "passes, TAGGED" },
		{ "monitor", "passes, counted only (monitor)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].verdict, verdict) == 0)
			return words[i].word;
	return verdict;
}

static void show_headline(const struct cli *cli, const json_t *explain)
{
	const char *verdict = answer_text(explain, "verdict");
	const char *category = answer_text(explain, "category");
	bool dropped = strcmp(verdict, "drop") == 0;
	enum tint tint = dropped ? TINT_BAD : TINT_GOOD;

	fprintf(cli->out, "%s %s%s%s: %s (%s%s%s)\n", answer_text(explain, "address"),
		tint_begin(cli->colour, tint), verdict_word(verdict), tint_end(cli->colour, tint),
		answer_text(explain, "reason_text"), answer_text(explain, "reason"),
		category[0] ? ", " : "", category);
}

static void show_packet(const struct cli *cli, const json_t *packet)
{
	const char *interface = answer_text(packet, "interface");
	const char *protocol = answer_text(packet, "protocol");
	const json_t *port = json_object_get(packet, "port");

	if (!json_is_object(packet))
		return;
	label(cli, "packet");
	fprintf(cli->out, "%s", protocol);
	if (json_is_integer(port))
		fprintf(cli->out, " %s %lld",
			strncmp(protocol, "icmp", 4) == 0 ? "type" : "to port",
			(long long)json_integer_value(port));
	fprintf(cli->out, "%s%s, as the loaded program judged it\n", interface[0] ? " on " : "",
		interface);
}

/* The set of a source; what stands behind it is printed by the caller. */
static void show_set(const struct cli *cli, const char *title, const json_t *object)
{
	struct text names = {};

	show_names(json_object_get(object, "categories"), &names);
	label(cli, title);
	fprintf(cli->out, "%s: %s", answer_text(object, "source"),
		names.data && names.data[0] ? names.data : "no category");
	text_free(&names);
}

static void show_decides(const struct cli *cli, const json_t *decides, const json_t *shared)
{
	struct text names = {};
	char until[SHOW_MAX];

	if (!json_is_object(decides)) {
		label(cli, "decides");
		show_names(shared, &names);
		if (names.data && names.data[0])
			fprintf(cli->out, "shared address (%s), not listed otherwise\n",
				names.data);
		else
			fputs("no live listing\n", cli->out);
		text_free(&names);
		return;
	}
	show_set(cli, "decides", decides);
	if (json_is_string(json_object_get(decides, "until")))
		fprintf(cli->out, ", changes %s",
			show_time(json_object_get(decides, "until"), cli->now, "", until));
	fputc('\n', cli->out);
}

static void show_policy(const struct cli *cli, const json_t *policy)
{
	const json_t *pps = json_object_get(policy, "packets_per_second");
	const json_t *bps = json_object_get(policy, "bits_per_second");
	const json_t *mark = json_object_get(policy, "mark");
	const json_t *dscp = json_object_get(policy, "dscp");
	char count[SHOW_MAX];

	if (!json_is_object(policy))
		return;
	label(cli, "policy");
	fprintf(cli->out, "%s: %s", answer_text(policy, "category"), answer_text(policy, "action"));
	if (pps)
		fprintf(cli->out, " to %s packets/s", show_count(json_integer_value(pps), count));
	if (bps)
		fprintf(cli->out, " to %s bits/s", show_count(json_integer_value(bps), count));
	if (mark)
		fprintf(cli->out, " mark 0x%llx", (unsigned long long)json_integer_value(mark));
	if (dscp)
		fprintf(cli->out, " dscp %lld", (long long)json_integer_value(dscp));
	fprintf(cli->out, ", %s\n", answer_text(policy, "scope"));
}

/* "botnet: 1 of 2 feeds (spamhaus), only monitored" */
static void show_quorum(const struct cli *cli, const json_t *quorum)
{
	const json_t *feeds = json_object_get(quorum, "feeds");
	json_int_t have = json_integer_value(json_object_get(quorum, "have"));
	json_int_t need = json_integer_value(json_object_get(quorum, "need"));
	bool acts = json_is_true(json_object_get(quorum, "acts"));
	struct text names = {};

	show_names(feeds, &names);
	label(cli, "quorum");
	fprintf(cli->out, "%s: ", answer_text(quorum, "category"));
	if (json_is_true(json_object_get(quorum, "trusted")))
		fprintf(cli->out, "a trusted feed needs no others (%s)\n",
			names.data ? names.data : "");
	else
		fprintf(cli->out, "%lld of %lld feeds (%s%s)%s\n", (long long)have, (long long)need,
			names.data ? names.data : "",
			json_array_size(feeds) > (size_t)have ? "; a group counts once" : "",
			acts ? "" : ", only monitored");
	text_free(&names);
}

static void show_quorums(const struct cli *cli, const json_t *quorums)
{
	const json_t *quorum;
	size_t i;

	json_array_foreach(quorums, i, quorum)
		show_quorum(cli, quorum);
}

static void show_kernel(const struct cli *cli, const json_t *explain)
{
	const json_t *kernel = json_object_get(explain, "kernel");
	const json_t *left = json_object_get(kernel, "expires_in_seconds");
	const char *refused = answer_text(explain, "refused");
	char duration[32];

	if (!json_is_object(kernel)) {
		label(cli, "kernel");
		fprintf(cli->out, "holds nothing for it%s%s\n", refused[0] ? ": " : "", refused);
		return;
	}
	show_set(cli, "kernel", kernel);
	if (!json_is_integer(left))
		fputs(", never expires", cli->out);
	else if (json_integer_value(left) < 0)
		fputs(", expired", cli->out);
	else
		fprintf(cli->out, ", for %s",
			units_duration_format(json_integer_value(left), duration));
	if (json_integer_value(json_object_get(kernel, "phases")) > 1)
		fprintf(cli->out, ", first of %lld phases",
			(long long)json_integer_value(json_object_get(kernel, "phases")));
	fputc('\n', cli->out);
}

/* The verdict is that of a packet that nobody here asked for. */
static void show_replies(const struct cli *cli, const json_t *explain)
{
	if (!json_is_true(json_object_get(explain, "replies_pass")) ||
	    strcmp(answer_text(explain, "verdict"), "drop") != 0)
		return;
	label(cli, "replies");
	fputs("answers to what this host opens pass (replies: pass)\n", cli->out);
}

static void show_difference(const struct cli *cli, const json_t *explain)
{
	const json_t *model = json_object_get(explain, "model");
	const char *model_category = answer_text(model, "category");
	const char *category = answer_text(explain, "category");
	const char *refused = answer_text(explain, "refused");

	if (!json_is_true(json_object_get(explain, "differ")))
		return;
	fprintf(cli->out,
		"%s!!! MODEL AND KERNEL DIFFER !!!%s\n"
		"  the database says   %s (%s%s%s)\n"
		"  the kernel does     %s (%s%s%s)\n",
		tint_begin(cli->colour, TINT_BAD), tint_end(cli->colour, TINT_BAD),
		answer_text(model, "verdict"), answer_text(model, "reason"),
		model_category[0] ? ", " : "", model_category, answer_text(explain, "verdict"),
		answer_text(explain, "reason"), category[0] ? ", " : "", category);
	if (refused[0])
		fprintf(cli->out, "  because             %s\n\n", refused);
	else
		fputs("  do: look at 'moatctl status'; restart moatd, which reconciles the maps with "
		      "the database;\n"
		      "      if they still differ it is a bug: report it with the output of "
		      "'moatctl -o json explain'\n\n",
		      cli->out);
}

/* Why a listing of it does nothing here. */
static void show_elsewhere(const struct cli *cli, const json_t *listing)
{
	struct text text = {};

	clean_text(&text, answer_text(listing, "source"));
	text_add(&text, ", ");
	clean_text(&text, answer_text(listing, "feed"));
	text_add(&text, ": ");
	clean_text(&text, answer_text(listing, "why"));
	fprintf(cli->out, "  elsewhere: %s\n", text.data ? text.data : "");
	text_free(&text);
}

void show_explain(const struct cli *cli, const json_t *explain)
{
	const json_t *listings = json_object_get(explain, "listings");
	struct table table = {};
	json_t *listing;
	size_t i;

	show_headline(cli, explain);
	show_difference(cli, explain);
	show_packet(cli, json_object_get(explain, "packet"));
	show_decides(cli, json_object_get(explain, "decides"), json_object_get(explain, "shared"));
	show_quorums(cli, json_object_get(explain, "quorums"));
	show_policy(cli, json_object_get(explain, "policy"));
	show_kernel(cli, explain);
	show_hits(cli, json_object_get(explain, "kernel"));
	show_replies(cli, explain);
	if (*answer_text(explain, "listings_problem"))
		fprintf(cli->out, "\nthe listings cannot be read now: %s\n",
			answer_text(explain, "listings_problem"));
	if (!json_array_size(listings))
		return;
	fputs("\nlistings that cover it\n", cli->out);
	show_listings(cli, listings, &table, "  ");
	table_free(&table);
	json_array_foreach(listings, i, listing) {
		if (strcmp(answer_text(listing, "state"), "elsewhere") == 0)
			show_elsewhere(cli, listing);
	}
}
