/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to the daemon, over its unix socket.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <jansson.h>

#include "cli/cli.h"
#include "core/text.h"

#define CLIENT_WHY_MAX	  512			/* bytes of why there is no answer */
#define CLIENT_ANSWER_MAX (256UL * 1024 * 1024) /* bytes taken of an answer */

struct client *client_free(struct client *c); /* takes NULL, returns NULL */

struct answer {
	long status;
	struct text body;
	json_t *json; /* owned; NULL if the body is no JSON */
};

void answer_free(struct answer *a);

/*
 * Asks. body may be NULL. CLI_DONE: there is an answer, of whatever status.
 * CLI_NO_DAEMON: said on cli->err which socket, why, and what to do.
 */
int client_ask(struct cli *cli, const char *method, const char *path, const struct text *body,
	       struct answer *ret);

/* Whether the answer is a success; else says why not on cli->err (and the JSON on cli->out). */
bool client_succeeded(const struct cli *cli, const struct answer *answer, int *ret_code);

/* client_ask() and client_succeeded() in one. */
int client_get(struct cli *cli, const char *method, const char *path, const struct text *body,
	       struct answer *ret);

/* POSTs bytes as they are. */
int client_upload(struct cli *cli, const char *path, const struct text *file, struct answer *ret);

/* Appends "?key=value" or "&key=value" to a path, encoded. value NULL: nothing. */
void client_param(struct text *path, const char *key, const char *value);

/* A member of an object as text, "" if it is none. */
const char *answer_text(const json_t *object, const char *key);

#endif
