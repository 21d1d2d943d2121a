/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 'moatctl top' on a terminal, until somebody has seen enough.
 */
#ifndef CLI_TOP_SCREEN_H
#define CLI_TOP_SCREEN_H

#include "cli/top.h"

struct top_screen {
	enum top_by by;
	const char *limit;    /* rows to ask for */
	unsigned int delay_s; /* between two looks */
};

/* An exit code. The terminal is as it was when it returns, whatever ended it. */
int top_screen_run(struct cli *cli, const struct top_screen *options);

#endif
