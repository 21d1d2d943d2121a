/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers that are not there yet when the handler returns: the connection
 * waits, the loop goes on.
 *
 *	l = http_later(rq);		in the handler; its own reply is not sent then
 *	http_later_send(l, &reply);	once, whenever the answer is there
 */
#ifndef DAEMON_HTTP_LATER_H
#define DAEMON_HTTP_LATER_H

#include "daemon/http_reply.h"
#include "daemon/http_request.h"

/* NULL: out of memory; then answer at once. */
struct http_later *http_later(const struct http_request *rq);

/* Takes over the reply's body. Also if the client, or the server, is gone by now. */
void http_later_send(struct http_later *l, struct http_reply *reply);

#endif
