/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the packets of a feeder through a filter under BPF_PROG_TEST_RUN and
 * takes the time of it, by the clock of the thread.
 *
 * The caller fills feeder.source and says with run_packet() which are listed;
 * a filter that does not drop exactly those ends the benchmark. Functions
 * return 0 or a negative errno, which was told on standard error.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "tools/bench/filter.h"

#define RUN_ROUNDS	  7
#define RUN_WARM_UP	  50000U  /* packets before a measurement */
#define RUN_PACKETS_MIN	  200000U /* in a measurement */
#define RUN_PACKETS_MAX	  500000U
#define RUN_PACKETS_TIMED 300000U /* where some are timed */
#define RUN_FRAME	  64

_Static_assert(RUN_PACKETS_MAX + RUN_WARM_UP < BENCH_SOURCES,
	       "a round must not run out of addresses");

/* The packets of a measurement. */
struct run {
	uint8_t family;
	uint8_t frame[RUN_FRAME];
	uint32_t *listed_before; /* owned: of the addresses 0..n-1 of the feeder, BENCH_SOURCES + 1 */
};

/* Rows of this benchmark: what,family,sources,listed_pct,impl,ns,ns_net,ratio_to_moat. */
#define RUN_HEADER "what,family,sources,listed_pct,impl,ns,ns_net,ratio_to_moat\n"

int run_open(struct run *ret);
void run_close(struct run *run);

/* All packets are of this family from here on. */
void run_family(struct run *run, uint8_t family);

/* The address of packet number n, which comes after that of n - 1. */
void run_packet(struct run *run, const struct feeder *feeder, uint32_t n,
		struct bench_source source, bool listed);

/* The number of a first packet that leaves room for a round. */
uint32_t run_start(uint64_t *state);

/* Nanoseconds a packet, from address number start on, after a warm-up. */
int run_measure(const struct filter *f, const struct feeder *feeder, const struct run *run,
		uint32_t start, double *ret_ns);

/* The same of a timed build: nanoseconds of its timed packets alone. */
int run_measure_timed(const struct filter *f, const struct feeder *feeder, const struct run *run,
		      uint32_t start, double *ret_ns);

/* The median of values, which it sorts. */
double run_median(double *values, size_t count);

/* On the CPU (negative: counted from the last) and before others: not the scheduler is measured. */
void run_settle(int cpu);

/* The rows of one measurement. */
void run_print(const char *what, const struct run *run, uint32_t sources, unsigned int pct,
	       const double ns[static IMPL_MAX]);

#endif
