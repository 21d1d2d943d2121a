// SPDX-License-Identifier: BSD-2-Clause
/*
 * How long after an INSERT the filter drops the source's packets.
 *
 *	latency DATABASE LINK_PIN INSERTS
 *
 * Inserts one listing after the other as a foreign SQL client does, and asks
 * the program that is attached (BPF_PROG_TEST_RUN) until it drops a packet of
 * the source. Prints "p50 p99" in seconds, from before the INSERT.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int insert(sqlite3 *db, uint32_t source)
{
	char text[INET_ADDRSTRLEN], sql[256];
	char *error = NULL;

	inet_ntop(AF_INET, &source, text, sizeof(text));
	snprintf(sql, sizeof(sql),
		 "INSERT INTO listing (source, category, feed) VALUES ('%s', 'botnet', 'latency')",
		 text);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) == SQLITE_OK)
		return 0;
	fprintf(stderr, "latency: %s: %s\n", sql, error);
	sqlite3_free(error);
	return -EIO;
}

static int measure(sqlite3 *db, int program, uint32_t count, uint64_t *latency)
{
	uint64_t state = 0x5EED;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t source = htonl(0xC6120000 + i); /* 198.18.0.0/15: for benchmarks */
		uint64_t begin;
		int r;

		pause_ns(sources_random(&state) % GAP_NS);
		begin = now_ns();
		r = insert(db, source);
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
	}
	return 0;
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
	unsigned long p50, p99;
	sqlite3 *db = NULL;
	int r;

	if (!count || count > INSERTS_MAX || !latency) {
		fprintf(stderr, "usage: latency DATABASE LINK_PIN INSERTS (1..%u)\n", INSERTS_MAX);
		return 2;
	}
	program = probe_program(argv[2]);
	if (program < 0) {
		fprintf(stderr, "latency: %s: %s\n", argv[2], strerror(-program));
		return 1;
	}
	if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
		fprintf(stderr, "latency: %s: %s\n", argv[1], sqlite3_errmsg(db));
		sqlite3_close(db);
		return 1;
	}
	sqlite3_busy_timeout(db, SQL_WAIT_MS);
	r = measure(db, program, count, latency);
	sqlite3_close(db);
	if (r)
		return 1;
	qsort(latency, count, sizeof(*latency), by_value);
	p50 = count / 2;
	p99 = count * 99 / 100;
	printf("%.4f %.4f\n", latency[p50] / 1e9, latency[p99] / 1e9);
	return 0;
}
