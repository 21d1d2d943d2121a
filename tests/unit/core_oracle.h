/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an address must get, by brute force: a list of claims, searched from
 * end to end, bit by bit. Shares no code with the model it judges.
 *
 * Also random numbers from a seed, and random prefixes that nest often.
 */
#ifndef TESTS_CORE_ORACLE_H
#define TESTS_CORE_ORACLE_H

#include "core/model.h"

#define ORACLE_CLAIMS 4096
#define ORACLE_ALLOW  (1ULL << MOAT_CATEGORY_ALLOW)
#define ORACLE_FEEDS  64

struct oracle {
	struct claim claim[ORACLE_CLAIMS];
	size_t count;
	struct model_rules rules;
	uint32_t group[ORACLE_FEEDS]; /* of a feed, where has_group; else its own number */
	bool has_group[ORACLE_FEEDS];
};

/* ---- random ---- */

struct random {
	uint64_t state; /* not 0 */
};

static inline uint32_t random_below(struct random *r, uint32_t below)
{
	r->state ^= r->state << 13; /* xorshift64 */
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return (r->state >> 20) % below;
}

static inline bool oracle_bit(const uint8_t *addr, unsigned int at)
{
	return addr[at / 8] & (0x80 >> at % 8);
}

/* Clears what lies behind the length, with code of its own. */
static inline void oracle_mask(struct prefix *p)
{
	for (unsigned int at = p->len; at < 128; at++)
		p->addr[at / 8] &= ~(0x80 >> at % 8);
}

/*
 * A host near one of a few addresses: bits of it are flipped, more often than
 * not late ones. Small spaces make prefixes nest and addresses meet them.
 */
static inline struct prefix random_host(struct random *r, uint8_t family)
{
	unsigned int max = prefix_max(family);
	struct prefix p = { .family = family, .len = max };
	unsigned int near = random_below(r, 4);

	for (unsigned int i = 0; i < max / 8; i++)
		p.addr[i] = near * 85 + i;
	for (unsigned int flips = random_below(r, 4); flips; flips--) {
		unsigned int back = random_below(r, 1 + random_below(r, max));
		unsigned int at = max - 1 - back;

		p.addr[at / 8] ^= 0x80 >> at % 8;
	}
	return p;
}

static inline struct prefix random_prefix(struct random *r, uint8_t family)
{
	struct prefix p = random_host(r, family);

	switch (random_below(r, 4)) {
	case 0:
		break;
	case 1:
		p.len = random_below(r, p.len + 1);
		break;
	default:
		p.len -= random_below(r, 9);
		break;
	}
	oracle_mask(&p);
	return p;
}

/* ---- the list ---- */

static inline bool oracle_same(const struct prefix *a, const struct prefix *b)
{
	return a->family == b->family && a->len == b->len && !memcmp(a->addr, b->addr, 16);
}

static inline bool oracle_covers(const struct prefix *a, const struct prefix *b)
{
	if (a->family != b->family || a->len > b->len || memcmp(a->addr, b->addr, a->len / 8))
		return false;
	for (unsigned int at = a->len / 8 * 8; at < a->len; at++) {
		if (oracle_bit(a->addr, at) != oracle_bit(b->addr, at))
			return false;
	}
	return true;
}

static inline bool oracle_is_live(const struct claim *c, int64_t time)
{
	return !c->expires || c->expires > time;
}

/* Returns what model_put() must return. */
static inline int oracle_put(struct oracle *o, const struct claim *claim)
{
	for (size_t i = 0; i < o->count; i++) {
		struct claim *c = &o->claim[i];

		if (oracle_same(&c->source, &claim->source) && c->category == claim->category &&
		    c->feed == claim->feed) {
			bool changed = c->expires != claim->expires;

			c->expires = claim->expires;
			return changed;
		}
	}
	o->claim[o->count++] = *claim;
	return 1;
}

static inline size_t oracle_remove_if(struct oracle *o,
				      bool (*fn)(const struct claim *c, const void *arg),
				      const void *arg)
{
	size_t kept = 0, removed;

	for (size_t i = 0; i < o->count; i++) {
		if (!fn(&o->claim[i], arg))
			o->claim[kept++] = o->claim[i];
	}
	removed = o->count - kept;
	o->count = kept;
	return removed;
}

static inline bool oracle_is_claim(const struct claim *c, const void *arg)
{
	const struct claim *other = arg;

	return oracle_same(&c->source, &other->source) && c->category == other->category &&
	       c->feed == other->feed;
}

static inline bool oracle_is_of_feed(const struct claim *c, const void *arg)
{
	return c->feed == *(const uint16_t *)arg;
}

static inline bool oracle_has_ended(const struct claim *c, const void *arg)
{
	return !oracle_is_live(c, *(const int64_t *)arg);
}

static inline uint32_t oracle_group(const struct oracle *o, uint16_t feed)
{
	return feed < ORACLE_FEEDS && o->has_group[feed] ? o->group[feed] : feed;
}

