/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of sync, shared by sync*.c and nobody else.
 *
 *	sync.c		opens, follows the change log, expires
 *	sync_load.c	reads everything and reconciles the maps
 *	sync_hold.c	feeds whose listings only count
 *	sync_policy.c	categories, policies and guards of the configuration
 *	sync_quorum.c	which feeds are independent, which are trusted
 *	sync_never.c	another never-block set, by itself
 *	sync_write.c	compiles, and writes what the image stages
 *	sync_numbers.c	what status and metrics say
 */
#ifndef DAEMON_SYNC_PRIVATE_H
#define DAEMON_SYNC_PRIVATE_H

#include "core/gate.h"
#include "core/image.h"
#include "daemon/elsewhere.h"
#include "daemon/feeds.h"
#include "daemon/refusals.h"
#include "daemon/sync.h"

#define SYNC_STAGED  65536 /* entries staged before they are written */
#define SYNC_RETRIES 65536 /* refused sources tried again at a time */

/* A feed that is not a group of its own. */
struct voter {
	char *name;   /* owned */
	char *leader; /* owned: the first feed of its group, in the order of the configuration */
	bool trusted;
};

/* What a configuration says about listings, in the numbers of the maps. */
struct ruleset {
	struct categories categories; /* that listings may have */
	struct moat_policy policy[MOAT_CATEGORIES];
	struct moat_ports *ports[MOAT_CATEGORIES]; /* owned */
	uint8_t rank[MOAT_CATEGORIES];
	uint8_t monitored[MOAT_CATEGORIES]; /* its number for feeds in mode monitor; 0: none */
	const char **monitor; /* owned, with the names: feeds in mode monitor, sorted */
	size_t monitors;
	struct model_rules model;
	bool quorums;	     /* some category has a k_of */
	struct voter *voter; /* owned, sorted by name: feeds with a group, and trusted ones */
	size_t voters;
	struct prefix *never; /* owned; by gate_sort_never_block() */
	size_t nevers;
	uint8_t min_prefix[2];
	bool only_routable;
	char (*region)[REGION_WORD]; /* owned; words that this host carries */
	size_t regions;
	uint32_t capacity[2];
};

struct sync {
	char *uri;
	struct tables *tables;
	struct store *store; /* NULL while the database cannot be opened */
	struct ruleset *rules;
	struct gate gate; /* points into rules */
	struct model *model;
	struct image *image;
	struct feeds *feeds;
	struct refusals *refusals;
	char **held; /* owned, with the names: feeds that are held in monitor, sorted */
	size_t helds;
	size_t grouped; /* numbers of feeds below this have their group in the model */
	struct elsewhere *elsewhere;

	/* By family: sources the maps had no room for, the next to be tried first. */
	struct prefix *full[2];
	size_t fulls[2], full_room[2];
	size_t builtin[2]; /* installed entries of the never-block set and the self-test */

	bool started;	      /* changes are followed; else everything is to be read */
	bool sound;	      /* model and image are what the maps hold */
	bool reread;	      /* all is to be read again */
	bool refused_emptied; /* table refused holds nothing of an earlier model */
	int64_t seq;	      /* of the change log, in force */
	int64_t seq_database; /* newest seen */
	int64_t clock_offset; /* realtime minus boot clock, ns */
	int64_t last_success; /* unix seconds */

	/* Monotonic ns; 0: not. */
	int64_t behind_since; /* the maps may be behind */
	int64_t began;	      /* the call at work */
	int64_t retry_at;     /* what failed */
	int64_t full_at;      /* sources that do not fit although there should be room */
	int64_t save_at;      /* refusals that are not yet in the database */
	int64_t mend_at;      /* plans that were cut */
	int64_t reread_at;    /* everything, if rows wait for numbers of feeds */

	char problem[PROBLEM_MAX];
	uint64_t cuts_before; /* by images that are gone */
	size_t cuts_mended;   /* of the image's: what came of them is known by now */
	uint64_t adds, removes, expires, refreshes;
	uint64_t latency_count[SYNC_LATENCY_BUCKETS + 1];
	double latency_sum;
};

/* ---- sync_policy.c ---- */

