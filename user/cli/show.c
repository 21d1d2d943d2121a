/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/show.h"

#include <inttypes.h>

#include "cli/client.h"
#include "core/units.h"
#include "core/when.h"

const char *show_count(int64_t n, char buf[static SHOW_MAX])
{
	char digits[24];
	size_t len, used = 0;

	snprintf(digits, sizeof(digits), "%" PRId64, n);
	len = strlen(digits);
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0)
			buf[used++] = ',';
		buf[used++] = digits[i];
	}
	buf[used] = '\0';
	return buf;
}

const char *show_time(const json_t *time, int64_t now, const char *if_none,
		      char buf[static SHOW_MAX])
{
	const char *text = json_string_value(time);
	char duration[32];
	int64_t at;

	if (!text || when_parse(text, &at))
		snprintf(buf, SHOW_MAX, "%s", text ? text : if_none);
	else if (at == now)
		snprintf(buf, SHOW_MAX, "now");
	else if (at > now)
		snprintf(buf, SHOW_MAX, "in %s", units_duration_format(at - now, duration));
	else
		snprintf(buf, SHOW_MAX, "%s ago", units_duration_format(now - at, duration));
	return buf;
}

void show_names(const json_t *names, struct text *out)
{
	const char *separator = "";
	json_t *name;
	size_t i;

	text_add(out, "%s", "");
	json_array_foreach(names, i, name) {
		text_add(out, "%s", separator);
		clean_text(out, json_string_value(name));
		separator = ", ";
	}
}

void show_label(const struct cli *cli, const char *text)
{
	fprintf(cli->out, "  %-*s  ", SHOW_LABEL, text);
}

void show_clean(const struct cli *cli, enum tint tint, const char *s)
{
	struct text clean = {};

	clean_text(&clean, s);
	fprintf(cli->out, "%s%s%s", tint_begin(cli->colour, tint), clean.data ? clean.data : "",
		tint_end(cli->colour, tint));
	text_free(&clean);
}

int64_t show_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* ---- listings ---- */

static void add_state(struct table *table, const json_t *listing)
{
	const char *state = answer_text(listing, "state");
	const char *cause = answer_text(listing, "cause");
	char text[SHOW_MAX];

	if (json_is_true(json_object_get(listing, "monitored")))
		state = "monitored";
	snprintf(text, sizeof(text), "%s%s%s", state, cause[0] ? ": " : "", cause);
	table_add(table,
		  strcmp(state, "refused") == 0 ? TINT_BAD
		  : strcmp(state, "live") == 0	? TINT_NONE
						: TINT_DIM,
		  text);
}

/* Columns that are there when a listing has something to show in them. */
static const struct {
	const char *member, *title;
} extras[] = {
	{ "confidence", "CONF" },
	{ "region", "REGION" },
	{ "basis", "BASIS" },
	{ "review_at", "REVIEW" },
};

static unsigned int extras_of(const json_t *listings)
{
	unsigned int has = 0;
	json_t *listing;
	size_t i;

	json_array_foreach(listings, i, listing)
		for (size_t x = 0; x < ARRAY_SIZE(extras); x++)
			if (json_object_get(listing, extras[x].member) &&
			    !json_is_null(json_object_get(listing, extras[x].member)))
				has |= 1U << x;
	return has;
}

/* Once, and again on a page that has more to show than those before. */
static void add_titles(struct table *table, unsigned int extra)
{
	static const char *const titles[] = { "SOURCE",	 "CATEGORY", "FEED",	 "STATE",
					      "EXPIRES", "REASON",   "REFERENCE" };

	if (table->columns && (table->shown | extra) == table->shown)
		return;
	table->shown |= extra;
	table->columns = ARRAY_SIZE(titles);
	for (size_t c = 0; c < ARRAY_SIZE(titles); c++)
		table_add(table, TINT_DIM, titles[c]);
	for (size_t x = 0; x < ARRAY_SIZE(extras); x++)
		if (table->shown >> x & 1) {
			table->columns++;
			table_add(table, TINT_DIM, extras[x].title);
		}
}

static void add_extra(const struct cli *cli, struct table *table, const json_t *listing,
		      const char *member)
{
	const json_t *value = json_object_get(listing, member);
	char text[SHOW_MAX];
	int64_t at;

	if (json_is_integer(value)) {
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		table_add(table, TINT_NONE, text);
	} else if (strcmp(member, "review_at") == 0) {
		bool due = !when_parse(answer_text(listing, member), &at) && at <= cli->now;

		table_add(table, due ? TINT_WARN : TINT_NONE, show_time(value, cli->now, "", text));
	} else {
		table_add(table, TINT_NONE, answer_text(listing, member));
	}
}