/* Whether claim i is the first live one of its group, for its category, that covers the address. */
static inline bool oracle_is_first(const struct oracle *o, size_t i, const struct prefix *address,
				   int64_t time)
{
	const struct claim *c = &o->claim[i];

	for (size_t k = 0; k < i; k++) {
		const struct claim *other = &o->claim[k];

		if (oracle_is_live(other, time) && oracle_covers(&other->source, address) &&
		    other->category == c->category &&
		    oracle_group(o, other->feed) == oracle_group(o, c->feed))
			return false;
	}
	return true;
}

/* Independent feeds that list an address in a category; a trusted one is as many as it takes. */
static inline unsigned int oracle_agree(const struct oracle *o, const struct prefix *address,
					int64_t time, uint8_t category)
{
	unsigned int agree = 0;

	for (size_t i = 0; i < o->count; i++) {
		const struct claim *c = &o->claim[i];

		if (!oracle_is_live(c, time) || !oracle_covers(&c->source, address) ||
		    c->category != category || !oracle_is_first(o, i, address, time))
			continue;
		agree += oracle_group(o, c->feed) == MODEL_TRUSTED ? MODEL_K_MAX : 1;
	}
	return agree;
}

/* The categories of an address at a time; allow stands alone; 0: clean, or only idle ones. */
static inline uint64_t oracle_set(const struct oracle *o, const struct prefix *address,
				  int64_t time)
{
	uint64_t set = 0;

	for (size_t i = 0; i < o->count; i++) {
		const struct claim *c = &o->claim[i];
		uint8_t need = o->rules.k_of[c->category];

		if (!oracle_is_live(c, time) || !oracle_covers(&c->source, address))
			continue;
		if (need < 2 || oracle_agree(o, address, time, c->category) >= need)
			set |= 1ULL << c->category;
		if (need >= 2 && oracle_group(o, c->feed) != MODEL_TRUSTED)
			set |= 1ULL << o->rules.below[c->category];
	}
	if (set & ORACLE_ALLOW)
		return ORACLE_ALLOW;
	return set & ~o->rules.idle ? set : 0;
}

/* When the last live claim on exactly source ends: 0 never, -1 there is none. */
static inline int64_t oracle_own_end(const struct oracle *o, const struct prefix *source,
				     int64_t now)
{
	int64_t end = -1;

	for (size_t i = 0; i < o->count; i++) {
		const struct claim *c = &o->claim[i];

		if (!oracle_same(&c->source, source) || !oracle_is_live(c, now))
			continue;
		if (!c->expires)
			return 0;
		if (c->expires > end)
			end = c->expires;
	}
	return end;
}

/* What a plan says at a time from which it was made on; 0: nothing. */
static inline uint64_t plan_set_at(const struct plan *plan, int64_t time)
{
	for (unsigned int i = 0; i < plan->count; i++) {
		if (!plan->phase[i].until || time < plan->phase[i].until)
			return plan->phase[i].set;
	}
	return 0;
}

/* ---- random changes, made to the list and the model alike ---- */

struct change_limits {
	unsigned int feeds, categories; /* how many of each */
	unsigned int horizon;		/* seconds ahead at most */
};

static inline struct claim random_claim(struct random *r, const struct change_limits *l,
					int64_t now)
{
	struct claim c = {
		.source = random_prefix(r, random_below(r, 2)),
		.category = random_below(r, 8) ? 1 + random_below(r, l->categories) : 0,
		.feed = random_below(r, l->feeds),
	};

	if (random_below(r, 3))
		c.expires = now + random_below(r, l->horizon);
	return c;
}

/*
 * Rules that random claims often meet: a quorum of two and one of three, two
 * categories of shared addresses, feeds alone, in groups and trusted.
 */
static inline void random_rules(struct random *r, struct oracle *o, struct model *m)
{
	o->rules = (struct model_rules){ .idle = 1ULL << (3 + random_below(r, 2)) | 1ULL << 7 };
	if (random_below(r, 8)) {
		o->rules.k_of[1] = 2;
		o->rules.below[1] = 5;
		o->rules.k_of[2] = 2 + random_below(r, MODEL_K_MAX - 1) % 3;
		o->rules.below[2] = 6;
	}
	assert_int_equal(model_set_rules(m, &o->rules), 0);
	for (uint16_t feed = 0; feed < ORACLE_FEEDS; feed++) {
		static const uint32_t groups[] = { 1, 1, 77, 77, MODEL_TRUSTED };
		uint32_t kind = random_below(r, 12);

		o->has_group[feed] = kind < ARRAY_SIZE(groups);
		o->group[feed] = o->has_group[feed] ? groups[kind] : 0;
		assert_int_equal(model_set_group(m, feed, oracle_group(o, feed)), 0);
	}
}

/* One that is in the list, to be refreshed or removed; the list must not be empty. */
static inline struct claim random_known(struct random *r, const struct oracle *o)
{
	return o->claim[random_below(r, o->count)];
}

#endif
