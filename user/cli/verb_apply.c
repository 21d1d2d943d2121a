/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apply, confirm, rollback: another configuration for the moatd that runs.
 */
#include "cli/client.h"
#include "cli/input.h"
#include "cli/show.h"
#include "cli/verbs.h"
#include "core/units.h"

enum { APPLY_CONFIRM, APPLY_DRY_RUN };

static const struct verb_option apply_options[] = {
	[APPLY_CONFIRM] = { 0, "confirm", "TIME",
			    "what ran before is in force again after 60s, 5m, unless 'confirm'ed" },
	[APPLY_DRY_RUN] = { 'n', "dry-run", NULL,
			    "check it, say what it would have done to the traffic, change nothing" },
};

static int show_answer(struct cli *cli, int code, const struct answer *answer, bool dry_run)
{
	if (code != CLI_DONE)
		return code;
	if (cli->json) {
		fputs(answer->body.data ? answer->body.data : "", cli->out);
		return CLI_DONE;
	}
	if (dry_run)
		fputs("good, and not applied\n", cli->out);
	else
		show_configuration(cli, json_object_get(answer->json, "configuration"));
	show_effect(cli, json_object_get(answer->json, "effect"), dry_run);
	return CLI_DONE;
}

static int run_apply(struct cli *cli, const struct call *call)
{
	_cleanup_(answer_free) struct answer answer = {};
	_cleanup_(text_free) struct text file = {};
	_cleanup_(text_free) struct text path = {};
	const char *confirm = call->value[APPLY_CONFIRM];
	int64_t seconds;
	int code;

	if (confirm && units_duration(confirm, &seconds))
		return cli_fail(cli, CLI_USAGE, "--confirm %s: a duration (60s, 5m) is expected",
				confirm);
	code = input_read(cli, call->arg[0], CONFIG_FILE_MAX, "", &file);
	if (code != CLI_DONE)
		return code;
	text_add(&path, "/api/v1/config");
	client_param(&path, "confirm", confirm);
	client_param(&path, "dry_run", call->value[APPLY_DRY_RUN] ? "1" : NULL);
	if (path.failed)
		return cli_fail(cli, CLI_REFUSED, "out of memory");
	return show_answer(cli, client_upload(cli, path.data, &file, &answer), &answer,
			   call->value[APPLY_DRY_RUN]);
}

const struct verb verb_apply = {
	.name = "apply",
	.args = "FILE",
	.summary = "another configuration ('-': standard input), checked whole, in force at once",
	.details =
		"With --confirm what ran before is in force again by itself after that time, also when\n"
		"moatd or the machine was restarted in between, unless 'moatctl confirm' comes first.\n"
		"What is confirmed, or applied without --confirm, becomes the file that moatd was started\n"
		"with; the one before is kept as FILE.previous. What only a restart can change is refused.\n"
		"What it would have done to the packets of the last minutes is estimated from samples.",
	.min_args = 1,
	.max_args = 1,
	.options = apply_options,
	.option_count = ARRAY_SIZE(apply_options),
	.run = run_apply,
};

static int post(struct cli *cli, const char *path)
{
	_cleanup_(answer_free) struct answer answer = {};

	return show_answer(cli, client_get(cli, "POST", path, NULL, &answer), &answer, false);
}

static int run_confirm(struct cli *cli, const struct call *call)
{
	return call->args ? switch_confirm(cli, call->arg[0]) : post(cli, "/api/v1/config/confirm");
}

const struct verb verb_confirm = {
	.name = "confirm",
	.args = "[IFACE]",
	.summary = "keeps what 'apply --confirm' or 'attach IFACE --confirm' put in force",
	.max_args = 1,
	.run = run_confirm,
};

static int run_rollback(struct cli *cli, const struct call *call)
{
	(void)call;
	return post(cli, "/api/v1/config/rollback");
}

const struct verb verb_rollback = {
	.name = "rollback",
	.args = "",
	.summary = "ends the configuration that waits to be confirmed: what ran before is back",
	.run = run_rollback,
};
