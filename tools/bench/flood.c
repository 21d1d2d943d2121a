// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a flood costs, and what it does to the packets of others.
 *
 *	flood OBJECT_DIR SOURCES
 *
 * Prints rows as tools/bench/lookup.c does, for three floods: from all of the
 * listed sources, from random unlisted addresses, from one listed source. what:
 *
 *	flood-KIND		a packet of it
 *	flood-clean		a packet of clean traffic alone: some hundred addresses
 *	flood-clean-in-KIND	the same while 15 packets of the flood come before each
 *	flood-clean-beside-KIND	the same, alone on its CPU, while another CPU has the flood
 *
 * Clean packets are timed one by one, inside of the program, so their rows
 * compare with each other and not with the flood's: what overlaps with the next
 * packet elsewhere is waited for here.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "core/base.h"
#include "tools/bench/run.h"
#include "tools/bench/sources.h"

#define CLEAN_ADDRESSES 512U	 /* that clean traffic comes from */
#define PER_CALL	1000000U /* packets of the flood on the other CPU, a system call */

enum kind { KIND_LISTED, KIND_UNLISTED, KIND_ONE, KIND_MAX };

static const char *const kind_name[KIND_MAX] = { "listed", "unlisted", "one" };

/* What both CPUs work on. */
struct lab {
	const char *dir;
	uint32_t count; /* of sources */
	struct feeder feeder, other;
	struct run run;
	struct filter filter[IMPL_MAX], timed[IMPL_MAX], beside[IMPL_MAX];
	struct bench_source clean[CLEAN_ADDRESSES];
};

static bool is_timed(uint32_t n)
{
	return n % BENCH_TIMED_EVERY == BENCH_TIMED_EVERY - 1;
}

static struct bench_source flood_source(struct lab *lab, enum kind kind, uint64_t *state)
{
	uint64_t one = 0x5EED;

	return sources_packet(lab->run.family, lab->count, kind != KIND_UNLISTED,
			      kind == KIND_ONE ? &one : state);
}

static void make_flood(struct lab *lab, struct feeder *feeder, enum kind kind, bool clean_between)
{
	uint64_t state = 0xF100D + kind;

	for (uint32_t i = 0; i < BENCH_SOURCES; i++) {
		if (clean_between && is_timed(i))
			run_packet(&lab->run, feeder, i,
				   lab->clean[sources_random(&state) % CLEAN_ADDRESSES], false);
		else
			run_packet(&lab->run, feeder, i, flood_source(lab, kind, &state),
				   kind != KIND_UNLISTED);
	}
}

static void make_clean(struct lab *lab)
{
	uint64_t state = 0xC1EA0;

	for (uint32_t i = 0; i < CLEAN_ADDRESSES; i++)
		lab->clean[i] = sources_packet(lab->run.family, lab->count, false, &state);
	for (uint32_t i = 0; i < BENCH_SOURCES; i++)
		run_packet(&lab->run, &lab->feeder, i,
			   lab->clean[sources_random(&state) % CLEAN_ADDRESSES], false);
}

/* ---- the other CPU ---- */

struct other {
	const struct filter *filter;
	const struct run *run;
	atomic_bool started, stop;
	atomic_int result;
};

static void *flood(void *arg)
{
	struct other *o = arg;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = o->run->frame, .data_size_in = RUN_FRAME,
		    .repeat = PER_CALL);
	int r = 0;

	run_settle(0);
	while (!r && !atomic_load(&o->stop)) {
		r = bpf_prog_test_run_opts(o->filter->program, &opts);
		atomic_store(&o->started, true);
	}
	atomic_store(&o->result, r);
	atomic_store(&o->started, true);
	return NULL;
}

static int measure_beside(struct lab *lab, enum impl impl, uint32_t start, double *ret_ns)
{
	struct other other = { .filter = &lab->beside[impl], .run = &lab->run };
	pthread_t thread;
	int r = -pthread_create(&thread, NULL, flood, &other);

	if (r)
		return r;
	while (!atomic_load(&other.started))
		sched_yield();
	r = run_measure_timed(&lab->timed[impl], &lab->feeder, &lab->run, start, ret_ns);
	atomic_store(&other.stop, true);
	pthread_join(thread, NULL);
	return r ?: atomic_load(&other.result);
}

