/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feed_radius.h"

#include "daemon/samples.h"

int feed_radius_add(struct radius *r, struct feed_set *set, bool held)
{
	int err = 0;

	for (size_t i = 0; i < feed_set_count(set) && !err; i++) {
		const struct feed_entry *entry = feed_set_at(set, i);

		if (entry->ends || entry->cause ||
		    !(held || entry->fate == FEED_NEW || entry->lapsed))
			continue;
		err = radius_add(r, feed_set_category_name(set, entry->category), &entry->source);
	}
	return err;
}

static void explain(struct problem *ret, const struct feed_report *report,
		    const struct config_limits *limits, const char *what_to_do)
{
	char text[RADIUS_TEXT];

	problem_set(ret, 0, "%zu sources that it adds %s; radius_budget is %g %%%s",
		    report->radius.sources, radius_text(&report->radius, text),
		    limits->radius_budget / RADIUS_PPM * 100, what_to_do);
}

/* The listings only count until a list hits less, or somebody who looked says that it is right. */
static void hold(struct feed_report *report, const struct config_limits *limits)
{
	struct problem why;

	explain(&why, report, limits, "");
	report->hold = FEED_HELD_BY_GUARD;
	snprintf(report->hold_why, sizeof(report->hold_why), "%.*s",
		 (int)sizeof(report->hold_why) - 1, why.text);
}

static void refuse(struct feed_report *report, const struct config_limits *limits)
{
	snprintf(report->cause, sizeof(report->cause), "%s", feed_guard_label(FEED_GUARD_RADIUS));
	explain(&report->why, report, limits,
		report->delta ? ": look at it: 'moatctl feeds hold' lets them in without effect, "
				"'moatctl feeds release' puts them in force"
			      : ": look at it, then import it with --force");
}

static void decide(const struct config_limits *limits, const struct feed_judge *judge,
		   struct feed_report *report)
{
	const struct radius_estimate *e = &report->radius;
	bool over = radius_is_over(e, limits);
	bool by_mode = judge->held == FEED_HELD_BY_MODE;
	bool by_guard = judge->held == FEED_HELD_BY_GUARD || by_mode;

	if (judge->held == FEED_HELD_BY_HAND)
		return;
	if (judge->force) {
		report->forced |= over;
		report->hold = FEED_FREE;
	} else if (by_guard && over) {
		hold(report, limits);
	} else if (by_guard && (e->judged || e->sources <= limits->radius_sources ||
				(by_mode && judge->settled))) {
		report->hold = FEED_FREE;
	} else if (over && (report->live || !judge->again)) {
		if (report->live)
			refuse(report, limits);
		else
			hold(report, limits);
	}
}

int feed_radius_judge(struct radius *r, const struct config_limits *limits,
		      const struct feed_judge *judge, struct feed_report *report)
{
	int err = samples_estimate(judge->samples, r, &report->radius);

	if (err)
		return err;
	if (!report->cause[0])
		decide(limits, judge, report);
	return 0;
}
