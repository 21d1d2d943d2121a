/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets that the HTTP server listens on. The fd belongs to the caller.
 * On failure why says what to do.
 */
#ifndef DAEMON_HTTP_SOCKET_H
#define DAEMON_HTTP_SOCKET_H

#include "core/problem.h"

#define HTTP_BACKLOG 1024

/* "host:port" or "[v6]:port". */
int http_listen_tcp(const char *address, int *ret_fd, struct problem *why);

/*
 * Mode 0660, in a directory that is made (0755) if missing. A socket on which
 * nobody answers is replaced; -EADDRINUSE if somebody does, or if the path is
 * something else.
 */
int http_listen_unix(const char *path, int *ret_fd, struct problem *why);

#endif
