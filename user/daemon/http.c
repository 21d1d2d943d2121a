/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http.h"

#include <malloc.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "core/log.h"
#include "daemon/api.h"
#include "daemon/http_reply.h"
#include "daemon/http_request.h"
#include "daemon/http_socket.h"

#define FINISH_MS     2000 /* how long http_free() lets answers under way finish */
#define BODY_ROOM_MIN 16384
#define TRIM_ABOVE    (1024 * 1024) /* a body that large leaves holes worth giving back */
#define RUNS_MAX      16	    /* of one MHD daemon in a row before the loop gets its turn */

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
	size_t under_way; /* requests begun and not yet answered */
	size_t bodies;	  /* bytes they hold */
};

/* One request while it comes in. */
struct exchange {
	struct http *http;
	const struct api_route *route; /* NULL until the head is judged */
	bool url_too_long;
	bool too_large;
	struct http_request rq;
	char actor_name[64];
	char *body;
	size_t size, room;
};

/* ---- who asks ---- */

static bool is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family == AF_INET6) {
		const struct in6_addr *a = &((const struct sockaddr_in6 *)sa)->sin6_addr;

		return IN6_IS_ADDR_LOOPBACK(a) ||
		       (IN6_IS_ADDR_V4MAPPED(a) && a->s6_addr[12] == 127);
	}
	return false;
}

/*
 * "root", or "uid 1000 (name)". Only /etc/passwd is asked: a directory service
 * that hangs must not stop the loop.
 */
static void name_actor(uid_t uid, char *buf, size_t size)
{
	_cleanup_fclose_ FILE *f = NULL;
	struct passwd pw, *found;
	char line[1024];

	snprintf(buf, size, uid == 0 ? "root" : "uid %u", (unsigned int)uid);
	if (uid == 0)
		return;
	f = fopen("/etc/passwd", "re");
	while (f && fgetpwent_r(f, &pw, line, sizeof(line), &found) == 0) {
		if (pw.pw_uid == uid) {
			snprintf(buf, size, "uid %u (%.32s)", (unsigned int)uid, pw.pw_name);
			return;
		}
	}
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
	name_actor(cred.uid, x->actor_name, sizeof(x->actor_name));
	x->rq.peer = HTTP_UNIX;
	x->rq.actor.name = x->actor_name;
	x->rq.actor.origin = agent && strncmp(agent, "moatctl/", 8) == 0 ? "moatctl" : "api unix";
	return 0;
}

static void identify_tcp(struct exchange *x, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	x->rq.peer = info && is_loopback(info->client_addr) ? HTTP_LOOPBACK : HTTP_REMOTE;
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
	listener->http->under_way++;
	return x;
}

static void body_drop(struct exchange *x)
{
	x->http->bodies -= x->room;
	free(x->body);
	x->body = NULL;
	x->size = x->room = 0;
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
	trim = x->room > TRIM_ABOVE;
	body_drop(x);
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
static bool announces_too_much(struct MHD_Connection *connection)
{
	const char *length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return length && strtoull(length, NULL, 10) > HTTP_BODY_MAX;
}

static void too_large(struct http_reply *reply)
{
	http_reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, NULL,
			   "the body is larger than %d MiB: send it in several requests",
			   HTTP_BODY_MAX / (1024 * 1024));
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
	if (announces_too_much(connection)) {
		too_large(reply);
		return false;
	}
	return true;
}

static void body_add(struct exchange *x, const char *data, size_t size)
{
	size_t room = x->room ? x->room : BODY_ROOM_MIN;
	char *body;

	if (x->too_large)
		return;
	if (size > HTTP_BODY_MAX - x->size) {
		x->too_large = true;
		body_drop(x);
		return;
	}
	while (room < x->size + size)
		room *= 2;
	if (room != x->room) {
		body = x->http->bodies - x->room + room <= HTTP_BODIES_MAX ? realloc(x->body, room)
									   : NULL;
		if (!body) {
			x->too_large = true;
			body_drop(x);
			return;
		}
		x->http->bodies += room - x->room;
		x->body = body;
		x->room = room;
	}
	memcpy(x->body + x->size, data, size);
	x->size += size;
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
		body_add(x, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (x->too_large) {
		too_large(&reply);
	} else {
		x->rq.body = x->body;
		x->rq.body_size = x->size;
		x->route->handle(x->http->d, &x->rq, &reply);
	}
	return send_reply(connection, &reply);
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
	int64_t tcp = listener_run_due(&h->tcp);
	int64_t local = listener_run_due(&h->local);

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
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, listener,
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
	finish(h);
	if (h->path && lstat(h->path, &st) == 0 && st.st_dev == h->device && st.st_ino == h->inode)
		unlink(h->path);
	listener_stop(h, &h->tcp);
	listener_stop(h, &h->local);
	free(h->path);
	free(h);
	return NULL;
}
