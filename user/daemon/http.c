/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http.h"

#include <malloc.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "core/log.h"
#include "daemon/api.h"
#include "daemon/http_later.h"
#include "daemon/http_peer.h"
#include "daemon/http_reply.h"
#include "daemon/http_request.h"
#include "daemon/http_socket.h"

#define FINISH_MS  2000		 /* how long http_free() lets answers under way finish */
#define TRIM_ABOVE (1024 * 1024) /* a body that large leaves holes worth giving back */
#define RUNS_MAX   16		 /* of one MHD daemon in a row before the loop gets its turn */

struct listener {
	struct http *http;
	struct MHD_Daemon *mhd; /* NULL: not listening */
	int fd;
	int watch; /* of the loop */
	bool local;
};

struct http {
	struct daemon *d;
	struct listener tcp, local;
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
	const struct api_route *route; /* NULL until the head is judged */
	bool url_too_long;
	struct http_request rq;
	char actor_name[64];
	struct http_body body;
	struct MHD_Connection *connection;
	struct http_later *later; /* owned once it is sent; NULL: answered at once */
};

/* Two may hold it: the request, and who has the answer. The last one frees it. */
struct http_later {
	struct http_later *next, **link; /* in http.later, until sent */
	struct exchange *x;		 /* NULL: the request is gone */
	bool sent;
	struct http_reply reply; /* if sent */
};

/* ---- who asks ---- */

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

/* ---- answers that come later ---- */

struct http_later *http_later(const struct http_request *rq)
{
	struct exchange *x = rq->own;
	struct http_later *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->x = x;
	l->link = &x->http->later;
	l->next = x->http->later;
	if (l->next)
		l->next->link = &l->next;
	x->http->later = l;
	x->later = l;
	return l;
}

static void later_free(struct http_later *l)
{
	http_reply_free(&l->reply);
	free(l);
}

/* The request ends. */
static void later_forget(struct http_later *l)
{
	if (!l)
		return;
	l->x = NULL;
	if (l->sent)
		later_free(l);
}

static void later_unlink(struct http_later *l)
{
	if (!l->link)
		return;
	*l->link = l->next;
	if (l->next)
		l->next->link = l->link;
	l->link = NULL;
}

/* An external loop is not woken by it: before_wait() must look. */
static void later_resume(struct exchange *x)
{
	if (!x->connection) /* the handler has not returned yet */
		return;
	MHD_resume_connection(x->connection);
	x->http->resumed = true;
}

void http_later_send(struct http_later *l, struct http_reply *reply)
{
	struct exchange *x = l->x;

	later_unlink(l);
	l->sent = true;
	l->reply = *reply;
	*reply = (struct http_reply){};
	if (!x)
		later_free(l);
	else
		later_resume(x);
}

/* The server ends; who has the answers may send them all the same, to nobody. */
static void later_abandon(struct http *h)
{
	while (h->later) {
		struct http_later *l = h->later;
		struct exchange *x = l->x;

		later_unlink(l);
		if (!x)
			continue;
		l->x = NULL;
		x->later = calloc(1, sizeof(*x->later));
		if (!x->later)
			continue;
		x->later->x = x;
		x->later->sent = true;
		http_reply_problem(&x->later->reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
				   "moatd is stopping");
		later_resume(x);
	}
}

/* ---- one request ---- */

static void *exchange_begin(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct listener *listener = cls;
	struct exchange *x = calloc(1, sizeof(*x));

	(void)connection;
	if (!x)
		return NULL; /* the handler sees it */
	x->http = listener->http;
	x->url_too_long = strlen(uri) > HTTP_URL_MAX;
	x->body = (struct http_body){ .budget = &listener->http->budget, .fd = -1 };
	x->rq.body_fd = -1;
	x->rq.own = x;
	listener->http->under_way++;
	return x;
}

