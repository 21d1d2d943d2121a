/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP server: metrics, health, and the API, on the TCP address (reading
 * only) and on the unix socket (peer credentials).
 */
#ifndef DAEMON_HTTP_H
#define DAEMON_HTTP_H

#include "daemon/daemon.h"

struct http;

/*
 * Listens where d->config says. A stale unix socket is replaced; one that
 * answers is an error. -EADDRINUSE, -EACCES, ... with what to do.
 */
int http_new(struct daemon *d, struct http **ret, struct problem *why);
/* The TCP port in use, 0 without TCP: what the kernel chose if the configuration said 0. */
uint16_t http_port(const struct http *h);
struct http *http_free(struct http *h); /* finishes answers under way, removes the socket */
DEFINE_CLEANUP(struct http, http_free)

#endif
