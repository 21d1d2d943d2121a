/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/selftest.h"
#include "daemon/sync_private.h"

const double sync_latency_bound[SYNC_LATENCY_BUCKETS] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
							  0.1,	 0.25,	 0.5,	1,    5,     30 };

struct owners {
	const struct prefix *source;
	bool moat, others;
};

static void note_owner(void *arg, const struct claim *claim)
{
	struct owners *owners = arg;

	if (prefix_compare(&claim->source, owners->source) != 0)
		return;
	*(claim->feed > SYNC_FEED_SELFTEST ? &owners->others : &owners->moat) = true;
}

/*
 * Leaves a source that only moat itself lists out of the numbers; but not where
 * it should be installed and is not.
 */
static void leave_out(const struct sync *s, const struct prefix *source, struct sync_numbers *ret)
{
	const struct installed *installed = model_find(s->model, source);
	struct owners owners = { .source = source };

	if (!installed || installed->state != INSTALLED_YES)
		return;
	model_covering(s->model, source, note_owner, &owners);
	if (!owners.moat || owners.others)
		return;
	ret->wanted[source->family]--;
	ret->installed[source->family]--;
}

static void numbers_sources(const struct sync *s, struct sync_numbers *ret)
{
	for (uint8_t family = 0; family < 2; family++) {
		struct prefix selftest = selftest_source(family);

		ret->wanted[family] = model_keys(s->model, family);
		ret->installed[family] = image_entries(s->image, family);
		ret->capacity[family] = s->rules->capacity[family];
		leave_out(s, &selftest, ret);
	}
	for (size_t i = 0; i < s->rules->nevers; i++)
		leave_out(s, &s->rules->never[i], ret);
	for (int family = 0; family < 2; family++) {
		ret->refused[family] = ret->wanted[family] > ret->installed[family]
					       ? ret->wanted[family] - ret->installed[family]
					       : 0;
		ret->entries[family] = ret->installed[family];
	}
}

void sync_numbers(const struct sync *s, struct sync_numbers *ret)
{
	size_t wanted, installed;

	*ret = (struct sync_numbers){
		.started = s->started,
		.current = s->started && !*s->problem,
		.seq_database = s->seq_database,
		.seq_kernel = s->seq,
		.lag = s->behind_since ? (double)(sync_monotonic() - s->behind_since) / 1e9 : 0,
		.last_success = s->last_success,
		.adds = s->adds,
		.removes = s->removes,
		.expires = s->expires,
		.refreshes = s->refreshes,
		.latency_sum = s->latency_sum,
		.phases_used = image_phases_used(s->image),
		.phases = tables_phases(s->tables),
		.plans_cut = s->cuts_before + image_plans_cut(s->image),
		.plans_cut_now = sync_plans_cut(s),
		.classes = image_classes(s->image),
		.memory = model_memory(s->model),
	};
	memcpy(ret->problem, s->problem, sizeof(ret->problem));
	memcpy(ret->latency_count, s->latency_count, sizeof(ret->latency_count));
	for (int cause = 1; cause < GATE_CAUSE_MAX; cause++)
		ret->by_cause[cause] = refusals_by_cause(s->refusals, cause);
	ret->elsewhere = elsewhere_total(s->elsewhere);
	ret->gate_refused = refusals_count(s->refusals) - ret->by_cause[GATE_MAP_FULL] -
			    ret->by_cause[GATE_CLASSES_FULL];

	numbers_sources(s, ret);
	wanted = ret->wanted[0] + ret->wanted[1];
	installed = ret->installed[0] + ret->installed[1];
	ret->coverage = wanted ? (double)installed / (double)wanted : 1;
	if (!s->sound) /* wanted, installed or both are not known */
		ret->coverage = 0;
}

/* ---- by feed and category ---- */

struct feed_count {
	uint32_t live, refused;
};

struct feed_counts {
	const struct sync *s;
	struct feed_count (*count)[MOAT_CATEGORIES]; /* by feed */
	size_t feeds;
};

/* Both spellings of hosts count under the first number of a feed's name. */
static size_t first_number(const struct sync *s, size_t feed)
{
	int plain = feeds_find(s->feeds, feeds_name(s->feeds, (uint16_t)feed), false);

	return plain < 0 ? feed : (size_t)plain;
}

static int count_refused(void *arg, const struct refusal *refusal)
{
	struct feed_counts *counts = arg;
	const struct sync *s = counts->s;
	int category = categories_find(&s->rules->categories, refusal->category);
	int feed = feeds_find(s->feeds, refusal->feed, false);
	struct feed_count *count;

	if (feed < 0)
		feed = feeds_find(s->feeds, refusal->feed, true);
	/* What is not a known name must not become a label; that of what only counts is nobody's. */
	if (category < 0 || feed < 0 || *refusal->category == CATEGORY_MONITORED)
		return 0;
	count = &counts->count[feed][category];
	count->refused++;
	/* What the gate refuses is not in the model; what waits for room is, but not live. */
	if (count->live && (!strcmp(refusal->cause, gate_cause_label(GATE_MAP_FULL)) ||
			    !strcmp(refusal->cause, gate_cause_label(GATE_CLASSES_FULL))))
		count->live--;
	return 0;
}

static void count_claims(struct feed_counts *counts)
{
	for (size_t feed = SYNC_FEED_SELFTEST + 1; feed < counts->feeds; feed++) {
		struct feed_count *count = counts->count[first_number(counts->s, feed)];

		for (uint8_t c = 0; c < MOAT_CATEGORIES; c++)
			count[c].live +=
				(uint32_t)model_claims(counts->s->model, (uint16_t)feed, c);
	}
}

void sync_each_count(const struct sync *s,
		     void (*fn)(void *arg, const char *feed, const char *category,
				const char *state, size_t count),
		     void *arg)
{
	size_t feeds = feeds_count(s->feeds);
	_cleanup_free_ struct feed_count(*count)[MOAT_CATEGORIES] = calloc(feeds, sizeof(*count));
	struct feed_counts counts = { .s = s, .count = count, .feeds = feeds };

	if (!count)
		return;
	count_claims(&counts);
	refusals_each(s->refusals, count_refused, &counts);
	for (size_t feed = SYNC_FEED_SELFTEST + 1; feed < feeds; feed++) {
		const char *name = feeds_name(s->feeds, (uint16_t)feed);

		for (uint8_t c = 0; c < MOAT_CATEGORIES; c++) {
			const char *category = category_shown(s->rules->categories.name[c]);

			if (*category && count[feed][c].live)
				fn(arg, name, category, "live", count[feed][c].live);
			size_t away = elsewhere_count(s->elsewhere, (uint16_t)feed, c);

			if (*category && count[feed][c].refused)
				fn(arg, name, category, "refused", count[feed][c].refused);
			if (*category && away)
				fn(arg, name, category, "elsewhere", away);
		}
	}
}

int sync_each_refused(const struct sync *s, int (*fn)(void *arg, const struct refusal *refusal),
		      void *arg)
{
	return refusals_each(s->refusals, fn, arg);
}
