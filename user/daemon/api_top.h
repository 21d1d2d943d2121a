/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/top: who hits the filter most, by what. One function a way of
 * adding up; each answers with all of the object or a problem.
 *
 * A group's members are as those of a source (api_hits.h), where they can be
 * told.
 */
#ifndef DAEMON_API_TOP_H
#define DAEMON_API_TOP_H

#include "daemon/api.h"
#include "moat/hits.h"

struct top_request {
	size_t limit;	     /* rows of the answer */
	uint32_t seen_since; /* a tick: what was seen last before that is left out; 0: nothing is */
};

/* Listed sources, by the hits of each. */
void top_by_source(struct daemon *d, const struct top_request *rq, struct http_reply *reply);
/* The /24s and /48s that they lie in; wider listed prefixes stand for themselves. */
void top_by_prefix(struct daemon *d, const struct top_request *rq, struct http_reply *reply);
/* The feeds that list the most active sources; what several list counts for each. */
void top_by_feed(struct daemon *d, const struct top_request *rq, struct http_reply *reply);
/* Categories, by the packets that they decided since the filter was attached: exact. */
void top_by_category(struct daemon *d, const struct top_request *rq, struct http_reply *reply);

#endif
