/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * add, allow, remove, list.
 */
#include "cli/bulk.h"
#include "cli/client.h"
#include "cli/show.h"
#include "cli/verbs.h"
#include "core/units.h"
#include "core/when.h"

#define SOURCES_MAX 1000 /* on one command line */
#define LIST_PAGE   "10000"
#define ALLOW	    "allow" /* the built-in category */

/* ---- add, allow: allow has every option but the category ---- */

enum {
	ADD_TTL,
	ADD_REASON,
	ADD_REF,
	ADD_BASIS,
	ADD_REGION,
	ADD_CONFIDENCE,
	ADD_REVIEW,
	ADD_FEED,
	ADD_SKIP,
	ADD_FORCE,
	ADD_CATEGORY,
};

#define ADD_OPTIONS                                                                                \
	[ADD_TTL] = { 't', "ttl", "TIME", "ends by itself after 90s, 15m, 12h, 30d (never)" },     \
	[ADD_REASON] = { 'r', "reason", "TEXT", "why, in words" },                                 \
	[ADD_REF] = { 0, "ref", "CASE", "a case number or a link" },                               \
	[ADD_BASIS] = { 0, "basis", "TEXT", "the legal basis" },                                   \
	[ADD_REGION] = { 0, "region", "LIST", "in force only where one of these is: de,eu" },      \
	[ADD_CONFIDENCE] = { 0, "confidence", "N", "0 to 100" },                                   \
	[ADD_REVIEW] = { 0, "review", "WHEN", "look at it again by then: 90d, 2027-01-31" },       \
	[ADD_FEED] = { 'f', "feed", "FEED", "the feed it belongs to (manual)" },                   \
	[ADD_SKIP] = { 0, "skip-refused", NULL, "add the others when the gate refuses one" },      \
	[ADD_FORCE] = { 0, "force", NULL,                                                          \
			"even if many would hit much of what passes, or one is wide" }

static const struct verb_option allow_options[] = { ADD_OPTIONS };

static const struct verb_option add_options[] = {
	ADD_OPTIONS,
	[ADD_CATEGORY] = { 'c', "category", "CATEGORY",
			   "the kind of abuse; see the configuration" },
};

/* A day stands for its first second, UTC. */
static int parse_date(const char *text, int64_t *ret)
{
	char midnight[32];

	if (!when_parse(text, ret))
		return 0;
	if (strlen(text) != strlen("2027-01-31"))
		return -EINVAL;
	snprintf(midnight, sizeof(midnight), "%sT00:00:00Z", text);
	return when_parse(midnight, ret);
}

static void write_review(struct emit *e, const char *review)
{
	int64_t at;

	if (review && parse_date(review, &at) == 0)
		emit_whole(e, "review_at", at);
	else if (review)
		emit_text(e, "review", review);
}

static void write_listing(struct emit *e, const struct call *call, const char *source,
			  const char *category)
{
	static const struct {
		int option;
		const char *key;
	} texts[] = {
		{ ADD_TTL, "ttl" },	{ ADD_REASON, "reason" }, { ADD_REF, "reference" },
		{ ADD_BASIS, "basis" }, { ADD_REGION, "region" }, { ADD_FEED, "feed" },
	};
	uint64_t confidence;

	emit_begin(e, NULL, '{');
	emit_text(e, "source", source);
	emit_text(e, "category", category);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (call->value[texts[i].option])
			emit_text(e, texts[i].key, call->value[texts[i].option]);
	if (call->value[ADD_CONFIDENCE] && !units_number(call->value[ADD_CONFIDENCE], &confidence))
		emit_whole(e, "confidence", (int64_t)confidence);
	write_review(e, call->value[ADD_REVIEW]);
	emit_end(e, '}');
}

static void write_add(struct emit *e, const struct call *call, const char *source)
{
	write_listing(e, call, source, call->value[ADD_CATEGORY]);
}

static void write_allow(struct emit *e, const struct call *call, const char *source)
{
	write_listing(e, call, source, ALLOW);
}

