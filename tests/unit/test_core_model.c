/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model against the brute force of core_oracle.h. What the visitor was
 * told is kept in a list of plans, which is asked as bpf/lookup.h asks the
 * kernel's maps: the longest match with a live phase decides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/core_oracle.h"

#define VISITED 2048

struct visited {
	struct prefix source;
	struct plan plan;
	unsigned int compile; /* number of the compile it was last visited in */
};

struct world {
	struct model *model;
	struct oracle oracle;
	struct random random;
	int64_t now;
	struct visited *visited[VISITED];
	size_t count;
	unsigned int compile;
	unsigned int stop_after; /* visits that succeed; 0: all */
	bool expect_same;	 /* no plan may change */
	bool has_rules;		 /* a quorum, groups, shared addresses, which change */
	size_t checks;
};

static struct visited *world_find(struct world *w, const struct prefix *source)
{
	for (size_t i = 0; i < w->count; i++) {
		if (oracle_same(&w->visited[i]->source, source))
			return w->visited[i];
	}
	return NULL;
}

/* With the source's own claims, or when they leave nothing but what is idle. */
static void assert_plan_ends(struct world *w, const struct prefix *source, int64_t until,
			     int64_t own_end)
{
	if (until == own_end)
		return;
	assert_true(until && (!own_end || until < own_end));
	assert_int_equal(oracle_set(&w->oracle, source, until), 0);
}

static void assert_plan_is_well_formed(struct world *w, const struct prefix *source,
				       const struct plan *plan)
{
	int64_t own_end = oracle_own_end(&w->oracle, source, w->now);

	if (own_end < 0) {
		assert_int_equal(plan->count, 0);
		return;
	}
	if (!plan->count) {
		assert_int_equal(oracle_set(&w->oracle, source, w->now), 0);
		return;
	}
	assert_in_range(plan->count, 1, MOAT_PHASES_MAX);
	assert_plan_ends(w, source, plan->phase[plan->count - 1].until, own_end);
	for (unsigned int i = 0; i < plan->count; i++) {
		uint64_t set = plan->phase[i].set;

		assert_true(set != 0);
		assert_true(!(set & ORACLE_ALLOW) || set == ORACLE_ALLOW);
		if (!i)
			continue;
		assert_true(plan->phase[i - 1].until > 0);
		assert_true(!plan->phase[i].until ||
			    plan->phase[i].until > plan->phase[i - 1].until);
		assert_true(set != plan->phase[i - 1].set);
	}
}

static bool same_plan(const struct plan *a, const struct plan *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned int i = 0; i < a->count; i++) {
		if (a->phase[i].set != b->phase[i].set || a->phase[i].until != b->phase[i].until)
			return false;
	}
	return true;
}

static void world_forget(struct world *w, struct visited *v)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->visited[i] == v) {
			w->visited[i] = w->visited[--w->count];
			free(v);
			return;
		}
	}
}

static int world_visit(void *arg, const struct prefix *source, struct installed *installed,
		       const struct plan *plan)
{
	struct world *w = arg;
	struct visited *v = world_find(w, source);

	if (w->stop_after && !--w->stop_after)
		return -EAGAIN;
	assert_plan_is_well_formed(w, source, plan);
	assert_int_equal(installed->state, v ? INSTALLED_YES : INSTALLED_NOT);
	if (v && !w->expect_same)
		assert_int_not_equal(v->compile, w->compile);
	if (w->expect_same) {
		assert_true(v ? same_plan(&v->plan, plan) : !plan->count);
		return 0;
	}
	if (!v && plan->count) {
		v = calloc(1, sizeof(*v));
		assert_non_null(v);
		assert_in_range(w->count, 0, VISITED - 1);
		v->source = *source;
		w->visited[w->count++] = v;
	}
	if (plan->count) {
		v->plan = *plan;
		v->compile = w->compile;
	} else if (v) {
		world_forget(w, v);
	}
	installed->state = plan->count ? INSTALLED_YES : INSTALLED_NOT;
	return 1;
}

/* Now and then stops half way, and goes on. */
static void world_compile(struct world *w)
{
	ssize_t rc;

	w->compile++;
	if (w->has_rules && !random_below(&w->random, 8))
		random_rules(&w->random, &w->oracle, w->model);
	model_expire(w->model, w->now);
	oracle_remove_if(&w->oracle, oracle_has_ended, &w->now);
	if (!random_below(&w->random, 3)) {
		w->stop_after = 1 + random_below(&w->random, 6);
		rc = model_compile(w->model, w->now, world_visit, w);
		assert_true(rc >= 0 || rc == -EAGAIN);
		w->stop_after = 0;
	}
	assert_true(model_compile(w->model, w->now, world_visit, w) >= 0);
	assert_int_equal(model_compile(w->model, w->now, world_visit, w), 0);
}

