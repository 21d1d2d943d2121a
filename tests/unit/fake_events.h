/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings of events that are not there, with the symbols of plane/events.h.
 */
#ifndef TESTS_FAKE_EVENTS_H
#define TESTS_FAKE_EVENTS_H

#include "plane/events.h"

#define FAKE_EVENTS 4096

struct fake_rings {
	struct moat_event event[FAKE_EVENTS]; /* what the next look finds */
	size_t events;
	struct tables_event_counts counts;
	uint64_t rate, until; /* as renewed last */
	unsigned int renewals;
	uint32_t wanted; /* of all programs; events are put while it is not 0 */
	int error;	 /* of tables_set_events() */
};

extern struct fake_rings fake_rings;

/* One of a dropped packet from 198.51.100.LAST; false: nobody watches, or the ring is full. */
bool fake_event(uint8_t last);

#endif