static int check_options(const struct cli *cli, const struct call *call)
{
	const char *ttl = call->value[ADD_TTL], *confidence = call->value[ADD_CONFIDENCE];
	const char *review = call->value[ADD_REVIEW];
	int64_t seconds;
	uint64_t number;

	if (ttl && units_duration(ttl, &seconds))
		return cli_fail(cli, CLI_USAGE,
				"-t %s: a duration (90s, 15m, 12h, 30d) is expected", ttl);
	if (confidence && (units_number(confidence, &number) || number > 100))
		return cli_fail(cli, CLI_USAGE,
				"--confidence %s: a number from 0 to 100 is expected", confidence);
	if (review && units_duration(review, &seconds) && parse_date(review, &seconds))
		return cli_fail(cli, CLI_USAGE,
				"--review %s: a duration (30d), a day (2027-01-31) or an RFC 3339 "
				"time is expected",
				review);
	return CLI_DONE;
}

static int post_listings(struct cli *cli, const char *path, const struct text *body)
{
	_cleanup_(answer_free) struct answer answer = {};
	int code = client_get(cli, "POST", path, body, &answer);
	json_t *row;
	size_t i;

	if (code != CLI_DONE)
		return code;
	if (cli->json)
		fputs(answer.body.data ? answer.body.data : "", cli->out);
	json_array_foreach(json_object_get(answer.json, "listings"), i, row) {
		if (!cli->json && !show_added(cli, row))
			code = CLI_REFUSED;
		if (cli->json && strcmp(answer_text(row, "state"), "live") != 0 &&
		    strcmp(answer_text(row, "state"), "elsewhere") != 0)
			code = CLI_REFUSED;
	}
	return code;
}

static int run_adding(struct cli *cli, const struct call *call, bulk_row_fn write_row)
{
	_cleanup_(text_free) struct text path = {};
	struct text body = {};
	struct emit e = { .out = &body };
	int code = check_options(cli, call);

	if (code != CLI_DONE)
		return code;
	text_add(&path, "/api/v1/listings");
	client_param(&path, "refused", call->value[ADD_SKIP] ? "skip" : NULL);
	client_param(&path, "force", call->value[ADD_FORCE] ? "1" : NULL);
	if (path.failed)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	if (call->args == 1 && strcmp(call->arg[0], "-") == 0)
		return bulk_add(cli, call, path.data, write_row);
	if (call->args > 1)
		emit_begin(&e, NULL, '[');
	for (int i = 0; i < call->args; i++)
		write_row(&e, call, call->arg[i]);
	if (call->args > 1)
		emit_end(&e, ']');
	code = post_listings(cli, path.data, &body);
	text_free(&body);
	return code;
}

static int run_add(struct cli *cli, const struct call *call)
{
	if (!call->value[ADD_CATEGORY])
		return cli_fail(cli, CLI_USAGE,
				"add: -c CATEGORY is missing; see 'moatctl add --help'");
	return run_adding(cli, call, write_add);
}

static int run_allow(struct cli *cli, const struct call *call)
{
	return run_adding(cli, call, write_allow);
}

const struct verb verb_add = {
	.name = "add",
	.args = "SOURCE ...",
	.summary = "lists a source; many from standard input with '-', one a line",
	.details =
		"A source is an address or a prefix. All of the sources are added, or none; from\n"
		"standard input, all or none of every 50,000. Adding again refreshes.",
	.min_args = 1,
	.max_args = SOURCES_MAX,
	.options = add_options,
	.option_count = ARRAY_SIZE(add_options),
	.run = run_add,
};

const struct verb verb_allow = {
	.name = "allow",
	.args = "SOURCE ...",
	.summary = "protects a source: 'add' with category allow, which wins over all others",
	.min_args = 1,
	.max_args = SOURCES_MAX,
	.options = allow_options,
	.option_count = ARRAY_SIZE(allow_options),
	.run = run_allow,
};

/* ---- remove ---- */

enum { REMOVE_CATEGORY, REMOVE_FEED };

static const struct verb_option remove_options[] = {
	[REMOVE_CATEGORY] = { 'c', "category", "CATEGORY", "only of this category" },
	[REMOVE_FEED] = { 'f', "feed", "FEED", "only of this feed" },
};

