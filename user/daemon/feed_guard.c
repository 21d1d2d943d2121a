/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feed_guard.h"

#include <inttypes.h>

/* Why nothing of it is a listing, by what was left out. */
static void describe_nothing(const struct feed_report *r, struct problem *why)
{
	if (r->wide)
		problem_set(why, 0,
			    "%zu prefixes shorter than wide_v4 or wide_v6, and nothing else: look at "
			    "them, then import them with --force and a ttl",
			    r->wide);
	else if (r->no_category)
		problem_set(why, 0,
			    "%zu rows, and none has a category: import them with -c CATEGORY, or "
			    "give the feed a category",
			    r->no_category);
	else
		problem_set(why, 0,
			    "no entry of it is a listing: if it may be empty, set allow_empty");
}

static enum feed_guard check_size(const struct feed_rules *rules, uint64_t old,
				  const struct feed_report *r, struct problem *why)
{
	const struct config_limits *limits = &rules->limits;
	uint64_t now = r->entries;

	if (!now && r->asn && !rules->allow_empty) {
		problem_set(why, 0,
			    r->tables ? "%zu AS numbers, and none has a prefix in asn_table: is "
					"that the right table?"
				      : "%zu AS numbers, and no asn_table in the configuration to "
					"expand them by: add one",
			    r->asn);
		return FEED_GUARD_NOT_EMPTY;
	}
	if (!now && !rules->allow_empty) {
		describe_nothing(r, why);
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

/* Of a list of changes only what is new says something. */
static enum feed_guard check_changes(const struct feed_judge *judge, const struct feed_report *r,
				     struct problem *why)
{
	if (!r->before || r->adds <= FEED_GROWTH_MAX || judge->held == FEED_HELD_BY_HAND)
		return FEED_PASSED;
	problem_set(why, 0,
		    "%zu entries more than %zu: at most %d are taken at once; look at it: 'moatctl "
		    "feeds hold' lets them in without effect, 'moatctl feeds release' puts them in "
		    "force",
		    r->adds, r->before, FEED_GROWTH_MAX);
	return FEED_GUARD_GROWTH;
}

static enum feed_guard check_share(const struct feed_rules *rules, const struct feed_report *r,
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

enum feed_guard feed_guard_ask(const struct feed_rules *rules, const struct feed_judge *judge,
			       const struct feed_report *report, struct problem *why)
{
	uint64_t old = judge->known ? judge->entries : report->before;
	enum feed_guard guard = FEED_PASSED;

	if (report->delta)
		guard = check_changes(judge, report, why);
	else if (!judge->again)
		guard = check_size(rules, old, report, why);
	return guard ? guard : check_share(rules, report, why);
}
