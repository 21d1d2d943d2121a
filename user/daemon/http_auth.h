/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who asks: the peer of the unix socket, or the token or client certificate
 * that was shown.
 */
#ifndef DAEMON_HTTP_AUTH_H
#define DAEMON_HTTP_AUTH_H

#include "daemon/http_private.h"

/*
 * Fills x->rq: peer, actor, and token, or unproved if what was shown is no
 * good. False: reply says why nothing is answered at all (too many guesses, a
 * socket without credentials).
 */
bool http_identify(struct exchange *x, struct http_connection *c, struct http_reply *reply);

#endif
