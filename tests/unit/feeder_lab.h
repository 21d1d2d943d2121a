/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real feeder with its real child (this test program, run again: its
 * main() begins with feeder_lab_main()), a loop, a directory of its own, and a
 * web server whose paths the test writes.
 */
#ifndef TESTS_FEEDER_LAB_H
#define TESTS_FEEDER_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/feeder_wire.h"
#include "tests/unit/http_server.h"

#define LAB_ROWS 16 /* of the first rows of a job that are kept */

struct feeder_lab {
	char dir[64];
	struct loop *loop;
	struct http_server *server; /* NULL until lab_serve() */
	struct feeder *feeder;
	struct feed_row row[LAB_ROWS];
	uint64_t rows;
	int answer; /* what rows() returns */
	bool done;
	struct feeder_result result; /* of the last job */
};

/* cmocka fixtures; *state becomes the lab. */
int feeder_lab_setup(void **state);
int feeder_lab_teardown(void **state);

#define with_feeder(test)                                                                          \
	cmocka_unit_test_setup_teardown(test, feeder_lab_setup, feeder_lab_teardown)

/* First in main(). A child with a url of "fake:NAME" runs fake(NAME) instead; fake may be NULL. */
void feeder_lab_main(int argc, char **argv, void (*fake)(const char *name));

void lab_serve(struct feeder_lab *lab, void (*handler)(struct http_exchange *x, void *arg));

/* "http://127.0.0.1:PORT" and the path. Overwritten by the next call. */
const char *lab_url(struct feeder_lab *lab, const char *path);

/* A path below the lab's directory. Overwritten by the fourth next call. */
const char *lab_path(struct feeder_lab *lab, const char *name);
void lab_write(struct feeder_lab *lab, const char *name, const void *bytes, size_t size);

/* The file's text, "" if there is none. Overwritten by the next call. */
const char *lab_read(struct feeder_lab *lab, const char *name);
bool lab_has(struct feeder_lab *lab, const char *name);

/* Starts a job; the test fails when it cannot start. */
void lab_start(struct feeder_lab *lab, const struct feeder_job *job);

/* Runs the loop until done() or, where given, until condition() holds. */
void wait_lab(struct feeder_lab *lab, bool (*condition)(struct feeder_lab *lab));

/* Starts a job and runs the loop until its end. */
const struct feeder_result *lab_run(struct feeder_lab *lab, const struct feeder_job *job);

/* The same with a url and plain lists. */
const struct feeder_result *lab_fetch(struct feeder_lab *lab, const char *url);

/* Text of a row's source. Overwritten by the next call. */
const char *lab_source(const struct feeder_lab *lab, size_t row);

#endif
