/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HTTP interface: one table of what there is, who may use it, and which
 * parameters it takes. Handlers stand in api_SUBJECT.c.
 */
#ifndef DAEMON_API_H
#define DAEMON_API_H

#include "daemon/daemon.h"
#include "daemon/http_reply.h"
#include "daemon/http_request.h"

/* Who may, by where the request comes from. */
enum api_permission {
	API_ANYONE, /* also over TCP from other hosts */
	API_READ,   /* this host: loopback or the unix socket */
	API_WRITE,  /* the unix socket alone */
	API_FILE,   /* likewise; the body is a file, not read here: rq->body_fd */
};

/* Fills the reply; the request is whole and allowed. */
typedef void (*api_handler)(struct daemon *d, const struct http_request *rq,
			    struct http_reply *reply);

struct api_route {
	const char *method; /* GET also answers HEAD */
	const char *path;   /* a segment "*" stands for a name */
	enum api_permission permission;
	api_handler handle;
	const char *query; /* parameters it takes, with spaces between */
};

/*
 * The route of a request whose head has come, with what stood for "*" put into
 * rq->name. NULL: reply says why not (404, 405, 403, 400).
 */
const struct api_route *api_find(struct http_request *rq, struct http_reply *reply);

/* A parameter that is 0 or 1; without one false. False: reply says what is wrong with it. */
bool api_flag(const struct http_request *rq, const char *key, bool *ret, struct http_reply *reply);

/* Handlers. */
void api_healthz(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_readyz(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_metrics(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_status(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_listings_get(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_listings_add(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_listings_remove(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_explain(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_top(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_audit(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_audit_verify(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_audit_accept(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_pause(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_resume(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_attach(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_detach(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_feeds(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_feed_fetch(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_feed_hold(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_feed_release(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_feed_import(struct daemon *d, const struct http_request *rq, struct http_reply *reply);

#endif
