/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the HTTP server share: http.c (servers in the loop),
 * http_exchange.c (one request), http_later.c (answers that come later).
 *
 * An exchange belongs to its connection, from the request line until the
 * answer is sent; an http_later belongs to two (see http_later.c).
 */
#ifndef DAEMON_HTTP_PRIVATE_H
#define DAEMON_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <sys/stat.h>

#include "daemon/api.h"
#include "daemon/http.h"
#include "daemon/http_body.h"
#include "daemon/http_later.h"

struct http_listener {
	struct http *http;
	struct MHD_Daemon *mhd; /* NULL: not listening */
	int fd;
	int watch; /* of the loop */
	bool local;
};

struct http {
	struct daemon *d;
	struct http_listener tcp, local;
	char *path; /* of the unix socket, to remove what is ours and only that */
	dev_t device;
	ino_t inode;
	size_t under_way;	   /* requests begun and not yet answered */
	struct http_budget budget; /* what they hold */
	struct http_later *later;  /* answers that are still to come */
	bool resumed;		   /* one has come: its connection goes on at the next run */
};

/* One request while it comes in. */
struct exchange {
	struct http *http;
	struct MHD_Connection *connection;
	const struct api_route *route; /* NULL until the head is judged */
	bool url_too_long;
	struct http_request rq;
	char actor_name[64];
	struct http_body body;
	bool suspended;		  /* waits for later */
	struct http_later *later; /* owned once it is sent; NULL: answered at once */
};

/* Callbacks of libmicrohttpd; cls is the listener. */
void *exchange_begin(void *cls, const char *uri, struct MHD_Connection *connection);
void exchange_end(void *cls, struct MHD_Connection *connection, void **con_cls,
		  enum MHD_RequestTerminationCode toe);
enum MHD_Result exchange_go_on(void *cls, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload_data,
			       size_t *upload_data_size, void **con_cls);

/* The connection of a suspended exchange goes on at the next run. */
void exchange_resume(struct exchange *x);

/* The answer that has come, NULL: not yet. */
struct http_reply *later_reply(struct http_later *l);

/* The request ends. */
void later_forget(struct http_later *l);

/* The server ends: who waits is told so. Those who have the answers send them to nobody. */
void later_abandon(struct http *h);

#endif
