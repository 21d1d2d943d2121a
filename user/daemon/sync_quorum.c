/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sync_private.h"

/* ---- what the configuration says of feeds ---- */

static int compare_voters(const void *a, const void *b)
{
	return strcmp(((const struct voter *)a)->name, ((const struct voter *)b)->name);
}

static int add_voter(struct ruleset *r, const char *name, const char *leader, bool trusted)
{
	struct voter *voter = &r->voter[r->voters++];

	voter->name = strdup(name);
	voter->leader = strdup(leader);
	voter->trusted = trusted;
	return voter->name && voter->leader ? 0 : -ENOMEM;
}

static const char *leader_of(const struct config *config, const char *group)
{
	size_t i = 0;

	while (strcmp(config->feed[i].group, group) != 0)
		i++;
	return config->feed[i].name;
}

int ruleset_voters(struct ruleset *r, const struct config *config)
{
	int error;

	r->voter = calloc(config->feeds + 1, sizeof(*r->voter));
	if (!r->voter)
		return -ENOMEM;
	error = add_voter(r, CONFIG_MANUAL, CONFIG_MANUAL, config->manual_trusted);
	for (size_t i = 0; i < config->feeds && !error; i++) {
		const struct config_feed *feed = &config->feed[i];

		if (feed->trusted || *feed->group)
			error = add_voter(r, feed->name,
					  *feed->group ? leader_of(config, feed->group)
						       : feed->name,
					  feed->trusted);
	}
	qsort(r->voter, r->voters, sizeof(*r->voter), compare_voters);
	return error;
}

void ruleset_free_voters(struct ruleset *r)
{
	for (size_t i = 0; i < r->voters; i++) {
		free(r->voter[i].name);
		free(r->voter[i].leader);
	}
	free(r->voter);
}

/* ---- numbers ---- */

/* Both numbers of a feed are one group: that of the first number of its leader. */
static int group_feed(struct sync *s, uint16_t feed)
{
	struct voter key = { .name = (char *)feeds_name(s->feeds, feed) };
	const struct voter *voter =
		bsearch(&key, s->rules->voter, s->rules->voters, sizeof(key), compare_voters);
	uint32_t group = MODEL_TRUSTED;

	if (!voter || !voter->trusted) {
		int number = feeds_number(s->feeds, voter ? voter->leader : key.name, false);

		if (number < 0 && number != -ENOSPC)
			return number;
		group = number < 0 ? feed : (uint32_t)number;
	}
	return model_set_group(s->model, feed, group);
}

int sync_group_feeds(struct sync *s)
{
	int r = 0;

	if (!s->rules->quorums)
		return 0;
	while (s->grouped < feeds_count(s->feeds) && !r) {
		r = group_feed(s, (uint16_t)s->grouped);
		s->grouped += !r;
	}
	return r;
}

int sync_use_quorum(struct sync *s)
{
	int r = model_set_rules(s->model, &s->rules->model);

	s->grouped = SYNC_FEED_SELFTEST + 1;
	return r ?: sync_group_feeds(s);
}

/* ---- questions ---- */

uint8_t sync_shared(const struct sync *s, uint64_t set)
{
	const struct ruleset *r = s->rules;
	uint8_t first = 0;

	if (set >> MOAT_CATEGORY_SELFTEST & 1)
		return 0;
	for (uint8_t c = 1; c < MOAT_CATEGORIES; c++)
		if (set >> c & 1 && r->policy[c].flags & MOAT_POLICY_SHARED &&
		    (!first || r->rank[c] < r->rank[first]))
			first = c;
	return first;
}

uint64_t sync_sharing(const struct sync *s, const struct prefix *address)
{
	uint64_t set = model_idle(s->model, address, sync_realtime());

	for (uint8_t c = 1; c < MOAT_CATEGORIES; c++)
		if (!(s->rules->policy[c].flags & MOAT_POLICY_SHARED))
			set &= ~(1ULL << c);
	return set;
}

struct count_votes {
	const struct sync *s;
	int64_t now;
	uint32_t group[SYNC_QUORUM_GROUPS];
	struct sync_quorum quorum;
};

