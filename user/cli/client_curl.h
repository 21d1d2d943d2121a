/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every request has in common, for the two that make them: client.c, one
 * at a time, and live.c, while other things happen.
 */
#ifndef CLI_CLIENT_CURL_H
#define CLI_CLIENT_CURL_H

#include <curl/curl.h>

#include "cli/client.h"

/* A GET of path on the daemon's socket. False: out of memory. */
bool client_prepare(CURL *curl, const struct cli *cli, const char *path);

/* Appends data to an answer; false: out of memory, or above CLIENT_ANSWER_MAX. */
bool client_take(struct text *body, const char *data, size_t size);

/* Why there was no answer, and what to do. Returns buf. */
const char *client_why(const struct cli *cli, CURLcode failed, long os_error,
		       char buf[static CLIENT_WHY_MAX]);

#endif
