/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top: who hits the filter most, once or live.
 */
#include "cli/client.h"
#include "cli/show.h"
#include "cli/top_screen.h"
#include "cli/verbs.h"
#include "core/units.h"

#define LIVE_LIMIT  "500" /* rows that are asked for live */
#define DELAY_S	    1
#define DELAY_MAX_S 3600

enum { TOP_ONCE, TOP_BY, TOP_LIMIT, TOP_SEEN, TOP_DELAY };

static const struct verb_option top_options[] = {
	[TOP_ONCE] = { 'n', "once", NULL, "prints it once, as it does where there is no terminal" },
	[TOP_BY] = { 'b', "by", "WHAT", "source, prefix, category or feed (source)" },
	[TOP_LIMIT] = { 'l', "limit", "N", "how many: 20 once, 500 live, at most 1000" },
	[TOP_SEEN] = { 0, "seen", "TIME", "only what was seen in the last 60s, 10m, 1h" },
	[TOP_DELAY] = { 'd', "delay", "TIME", "between two looks: 1s" },
};

static int print_once(struct cli *cli, const struct call *call, enum top_by by)
{
	_cleanup_(answer_free) struct answer answer = {};
	struct text path = {};
	int code;

	top_path(by, call->value[TOP_LIMIT], 0, &path);
	client_param(&path, "seen", call->value[TOP_SEEN]);
	code = path.failed ? cli_fail(cli, CLI_REFUSED, "out of memory")
			   : client_get(cli, "GET", path.data, NULL, &answer);
	text_free(&path);
	if (code != CLI_DONE)
		return code;
	if (cli->json)
		fputs(answer.body.data ? answer.body.data : "", cli->out);
	else
		show_top(cli, answer.json);
	return CLI_DONE;
}

static int run_top(struct cli *cli, const struct call *call)
{
	const char *word = call->value[TOP_BY] ?: "source", *delay = call->value[TOP_DELAY];
	enum top_by by = top_way_of(word);
	int64_t seconds = DELAY_S, seen;

	if (by == TOP_BY_MAX)
		return cli_fail(cli, CLI_USAGE,
				"--by %s: source, prefix, category or feed is expected", word);
	if (call->value[TOP_SEEN] && units_duration(call->value[TOP_SEEN], &seen))
		return cli_fail(cli, CLI_USAGE, "--seen %s: a duration (60s, 10m, 1h) is expected",
				call->value[TOP_SEEN]);
	if (delay && (units_duration(delay, &seconds) || seconds > DELAY_MAX_S))
		return cli_fail(cli, CLI_USAGE, "-d %s: a duration (1s, 10s) is expected", delay);
	if (call->value[TOP_ONCE] || cli->json || !cli->screen)
		return print_once(cli, call, by);

	const struct top_screen screen = {
		.by = by,
		.limit = call->value[TOP_LIMIT] ?: LIVE_LIMIT,
		.delay_s = (unsigned int)seconds,
	};

	return top_screen_run(cli, &screen);
}

const struct verb verb_top = {
	.name = "top",
	.args = "",
	.summary = "who hits the filter most, and how much it does: live on a terminal ('h': keys)",
	.details =
		"Once, by packets since a source was first seen. A number with ~ is an estimate: in a\n"
		"flood only a part is looked at. The sources that were not seen for the longest\n"
		"time are forgotten when there are more than 'hits' of the configuration.",
	.options = top_options,
	.option_count = ARRAY_SIZE(top_options),
	.run = run_top,
};
