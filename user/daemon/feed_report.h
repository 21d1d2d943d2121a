/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What taking a list over would do, or did, and why it is not taken over.
 *
 * Filled by feed_apply.c; shown by the API, dry run or not.
 */
#ifndef DAEMON_FEED_REPORT_H
#define DAEMON_FEED_REPORT_H

#include "core/emit.h"
#include "core/feed.h"
#include "core/gate.h"
#include "core/problem.h"
#include "core/radius.h"
#include "store/store.h"

#define FEED_OVERLAPS_MAX 64 /* other feeds that a report names */
#define FEED_CAUSE_MAX	  32

/*
 * Why a list as a whole is not taken over, beyond what the parser finds
 * (FEED_FAULTS in core/feed.h); labels of both are values of one metric.
 *
 *        name         label            may be forced */
/* clang-format off */
#define FEED_GUARDS(X)                                                                             \
	X(FETCH,       "fetch",       false) /* it could not be fetched, or the child failed */    \
	X(TOO_MANY,    "too_many",    false) /* more listings than one feed may have */            \
	X(NOT_EMPTY,   "not_empty",   true)  /* no entry, without allow_empty */                   \
	X(MIN_ENTRIES, "min_entries", true)                                                        \
	X(SHRINK,      "shrink",      true)                                                        \
	X(GROWTH,      "growth",      true)                                                        \
	X(SHARE,       "share",       true)  /* of the address space */                            \
	X(RADIUS,      "radius",      true)  /* of the traffic that passes now */                  \
	X(DATABASE,    "database",    false)
/* clang-format on */

/* clang-format off */
enum feed_guard {
	FEED_PASSED,
#define X(name, label, forced) FEED_GUARD_##name,
	FEED_GUARDS(X)
#undef X
	FEED_GUARD_MAX,
};
/* clang-format on */

const char *feed_guard_label(enum feed_guard guard);
bool feed_guard_forced(enum feed_guard guard);

struct feed_report {
	enum feed_format format;
	bool complete;	   /* the list proved that nothing of it is missing */
	bool delta;	   /* it says what changed; what it does not name stays */
	uint64_t rows;	   /* that the parser gave */
	size_t entries;	   /* listings that the feed has with it */
	size_t duplicates; /* rows that say the same once more */
	size_t before;	   /* listings of the feed now */
	size_t live;	   /* of those, the ones whose end has not come */
	size_t adds, removes, refreshes, unchanged;
	size_t lingering;		 /* of before: left the list, and end later */
	size_t wide;			 /* left out: need force and an expiry */
	size_t expired;			 /* left out: ended already */
	size_t masked;			 /* had host bits */
	size_t no_category;		 /* rows left out: category neither mapped nor given */
	size_t asn;			 /* rows left out: AS numbers that were not expanded */
	uint64_t asns;			 /* AS numbers it names, */
	uint64_t asns_found;		 /* of these, found in asn_table, */
	uint64_t asn_prefixes;		 /* and rows that came of these */
	bool tables;			 /* there is an asn_table */
	uint64_t skipped[FEED_SKIP_MAX]; /* by the parser */
	uint64_t first_skipped;		 /* its line, 0: none */
	size_t refused[GATE_CAUSE_MAX];	 /* entries that will not be in force */
	uint64_t addresses;		 /* IPv4, union of what will be in force */
	uint64_t nets;			 /* IPv6, in /64s */
	size_t never_block;		 /* entries that overlap a never-block prefix */
	size_t overlaps;
	struct feed_overlap {
		char feed[64];
		size_t sources; /* listings of that feed that overlap this one's */
	} overlap[FEED_OVERLAPS_MAX];

	struct radius_estimate radius; /* of what the list adds, or of all if the feed is held */
	enum feed_hold hold;	       /* how the feed is with this list */
	bool monitor;		       /* it is in mode monitor, which is no news */
	char hold_why[192];

	char cause[FEED_CAUSE_MAX]; /* "": nothing stands against it */
	bool forced;		    /* a guard stood against it, and was overruled */
	bool applied;
	struct problem why; /* of cause: what and what to do */
};

/* "guard", "hand", "mode"; NULL: it is not held. */
const char *feed_hold_label(uint64_t hold);

/* A member "radius". */
void feed_radius_emit(struct emit *e, const struct radius_estimate *radius);

/* The member "asn" of an object that is open. */
void feed_report_emit_asns(struct emit *e, uint64_t asns, uint64_t found, uint64_t prefixes,
			   bool tables);

/* The members of an object that is open. */
void feed_report_emit(struct emit *e, const struct feed_report *r);

#endif
