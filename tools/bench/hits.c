// SPDX-License-Identifier: BSD-2-Clause
/*
 * What it costs a listed packet to be noted as a hit of its source.
 *
 *	hits OBJECT_DIR SOURCES...
 *
 * The whole filter in a flood of nothing but listed packets, from as many
 * sources as are listed and from one: as moatd does it unless told otherwise,
 * and without the code (build OBJECT_DIR/hitless), on the same maps. They take
 * turns; the median of the turns counts. Prints CSV with the columns of
 * tools/bench/lookup.c, and on standard error what the hits cost in percent.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/bench/run.h"
#include "tools/bench/sources.h"

#define ROUNDS 21
#define BAR    10.0 /* percent of a listed packet that hits may cost */

enum variant { ON, WITHOUT, VARIANTS };
static const char *const variant_name[VARIANTS] = { "on", "without" };

struct bench {
	const char *dir;
	struct feeder feeder;
	struct filter filter[VARIANTS];
	struct run run;
	uint32_t count;
};

/* Addresses that are listed, all of one source or of any. */
static void make_packets(struct bench *b, bool one)
{
	uint64_t state = 0x5EED + b->run.family;
	struct bench_source source = sources_packet(b->run.family, b->count, true, &state);

	for (uint32_t i = 0; i < BENCH_SOURCES; i++) {
		if (!one)
			source = sources_packet(b->run.family, b->count, true, &state);
		run_packet(&b->run, &b->feeder, i, source, true);
	}
}

static int open_variants(struct bench *b)
{
	const uint32_t capacity[2] = { b->count, b->count };
	char hitless[PATH_MAX];
	int r;

	snprintf(hitless, sizeof(hitless), "%s/hitless", b->dir);
	r = filter_open(&b->filter[ON], b->dir, IMPL_MOAT, BUILD_STAGED, &b->feeder, capacity);
	r = r ?: filter_fill(&b->filter[ON], b->run.family, 0, b->count);
	return r
		       ?: filter_open_beside(&b->filter[WITHOUT], hitless, &b->filter[ON],
					     BUILD_STAGED, &b->feeder);
}

static void print_rows(const struct bench *b, bool one, const double ns[static VARIANTS])
{
	double cost = 100 * (ns[ON] - ns[WITHOUT]) / ns[WITHOUT];
	int family = b->run.family == MOAT_IPV4 ? 4 : 6;

	for (int i = 0; i < VARIANTS; i++)
		printf("%s,%d,%u,100,%s,%.1f,%.1f,%.2f\n", one ? "hits-one" : "hits", family,
		       b->count, variant_name[i], ns[i], ns[i] - ns[WITHOUT], ns[i] / ns[ON]);
	fflush(stdout);
	fprintf(stderr,
		"IPv%d, %u sources listed, %s sent: hits cost %.1f of %.1f ns, %.1f %% "
		"(at most %.0f): %s\n",
		family, b->count, one ? "one" : "all", ns[ON] - ns[WITHOUT], ns[WITHOUT], cost, BAR,
		cost > BAR ? "NOT met" : "met");
}

static int measure_all(struct bench *b, bool one)
{
	double ns[VARIANTS][ROUNDS], median[VARIANTS];
	uint64_t state = 0x5EED;

	make_packets(b, one);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t at = run_start(&state);

		for (int i = 0; i < VARIANTS; i++) {
			int r = run_measure(&b->filter[i], &b->feeder, &b->run, at, &ns[i][round]);

			if (r)
				return r;
		}
	}
	for (int i = 0; i < VARIANTS; i++)
		median[i] = run_median(ns[i], ROUNDS);
	print_rows(b, one, median);
	return 0;
}

static int bench(struct bench *b)
{
	int r = open_variants(b);

	r = r ?: measure_all(b, false);
	r = r ?: measure_all(b, true);
	for (int i = VARIANTS - 1; i >= 0; i--)
		filter_close(&b->filter[i]);
	return r;
}

static int bench_all(struct bench *b, int counts, char **count)
{
	int r = 0;

	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		run_family(&b->run, (uint8_t)family);
		for (int i = 0; i < counts && !r; i++) {
			unsigned long n = strtoul(count[i], NULL, 10);

			b->count = (uint32_t)n;
			r = n && n <= SOURCES_MAX ? bench(b) : -EINVAL;
		}
	}
	return r;
}

int main(int argc, char **argv)
{
	struct bench b = {};
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: hits OBJECT_DIR SOURCES...\n");
		return 2;
	}
	b.dir = argv[1];
	r = feeder_open(&b.feeder);
	if (r)
		return 1;
	r = run_open(&b.run);
	if (!r) {
		run_settle(-1);
		printf("what,family,sources,listed_pct,impl,ns,ns_net,ratio_to_on\n");
		r = bench_all(&b, argc - 2, argv + 2);
		run_close(&b.run);
	}
	feeder_close(&b.feeder);
	return r ? 1 : 0;
}
