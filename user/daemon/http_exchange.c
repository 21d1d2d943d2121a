/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request, from its first line until the answer is sent.
 */
#include <malloc.h>
#include <strings.h>

#include "daemon/http_auth.h"
#include "daemon/http_clock.h"
#include "daemon/http_connections.h"
#include "daemon/http_stream.h"

#define TRIM_ABOVE (1024 * 1024) /* a body that large leaves holes worth giving back */
#define TURN_US	   10000	 /* of the loop that handlers may take before others have theirs */

const char *http_header(const struct http_request *rq, const char *name)
{
	return rq->own ? MHD_lookup_connection_value(rq->own->connection, MHD_HEADER_KIND, name)
		       : NULL;
}

/* ---- its turn ---- */

static void leave_queue(struct exchange *x)
{
	if (!x->link)
		return;
	*x->link = x->next;
	if (x->next)
		x->next->link = x->link;
	else
		x->http->last = x->link;
	x->link = NULL;
}

static void suspend(struct exchange *x)
{
	x->suspended = true;
	MHD_suspend_connection(x->connection);
}

/*
 * Whether handlers had their share of this turn of the loop: then what else it
 * cares for, changes of the list above all, comes before one more.
 */
static bool waits_for_turn(struct exchange *x)
{
	struct http *h = x->http;

	if (x->had_turn || h->turn_us < TURN_US)
		return false;
	x->next = NULL;
	x->link = h->last;
	*x->link = x;
	h->last = &x->next;
	suspend(x);
	return true;
}

bool exchange_next_turn(struct http *h)
{
	struct exchange *x = h->queue;

	if (!x || h->turn_us >= TURN_US)
		return false;
	leave_queue(x);
	x->had_turn = true;
	exchange_resume(x);
	return true;
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
	x->url_has_nul = strstr(uri, "%00") != NULL; /* decoded, it would end there */
	x->body = (struct http_body){ .budget = &listener->http->budget, .fd = -1 };
	x->rq.body_fd = -1;
	x->rq.own = x;
	x->place = connection_of(connection);
	if (x->place)
		x->place->x = x;
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
	if (x->rq.taken)
		x->route->sink->end(x->rq.taken);
	http_body_drop(&x->body);
	later_forget(x->later);
	leave_queue(x);
	token_free(&x->token);
	x->http->budget.answers -= x->held;
	x->http->under_way--;
	if (x->place) {
		x->place->x = NULL;
		connection_enter(x->place, HTTP_WAITING, 0);
	}
	free(x);
	*con_cls = NULL;
	if (trim)
		malloc_trim(0);
}

/* ---- its answer ---- */

static void add_header(struct MHD_Response *response, const struct http_reply *reply,
		       const char *name, const char *preset)
{
	for (size_t i = 0; i < reply->headers; i++)
		if (strcmp(reply->header[i].name, name) == 0)
			return; /* its own is added with the rest */
	MHD_add_response_header(response, name, preset);
}

/* MHD takes the answer's bytes by reference: the body changes hands. */
static struct MHD_Response *take_body(struct MHD_Connection *connection, struct http_reply *reply)
{
	struct MHD_Response *response;

	if (reply->stream)
		return http_stream_response(take_ptr(reply->stream), connection);
	if (reply->fixed)
		return MHD_create_response_from_buffer(reply->fixed_size, (void *)reply->fixed,
						       MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer(reply->body.size, reply->body.data,
						   MHD_RESPMEM_MUST_FREE);
	if (response)
		reply->body = (struct text){};
	return response;
}

static enum MHD_Result send_reply(struct exchange *x, struct http_reply *reply)
{
	struct http_budget *budget = &x->http->budget;
	struct MHD_Response *response;
	enum MHD_Result done;