static void exchange_end(void *cls, struct MHD_Connection *connection, void **con_cls,
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

/* MHD copies the answer's bytes by reference: the body changes hands. */
static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply)
{
	struct MHD_Response *response;
	enum MHD_Result done;

	if (reply->body.failed) {
		http_reply_free(reply);
		*reply = (struct http_reply){ .status = MHD_HTTP_INTERNAL_SERVER_ERROR,
					      .type = HTTP_TEXT };
	}
	response = MHD_create_response_from_buffer(reply->body.size, reply->body.data,
						   MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	reply->body = (struct text){};

	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				reply->type ? reply->type : HTTP_TEXT);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
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

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload_data,
				  size_t *upload_data_size, void **con_cls)
{
	_cleanup_(http_reply_free) struct http_reply reply = {};
	struct listener *listener = cls;
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
	if (x->later->sent)
		return send_reply(connection, &x->later->reply);
	x->connection = connection;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

/* ---- the servers in the loop ---- */

static void on_log(void *cls, const char *fmt, va_list args)
{
	char line[256];

	(void)cls;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http: %s", line);
}

static void on_readable(void *arg, uint32_t events)
{
	struct listener *listener = arg;

	(void)events;
	MHD_run(listener->mhd);
}

/* Runs what has something to do now. Returns ms until it has again, -1 for never. */
static int64_t listener_run_due(struct listener *listener)
{
	MHD_UNSIGNED_LONG_LONG wait;

	if (!listener->mhd)
		return -1;
	for (int i = 0; i < RUNS_MAX; i++) {
		if (MHD_get_timeout(listener->mhd, &wait) != MHD_YES)
			return -1;
		if (wait > 0)
			return wait > INT32_MAX ? INT32_MAX : (int64_t)wait;
		MHD_run(listener->mhd);
	}
	return 0;
}

static int64_t before_wait(void *arg)
{
	struct http *h = arg;
	int64_t tcp, local;

	if (h->resumed) {
		h->resumed = false;
		if (h->tcp.mhd)
			MHD_run(h->tcp.mhd);
		MHD_run(h->local.mhd);
	}
	tcp = listener_run_due(&h->tcp);
	local = listener_run_due(&h->local);
	if (tcp < 0 || local < 0)
		return tcp < 0 ? local : tcp;
	return tcp < local ? tcp : local;
}

/* Takes over fd. */
static int listener_start(struct http *h, struct listener *listener, int fd, struct problem *why)
{
	const union MHD_DaemonInfo *info;

	listener->http = h;
	listener->fd = fd;
	/* clang-format off */
	listener->mhd = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, listener,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, /* first: it logs the others' errors */
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned int)HTTP_PER_IP_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)HTTP_TIMEOUT,
		MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, listener,
		MHD_OPTION_NOTIFY_COMPLETED, exchange_end, listener,
		MHD_OPTION_END);
	/* clang-format on */
	if (!listener->mhd)
		return problem_set(why, -ENOMEM, "http: the server does not start");
	info = MHD_get_daemon_info(listener->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	if (!info)
		return problem_set(why, -ENOTSUP, "http: libmicrohttpd was built without epoll");
	listener->watch = loop_watch(h->d->loop, info->epoll_fd, EPOLLIN, on_readable, listener);
	if (listener->watch < 0)
		return problem_set(why, listener->watch, "http: %s", strerror(-listener->watch));
	return 0;
}

static int start_local(struct http *h, struct problem *why)
{
	struct stat st;
	int fd, err;

	err = http_listen_unix(h->d->config->socket, &fd, why);
	if (err)
		return err;
	h->path = strdup(h->d->config->socket);
	if (h->path && stat(h->path, &st) == 0) {
		h->device = st.st_dev;
		h->inode = st.st_ino;
	}
	h->local.local = true;
	return listener_start(h, &h->local, fd, why);
}

int http_new(struct daemon *d, struct http **ret, struct problem *why)
{
	_cleanup_(http_freep) struct http *h = calloc(1, sizeof(*h));
	int fd, err;

	if (!h)
		return problem_set(why, -ENOMEM, "http: out of memory");
	h->d = d;
	h->tcp.fd = h->local.fd = -1;

	err = start_local(h, why);
	if (err)
		return err;
	if (d->config->listen) {
		err = http_listen_tcp(d->config->listen, &fd, why);
		if (!err)
			err = listener_start(h, &h->tcp, fd, why);
		if (err)
			return err;
	}
	loop_set_prepare(d->loop, before_wait, h);
	*ret = take_ptr(h);
	return 0;
}

uint16_t http_port(const struct http *h)
{
	struct sockaddr_in6 address = {};
	socklen_t len = sizeof(address);

	if (h->tcp.fd < 0 || getsockname(h->tcp.fd, (struct sockaddr *)&address, &len))
		return 0;
	/* The port stands at the same place for both families. */
	_Static_assert(offsetof(struct sockaddr_in, sin_port) ==
			       offsetof(struct sockaddr_in6, sin6_port),
		       "one port for both");
	return ntohs(address.sin6_port);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int epoll_fd(const struct listener *listener)
{
	const union MHD_DaemonInfo *info =
		listener->mhd ? MHD_get_daemon_info(listener->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;

	return info ? info->epoll_fd : -1;
}

/* No new connections; lets the requests under way get their answers. */
static void finish(struct http *h)
{
	int64_t deadline = now_ms() + FINISH_MS;
	struct pollfd fds[2] = {
		{ .fd = epoll_fd(&h->tcp), .events = POLLIN },
		{ .fd = epoll_fd(&h->local), .events = POLLIN },
	};
	int64_t wait;

	if (h->tcp.mhd)
		MHD_quiesce_daemon(h->tcp.mhd);
	if (h->local.mhd)
		MHD_quiesce_daemon(h->local.mhd);
	while (h->under_way && now_ms() < deadline) {
		wait = before_wait(h);
		if (!h->under_way)
			return;
		if (wait < 0 || wait > deadline - now_ms())
			wait = deadline - now_ms();
		if (poll(fds, ARRAY_SIZE(fds), wait < 0 ? 0 : (int)wait) < 0 && errno != EINTR)
			return;
		if (h->tcp.mhd)
			MHD_run(h->tcp.mhd);
		if (h->local.mhd)
			MHD_run(h->local.mhd);
	}
}

static void listener_stop(struct http *h, struct listener *listener)
{
	if (listener->watch > 0)
		loop_unwatch(h->d->loop, listener->watch);
	if (listener->mhd)
		MHD_stop_daemon(listener->mhd);
	if (listener->fd >= 0)
		close(listener->fd); /* finish() took it from MHD */
}

struct http *http_free(struct http *h)
{
	struct stat st;

	if (!h)
		return NULL;
	loop_set_prepare(h->d->loop, NULL, NULL);
	later_abandon(h);
	finish(h);
	if (h->path && lstat(h->path, &st) == 0 && st.st_dev == h->device && st.st_ino == h->inode)
		unlink(h->path);
	listener_stop(h, &h->tcp);
	listener_stop(h, &h->local);
	free(h->path);
	free(h);
	return NULL;
}
