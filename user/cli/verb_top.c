/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top: who hits the filter most.
 */
#include "cli/client.h"
#include "cli/show.h"
#include "cli/verbs.h"

enum { TOP_ONCE, TOP_BY, TOP_LIMIT };

static const struct verb_option top_options[] = {
	[TOP_ONCE] = { 'n', "once", NULL, "prints it once; so it does without -n in this version" },
	[TOP_BY] = { 'b', "by", "WHAT", "source" },
	[TOP_LIMIT] = { 'l', "limit", "N", "how many: 20, at most 1000" },
};

static int run_top(struct cli *cli, const struct call *call)
{
	_cleanup_(answer_free) struct answer answer = {};
	struct text path = {};
	int code;

	text_add(&path, "/api/v1/top");
	client_param(&path, "by", call->value[TOP_BY] ?: "source");
	client_param(&path, "limit", call->value[TOP_LIMIT]);
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

const struct verb verb_top = {
	.name = "top",
	.args = "",
	.summary = "the most active of the listed sources",
	.details =
		"By packets since a source was first seen. A number with ~ is an estimate: in a\n"
		"flood only a part is looked at. The sources that were not seen for the longest\n"
		"time are forgotten when there are more than 'hits' of the configuration.",
	.options = top_options,
	.option_count = ARRAY_SIZE(top_options),
	.run = run_top,
};