/* As the kernel would judge with what was visited. */
static uint64_t world_lookup(const struct world *w, const struct prefix *address, int64_t time,
			     const struct visited **ret)
{
	uint64_t found = 0;

	*ret = NULL;
	for (size_t i = 0; i < w->count; i++) {
		const struct visited *v = w->visited[i];
		uint64_t set = plan_set_at(&v->plan, time);

		if (!set || !oracle_covers(&v->source, address) ||
		    (*ret && (*ret)->source.len > v->source.len))
			continue;
		found = set;
		*ret = v;
	}
	return found;
}

static void world_check_address(struct world *w, unsigned int horizon)
{
	struct prefix address = random_host(&w->random, random_below(&w->random, 2));
	const struct visited *decides;

	for (unsigned int i = 0; i < 6; i++) {
		int64_t time = w->now + (i ? random_below(&w->random, 2 * horizon) : 0);
		uint64_t wanted = oracle_set(&w->oracle, &address, time);
		struct prefix key;
		struct plan plan;

		assert_int_equal(world_lookup(w, &address, time, &decides), wanted);
		assert_int_equal(model_judge(w->model, &address, time, &key, &plan), wanted != 0);
		if (wanted) {
			assert_int_equal(plan_set_at(&plan, time), wanted);
			assert_true(oracle_same(&key, &decides->source));
		}
		w->checks++;
	}
}

static void world_change(struct world *w, const struct change_limits *limits)
{
	struct claim c = random_claim(&w->random, limits, w->now);
	uint16_t feed = c.feed;

	switch (random_below(&w->random, w->oracle.count > 150 ? 12 : 9)) {
	case 0: /* refresh */
		if (!w->oracle.count)
			return;
		c = random_known(&w->random, &w->oracle);
		if (random_below(&w->random, 3))
			c.expires = w->now + random_below(&w->random, 90);
		assert_int_equal(model_put(w->model, &c), oracle_put(&w->oracle, &c));
		return;
	case 1:
		model_touch(w->model, &c.source);
		return;
	case 2:
		w->now += random_below(&w->random, 12);
		return;
	case 3:
		if (random_below(&w->random, 25))
			return;
		assert_int_equal(model_drop_feed(w->model, feed),
				 oracle_remove_if(&w->oracle, oracle_is_of_feed, &feed));
		return;
	case 9:
	case 10:
	case 11:
	case 4: /* remove */
		if (w->oracle.count && random_below(&w->random, 8))
			c = random_known(&w->random, &w->oracle);
		assert_int_equal(model_drop(w->model, &c.source, c.category, c.feed),
				 oracle_remove_if(&w->oracle, oracle_is_claim, &c));
		return;
	default:
		assert_int_equal(model_put(w->model, &c), oracle_put(&w->oracle, &c));
	}
}

static void count_claim(void *arg, const struct claim *claim)
{
	struct world *w = arg;
	size_t found = oracle_remove_if(&w->oracle, oracle_is_claim, claim);

	assert_int_equal(found, 1);
	oracle_put(&w->oracle, claim);
	w->checks++;
}

static void world_check_numbers(struct world *w, const struct change_limits *limits)
{
	size_t keys[2] = {};
	size_t claims = 0;
	int64_t next = 0;

	for (size_t i = 0; i < w->oracle.count; i++) {
		const struct claim *c = &w->oracle.claim[i];
		bool first = true;

		for (size_t k = 0; k < i && first; k++)
			first = !oracle_same(&w->oracle.claim[k].source, &c->source);
		first = first && oracle_set(&w->oracle, &c->source, w->now);
		keys[c->source.family] += first;
		if (c->expires && (!next || c->expires < next))
			next = c->expires;
	}
	assert_int_equal(model_keys(w->model, MOAT_IPV4), keys[MOAT_IPV4]);
	assert_int_equal(model_keys(w->model, MOAT_IPV6), keys[MOAT_IPV6]);
	assert_int_equal(w->count, keys[MOAT_IPV4] + keys[MOAT_IPV6]);
	assert_int_equal(model_next_expiry(w->model), next);
	for (uint16_t feed = 0; feed < model_feeds(w->model); feed++) {
		for (unsigned int c = 0; c <= limits->categories; c++)
			claims += model_claims(w->model, feed, c);
	}
	assert_int_equal(claims, w->oracle.count);
}

