// SPDX-License-Identifier: BSD-2-Clause
/*
 * How long after a listing was written the filter drops the source's packets.
 *
 *	latency DATABASE LINK_PIN INSERTS
 *	latency unix:SOCKET LINK_PIN INSERTS
 *
 * Writes one listing after the other, as a foreign SQL client does or by the
 * API, and asks the program that is attached (BPF_PROG_TEST_RUN) until it drops
 * a packet of the source. Prints "p50 p99" in seconds, from before the INSERT,
 * or from before the client connects.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <sqlite3.h>

#include "core/base.h"
#include "tools/bench/probe.h"
#include "tools/bench/sources.h"

#define INSERTS_MAX 10000U
#define DEADLINE_NS 10000000000ULL
#define LOOK_NS	    50000	/* between two looks */
#define GAP_NS	    40000000ULL /* at most, between two inserts: no phase with the daemon */
#define SQL_WAIT_MS 10000

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void pause_ns(uint64_t ns)
{
	struct timespec left = { .tv_nsec = ns };

	nanosleep(&left, NULL);
}

/* Where listings are written: one of the two. */
struct writer {
	sqlite3 *db;
	struct sockaddr_un socket; /* of the API */
	int fd;			   /* of the request under way; -1: none */
};

static int insert(sqlite3 *db, const char *source)
{
	char sql[256];
	char *error = NULL;

	snprintf(sql, sizeof(sql),
		 "INSERT INTO listing (source, category, feed) VALUES ('%s', 'botnet', 'latency')",
		 source);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) == SQLITE_OK)
		return 0;
	fprintf(stderr, "latency: %s: %s\n", sql, error);
	sqlite3_free(error);
	return -EIO;
}

static int post(struct writer *w, const char *source)
{
	char body[128], request[512];
	int size;

	w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&w->socket, sizeof(w->socket)))
		return -errno;
	size = snprintf(body, sizeof(body),
			"{\"source\":\"%s\",\"category\":\"botnet\",\"feed\":\"latency\"}", source);
	size = snprintf(request, sizeof(request),
			"POST /api/v1/listings HTTP/1.1\r\nHost: moat\r\nConnection: close\r\n"
			"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			size, body);
	return send(w->fd, request, (size_t)size, MSG_NOSIGNAL) == size ? 0 : -EIO;
}

/* The answer must be good; its time is not measured. */
static int finish(struct writer *w)
{
	static const char good[] = "HTTP/1.1 200 ";
	char answer[4096];
	ssize_t n;

	if (w->fd < 0)
		return 0;
	n = recv(w->fd, answer, sizeof(answer), 0);
	close(w->fd);
	w->fd = -1;
	if (n > (ssize_t)sizeof(good) && memcmp(answer, good, sizeof(good) - 1) == 0)
		return 0;
	fprintf(stderr, "latency: the API: %.*s\n", n > 0 ? (int)n : 0, answer);
	return -EIO;
}

static int measure(struct writer *w, int program, uint32_t count, uint64_t *latency)
{
	uint64_t state = 0x5EED;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t source = htonl(0xC6120000 + i); /* 198.18.0.0/15: for benchmarks */
		char text[INET_ADDRSTRLEN];
		uint64_t begin;
		int r;

		inet_ntop(AF_INET, &source, text, sizeof(text));
		pause_ns(sources_random(&state) % GAP_NS);
		begin = now_ns();
		r = w->db ? insert(w->db, text) : post(w, text);
		if (r)
			return r;
		while (!probe_drops(program, 4, (const uint8_t *)&source)) {
			if (now_ns() - begin > DEADLINE_NS) {
				fprintf(stderr, "latency: insert %" PRIu32 " is not in force\n", i);
				return -ETIMEDOUT;
			}
			pause_ns(LOOK_NS);
		}
		latency[i] = now_ns() - begin;
		r = finish(w);
		if (r)
			return r;
	}
	return 0;
}

static int writer_open(struct writer *w, const char *where)
{
	static const char scheme[] = "unix:";

	if (strncmp(where, scheme, sizeof(scheme) - 1) == 0) {
		w->socket.sun_family = AF_UNIX;
		snprintf(w->socket.sun_path, sizeof(w->socket.sun_path), "%s",
			 where + sizeof(scheme) - 1);
		return 0;
	}
	if (sqlite3_open_v2(where, &w->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
		fprintf(stderr, "latency: %s: %s\n", where, sqlite3_errmsg(w->db));
		return -EIO;
	}
	sqlite3_busy_timeout(w->db, SQL_WAIT_MS);
	return 0;
}

static void writer_close(struct writer *w)
{
	sqlite3_close(w->db);
	if (w->fd >= 0)
		close(w->fd);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	_cleanup_free_ uint64_t *latency = calloc(INSERTS_MAX, sizeof(*latency));
	_cleanup_close_ int program = -1;
	_cleanup_(writer_close) struct writer w = { .fd = -1 };
	unsigned long p50, p99;
	int r;

	if (!count || count > INSERTS_MAX || !latency) {
		fprintf(stderr, "usage: latency DATABASE|unix:SOCKET LINK_PIN INSERTS (1..%u)\n",
			INSERTS_MAX);
		return 2;
	}
	program = probe_program(argv[2]);
	if (program < 0) {
		fprintf(stderr, "latency: %s: %s\n", argv[2], strerror(-program));
		return 1;
	}
	r = writer_open(&w, argv[1]);
	r = r ?: measure(&w, program, count, latency);
	if (r)
		return 1;
	qsort(latency, count, sizeof(*latency), by_value);
	p50 = count / 2;
	p99 = count * 99 / 100;
	printf("%.4f %.4f\n", latency[p50] / 1e9, latency[p99] / 1e9);
	return 0;
}
