/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dropped packets told to an sFlow collector, in datagrams of several, within
 * a quarter of a second. What cannot be sent is lost and counted, and the
 * collector is told how many.
 */
#ifndef DAEMON_EVENTS_SFLOW_H
#define DAEMON_EVENTS_SFLOW_H

#include "daemon/events.h"

struct events_sflow;

/* -ENOMEM, or what events_join() says. A collector that cannot be reached is a problem of later. */
int events_sflow_new(struct events *e, struct loop *loop, const struct config_events *c,
		     struct events_sflow **ret, struct problem *why);
struct events_sflow *events_sflow_free(struct events_sflow *s); /* sends what is left */
DEFINE_CLEANUP(struct events_sflow, events_sflow_free)

struct events_sflow_numbers {
	uint64_t sent, lost; /* packets told, and not */
	const char *problem; /* empty: none */
};
void events_sflow_numbers(const struct events_sflow *s, struct events_sflow_numbers *ret);

#endif