static void world_check(struct world *w, const struct change_limits *limits)
{
	struct prefix address = random_host(&w->random, random_below(&w->random, 2));
	size_t covering = 0, seen = w->checks;

	for (unsigned int i = 0; i < 20; i++)
		world_check_address(w, limits->horizon);

	for (size_t i = 0; i < w->oracle.count; i++)
		covering += oracle_covers(&w->oracle.claim[i].source, &address);
	seen = w->checks;
	model_covering(w->model, &address, count_claim, w);
	assert_int_equal(w->checks - seen, covering);
	world_check_numbers(w, limits);
}

static struct world *world_new(uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(model_new(&w->model), 0);
	w->random.state = seed;
	w->now = 1000;
	return w;
}

static void world_free(struct world *w)
{
	model_free(w->model);
	while (w->count)
		world_forget(w, w->visited[0]);
	free(w);
}

static size_t run_random(uint64_t seed, unsigned int rounds, const struct change_limits *limits,
			 bool has_rules)
{
	struct world *w = world_new(seed);
	ssize_t visits;
	size_t checks;

	w->has_rules = has_rules;

	for (unsigned int round = 0; round < rounds; round++) {
		for (unsigned int i = random_below(&w->random, 12); i; i--)
			world_change(w, limits);
		world_compile(w);
		world_check(w, limits);
		if (round % 16)
			continue;
		model_touch_all(w->model);
		w->expect_same = true;
		visits = model_compile(w->model, w->now, world_visit, w);
		assert_true(has_rules ? visits >= (ssize_t)w->count : visits == (ssize_t)w->count);
		w->expect_same = false;
	}
	checks = w->checks;
	world_free(w);
	return checks;
}

static void random_changes_judge_every_address_as_brute_force_does(void **state)
{
	static const struct change_limits limits[] = {
		{ .feeds = 3, .categories = 4, .horizon = 60 },
		{ .feeds = 5, .categories = 63, .horizon = 30 },
		{ .feeds = 2, .categories = 2, .horizon = 300 },
	};
	size_t checks = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= 12; seed++)
		checks += run_random(seed * 7919, 250, &limits[seed % ARRAY_SIZE(limits)], false);
	print_message("%zu judgements compared\n", checks);
	assert_true(checks > 300000);
}

static void quorums_groups_and_shared_addresses_are_as_brute_force_says(void **state)
{
	static const struct change_limits limits[] = {
		{ .feeds = 8, .categories = 7, .horizon = 60 },
		{ .feeds = 40, .categories = 3, .horizon = 30 },
		{ .feeds = 4, .categories = 4, .horizon = 300 },
	};
	size_t checks = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= 12; seed++)
		checks += run_random(seed * 7907, 150, &limits[seed % ARRAY_SIZE(limits)], true);
	print_message("%zu judgements compared\n", checks);
	assert_true(checks > 180000);
}

/* ---- what is visited ---- */

