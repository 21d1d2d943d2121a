// SPDX-License-Identifier: BSD-2-Clause
/*
 * How long an update takes.
 *
 *	update OBJECT_DIR SOURCES
 *
 * Prints rows as tools/bench/lookup.c does, nanoseconds an entry: update-put and
 * update-delete of WINDOW further sources beside SOURCES that are there, in
 * batches. impl: "sieve" is the stores into moat's index alone, "moat" the whole
 * way of the daemon (records by system calls, then the index), "hash" and "lpm"
 * what system calls in batches take for a plain map. The half of a sieve's
 * resize that falls into a round is paid by it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "core/base.h"
#include "core/sieve.h"
#include "tools/bench/run.h"
#include "tools/bench/sources.h"

#define WINDOW 200000U /* further sources, that come and go */
#define AHEAD  8U      /* as far as the daemon tells the sieve what comes */

enum what { WHAT_PUT, WHAT_DELETE, WHAT_MAX };

static const char *const what_name[WHAT_MAX] = { "update-put", "update-delete" };

static int fail(const char *what, int error)
{
	fprintf(stderr, "update: %s: %s\n", what, strerror(-error));
	return error;
}

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/* ---- the sieve alone ---- */

struct alone {
	struct sieve_maps maps; /* owned */
	struct sieve *sieve;	/* owned */
	struct prefix *source;	/* owned: those that are there, then WINDOW more */
	uint32_t count;
};

