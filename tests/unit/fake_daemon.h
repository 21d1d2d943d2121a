/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A daemon for the tests of the HTTP side: the symbols of sync, ifaces,
 * daemon, program and tables that http and api call, answered from one struct
 * that the test fills. The gate, the store and the loop are the real ones.
 */
#ifndef TESTS_FAKE_DAEMON_H
#define TESTS_FAKE_DAEMON_H

#include "daemon/daemon.h"
#include "plane/hits.h"

#define FAKE_INTERFACES 4
#define FAKE_DEGRADED	4
#define FAKE_HITS	32

struct fake_daemon {
	struct daemon daemon; /* what the handlers get */
	struct config config;
	struct categories categories;
	struct gate gate;
	struct prefix never_block[1];

	struct store *store;
	struct sync_numbers numbers;
	int follow_error;	/* sync_follow() fails with it */
	unsigned int follows;	/* calls of sync_follow() */
	int64_t rows_at_follow; /* rows of listing when it was called last */
	struct prefix full;	/* sync_refused() says map_full of it */
	bool judged;		/* what sync_judge() answers */
	struct plan plan;
	bool has_counts; /* sync_each_count() gives one of each state */

	struct window *window; /* what samples_estimate() judges by; NULL: nothing */
	int64_t window_now;
	char held[64];	    /* the feed that sync_hold() holds, "" */
	unsigned int holds; /* calls of sync_hold() that changed something */
	int hold_error;

	const char *kernel_lacks; /* what program_lacks() tells; NULL: nothing */

	size_t interfaces;
	struct iface_view view[FAKE_INTERFACES];
	int attach_error;
	struct moat_stats *stats; /* MOAT_CELLS of the first interface; NULL: no program */

	uint32_t hits; /* of how many sources hits are noted */
	size_t seen;   /* entries of: */
	struct {
		struct prefix source;
		struct moat_hit hit;
	} hit[FAKE_HITS];
	uint32_t flows; /* replies pass, and so many are remembered; 0: they do not */
	struct tables_sieve_state sieve;
	int64_t paused;
	size_t degraded;
	const char *degraded_what[FAKE_DEGRADED];

	struct explanation explanation;
	struct explain_query asked; /* the last explain */
	struct moat_phase phase[4];
};

extern struct fake_daemon fake;

/* Everything fine: one interface attached, nothing listed, the configuration below. */
void fake_reset(void);

/* The same, but what the lab has put in stays: store, loop, addresses. */
void fake_reset_state(void);

/*
 * Categories of the fake: allow (built in), botnet drop, bruteforce drop tcp
 * 22 and 3389-3400, research monitor. never_block 203.0.113.0/24.
 */
enum { FAKE_BOTNET = 1, FAKE_BRUTEFORCE = 2, FAKE_RESEARCH = 3 };

#endif
