/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of packets (moat/event.h), from the rings of the kernel to whoever
 * reads: streams of the API, the log, the sFlow collector.
 *
 * Sampling is on while there is a reader, and only then. The rate is the
 * highest that a reader asks for; each reader is held to its own. A reader
 * takes an event or does not: nobody waits for it, what it did not take is
 * counted for it and said to it.
 *
 * Belongs to the daemon; everything takes NULL for "there are no events".
 */
#ifndef DAEMON_EVENTS_H
#define DAEMON_EVENTS_H

#include "core/event.h"
#include "daemon/daemon.h"

#define EVENTS_READERS_MAX 64

#define EVENTS_LOST_SHOWN 60 /* seconds that a loss is worth a word in status */

struct events;

int events_new(struct daemon *d, struct events **ret, struct problem *why);
struct events *events_free(struct events *e);
DEFINE_CLEANUP(struct events, events_free)

/* Another configuration is in force: log, sFlow, rate. */
void events_reload(struct events *e);
/* SIGUSR1: the log is opened anew, as after a rotation. */
void events_reopen(struct events *e);

/* One event in the hands of a reader; lives until take() returns. */
struct event {
	const struct moat_event *raw;
	struct event_packet packet;
	struct event_names names;
	int64_t unix_ns;
};

/* Its JSON object, made once however many ask; with or without the packet's bytes. */
const char *events_json(struct events *e, const struct event *event, bool bytes, size_t *ret_size);

/* Which events a reader wants. Zero: whatever is not passed clean, at the configured rate. */
struct events_filter {
	uint64_t verdicts;   /* bits of enum moat_verdict; 0: any */
	uint64_t reasons;    /* bits of enum moat_reason; 0: any */
	uint64_t categories; /* bits of categories; 0: any */
	char iface[16];	     /* empty: any */
	bool has_source;
	struct prefix source; /* then: covers the source of the packet */
	bool passes;	      /* also packets that pass */
	uint32_t rate;	      /* a second, at most CONFIG_EVENTS_RATE_MAX; 0: as configured */
};

/* Since the reader came; of lost and suppressed nobody knows whether it would have wanted them. */
struct events_told {
	uint64_t delivered;  /* taken by the reader */
	uint64_t filtered;   /* not wanted by its filter */
	uint64_t lost;	     /* by all: a ring in the kernel was full */
	uint64_t suppressed; /* by all: over the rate in the kernel */
	uint64_t limited;    /* over the reader's own rate */
	uint64_t slow;	     /* wanted, and not taken */
};

struct events_reader;

struct events_reader_kind {
	struct events_filter filter;
	/* False: no room for it. */
	bool (*take)(void *arg, const struct event *event);
	/* At most once a second, when something was lost, suppressed or not taken since. NULL: not told. */
	void (*tell)(void *arg, const struct events_told *told);
	void *arg;
};

/* 0, -EBUSY too many readers, -ENOTSUP no events here (why says it), -ENOMEM. */
int events_join(struct events *e, const struct events_reader_kind *kind, struct events_reader **ret,
		struct problem *why);
/* Not from within take() or tell(). */
void events_leave(struct events *e, struct events_reader *reader);
void events_told(const struct events_reader *reader, struct events_told *ret);

/* For metrics and status. */
struct events_numbers {
	bool on; /* somebody reads */
	size_t readers;
	uint64_t rate;	     /* in force, a second; 0: off */
	uint64_t read;	     /* events, from the kernel */
	uint64_t lost;	     /* a ring was full */
	uint64_t suppressed; /* over the rate */
	uint64_t slow;	     /* that readers did not take, summed over them */
	uint64_t logged, log_lost;
	uint64_t sflow_sent, sflow_lost; /* packets told to the collector */
	int64_t lost_at;		 /* unix seconds when something was lost last; 0: never */
	const char *problem;		 /* of log or collector now; empty: none */
};
void events_numbers(const struct events *e, struct events_numbers *ret);

#endif
