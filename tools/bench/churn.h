/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources that come and go in a filter by the thousand while packets flow, and
 * afterwards the verdict on each of them, compared with what was written last.
 *
 * Of the sources that change seven in ten are IPv4 hosts, one is an IPv4 prefix
 * of 24 to 30 bits, two are IPv6 sources of all lengths of sources.h. The
 * listed sources 0..base-1 of IPv4 stay as they are, and are asked as well.
 *
 * churn_open() .. churn_run() .. churn_check() .. churn_free(). The filter must
 * have room for CHURN_SOURCES more of both families and outlives the churn.
 */
#ifndef BENCH_CHURN_H
#define BENCH_CHURN_H

#include "tools/bench/filter.h"

#define CHURN_SOURCES 50000U

struct churn;

int churn_open(struct filter *f, uint32_t base, struct churn **ret);
struct churn *churn_free(struct churn *c);

/* At an even rate, as far as it is reached: *ret_rate is how many a second it was. */
int churn_run(struct churn *c, uint32_t per_second, uint32_t seconds, double *ret_rate);

struct churn_verdicts {
	uint64_t asked;
	uint64_t wrong; /* the first ones are told on standard error */
};
int churn_check(const struct churn *c, struct churn_verdicts *ret);

#endif
