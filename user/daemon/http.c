/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/http.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "core/log.h"
#include "core/units.h"
#include "daemon/http_clock.h"
#include "daemon/http_connections.h"
#include "daemon/http_listener.h"
#include "daemon/http_peer.h"
#include "daemon/http_socket.h"
#include "daemon/http_stream.h"

#define FINISH_MS      2000 /* how long http_free() lets answers under way finish */
#define SECOND_MS      1000
#define EXPIRES_SOON_S (14 * 86400)
#define EXPIRES	       "tls: the certificate" /* how problems of this kind begin */

/* ---- in the loop ---- */

static void run(const struct http_listener *listener)
{
	if (listener)
		MHD_run(listener->mhd);
}

/* An answer has come, or a request has its turn: who was resumed is not in any epoll yet. */
static void run_resumed(struct http *h)
{
	if (!h->resumed)
		return;
	h->resumed = false;
	run(h->local);
	run(h->tcp);
	for (size_t i = 0; i < ARRAY_SIZE(h->retired); i++)
		run(h->retired[i]);
}

static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static int64_t before_wait(void *arg)
{
	struct http *h = arg;
	int64_t wait;

	h->turn_us = 0;
	do
		run_resumed(h);
	while (exchange_next_turn(h));
	wait = listener_run_due(h->local);
	if (h->tcp)
		wait = sooner(wait, listener_run_due(h->tcp));
	for (size_t i = 0; i < ARRAY_SIZE(h->retired); i++)
		if (h->retired[i])
			wait = sooner(wait, listener_run_due(h->retired[i]));
	return h->queue ? 0 : wait;
}

static void on_resumed(void *arg)
{
	struct http *h = arg;

	h->resumed = true;
}

/* ---- certificates ---- */

/* Those that nobody is connected to any more; the others move up, the newest first. */
static void free_idle(struct http *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < ARRAY_SIZE(h->retired); i++) {
		struct http_listener *listener = h->retired[i];

		h->retired[i] = NULL;
		if (listener && listener_is_idle(listener))
			listener_free(listener);
		else if (listener)
			h->retired[kept++] = listener;
	}
}

/*
 * Whether one more may retire. With too many of such the oldest's connections
 * are closed after all; it may only be freed once libmicrohttpd let go of them.
 */
static bool may_retire(struct http *h)
{
	struct http_listener **last = &h->retired[ARRAY_SIZE(h->retired) - 1];

	free_idle(h);
	if (*last)
		connections_end_of(h, *last);
	return !*last;
}

/* Its connections go on. */
static void retire(struct http *h, struct http_listener *listener)
{
	if (!listener)
		return;
	listener_quiesce(listener);
	memmove(&h->retired[1], &h->retired[0],
		(ARRAY_SIZE(h->retired) - 1) * sizeof(h->retired[0]));
	h->retired[0] = listener;
}

/* A server for new connections by what the configuration and its files say now. */
static int renew(struct http *h, struct problem *why)
{
	_cleanup_(http_tls_free) struct http_tls tls = {};
	const struct config_tls *config = &h->d->config->tls;
	struct http_listener *next = NULL;
	int err = config->certificate ? http_tls_load(config, &tls, why) : 0;

	h->renewal_waits = !err && !may_retire(h);
	if (h->renewal_waits)
		return problem_set(why, -EBUSY,
				   "tls: '%s' is taken as soon as connections of the certificates "
				   "before have ended",
				   config->certificate ?: "none");
	err = err
		      ?: listener_new(h, h->tcp_fd, false, config->certificate ? &tls : NULL, &next,
				      why);
	if (err)
		return err;
	retire(h, h->tcp);
	h->tcp = next;
	h->tls_expires = tls.expires;
	return 0;
}

static bool tls_files_changed(struct http *h)
{
	const struct config_tls *config = &h->d->config->tls;
	bool certificate = http_file_changed(&h->tls_file[0], config->certificate);
	bool key = http_file_changed(&h->tls_file[1], config->key);

	return http_file_changed(&h->tls_file[2], config->client_ca) || certificate || key;
}

