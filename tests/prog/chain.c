/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's road from claims to the kernel's maps: model, compile, image.
 *
 * Realtime is set equal to the boot clock, so that the seconds of user/core
 * are seconds of boot.
 *
 * The two banks are written whole at each step, sources and phases only as the
 * image says: what it forgets to write or to delete shows in the verdicts.
 */
#include "core/image.h"
#include "core/model.h"
#include "moat/abi.h"
#include "tests/prog/install.h"

#define PHASES 65536
#define SECOND 1000000000ULL

/*
 * A feed is a claim's place in the list, and the group it belongs to there.
 * Places repeat in lists that are longer, which name no source twice.
 */
#define FEEDS_OF_GROUP 64
#define GROUPS	       17 /* the last is that of trusted ones */
#define GROUP_NUMBER   100000

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "chain: %s\n", what);
	abort();
}

static int stage(void *arg, const struct prefix *source, struct installed *installed,
		 const struct plan *plan)
{
	int staged = image_stage(arg, source, installed, plan);

	return staged < 0 ? staged : 0;
}

static uint16_t feed_of(const struct reference_claim *c, size_t i)
{
	unsigned int group = c->trusted ? GROUPS - 1 : c->feed;

	must(group < GROUPS, "number of a group");
	return group * FEEDS_OF_GROUP + i % FEEDS_OF_GROUP;
}

static void set_groups(struct model *m)
{
	for (unsigned int feed = 0; feed < GROUPS * FEEDS_OF_GROUP; feed++) {
		uint32_t group = feed / FEEDS_OF_GROUP;

		must(model_set_group(m, feed,
				     group == GROUPS - 1 ? MODEL_TRUSTED : GROUP_NUMBER + group) ==
			     0,
		     "group of a feed");
	}
}

static void set_rules(struct model *m, const struct reference *world)
{
	struct model_rules rules = { .idle = 0 };

	for (unsigned int c = 0; c < MOAT_CATEGORIES; c++) {
		rules.k_of[c] = world->policy[c].k_of;
		rules.below[c] = world->policy[c].below;
		rules.idle |= (uint64_t)world->policy[c].shared << c;
	}
	must(model_set_rules(m, &rules) == 0, "rules");
}

static struct prefix prefix_of(const struct reference_claim *c)
{
	struct prefix p = { .family = c->family, .len = c->len };

	memcpy(p.addr, c->addr, sizeof(p.addr));
	return p;
}

struct chain {
	struct harness *h;
	struct model *model;
	struct image *image;
	struct reference_claim *claim; /* as the model has them */
	size_t claims;
	bool ruled; /* the model knows of quorums and shared addresses, which do not change */
};

struct chain *chain_free(struct chain *c)
{
	if (!c)
		return NULL;
	model_free(c->model);
	image_free(c->image);
	free(c->claim);
	free(c);
	return NULL;
}

struct chain *chain_new(struct harness *h)
{
	struct chain *c = calloc(1, sizeof(*c));

	must(c, "memory");
	c->h = h;
	must(model_new(&c->model) == 0, "model");
	must(image_new(PHASES, &c->image) == 0, "image");
	image_set_clock(c->image, 0);
	set_groups(c->model);
	harness_clear(h);
	return c;
}

