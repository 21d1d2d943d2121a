/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real HTTP server in the real loop, over a fake daemon and a database in
 * a directory of its own, and a client that speaks raw bytes from a thread.
 */
#ifndef TESTS_HTTP_LAB_H
#define TESTS_HTTP_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>

#include "core/text.h"
#include "daemon/http.h"
#include "tests/unit/fake_daemon.h"

struct lab {
	char dir[64];
	char socket[96];
	char listen[32];
	struct loop *loop;
	struct http *http;
};

/* cmocka fixtures; *state becomes the lab. The fake is reset. */
int lab_setup(void **state);
int lab_teardown(void **state);

struct response {
	int status; /* 0: the connection was closed without an answer */
	char *text; /* all of it; owned */
	const char *body;
	json_t *json; /* owned; NULL if the body is none */
};

void response_free(struct response *r);

enum lab_peer { LAB_UNIX, LAB_TCP };

/* Sends bytes as they are and reads until the server closes. Fails the test after 20 s. */
struct response lab_send(struct lab *lab, enum lab_peer peer, const char *bytes, size_t size);

/* A whole request with "Connection: close"; body NULL: none. */
struct response lab_ask(struct lab *lab, enum lab_peer peer, const char *method, const char *path,
			const char *body);

#define _cleanup_response_ _cleanup_(response_free)

/* lab_ask() on the unix socket; state as cmocka gives it. */
struct response get(void **state, const char *path);
struct response post(void **state, const char *path, const char *body);

/* The text of a member of the answer, "" if there is none. */
const char *response_text(const struct response *r, const char *key);

/* Of "listings" in the answer. */
size_t listings_in(const struct response *r);
const json_t *listing_at(const struct response *r, size_t index);

/* A member that is a text, "" if it is none. */
const char *member(const json_t *object, const char *key);

size_t rows_in_database(void);

#define with_lab(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)

#endif
