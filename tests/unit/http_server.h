/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A web server on loopback that says what a test wants it to say, byte by
 * byte, good or bad: a thread a connection, one request each, then it closes.
 */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include "core/base.h"

#define HTTP_REQUEST_MAX 16384

struct http_exchange {
	int fd;
	const char *path;    /* with its query */
	const char *request; /* as it came, with its body */
	struct http_server *server;
};

struct http_server;

/* handler runs in threads of the server. Fails the test when it cannot start. */
struct http_server *http_server_start(void (*handler)(struct http_exchange *x, void *arg),
				      void *arg);

/* Ends every connection and joins every thread. */
struct http_server *http_server_stop(struct http_server *s);
DEFINE_CLEANUP(struct http_server, http_server_stop)

uint16_t http_server_port(const struct http_server *s);
unsigned int http_server_requests(struct http_server *s);

/* The last request, with its body; owned by the caller. */
char *http_server_last_request(struct http_server *s);

/* False once the client is gone or the server stops. */
bool http_send_bytes(struct http_exchange *x, const void *bytes, size_t size);
_printf_(2, 3) bool http_send(struct http_exchange *x, const char *fmt, ...);

/* Until the client is gone or the server stops (false), or ms are over (true). */
bool wait_client(struct http_exchange *x, int ms);

/* Whether a request has this header line, whatever the case of its name. */
bool http_has_header(const char *request, const char *line);

#endif
