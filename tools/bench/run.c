// SPDX-License-Identifier: BSD-2-Clause
#include "tools/bench/run.h"

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
#include "tools/bench/sources.h"

#define MEASURE_NS 60000000U /* that a measurement should take */

static int fail(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return error;
}

int run_open(struct run *ret)
{
	*ret = (struct run){ .listed_before = calloc(BENCH_SOURCES + 1, sizeof(uint32_t)) };
	return ret->listed_before ? 0 : fail("packets", -ENOMEM);
}

void run_close(struct run *run)
{
	free(run->listed_before);
	run->listed_before = NULL;
}

void run_family(struct run *run, uint8_t family)
{
	static const uint8_t ip4[] = { 0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17 };
	static const uint8_t ip6[] = { 0x60, 0, 0, 0, 0, 10, 17, 64 };

	run->family = family;
	memset(run->frame, 0, RUN_FRAME);
	run->frame[12] = (family == MOAT_IPV4 ? ETH_P_IP : ETH_P_IPV6) >> 8;
	run->frame[13] = (family == MOAT_IPV4 ? ETH_P_IP : ETH_P_IPV6) & 0xFF;
	if (family == MOAT_IPV4)
		memcpy(run->frame + ETH_HLEN, ip4, sizeof(ip4));
	else
		memcpy(run->frame + ETH_HLEN, ip6, sizeof(ip6));
}

void run_packet(struct run *run, const struct feeder *feeder, uint32_t n,
		struct bench_source source, bool listed)
{
	feeder->source[n] = source;
	run->listed_before[n + 1] = run->listed_before[n] + listed;
}

uint32_t run_start(uint64_t *state)
{
	return sources_random(state) % (BENCH_SOURCES - RUN_PACKETS_MAX - RUN_WARM_UP);
}

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/* The verdicts are checked. */
static int measure(const struct filter *f, const struct feeder *feeder, const struct run *run,
		   uint32_t start, uint32_t packets, double *ret_ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = run->frame, .data_size_in = RUN_FRAME,
		    .repeat = packets);
	uint32_t listed = run->listed_before[start + packets] - run->listed_before[start];
	struct counted before, after;
	double begin, end;
	int r;

	r = filter_counted(f, run->family, &before);
	*feeder->cursor = start;
	begin = cpu_ns();
	r = r ?: bpf_prog_test_run_opts(f->program, &opts);
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

int run_measure(const struct filter *f, const struct feeder *feeder, const struct run *run,
		uint32_t start, double *ret_ns)
{
	uint32_t packets = RUN_PACKETS_MIN;
	double warm;
	int r = measure(f, feeder, run, start, RUN_WARM_UP, &warm);

	if (r)
		return r;
	if (warm * RUN_PACKETS_MIN < MEASURE_NS)
		packets = warm * RUN_PACKETS_MAX < MEASURE_NS ? RUN_PACKETS_MAX : MEASURE_NS / warm;
	return measure(f, feeder, run, start + RUN_WARM_UP, packets, ret_ns);
}

int run_measure_timed(const struct filter *f, const struct feeder *feeder, const struct run *run,
		      uint32_t start, double *ret_ns)
{
	double all;
	int r = measure(f, feeder, run, start, RUN_WARM_UP, &all);

	r = r ?: filter_timed_begin(f, start + RUN_WARM_UP);
	r = r ?: measure(f, feeder, run, start + RUN_WARM_UP, RUN_PACKETS_TIMED, &all);
	return r ?: filter_timed_end(f, ret_ns);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double run_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

void run_settle(int cpu)
{
	cpu_set_t all, one;
	int left;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	left = cpu < 0 ? CPU_COUNT(&all) + cpu : cpu;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all) || left-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		sched_setaffinity(0, sizeof(one), &one);
		break;
	}
	setpriority(PRIO_PROCESS, 0, -20);
}

void run_print(const char *what, const struct run *run, uint32_t sources, unsigned int pct,
	       const double ns[static IMPL_MAX])
{
	double moat = ns[IMPL_MOAT] - ns[IMPL_EMPTY];

	for (int i = 0; i < IMPL_MAX; i++) {
		double net = ns[i] - ns[IMPL_EMPTY];

		printf("%s,%d,%u,%u,%s,%.1f,%.1f,%.1f\n", what, run->family == MOAT_IPV4 ? 4 : 6,
		       sources, pct, impl_name[i], ns[i], net, net / moat);
	}
	fflush(stdout);
}
