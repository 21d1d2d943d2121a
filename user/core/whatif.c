// SPDX-License-Identifier: BSD-2-Clause
#include "core/whatif.h"

#include "core/radius.h"
#include "core/whatif_judge.h"

struct seen {
	struct moat_sample sample;
	double weight;
};

struct gather {
	struct seen *seen; /* owned by who gathers; room for all */
	size_t count;
};

static void take_sample(void *arg, const struct moat_sample *sample, double weight)
{
	struct gather *g = arg;

	g->seen[g->count++] = (struct seen){ *sample, weight };
}

static int by_source(const void *a, const void *b)
{
	const struct moat_sample *x = &((const struct seen *)a)->sample;
	const struct moat_sample *y = &((const struct seen *)b)->sample;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return memcmp(x->source, y->source, sizeof(x->source));
}

static struct prefix host_of(const struct moat_sample *sample)
{
	struct prefix host = { .family = sample->family,
			       .len = (uint8_t)prefix_max(sample->family) };

	memcpy(host.addr, sample->source, sample->family == MOAT_IPV4 ? 4 : 16);
	return host;
}

/* ---- sums ---- */

/* What one share is made of, while samples come in by source. */
struct sum {
	double weight;
	double category[CONFIG_CATEGORIES_MAX + 1]; /* last: none */
	struct {
		struct prefix source;
		double weight;
	} top[WHATIF_TOP];
	size_t tops;
	double of_source; /* the weight of the source at hand */
};

static void sum_add(struct sum *s, size_t category, double weight)
{
	s->weight += weight;
	s->category[category] += weight;
	s->of_source += weight;
}

/* All samples of a source are in: it may be one of the largest. */
static void sum_source(struct sum *s, const struct prefix *source)
{
	double weight = s->of_source;
	size_t at = s->tops;

	s->of_source = 0;
	if (!(weight > 0))
		return;
	while (at > 0 && s->top[at - 1].weight < weight)
		at--;
	if (at == WHATIF_TOP)
		return;
	if (s->tops < WHATIF_TOP)
		s->tops++;
	memmove(&s->top[at + 1], &s->top[at], (s->tops - 1 - at) * sizeof(s->top[0]));
	s->top[at].source = *source;
	s->top[at].weight = weight;
}

/* all: the weight of all samples; worth: of how many equal ones. */
static void sum_share(const struct sum *s, const struct config *config, double all, double worth,
		      struct whatif_share *ret)
{
	double left[CONFIG_CATEGORIES_MAX + 1];

	*ret = (struct whatif_share){ .share = s->weight / all, .tops = s->tops };
	ret->at_most = radius_wilson(ret->share, worth);
	ret->at_least = 1 - radius_wilson(1 - ret->share, worth);
	memcpy(left, s->category, sizeof(left));
	while (ret->categories < WHATIF_CATEGORIES) {
		size_t most = 0;

		for (size_t c = 1; c <= CONFIG_CATEGORIES_MAX; c++)
			if (left[c] > left[most])
				most = c;
		if (!(left[most] > 0))
			break;
		snprintf(ret->category[ret->categories].name, MOAT_CATEGORY_NAME, "%s",
			 most < config->categories ? config->category[most].name : "");
		ret->category[ret->categories++].share = left[most] / all;
		left[most] = 0;
	}
	for (size_t i = 0; i < s->tops; i++) {
		ret->top[i].source = s->top[i].source;
		ret->top[i].share = s->top[i].weight / all;
	}
}

/* ---- a window ---- */

struct look {
	const struct whatif_question *q;
	bool drops; /* the window of what was dropped */
	double all, squares;
	struct sum more, tagged, limited, less;
};

static bool enforces(const struct whatif_question *q, const struct config *config,
		     const struct moat_sample *sample)
{
	const char *name = q->interface ? q->interface(q->interface_arg, sample->reserved) : NULL;

	for (size_t i = 0; name && i < config->interfaces; i++)
		if (!strcmp(config->interface[i].name, name))
			return config->interface[i].enforce;
	return sample->verdict != MOAT_VERDICT_MONITOR || sample->reason == MOAT_MONITORED;
}

