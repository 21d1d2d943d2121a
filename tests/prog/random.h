/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random lists and packets for the differential test, from a seed: the same
 * seed gives the same list and packets again (expiry times move with the
 * clock, on the same side of now).
 *
 * Lists are nested: prefixes of all lengths around a few addresses. Packets
 * are biased to hit them, and odd in every way that packet.h can say, then
 * mutated and cut.
 */
#ifndef PROG_RANDOM_H
#define PROG_RANDOM_H

#include "tests/prog/packet.h"
#include "tests/prog/reference.h"

#define RANDOM_CLAIMS	  64
#define RANDOM_CATEGORIES 14
#define RANDOM_QUORUMS	  2 /* categories with a k_of at most; those below have numbers behind */
#define RANDOM_FEEDS	  4
#define RANDOM_ROOTS	  4    /* of a family */
#define RANDOM_FRAME	  2048 /* longest frame */
#define RANDOM_ADDRESS	  46   /* of one as text */

/* How long a list may be used: limits are exact to half a second. */
#define RANDOM_LIFE 300000000ULL /* ns */

struct random_list {
	uint64_t state;
	struct reference world;
	struct reference_claim claim[RANDOM_CLAIMS];
	uint8_t root[2][RANDOM_ROOTS][16];
	struct packet packet; /* the last one, before it was mutated */
	struct packet quoted; /* in it */
	char source[RANDOM_ADDRESS];
};

/* now: boot ns. */
void random_list(struct random_list *list, uint64_t seed, uint64_t now);

/*
 * Changes a few claims of a list: adds, removes, replaces. Then limits have no
 * memory (a packet is always within or always over), because a source that is
 * written anew begins with a full bucket.
 */
void random_change(struct random_list *list, uint64_t now);
void random_forget_limits(struct random_list *list);

/* Returns the size of the frame, at least 14. */
size_t random_packet(struct random_list *list, uint8_t frame[static RANDOM_FRAME]);

/* A packet that leaves, such that the last random_packet() may well answer it. */
size_t random_leaving(struct random_list *list, uint8_t frame[static RANDOM_FRAME]);

#endif
