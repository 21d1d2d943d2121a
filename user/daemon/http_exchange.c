/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request, from its first line until the answer is sent.
 */
#include <malloc.h>
#include <sys/socket.h>

#include "daemon/http_peer.h"
#include "daemon/http_private.h"

#define TRIM_ABOVE (1024 * 1024) /* a body that large leaves holes worth giving back */

const char *http_header(const struct http_request *rq, const char *name)
{
	return rq->own ? MHD_lookup_connection_value(rq->own->connection, MHD_HEADER_KIND, name)
		       : NULL;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static int identify_local(struct exchange *x, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const char *agent = header(connection, MHD_HTTP_HEADER_USER_AGENT);
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -EPERM;
	http_peer_name(cred.uid, x->actor_name, sizeof(x->actor_name));
	x->rq.peer = HTTP_UNIX;
	x->rq.actor.name = x->actor_name;
	x->rq.actor.origin = agent && strncmp(agent, "moatctl/", 8) == 0 ? "moatctl" : "api unix";
	return 0;
}

static void identify_tcp(struct exchange *x, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	x->rq.peer = info && http_peer_is_loopback(info->client_addr) ? HTTP_LOOPBACK : HTTP_REMOTE;
}

/* ---- its life ---- */

void *exchange_begin(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct http_listener *listener = cls;
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL; /* exchange_go_on() sees it */
	x->http = listener->http;
	x->connection = connection;
	x->url_too_long = strlen(uri) > HTTP_URL_MAX;
	x->body = (struct http_body){ .budget = &listener->http->budget, .fd = -1 };
	x->rq.body_fd = -1;
	x->rq.own = x;
	listener->http->under_way++;
	return x;
}

void exchange_end(void *cls, struct MHD_Connection *connection, void **con_cls,
		  enum MHD_RequestTerminationCode toe)
{
	struct exchange *x = *con_cls;
	bool trim;

	(void)cls;
	(void)connection;
	(void)toe;
	if (!x)
		return;
	trim = x->body.room > TRIM_ABOVE;
	http_body_drop(&x->body);
	later_forget(x->later);
	x->http->under_way--;
	free(x);
	*con_cls = NULL;
	if (trim)
		malloc_trim(0);
}

static void add_header(struct MHD_Response *response, const struct http_reply *reply,
		       const char *name, const char *preset)
{
	for (size_t i = 0; i < reply->headers; i++)
		if (strcmp(reply->header[i].name, name) == 0)
			return; /* its own is added with the rest */
	MHD_add_response_header(response, name, preset);
}

/* MHD takes the answer's bytes by reference: the body changes hands. */
static struct MHD_Response *take_body(struct http_reply *reply)
{
	struct MHD_Response *response;

	if (reply->fixed)
		return MHD_create_response_from_buffer(reply->fixed_size, (void *)reply->fixed,
						       MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer(reply->body.size, reply->body.data,
						   MHD_RESPMEM_MUST_FREE);
	if (response)
		reply->body = (struct text){};
	return response;
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply)
{
	struct MHD_Response *response;
	enum MHD_Result done;

	if (reply->body.failed) {
		http_reply_free(reply);
		*reply = (struct http_reply){ .status = MHD_HTTP_INTERNAL_SERVER_ERROR,
					      .type = HTTP_TEXT };
	}
	response = take_body(reply);
	if (!response)
		return MHD_NO;

	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				reply->type ? reply->type : HTTP_TEXT);
	add_header(response, reply, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	add_header(response, reply, "X-Content-Type-Options", "nosniff");
	/* Data is nothing for a browser to run, frame or embed. */
	add_header(response, reply, "Content-Security-Policy",
		   "default-src 'none'; frame-ancestors 'none'");
	add_header(response, reply, "Cross-Origin-Resource-Policy", "same-origin");
	for (size_t i = 0; i < reply->headers; i++)
		MHD_add_response_header(response, reply->header[i].name, reply->header[i].value);
	if (reply->allow[0])
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, reply->allow);
	done = MHD_queue_response(connection, reply->status ? reply->status : MHD_HTTP_OK,
				  response);
	MHD_destroy_response(response);
	return done;
}

static enum MHD_Result take_param(void *cls, enum MHD_ValueKind kind, const char *key,
				  const char *value)
{
	struct http_request *rq = cls;

	(void)kind;
	if (rq->params == HTTP_QUERY_MAX)
		return MHD_NO;
	rq->param[rq->params].key = key;
	rq->param[rq->params].value = value ? value : "";
	rq->params++;
	return MHD_YES;
}

/* Whether the announced body is more than moat takes. */
static bool announces_too_much(const struct http_body *body, struct MHD_Connection *connection)
{
	const char *length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return length && strtoull(length, NULL, 10) > http_body_max(body);
}

static void too_large(const struct http_body *body, struct http_reply *reply)
{
	http_reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, NULL,
			   "the body is larger than %zu MiB: send it %s",
			   http_body_max(body) / (1024 * 1024),
			   body->file ? "compressed" : "in several requests");
}