	if (reply->body.failed) {
		http_reply_free(reply);
		*reply = (struct http_reply){ .status = MHD_HTTP_INTERNAL_SERVER_ERROR,
					      .type = HTTP_TEXT };
	}
	if (x->rq.peer != HTTP_UNIX && budget->answers + reply->body.size > HTTP_ANSWERS_MAX)
		http_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
				   "too many answers wait to be read: ask for less, or later");
	if (reply->stream && !connection_may_stream(x->place)) {
		http_stream_drop(take_ptr(reply->stream));
		http_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
				   "as many streams are open as are served at once: try again later");
		http_reply_header(reply, MHD_HTTP_HEADER_RETRY_AFTER, "%d", HTTP_STREAM_RETRY);
	}
	x->held = reply->body.size;
	budget->answers += x->held;
	connection_enter(x->place, reply->stream ? HTTP_STREAMING : HTTP_ANSWERING, x->held);
	response = take_body(x->connection, reply);
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
	done = MHD_queue_response(x->connection, reply->status ? reply->status : MHD_HTTP_OK,
				  response);
	MHD_destroy_response(response);
	return done;
}

/* ---- its head ---- */

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

static void too_large(const struct http_body *body, struct http_reply *reply)
{
	http_reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, NULL,
			   "the body is larger than %zu MiB: send it %s",
			   http_body_max(body) / (1024 * 1024),
			   body->file ? "compressed" : "in several requests");
}

struct framing {
	unsigned int lengths, encodings, hosts, authorizations;
	bool odd; /* a name with a blank, a coding that is none of ours */
};

static enum MHD_Result count_framing(void *cls, enum MHD_ValueKind kind, const char *key,
				     const char *value)
{
	struct framing *f = cls;

	(void)kind;
	f->odd |= key[strcspn(key, " \t")] != '\0';
	f->odd |= !strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) &&
		  (!value || strcasecmp(value, "chunked") != 0);
	f->lengths += !strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH);
	f->encodings += !strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING);
	f->hosts += !strcasecmp(key, MHD_HTTP_HEADER_HOST);
	f->authorizations += !strcasecmp(key, MHD_HTTP_HEADER_AUTHORIZATION);
	return MHD_YES;
}

/* What a proxy in front may read otherwise than we do is taken from nobody. */
static bool is_ambiguous(struct exchange *x, struct http_reply *reply)
{
	struct framing f = {};

	MHD_get_connection_values(x->connection, MHD_HEADER_KIND, count_framing, &f);
	if (!f.odd && f.lengths + f.encodings <= 1 && f.hosts <= 1 && f.authorizations <= 1)
		return false;
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
			   "one Host, one Authorization, and one of Content-Length and "
			   "Transfer-Encoding, which is chunked, no more; no blanks in their names");
	return true;
}

/* Whether its body, as announced, is one that moat takes. */
static bool body_fits(struct exchange *x, struct http_reply *reply)
{
	const char *length = http_header(&x->rq, MHD_HTTP_HEADER_CONTENT_LENGTH);
	unsigned long long size = length ? strtoull(length, NULL, 10) : 0;

	if (size > http_body_max(&x->body)) {
		too_large(&x->body, reply);
		return false;
	}
	if (strcmp(x->route->method, "GET") != 0 ||
	    (!size && !http_header(&x->rq, MHD_HTTP_HEADER_TRANSFER_ENCODING)))
		return true;
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL, "%s takes no body", x->rq.method);
	return false;
}

static bool sink_begins(struct exchange *x, struct http_reply *reply)
{
	if (!x->route->sink || !x->route->sink->begin(&x->rq))
		return true;
	http_reply_error(reply, -ENOMEM, &(struct problem){ "the request" });
	return false;
}

