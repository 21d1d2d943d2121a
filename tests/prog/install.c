/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/install.h"

#include <arpa/inet.h>

#define TICK (1ULL << MOAT_TICK_SHIFT) /* ns */

/* The sets of categories of a list; a set's class is its place, 0 is allow. */
struct classes {
	uint64_t set[MOAT_CLASSES];
	uint32_t count;
};

struct phase {
	uint32_t class;
	uint32_t expires;
};

struct install {
	struct harness *h;
	const struct reference *world;
	uint64_t compiled_at;
	struct classes classes;
	uint32_t phases; /* entries of moat_phases in use */
	bool used[2][MOAT_LENGTHS6];
};

void install_policy(const struct reference_policy *p, struct moat_policy *ret,
		    struct moat_ports *ret_ports)
{
	*ret = (struct moat_policy){
		.action = p->action,
		.mark = p->mark,
		.dscp = p->dscp,
		.cost = p->bits ? p->period << 20 : p->period,
		.burst = p->burst,
	};
	ret->flags = (p->protocols ? MOAT_POLICY_PROTOCOLS : 0) |
		     (p->ports ? MOAT_POLICY_PORTS : 0) | (p->bits ? MOAT_POLICY_BITS : 0) |
		     (p->marks ? MOAT_POLICY_MARK : 0) | (p->has_dscp ? MOAT_POLICY_DSCP : 0) |
		     (p->shared ? MOAT_POLICY_SHARED : 0);
	for (unsigned int i = 0; i < p->protocols; i++)
		ret->protocols[p->protocol[i] / 64] |= 1ULL << p->protocol[i] % 64;
	if (!ret_ports)
		return;
	memset(ret_ports, 0, sizeof(*ret_ports));
	for (unsigned int i = 0; i < p->ports; i++)
		ret_ports->set[p->port[i] / 64] |= 1ULL << p->port[i] % 64;
}

static void write_policies(const struct install *in)
{
	uint32_t bank = harness_bank(in->h);

	for (uint32_t c = 0; c < MOAT_CATEGORIES; c++) {
		uint32_t index = MOAT_POLICY_INDEX(c, bank);
		const struct reference_policy *p = &in->world->policy[c];
		struct moat_policy policy;
		struct moat_ports ports;

		install_policy(p, &policy, p->ports ? &ports : NULL);
		harness_write(in->h, MOAT_MAP_POLICIES, &index, &policy);
		if (p->ports)
			harness_write(in->h, MOAT_MAP_PORTS, &index, &ports);
	}
}

static bool comes_before(const struct reference_policy *a, const struct reference_policy *b)
{
	return a->action != b->action ? a->action > b->action : a->rank < b->rank;
}

static void write_class(const struct install *in, uint32_t class)
{
	const struct reference_policy *policy = in->world->policy;
	uint32_t index = MOAT_CLASS_INDEX(class, harness_bank(in->h));
	uint64_t left = class == MOAT_CLASS_ALLOW ? 0 : in->classes.set[class];
	struct moat_class value = { .set = in->classes.set[class] };

	while (left) {
		int best = -1;

		for (int c = 0; c < MOAT_CATEGORIES; c++) {
			if (left >> c & 1 && (best < 0 || comes_before(&policy[c], &policy[best])))
				best = c;
		}
		left &= ~(1ULL << best);
		if (policy[best].shared) {
			if (!value.shared || policy[best].rank < policy[value.shared].rank)
				value.shared = best;
			continue;
		}
		value.order[value.count++] = best;
		value.scoped |= policy[best].protocols > 0;
	}
	harness_write(in->h, MOAT_MAP_CLASSES, &index, &value);
}

static uint32_t class_of(struct classes *classes, uint64_t set)
{
	if (set & 1)
		return MOAT_CLASS_ALLOW;
	for (uint32_t i = 1; i < classes->count; i++) {
		if (classes->set[i] == set)
			return i;
	}
	classes->set[classes->count] = set;
	return classes->count++;
}

static uint32_t ticks(uint64_t boot_ns)
{
	return (boot_ns + TICK - 1) / TICK;
}

static bool same_prefix(const struct reference_claim *a, const struct reference_claim *b)
{
	return a->family == b->family && a->len == b->len && !memcmp(a->addr, b->addr, 16);
}

static bool covers(const struct reference_claim *a, const struct reference_claim *b)
{
	return a->family == b->family && a->len <= b->len &&
	       reference_covers(a->addr, a->len, b->addr);
}

/* When time goes on from `from`: the next moment at which a claim on source ends. */
static uint64_t next_end(const struct reference *w, const struct reference_claim *source,
			 uint64_t from)
{
	uint64_t end = REFERENCE_FOREVER;

	for (size_t i = 0; i < w->claims; i++) {
		const struct reference_claim *c = &w->claim[i];

		if (c->expires > from && c->expires < end && covers(c, source))
			end = c->expires;
	}
	return end;
}

/* Whether so many feeds claim a source in a category at a time. */
static bool feeds_agree(const struct reference *w, const struct reference_claim *source,
			uint64_t at, uint8_t category)
{
	unsigned int feeds = 0;

	for (unsigned int feed = 0; feed < 256; feed++) {
		bool lists = false;

		for (size_t i = 0; i < w->claims; i++) {
			const struct reference_claim *c = &w->claim[i];

			if (c->category != category || (c->expires && c->expires <= at) ||
			    !covers(c, source))
				continue;
			if (c->trusted)
				return true;
			lists = lists || c->feed == feed;
		}
		feeds += lists;
	}
	return feeds >= w->policy[category].k_of;
}

