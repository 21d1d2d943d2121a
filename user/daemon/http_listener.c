/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http_listener.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "core/log.h"
#include "daemon/http_connections.h"

#define RUNS_MAX 16 /* in a row before the loop gets its turn */
#define SLACK	 64 /* connections that were told to end and are still there */

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

int64_t listener_run_due(struct http_listener *listener)
{
	MHD_UNSIGNED_LONG_LONG wait;

	for (int i = 0; i < RUNS_MAX; i++) {
		if (MHD_get_timeout(listener->mhd, &wait) != MHD_YES)
			return -1;
		if (wait > 0)
			return wait > INT32_MAX ? INT32_MAX : (int64_t)wait;
		MHD_run(listener->mhd);
	}
	return 0;
}

int listener_epoll_fd(const struct http_listener *listener)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(listener->mhd, MHD_DAEMON_INFO_EPOLL_FD);

	return info ? info->epoll_fd : -1;
}

bool listener_is_idle(const struct http_listener *listener)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(listener->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return !info || !info->num_connections;
}

void listener_quiesce(struct http_listener *listener)
{
	if (listener->fd < 0)
		return;
	if (listener->mhd)
		MHD_quiesce_daemon(listener->mhd);
	close(listener->fd); /* which MHD leaves to us now */
	listener->fd = -1;
}

struct http_listener *listener_free(struct http_listener *listener)
{
	if (!listener)
		return NULL;
	listener_quiesce(listener);
	if (listener->watch > 0)
		loop_unwatch(listener->http->d->loop, listener->watch);
	if (listener->mhd)
		MHD_stop_daemon(listener->mhd);
	free(listener);
	return NULL;
}

static struct MHD_Daemon *start(struct http_listener *listener, const struct http_tls *tls)
{
	unsigned int flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
	struct MHD_OptionItem secure[5] = {};
	size_t count = 0;

	if (tls) {
		flags |= MHD_USE_TLS;
		secure[count++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
							   (void *)HTTP_TLS_PRIORITIES };
		secure[count++] =
			(struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0, tls->certificate };
		secure[count++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, tls->key };
	}
	if (tls && tls->client_ca)
		secure[count++] =
			(struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0, tls->client_ca };
	secure[count] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	/* clang-format off */
	return MHD_start_daemon(
		flags, 0, connection_may, listener, exchange_go_on, listener,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, /* first: it logs the others' errors */
		MHD_OPTION_LISTEN_SOCKET, listener->fd,
		MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)(listener->local ? HTTP_CONNECTIONS_MAX : CONFIG_HTTP_CONNECTIONS_MAX + SLACK),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MEMORY_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)HTTP_TIMEOUT,
		MHD_OPTION_URI_LOG_CALLBACK, exchange_begin, listener,
		MHD_OPTION_NOTIFY_COMPLETED, exchange_end, listener,
		MHD_OPTION_NOTIFY_CONNECTION, connection_notify, listener,
		MHD_OPTION_ARRAY, secure,
		MHD_OPTION_END);
	/* clang-format on */
}

static void listener_freep(struct http_listener **listener)
{
	*listener = listener_free(*listener);
}

int listener_new(struct http *h, int fd, bool local, const struct http_tls *tls,
		 struct http_listener **ret, struct problem *why)
{
	_cleanup_(listener_freep) struct http_listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return problem_set(why, -ENOMEM, "http: out of memory");
	listener->http = h;
	listener->local = local;
	listener->tls = tls != NULL;
	listener->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (listener->fd < 0)
		return problem_set(why, -errno, "http: %s", strerror(errno));
	listener->mhd = start(listener, tls);
	if (!listener->mhd)
		return problem_set(why, -ENOMEM, "http: the server does not start");
	if (listener_epoll_fd(listener) < 0)
		return problem_set(why, -ENOTSUP, "http: libmicrohttpd was built without epoll");
	listener->watch =
		loop_watch(h->d->loop, listener_epoll_fd(listener), EPOLLIN, on_readable, listener);
	if (listener->watch < 0)
		return problem_set(why, listener->watch, "http: %s", strerror(-listener->watch));
	*ret = take_ptr(listener);
	return 0;
}