/* What is told of it in status; the same is logged once. */
static void note(char to[static PROBLEM_MAX], const char *text)
{
	if (*text && strcmp(to, text) != 0)
		log_error("%s", text);
	snprintf(to, PROBLEM_MAX, "%s", text);
}

static void look_at_tls(struct http *h, bool force)
{
	struct problem why = {};
	bool changed;

	if (h->tcp_fd < 0)
		return;
	changed = tls_files_changed(h);
	/* What failed is tried again when it is asked for; what is in force need not be made anew. */
	if (!changed && !h->renewal_waits && !(force && *h->d->tls_problem))
		return;
	if (renew(h, &why) == 0 && h->tcp->tls)
		log_notice("tls: new connections get '%s'", h->d->config->tls.certificate);
	note(h->d->tls_problem, why.text);
}

static void look_at_tokens(struct http *h, bool force)
{
	if (!http_tokens_look(h->tokens, h->d->config->tokens, force))
		return;
	snprintf(h->d->tokens_problem, sizeof(h->d->tokens_problem), "%s",
		 http_tokens_problem(h->tokens));
}

static bool is_loopback(const struct http *h)
{
	struct sockaddr_storage address = {};
	socklen_t len = sizeof(address);

	return h->tcp_fd < 0 || getsockname(h->tcp_fd, (struct sockaddr *)&address, &len) ||
	       http_peer_is_loopback((const struct sockaddr *)&address);
}

/* What is true of the sockets by now, and nobody may have noticed. */
static void look_at_risks(struct http *h)
{
	int64_t left = h->tls_expires - time(NULL);
	struct problem why = {};
	char text[32];

	if (h->tcp && !h->tcp->tls && !is_loopback(h) && !h->d->config->http.insecure)
		problem_set(&why, 0,
			    "%s is plain HTTP: what it tells other hosts can be read and changed on "
			    "the way, and tokens are not taken from them",
			    h->d->config->listen);
	note(h->d->clear_problem, why.text);
	if (!h->tcp || !h->tcp->tls || !h->tls_expires || left > EXPIRES_SOON_S)
		return;
	if (left > 0)
		problem_set(&why, 0, "tls: the certificate '%s' ends in %s",
			    h->d->config->tls.certificate, units_duration_format(left, text));
	else
		problem_set(&why, 0, "tls: the certificate '%s' has expired",
			    h->d->config->tls.certificate);
	if (!*h->d->tls_problem || !strncmp(h->d->tls_problem, EXPIRES, strlen(EXPIRES)))
		snprintf(h->d->tls_problem, sizeof(h->d->tls_problem), "%s", why.text);
}

/* ---- once a second ---- */

static void on_second(void *arg)
{
	struct http *h = arg;

	look_at_tokens(h, false);
	look_at_tls(h, false);
	look_at_risks(h);
	connections_judge_tokens(h, time(NULL));
	connections_sweep(h);
	free_idle(h);
}

void http_reload_tokens(struct http *h)
{
	look_at_tokens(h, true);
	connections_judge_tokens(h, time(NULL));
}

void http_reload(struct http *h)
{
	http_reload_tokens(h);
	look_at_tls(h, true);
	look_at_risks(h);
}

/* ---- begin and end ---- */

static int start_local(struct http *h, struct problem *why)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err;

	err = http_listen_unix(h->d->config->socket, &fd, why);
	if (err)
		return err;
	h->path = strdup(h->d->config->socket);
	if (h->path && stat(h->path, &st) == 0) {
		h->device = st.st_dev;
		h->inode = st.st_ino;
	}
	return listener_new(h, fd, true, NULL, &h->local, why);
}

static int start_tcp(struct http *h, struct problem *why)
{
	int err;

	if (!h->d->config->listen)
		return 0;
	err = http_listen_tcp(h->d->config->listen, &h->tcp_fd, why);
	if (err)
		return err;
	tls_files_changed(h); /* from now on */
	return renew(h, why);
}

