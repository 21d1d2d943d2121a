/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads the object that is shipped, fills its maps, sends frames through it
 * with BPF_PROG_TEST_RUN, and reads its counters.
 *
 * On purpose not user/plane: what both got wrong would go unseen.
 *
 * Who owns what: a struct harness owns its maps and programs. The frame of
 * struct harness_seen belongs to the harness and lives until the next send.
 *
 * Invariant: harness_check_sum() holds after every send. Each test ends with it.
 */
#ifndef PROG_HARNESS_H
#define PROG_HARNESS_H

#include "core/base.h"
#include "moat/control.h"
#include "moat/source.h"
#include "moat/stats.h"
#include "tests/prog/reference.h"

struct harness;

struct harness_options {
	uint32_t capacity[2]; /* by family */
	uint32_t phases;
	uint32_t events;	     /* places in the ring of CPU 0, a power of two; 0: none */
	bool linear;		     /* load without the multi-buffer flag */
	const struct harness *share; /* take all maps but iface and stats from this one */
};

int harness_new(const struct harness_options *options, struct harness **ret);
struct harness *harness_free(struct harness *h);
DEFINE_CLEANUP(struct harness, harness_free)

/* Whether the kernel took the program as multi-buffer. */
bool harness_takes_frags(const struct harness *h);

/* fd of a map by its name in moat/abi.h. */
int harness_fd(const struct harness *h, const char *name);

/* Writes one element; a failure ends the test program. */
void harness_write(const struct harness *h, const char *map, const void *key, const void *value);

/* moat_event_wanted: which packets become events. */
void harness_watch(struct harness *h, uint32_t wanted);
uint32_t harness_watched(const struct harness *h);

/* Deletes one, which must be there. */
void harness_delete(const struct harness *h, const char *map, const void *key);

/* Forgets every source and every flow, for the next list. */
void harness_clear(struct harness *h);

/* Makes every flow so many seconds older. */
void harness_age_flows(const struct harness *h, unsigned int seconds);

/* The switches as the world has them, in force at once. */
void harness_switch(struct harness *h, const struct reference *world);

/* Bank the next list's policies, classes and lengths go to; harness_flip() puts it in force. */
uint32_t harness_bank(const struct harness *h);
void harness_flip(struct harness *h);

/* ---- packets ---- */

struct harness_seen {
	uint32_t xdp; /* XDP_PASS, XDP_DROP, ... */
	const uint8_t *frame;
	size_t size;
	bool shown;  /* what lies before the frame; kernels before 5.15 do not show it */
	bool marked; /* moat's tag lies before the frame */
	uint32_t mark;
};

/* Whether a packet came back with that mark (marked), or without one; true where that is not shown. */
bool harness_mark_is(const struct harness_seen *seen, bool marked, uint32_t mark);

/* 0 or negative errno: the kernel refuses frames below 14 bytes and above PACKET_MAX. */
int harness_send(struct harness *h, const uint8_t *frame, size_t size, struct harness_seen *ret);

/* The same with so many bytes of somebody else's metadata before the frame; -EOPNOTSUPP. */
int harness_send_behind(struct harness *h, size_t metadata, const uint8_t *frame, size_t size,
			struct harness_seen *ret);

/* Runs moat_mark, the tc program; *mark is skb->mark before and after. */
int harness_send_tc(struct harness *h, const uint8_t *frame, size_t size, uint32_t *mark,
		    int *ret_action);

/*
 * Runs moat_egress on a frame that leaves; it must change nothing and pass. Not
 * counted. -EINVAL: the kernel runs no tc program on less than an IP header.
 */
int harness_leave(struct harness *h, const uint8_t *frame, size_t size);

/* Nanoseconds a packet that comes in, or leaves, of very many like it. */
uint32_t harness_time(struct harness *h, bool leaves, const uint8_t *frame, size_t size);

/* ---- counters ---- */

#define HARNESS_NO_CELL MOAT_CELLS

/* One cell, summed over CPUs. */
struct moat_stats harness_cell(const struct harness *h, uint32_t cell);

/* All cells: MOAT_CELLS entries. */
void harness_cells(const struct harness *h, struct moat_stats *ret);

/* The one cell that grew since the last call, or HARNESS_NO_CELL if none or several did. */
uint32_t harness_grown(struct harness *h);

/* What a cell counts. */
void harness_cell_meaning(uint32_t cell, struct reference_outcome *ret);

/* Whether the sum over all cells is the packets and bytes sent; prints what differs. */
bool harness_check_sum(const struct harness *h);

/* Now, on the clock the filter compares with. */
uint64_t harness_now(void);

#endif
