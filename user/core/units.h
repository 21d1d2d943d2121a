/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Durations (90s 15m 12h 30d 2w), rates (100pps 8mbps) and times as people type them.
 */
#ifndef CORE_UNITS_H
#define CORE_UNITS_H

#include "core/base.h"

/* Decimal digits and nothing else: no sign, no leading zeros. 0 or -EINVAL. */
int units_number(const char *text, uint64_t *ret);

/* Whole seconds; units s m h d w; at least 1s, at most 100 years. 0 or -EINVAL. */
int units_duration(const char *text, int64_t *ret_seconds);

/* "1d 2h", "45s": two units at most. Returns buf. */
const char *units_duration_format(int64_t seconds, char buf[static 32]);

struct rate {
	bool bits;	/* bits a second, else packets a second */
	uint64_t value; /* 1..1e9 packets; 1000..1e12 bits */
};

/* "100pps", "20kpps", "1mpps", "800bps", "64kbps", "8mbps", "1gbps" (powers of 1000). 0 or -EINVAL. */
int units_rate(const char *text, struct rate *ret);

/* "1", "200", "64k", "2m", "1g" (powers of 1000): packets or bytes, at least 1. 0 or -EINVAL. */
int units_count(const char *text, uint64_t *ret);

/* RFC 3339 UTC, "2026-11-23T11:00:00Z"; years 0000 to 9999, others are held there. Returns buf. */
const char *units_time_format(int64_t unix_seconds, char buf[static 32]);

#endif
