// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as the answers of a web server, one connection after the other:
 * what the child makes of them is fit for the pipe. In a network of its own, so
 * that no redirect leads anywhere.
 *
 * The first byte: 1 asks conditionally, 2 has a secret. Answers end at a byte 0.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "daemon/feeder_fetch.h"

#define DEADLINE_MS 2000
#define RECEIVE_MS  200

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int listener;
static uint16_t port;
static char secrets[] = "/tmp/moat-fuzz-secret-XXXXXX";

#define ANSWERS_MAX 65536

/* What is still to be answered with. A copy: the server may be late. */
static struct {
	pthread_mutex_t lock;
	uint8_t bytes[ANSWERS_MAX];
	size_t at, size;
} answers = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void must(bool good)
{
	if (!good)
		abort();
}

/* The next answer, into to. */
static size_t next_answer(uint8_t to[static ANSWERS_MAX])
{
	const uint8_t *start, *end;
	size_t size;

	pthread_mutex_lock(&answers.lock);
	start = answers.bytes + answers.at;
	size = answers.size - answers.at;
	end = memchr(start, '\0', size);
	answers.at += end ? (size_t)(end - start) + 1 : size;
	size = end ? (size_t)(end - start) : size;
	memcpy(to, start, size);
	pthread_mutex_unlock(&answers.lock);
	return size;
}

static void *serve(void *arg)
{
	const struct timeval limit = { .tv_usec = RECEIVE_MS * 1000 };
	static uint8_t answer[ANSWERS_MAX];
	char request[16384];

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		must(fd >= 0);
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		if (recv(fd, request, sizeof(request), 0) > 0)
			send(fd, answer, next_answer(answer), MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		close(fd);
	}
	return arg;
}

static void remove_secrets(void)
{
	unlink(secrets);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	socklen_t size = sizeof(at);
	pthread_t thread;
	int fd;

	(void)argc;
	(void)argv;
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		fputs("fuzz_daemon_fetch: needs a network namespace of its own: run it as root\n",
		      stderr);
		_exit(1);
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &lo));
	close(fd);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listener >= 0 && !bind(listener, (struct sockaddr *)&at, sizeof(at)));
	must(!listen(listener, 64) && !getsockname(listener, (struct sockaddr *)&at, &size));
	port = ntohs(at.sin_port);
	must(!pthread_create(&thread, NULL, serve, NULL));
	fd = mkstemp(secrets);
	must(fd >= 0 && write(fd, "X-Key: moat-test-secret\n", 24) == 24);
	close(fd);
	atexit(remove_secrets);
	return 0;
}

static int begin(void *arg, bool proven)
{
	(void)arg;
	(void)proven;
	return 0;
}

static int bytes(void *arg, const void *data, size_t size)
{
	(void)data;
	*(size_t *)arg += size;
	return *(size_t *)arg > 100000; /* enough */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct feeder_order order;
	_cleanup_(fetch_freep) struct fetch *fetch = NULL;
	struct feeder_end end = {};
	struct problem why = {};
	struct timespec now;
	size_t got = 0;
	int r;

	if (!size || size > ANSWERS_MAX)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	memset(&order, 0, sizeof(order));
	order.deadline_ms = DEADLINE_MS;
	order.started_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	snprintf(order.url, sizeof(order.url), "http://127.0.0.1:%u/list", port);
	if (data[0] & 1) {
		snprintf(order.etag, sizeof(order.etag), "\"1\"");
		snprintf(order.last_modified, sizeof(order.last_modified),
			 "Wed, 21 Oct 2026 07:28:00 GMT");
	}
	if (data[0] & 2)
		snprintf(order.header_file, sizeof(order.header_file), "%s", secrets);
	pthread_mutex_lock(&answers.lock);
	memcpy(answers.bytes, data + 1, size - 1);
	answers.at = 0;
	answers.size = size - 1;
	pthread_mutex_unlock(&answers.lock);
	must(fetch_prepare(&order, &fetch, &why) == 0);
	r = fetch_run(fetch, &(struct fetch_sink){ begin, bytes, &got }, &end, &why);
	must(r == 0 || (r < 0 && *why.text));
	must(!strstr(why.text, "moat-test-secret"));
	if (r < 0) {
		snprintf(end.why, sizeof(end.why), "failed");
		end.not_modified = 0;
	} else {
		end.ok = 1;
		must(!end.not_modified || (data[0] & 1));
	}
	must(!feeder_check_end(&end, 0));
	return 0;
}
