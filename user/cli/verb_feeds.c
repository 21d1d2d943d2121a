/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import, feeds.
 */
#include "cli/client.h"
#include "cli/input.h"
#include "cli/show.h"
#include "cli/verbs.h"
#include "core/feed.h"
#include "core/units.h"

#define FILE_MAX (64UL * 1024 * 1024) /* what the daemon takes */

enum {
	IMPORT_FEED,
	IMPORT_FORMAT,
	IMPORT_CATEGORY,
	IMPORT_TTL,
	IMPORT_DRY_RUN,
	IMPORT_FORCE,
};

static const struct verb_option import_options[] = {
	[IMPORT_FEED] = { 'f', "feed", "FEED", "the feed whose list it is; what it lacks ends" },
	[IMPORT_FORMAT] = { 0, "format", "FORMAT", "plain, spamhaus, csv, stix, ... (auto)" },
	[IMPORT_CATEGORY] = { 'c', "category", "CATEGORY",
			      "of its listings (as the feed is configured)" },
	[IMPORT_TTL] = { 't', "ttl", "TIME",
			 "its listings end after 12h, 3d (as configured, else never)" },
	[IMPORT_DRY_RUN] = { 'n', "dry-run", NULL, "say what it would do, and change nothing" },
	[IMPORT_FORCE] = { 0, "force", NULL,
			   "overrule guards about size, and let wide prefixes with a ttl in" },
};

static bool is_name(const char *name)
{
	return name[0] && name[0] != '.' && !strpbrk(name, "/?%#& ");
}

static void import_path(const struct call *call, struct text *path)
{
	text_add(path, "/api/v1/feeds/%s/import", call->value[IMPORT_FEED]);
	client_param(path, "format", call->value[IMPORT_FORMAT]);
	client_param(path, "category", call->value[IMPORT_CATEGORY]);
	client_param(path, "ttl", call->value[IMPORT_TTL]);
	client_param(path, "dry_run", call->value[IMPORT_DRY_RUN] ? "1" : NULL);
	client_param(path, "force", call->value[IMPORT_FORCE] ? "1" : NULL);
}

static int show_answer(const struct cli *cli, const struct answer *answer)
{
	const char *cause = answer_text(answer->json, "cause");

	if (cli->json)
		fputs(answer->body.data ? answer->body.data : "", cli->out);
	else
		show_report(cli, answer->json);
	/* Who imports a list must not believe that it is in force when it is not. */
	if (answer_text(answer->json, "held")[0])
		return CLI_REFUSED;
	return cause[0] ? CLI_REFUSED : CLI_DONE;
}

static int send_list(struct cli *cli, const struct call *call)
{
	_cleanup_(answer_free) struct answer answer = {};
	_cleanup_(text_free) struct text file = {};
	_cleanup_(text_free) struct text path = {};
	int code = input_read(cli, call->arg[0], FILE_MAX, "compress it with gzip or zstd", &file);

	if (code != CLI_DONE)
		return code;
	import_path(call, &path);
	if (path.failed)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	code = client_upload(cli, path.data, &file, &answer);
	return code == CLI_DONE ? show_answer(cli, &answer) : code;
}

static int run_import(struct cli *cli, const struct call *call)
{
	const char *ttl = call->value[IMPORT_TTL];
	int64_t seconds;

	if (!call->value[IMPORT_FEED])
		return cli_fail(cli, CLI_USAGE,
				"import: -f FEED is missing; see 'moatctl import --help'");
	if (!is_name(call->value[IMPORT_FEED]))
		return cli_fail(cli, CLI_USAGE, "-f %s: not the name of a feed",
				call->value[IMPORT_FEED]);
	if (ttl && units_duration(ttl, &seconds))
		return cli_fail(cli, CLI_USAGE, "-t %s: a duration (15m, 12h, 30d) is expected",
				ttl);
	return send_list(cli, call);
}

const struct verb verb_import = {
	.name = "import",
	.args = "FILE",
	.summary = "a feed's list from a file ('-': standard input), through all guards",
	.details =
		"The list takes the place of the feed's last one: what is new is added, what is gone\n"
		"ends, what stayed is refreshed. A list that is cut, empty, or not to be believed\n"
		"changes nothing, and the exit code is 1. gzip and zstd are read as they are.",
	.min_args = 1,
	.max_args = 1,
	.options = import_options,
	.option_count = ARRAY_SIZE(import_options),
	.run = run_import,
};

/* ---- feeds ---- */

static int list_feeds(struct cli *cli)
{
	_cleanup_(answer_free) struct answer answer = {};
	int code = client_get(cli, "GET", "/api/v1/feeds", NULL, &answer);

	if (code != CLI_DONE)
		return code;
	if (cli->json)
		fputs(answer.body.data ? answer.body.data : "", cli->out);
	else
		show_feeds(cli, json_object_get(answer.json, "feeds"));
	return CLI_DONE;
}

static int fetch_feed(struct cli *cli, const char *name)
{
	_cleanup_(answer_free) struct answer answer = {};
	_cleanup_(text_free) struct text path = {};
	int code;

	text_add(&path, "/api/v1/feeds/%s/fetch", name);
	if (path.failed)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	code = client_get(cli, "POST", path.data, NULL, &answer);
	return code == CLI_DONE ? show_answer(cli, &answer) : code;
}

/* hold or release */
static int switch_feed(struct cli *cli, const char *what, const char *name)
{
	_cleanup_(answer_free) struct answer answer = {};
	_cleanup_(text_free) struct text path = {};
	int code;

	text_add(&path, "/api/v1/feeds/%s/%s", name, what);
	if (path.failed)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	code = client_get(cli, "POST", path.data, NULL, &answer);
	if (code != CLI_DONE)
		return code;
	if (cli->json)
		fputs(answer.body.data ? answer.body.data : "", cli->out);
	else
		fprintf(cli->out, "%s: %s\n", name,
			answer_text(answer.json, "held")[0]
				? "held in monitor, its listings only count"
				: "released, its listings are in force");
	return CLI_DONE;
}

static int run_feeds(struct cli *cli, const struct call *call)
{
	if (!call->args)
		return list_feeds(cli);
	if (call->args == 2 && is_name(call->arg[1])) {
		if (!strcmp(call->arg[0], "fetch"))
			return fetch_feed(cli, call->arg[1]);
		if (!strcmp(call->arg[0], "hold") || !strcmp(call->arg[0], "release"))
			return switch_feed(cli, call->arg[0], call->arg[1]);
	}
	return cli_fail(cli, CLI_USAGE,
			"feeds: nothing, 'fetch NAME', 'hold NAME' or 'release NAME' is expected");
}

const struct verb verb_feeds = {
	.name = "feeds",
	.args = "[fetch|hold|release FEED]",
	.summary =
		"state of each feed, its last good list, why one was refused; fetches, holds one",
	.details =
		"fetch: now, and waits until its list is in force or refused.\n"
		"hold: its listings only count, as in mode monitor, until 'release'. A feed whose first\n"
		"list would hit too much of what passes now (guards: radius_budget) is held by itself, and\n"
		"released by a later list that hits less.",
	.max_args = 2,
	.run = run_feeds,
};
