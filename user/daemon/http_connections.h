/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every connection, what it waits for, and since when: nobody holds a place
 * by doing nothing, or by doing it slowly.
 *
 * A place is taken by who connects. When all are taken, in all or by one
 * address of another host, the connection that has waited longest without a
 * whole request gives way; first those of the address that has most. A head, a
 * body and the reading of an answer have to be done in the time that a slow
 * line needs, counted from their beginning, not from the last byte. A
 * connection is ended by shutdown(2): libmicrohttpd finds it closed and tidies
 * up.
 */
#ifndef DAEMON_HTTP_CONNECTIONS_H
#define DAEMON_HTTP_CONNECTIONS_H

#include "daemon/http_private.h"

enum http_phase {
	HTTP_WAITING,	/* for a request, or the rest of its head */
	HTTP_BODY,	/* for the rest of its body */
	HTTP_WORKING,	/* the handler has it */
	HTTP_ANSWERING, /* for the client to read */
	HTTP_STREAMING, /* an answer without end */
};

struct http_connection {
	struct http_connection *next, **link; /* who began to wait first is first */
	struct http_listener *listener;
	struct http_client *client; /* NULL: on the unix socket */
	struct exchange *x;	    /* NULL: between two requests */
	int fd;
	enum http_phase phase;
	int64_t since_ms; /* of the phase */
	size_t bytes;	  /* that came, or that are to go, in it */
	bool fresh;	  /* has not asked yet */
	bool told;	  /* was shut down, libmicrohttpd sees it at its next run */
};

/* Callbacks of libmicrohttpd; cls is the listener. */
enum MHD_Result connection_may(void *cls, const struct sockaddr *addr, socklen_t addrlen);
void connection_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
		       enum MHD_ConnectionNotificationCode code);

/* Of a request. NULL: out of memory when it came. */
struct http_connection *connection_of(struct MHD_Connection *connection);

void connection_enter(struct http_connection *c, enum http_phase phase, size_t bytes);

void connection_end(struct http_connection *c);

/*
 * Whether it may have an answer without end: such connections never give way,
 * so over TCP they leave half of the places, and some streams, to others.
 */
bool connection_may_stream(const struct http_connection *c);

/* Ends those that take too long. Once a second. */
void connections_sweep(struct http *h);

/* Ends those of one server. Requests that are being answered end with their answer. */
void connections_end_of(struct http *h, const struct http_listener *listener);

/* Ends requests and streams whose token is not in force any more. */
void connections_judge_tokens(struct http *h, int64_t now);

#endif
