// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a packet costs in the filter, with this lookup or another.
 *
 *	lookup OBJECT_DIR SOURCES...
 *
 * Prints CSV, a line a measurement: nanoseconds a packet of the whole program
 * under BPF_PROG_TEST_RUN, alone and over the empty program, and how many
 * times as slow as moat. Implementations take turns, so that a machine that
 * gets slower does so for all; the median of the turns counts. A filter that
 * does not drop exactly the listed packets ends the benchmark.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base.h"
#include "tools/bench/run.h"
#include "tools/bench/sources.h"

static const unsigned int listed_pct[] = { 0, 50, 100 };

static void make_packets(const struct feeder *feeder, struct run *run, uint32_t count,
			 unsigned int pct)
{
	uint64_t state = 0x5EED0000 + run->family * 1000 + pct;

	for (uint32_t i = 0; i < BENCH_SOURCES; i++) {
		bool listed = sources_random(&state) % 100 < pct;

		run_packet(run, feeder, i, sources_packet(run->family, count, listed, &state),
			   listed);
	}
}

static int measure_all(const struct filter filter[static IMPL_MAX], const struct feeder *feeder,
		       const struct run *run, double ret_median[static IMPL_MAX])
{
	double ns[IMPL_MAX][RUN_ROUNDS];
	uint64_t state = 0x5EED;

	for (int round = 0; round < RUN_ROUNDS; round++) {
		uint32_t start = run_start(&state);

		for (int i = 0; i < IMPL_MAX; i++) {
			int r = run_measure(&filter[i], feeder, run, start, &ns[i][round]);

			if (r)
				return r;
		}
	}
	for (int i = 0; i < IMPL_MAX; i++)
		ret_median[i] = run_median(ns[i], RUN_ROUNDS);
	return 0;
}

static int bench(const char *dir, const struct feeder *feeder, struct run *run, uint8_t family,
		 uint32_t count)
{
	uint32_t capacity[2] = { family == MOAT_IPV4 ? count : 1, family == MOAT_IPV6 ? count : 1 };
	struct filter filter[IMPL_MAX] = {};
	double median[IMPL_MAX];
	int r = 0;

	for (int i = 0; i < IMPL_MAX && !r; i++) {
		r = filter_open(&filter[i], dir, i, BUILD_STAGED, feeder, capacity);
		r = r ?: filter_fill(&filter[i], family, 0, count);
	}
	run_family(run, family);
	for (size_t p = 0; p < ARRAY_SIZE(listed_pct) && !r; p++) {
		make_packets(feeder, run, count, listed_pct[p]);
		r = measure_all(filter, feeder, run, median);
		if (!r)
			run_print("lookup", run, count, listed_pct[p], median);
	}
	for (int i = 0; i < IMPL_MAX; i++)
		filter_close(&filter[i]);
	return r;
}

int main(int argc, char **argv)
{
	struct feeder feeder = {};
	struct run run;
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: lookup OBJECT_DIR SOURCES...\n");
		return 2;
	}
	if (run_open(&run))
		return 1;
	r = feeder_open(&feeder);
	run_settle(-1);
	printf(RUN_HEADER);
	for (uint8_t family = MOAT_IPV4; family <= MOAT_IPV6 && !r; family++) {
		for (int i = 2; i < argc && !r; i++) {
			unsigned long count = strtoul(argv[i], NULL, 10);

			if (!count || count > SOURCES_MAX) {
				fprintf(stderr, "'%s': not a number of sources\n", argv[i]);
				r = -EINVAL;
				break;
			}
			r = bench(argv[1], &feeder, &run, family, count);
		}
	}
	if (feeder.source)
		feeder_close(&feeder);
	run_close(&run);
	return r ? 1 : 0;
}
