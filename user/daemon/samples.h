/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What passes now: samples of all interfaces in one window (core/window.h),
 * read on a timer from the rings of the programs.
 *
 * The chance of a packet to become a sample follows the traffic, so that about
 * SAMPLES_RATE a second are taken, shared by the interfaces; where less passes,
 * every packet is one. What passes while the filter is paused says nothing
 * about the clean traffic and is left out. Dropped packets have a window of
 * their own, and a third of the rate.
 *
 * Belongs to the daemon; everything takes NULL for "nothing is sampled".
 */
#ifndef DAEMON_SAMPLES_H
#define DAEMON_SAMPLES_H

#include "core/radius.h"
#include "daemon/daemon.h"

#define SAMPLES_RATE	1500 /* a second, about */
#define SAMPLES_LOOK_MS 250  /* between looks at the rings */

struct samples;

int samples_new(struct daemon *d, struct samples **ret);
struct samples *samples_free(struct samples *s);
DEFINE_CLEANUP(struct samples, samples_free)

/* What passed would have been hit by r. 0 or -ENOMEM. */
int samples_estimate(const struct samples *s, struct radius *r, struct radius_estimate *ret);

/*
 * The windows themselves, of what passed and of what was dropped, and now by
 * their clock. In a sample "reserved" is the index of the interface. NULL:
 * nothing is sampled.
 */
const struct window *samples_passed(const struct samples *s);
const struct window *samples_dropped(const struct samples *s);
int64_t samples_now(void);

struct samples_numbers {
	uint64_t taken;	 /* ever, by this process */
	uint64_t missed; /* that were to be taken while a ring was full */
	size_t window;	 /* in the window now */
	int64_t seconds; /* that the window looks back */
};

void samples_numbers(const struct samples *s, struct samples_numbers *ret);

/*
 * The chance for the next look, after packets passed in ms and chance was in
 * force: falls at once and rises by at most twice, since a burst costs the
 * packets and a lull only samples. interfaces share the rate.
 */
uint32_t samples_chance(uint32_t chance, double packets, int64_t ms, size_t interfaces);

/* The same chance, rounded down, as program_set_drop_sampling() takes it. */
uint8_t samples_drop_sampling(uint32_t chance);

#endif
