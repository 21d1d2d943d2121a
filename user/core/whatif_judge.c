// SPDX-License-Identifier: BSD-2-Clause
#include "core/whatif_judge.h"

#define ALLOW "allow"
#define NONE  CONFIG_CATEGORIES_MAX

void claims_keep(void *arg, const struct whatif_claim *claim)
{
	struct claims_seen *seen = arg;

	if (seen->count < WHATIF_CLAIMS_MAX)
		seen->claim[seen->count++] = *claim;
}

/* ---- listings to categories ---- */

static size_t category_of(const struct config *config, const char *name)
{
	size_t i = 0;

	while (i < config->categories && strcmp(config->category[i].name, name) != 0)
		i++;
	return i < config->categories ? i : NONE;
}

static const struct config_feed *feed_of(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->feeds; i++)
		if (!strcmp(config->feed[i].name, name))
			return &config->feed[i];
	return NULL;
}

static bool has_never(const struct config *config, const struct prefix *source)
{
	for (size_t i = 0; i < config->never_blocks; i++)
		if (!prefix_compare(&config->never_block[i], source))
			return true;
	return false;
}

static bool covers_never(const struct config *config, const struct prefix *host)
{
	for (size_t i = 0; i < config->never_blocks; i++)
		if (prefix_covers(&config->never_block[i], host))
			return true;
	return false;
}

/* Feeds of one group are one voice; any other feed is its own. */
static bool same_voice(const struct config *config, const char *a, const char *b)
{
	const struct config_feed *x = feed_of(config, a), *y = feed_of(config, b);

	if (!strcmp(a, b))
		return true;
	return x && y && *x->group && !strcmp(x->group, y->group);
}

static bool only_counts(const struct config *config, const struct whatif_claim *claim)
{
	const struct config_feed *feed = feed_of(config, claim->feed);

	return claim->held || (feed && feed->monitor);
}

static bool is_trusted(const struct config *config, const char *name)
{
	const struct config_feed *feed = feed_of(config, name);

	return !strcmp(name, CONFIG_MANUAL) ? config->manual_trusted : feed && feed->trusted;
}

/* Whether enough independent feeds claim the category of claim i, which is the first that does. */
static bool agree(const struct config *config, const struct claims_seen *claims, size_t first,
		  unsigned int need)
{
	unsigned int voices = 0;

	for (size_t i = first; i < claims->count; i++) {
		const struct whatif_claim *claim = &claims->claim[i];
		bool heard = false;

		if (strcmp(claim->category, claims->claim[first].category) != 0 ||
		    only_counts(config, claim))
			continue;
		if (is_trusted(config, claim->feed))
			return true;
		for (size_t n = first; n < i && !heard; n++)
			heard = !strcmp(claims->claim[n].category, claim->category) &&
				!only_counts(config, &claims->claim[n]) &&
				same_voice(config, claims->claim[n].feed, claim->feed);
		voices += !heard;
	}
	return voices >= need;
}

void standing_of(const struct config *config, const struct config *running,
		 const struct prefix *host, const struct claims_seen *claims, struct standing *ret)
{
	uint64_t asked = 0;

	*ret = (struct standing){ .allowed = covers_never(config, host) };
	for (size_t i = 0; i < claims->count; i++) {
		const struct whatif_claim *claim = &claims->claim[i];
		uint64_t bit;
		size_t c;

		if (claim->never) /* what was found on the host stays, whatever is configured */
			ret->allowed |= !has_never(running, &claim->source);
		else if (!strcmp(claim->category, ALLOW))
			ret->allowed |= !only_counts(config, claim);
		c = claim->never ? NONE : category_of(config, claim->category);
		if (c == NONE)
			continue;
		bit = 1ULL << c;
		if (only_counts(config, claim)) {
			ret->monitors |= bit;
			continue;
		}
		if (asked & bit)
			continue;
		asked |= bit;
		if (agree(config, claims, i, config->category[c].k_of))
			ret->acts |= bit;
		else
			ret->monitors |= bit;
	}
}

/* ---- categories to a fate ---- */

/* As rule_fits() of bpf/rules.h: what is not known fits. */
static bool fits(const struct config_category *category, const struct moat_sample *sample)
{
	const struct moat_policy *policy = &category->policy;

	if (!(policy->flags & MOAT_POLICY_PROTOCOLS) || sample->known == MOAT_SAMPLE_SOURCE)
		return true;
	if (!(policy->protocols[sample->protocol >> 6] & (1ULL << (sample->protocol & 63))))
		return false;
	if (!(policy->flags & MOAT_POLICY_PORTS) || sample->known == MOAT_SAMPLE_PROTOCOL)
		return true;
	return category->ports &&
	       category->ports->set[sample->port >> 6] & (1ULL << (sample->port & 63));
}

