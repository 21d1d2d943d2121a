/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request as the API sees it, whole and checked by http_exchange.c: who
 * asks, for what, with which body. Everything belongs to http_exchange.c and
 * lives until the handler returns.
 */
#ifndef DAEMON_HTTP_REQUEST_H
#define DAEMON_HTTP_REQUEST_H

#include "core/base.h"
#include "core/token.h"
#include "daemon/http_body.h"
#include "store/store.h"

/* What a client controls, and how much of it moat takes. */
#define HTTP_CONNECTIONS_MAX 64		 /* on the unix socket; over TCP the configuration says */
#define HTTP_MEMORY_MAX	     (64 * 1024) /* a connection: request line, headers, buffers */
#define HTTP_TIMEOUT	     30		 /* seconds without a byte */
#define HTTP_URL_MAX	     8192	 /* bytes of the request target */
#define HTTP_QUERY_MAX	     16		 /* parameters of a request */

/* Where a request came from, least trusted first. */
enum http_peer {
	HTTP_REMOTE,   /* TCP */
	HTTP_LOOPBACK, /* TCP from this host */
	HTTP_UNIX,     /* unix socket */
};

#define HTTP_NAME_MAX 64

struct http_request;

/*
 * Who reads a body as it comes, in place of memory. begin() is called before
 * its first byte and makes rq->taken; push() returns how many bytes are held
 * by then; end() is called once, with what begin() made.
 */
struct http_sink {
	int (*begin)(struct http_request *rq);
	size_t (*push)(void *taken, const char *bytes, size_t size);
	void (*end)(void *taken);
};

struct http_request {
	const char *method, *path;
	enum http_peer peer;
	const char *host;	   /* Host header, NULL without */
	struct actor actor;	   /* who it is for the audit log; NULLs: nobody in particular */
	const struct token *token; /* what he showed; NULL: none, so nothing binds a unix peer */
	const char *unproved;	   /* what is wrong with what he showed; NULL: nothing */
	char name[HTTP_NAME_MAX];  /* what stood for the '*' of the route */
	size_t params;
	struct {
		const char *key, *value; /* value "" if none was given */
	} param[HTTP_QUERY_MAX];
	const char *body; /* not NUL-terminated */
	size_t body_size;
	int body_fd;	      /* of a route that takes a file: sealed. Else -1 */
	void *taken;	      /* of a route with a sink: what it made of the body */
	struct exchange *own; /* of http_exchange.c */
};

/* The value of a query parameter, NULL if it was not given. */
const char *http_query(const struct http_request *rq, const char *key);

/* The value of a header, NULL if it was not sent. Lives until the handler returns. */
const char *http_header(const struct http_request *rq, const char *name);

#endif
