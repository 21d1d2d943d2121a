/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets and bytes of each second, of many series, kept for days in bounded
 * memory: every second for ten minutes, tens of seconds for six hours, minutes
 * for a week.
 *
 *	history_open(h, second, count)		these seconds are over
 *	history_add(h, series, packets, bytes)	what each series had in them, evenly
 *	history_read(h, series, from, seconds, &p)
 *
 * All series share one axis of seconds, which count from anywhere and only go
 * up. It remembers which of them anything is known of: where nothing is, there
 * is a gap and not a zero. A new series had nothing before.
 *
 * Pure. About 100 kB a series (HISTORY_SERIES_MAX bounds them), which are
 * touched as time goes on.
 */
#ifndef CORE_HISTORY_H
#define CORE_HISTORY_H

#include "core/base.h"

#define HISTORY_SERIES_MAX 128

/*        seconds a cell, cells */
#define HISTORY_TIERS(X)                                                                           \
	X(1, 600)                                                                                  \
	X(10, 2160)                                                                                \
	X(60, 10080)

#define HISTORY_SECONDS_MAX (60 * 10080) /* that the last tier looks back */

struct history;

int history_new(struct history **ret);
struct history *history_free(struct history *h);
DEFINE_CLEANUP(struct history, history_free)

/* The next series, from 0 on; -ENOSPC, -ENOMEM. */
int history_series(struct history *h);

/* count seconds from second on are over: all later than those before, at most 60. */
void history_open(struct history *h, int64_t second, unsigned int count);

/* Of the seconds last opened. */
void history_add(struct history *h, int series, double packets, double bytes);

/* How many seconds back a look by steps of so many seconds can reach; 0: there is no such step. */
int64_t history_reach(unsigned int step);

struct history_point {
	double packets, bytes; /* a second */
	unsigned int seconds;  /* of the step that are known; 0: a gap */
};

/*
 * The mean of a step: step seconds from second on, which both are multiples of
 * what history_reach() takes.
 */
struct history_point history_read(const struct history *h, int series, int64_t second,
				  unsigned int step);

#endif