static bool comes_too_fast(struct exchange *x, struct http_reply *reply)
{
	uint32_t rate = x->http->d->config->http.rate;
	struct http_client *client = x->place ? x->place->client : NULL;

	if (!client || !rate ||
	    http_pace_take(&client->requests, http_now_us(), 1000000 / rate, 2 * (int64_t)rate))
		return false;
	x->http->refused[HTTP_REFUSED_RATE]++;
	http_reply_problem(reply, MHD_HTTP_TOO_MANY_REQUESTS, NULL,
			   "more than %u requests a second from this address", rate);
	http_reply_header(reply, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	http_reply_header(reply, MHD_HTTP_HEADER_CONNECTION, "close");
	return true;
}

/* Judges the head before a byte of the body is taken. False: reply says why not. */
static bool judge_head(struct exchange *x, const char *url, const char *method, const char *version,
		       struct http_reply *reply)
{
	struct http_request *rq = &x->rq;

	rq->path = url;
	rq->method = method;
	rq->host = http_header(rq, MHD_HTTP_HEADER_HOST);
	if (comes_too_fast(x, reply))
		return false;
	if (x->url_too_long) {
		http_reply_problem(reply, MHD_HTTP_URI_TOO_LONG, NULL,
				   "the URL is longer than %d bytes", HTTP_URL_MAX);
		return false;
	}
	if (x->url_has_nul) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL, "the URL has a NUL byte");
		return false;
	}
	if (!rq->host && !strcmp(version, MHD_HTTP_VERSION_1_1)) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL, "Host is missing");
		return false;
	}
	if (is_ambiguous(x, reply) || !http_identify(x, x->place, reply))
		return false;
	MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, take_param, rq);
	x->route = api_find(rq, reply);
	if (!x->route) {
		x->http->refused[HTTP_REFUSED_PERMISSION] +=
			!rq->unproved && (reply->status == MHD_HTTP_UNAUTHORIZED ||
					  reply->status == MHD_HTTP_FORBIDDEN);
		return false;
	}
	x->body.file = x->route->permission == API_FILE;
	return body_fits(x, reply) && sink_begins(x, reply);
}

/* ---- the whole of it ---- */

static void take_bytes(struct exchange *x, const char *data, size_t size)
{
	const struct http_sink *sink = x->route->sink;

	if (!sink) {
		http_body_add(&x->body, data, size);
		return;
	}
	if (x->rq.taken && !http_body_pass(&x->body, size, sink->push(x->rq.taken, data, size))) {
		sink->end(x->rq.taken);
		x->rq.taken = NULL;
	}
}

/* The request is whole: the handler answers it. */
static void answer(struct exchange *x, struct http_reply *reply)
{
	struct http_request *rq = &x->rq;
	int64_t started;

	if (x->body.too_large) {
		too_large(&x->body, reply);
		return;
	}
	if (x->body.file && http_body_seal(&x->body)) {
		http_reply_error(reply, -ENOMEM, &(struct problem){ "the file" });
		return;
	}
	connection_enter(x->place, HTTP_WORKING, 0);
	rq->body = x->body.data;
	rq->body_size = x->body.size;
	rq->body_fd = x->body.fd;
	started = http_now_us();
	x->route->handle(x->http->d, rq, reply);
	api_finish(x->route, rq, reply);
	x->http->turn_us += http_now_us() - started;
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
	struct exchange *x = *con_cls;

	(void)cls;
	(void)connection;
	if (!x)
		return MHD_NO;
	if (!x->route) {
		if (!judge_head(x, url, method, version, &reply))
			return send_reply(x, &reply);
		connection_enter(x->place, HTTP_BODY, 0);
		return MHD_YES;
	}
	if (*upload_data_size) {
		take_bytes(x, upload_data, *upload_data_size);
		if (x->place)
			x->place->bytes += *upload_data_size;
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (!x->later) {
		if (waits_for_turn(x))
			return MHD_YES;
		answer(x, &reply);
	}
	if (!x->later)
		return send_reply(x, &reply);
	if (later_reply(x->later))
		return send_reply(x, later_reply(x->later));
	suspend(x);
	return MHD_YES;
}