static void *zeroed(uint64_t count, size_t size)
{
	void *at =
		mmap(NULL, count * size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void drop(void *at, uint64_t count, size_t size)
{
	if (at)
		munmap(at, count * size);
}

static void alone_close(struct alone *a)
{
	const struct sieve_size *size = &a->maps.size;

	sieve_free(a->sieve);
	drop(a->maps.sieve, 1, sizeof(*a->maps.sieve));
	drop(a->maps.blocks, size->blocks, sizeof(*a->maps.blocks));
	drop(a->maps.hosts, size->hosts, sizeof(*a->maps.hosts));
	drop(a->maps.cells, size->parts, sizeof(struct moat_node_part));
	drop(a->maps.leaves, size->leaves, sizeof(*a->maps.leaves));
	drop(a->maps.buckets, size->buckets, sizeof(*a->maps.buckets));
	drop(a->maps.filter, size->buckets, sizeof(*a->maps.filter));
	free(a->source);
}

static struct prefix source(uint8_t family, uint32_t n)
{
	struct moat_key6 key = sources_key(family, n);
	struct prefix ret = { .family = family, .len = key.len };

	memcpy(ret.addr, key.addr, family == MOAT_IPV4 ? 4 : 16);
	return ret;
}

/* No program reads this one. */
static void grace(struct sieve *s)
{
	if (sieve_wants_grace(s))
		sieve_grace(s);
}

static void write_alone(struct alone *a, enum what what, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++) {
		if (i + AHEAD < first + count)
			sieve_hint(a->sieve, &a->source[i + AHEAD]);
		if (what == WHAT_PUT)
			sieve_put(a->sieve, &a->source[i], 1, MOAT_NEVER);
		else
			sieve_delete(a->sieve, &a->source[i]);
		if (i % 4096 == 0)
			grace(a->sieve);
	}
	grace(a->sieve);
}

static int alone_open(struct alone *a, uint8_t family, uint32_t count)
{
	const uint32_t capacity[2] = { family == MOAT_IPV4 ? count + WINDOW : 1,
				       family == MOAT_IPV6 ? count + WINDOW : 1 };
	uint64_t key[SIEVE_KEYS], state = 0x5EED;
	struct sieve_size *size = &a->maps.size;
	int r;

	sieve_size(capacity, size);
	a->maps.sieve = zeroed(1, sizeof(*a->maps.sieve));
	a->maps.blocks = zeroed(size->blocks, sizeof(*a->maps.blocks));
	a->maps.hosts = zeroed(size->hosts, sizeof(*a->maps.hosts));
	a->maps.cells = zeroed(size->parts, sizeof(struct moat_node_part));
	a->maps.leaves = zeroed(size->leaves, sizeof(*a->maps.leaves));
	a->maps.buckets = zeroed(size->buckets, sizeof(*a->maps.buckets));
	a->maps.filter = zeroed(size->buckets, sizeof(*a->maps.filter));
	a->source = calloc(count + WINDOW, sizeof(*a->source));
	if (!a->maps.sieve || !a->maps.blocks || !a->maps.hosts || !a->maps.cells ||
	    !a->maps.leaves || !a->maps.buckets || !a->maps.filter || !a->source)
		return -ENOMEM;
	for (int i = 0; i < SIEVE_KEYS; i++)
		key[i] = sources_random(&state);
	r = sieve_new(&a->maps, key, 1, &a->sieve);
	if (r)
		return r;
	a->count = count;
	for (uint32_t i = 0; i < count + WINDOW; i++)
		a->source[i] = source(family, i);
	sieve_set_lengths(a->sieve, family, sources_lengths(family)->count);
	write_alone(a, WHAT_PUT, 0, count);
	return 0;
}

/* ---- rows ---- */

/* The round's time an entry, of each way; ns[i] by enum impl, IMPL_EMPTY standing for the sieve. */
static int measure(struct filter filter[static IMPL_MAX], struct alone *a, uint8_t family,
		   enum what what, double ns[static IMPL_MAX])
{
	double begin = cpu_ns();

	write_alone(a, what, a->count, WINDOW);
	ns[IMPL_EMPTY] = (cpu_ns() - begin) / WINDOW;
	for (int i = IMPL_HASH; i < IMPL_MAX; i++) {
		int r;

		begin = cpu_ns();
		r = what == WHAT_PUT ? filter_fill(&filter[i], family, a->count, WINDOW)
				     : filter_remove(&filter[i], family, a->count, WINDOW);
		if (r)
			return r;
		ns[i] = (cpu_ns() - begin) / WINDOW;
	}
	return 0;
}

static int rows(struct filter filter[static IMPL_MAX], struct alone *a, uint8_t family)
{
	double ns[WHAT_MAX][IMPL_MAX][RUN_ROUNDS], now[IMPL_MAX];

	for (int round = 0; round < RUN_ROUNDS; round++) {
		for (enum what what = 0; what < WHAT_MAX; what++) {
			int r = measure(filter, a, family, what, now);

			if (r)
				return r;
			for (int i = 0; i < IMPL_MAX; i++)
				ns[what][i][round] = now[i];
		}
	}
	for (enum what what = 0; what < WHAT_MAX; what++) {
		for (int i = 0; i < IMPL_MAX; i++)
			now[i] = run_median(ns[what][i], RUN_ROUNDS);
		for (int i = 0; i < IMPL_MAX; i++)
			printf("%s,%d,%u,100,%s,%.1f,%.1f,%.2f\n", what_name[what],
			       family == MOAT_IPV4 ? 4 : 6, a->count,
			       i == IMPL_EMPTY ? "sieve" : impl_name[i], now[i], now[i],
			       now[i] / now[IMPL_MOAT]);
	}
	fflush(stdout);
	return 0;
}

static int bench(const char *dir, uint8_t family, uint32_t count)
{
	const uint32_t capacity[2] = { family == MOAT_IPV4 ? count + WINDOW : 1,
				       family == MOAT_IPV6 ? count + WINDOW : 1 };
	struct filter filter[IMPL_MAX] = {};
	struct alone a = {};
	int r = alone_open(&a, family, count);

	if (r)
		fail("sieve", r);
	for (int i = IMPL_HASH; i < IMPL_MAX && !r; i++) {
		r = filter_open(&filter[i], dir, i, BUILD_WIRE, NULL, capacity);
		r = r ?: filter_fill(&filter[i], family, 0, count);
	}
	r = r ?: rows(filter, &a, family);
	for (int i = IMPL_HASH; i < IMPL_MAX; i++)
		filter_close(&filter[i]);
	alone_close(&a);
	return r;
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	int r = 0;

	if (!count || count > SOURCES_MAX) {
		fprintf(stderr, "usage: update OBJECT_DIR SOURCES\n");
		return 2;
	}
	run_settle(-1);
	for (uint8_t family = MOAT_IPV4; family <= MOAT_IPV6 && !r; family++)
		r = bench(argv[1], family, count);
	return r ? 1 : 0;
}
