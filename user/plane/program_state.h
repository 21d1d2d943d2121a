/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is behind struct program. Private to plane/program*.c.
 */
#ifndef PLANE_PROGRAM_STATE_H
#define PLANE_PROGRAM_STATE_H

#include <limits.h>

#include "plane/object.h"
#include "plane/program.h"

#define PIN_LINK    "link"
#define PIN_IFACE   "iface"
#define PIN_STATS   "stats"
#define PIN_CHAINED "chained" /* the program, in place of the link, which libxdp pins */

#define PROGRAM_INTERFACE_MAX 16 /* IFNAMSIZ */

#define CARRIED_MAX 8

/* Counters of a moat with another layout. */
struct carried {
	int fd; /* owned; -1: none */
	uint32_t id, cells, words, reasons;
	bool fresh; /* to be pinned before the program takes over */
};

struct program {
	struct object_program fd;
	uint32_t id;		  /* kernel id of the XDP program */
	struct moat_iface *iface; /* mapped */

	/* An interface's. */
	char *root; /* the pins directory */
	char *pins; /* the interface's own: root/if/NAME */
	char name[PROGRAM_INTERFACE_MAX];
	const struct tables *tables; /* borrowed */
	bool replies;		     /* the egress program is wanted */
	bool frags;		     /* loaded for multi-buffer packets */
	int link;
	bool trial;	   /* the link is not pinned */
	int unchained;	   /* why it cannot be under the dispatcher; 0: not known to be so */
	uint32_t priority; /* under the dispatcher; 0: attached by an own link */
	struct carried carried[CARRIED_MAX];
	bool fallback;		      /* generic because native was refused */
	struct moat_samples *samples; /* mapped, one a CPU; NULL: a probe */
	uint64_t *samples_seen;	      /* owned: head of each at the last look */
	volatile uint32_t *wanted;    /* mapped: which events it writes; NULL: a probe */

	/* The probe's. */
	int policies;			    /* tables' fd, borrowed */
	const struct moat_control *control; /* tables' mapping, borrowed */
	struct moat_stats *cells;	    /* mapped; NULL: not a probe */
	uint32_t last_cell;		    /* the only one that may be non-zero */
	unsigned char *frame;		    /* what comes back */
};

/*
 * Loads the program anew if it is not what a mode needs. Generic XDP
 * linearizes packets by itself; given a multi-buffer program it copies them
 * instead and forgets the length of the MAC header (seen on 6.18), so that tc
 * programs, moat's and others', read the frame from the wrong place.
 */
int program_suit(struct program *p, enum attach_mode mode, struct problem *why);

/* The maps that one program leaves to the next, borrowed. */
struct object_parts program_parts(const struct program *p);

/* ---- program_chain.c ---- */

/* Whether nothing is known that forbids it: rights, or that it was tried in vain. 0 or negative errno. */
int program_chain_allowed(const struct program *p, uint32_t ifindex, struct problem *why);
/* As program_attach() and program_check(). -EEXIST without why: a program without dispatcher. */
int program_chain_attach(struct program *p, uint32_t ifindex, enum config_mode mode,
			 struct problem *why);
int program_chain_check(const struct program *p, uint32_t ifindex, struct attachment *ret,
			struct problem *why);
/* What the pins say is chained to the interface (0: which is gone) goes, with that pin. */
int program_chain_detach(const char *pins, uint32_t ifindex);

/* ---- program_samples.c ---- */

/* Maps the rings, and gives the program a seed. */
int program_samples_open(struct program *p, struct problem *why);
void program_samples_close(struct program *p);

/* ---- tables_events.c ---- */

/* Maps the word that switches its events. */
int program_events_open(struct program *p, struct problem *why);
void program_events_close(struct program *p);

/* ---- program_carried.c ---- */

/* Finds what is carried; replaced, which is taken over: the counters of another layout, or -1. */
void program_carried_open(struct program *p, int replaced);
/* Before the program takes over. 0 or negative errno. */
int program_carried_pin(struct program *p);
int program_carried_unpin(const char *pins);
void program_carried_close(struct program *p);
/* Adds them to all cells. 0 or negative errno. */
int program_carried_add(const struct program *p, struct moat_stats *to);

/* DIR/if/NAME of an interface, its name escaped. 0 or -ENAMETOOLONG. */
int program_pins(char buf[static PATH_MAX], const char *dir, const char *iface);

#endif
