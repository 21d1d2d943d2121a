/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps what must never be blocked true while the host changes: addresses and
 * routes by rtnetlink(7), name servers by the files that say so.
 *
 * What is new is taken at once: a gateway from the message itself, the rest by
 * a look DISCOVER_SOON_MS later. What is gone protects on until an exact look,
 * DISCOVER_GONE_MS later: an address that is set anew is no news. To know that
 * a gateway is gone takes all routes; they are read step by step from the loop,
 * and after that not again for WATCH_REST times as long as it took: a full
 * table that churns costs one part in WATCH_REST of a CPU.
 */
#ifndef DAEMON_DISCOVER_WATCH_H
#define DAEMON_DISCOVER_WATCH_H

#include "daemon/discover.h"
#include "daemon/loop.h"

#define DISCOVER_SOON_MS 50
#define DISCOVER_GONE_MS 2000

struct discover_watch;

/*
 * Begins to watch; nothing was looked at yet. changed is called from the loop
 * when what is known has changed. What cannot be watched is said in
 * discover_watch_problem(), and found when a reload looks at everything.
 */
int discover_watch_new(struct loop *loop, void (*changed)(void *arg), void *arg,
		       struct discover_watch **ret);
struct discover_watch *discover_watch_free(struct discover_watch *w);
DEFINE_CLEANUP(struct discover_watch, discover_watch_free)

/* Looks at everything now and waits for it: at start and reload. */
int discover_watch_look(struct discover_watch *w, const struct config *config,
			struct never_block *ret, struct problem *why);

/* What is known, without a look. */
int discover_watch_known(const struct discover_watch *w, const struct config *config,
			 struct never_block *ret, struct problem *why);

/* In words; "": all is watched. */
const char *discover_watch_problem(const struct discover_watch *w);

/* How often all routes were read since it began, for tests. */
size_t discover_watch_scans(const struct discover_watch *w);

#endif
