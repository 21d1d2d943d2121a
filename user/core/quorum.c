/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/quorum.h"

void quorum_fini(struct quorum *q)
{
	free(q->vote);
	free(q->group);
	*q = (struct quorum){};
}

size_t quorum_memory(const struct quorum *q)
{
	return (size_t)QUORUM_ROWS * q->votes * sizeof(*q->vote) + q->groups * sizeof(*q->group);
}

int quorum_set_rules(struct quorum *q, const struct model_rules *rules)
{
	struct quorum new = { .group = q->group, .groups = q->groups };

	for (unsigned int c = 0; c < MOAT_CATEGORIES; c++) {
		if (c == MOAT_CATEGORY_ALLOW || rules->k_of[c] < 2)
			continue;
		new.counted |= 1ULL << c;
		new.k_of[c] = rules->k_of[c] < MODEL_K_MAX ? rules->k_of[c] : MODEL_K_MAX;
		new.below[c] = rules->below[c] & (MOAT_CATEGORIES - 1);
		new.at[c] = (uint16_t) new.votes;
		new.votes += new.k_of[c];
	}
	if (new.counted) {
		new.vote = calloc((size_t)QUORUM_ROWS * new.votes, sizeof(*new.vote));
		if (!new.vote)
			return -ENOMEM;
	}
	free(q->vote);
	*q = new;
	return 0;
}

int quorum_set_group(struct quorum *q, uint16_t feed, uint32_t group)
{
	if (quorum_group(q, feed) == group)
		return 0;
	if (feed >= q->groups) {
		uint32_t groups = feed + 1U + feed / 4;
		uint32_t *grown = reallocarray(q->group, groups, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		for (uint32_t i = q->groups; i < groups; i++)
			grown[i] = i;
		q->group = grown;
		q->groups = groups;
	}
	q->group[feed] = group;
	return 1;
}

/*
 * A group that has a vote moves it; one that has none takes the place of the
 * vote that ends first. What is pushed out can never be among the largest
 * again, but by a claim that ends later.
 */
static void take_vote(struct quorum_vote *vote, unsigned int k, uint32_t group, int64_t end)
{
	unsigned int place = 0;

	while (place < k - 1 && vote[place].end && vote[place].group != group)
		place++;
	if (vote[place].end >= end)
		return;
	for (; place && vote[place - 1].end < end; place--)
		vote[place] = vote[place - 1];
	vote[place] = (struct quorum_vote){ .end = end, .group = group };
}

void quorum_add(const struct quorum *q, struct merge *m, uint8_t category, uint32_t group,
		int64_t end, int64_t now)
{
	uint64_t bit = 1ULL << category;

	if (end <= now)
		return;
	if (group == MODEL_TRUSTED) {
		merge_add(m, category, end, now);
		return;
	}
	if (!(m->voted & bit))
		memset(&m->vote[q->at[category]], 0, q->k_of[category] * sizeof(*m->vote));
	m->voted |= bit;
	take_vote(&m->vote[q->at[category]], q->k_of[category], group, end);
}

void quorum_copy(const struct quorum *q, struct merge *to, const struct merge *from)
{
	to->voted = from->voted;
	for (uint64_t left = from->voted; left; left &= left - 1) {
		int c = __builtin_ctzll(left);

		memcpy(&to->vote[q->at[c]], &from->vote[q->at[c]], q->k_of[c] * sizeof(*to->vote));
	}
}

void quorum_decide(const struct quorum *q, struct merge *m)
{
	for (uint64_t left = m->voted; left; left &= left - 1) {
		uint8_t c = (uint8_t)__builtin_ctzll(left);
		const struct quorum_vote *vote = &m->vote[q->at[c]];

		merge_add(m, c, vote[q->k_of[c] - 1].end, 0);
		merge_add(m, q->below[c], vote[0].end, 0);
	}
}