static void compare(struct look *look, const struct standing *now, const struct standing *next,
		    const struct seen *seen)
{
	const struct whatif_question *q = look->q;
	struct judged was, is;

	judge(q->now, now, &seen->sample, enforces(q, q->now, &seen->sample), &was);
	judge(q->next, next, &seen->sample, enforces(q, q->next, &seen->sample), &is);
	if (look->drops) {
		bool dropped = was.fate == FATE_DROPPED || was.fate == FATE_LIMITED;

		if (dropped && (is.fate == FATE_PASSED || is.fate == FATE_TAGGED))
			sum_add(&look->less, was.category, seen->weight);
		return;
	}
	if (was.fate == FATE_DROPPED) /* it passed before it was listed */
		return;
	if (is.fate == FATE_DROPPED)
		sum_add(&look->more, is.category, seen->weight);
	else if (is.fate == FATE_LIMITED && was.fate != FATE_LIMITED)
		sum_add(&look->limited, is.category, seen->weight);
	else if (is.fate == FATE_TAGGED &&
		 (was.fate != FATE_TAGGED || was.mark != is.mark || was.dscp != is.dscp))
		sum_add(&look->tagged, is.category, seen->weight);
}

/* The samples of one source, count of them. */
static void look_at_source(struct look *look, const struct seen *seen, size_t count,
			   struct claims_seen *claims)
{
	struct prefix host = host_of(&seen->sample);
	struct standing now, next;

	claims->count = 0;
	look->q->claims(look->q->claims_arg, &host, claims_keep, claims);
	standing_of(look->q->now, look->q->now, &host, claims, &now);
	standing_of(look->q->next, look->q->now, &host, claims, &next);
	for (size_t i = 0; i < count; i++) {
		look->all += seen[i].weight;
		look->squares += seen[i].weight * seen[i].weight;
		compare(look, &now, &next, &seen[i]);
	}
	sum_source(&look->more, &host);
	sum_source(&look->tagged, &host);
	sum_source(&look->limited, &host);
	sum_source(&look->less, &host);
}

static int look_at(struct look *look, const struct window *window, size_t samples)
{
	_cleanup_free_ struct seen *seen = malloc((samples + 1) * sizeof(*seen));
	_cleanup_free_ struct claims_seen *claims = calloc(1, sizeof(*claims));
	struct gather gather = { .seen = seen };
	size_t from = 0;

	if (!seen || !claims)
		return -ENOMEM;
	window_each(window, look->q->time, take_sample, &gather);
	qsort(seen, gather.count, sizeof(*seen), by_source);
	while (from < gather.count) {
		size_t to = from + 1;

		while (to < gather.count && !by_source(&seen[from], &seen[to]))
			to++;
		look_at_source(look, &seen[from], to - from, claims);
		from = to;
	}
	return 0;
}

int whatif_ask(const struct whatif_question *q, struct whatif_effect *ret)
{
	_cleanup_free_ struct look *passed = calloc(1, sizeof(*passed));
	_cleanup_free_ struct look *dropped = calloc(1, sizeof(*dropped));
	struct window_numbers n = {}, drops = {};
	struct whatif_effect e = {};
	double worth;
	int r;

	if (!passed || !dropped)
		return -ENOMEM;
	if (q->passed)
		window_numbers(q->passed, q->time, &n);
	if (q->dropped)
		window_numbers(q->dropped, q->time, &drops);
	e.passed = n.samples;
	e.dropped = drops.samples;
	e.seconds = n.seconds;
	e.judged = n.samples >= RADIUS_SAMPLES_MIN;
	e.judged_drops = drops.samples >= RADIUS_SAMPLES_MIN;
	passed->q = dropped->q = q;
	dropped->drops = true;
	r = e.judged ? look_at(passed, q->passed, n.samples) : 0;
	r = r ?: e.judged_drops ? look_at(dropped, q->dropped, drops.samples) : 0;
	if (r)
		return r;
	if (e.judged) {
		worth = passed->all * passed->all / passed->squares;
		sum_share(&passed->more, q->next, passed->all, worth, &e.more);
		sum_share(&passed->tagged, q->next, passed->all, worth, &e.tagged);
		sum_share(&passed->limited, q->next, passed->all, worth, &e.limited);
	}
	if (e.judged_drops) {
		worth = dropped->all * dropped->all / dropped->squares;
		sum_share(&dropped->less, q->now, dropped->all, worth, &e.less);
	}
	*ret = e;
	return 0;
}
