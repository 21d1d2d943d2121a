/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line tool. See cli.h.
 */
#include <time.h>

#include "cli/cli.h"

/* https://no-color.org: any value but the empty one. */
static bool wants_colour(void)
{
	const char *never = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	if (!isatty(STDOUT_FILENO) || (never && *never))
		return false;
	return terminal && strcmp(terminal, "dumb") != 0;
}

int main(int argc, char **argv)
{
	struct cli cli = {
		.socket = CONFIG_SOCKET,
		.colour = wants_colour(),
		.progress = isatty(STDERR_FILENO),
		.screen = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
		.in = stdin,
		.out = stdout,
		.err = stderr,
		.now = time(NULL),
	};
	int code = cli_run(&cli, argc, argv);

	/* A full disk or a closed pipe behind standard output is a failure too. */
	if (fflush(stdout) || ferror(stdout))
		return code ? code
			    : cli_fail(&cli, CLI_REFUSED, "standard output: %s", strerror(errno));
	return code;
}
