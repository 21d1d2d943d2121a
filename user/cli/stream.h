/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events from the daemon, one JSON object a line, until something ends it.
 */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include "cli/live.h"

#define STREAM_LINE_MAX (64 * 1024) /* bytes of a line; longer ones are an error */

struct stream {
	const char *path;
	int64_t seconds; /* ends by itself then; 0: does not */
	int out;	 /* whose reader it ends with; -1: nobody's */

	/* One line, and what it says. Returns an exit code to go on with (CLI_DONE), or to end. */
	int (*line)(void *arg, const char *line, const json_t *event);
	/* After the lines that came together, and now and then without any. False: end it. */
	bool (*rest)(void *arg);
	void *arg;
};

/*
 * CLI_DONE: it was long enough: time, rest(), a signal, a reader that went.
 * Else the code of line(), or what is wrong with the daemon, which is said.
 */
int stream_run(struct cli *cli, struct live *live, const struct stream *s);

#endif
