// SPDX-License-Identifier: BSD-2-Clause
/*
 * What events (moat/event.h) cost a packet, and how many a second the kernel
 * gives to a reader.
 *
 *	events OBJECT_DIR SOURCES
 *
 * The whole filter with nothing but listed packets, and with nothing but clean
 * ones: without the code (build OBJECT_DIR/eventless), while nobody watches,
 * while somebody watches and the rate is used up, and while each packet that
 * is dropped becomes an event that another thread reads. All on the same maps;
 * they take turns, the median of the turns counts. Prints CSV with the columns
 * of tools/bench/lookup.c; the last row of a family is ns an event at the reader.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>

#include "plane/events.h"
#include "tools/bench/run.h"
#include "tools/bench/sources.h"

#define ROUNDS	21
#define BAR	200000.0 /* events a second at the reader */
#define MANY	1000000000ULL
#define FOREVER UINT64_MAX

enum variant { WITHOUT, OFF, SUPPRESSED, TAKEN, VARIANTS };
static const char *const variant_name[VARIANTS] = { "without", "off", "suppressed", "taken" };

struct bench {
	const char *dir;
	struct feeder feeder;
	struct filter with, without;
	struct run run;
	uint32_t count;
	atomic_bool reading, ended;
	uint64_t read; /* by the reader */
};

/* ---- who reads ---- */

static void count_event(void *arg, const struct moat_event *event)
{
	uint64_t *sum = arg;

	*sum += event->length; /* it is looked at */
}

static void *read_events(void *arg)
{
	struct bench *b = arg;
	uint64_t sum = 0;

	while (!b->ended)
		if (b->reading)
			b->read += tables_read_events(b->with.tables, count_event, &sum, 4096);
	return NULL;
}

/* ---- what is measured ---- */

static int set_wanted(const struct filter *f, uint32_t wanted)
{
	struct bpf_map *map;
	uint32_t zero = 0;

	bpf_object__for_each_map(map, f->object)
	{
		const char *suffix = strrchr(bpf_map__name(map), '.');

		if (suffix && !strcmp(suffix, ".bss"))
			return bpf_map_update_elem(bpf_map__fd(map), &zero, &wanted, BPF_ANY);
	}
	return -ENOENT;
}

static int measure(struct bench *b, enum variant variant, uint32_t at, double *ret_ns)
{
	int r = 0;

	b->reading = variant == TAKEN;
	if (variant != WITHOUT) {
		tables_renew_events(b->with.tables, variant == TAKEN ? MANY : 0, FOREVER);
		r = set_wanted(&b->with, variant >= SUPPRESSED ? MOAT_EVENT_VERDICTS : 0);
	}
	return r
		       ?: run_measure(variant == WITHOUT ? &b->without : &b->with, &b->feeder,
				      &b->run, at, ret_ns);
}

static void make_packets(struct bench *b, bool listed)
{
	uint64_t state = 0x5EED + b->run.family;

	for (uint32_t i = 0; i < BENCH_SOURCES; i++)
		run_packet(&b->run, &b->feeder, i,
			   sources_packet(b->run.family, b->count, listed, &state), listed);
}

static void print_rows(const struct bench *b, bool listed, const double ns[static VARIANTS])
{
	int family = b->run.family == MOAT_IPV4 ? 4 : 6;

	for (int i = 0; i < VARIANTS; i++) {
		printf("events,%d,%u,%d,%s,%.1f,%.1f,%.2f\n", family, b->count, listed ? 100 : 0,
		       variant_name[i], ns[i], ns[i] - ns[WITHOUT], ns[i] / ns[WITHOUT]);
	}
	fflush(stdout);
}

static int measure_all(struct bench *b, bool listed)
{
	double ns[VARIANTS][ROUNDS], median[VARIANTS];
	uint64_t state = 0x5EED;

	make_packets(b, listed);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t at = run_start(&state);

		for (enum variant i = 0; i < VARIANTS; i++) {
			int r = measure(b, i, at, &ns[i][round]);

			if (r)
				return r;
		}
	}
	for (int i = 0; i < VARIANTS; i++)
		median[i] = run_median(ns[i], ROUNDS);
	print_rows(b, listed, median);
	return 0;
}

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Events that a reader gets while a CPU does nothing but drop. */
static int measure_reader(struct bench *b)
{
	struct tables_event_counts before, after;
	uint64_t state = 0x5EED, read;
	double begin, seconds, rate, ns;
	int r = 0;

	make_packets(b, true);
	r = measure(b, TAKEN, run_start(&state), &ns);
	tables_count_events(b->with.tables, &before);
	read = b->read;
	begin = now_seconds();
	for (int round = 0; round < ROUNDS && !r; round++)
		r = run_measure(&b->with, &b->feeder, &b->run, run_start(&state), &ns);
	seconds = now_seconds() - begin;
	tables_count_events(b->with.tables, &after);
	rate = (double)(b->read - read) / seconds;
	printf("events-read,%d,%u,100,kernel,%.1f,,\n", b->run.family == MOAT_IPV4 ? 4 : 6,
	       b->count, 1e9 / rate);
	fprintf(stderr,
		"IPv%d: %.0f events/s from the kernel to a reader, %.1f %% lost (at least %.0f/s): %s\n",
		b->run.family == MOAT_IPV4 ? 4 : 6, rate,
		100 * (double)(after.lost - before.lost) /
			(double)(after.written + after.lost - before.written - before.lost),
		BAR, rate < BAR ? "NOT met" : "met");
	return r;
}

static int bench(struct bench *b)
{
	const uint32_t capacity[2] = { b->count, b->count };
	char eventless[PATH_MAX];
	pthread_t reader;
	int r;

	snprintf(eventless, sizeof(eventless), "%s/eventless", b->dir);
	r = filter_open(&b->with, b->dir, IMPL_MOAT, BUILD_STAGED, &b->feeder, capacity);
	r = r ?: filter_fill(&b->with, b->run.family, 0, b->count);
	r = r ?: filter_open_beside(&b->without, eventless, &b->with, BUILD_STAGED, &b->feeder);
	if (r)
		return r;
	b->ended = b->reading = false;
	r = -pthread_create(&reader, NULL, read_events, b);
	if (!r) {
		r = measure_all(b, true);
		r = r ?: measure_all(b, false);
		r = r ?: measure_reader(b);
		b->ended = true;
		pthread_join(reader, NULL);
	}
	filter_close(&b->without);
	filter_close(&b->with);
	return r;
}

int main(int argc, char **argv)
{
	struct bench b = {};
	int r;

	if (argc != 3) {
		fprintf(stderr, "usage: events OBJECT_DIR SOURCES\n");
		return 2;
	}
	b.dir = argv[1];
	b.count = (uint32_t)strtoul(argv[2], NULL, 10);
	if (!b.count || b.count > SOURCES_MAX || feeder_open(&b.feeder))
		return 1;
	r = run_open(&b.run);
	if (!r) {
		printf("what,family,sources,listed_pct,impl,ns,ns_net,ratio_to_without\n");
		for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6 && !r; family++) {
			run_family(&b.run, (uint8_t)family);
			r = bench(&b);
		}
		run_close(&b.run);
	}
	feeder_close(&b.feeder);
	return r ? 1 : 0;
}
