/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feed_guards.h"

#include <inttypes.h>

enum feed_guard feed_guards_size(const struct feed_rules *rules, uint64_t old,
				 const struct feed_report *r, struct problem *why)
{
	const struct config_limits *limits = &rules->limits;
	uint64_t now = r->entries;

	if (!now && !rules->allow_empty) {
		problem_set(why, 0,
			    "no entry of it is a listing (%zu rows without a category): if it may be "
			    "empty, set allow_empty",
			    r->no_category);
		return FEED_GUARD_NOT_EMPTY;
	}
	if (now < rules->min_entries) {
		problem_set(why, 0, "%" PRIu64 " entries, min_entries is %" PRIu64, now,
			    rules->min_entries);
		return FEED_GUARD_MIN_ENTRIES;
	}
	if (now && old && now * 100 < old * (100 - limits->max_shrink)) {
		problem_set(why, 0,
			    "%" PRIu64 " entries after %" PRIu64
			    ": max_shrink is %u%%; look at it, then import it with --force",
			    now, old, limits->max_shrink);
		return FEED_GUARD_SHRINK;
	}
	if (old && now > old && now - old > FEED_GROWTH_FREE &&
	    (now * 100 > old * limits->max_growth || now - old > FEED_GROWTH_MAX)) {
		problem_set(why, 0,
			    "%" PRIu64 " entries after %" PRIu64 ": max_growth is %u%%, and %d "
			    "entries at once; look at it, then import it with --force",
			    now, old, limits->max_growth, FEED_GROWTH_MAX);
		return FEED_GUARD_GROWTH;
	}
	return FEED_PASSED;
}

enum feed_guard feed_guards_share(const struct feed_rules *rules, const struct feed_report *r,
				  struct problem *why)
{
	if (r->addresses * 100 <= (1ULL << 32) * rules->limits.max_share)
		return FEED_PASSED;
	problem_set(why, 0,
		    "it covers %" PRIu64 " IPv4 addresses, %.1f %% of all: max_share_v4 is %u%%",
		    r->addresses, (double)r->addresses * 100 / (double)(1ULL << 32),
		    rules->limits.max_share);
	return FEED_GUARD_SHARE;
}