static int run_remove(struct cli *cli, const struct call *call)
{
	_cleanup_(answer_free) struct answer answer = {};
	struct text path = {};
	int code;

	text_add(&path, "/api/v1/listings");
	client_param(&path, "source", call->arg[0]);
	client_param(&path, "category", call->value[REMOVE_CATEGORY]);
	client_param(&path, "feed", call->value[REMOVE_FEED]);
	code = path.failed ? cli_fail(cli, CLI_REFUSED, "out of memory")
			   : client_get(cli, "DELETE", path.data, NULL, &answer);
	text_free(&path);
	if (code != CLI_DONE)
		return code;
	if (cli->json)
		fputs(answer.body.data ? answer.body.data : "", cli->out);
	else
		show_removed(cli, call->arg[0], answer.json);
	if (json_integer_value(json_object_get(answer.json, "removed")) > 0)
		return CLI_DONE;
	return cli_fail(cli, CLI_REFUSED, "there is no such listing of exactly %s", call->arg[0]);
}

const struct verb verb_remove = {
	.name = "remove",
	.args = "SOURCE",
	.summary = "ends listings of a source; says which remain and whether it is still blocked",
	.min_args = 1,
	.max_args = 1,
	.options = remove_options,
	.option_count = ARRAY_SIZE(remove_options),
	.run = run_remove,
};

/* ---- list ---- */

enum { LIST_CATEGORY, LIST_FEED, LIST_UNDER, LIST_EXPIRED, LIST_REVIEW_DUE };

static const struct verb_option list_options[] = {
	[LIST_CATEGORY] = { 'c', "category", "CATEGORY", "only of this category" },
	[LIST_FEED] = { 'f', "feed", "FEED", "only of this feed" },
	[LIST_UNDER] = { 'u', "under", "SOURCE", "only what lies in this prefix" },
	[LIST_EXPIRED] = { 'e', "expired", NULL, "those that have expired, instead of live ones" },
	[LIST_REVIEW_DUE] = { 0, "review-due", NULL,
			      "only those that are to be looked at again by now" },
};

static void list_path(const struct call *call, json_int_t cursor, struct text *path)
{
	text_add(path, "/api/v1/listings?limit=" LIST_PAGE);
	client_param(path, "category", call->value[LIST_CATEGORY]);
	client_param(path, "feed", call->value[LIST_FEED]);
	client_param(path, "under", call->value[LIST_UNDER]);
	client_param(path, "expired", call->value[LIST_EXPIRED] ? "1" : NULL);
	client_param(path, "review", call->value[LIST_REVIEW_DUE] ? "due" : NULL);
	if (cursor)
		text_add(path, "&cursor=%lld", (long long)cursor);
}

static void print_json_rows(const struct cli *cli, const json_t *listings, bool *first)
{
	json_t *row;
	size_t i;

	json_array_foreach(listings, i, row) {
		if (!*first)
			fputc(',', cli->out);
		*first = false;
		json_dumpf(row, cli->out, JSON_COMPACT);
	}
}

/* One page. *cursor becomes 0 after the last. */
static int list_page(struct cli *cli, const struct call *call, json_int_t *cursor,
		     struct table *table, bool *first)
{
	_cleanup_(answer_free) struct answer answer = {};
	const json_t *listings;
	struct text path = {};
	int code;

	list_path(call, *cursor, &path);
	code = path.failed ? cli_fail(cli, CLI_REFUSED, "out of memory")
			   : client_get(cli, "GET", path.data, NULL, &answer);
	text_free(&path);
	if (code != CLI_DONE)
		return code;
	if (cli->json && !*cursor)
		fputs("{\"listings\":[", cli->out);
	listings = json_object_get(answer.json, "listings");
	if (cli->json)
		print_json_rows(cli, listings, first);
	else
		show_listings(cli, listings, table, "");
	*cursor = json_integer_value(json_object_get(answer.json, "cursor"));
	return CLI_DONE;
}

static int run_list(struct cli *cli, const struct call *call)
{
	_cleanup_(table_free) struct table table = {};
	json_int_t cursor = 0;
	bool first = true;
	int code;

	do {
		code = list_page(cli, call, &cursor, &table, &first);
		if (code != CLI_DONE)
			return code;
	} while (cursor);
	if (cli->json)
		fputs("],\"cursor\":null}\n", cli->out);
	return CLI_DONE;
}

const struct verb verb_list = {
	.name = "list",
	.args = "",
	.summary = "the listings, with their state: live, expired, or refused and why",
	.options = list_options,
	.option_count = ARRAY_SIZE(list_options),
	.run = run_list,
};
