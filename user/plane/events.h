/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of all interfaces (moat/event.h): switched, and read from the rings
 * that the programs write to. The rings are mapped: a look costs no system
 * call, and what nobody reads costs nobody anything.
 *
 *	tables_set_events(t, &why);			once, before programs are loaded
 *	tables_renew_events(t, rate, until);		again and again, while somebody watches
 *	program_set_events(p, MOAT_EVENT_VERDICTS);	likewise, for each interface
 *	tables_read_events(t, fn, arg, most);		as often as the rings need it
 */
#ifndef PLANE_EVENTS_H
#define PLANE_EVENTS_H

#include "moat/event.h"
#include "plane/program.h"
#include "plane/tables.h"

#define EVENTS_RENEW_MS 250 /* between two renewals */

/* Bytes of kernel memory that the rings of this machine's CPUs take. */
uint64_t tables_events_memory(void);

/* Makes the rings. On failure programs write no events, and all else works. */
int tables_set_events(struct tables *t, struct problem *why);

/*
 * At most rate events a second of all CPUs together (and as many of packets
 * that pass), until the boot clock says so. Each call shares the rate between
 * the CPUs by what they had since the last one: call it every EVENTS_RENEW_MS.
 */
void tables_renew_events(struct tables *t, uint64_t rate, uint64_t until_ns);

/* Which packets of an interface become events: MOAT_EVENT_VERDICTS, MOAT_EVENT_PASSES; 0: none. */
void program_set_events(struct program *p, uint32_t wanted);

/*
 * Hands out at most so many of the events that are there, in the order of
 * their times as far as one look can tell. The event belongs to the ring and
 * lives until fn returns. What was written after the last call comes with the
 * next one: then it is whole, on every kind of CPU. Returns how many were
 * handed out; equal to most: there may be more.
 */
typedef void (*tables_event_fn)(void *arg, const struct moat_event *event);
size_t tables_read_events(struct tables *t, tables_event_fn fn, void *arg, size_t most);

/* Of ever, since the rings were made. */
struct tables_event_counts {
	uint64_t written;
	uint64_t lost;	     /* found a ring full */
	uint64_t suppressed; /* over the rate */
	uint32_t fill;	     /* of the fullest ring, percent */
};
void tables_count_events(const struct tables *t, struct tables_event_counts *ret);

#endif