int http_new(struct daemon *d, struct http **ret, struct problem *why)
{
	_cleanup_(http_freep) struct http *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return problem_set(why, -ENOMEM, "http: out of memory");
	h->d = d;
	h->tcp_fd = -1;
	h->last_connection = &h->connections;
	h->last = &h->queue;
	h->clients = calloc(1, sizeof(*h->clients));
	if (!h->clients || http_tokens_new(&h->tokens))
		return problem_set(why, -ENOMEM, "http: out of memory");
	if (getrandom(&h->clients->seed, sizeof(h->clients->seed), 0) < 0)
		return problem_set(why, -errno, "http: %s", strerror(errno));
	look_at_tokens(h, true);

	err = http_streams_new(d->loop, &d->streams);
	if (err)
		return problem_set(why, err, "http: %s", strerror(-err));
	http_streams_serve(d->streams, on_resumed, h);
	err = start_local(h, why);
	err = err ?: start_tcp(h, why);
	if (err)
		return err;
	h->second = loop_timer(d->loop, SECOND_MS, SECOND_MS, on_second, h);
	if (h->second < 0)
		return problem_set(why, h->second, "http: %s", strerror(-h->second));
	look_at_risks(h);
	loop_set_prepare(d->loop, before_wait, h);
	d->http = h;
	*ret = take_ptr(h);
	return 0;
}

uint16_t http_port(const struct http *h)
{
	struct sockaddr_in6 address = {};
	socklen_t len = sizeof(address);

	if (h->tcp_fd < 0 || getsockname(h->tcp_fd, (struct sockaddr *)&address, &len))
		return 0;
	/* The port stands at the same place for both families. */
	_Static_assert(offsetof(struct sockaddr_in, sin_port) ==
			       offsetof(struct sockaddr_in6, sin6_port),
		       "one port for both");
	return ntohs(address.sin6_port);
}

void http_numbers(const struct http *h, struct http_numbers *ret)
{
	*ret = (struct http_numbers){
		.open = h->open,
		.under_way = h->under_way,
		.tls = h->tcp && h->tcp->tls,
		.tls_expires = h->tls_expires,
		.tokens = h->tokens,
	};
	memcpy(ret->refused, h->refused, sizeof(ret->refused));
}

/* No new connections; lets the requests under way get their answers. */
static void finish(struct http *h)
{
	int64_t now = http_now_us() / 1000, deadline = now + FINISH_MS;
	struct http_listener *all[] = { h->local,      h->tcp,	      h->retired[0],
					h->retired[1], h->retired[2], h->retired[3] };
	struct pollfd fds[ARRAY_SIZE(all)];
	int64_t wait;

	_Static_assert(ARRAY_SIZE(all) == 2 + ARRAY_SIZE(h->retired), "all of them");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
		if (!all[i])
			continue;
		listener_quiesce(all[i]);
		fds[i].fd = listener_epoll_fd(all[i]);
	}
	while (h->under_way && h->local && now < deadline) {
		wait = before_wait(h);
		if (!h->under_way)
			return;
		if (wait < 0 || wait > deadline - now)
			wait = deadline - now;
		if (poll(fds, ARRAY_SIZE(fds), (int)wait) < 0 && errno != EINTR)
			return;
		for (size_t i = 0; i < ARRAY_SIZE(all); i++)
			run(all[i]);
		now = http_now_us() / 1000;
	}
}

struct http *http_free(struct http *h)
{
	struct stat st;

	if (!h)
		return NULL;
	loop_set_prepare(h->d->loop, NULL, NULL);
	loop_timer_remove(h->d->loop, h->second);
	later_abandon(h);
	http_streams_serve(h->d->streams, NULL, NULL);
	finish(h);
	if (h->path && lstat(h->path, &st) == 0 && st.st_dev == h->device && st.st_ino == h->inode)
		unlink(h->path);
	h->tcp = listener_free(h->tcp);
	h->local = listener_free(h->local);
	for (size_t i = 0; i < ARRAY_SIZE(h->retired); i++)
		h->retired[i] = listener_free(h->retired[i]);
	for (size_t i = 0; i < ARRAY_SIZE(h->tls_file); i++)
		http_file_free(&h->tls_file[i]);
	if (h->tcp_fd >= 0)
		close(h->tcp_fd);
	http_tokens_free(h->tokens);
	free(h->clients);
	h->d->streams = http_streams_free(h->d->streams);
	free(h->path);
	if (h->d->http == h)
		h->d->http = NULL;
	free(h);
	return NULL;
}
