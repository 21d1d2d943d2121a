/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of feeds_run, shared by feeds_run.c and feeds_job.c and nobody
 * else.
 *
 *	feeds_run.c	which feeds there are and when they are due
 *	feeds_hold.c	feeds whose listings only count
 *	feeds_job.c	one list: from its start to what became of it
 */
#ifndef DAEMON_FEEDS_RUN_STATE_H
#define DAEMON_FEEDS_RUN_STATE_H

#include <limits.h>

#include "daemon/crowdsec.h"
#include "daemon/crowdsec_usage.h"
#include "daemon/feed_apply.h"
#include "daemon/feeder.h"
#include "daemon/feeds_run.h"

#define FEEDS_CAUSES_MAX 32			  /* that one feed is counted under */
#define FEEDS_SETTLED	 (2 * RADIUS_SECONDS_MIN) /* of sampling: who sends something was seen */
#define FEEDS_DIR	 "feeds"
#define FEEDS_PATH                                                                                 \
	(PATH_MAX + 128) /* of a file in it; what is too long for the system fails there */

/* Where a list comes from. */
enum job_kind {
	JOB_DISK,    /* the last good copy, at start */
	JOB_FETCH,   /* its url */
	JOB_CONFIRM, /* the last good copy, which the server said is the current one */
	JOB_IMPORT,  /* a file that somebody sent */
};

struct feed_run {
	struct feeds_run *all;
	struct feed_state state;
	int64_t next;	   /* unix seconds */
	int64_t judged;	   /* when what came in mode monitor was last given to the guard */
	int64_t refreshed; /* when its listings were last given the full ttl; 0: not by this process */
	uint64_t attempts;	       /* fetches begun */
	struct radius_estimate radius; /* of the last list that added something */
	bool removed;		       /* from the configuration, and that was said */
	bool from_disk;		       /* what was on disk at start is dealt with */
	struct feed_job *job;	       /* NULL: nothing under way; owned */
	struct crowdsec
		*crowdsec; /* owned; NULL: its format is another one, or it was not asked yet */
	struct crowdsec_usage *usage; /* likewise */
	uint64_t tables;	      /* of what its AS numbers were expanded by, see feeds_asn.h */
	uint64_t asns, asns_found, asn_prefixes; /* of the list in force, see core/feed.h */
	size_t causes;
	struct {
		char label[FEED_CAUSE_MAX];
		uint64_t count;
	} cause[FEEDS_CAUSES_MAX];
};

struct feed_job {
	struct feed_run *feed;
	enum job_kind kind;
	struct feeder *feeder;	   /* owned; NULL after its end */
	struct feed_apply *apply;  /* owned */
	struct crowdsec *crowdsec; /* of the feed; NULL: this list is no answer of a LAPI */
	int64_t fetched;
	uint64_t tables; /* what it is expanded by */
	uint64_t origin; /* where it comes from; 0: the feed is not configured */
	bool dry_run, force, report;
	char actor_name[64], actor_origin[32];
	feeds_done_fn done; /* NULL: nobody waits */
	void *arg;
};

struct feeds_run {
	struct daemon *d;
	struct feed_run **feed; /* owned, each */
	size_t feeds;
	bool known;	      /* table feed was read */
	int64_t clock_offset; /* of the wall clock from that since boot, in seconds; 0: not looked at */
	int tick;	      /* timer */
	char dir[PATH_MAX];
};

/* ---- feeds_run.c ---- */

/* The feed's configuration, or NULL. */
const struct config_feed *feeds_config(const struct feeds_run *f, const char *name);

/* When it is to be fetched again, after it was tried at now. */
int64_t feeds_next(const struct feed_run *feed, const struct config_feed *config, int64_t now,
		   int64_t retry_after);

/* "DIR/NAMESUFFIX" */
void feeds_path(const struct feed_run *feed, const char *suffix, char ret[static FEEDS_PATH]);

/* Which url and format a list is of; another one's list says nothing about this one. */
uint64_t feeds_origin(const struct config_feed *config);

int64_t feeds_now(void); /* unix seconds */

/* A feed that is known, or NULL. */
struct feed_run *feeds_find_run(const struct feeds_run *f, const char *name);

/* ---- feeds_hold.c ---- */

/* How it is held, and why, as people see it: mode monitor is no hold while it is configured. */
enum feed_hold feeds_held(const struct feed_run *feed);
const char *feeds_held_why(const struct feed_run *feed);

/* Whether what it lists came in mode monitor, and is to be judged now that the mode is over. */
bool feeds_is_unjudged(const struct feed_run *feed, const struct config_feed *config);

/* Says in log and audit that a feed is held now, or free, if that is new. */
void feeds_note_hold(const struct feed_run *feed, const struct feed_state *next,
		     const struct actor *actor);

/* ---- feeds_job.c ---- */

/* Starts a list of a feed that has no job. rules is taken over; so is job->fd. */
struct job_start {
	enum job_kind kind;
	int fd; /* -1: fetch */
	int64_t fetched;
	int format; /* -1: what the configuration says */
	bool dry_run, force;
	const struct actor *actor;
	feeds_done_fn done;
	void *arg;
};

int feed_job_start(struct feed_run *feed, const struct job_start *start, struct feed_rules *rules,
		   struct problem *why);
void feed_job_cancel(struct feed_run *feed, const char *because);
/* Ends it if it is the list of a feed that is not configured any more, or from elsewhere. */
void feed_job_check(struct feed_run *feed);

#endif
