/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets and bytes a second by interface, verdict, reason and category: the
 * counters, looked at once a second and kept as core/history.h keeps them.
 *
 * What many ask for is computed once: an answer is encoded at most once in a
 * second, and so is what is told live. Both belong to the rates and are good
 * until the next look.
 *
 * Belongs to the daemon. A reload changes nothing of it; with moatd it ends.
 */
#ifndef DAEMON_RATES_H
#define DAEMON_RATES_H

#include "core/text.h"
#include "daemon/daemon.h"

#define RATES_POINTS_MAX    2160 /* of an answer */
#define RATES_POINTS_PRESET 720	 /* that rates_step() keeps to */

struct rates;

int rates_new(struct daemon *d, struct rates **ret);
struct rates *rates_free(struct rates *r);
DEFINE_CLEANUP(struct rates, rates_free)

/* Looks once a second from now on, in the daemon's loop. 0 or negative errno. */
int rates_start(struct rates *r);

/* Called after every look that found a second over; live is one line of JSON. One at most. */
void rates_on_look(struct rates *r, void (*fn)(void *arg, const struct text *live), void *arg);

/*
 * The last seconds of every series as JSON, in steps of that many seconds.
 *   -EINVAL  more than RATES_POINTS_MAX, or no step that there is
 */
int rates_history(struct rates *r, int64_t seconds, unsigned int step, const struct text **ret);

/* The finest step that an answer of so many seconds may have. */
unsigned int rates_step(int64_t seconds);

/* A look at the counters, at this ms of the boot clock: the timer's, and a test's. */
void rates_look(struct rates *r, int64_t boot_ms);

#endif
