// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a packet costs in the filter, with this lookup or another.
 *
 *	lookup OBJECT_DIR [SOURCES...]
 *
 * Prints CSV, a line a measurement: nanoseconds a packet of the whole program
 * under BPF_PROG_TEST_RUN, alone and over the empty program, and how many
 * times as slow as moat. Implementations take turns, so that a machine that
 * gets slower does so for all; the median of the turns counts. A filter that
 * does not drop exactly the listed packets ends the benchmark.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <bpf/bpf.h>

#include "core/base.h"
#include "tools/bench/filter.h"
#include "tools/bench/sources.h"

#define ROUNDS	      7
#define WARM_UP	      50000U  /* packets before a measurement */
#define PACKETS_MIN   200000U /* in a measurement */
#define PACKETS_MAX   500000U
#define MEASURE_NS    60000000U /* that a measurement should take */
#define FRAME_SIZE    64
#define CLEAN_BAR_NS  80.0 /* whole filter over empty, clean packet, 1,000 IPv4 sources */
#define CLEAN_BAR_FOR 1000U

_Static_assert(PACKETS_MAX + WARM_UP < BENCH_SOURCES, "a round must not run out of addresses");

static const unsigned int listed_pct[] = { 0, 50, 100 };

/* The packets of a measurement. */
struct run {
	uint8_t family;
	uint32_t count; /* of listed sources */
	unsigned int pct;
	uint8_t frame[FRAME_SIZE];
	uint32_t *listed_before; /* owned: of the addresses 0..n-1 of the feeder, BENCH_SOURCES + 1 */
};

static int fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return error;
}

static void make_frame(uint8_t family, uint8_t frame[static FRAME_SIZE])
{
	static const uint8_t ip4[] = { 0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17 };
	static const uint8_t ip6[] = { 0x60, 0, 0, 0, 0, 10, 17, 64 };

	memset(frame, 0, FRAME_SIZE);
	frame[12] = (family == MOAT_IPV4 ? ETH_P_IP : ETH_P_IPV6) >> 8;
	frame[13] = (family == MOAT_IPV4 ? ETH_P_IP : ETH_P_IPV6) & 0xFF;
	if (family == MOAT_IPV4)
		memcpy(frame + ETH_HLEN, ip4, sizeof(ip4));
	else
		memcpy(frame + ETH_HLEN, ip6, sizeof(ip6));
}

static void make_packets(const struct feeder *feeder, struct run *run)
{
	uint64_t state = 0x5EED0000 + run->family * 1000 + run->pct;

	make_frame(run->family, run->frame);
	for (uint32_t i = 0; i < BENCH_SOURCES; i++) {
		bool listed = sources_random(&state) % 100 < run->pct;

		feeder->source[i] = sources_packet(run->family, run->count, listed, &state);
		run->listed_before[i + 1] = run->listed_before[i] + listed;
	}
}

