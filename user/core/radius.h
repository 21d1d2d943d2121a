/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blast radius: which share of the packets that pass now a change of the list
 * would have hit.
 *
 *	radius_new(config, &r)
 *	radius_add(r, category, source)		each listing that the change adds
 *	radius_estimate(r, window, now, &e)
 *
 * Only what would act counts: categories whose action is to monitor, and allow,
 * hit nobody. A category with a scope hits what its scope fits, as bpf/rules.h
 * has it. Packets whose source is allowed would go on passing. Where a category
 * asks for several independent feeds, one list alone hits those only whom
 * another feed lists already: their packets are counted as monitored.
 *
 * The estimate is the share of the weight of all samples. What it may be at
 * most is the upper bound of Wilson's 95 % interval, for as many equal samples
 * as the weights are worth (Kish). Samples of one flow do not come alone, so
 * the bound is a hint and not a promise.
 *
 * Pure. r borrows config, which must not change while r lives.
 */
#ifndef CORE_RADIUS_H
#define CORE_RADIUS_H

#include "core/config.h"
#include "core/prefix.h"
#include "core/window.h"

#define RADIUS_SAMPLES_MIN 200 /* fewer are no traffic to judge by, */
#define RADIUS_SECONDS_MIN 60  /* and so are those of a shorter time */
#define RADIUS_TOP	   5
#define RADIUS_TEXT	   160
#define RADIUS_PPM	   1000000.0 /* config_limits.radius_budget is in millionths */

struct radius;

int radius_new(const struct config *config, struct radius **ret);
struct radius *radius_free(struct radius *r);
DEFINE_CLEANUP(struct radius, radius_free)

/* 0 or -ENOMEM. A category that is unknown or does not act is passed over. */
int radius_add(struct radius *r, const char *category, const struct prefix *source);

/* The listings are those of a feed that needs no other to agree. */
void radius_trust(struct radius *r);

/* Added ones that act. */
size_t radius_sources(const struct radius *r);

struct radius_estimate {
	size_t sources; /* that act */
	bool judged;	/* there was traffic to judge by; else the rest is 0 */
	double share;	/* 0..1 */
	double at_most;
	size_t samples;
	int64_t seconds;    /* that the samples were taken in */
	size_t hit_sources; /* different ones among the samples that would have been hit */
	size_t tops;
	struct {
		struct prefix source; /* a host */
		double share;
	} top[RADIUS_TOP]; /* of those, the ones with the largest share */
};

/* window NULL: nothing is sampled. 0 or -ENOMEM. */
int radius_estimate(struct radius *r, const struct window *window, int64_t now,
		    struct radius_estimate *ret);

/* The upper bound of Wilson's 95 % interval for a share seen in n samples. */
double radius_wilson(double share, double n);

/* Whether a guard of these limits stands against it. */
bool radius_is_over(const struct radius_estimate *e, const struct config_limits *limits);

/* "would have hit 0.12 % (at most 0.30 %) of what passed in the last 10 min, 48211 samples" */
const char *radius_text(const struct radius_estimate *e, char buf[static RADIUS_TEXT]);

#endif
