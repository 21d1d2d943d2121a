/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "core/log.h"
#include "daemon/http_private.h"
#include "daemon/http_socket.h"

#define FINISH_MS 2000 /* how long http_free() lets answers under way finish */
#define RUNS_MAX  16   /* of one MHD daemon in a row before the loop gets its turn */

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
	struct http_listener *listener = arg;

	(void)events;
	MHD_run(listener->mhd);
}

/* Runs what has something to do now. Returns ms until it has again, -1 for never. */
static int64_t listener_run_due(struct http_listener *listener)
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
static int listener_start(struct http *h, struct http_listener *listener, int fd,
			  struct problem *why)
{
	const union MHD_DaemonInfo *info;

	listener->http = h;
	listener->fd = fd;
	/* clang-format off */
	listener->mhd = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, exchange_go_on, listener,
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

static int epoll_fd(const struct http_listener *listener)
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

static void listener_stop(struct http *h, struct http_listener *listener)
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
