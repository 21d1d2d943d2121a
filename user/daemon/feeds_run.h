/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The feeds of the configuration, fetched when they are due, and the lists
 * that people import.
 *
 * A list comes from a child (feeder.h), is judged and written (feed_apply.h),
 * and is in force when whoever asked for it hears so. At start, what is on disk
 * of the last good lists is taken over before anything is asked of the network.
 * A list that is refused changes nothing: the feed's listings stay and age.
 *
 * On disk, beside the database: feeds/NAME, the bytes of the list in force; its
 * modification time is when it was last good.
 */
#ifndef DAEMON_FEEDS_RUN_H
#define DAEMON_FEEDS_RUN_H

#include "daemon/daemon.h"
#include "daemon/feed_report.h"

#define FEEDS_IMPORTS_MAX 2 /* files that are taken in at the same time */
#define FEEDS_FETCHES_MAX 4 /* likewise, lists that are due */

struct feeds_run;

/* For the feeds of d->config. Nothing happens before the database was read once. */
int feeds_run_new(struct daemon *d, struct feeds_run **ret);
/* Ends what is under way, answering those who wait with -ECANCELED. */
struct feeds_run *feeds_run_free(struct feeds_run *f);
DEFINE_CLEANUP(struct feeds_run, feeds_run_free)

/* d->config is another one now. */
void feeds_run_reload(struct feeds_run *f);

/*
 * Called once, later, unless starting failed. error 0: report is filled, and
 * report->cause says whether the list was refused. Else why says what failed.
 */
typedef void (*feeds_done_fn)(void *arg, int error, const struct feed_report *report,
			      const struct problem *why);

/* Fetches a configured feed now. -ENOENT, -EBUSY: under way already, -EAGAIN: not started yet. */
int feeds_run_fetch(struct feeds_run *f, const char *name, const struct actor *actor,
		    feeds_done_fn done, void *arg, struct problem *why);

struct feeds_import {
	const char *feed;
	int fd;	    /* taken over: the file */
	int format; /* enum feed_format; -1: what the feed's configuration says, or auto */
	const char *category; /* NULL: what the feed's configuration says */
	int64_t ttl;	      /* 0: what the feed's configuration says, or never */
	bool dry_run, force;
	struct actor actor; /* copied */
};

/* -EINVAL: not a name for a feed; -EBUSY: the feed is under way, or too many are. */
int feeds_run_import(struct feeds_run *f, struct feeds_import *import, feeds_done_fn done,
		     void *arg, struct problem *why);

/*
 * Holds a feed in monitor, or releases it; 0 once that is in force, also if it
 * was so before. A feed that is held by hand stays so until it is released.
 * -ENOENT: no such feed; -EAGAIN: noted, but not in force yet.
 */
int feeds_run_hold(struct feeds_run *f, const char *name, bool hold, const struct actor *actor,
		   struct problem *why);

/* A feed as it is now. Pointers live until the next call into feeds_run. */
struct feed_view {
	const struct feed_state *state;	  /* state->feed is its name */
	const struct config_feed *config; /* NULL: not configured, somebody imported it */
	int64_t next;			  /* when it is fetched next, unix seconds; 0: not */
	bool running;
	enum feed_hold held;  /* FEED_FREE in mode monitor, too: that is no trouble */
	const char *held_why; /* "" if it is not held */
	size_t kept; /* listings that a LAPI did not have twice, and that are too many to end */
	const struct radius_estimate *radius; /* of the last list that added something that acts */
	uint64_t asns, asns_found, asn_prefixes; /* AS numbers of its list, see core/feed.h */
	bool tables;				 /* there was an asn_table for it */
};

size_t feeds_run_count(const struct feeds_run *f);
void feeds_run_view(const struct feeds_run *f, size_t index, struct feed_view *ret);

/* How often lists were refused since start. */
void feeds_run_each_refused(const struct feeds_run *f,
			    void (*fn)(void *arg, const char *feed, const char *cause,
				       uint64_t count),
			    void *arg);

/* How often usage metrics were sent to the LAPI of a feed, and were not taken, since start. */
void feeds_run_each_usage(const struct feeds_run *f,
			  void (*fn)(void *arg, const char *feed, uint64_t sent, uint64_t failed),
			  void *arg);

#endif
