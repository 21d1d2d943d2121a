/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What if: what another configuration would have done to the packets of the
 * last minutes, from samples of what passed and of what was dropped.
 *
 * Each sample is judged twice, by the configuration that runs and by the one
 * that may come, both times with the listings of now; what differs is the
 * effect of the configuration alone. That part is exact. The shares are
 * estimated from samples, with Wilson's 95 % interval for as many equal samples
 * as the weights are worth (core/radius.h).
 *
 * What is judged: categories with their actions, scopes and k_of, shared,
 * never_block, modes, groups and trust of feeds, enforce, unjudged. What is
 * not: which listings the guards and the region let in, limits of another rate,
 * and answers that replies: pass would let in; whatif_unjudged() names it.
 *
 * Pure. Borrows both configurations.
 */
#ifndef CORE_WHATIF_H
#define CORE_WHATIF_H

#include "core/config.h"
#include "core/text.h"
#include "core/window.h"

#define WHATIF_TOP	  5
#define WHATIF_CATEGORIES 8
#define WHATIF_CLAIMS_MAX 256 /* on one address; more are not looked at */

/* A live listing that covers an address. */
struct whatif_claim {
	const char *category, *feed;
	struct prefix source;
	bool held;  /* only counts, whatever the configuration says */
	bool never; /* of the never-block set: found on the host, or configured */
};

/* Calls fn for each live claim on an address. */
typedef void (*whatif_claim_fn)(void *arg, const struct whatif_claim *claim);
typedef void (*whatif_claims_fn)(void *source, const struct prefix *address, whatif_claim_fn fn,
				 void *arg);

struct whatif_question {
	const struct config *now, *next;
	whatif_claims_fn claims;
	void *claims_arg;
	/* Name of an interface by its index, or NULL. */
	const char *(*interface)(void *arg, uint32_t index);
	void *interface_arg;
	const struct window *passed, *dropped; /* NULL: nothing is sampled */
	int64_t time;			       /* by the clock of the windows */
};

/* A share of what passed, or of what was dropped, and what it is made of. */
struct whatif_share {
	double share, at_least, at_most; /* 0..1 */
	size_t categories;
	struct {
		char name[MOAT_CATEGORY_NAME]; /* that would decide, or decided; "" for none */
		double share;
	} category[WHATIF_CATEGORIES];
	size_t tops;
	struct {
		struct prefix source; /* a host */
		double share;
	} top[WHATIF_TOP];
};

struct whatif_effect {
	size_t passed, dropped;	    /* samples */
	int64_t seconds;	    /* that they were taken in */
	bool judged, judged_drops;  /* there were enough of them; else those shares are 0 */
	struct whatif_share more;   /* of what passed: would be dropped */
	struct whatif_share tagged; /* of what passed: would get another mark, or one */
	struct whatif_share limited; /* of what passed: would be under a limit that it is not under */
	struct whatif_share less;    /* of what was dropped: would pass */
};

/* 0 or -ENOMEM. */
int whatif_ask(const struct whatif_question *question, struct whatif_effect *ret);

/* Keys that differ and that it does not judge: "region, guards"; "" for none. Returns buf. */
#define WHATIF_TEXT 256
const char *whatif_unjudged(const struct config *now, const struct config *next,
			    char buf[static WHATIF_TEXT]);

#endif
