/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers without end: server-sent events, lines, bytes.
 *
 *	s = http_stream_new(d->streams, &kind, reply);	in the handler; NULL: reply says why not
 *	http_stream_add(s, data, size);			whenever there is something
 *
 * What the client does not take in time waits, up to kind.room bytes; beyond
 * that http_stream_add() takes nothing, and what does not fit is the caller's
 * to count and to say. Nothing ever waits for a client. A stream that is quiet
 * sends kind.heartbeat every HTTP_STREAM_BEAT seconds, so that both sides
 * notice when the other is gone.
 *
 * The stream belongs to the answer and ends with it: kind.closed() is called
 * once, and the stream is gone when it returns. It is never called from within
 * http_stream_new() or http_stream_add().
 */
#ifndef DAEMON_HTTP_STREAM_H
#define DAEMON_HTTP_STREAM_H

#include "daemon/http_reply.h"
#include "daemon/loop.h"

#define HTTP_STREAMS_MAX  48		/* at once, of all listeners together */
#define HTTP_STREAM_BEAT  15		/* seconds */
#define HTTP_STREAM_ROOM  (1024 * 1024) /* bytes: the largest room */
#define HTTP_STREAM_RETRY 30		/* seconds: Retry-After of who finds no place */

#define HTTP_EVENT_STREAM "text/event-stream; charset=utf-8"
#define HTTP_JSON_LINES	  "application/x-ndjson"

/* All streams of a daemon. */
struct http_streams;

int http_streams_new(struct loop *loop, struct http_streams **ret);
struct http_streams *http_streams_free(struct http_streams *s);
DEFINE_CLEANUP(struct http_streams, http_streams_free)

size_t http_streams_count(const struct http_streams *s);

struct http_stream;

struct http_stream_kind {
	const char *type;      /* Content-Type */
	const char *heartbeat; /* NULL: none */
	size_t room;	       /* bytes, at most HTTP_STREAM_ROOM */
	void (*closed)(void *arg);
	void *arg;
};

/* NULL: reply is the problem (503 with Retry-After: too many streams; out of memory). */
struct http_stream *http_stream_new(struct http_streams *s, const struct http_stream_kind *kind,
				    struct http_reply *reply);

/* All of it or nothing: false if there is no room. */
bool http_stream_add(struct http_stream *s, const void *data, size_t size);

/* Bytes that http_stream_add() would take now. */
size_t http_stream_room(const struct http_stream *s);

/* ---- for http.c ---- */

struct MHD_Connection;
struct MHD_Response;

/*
 * Whom to tell that a connection was resumed (an external loop is not woken by
 * it). NULL: the server ends; every stream ends as soon as its connection runs.
 */
void http_streams_serve(struct http_streams *s, void (*resumed)(void *arg), void *arg);

/* The answer, which owns the stream. NULL: out of memory, and the stream is gone. */
struct MHD_Response *http_stream_response(struct http_stream *s, struct MHD_Connection *connection);

/* The client is sent away: what sleeps on this connection wakes, and ends. */
void http_streams_end(struct http_streams *s, const struct MHD_Connection *connection);

/* There will be no answer. Takes NULL. */
void http_stream_drop(struct http_stream *s);

#endif
