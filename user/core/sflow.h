/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sFlow version 5: what is dropped, told to a collector. Datagrams as of the
 * sFlow memo "sFlow Version 5" (2004), of samples discarded_packet
 * (enterprise 0, format 5) as of "sFlow Dropped Packet Notification
 * Structures" (2020), each with the first bytes of its frame.
 *
 *	sflow_begin(&d, &agent, uptime_ms);
 *	sflow_add(&d, &discard);		until it says false: then send it, begin anew
 *	sflow_end(&d);				d.data, d.size are the datagram
 *
 * Invariant: a datagram is never longer than SFLOW_DATAGRAM, and each of its
 * lengths is what it says.
 */
#ifndef CORE_SFLOW_H
#define CORE_SFLOW_H

#include "core/prefix.h"
#include "moat/event.h"

#define SFLOW_DATAGRAM 1400 /* bytes: fits into a frame, tunnels included */

/* Who tells. sequence is that of the next datagram. */
struct sflow_agent {
	struct prefix address; /* a host */
	uint32_t sequence;
};

struct sflow_discard {
	uint32_t sequence; /* of this interface, from 1 */
	uint32_t drops;	   /* that could not be told, ever */
	uint32_t ifindex;  /* it came in by */
	uint32_t reason;   /* sflow_reason() */
	uint32_t length;   /* of the frame without its FCS */
	const uint8_t *head;
	uint32_t size; /* of head, at most MOAT_EVENT_HEAD */
};

struct sflow_datagram {
	uint8_t data[SFLOW_DATAGRAM];
	uint32_t size;
	uint32_t samples;
	uint32_t samples_at; /* where their number stands */
};

void sflow_begin(struct sflow_datagram *d, struct sflow_agent *agent, uint32_t uptime_ms);

/* False: it does not fit any more, nothing was added. */
bool sflow_add(struct sflow_datagram *d, const struct sflow_discard *discard);

void sflow_end(struct sflow_datagram *d);

/* What the memo calls the reason of moat. */
uint32_t sflow_reason(enum moat_reason reason);

#endif