/* Judges the head before a byte of the body is taken. False: reply says why not. */
static bool judge_head(struct exchange *x, bool local, struct MHD_Connection *connection,
		       const char *url, const char *method, struct http_reply *reply)
{
	struct http_request *rq = &x->rq;

	rq->path = url;
	rq->method = method;
	rq->host = header(connection, MHD_HTTP_HEADER_HOST);
	if (x->url_too_long) {
		http_reply_problem(reply, MHD_HTTP_URI_TOO_LONG, NULL,
				   "the URL is longer than %d bytes", HTTP_URL_MAX);
		return false;
	}
	if (!local) {
		identify_tcp(x, connection);
	} else if (identify_local(x, connection)) {
		http_reply_problem(reply, MHD_HTTP_FORBIDDEN, NULL,
				   "the peer of the unix socket has no credentials");
		return false;
	}
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_param, rq);
	x->route = api_find(rq, reply);
	if (!x->route)
		return false;
	x->body.file = x->route->permission == API_FILE;
	if (announces_too_much(&x->body, connection)) {
		too_large(&x->body, reply);
		return false;
	}
	return true;
}

/* The request is whole: the handler answers it. */
static void answer(struct exchange *x, struct http_reply *reply)
{
	struct http_request *rq = &x->rq;

	if (x->body.too_large) {
		too_large(&x->body, reply);
		return;
	}
	if (x->body.file && http_body_seal(&x->body)) {
		http_reply_error(reply, -ENOMEM, &(struct problem){ "the file" });
		return;
	}
	rq->body = x->body.data;
	rq->body_size = x->body.size;
	rq->body_fd = x->body.fd;
	x->route->handle(x->http->d, rq, reply);
}

void exchange_resume(struct exchange *x)
{
	if (!x->suspended) /* the handler has not returned yet */
		return;
	x->suspended = false;
	MHD_resume_connection(x->connection);
	x->http->resumed = true; /* an external loop is not woken by it: before_wait() looks */
}

enum MHD_Result exchange_go_on(void *cls, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *upload_data,
			       size_t *upload_data_size, void **con_cls)
{
	_cleanup_(http_reply_free) struct http_reply reply = {};
	struct http_listener *listener = cls;
	struct exchange *x = *con_cls;

	(void)version;
	if (!x)
		return MHD_NO;
	if (!x->route) {
		if (!judge_head(x, listener->local, connection, url, method, &reply))
			return send_reply(connection, &reply);
		return MHD_YES;
	}
	if (*upload_data_size) {
		http_body_add(&x->body, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (!x->later)
		answer(x, &reply);
	if (!x->later)
		return send_reply(connection, &reply);
	if (later_reply(x->later))
		return send_reply(connection, later_reply(x->later));
	x->suspended = true;
	MHD_suspend_connection(connection);
	return MHD_YES;
}
