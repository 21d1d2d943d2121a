/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the HTTP server share: http.c (servers in the loop),
 * http_connections.c (who is connected), http_exchange.c (one request),
 * http_auth.c (who asks), http_later.c (answers that come later).
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
#include "daemon/http_clients.h"
#include "daemon/http_file.h"
#include "daemon/http_later.h"
#include "daemon/http_refusals.h"
#include "daemon/http_tokens.h"

struct http_connection;

struct http_listener {
	struct http *http;
	struct MHD_Daemon *mhd;
	int fd;	   /* -1: takes no new connections */
	int watch; /* of the loop */
	bool local;
	bool tls;
};

struct http {
	struct daemon *d;
	struct http_listener *local, *tcp; /* owned; tcp NULL: not over TCP */
	struct http_listener
		*retired[4]; /* owned; of certificates before, while somebody is connected */
	int tcp_fd;	     /* -1: none */
	struct http_file tls_file[3];
	int64_t tls_expires;
	bool renewal_waits; /* for room in retired */
	char *path;	    /* of the unix socket, to remove what is ours and only that */
	dev_t device;
	ino_t inode;
	size_t under_way;	   /* requests begun and not yet answered */
	struct http_budget budget; /* what they hold */
	struct http_later *later;  /* answers that are still to come */
	bool resumed;		   /* one has come: its connection goes on at the next run */

	struct http_connection *connections, **last_connection;
	size_t open;		      /* of them over TCP, but those that were told to end */
	struct http_clients *clients; /* owned */
	struct http_pace handshakes;  /* of all of them together */
	struct http_tokens *tokens;   /* owned */
	uint64_t refused[HTTP_REFUSED_MAX];
	int64_t turn_us;		/* that handlers took of this turn of the loop */
	struct exchange *queue, **last; /* whole requests that wait for the next turn */
	int second;			/* timer */
};

/* One request while it comes in. */
struct exchange {
	struct http *http;
	struct MHD_Connection *connection;
	const struct api_route *route; /* NULL until the head is judged */
	bool url_too_long, url_has_nul;
	struct http_request rq;
	char actor_name[64], origin[64];
	struct token token;	       /* owned copy: the file may change meanwhile */
	struct http_connection *place; /* NULL: out of memory when it connected */
	struct exchange *next, **link; /* in http.queue; link NULL: not there */
	size_t held;		       /* bytes of its answer, in http.budget.answers */
	struct http_body body;
	bool suspended; /* waits for later, or for its turn */
	bool had_turn;
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

/* Lets the next whole request go on, if handlers have not had their share of this turn. */
bool exchange_next_turn(struct http *h);

/* The answer that has come, NULL: not yet. */
struct http_reply *later_reply(struct http_later *l);

/* The request ends. */
void later_forget(struct http_later *l);

/* The server ends: who waits is told so. Those who have the answers send them to nobody. */
void later_abandon(struct http *h);

#endif
