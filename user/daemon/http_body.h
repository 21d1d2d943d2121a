/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The body of a request while it comes in: in memory for who reads it here,
 * in a memfd for who hands it to a child, or counted for who reads it on the
 * way. Bounded each, and all together.
 *
 * Who uses it: http_exchange.c. A body belongs to its request, and gives back what it
 * took of the budget when it is dropped.
 */
#ifndef DAEMON_HTTP_BODY_H
#define DAEMON_HTTP_BODY_H

#include "core/base.h"

#define HTTP_BODY_MAX	 (32 * 1024 * 1024)
#define HTTP_BODIES_MAX	 (64 * 1024 * 1024) /* of all requests together */
#define HTTP_FILE_MAX	 (64 * 1024 * 1024)
#define HTTP_FILES_MAX	 (128 * 1024 * 1024) /* likewise, in memfds */
#define HTTP_ANSWERS_MAX (64 * 1024 * 1024)  /* beyond, no answer is begun over TCP */

/* Bytes that are held. */
struct http_budget {
	size_t bodies, files;
	size_t answers; /* that clients have not read yet */
};

struct http_body {
	struct http_budget *budget;
	bool file;	/* goes into fd, not to data */
	bool too_large; /* what came is thrown away */
	char *data;	/* owned */
	size_t size, room;
	int fd; /* owned; -1: none */
};

/* The most that one may have. */
size_t http_body_max(const struct http_body *b);

void http_body_add(struct http_body *b, const char *data, size_t size);

/*
 * Somebody else has read these bytes, and holds this much of all that came.
 * False: that is too much; what is held is to be given back.
 */
bool http_body_pass(struct http_body *b, size_t size, size_t held);

/* The whole file has come: nobody changes it any more, and it is read from its start. */
int http_body_seal(struct http_body *b);

void http_body_drop(struct http_body *b);

#endif
