/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream of decisions of a CrowdSec LAPI: what a bouncer asks, and what
 * the answers mean for the listings of its feed.
 *
 *	crowdsec_begin(c, config, now, url)	all decisions, or what changed since the last answer
 *	crowdsec_rows(c, apply, ...)		of the answer, as they come
 *	crowdsec_judge(c, apply, ...)		the answer is whole: before feed_apply_judge()
 *	crowdsec_end(c, applied)		after it was written, or lost
 *
 * Rules:
 *  1. A delta is asked for only while every answer since the last full one was
 *     written: after a start, an error, a gap or another configuration all
 *     decisions are asked for.
 *  2. A listing ends by its decision's own duration, because it is named as
 *     deleted and no other decision stands behind it, or because two full
 *     answers in a row do not have it: one may be cut and look whole.
 *  3. If the second would end more than max_shrink of the feed's listings, it
 *     ends none: they stay until their own ends, which is said and counted.
 *
 * Nothing of it is kept on disk: after a start the listings in the database
 * hold by their own ends until the first answer comes.
 */
#ifndef DAEMON_CROWDSEC_H
#define DAEMON_CROWDSEC_H

#include "daemon/crowdsec_table.h"
#include "daemon/feed_apply.h"
#include "daemon/feeder_wire.h"

#define CROWDSEC_GAP	   300 /* seconds without an answer, or CROWDSEC_GAP_POLLS if that is more ... */
#define CROWDSEC_GAP_POLLS 10 /* ... after which all is asked for */

#define CROWDSEC_RETRY_CAP 60 /* seconds between two failures at most: it is near, and in a hurry */

#define CROWDSEC_DELTA_MS 60000 /* for what changed; all decisions have as long as any list */

#define CROWDSEC_KEPT_AGAIN 3600 /* seconds after which all is asked for while rule 3 keeps some */

struct crowdsec;

int crowdsec_new(struct crowdsec **ret);
struct crowdsec *crowdsec_free(struct crowdsec *c);
DEFINE_CLEANUP(struct crowdsec, crowdsec_free)

/* Fills url. -EINVAL: with its filters it is too long. */
int crowdsec_begin(struct crowdsec *c, const struct config_feed *config, int64_t now,
		   char url[static FEEDER_URL_MAX], struct problem *why);

/* Whether the answer under way is a full one. */
bool crowdsec_asks_all(const struct crowdsec *c);

/* 0, or negative: too many, or out of memory. */
int crowdsec_rows(struct crowdsec *c, struct feed_apply *apply, const struct feed_row *row,
		  size_t count);

/* 0, or negative with why: the answer is lost. ret_kept: listings that rule 3 keeps. */
int crowdsec_judge(struct crowdsec *c, struct feed_apply *apply, struct store *store,
		   const struct config_feed *config, int64_t now, size_t *ret_kept,
		   struct problem *why);

void crowdsec_end(struct crowdsec *c, bool applied);

/* Something else than an answer was written to the feed: the next one is to be a full one. */
void crowdsec_forget(struct crowdsec *c);

/* What is known to be in force at the LAPI; NULL before the first answer. */
const struct crowdsec_table *crowdsec_table(const struct crowdsec *c);

/* Listings that rule 3 keeps, as of the last full answer. */
size_t crowdsec_kept(const struct crowdsec *c);

struct crowdsec_counts {
	uint64_t full, deltas; /* answers that were taken over */
	uint64_t lost;	       /* answers that were not */
};
void crowdsec_counts(const struct crowdsec *c, struct crowdsec_counts *ret);

/*
 * The URL of an answer and that of usage metrics, from a base such as
 * http://127.0.0.1:8080/ or the stream's whole URL. 0 or -EINVAL: too long.
 */
int crowdsec_stream_url(const struct config_feed *config, bool all,
			char ret[static FEEDER_URL_MAX]);
int crowdsec_usage_url(const struct config_feed *config, char ret[static FEEDER_URL_MAX]);

#endif
