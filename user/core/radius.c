/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/radius.h"

#include <math.h>

#include "core/gate.h"

#define Z_95 1.959964 /* of the normal distribution, two-sided */

/* What the change adds to one category that acts. */
struct part {
	const struct config_category *category;
	struct prefix *source; /* owned; once covered: sorted, none in another */
	size_t count, room;
	bool covered;
};

struct radius {
	struct part *part; /* owned: one for each category */
	size_t parts;
	size_t last; /* that was added to */
	bool trusted;
	size_t sources;
};

int radius_new(const struct config *config, struct radius **ret)
{
	_cleanup_(radius_freep) struct radius *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->part = calloc(config->categories + 1, sizeof(*r->part));
	if (!r->part)
		return -ENOMEM;
	for (size_t i = 0; i < config->categories; i++)
		if (config->category[i].policy.action != MOAT_ACTION_MONITOR &&
		    !(config->category[i].policy.flags & MOAT_POLICY_SHARED))
			r->part[r->parts++].category = &config->category[i];
	*ret = take_ptr(r);
	return 0;
}

struct radius *radius_free(struct radius *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; r->part && i < r->parts; i++)
		free(r->part[i].source);
	free(r->part);
	free(r);
	return NULL;
}

/* A list has few categories, and most rows that of the row before. */
static struct part *find_part(struct radius *r, const char *category)
{
	for (size_t n = 0; n < r->parts; n++) {
		size_t i = (r->last + n) % r->parts;

		if (!strcmp(r->part[i].category->name, category)) {
			r->last = i;
			return &r->part[i];
		}
	}
	return NULL;
}

int radius_add(struct radius *r, const char *category, const struct prefix *source)
{
	struct part *part = find_part(r, category);
	size_t room;
	struct prefix *grown;

	if (!part)
		return 0;
	if (part->count == part->room) {
		room = part->room ? part->room * 2 : 1024;
		grown = reallocarray(part->source, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		part->source = grown;
		part->room = room;
	}
	part->source[part->count++] = *source;
	part->covered = false;
	r->sources++;
	return 0;
}

void radius_trust(struct radius *r)
{
	r->trusted = true;
}

size_t radius_sources(const struct radius *r)
{
	return r->sources;
}

/* ---- one sample ---- */

/* Sorted and disjoint: what covers a host is the last that does not sort behind it. */
static bool covers(const struct part *part, const struct prefix *host)
{
	size_t low = 0, high = part->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&part->source[middle], host) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && prefix_covers(&part->source[low - 1], host);
}

/* As rule_fits() of bpf/rules.h: what is not known fits. */
static bool fits(const struct config_category *category, const struct moat_sample *sample)
{
	const struct moat_policy *policy = &category->policy;
	uint8_t protocol = sample->protocol;

	if (!(policy->flags & MOAT_POLICY_PROTOCOLS) || sample->known == MOAT_SAMPLE_SOURCE)
		return true;
	if (!(policy->protocols[protocol >> 6] & (1ULL << (protocol & 63))))
		return false;
	if (!(policy->flags & MOAT_POLICY_PORTS) || sample->known == MOAT_SAMPLE_PROTOCOL)
		return true;
	return category->ports &&
	       category->ports->set[sample->port >> 6] & (1ULL << (sample->port & 63));
}

/* One feed more makes a source act only if others claim it; then its packets say that it is listed. */
static bool agreed(const struct radius *r, const struct config_category *category,
		   const struct moat_sample *sample)
{
	return category->k_of <= 1 || r->trusted || sample->reason == MOAT_OUT_OF_SCOPE ||
	       (sample->reason != MOAT_CLEAN && sample->reason < MOAT_POLICY_REASONS);
}

static struct prefix host_of(const struct moat_sample *sample)
{
	struct prefix host = {
		.family = sample->family,
		.len = (uint8_t)prefix_max(sample->family),
	};

	memcpy(host.addr, sample->source, sample->family == MOAT_IPV4 ? 4 : 16);
	return host;
}

static bool hits(const struct radius *r, const struct moat_sample *sample,
		 const struct prefix *host)
{
	if (sample->reason == MOAT_ALLOWED)
		return false;
	for (size_t i = 0; i < r->parts; i++)
		if (r->part[i].count && fits(r->part[i].category, sample) &&
		    agreed(r, r->part[i].category, sample) && covers(&r->part[i], host))
			return true;
	return false;
}