static int run_packets(const struct filter *f, struct run *run, uint32_t packets)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = run->frame, .data_size_in = FRAME_SIZE,
		    .repeat = packets);

	return bpf_prog_test_run_opts(f->program, &opts);
}

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/* Nanoseconds a packet from address number start on; the verdicts are checked. */
static int measure(const struct filter *f, const struct feeder *feeder, struct run *run,
		   uint32_t start, uint32_t packets, double *ret_ns)
{
	uint32_t listed = run->listed_before[start + packets] - run->listed_before[start];
	struct counted before, after;
	double begin, end;
	int r;

	r = filter_counted(f, run->family, &before);
	*feeder->cursor = start;
	begin = cpu_ns();
	r = r ?: run_packets(f, run, packets);
	end = cpu_ns();
	r = r ?: filter_counted(f, run->family, &after);
	if (r)
		return fail(impl_name[f->impl], r);

	if (f->impl != IMPL_EMPTY && (after.listed - before.listed != listed ||
				      after.clean - before.clean != packets - listed)) {
		fprintf(stderr,
			"%s: of %u packets, %u listed, it took %llu for listed, %llu for clean\n",
			impl_name[f->impl], packets, listed,
			(unsigned long long)(after.listed - before.listed),
			(unsigned long long)(after.clean - before.clean));
		return -EBADMSG;
	}
	*ret_ns = (end - begin) / packets;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int measure_all(struct filter filter[static IMPL_MAX], const struct feeder *feeder,
		       struct run *run, double ret_median[static IMPL_MAX])
{
	double ns[IMPL_MAX][ROUNDS];
	uint64_t state = 0x5EED;

	for (int round = 0; round < ROUNDS; round++) {
		uint32_t at = sources_random(&state) % (BENCH_SOURCES - PACKETS_MAX - WARM_UP);

		for (int i = 0; i < IMPL_MAX; i++) {
			uint32_t packets = PACKETS_MIN;
			double warm;
			int r = measure(&filter[i], feeder, run, at, WARM_UP, &warm);

			if (r)
				return r;
			if (warm * PACKETS_MIN < MEASURE_NS)
				packets = warm * PACKETS_MAX < MEASURE_NS ? PACKETS_MAX
									  : MEASURE_NS / warm;
			r = measure(&filter[i], feeder, run, at + WARM_UP, packets, &ns[i][round]);
			if (r)
				return r;
		}
	}
	for (int i = 0; i < IMPL_MAX; i++) {
		qsort(ns[i], ROUNDS, sizeof(double), by_value);
		ret_median[i] = ns[i][ROUNDS / 2];
	}
	return 0;
}

static void print_rows(const struct run *run, const double median[static IMPL_MAX])
{
	double moat = median[IMPL_MOAT] - median[IMPL_EMPTY];

	for (int i = 0; i < IMPL_MAX; i++) {
		double net = median[i] - median[IMPL_EMPTY];

		printf("lookup,%d,%u,%u,%s,%.1f,%.1f,%.1f\n", run->family == MOAT_IPV4 ? 4 : 6,
		       run->count, run->pct, impl_name[i], median[i], net, net / moat);
	}
	fflush(stdout);
	if (run->family == MOAT_IPV4 && run->count == CLEAN_BAR_FOR && !run->pct)
		fprintf(stderr,
			"whole filter, clean packet, %u sources: %.1f ns over empty (at most %.0f wanted)%s\n",
			run->count, moat, CLEAN_BAR_NS, moat > CLEAN_BAR_NS ? ": TOO SLOW" : "");
}

static int bench(const char *dir, const struct feeder *feeder, struct run *run)
{
	struct filter filter[IMPL_MAX] = {};
	double median[IMPL_MAX];
	int r = 0;

	for (int i = 0; i < IMPL_MAX && !r; i++) {
		r = filter_open(&filter[i], dir, i, feeder, run->count);
		r = r ?: filter_fill(&filter[i], run->family, 0, run->count);
	}
	for (size_t p = 0; p < ARRAY_SIZE(listed_pct) && !r; p++) {
		run->pct = listed_pct[p];
		make_packets(feeder, run);
		r = measure_all(filter, feeder, run, median);
		if (!r)
			print_rows(run, median);
	}
	for (int i = 0; i < IMPL_MAX; i++)
		filter_close(&filter[i]);
	return r;
}

/* On one CPU and before others: what is measured is the cache, not the scheduler. */
static void settle(void)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		break;
	}
	setpriority(PRIO_PROCESS, 0, -20);
}

int main(int argc, char **argv)
{
	_cleanup_free_ uint32_t *listed_before = calloc(BENCH_SOURCES + 1, sizeof(*listed_before));
	struct run run = { .listed_before = listed_before };
	struct feeder feeder;
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: lookup OBJECT_DIR SOURCES...\n");
		return 2;
	}
	r = listed_before ? feeder_open(&feeder) : -ENOMEM;
	if (r)
		return 1;
	settle();
	printf("what,family,sources,listed_pct,impl,ns,ns_net,ratio_to_moat\n");
	for (uint8_t family = MOAT_IPV4; family <= MOAT_IPV6 && !r; family++) {
		for (int i = 2; i < argc && !r; i++) {
			unsigned long count = strtoul(argv[i], NULL, 10);

			if (!count || count > SOURCES_MAX) {
				fprintf(stderr, "'%s': not a number of sources\n", argv[i]);
				r = -EINVAL;
				break;
			}
			run.family = family;
			run.count = count;
			r = bench(argv[1], &feeder, &run);
		}
	}
	feeder_close(&feeder);
	return r ? 1 : 0;
}
