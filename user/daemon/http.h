/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP server: metrics, health, and the API, on the TCP address (tokens
 * and client certificates) and on the unix socket (peer credentials).
 *
 * What it opens after start, as whom moatd runs by then: the files of tokens and
 * tls, to read, at a reload and when they change. Its sockets it makes at start.
 */
#ifndef DAEMON_HTTP_H
#define DAEMON_HTTP_H

#include "daemon/daemon.h"
#include "daemon/http_refusals.h"

struct http;

/*
 * Listens where d->config says. A stale unix socket is replaced; one that
 * answers is an error. -EADDRINUSE, -EACCES, ... with what to do.
 */
int http_new(struct daemon *d, struct http **ret, struct problem *why);

/* Reads the files of tokens and tls again, by the configuration that is in force now. */
void http_reload(struct http *h);
/* That of tokens alone; also a handler may. */
void http_reload_tokens(struct http *h);

struct http_numbers {
	size_t open;	  /* connections over TCP */
	size_t under_way; /* requests, all sockets */
	bool tls;
	int64_t tls_expires; /* of the certificate in use, unix seconds; 0: unknown, or none */
	uint64_t refused[HTTP_REFUSED_MAX];
	const struct http_tokens *tokens;
};

void http_numbers(const struct http *h, struct http_numbers *ret);

/* The TCP port in use, 0 without TCP: what the kernel chose if the configuration said 0. */
uint16_t http_port(const struct http *h);
struct http *http_free(struct http *h); /* finishes answers under way, removes the socket */
DEFINE_CLEANUP(struct http, http_free)

#endif