static void note_feed(struct sync_quorum *quorum, const char *name)
{
	for (size_t i = 0; i < quorum->feeds; i++)
		if (!strcmp(quorum->feed[i], name))
			return;
	if (quorum->feeds < SYNC_QUORUM_FEEDS)
		quorum->feed[quorum->feeds++] = name;
}

static void count_vote(void *arg, const struct claim *claim)
{
	struct count_votes *votes = arg;
	struct sync_quorum *quorum = &votes->quorum;
	uint32_t group = model_group(votes->s->model, claim->feed);

	if (claim->category != quorum->category || (claim->expires && claim->expires <= votes->now))
		return;
	note_feed(quorum, feeds_name(votes->s->feeds, claim->feed));
	if (group == MODEL_TRUSTED) {
		quorum->trusted = true;
		return;
	}
	for (unsigned int i = 0; i < quorum->have; i++)
		if (votes->group[i] == group)
			return;
	if (quorum->have < SYNC_QUORUM_GROUPS)
		votes->group[quorum->have++] = group;
}

void sync_each_quorum(const struct sync *s, const struct prefix *address,
		      void (*fn)(void *arg, const struct sync_quorum *quorum), void *arg)
{
	const struct model_rules *rules = &s->rules->model;

	for (uint8_t c = 1; c < MOAT_CATEGORIES; c++) {
		struct count_votes votes = { .s = s,
					     .now = sync_realtime(),
					     .quorum = { .category = c, .need = rules->k_of[c] } };

		if (rules->k_of[c] < 2)
			continue;
		model_covering(s->model, address, count_vote, &votes);
		votes.quorum.acts = votes.quorum.trusted || votes.quorum.have >= votes.quorum.need;
		if (votes.quorum.feeds)
			fn(arg, &votes.quorum);
	}
}

struct tell {
	const struct sync *s;
	int64_t now;
	whatif_claim_fn fn;
	void *arg;
};

static void tell_claim(void *arg, const struct claim *claim)
{
	const struct tell *tell = arg;
	const struct sync *s = tell->s;
	struct whatif_claim told = {
		.category = category_shown(s->rules->categories.name[claim->category]),
		.source = claim->source,
		.never = claim->feed == SYNC_FEED_NEVER_BLOCK,
	};

	if (claim->feed == SYNC_FEED_SELFTEST || (claim->expires && claim->expires <= tell->now))
		return;
	told.feed = told.never ? "" : feeds_name(s->feeds, claim->feed);
	told.held = !told.never && sync_held(s, told.feed);
	tell->fn(tell->arg, &told);
}

void sync_each_claim(const struct sync *s, const struct prefix *address, whatif_claim_fn fn,
		     void *arg)
{
	struct tell tell = { .s = s, .now = sync_realtime(), .fn = fn, .arg = arg };

	model_covering(s->model, address, tell_claim, &tell);
}

struct owners {
	const struct sync *s;
	int64_t now;
	void (*fn)(void *arg, uint16_t feed, const char *name);
	void *arg;
};

static void tell_owner(void *arg, const struct claim *claim)
{
	const struct owners *o = arg;
	const struct feeds *feeds = o->s->feeds;
	const char *name;
	int number;

	if (claim->feed == SYNC_FEED_NEVER_BLOCK || claim->feed == SYNC_FEED_SELFTEST ||
	    (claim->expires && claim->expires <= o->now))
		return;
	name = feeds_name(feeds, claim->feed);
	number = feeds_is_cidr(feeds, claim->feed) ? feeds_find(feeds, name, false) : -ENOENT;
	o->fn(o->arg, number < 0 ? claim->feed : (uint16_t)number, name);
}

void sync_each_owner(const struct sync *s, const struct prefix *source,
		     void (*fn)(void *arg, uint16_t feed, const char *name), void *arg)
{
	struct owners owners = { .s = s, .now = sync_realtime(), .fn = fn, .arg = arg };

	model_covering(s->model, source, tell_owner, &owners);
}
