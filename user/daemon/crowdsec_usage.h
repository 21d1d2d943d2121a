/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What moat tells a LAPI of its work: POST /v1/usage-metrics, as the
 * specification for remediation components has it.
 *
 *	active_decisions  ip             by origin and family: what the stream told
 *	dropped           packet, byte   by origin, remediation and family
 *	processed         packet, byte   by family: all that the filter saw
 *
 * The last two count from the last report that was taken, so that one which is
 * lost is in the next. The filter counts by category: dropped is what the
 * categories of the feed dropped, whoever else lists in them, and carries an
 * origin only where the feed's decisions have a single one. Who wants exact
 * figures gives the feed categories of its own.
 *
 * Who uses it: feeds_run.c, one for each feed of format crowdsec, on the loop.
 * It is sent by a child without rights (feeder.h). A report that fails is
 * logged once and counted, and troubles nobody else.
 */
#ifndef DAEMON_CROWDSEC_USAGE_H
#define DAEMON_CROWDSEC_USAGE_H

#include "core/text.h"
#include "daemon/crowdsec_table.h"
#include "daemon/daemon.h"

struct crowdsec_usage;

int crowdsec_usage_new(struct daemon *d, struct crowdsec_usage **ret);
/* Ends a report that is under way. */
struct crowdsec_usage *crowdsec_usage_free(struct crowdsec_usage *u);
DEFINE_CLEANUP(struct crowdsec_usage, crowdsec_usage_free)

/* Several times a second: reports when it is time. table may be NULL. */
void crowdsec_usage_tick(struct crowdsec_usage *u, const struct config_feed *config,
			 const struct crowdsec_table *table, int64_t last_pull, int64_t now);

struct crowdsec_usage_numbers {
	uint64_t sent, failed;
};
void crowdsec_usage_numbers(const struct crowdsec_usage *u, struct crowdsec_usage_numbers *ret);

/* ---- the report itself ---- */

struct crowdsec_traffic {
	uint64_t packets, bytes;
};

/* By family: IPv4, IPv6. */
struct crowdsec_counters {
	struct crowdsec_traffic processed[2];
	struct crowdsec_traffic dropped[MOAT_CATEGORIES][2];
};

struct crowdsec_report {
	const struct config_feed *config;
	const struct crowdsec_table *table;    /* NULL: no answer yet */
	const struct categories *categories;   /* numbers of the counters */
	const struct crowdsec_counters *since; /* what was counted in the window */
	const char *os_name, *os_version;
	int64_t started, last_pull, window, now;
};

/* The body, as JSON. out->failed: out of memory. */
void crowdsec_report_write(struct text *out, const struct crowdsec_report *report);

#endif
