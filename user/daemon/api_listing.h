/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A row of the database as the API shows it, for every handler that does.
 */
#ifndef DAEMON_API_LISTING_H
#define DAEMON_API_LISTING_H

#include "core/emit.h"
#include "daemon/daemon.h"

/* What became of a row. */
enum listing_state { LISTING_LIVE, LISTING_EXPIRED, LISTING_REFUSED, LISTING_ELSEWHERE };

struct listing_fate {
	enum listing_state state;
	enum gate_cause cause;	 /* LISTING_REFUSED */
	struct claim claim;	 /* not LISTING_REFUSED by the gate: what the row says */
	const struct gate *gate; /* LISTING_ELSEWHERE: which regions are here */
	bool monitored; /* LISTING_LIVE, and only counts: its feed is in mode monitor or held */
};

/* By the gate, the time, and whether the kernel took it. */
void listing_judge(struct daemon *d, const struct row *row, int64_t now, struct listing_fate *ret);

/* " allow botnet scanner": what a row may be listed under. */
void listing_known_categories(const struct categories *categories, struct problem *ret);

/* A row of which the gate said this. claim: what the gate filled in. */
void listing_judge_cause(struct daemon *d, enum gate_cause cause, const struct claim *claim,
			 int64_t now, struct listing_fate *ret);

/* A row that passed the gate. */
void listing_judge_claim(struct daemon *d, const struct claim *claim, int64_t now,
			 struct listing_fate *ret);

const char *listing_state_label(enum listing_state state);

/* "state", "cause" and "monitored" of the object that is open. */
void listing_emit_fate(struct emit *e, const struct listing_fate *fate);

/* "why" of the object that is open: in words, if it is refused or in force elsewhere only. */
void listing_emit_why(struct emit *e, const char *region, const struct listing_fate *fate);

/* One whole object. */
void listing_emit(struct emit *e, const struct listing *listing, const struct listing_fate *fate);

/* Seconds as RFC 3339; 0 is null (never). */
void listing_emit_time(struct emit *e, const char *key, int64_t unix_seconds);

/* Names of a set of categories, as an array. */
void listing_emit_set(struct emit *e, const char *key, const struct categories *categories,
		      uint64_t set);

/*
 * Every spelling under which a source or what covers it may stand in the
 * database: of each length, the canonical text, and a host also with its
 * length. Texts lie in the struct.
 */
#define LISTING_SPELLINGS (129 + 1)

struct spellings {
	size_t count;
	const char *text[LISTING_SPELLINGS];
	char room[LISTING_SPELLINGS][PREFIX_TEXT_MAX];
};

void spellings_covering(const struct prefix *source, struct spellings *ret);

/*
 * The spellings of one source: as it was given, which is how the gate may have
 * refused it, canonical, and a host with its length. Texts lie in the struct,
 * but for the given one.
 */
struct source_spellings {
	size_t count;
	const char *text[3];
	bool known; /* it is a source at all */
	struct prefix prefix;
	char canonical[PREFIX_TEXT_MAX], cidr[PREFIX_TEXT_MAX];
};

void spellings_of(const char *source, struct source_spellings *ret);

/* Wall clock, unix seconds. */
int64_t api_now(void);

#endif
