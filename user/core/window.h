/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The samples of the last ten minutes, weighted: a bounded picture of what
 * passes. Pure: time is a parameter, randomness has a seed.
 *
 * Ten minutes are slots of ten seconds, each of which holds WINDOW_SLOT_MAX
 * samples. A slot that is full forgets half of its samples by lot, lets the
 * others stand for twice as much, and takes every second one from then on: the
 * sum of the weights stays, on average, the packets that passed.
 *
 * Who uses it: the daemon adds, whoever estimates reads. Owned by its maker.
 */
#ifndef CORE_WINDOW_H
#define CORE_WINDOW_H

#include "core/base.h"
#include "moat/sample.h"

#define WINDOW_SECONDS	600
#define WINDOW_SLOT	10 /* seconds */
#define WINDOW_SLOTS	(WINDOW_SECONDS / WINDOW_SLOT)
#define WINDOW_SLOT_MAX 1024

_Static_assert(WINDOW_SLOTS *WINDOW_SLOT_MAX <= 65536, "what a window may hold");

struct window;

int window_new(uint64_t seed, struct window **ret);
struct window *window_free(struct window *w);
DEFINE_CLEANUP(struct window, window_free)

/* The window sees traffic from now on; the first call counts. Seconds of any steady clock. */
void window_open(struct window *w, int64_t now);
/* Nothing is seen any more: what is known of the past is forgotten. */
void window_close(struct window *w);

/*
 * weight: packets that the sample stands for. now does not go back; a sample
 * for which there is no memory is left out.
 */
void window_add(struct window *w, int64_t now, const struct moat_sample *sample, double weight);

struct window_numbers {
	size_t samples;
	int64_t seconds; /* that they were taken in, WINDOW_SECONDS at most; 0: not open */
};
void window_numbers(const struct window *w, int64_t now, struct window_numbers *ret);

/* In no order. */
typedef void (*window_fn)(void *arg, const struct moat_sample *sample, double weight);
void window_each(const struct window *w, int64_t now, window_fn fn, void *arg);

#endif
