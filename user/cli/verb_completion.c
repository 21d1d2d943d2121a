/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * completion: the scripts for bash and zsh, and the words they ask for.
 */
#include "cli/complete.h"
#include "cli/verbs.h"

static int run_completion(struct cli *cli, const struct call *call)
{
	const char *what = call->arg[0];

	if (strcmp(what, "bash") == 0 || strcmp(what, "zsh") == 0) {
		complete_script(cli, what);
		return CLI_DONE;
	}
	return complete_words(cli, what);
}

const struct verb verb_completion = {
	.name = "completion",
	.args = "SHELL",
	.summary = "the completion for bash or zsh: source <(moatctl completion bash)",
	.details =
		"The scripts ask the running moatd for names, so 'moatctl completion categories',\n"
		"feeds and interfaces print those that it has, and verdicts, reasons those there are.",
	.min_args = 1,
	.max_args = 1,
	.run = run_completion,
};