/*
 * Numbers the categories as the maps have them, new ones where there is room,
 * and compiles policies. Categories the maps know but the configuration does
 * not keep their number, with a policy that only counts, so that what is still
 * installed with them is harmless until it is reconciled.
 */
int ruleset_new(const struct config *config, const struct prefix *never, size_t nevers,
		const struct tables *tables, struct ruleset **ret, struct problem *why);
struct ruleset *ruleset_free(struct ruleset *r);
DEFINE_CLEANUP(struct ruleset, ruleset_free)

/*
 * Numbers for what held feeds list: one more for each category that acts. A
 * category that gets none (they are used up, or its name is too long) is kept
 * out of force for held feeds by the gate.
 */
int ruleset_hold(struct ruleset *r, const struct tables *tables, struct problem *why);

/* Makes the rules those of sync and of the image; writes names and policies. */
int sync_set_rules(struct sync *s, struct ruleset *rules, struct problem *why);

/* Points the gate at s->rules. */
void sync_use_gate(struct sync *s);

/* The same for rules that the maps get once they are read. Returns 0. */
int sync_swap_rules(struct sync *s, struct ruleset *rules);

/* Claims on the never-block set and the self-test's sources. */
int sync_put_builtin(struct sync *s, struct problem *why);

/* Whether a source is listed by moat itself; such entries do not count against capacity. */
bool sync_is_builtin(const struct sync *s, const struct prefix *source);

/* ---- sync_hold.c ---- */

/* Which feeds are held, from the database; makes them those of the gate. */
int sync_read_holds(struct sync *s, struct problem *why);
/* Makes rules ready for the feeds that are held. */
int sync_use_holds(struct sync *s, struct ruleset *rules, struct problem *why);
void sync_free_holds(struct sync *s);
/* ---- sync_quorum.c ---- */

int ruleset_voters(struct ruleset *r, const struct config *config);
void ruleset_free_voters(struct ruleset *r);

/* Gives the model the rules; feeds are grouped anew. 0 or -ENOMEM. */
int sync_use_quorum(struct sync *s);

/* Tells the model the groups of feeds that are new. 0 or -ENOMEM. */
int sync_group_feeds(struct sync *s);

/* ---- sync_write.c ---- */

/* Counts s->builtin anew. */
void sync_count_builtin(struct sync *s);

/* Compiles what changed and writes it. Returns 0, or the first error (state stays consistent). */
int sync_write(struct sync *s, int64_t now, struct problem *why);

/* Sources that lack later phases for want of room, at most. */
size_t sync_plans_cut(const struct sync *s);

/* Writes what is staged. */
int sync_flush(struct sync *s, struct problem *why);

/* Mirrors refusals into the database, for a while; the rest, and what fails, later. */
void sync_save_refusals(struct sync *s, int64_t now);

/* How the row of a claim spells its source. */
const char *sync_claim_text(const struct sync *s, const struct claim *claim,
			    char buf[static PREFIX_TEXT_MAX]);

/* For model_on_drop(): a claim that is gone is not refused any more. arg is the sync. */
void sync_claim_dropped(void *arg, const struct claim *claim);

/* Whether a cause is the maps' and not the gate's: the claim is in the model, and waits. */
static inline bool sync_cause_is_room(enum gate_cause cause)
{
	return cause == GATE_MAP_FULL || cause == GATE_CLASSES_FULL;
}

/* ---- sync_load.c ---- */

/* An empty model with what belongs to it, in place of what s has. 0 or -ENOMEM. */
int sync_make_model(struct sync *s);

/* Takes one row of the database into the model, into refusals, or among those elsewhere. */
int sync_take_row(struct sync *s, const struct row *row, int64_t now, struct problem *why);
/* Takes the claim of a row out of the model. 1 if there was one. */
int sync_drop_row(struct sync *s, const struct row *row);
/* A row is gone from the database: nothing of it stays. 1 if it was in the model. */
int sync_forget_row(struct sync *s, const struct row *row);
int sync_load(struct sync *s, int64_t now, struct problem *why);

int64_t sync_realtime(void);	 /* unix seconds */
int64_t sync_monotonic(void);	 /* ns */
int64_t sync_clock_offset(void); /* ns */

#endif
