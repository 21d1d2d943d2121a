/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line on the terminal that says how far a thing is, written over itself
 * and gone at the end. Nothing at all where standard error is no terminal.
 *
 *	struct progress p = progress_begin(cli);
 *
 *	if (progress_due(&p))
 *		progress_show(&p, "captured %s", ...);
 *	progress_end(&p);			before anything else is printed
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/cli.h"

#define PROGRESS_EVERY_MS 200

struct progress {
	const struct cli *cli;
	int64_t began_ms, shown_ms; /* by the monotonic clock */
	bool shown;		    /* a line stands there */
};

/* Milliseconds of a clock that nobody sets. */
int64_t progress_clock_ms(void);

struct progress progress_begin(const struct cli *cli);
/* Whether it is time for another line. */
bool progress_due(const struct progress *p);
/* The line; longer ones are cut to the terminal's width. */
_printf_(2, 3) void progress_show(struct progress *p, const char *fmt, ...);
/* Takes the line away; another one may follow. */
void progress_end(struct progress *p);

/* Of a file that is sent, and of the daemon that then works on it. */
void progress_sent(struct progress *p, uint64_t sent, uint64_t size);

#endif
