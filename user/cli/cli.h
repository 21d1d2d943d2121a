/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moatctl: what all verbs share.
 *
 * cli_run() reads the command line, finds the verb in its table (verbs.c),
 * parses the options of the verb's own table, and runs it. A verb asks the
 * daemon (client.h) and shows the answer (show.h); it never talks to the
 * kernel. Everything printed goes to the streams of struct cli.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "core/base.h"
#include "core/config.h"

/* Exit codes: a promise. */
enum { CLI_DONE = 0, CLI_REFUSED = 1, CLI_USAGE = 2, CLI_NO_DAEMON = 3 };

struct client;

struct cli {
	const char *socket;
	bool json;     /* -o json */
	bool colour;   /* out is a terminal that wants it */
	bool progress; /* err is a terminal */
	bool screen;   /* in and out are a terminal: full screen is possible */
	FILE *in, *out, *err;
	int64_t now;	       /* unix seconds */
	struct client *client; /* owned by cli_run() */
};

/* One option of a verb; its number is its index in the verb's table. */
struct verb_option {
	char letter;	  /* 0: only the long name */
	const char *name; /* long */
	const char *arg;  /* what it takes, NULL: nothing */
	const char *help;
};

#define VERB_OPTIONS_MAX 12

/* A parsed command line of a verb. */
struct call {
	int args;
	char *const *arg;
	const char *value[VERB_OPTIONS_MAX]; /* by option number; NULL: not given; "" for a flag */
};

struct verb {
	const char *name;
	const char *args;    /* for the usage line: "SOURCE" */
	const char *summary; /* one line */
	const char *details; /* more lines for --help, or NULL */
	int min_args, max_args;
	const struct verb_option *options;
	size_t option_count;
	int (*run)(struct cli *cli, const struct call *call); /* returns an exit code */
};

/* The table, ended by NULL (verbs.c). */
extern const struct verb *const cli_verbs[];

/* Everything but main(). Returns the exit code. */
int cli_run(struct cli *cli, int argc, char **argv);

/* "moatctl: ..." on cli->err; returns code. */
_printf_(3, 4) int cli_fail(const struct cli *cli, int code, const char *fmt, ...);

#endif
