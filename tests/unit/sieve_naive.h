/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sieve must say, by a list that is looked through: for the tests
 * that compare.
 */
#ifndef TESTS_SIEVE_NAIVE_H
#define TESTS_SIEVE_NAIVE_H

#include "tests/unit/sieve_lab.h"

#define NAIVE_MAX 512

struct naive_source {
	struct prefix source;
	uint32_t class, expires;
};

struct naive {
	struct naive_source at[NAIVE_MAX];
	uint32_t count;
};

static inline struct naive_source *naive_find(struct naive *n, const struct prefix *source)
{
	for (uint32_t i = 0; i < n->count; i++)
		if (!prefix_compare(&n->at[i].source, source))
			return &n->at[i];
	return NULL;
}

/* False: the list is full. */
static inline bool naive_put(struct naive *n, const struct prefix *source, uint32_t class,
			     uint32_t expires)
{
	struct naive_source *at = naive_find(n, source);

	if (!at && n->count == NAIVE_MAX)
		return false;
	if (!at)
		at = &n->at[n->count++];
	*at = (struct naive_source){ *source, class, expires };
	return true;
}

static inline void naive_delete(struct naive *n, const struct prefix *source)
{
	struct naive_source *at = naive_find(n, source);

	if (at)
		*at = n->at[--n->count];
}

/* The longest source that covers the host, or NULL. */
static inline const struct naive_source *naive_match(const struct naive *n,
						     const struct prefix *host)
{
	const struct naive_source *best = NULL;

	for (uint32_t i = 0; i < n->count; i++)
		if (prefix_covers(&n->at[i].source, host) &&
		    (!best || n->at[i].source.len > best->source.len))
			best = &n->at[i];
	return best;
}

/*
 * Whether an answer is right: that of the longest match, or that only the
 * records know, which must be said of a match that has ended.
 */
static inline bool naive_agrees(const struct naive *n, const struct prefix *host,
				struct sieve_answer answer)
{
	const struct naive_source *match = naive_match(n, host);

	if (answer.ask)
		return true;
	if (!match)
		return !answer.listed;
	return answer.listed && answer.class == match->class && answer.len == match->source.len &&
	       (match->expires == MOAT_NEVER || sieve_lab.now < match->expires);
}

#endif
