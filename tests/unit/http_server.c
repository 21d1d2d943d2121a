/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cmocka.h>

#define CONNECTIONS 64 /* of a test, over its whole time */

struct http_server {
	int listener, stop; /* stop: eventfd, readable once the server stops */
	uint16_t port;
	void (*handler)(struct http_exchange *x, void *arg);
	void *arg;
	pthread_t acceptor;
	pthread_mutex_t lock; /* of what follows */
	pthread_t thread[CONNECTIONS];
	unsigned int threads, requests;
	char last[HTTP_REQUEST_MAX];
};

struct connection {
	struct http_server *server;
	int fd;
};

/* ---- waiting ---- */

/* True when fd is ready, false when the server stops or ms are over (ret_late). */
static bool wait_ready(struct http_server *s, int fd, short events, int ms, bool *ret_late)
{
	struct pollfd fds[] = { { .fd = s->stop, .events = POLLIN },
				{ .fd = fd, .events = events } };
	int n = poll(fds, ARRAY_SIZE(fds), ms);

	*ret_late = n == 0;
	return n > 0 && !fds[0].revents;
}

bool wait_client(struct http_exchange *x, int ms)
{
	bool late = false;

	wait_ready(x->server, x->fd, POLLIN | POLLRDHUP, ms, &late);
	return late;
}

bool http_send_bytes(struct http_exchange *x, const void *bytes, size_t size)
{
	const char *at = bytes;
	bool late;

	while (size) {
		ssize_t n;

		if (!wait_ready(x->server, x->fd, POLLOUT, -1, &late))
			return false;
		n = send(x->fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

bool http_send(struct http_exchange *x, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int size;

	va_start(args, fmt);
	size = vasprintf(&text, fmt, args);
	va_end(args);
	if (size < 0) {
		text = NULL;
		return false;
	}
	return http_send_bytes(x, text, (size_t)size);
}

/* ---- threads ---- */

/* Whether what its header promises is there too. */
static bool is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");
	const char *length = end ? strcasestr(request, "\r\nContent-Length:") : NULL;

	if (!end || !length || length > end)
		return end;
	return strlen(end + 4) >= strtoul(length + 17, NULL, 10);
}

static bool read_request(struct connection *c, char request[static HTTP_REQUEST_MAX])
{
	size_t size = 0;
	bool late;

	while (size < HTTP_REQUEST_MAX - 1 && wait_ready(c->server, c->fd, POLLIN, -1, &late)) {
		ssize_t n = recv(c->fd, request + size, HTTP_REQUEST_MAX - 1 - size, 0);

		if (n <= 0)
			return false;
		size += (size_t)n;
		request[size] = '\0';
		if (is_whole(request))
			return true;
	}
	return false;
}

static void serve(struct connection *c, char request[static HTTP_REQUEST_MAX])
{
	struct http_server *s = c->server;
	char path[1024] = "";
	struct http_exchange x = { .fd = c->fd, .path = path, .request = request, .server = s };

	pthread_mutex_lock(&s->lock);
	s->requests++;
	memcpy(s->last, request, HTTP_REQUEST_MAX);
	pthread_mutex_unlock(&s->lock);
	if (sscanf(request, "%*s %1023s", path) == 1)
		s->handler(&x, s->arg);
}

static void *connection_run(void *arg)
{
	struct connection *c = arg;
	char *request = calloc(1, HTTP_REQUEST_MAX);

	if (request && read_request(c, request))
		serve(c, request);
	shutdown(c->fd, SHUT_WR);
	close(c->fd);
	free(request);
	free(c);
	return NULL;
}

static void *accept_run(void *arg)
{
	struct http_server *s = arg;
	bool late;

	while (wait_ready(s, s->listener, POLLIN, -1, &late)) {
		struct connection *c = calloc(1, sizeof(*c));
		bool started = false;

		if (!c)
			break;
		c->server = s;
		c->fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
		pthread_mutex_lock(&s->lock);
		if (c->fd >= 0 && s->threads < CONNECTIONS)
			started = !pthread_create(&s->thread[s->threads], NULL, connection_run, c);
		s->threads += started;
		pthread_mutex_unlock(&s->lock);
		if (!started) {
			if (c->fd >= 0)
				close(c->fd);
			free(c);
		}
	}
	return NULL;
}

/* ---- the server ---- */

struct http_server *http_server_start(void (*handler)(struct http_exchange *x, void *arg),
				      void *arg)
{
	struct http_server *s = calloc(1, sizeof(*s));
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(sin);

	assert_non_null(s);
	s->handler = handler;
	s->arg = arg;
	pthread_mutex_init(&s->lock, NULL);
	s->stop = eventfd(0, EFD_CLOEXEC);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->stop >= 0 && s->listener >= 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(s->listener, 16), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&sin, &size), 0);
	s->port = ntohs(sin.sin_port);
	assert_int_equal(pthread_create(&s->acceptor, NULL, accept_run, s), 0);
	return s;
}

struct http_server *http_server_stop(struct http_server *s)
{
	if (!s)
		return NULL;
	assert_int_equal(write(s->stop, &(uint64_t){ 1 }, sizeof(uint64_t)), sizeof(uint64_t));
	pthread_join(s->acceptor, NULL);
	for (unsigned int i = 0; i < s->threads; i++)
		pthread_join(s->thread[i], NULL);
	close(s->listener);
	close(s->stop);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}

uint16_t http_server_port(const struct http_server *s)
{
	return s->port;
}

unsigned int http_server_requests(struct http_server *s)
{
	unsigned int requests;

	pthread_mutex_lock(&s->lock);
	requests = s->requests;
	pthread_mutex_unlock(&s->lock);
	return requests;
}

char *http_server_last_request(struct http_server *s)
{
	char *copy;

	pthread_mutex_lock(&s->lock);
	copy = strdup(s->last);
	pthread_mutex_unlock(&s->lock);
	assert_non_null(copy);
	return copy;
}

bool http_has_header(const char *request, const char *line)
{
	size_t size = strlen(line);

	for (const char *at = strstr(request, "\r\n"); at; at = strstr(at + 2, "\r\n"))
		if (!strncasecmp(at + 2, line, size) && !strncmp(at + 2 + size, "\r\n", 2))
			return true;
	return false;
}
