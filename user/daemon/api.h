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

/*
 * Who may. The unix socket may everything, but where a token is shown on it:
 * then what the token says counts, wherever it is shown.
 */
enum api_permission {
	API_ANYONE, /* also over TCP from other hosts */
	API_READ,   /* who is on this host, or may read */
	API_WRITE,  /* who may write listings; api_in_scope() judges each */
	API_FEEDS,  /* who may fetch, hold and release feeds */
	API_FILE,   /* likewise; the body is a file, not read here: rq->body_fd */
	API_ADMIN,  /* who may everything else that changes something */
};

/* Fills the reply; the request is whole and allowed. */
typedef void (*api_handler)(struct daemon *d, const struct http_request *rq,
			    struct http_reply *reply);

/* What a route takes and gives, as far as all routes of the kind do the same. */
enum api_form {
	API_GIVES_JSON = 1 << 0, /* and nothing else but problems: Accept counts, GET has an ETag */
	API_TAKES_JSON = 1 << 1, /* Content-Type counts */
	API_TAKES_ROWS = 1 << 2, /* likewise, and lines of JSON are taken too */
};

/* Each is described in openapi.json; a test compares the two. */
struct api_route {
	const char *method; /* GET also answers HEAD */
	const char *path;   /* a segment "*" stands for a name */
	enum api_permission permission;
	api_handler handle;
	const char *query;	      /* parameters it takes, with spaces between */
	unsigned int form;	      /* enum api_form */
	const struct http_sink *sink; /* reads the body as it comes; NULL: it is kept */
};

/* All there are. */
const struct api_route *api_routes(size_t *ret_count);

/*
 * The route of a request whose head has come, with what stood for "*" put into
 * rq->name. NULL: reply says why not (404, 405, 403, 400, 406, 415), or is the
 * answer to OPTIONS.
 */
const struct api_route *api_find(struct http_request *rq, struct http_reply *reply);

/* Whether the request may take its route. False: reply says why not. */
bool api_permitted(const struct api_route *route, const struct http_request *rq,
		   struct http_reply *reply);

/*
 * Whether who asks may write listings of this category in this feed: every
 * handler that adds, changes or ends one asks it, for each. NULL: of whatever
 * category or feed. False: reply says why not.
 */
bool api_in_scope(const struct http_request *rq, const char *category, const char *feed,
		  struct http_reply *reply);

/* What all answers of the route have in common: ETag, and whether the client has it already. */
void api_finish(const struct api_route *route, const struct http_request *rq,
		struct http_reply *reply);

/* A parameter that is 0 or 1; without one false. False: reply says what is wrong with it. */
bool api_flag(const struct http_request *rq, const char *key, bool *ret, struct http_reply *reply);

/* Handlers. */
void api_web(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_openapi(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_healthz(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_readyz(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_metrics(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_status(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_listings_get(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_listings_add(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_reports(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_listings_remove(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_explain(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_top(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_rates(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_events(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_audit(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_audit_verify(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_audit_accept(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_whoami(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_tokens(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_tokens_reload(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_pause(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_resume(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_attach(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_attach_confirm(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_detach(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_config_get(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_config_apply(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_config_confirm(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_config_rollback(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_feeds(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_feed_fetch(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_feed_hold(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_feed_release(struct daemon *d, const struct http_request *rq, struct http_reply *reply);
void api_feed_import(struct daemon *d, const struct http_request *rq, struct http_reply *reply);

#endif
