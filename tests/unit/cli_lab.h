/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moatctl against a daemon that answers from a script.
 *
 *	script(lab, 200, "{}");		the next thing the daemon says
 *	run(lab, "status");		lab->code, lab->out, lab->err
 *	lab->step[0].request		what it was asked
 *	forget(lab);			and again
 */
#ifndef TESTS_CLI_LAB_H
#define TESTS_CLI_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "cli/cli.h"
#include "core/text.h"

#define STEPS_MAX 4

/* What it runs at: 2025-11-23T11:00:00Z. */
#define LAB_NOW 1763895600

struct step {
	int status;
	const char *body;
	struct text request; /* what came: "METHOD PATH\n" and the body */
};

struct lab {
	char dir[64];
	char socket[96];
	int listener;
	pthread_t server;
	size_t steps, served;
	struct step step[STEPS_MAX];

	char *out, *err; /* of the last run; owned */
	int code;
};

/* cmocka fixtures; *state becomes the lab. */
int setup(void **state);
int teardown(void **state);

void script(struct lab *lab, int status, const char *body);
/* Words without quotes; input is its standard input. Fails unless all of the script was asked. */
void run_with_bytes(struct lab *lab, const char *input, size_t size, const char *line);
void run_with(struct lab *lab, const char *input, const char *line);
void run(struct lab *lab, const char *line);
void forget(struct lab *lab);

/* A refusal of the row with index 1. */
#define REFUSED                                                                                    \
	"{\"type\":\"about:blank\",\"title\":\"Conflict\",\"status\":409,"                         \
	"\"detail\":\"203.0.113.9 (botnet) is refused by guard never_block: no\","                 \
	"\"cause\":\"never_block\",\"source\":\"203.0.113.9\",\"index\":1}\n"

#define with_lab(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
