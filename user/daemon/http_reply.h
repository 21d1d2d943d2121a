/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An answer under construction. A handler fills it; http_exchange.c sends and
 * frees it. Fresh from zero it is an empty 200.
 */
#ifndef DAEMON_HTTP_REPLY_H
#define DAEMON_HTTP_REPLY_H

#include "core/emit.h"
#include "core/problem.h"
#include "core/text.h"

#define HTTP_JSON    "application/json"
#define HTTP_PROBLEM "application/problem+json"
#define HTTP_TEXT    "text/plain; charset=utf-8"

#define HTTP_HEADERS_MAX 8
#define HTTP_HEADER_MAX	 256 /* bytes of a value, with NUL */

struct http_stream;

struct http_reply {
	unsigned int status; /* 0: 200 */
	const char *type;    /* static text */
	struct text body;
	const void *fixed; /* not NULL: the body instead, of static storage */
	size_t fixed_size;
	struct http_stream *stream; /* owned; not NULL: the answer without end (http_stream.h) */
	char allow[64];		    /* 405, and of OPTIONS: the methods there are */
	char etag[40];		    /* with its quotes; "": it has none */
	size_t headers;
	struct {
		const char *name; /* static text */
		char value[HTTP_HEADER_MAX];
	} header[HTTP_HEADERS_MAX];
};

/*
 * One more header. Cache-Control and what tells a browser that the answer is
 * data are sent without; one that is given takes the place of its own.
 */
_printf_(3, 4) void http_reply_header(struct http_reply *r, const char *name, const char *fmt, ...);

void http_reply_free(struct http_reply *r);

/* Starts a JSON body. */
struct emit http_reply_json(struct http_reply *r);

/* What the problem is about, beyond its text. Zero members are left out. */
struct http_problem {
	const char *cause;  /* label of the guard that refused */
	const char *source; /* of the row */
	bool has_index;
	size_t index; /* of the row */
};

/* RFC 9457. Throws away what the body held. about may be NULL. */
_printf_(4, 5) void http_reply_problem(struct http_reply *r, unsigned int status,
				       const struct http_problem *about, const char *fmt, ...);

/*
 * The answer to a negative errno of the daemon or the store: the status that
 * fits it, and why with what to do.
 */
void http_reply_error(struct http_reply *r, int error, const struct problem *why);

#endif