/* The strongest action whose scope fits, ties in the order of the file; NONE without. */
static size_t strongest(const struct config *config, uint64_t acts,
			const struct moat_sample *sample)
{
	size_t best = NONE;

	for (size_t c = 0; c < config->categories; c++) {
		const struct config_category *category = &config->category[c];

		if (!(acts >> c & 1) || category->policy.flags & MOAT_POLICY_SHARED ||
		    !fits(category, sample))
			continue;
		if (best == NONE || category->policy.action > config->category[best].policy.action)
			best = c;
	}
	return best;
}

static size_t shared_of(const struct config *config, uint64_t acts)
{
	size_t c = 0;

	while (c < config->categories &&
	       !(acts >> c & 1 && config->category[c].policy.flags & MOAT_POLICY_SHARED))
		c++;
	return c < config->categories ? c : NONE;
}

static void judge_unlisted(const struct config *config, const struct moat_sample *sample,
			   struct judged *ret)
{
	if (sample->reason >= MOAT_POLICY_REASONS && config->drop_reasons >> sample->reason & 1)
		ret->fate = FATE_DROPPED;
}

static void judge_tagged(const struct config *config, size_t category, struct judged *ret)
{
	ret->fate = FATE_TAGGED;
	ret->mark = config->category[category].policy.mark;
	ret->dscp = config->category[category].policy.dscp;
}

void judge(const struct config *config, const struct standing *standing,
	   const struct moat_sample *sample, bool enforce, struct judged *ret)
{
	size_t c = standing->allowed ? NONE : strongest(config, standing->acts, sample);
	size_t shared = shared_of(config, standing->acts);

	*ret = (struct judged){ .fate = FATE_PASSED, .category = c };
	if (!enforce || standing->allowed)
		return;
	if (c == NONE && !standing->acts && !standing->monitors)
		judge_unlisted(config, sample, ret);
	if (c == NONE)
		return;
	switch (config->category[c].policy.action) {
	case MOAT_ACTION_DROP:
		ret->fate = FATE_DROPPED;
		if (shared != NONE)
			judge_tagged(config, shared, ret);
		else if (sample->reason == MOAT_REPLY && config->replies)
			ret->fate = FATE_PASSED;
		break;
	case MOAT_ACTION_LIMIT:
		ret->fate = sample->reason == MOAT_REPLY && config->replies ? FATE_PASSED
									    : FATE_LIMITED;
		break;
	case MOAT_ACTION_TAG:
		judge_tagged(config, c, ret);
		break;
	default:
		break;
	}
}

/* ---- what it does not see ---- */

static bool same_texts(const struct config *now, const struct config *next)
{
	return now->regions == next->regions &&
	       (!now->regions ||
		!memcmp(now->region, next->region, now->regions * sizeof(*now->region)));
}

static bool same_rates(const struct config *now, const struct config *next)
{
	for (size_t i = 0; i < next->categories; i++) {
		size_t c = category_of(now, next->category[i].name);
		const struct moat_policy *a, *b = &next->category[i].policy;

		if (c == NONE)
			continue;
		a = &now->category[c].policy;
		if (a->action == MOAT_ACTION_LIMIT && b->action == MOAT_ACTION_LIMIT &&
		    (a->cost != b->cost || a->burst != b->burst))
			return false;
	}
	return true;
}

static bool no_new_categories(const struct config *now, const struct config *next)
{
	for (size_t i = 0; i < next->categories; i++)
		if (category_of(now, next->category[i].name) == NONE)
			return false;
	return true;
}

static bool same_feeds(const struct config *now, const struct config *next)
{
	for (size_t i = 0; i < next->feeds; i++) {
		const struct config_feed *was = feed_of(now, next->feed[i].name);

		if (!was || strcmp(was->url, next->feed[i].url) != 0)
			return false;
	}
	return true;
}

const char *whatif_unjudged(const struct config *now, const struct config *next,
			    char buf[static WHATIF_TEXT])
{
	const struct {
		const char *what;
		bool same;
	} keys[] = {
		{ "listings of new categories", no_new_categories(now, next) },
		{ "listings of new feeds", same_feeds(now, next) },
		{ "region", same_texts(now, next) },
		{ "guards", !memcmp(now->min_prefix, next->min_prefix, sizeof(now->min_prefix)) &&
				    now->non_routable == next->non_routable },
		{ "the rate of limits", same_rates(now, next) },
		{ "replies", now->replies || !next->replies },
	};
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!keys[i].same && used < WHATIF_TEXT)
			used += (size_t)snprintf(buf + used, WHATIF_TEXT - used, "%s%s",
						 used ? ", " : "", keys[i].what);
	return buf;
}