/* The categories of source at a time, and whether it has live claims of its own. */
static uint64_t set_at(const struct reference *w, const struct reference_claim *source, uint64_t at,
		       bool *ret_own)
{
	uint64_t set = 0;

	*ret_own = false;
	for (size_t i = 0; i < w->claims; i++) {
		const struct reference_claim *c = &w->claim[i];

		if ((c->expires && c->expires <= at) || !covers(c, source))
			continue;
		set |= 1ULL << (feeds_agree(w, source, at, c->category)
					? c->category
					: w->policy[c->category].below);
		*ret_own = *ret_own || c->len == source->len;
	}
	return set;
}

static bool is_only_shared(const struct reference *w, uint64_t set)
{
	for (int c = 0; c < MOAT_CATEGORIES; c++) {
		if (set >> c & 1 && !w->policy[c].shared)
			return false;
	}
	return true;
}

/* The phases of a source, from compiled_at on until its own claims have ended. */
static uint32_t phases_of(struct install *in, const struct reference_claim *source,
			  struct phase phase[MOAT_PHASES_MAX])
{
	uint64_t at = in->compiled_at;
	uint32_t count = 0;

	while (count < MOAT_PHASES_MAX) {
		bool own;
		uint64_t set = set_at(in->world, source, at, &own);
		uint32_t class;

		if (!own || is_only_shared(in->world, set))
			break;
		class = class_of(&in->classes, set);
		at = next_end(in->world, source, at);
		if (count && phase[count - 1].class == class)
			count--;
		phase[count].class = class;
		phase[count++].expires = at == REFERENCE_FOREVER ? MOAT_NEVER : ticks(at);
		if (at == REFERENCE_FOREVER)
			break;
	}
	return count;
}

static void write_source(const struct install *in, const struct reference_claim *source,
			 const struct moat_source *value)
{
	struct moat_key4 key4 = { .len = source->len };
	struct moat_key6 key6 = { .len = source->len };

	memcpy(&key4.addr, source->addr, sizeof(key4.addr));
	memcpy(key6.addr, source->addr, sizeof(key6.addr));
	if (source->family == MOAT_IPV4)
		harness_write(in->h, MOAT_MAP_SOURCE4, &key4, value);
	else
		harness_write(in->h, MOAT_MAP_SOURCE6, &key6, value);
}

static void install_source(struct install *in, const struct reference_claim *source)
{
	struct phase phase[MOAT_PHASES_MAX];
	uint32_t count = phases_of(in, source, phase);
	struct moat_source value = { 0 };

	if (!count)
		return;
	in->used[source->family][source->len] = true;
	/* Later phases first, so that each knows the one after it. */
	for (uint32_t i = count - 1; i > 0; i--) {
		struct moat_phase later = {
			.class = phase[i].class,
			.expires = phase[i].expires,
			.next = value.next,
		};

		value.next = ++in->phases;
		harness_write(in->h, MOAT_MAP_PHASES, &value.next, &later);
	}
	value.class = phase[0].class;
	value.expires = phase[0].expires;
	write_source(in, source, &value);
}

static void write_lengths(const struct install *in, uint32_t family)
{
	uint32_t index = MOAT_LENGTHS_INDEX(family, harness_bank(in->h));
	_cleanup_free_ struct moat_lengths *lengths = calloc(1, sizeof(*lengths));

	if (!lengths)
		abort();
	for (int len = MOAT_LENGTHS6 - 1; len >= 0; len--) {
		struct moat_length *length = &lengths->at[lengths->count];

		if (!in->used[family][len])
			continue;
		length->len = len;
		for (int word = 0; word < 4; word++) {
			int bits = len - word * 32;
			uint32_t mask = bits >= 32 ? ~0U : bits <= 0 ? 0 : ~0U << (32 - bits);

			length->mask[word] = htonl(mask);
		}
		lengths->count++;
	}
	harness_write(in->h, MOAT_MAP_LENGTHS, &index, lengths);
}

static bool is_first_of_prefix(const struct reference *w, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (same_prefix(&w->claim[i], &w->claim[at]))
			return false;
	}
	return true;
}

void install_plain(struct harness *h, const struct reference *world, uint64_t compiled_at)
{
	_cleanup_free_ struct install *in = calloc(1, sizeof(*in));

	if (!in)
		abort();
	in->h = h;
	in->world = world;
	in->compiled_at = compiled_at;
	in->classes.count = 1;
	in->classes.set[MOAT_CLASS_ALLOW] = 1;

	harness_clear(h);
	for (size_t i = 0; i < world->claims; i++) {
		if (is_first_of_prefix(world, i))
			install_source(in, &world->claim[i]);
	}
	for (uint32_t class = 0; class < in->classes.count; class ++)
		write_class(in, class);
	write_policies(in);
	write_lengths(in, MOAT_IPV4);
	write_lengths(in, MOAT_IPV6);
	harness_flip(h);
	harness_switch(h, world);
}