static struct prefix source_of(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void put(struct model *m, const char *source, uint8_t category, uint16_t feed,
		int64_t expires)
{
	struct claim c = {
		.source = source_of(source),
		.category = category,
		.feed = feed,
		.expires = expires,
	};

	assert_int_equal(model_put(m, &c), 1);
}

struct visits {
	char text[1024]; /* sources and their sets now, in the order of the visits */
	int64_t now;
};

static int note_visit(void *arg, const struct prefix *source, struct installed *installed,
		      const struct plan *plan)
{
	struct visits *v = arg;
	size_t used = strlen(v->text);
	char text[PREFIX_TEXT_MAX];

	snprintf(v->text + used, sizeof(v->text) - used, "%s=%#llx ", prefix_format(source, text),
		 (unsigned long long)plan_set_at(plan, v->now));
	installed->state = plan->count ? INSTALLED_YES : INSTALLED_NOT;
	return 0;
}

static void assert_visits(struct model *m, int64_t now, const char *wanted)
{
	struct visits v = { .now = now };

	assert_true(model_compile(m, now, note_visit, &v) >= 0);
	assert_string_equal(v.text, wanted);
}

static void a_change_visits_the_prefix_and_what_lies_below_and_nothing_else(void **state)
{
	_cleanup_(model_freep) struct model *m = NULL;
	struct prefix wide = source_of("192.0.2.0/24");

	(void)state;
	assert_int_equal(model_new(&m), 0);
	put(m, "192.0.2.0/24", 1, 0, 0);
	put(m, "192.0.2.7", 2, 0, 0);
	put(m, "192.0.3.7", 2, 0, 0);
	put(m, "192.0.0.0/16", 3, 0, 0);
	put(m, "2001:db8::1", 3, 0, 0);
	assert_visits(m, 1,
		      "192.0.2.7=0xe 192.0.2.0/24=0xa 192.0.3.7=0xc 192.0.0.0/16=0x8 "
		      "2001:db8::1=0x8 ");
	assert_visits(m, 1, "");

	put(m, "192.0.2.0/24", 4, 0, 0);
	put(m, "192.0.2.7", 5, 0, 0);
	assert_visits(m, 1, "192.0.2.7=0x3e 192.0.2.0/24=0x1a ");

	assert_int_equal(model_drop(m, &wide, 1, 0), 1);
	assert_int_equal(model_drop(m, &wide, 4, 0), 1);
	assert_int_equal(model_drop(m, &wide, 4, 0), 0);
	assert_visits(m, 1, "192.0.2.7=0x2c 192.0.2.0/24=0 ");
	assert_null(model_find(m, &wide));

	model_touch(m, &wide);
	assert_visits(m, 1, "");
	wide = source_of("192.0.0.0/16");
	model_touch(m, &wide);
	assert_visits(m, 1, "192.0.0.0/16=0x8 ");
}

static void a_claim_of_one_feed_outlives_that_of_another(void **state)
{
	_cleanup_(model_freep) struct model *m = NULL;
	struct prefix host = source_of("198.51.100.1");

	(void)state;
	assert_int_equal(model_new(&m), 0);
	put(m, "198.51.100.1", 1, 1, 0);
	put(m, "198.51.100.1", 1, 2, 50);
	put(m, "198.51.100.1", 2, 2, 50);
	assert_visits(m, 1, "198.51.100.1=0x6 ");
	assert_int_equal(model_drop_feed(m, 1), 1);
	assert_int_equal(model_drop_feed(m, 1), 0);
	assert_visits(m, 1, "198.51.100.1=0x6 ");
	assert_int_equal(model_next_expiry(m), 50);
	assert_int_equal(model_expire(m, 49), 0);
	assert_int_equal(model_expire(m, 50), 2);
	assert_int_equal(model_keys(m, MOAT_IPV4), 0);
	assert_non_null(model_find(m, &host)); /* the kernel still has it */
	assert_visits(m, 50, "198.51.100.1=0 ");
	assert_null(model_find(m, &host));
	assert_int_equal(model_next_expiry(m), 0);
}

static void allow_protects_only_while_it_lives(void **state)
{
	_cleanup_(model_freep) struct model *m = NULL;
	struct prefix host = source_of("203.0.113.9");
	struct prefix key;
	struct plan plan;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	put(m, "203.0.113.9", 1, 0, 90);
	put(m, "203.0.113.0/24", MOAT_CATEGORY_ALLOW, 0, 20);
	put(m, "203.0.0.0/16", 2, 0, 60);
	assert_true(model_judge(m, &host, 10, &key, &plan));
	assert_true(oracle_same(&key, &host));
	assert_int_equal(plan.count, 3);
	assert_int_equal(plan.phase[0].set, 1 << MOAT_CATEGORY_ALLOW);
	assert_int_equal(plan.phase[0].until, 20);
	assert_int_equal(plan.phase[1].set, 1 << 1 | 1 << 2);
	assert_int_equal(plan.phase[1].until, 60);
	assert_int_equal(plan.phase[2].set, 1 << 1);
	assert_int_equal(plan.phase[2].until, 90);
	assert_false(model_judge(m, &host, 90, NULL, NULL));
}

static void what_is_no_source_is_refused(void **state)
{
	_cleanup_(model_freep) struct model *m = NULL;
	struct claim bad[] = {
		{ .source = { .family = MOAT_OTHER } },
		{ .source = { .family = MOAT_IPV4, .len = 33 } },
		{ .source = { .family = MOAT_IPV6, .len = 129 } },
		{ .source = { .family = MOAT_IPV4, .len = 32 }, .category = MOAT_CATEGORIES },
	};

	(void)state;
	assert_int_equal(model_new(&m), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(model_put(m, &bad[i]), -EINVAL);
	assert_int_equal(model_drop(m, &bad[1].source, 0, 0), 0);
	assert_false(model_judge(m, &bad[0].source, 0, NULL, NULL));
	assert_visits(m, 1, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_judge_every_address_as_brute_force_does),
		cmocka_unit_test(quorums_groups_and_shared_addresses_are_as_brute_force_says),
		cmocka_unit_test(a_change_visits_the_prefix_and_what_lies_below_and_nothing_else),
		cmocka_unit_test(a_claim_of_one_feed_outlives_that_of_another),
		cmocka_unit_test(allow_protects_only_while_it_lives),
		cmocka_unit_test(what_is_no_source_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