/* ---- rows ---- */

enum way { WAY_FLOOD, WAY_TIMED, WAY_BESIDE };

static int row(struct lab *lab, const char *what, unsigned int pct, enum way way)
{
	double ns[IMPL_MAX][RUN_ROUNDS], median[IMPL_MAX];
	uint64_t state = 0x5EED;

	for (int round = 0; round < RUN_ROUNDS; round++) {
		uint32_t start = run_start(&state);

		for (int i = 0; i < IMPL_MAX; i++) {
			double *at = &ns[i][round];
			int r;

			if (way == WAY_FLOOD)
				r = run_measure(&lab->filter[i], &lab->feeder, &lab->run, start,
						at);
			else if (way == WAY_TIMED)
				r = run_measure_timed(&lab->timed[i], &lab->feeder, &lab->run,
						      start, at);
			else
				r = measure_beside(lab, i, start, at);
			if (r)
				return r;
		}
	}
	for (int i = 0; i < IMPL_MAX; i++)
		median[i] = run_median(ns[i], RUN_ROUNDS);
	run_print(what, &lab->run, lab->count, pct, median);
	return 0;
}

static int rows(struct lab *lab)
{
	const unsigned int mixed_pct = 100 * (BENCH_TIMED_EVERY - 1) / BENCH_TIMED_EVERY;
	char what[64];
	int r;

	make_clean(lab);
	r = row(lab, "flood-clean", 0, WAY_TIMED);
	for (enum kind kind = 0; kind < KIND_MAX && !r; kind++) {
		unsigned int listed = kind != KIND_UNLISTED;

		make_flood(lab, &lab->feeder, kind, false);
		snprintf(what, sizeof(what), "flood-%s", kind_name[kind]);
		r = row(lab, what, listed * 100, WAY_FLOOD);
		make_flood(lab, &lab->feeder, kind, true);
		snprintf(what, sizeof(what), "flood-clean-in-%s", kind_name[kind]);
		r = r ?: row(lab, what, listed * mixed_pct, WAY_TIMED);
		make_flood(lab, &lab->other, kind, false);
		make_clean(lab);
		snprintf(what, sizeof(what), "flood-clean-beside-%s", kind_name[kind]);
		r = r ?: row(lab, what, 0, WAY_BESIDE);
	}
	return r;
}

static int bench(struct lab *lab, uint8_t family)
{
	uint32_t capacity[2] = { family == MOAT_IPV4 ? lab->count : 1,
				 family == MOAT_IPV6 ? lab->count : 1 };
	int r = 0;

	run_family(&lab->run, family);
	for (int i = 0; i < IMPL_MAX && !r; i++) {
		struct filter *f = &lab->filter[i];

		r = filter_open(f, lab->dir, i, BUILD_STAGED, &lab->feeder, capacity);
		r = r ?: filter_open_beside(&lab->timed[i], lab->dir, f, BUILD_TIMED, &lab->feeder);
		r = r
			    ?: filter_open_beside(&lab->beside[i], lab->dir, f, BUILD_STAGED,
						  &lab->other);
		r = r ?: filter_fill(f, family, 0, lab->count);
	}
	r = r ?: rows(lab);
	for (int i = 0; i < IMPL_MAX; i++) {
		filter_close(&lab->beside[i]);
		filter_close(&lab->timed[i]);
		filter_close(&lab->filter[i]);
	}
	return r;
}

int main(int argc, char **argv)
{
	static struct lab lab;
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	int r;

	if (!count || count > SOURCES_MAX) {
		fprintf(stderr, "usage: flood OBJECT_DIR SOURCES\n");
		return 2;
	}
	lab.dir = argv[1];
	lab.count = count;
	r = run_open(&lab.run) ?: feeder_open(&lab.feeder) ?: feeder_open(&lab.other);
	run_settle(-1);
	for (uint8_t family = MOAT_IPV4; family <= MOAT_IPV6 && !r; family++)
		r = bench(&lab, family);
	feeder_close(&lab.other);
	feeder_close(&lab.feeder);
	run_close(&lab.run);
	return r ? 1 : 0;
}