/* ---- all of them ---- */

struct hit {
	struct prefix source;
	double weight;
};

struct sum {
	const struct radius *r;
	double weight, squares, hit;
	size_t samples;
	struct hit *at; /* owned; room for every sample */
	size_t count;
};

static void sum_sample(void *arg, const struct moat_sample *sample, double weight)
{
	struct sum *sum = arg;
	struct prefix host = host_of(sample);

	sum->samples++;
	sum->weight += weight;
	sum->squares += weight * weight;
	if (!hits(sum->r, sample, &host))
		return;
	sum->hit += weight;
	sum->at[sum->count++] = (struct hit){ host, weight };
}

static int by_source(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	return prefix_compare(&x->source, &y->source);
}

static int by_weight(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return prefix_compare(&x->source, &y->source);
}

static void name_top(struct sum *sum, struct radius_estimate *ret)
{
	size_t sources = 0;

	qsort(sum->at, sum->count, sizeof(*sum->at), by_source);
	for (size_t i = 0; i < sum->count; i++) {
		if (sources && !by_source(&sum->at[sources - 1], &sum->at[i]))
			sum->at[sources - 1].weight += sum->at[i].weight;
		else
			sum->at[sources++] = sum->at[i];
	}
	qsort(sum->at, sources, sizeof(*sum->at), by_weight);
	ret->hit_sources = sources;
	for (; ret->tops < sources && ret->tops < RADIUS_TOP; ret->tops++) {
		ret->top[ret->tops].source = sum->at[ret->tops].source;
		ret->top[ret->tops].share = sum->at[ret->tops].weight / sum->weight;
	}
}

double radius_wilson(double share, double n)
{
	double z2 = Z_95 * Z_95, at_most;

	if (!(n > 0))
		return 1;
	at_most = (share + z2 / (2 * n) + Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n))) /
		  (1 + z2 / n);
	return at_most < 1 ? at_most : 1;
}

int radius_estimate(struct radius *r, const struct window *window, int64_t now,
		    struct radius_estimate *ret)
{
	_cleanup_free_ struct hit *at = NULL;
	struct radius_estimate e = { .sources = r->sources };
	struct window_numbers numbers = {};
	struct sum sum = { .r = r };

	if (window)
		window_numbers(window, now, &numbers);
	if (numbers.samples < RADIUS_SAMPLES_MIN || numbers.seconds < RADIUS_SECONDS_MIN) {
		*ret = e;
		return 0;
	}
	at = malloc(numbers.samples * sizeof(*at));
	if (!at)
		return -ENOMEM;
	sum.at = at;
	for (size_t i = 0; i < r->parts; i++) {
		if (r->part[i].covered)
			continue;
		r->part[i].count = gate_sort_never_block(r->part[i].source, r->part[i].count);
		r->part[i].covered = true;
	}
	window_each(window, now, sum_sample, &sum);
	e.judged = true;
	e.samples = sum.samples;
	e.seconds = numbers.seconds;
	e.share = sum.hit / sum.weight;
	e.at_most = radius_wilson(e.share, sum.weight * sum.weight / sum.squares);
	name_top(&sum, &e);
	*ret = e;
	return 0;
}

bool radius_is_over(const struct radius_estimate *e, const struct config_limits *limits)
{
	return e->judged && e->sources > limits->radius_sources &&
	       e->share * RADIUS_PPM > limits->radius_budget;
}

/* Two digits of what is small, none lost of what is large. */
static int digits_of(double percent)
{
	return percent < 1 ? 3 : percent < 10 ? 2 : 1;
}

const char *radius_text(const struct radius_estimate *e, char buf[static RADIUS_TEXT])
{
	double share = e->share * 100, at_most = e->at_most * 100;
	bool minutes = e->seconds >= 120;

	if (!e->judged) {
		snprintf(buf, RADIUS_TEXT, "no traffic to judge by");
		return buf;
	}
	snprintf(buf, RADIUS_TEXT,
		 "would have hit %.*f %% (at most %.*f %%) of what passed in the last %lld %s, %zu "
		 "samples",
		 share > 0 ? digits_of(share) : 0, share, digits_of(at_most), at_most,
		 (long long)(minutes ? e->seconds / 60 : e->seconds), minutes ? "min" : "s",
		 e->samples);
	return buf;
}