static bool same_claim(const struct reference_claim *a, const struct reference_claim *b)
{
	return a->family == b->family && a->len == b->len && a->category == b->category &&
	       a->expires == b->expires && a->feed == b->feed && a->trusted == b->trusted &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static void drop_claim(struct chain *c, size_t i)
{
	struct prefix source = prefix_of(&c->claim[i]);

	must(model_drop(c->model, &source, c->claim[i].category, feed_of(&c->claim[i], i)) == 1,
	     "claim is gone");
}

static void put_claim(struct chain *c, const struct reference_claim *claim, size_t i)
{
	struct claim put = {
		.source = prefix_of(claim),
		.category = claim->category,
		.feed = feed_of(claim, i),
		.expires = (claim->expires + SECOND - 1) / SECOND,
	};

	must(model_put(c->model, &put) == 1, "claim is there");
}

/* Brings the model from the claims it has to those of the world, one change at a time. */
static void change_claims(struct chain *c, const struct reference *world)
{
	for (size_t i = 0; i < c->claims; i++) {
		if (i >= world->claims || !same_claim(&c->claim[i], &world->claim[i]))
			drop_claim(c, i);
	}
	for (size_t i = 0; i < world->claims; i++) {
		if (i >= c->claims || !same_claim(&c->claim[i], &world->claim[i]))
			put_claim(c, &world->claim[i], i);
	}
	free(c->claim);
	c->claims = world->claims;
	c->claim = calloc(c->claims ?: 1, sizeof(*c->claim));
	must(c->claim, "memory");
	if (c->claims)
		memcpy(c->claim, world->claim, c->claims * sizeof(*c->claim));
}

static void set_policies(struct image *im, struct harness *h, const struct reference *world)
{
	struct moat_policy policy[MOAT_CATEGORIES];
	uint8_t rank[MOAT_CATEGORIES];
	uint32_t bank = harness_bank(h);

	for (uint32_t c = 0; c < MOAT_CATEGORIES; c++) {
		uint32_t index = MOAT_POLICY_INDEX(c, bank);
		struct moat_ports ports;

		install_policy(&world->policy[c], &policy[c], &ports);
		rank[c] = world->policy[c].rank;
		harness_write(h, MOAT_MAP_POLICIES, &index, &policy[c]);
		if (world->policy[c].ports)
			harness_write(h, MOAT_MAP_PORTS, &index, &ports);
	}
	image_set_policies(im, policy, rank);
}

static void write_batch(const struct image *im, struct harness *h)
{
	uint32_t bank = harness_bank(h);
	struct image_batch batch;

	image_batch(im, &batch);
	for (size_t i = 0; i < batch.phases; i++)
		harness_write(h, MOAT_MAP_PHASES, &batch.phase[i], image_phase(im, batch.phase[i]));
	for (uint32_t class = 0; class < image_classes(im); class ++) {
		uint32_t index = MOAT_CLASS_INDEX(class, bank);

		harness_write(h, MOAT_MAP_CLASSES, &index, image_class(im, class));
	}
	for (size_t i = 0; i < batch.puts[MOAT_IPV4]; i++)
		harness_write(h, MOAT_MAP_SOURCE4, &batch.put4[i], &batch.put4_value[i]);
	for (size_t i = 0; i < batch.puts[MOAT_IPV6]; i++)
		harness_write(h, MOAT_MAP_SOURCE6, &batch.put6[i], &batch.put6_value[i]);
	for (size_t i = 0; i < batch.deletes[MOAT_IPV4]; i++)
		harness_delete(h, MOAT_MAP_SOURCE4, &batch.delete4[i]);
	for (size_t i = 0; i < batch.deletes[MOAT_IPV6]; i++)
		harness_delete(h, MOAT_MAP_SOURCE6, &batch.delete6[i]);
	for (uint8_t family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		uint32_t index = MOAT_LENGTHS_INDEX(family, bank);
		struct moat_lengths lengths;

		image_lengths(im, family, false, &lengths);
		harness_write(h, MOAT_MAP_LENGTHS, &index, &lengths);
	}
}

void chain_apply(struct chain *c, const struct reference *world, uint64_t compiled_at)
{
	set_policies(c->image, c->h, world);
	if (!c->ruled)
		set_rules(c->model, world);
	c->ruled = true;
	change_claims(c, world);
	must(model_compile(c->model, compiled_at / SECOND, stage, c->image) >= 0, "compile");
	write_batch(c->image, c->h);
	image_done(c->image);
	harness_flip(c->h);
	harness_switch(c->h, world);
}

void install_chain(struct harness *h, const struct reference *world, uint64_t compiled_at)
{
	struct chain *c = chain_new(h);

	chain_apply(c, world, compiled_at);
	chain_free(c);
}
