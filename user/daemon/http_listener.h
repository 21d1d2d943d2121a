/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One libmicrohttpd on one socket, in the loop. Who uses it: http.c only.
 */
#ifndef DAEMON_HTTP_LISTENER_H
#define DAEMON_HTTP_LISTENER_H

#include "daemon/http_private.h"
#include "daemon/http_tls.h"

/* Listens on a copy of fd. local: the unix socket's. tls NULL: none; it is not kept. */
int listener_new(struct http *h, int fd, bool local, const struct http_tls *tls,
		 struct http_listener **ret, struct problem *why);
struct http_listener *listener_free(struct http_listener *listener);

/* Takes no new connections any more; those that are open go on. */
void listener_quiesce(struct http_listener *listener);

/* Whether nobody is connected. */
bool listener_is_idle(const struct http_listener *listener);

/* Runs what has something to do now. Returns ms until it has again, -1 for never. */
int64_t listener_run_due(struct http_listener *listener);

/* Readable when there is something to do. */
int listener_epoll_fd(const struct http_listener *listener);

#endif