void show_listings(const struct cli *cli, const json_t *listings, struct table *table,
		   const char *indent)
{
	char expires[SHOW_MAX];
	json_t *listing;
	size_t i;

	if (json_array_size(listings))
		add_titles(table, extras_of(listings));
	json_array_foreach(listings, i, listing) {
		table_add(table, TINT_NONE, answer_text(listing, "source"));
		table_add(table, TINT_NONE, answer_text(listing, "category"));
		table_add(table, TINT_NONE, answer_text(listing, "feed"));
		add_state(table, listing);
		table_add(table, TINT_NONE,
			  show_time(json_object_get(listing, "expires_at"), cli->now, "never",
				    expires));
		table_add(table, TINT_NONE, answer_text(listing, "reason"));
		table_add(table, TINT_NONE, answer_text(listing, "reference"));
		for (size_t x = 0; x < ARRAY_SIZE(extras); x++)
			if (table->shown >> x & 1)
				add_extra(cli, table, listing, extras[x].member);
	}
	if (table->columns)
		table_flush(table, cli->out, cli->colour, indent);
}

bool show_added(const struct cli *cli, const json_t *row)
{
	const char *state = answer_text(row, "state");
	bool live = strcmp(state, "live") == 0, elsewhere = strcmp(state, "elsewhere") == 0;
	struct text source = {}, why = {};

	clean_text(&source, answer_text(row, "source"));
	clean_text(&why, answer_text(row, "why"));
	fprintf(cli->out, "%s: %s, ", source.data ? source.data : "", answer_text(row, "category"));
	if (live && json_is_true(json_object_get(row, "monitored")))
		fprintf(cli->out, "only counts: its feed is in mode monitor, or held\n");
	else if (live)
		fprintf(cli->out, "in force\n");
	else if (strcmp(state, "expired") == 0)
		fprintf(cli->out, "added, but it has already expired\n");
	else if (elsewhere)
		fprintf(cli->out, "added, in force elsewhere: %s\n", why.data ? why.data : "");
	else
		fprintf(cli->out, "%sadded, but NOT in force: %s%s; see 'moatctl status'\n",
			tint_begin(cli->colour, TINT_BAD), answer_text(row, "cause"),
			tint_end(cli->colour, TINT_BAD));
	text_free(&source);
	text_free(&why);
	return live || elsewhere;
}

void show_removed(const struct cli *cli, const char *source, const json_t *answer)
{
	const json_t *remaining = json_object_get(answer, "remaining");
	bool blocked = json_is_true(json_object_get(answer, "blocked"));
	json_int_t removed = json_integer_value(json_object_get(answer, "removed"));
	struct table table = { .columns = 3 };
	struct text clean = {};
	json_t *listing;
	size_t i;

	clean_text(&clean, source);
	fprintf(cli->out, "%s: %lld listing%s removed; %s%s%s\n", clean.data ? clean.data : "",
		(long long)removed, removed == 1 ? "" : "s",
		tint_begin(cli->colour, blocked ? TINT_BAD : TINT_NONE),
		blocked ? "STILL BLOCKED" : "not blocked",
		tint_end(cli->colour, blocked ? TINT_BAD : TINT_NONE));
	text_free(&clean);
	if (!json_array_size(remaining))
		return;
	fprintf(cli->out, "still listed by:\n");
	json_array_foreach(remaining, i, listing) {
		table_add(&table, TINT_NONE, answer_text(listing, "source"));
		table_add(&table, TINT_NONE, answer_text(listing, "category"));
		table_add(&table, TINT_NONE, answer_text(listing, "feed"));
	}
	table_flush(&table, cli->out, cli->colour, "  ");
	table_free(&table);
}

/* ---- audit ---- */

void show_audit(const struct cli *cli, const json_t *audit)
{
	static const char *const members[] = { "at", "actor", "origin", "verb", "detail" };
	static const char *const titles[] = { "AT", "ACTOR", "ORIGIN", "VERB", "DETAIL" };
	const json_t *entries = json_object_get(audit, "audit");
	struct table table = { .columns = ARRAY_SIZE(members) };
	json_t *entry;
	size_t i;

	for (size_t c = 0; c < ARRAY_SIZE(titles); c++)
		table_add(&table, TINT_DIM, titles[c]);
	json_array_foreach(entries, i, entry)
		for (size_t c = 0; c < ARRAY_SIZE(members); c++)
			table_add(&table, TINT_NONE, answer_text(entry, members[c]));
	if (json_array_size(entries))
		table_flush(&table, cli->out, cli->colour, "");
	table_free(&table);
}

void show_paused(const struct cli *cli, const json_t *answer)
{
	const json_t *paused = json_object_get(answer, "paused");
	const json_t *left = json_object_get(paused, "seconds_left");
	char duration[32];

	if (!json_is_object(paused))
		fprintf(cli->out, "in force: listed sources are judged again\n");
	else if (json_is_integer(left))
		fprintf(cli->out, "%sPAUSED%s: every packet passes; in force again in %s\n",
			tint_begin(cli->colour, TINT_BAD), tint_end(cli->colour, TINT_BAD),
			units_duration_format(json_integer_value(left), duration));
	else
		fprintf(cli->out, "%sPAUSED%s: every packet passes until 'moatctl resume'\n",
			tint_begin(cli->colour, TINT_BAD), tint_end(cli->colour, TINT_BAD));
}
