/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random lists through model and image into an emulated kernel. After every
 * step of a batch each address must get its old verdict or its new one; after
 * the batch, what brute force says, now and at times to come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/core_kernel.h"

#define PROBES	24
#define MILLION 1000000

/* An address at a time, and what it may be judged by while a batch is written. */
struct probe {
	struct prefix address;
	int64_t time;
	uint64_t before, after;
};

struct world {
	struct model *model;
	struct image *image;
	struct oracle oracle;
	struct kernel kernel;
	struct random random;
	struct change_limits limits;
	int64_t now;
	struct probe probe[PROBES];
	bool has_rules; /* a quorum, groups, shared addresses, which change */
	size_t checks;
};

static int stage_visit(void *arg, const struct prefix *source, struct installed *installed,
		       const struct plan *plan)
{
	struct image *im = arg;
	int rc = image_stage(im, source, installed, plan);

	return rc < 0 ? rc : 0;
}

static void world_compile(struct world *w)
{
	if (w->has_rules && !random_below(&w->random, 8))
		random_rules(&w->random, &w->oracle, w->model);
	model_expire(w->model, w->now);
	oracle_remove_if(&w->oracle, oracle_has_ended, &w->now);
	assert_true(model_compile(w->model, w->now, stage_visit, w->image) >= 0);
}

static void world_change(struct world *w)
{
	struct claim c = random_claim(&w->random, &w->limits, w->now);

	switch (random_below(&w->random, w->oracle.count > 120 ? 8 : 5)) {
	case 0:
		w->now += random_below(&w->random, 5);
		return;
	case 1:
	case 5:
	case 6:
	case 7:
		if (w->oracle.count)
			c = random_known(&w->random, &w->oracle);
		model_drop(w->model, &c.source, c.category, c.feed);
		oracle_remove_if(&w->oracle, oracle_is_claim, &c);
		return;
	default:
		model_put(w->model, &c);
		oracle_put(&w->oracle, &c);
	}
}

static void world_aim_probes(struct world *w)
{
	for (unsigned int i = 0; i < PROBES; i++) {
		struct probe *p = &w->probe[i];

		p->address = random_host(&w->random, i & 1);
		p->time = w->now + (i & 2 ? random_below(&w->random, w->limits.horizon) : 0);
		p->before = kernel_set(&w->kernel, &p->address, p->time);
		p->after = oracle_set(&w->oracle, &p->address, p->time);
	}
}

static void watch_probes(void *arg)
{
	struct world *w = arg;

	for (unsigned int i = 0; i < PROBES; i++) {
		const struct probe *p = &w->probe[i];
		uint64_t set = kernel_set(&w->kernel, &p->address, p->time);

		if (set != p->before && set != p->after)
			fail_msg("neither the old verdict nor the new");
		w->checks++;
	}
}

static void watch_nothing(void *arg)
{
	(void)arg;
}

static void assert_lengths_are_those_of_the_entries(const struct world *w)
{
	for (unsigned int family = 0; family < 2; family++) {
		const struct moat_lengths *l = &w->kernel.lengths[family];
		bool there[MOAT_LENGTHS6] = {};
		unsigned int lengths = 0;

		for (size_t i = 0; i < w->kernel.entries; i++) {
			if (w->kernel.entry[i].source.family == family)
				there[w->kernel.entry[i].source.len] = true;
		}
		for (unsigned int i = 0; i < l->count; i++) {
			assert_true(there[l->at[i].len]);
			assert_true(!i || l->at[i].len < l->at[i - 1].len);
		}
		for (unsigned int len = 0; len < MOAT_LENGTHS6; len++)
			lengths += there[len];
		assert_int_equal(l->count, lengths);
	}
}

/* Kernel, image and brute force agree. */
static void world_check(struct world *w)
{
	size_t entries[2] = {};

	for (unsigned int i = 0; i < 40; i++) {
		struct prefix address = random_host(&w->random, i & 1);
		int64_t time = w->now;

		if (i & 2)
			time += random_below(&w->random, 2 * w->limits.horizon);
		assert_int_equal(kernel_set(&w->kernel, &address, time),
				 oracle_set(&w->oracle, &address, time));
		w->checks++;
	}
	for (size_t i = 0; i < w->kernel.entries; i++) {
		const struct kernel_entry *e = &w->kernel.entry[i];
		const struct installed *installed = model_find(w->model, &e->source);

		assert_non_null(installed);
		assert_int_equal(installed->state, INSTALLED_YES);
		assert_int_equal(installed->class, e->value.class);
		assert_int_equal(installed->next, e->value.next);
		entries[e->source.family]++;
	}
	for (unsigned int family = 0; family < 2; family++) {
		assert_int_equal(image_entries(w->image, family), entries[family]);
		assert_int_equal(model_keys(w->model, family), entries[family]);
	}
	assert_int_equal(image_phases_used(w->image), kernel_phases(&w->kernel));
	assert_lengths_are_those_of_the_entries(w);
}

static void world_write(struct world *w, kernel_watch_fn watch)
{
	kernel_write(&w->kernel, w->image, w->model, watch, w);
	image_done(w->image);
	assert_true(image_is_empty(w->image));
	assert_false(image_frees(w->image));
}

static struct world *world_new(uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(model_new(&w->model), 0);
	assert_int_equal(image_new(KERNEL_PHASES, &w->image), 0);
	w->random.state = seed;
	w->now = 1000000;
	w->limits = (struct change_limits){ .feeds = 3, .categories = 5, .horizon = 40 };
	w->kernel.offset_ns = 123456789123;
	w->kernel.capacity = KERNEL_ENTRIES;
	image_set_clock(w->image, w->kernel.offset_ns);
	return w;
}

static void world_free(struct world *w)
{
	model_free(w->model);
	image_free(w->image);
	free(w);
}

static void every_step_of_a_batch_leaves_the_old_verdict_or_the_new(void **state)
{
	size_t checks = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= 6; seed++) {
		struct world *w = world_new(seed * 104729);

		w->limits.categories = seed & 1 ? 5 : 63;
		w->has_rules = seed % 3 == 0;
		if (w->has_rules)
			w->limits = (struct change_limits){ 8, 7, w->limits.horizon };
		for (unsigned int round = 0; round < 150; round++) {
			for (unsigned int i = random_below(&w->random, 20); i; i--)
				world_change(w);
			world_compile(w);
			world_aim_probes(w);
			world_write(w, watch_probes);
			world_check(w);
		}
		checks += w->checks;
		world_free(w);
	}
	print_message("%zu verdicts compared\n", checks);
	assert_true(checks > 200000);
}

static void several_compiles_in_one_batch_end_right(void **state)
{
	struct world *w = world_new(31337);

	(void)state;
	w->limits.horizon = 8; /* much comes and goes again */
	for (unsigned int round = 0; round < 300; round++) {
		for (unsigned int more = 1 + random_below(&w->random, 4); more; more--) {
			struct image_batch batch;

			for (unsigned int i = random_below(&w->random, 10); i; i--)
				world_change(w);
			world_compile(w);
			if (random_below(&w->random, 2))
				image_batch(w->image, &batch); /* looked at, not written */
		}
		world_write(w, watch_nothing);
		world_check(w);
	}
	world_free(w);
}

/* ---- restarts ---- */

/* The daemon starts again: a new model and image, and the maps as they are. */
static void world_restart(struct world *w)
{
	struct kernel *k = &w->kernel;

	model_free(w->model);
	image_free(w->image);
	assert_int_equal(model_new(&w->model), 0);
	assert_int_equal(image_new(KERNEL_PHASES, &w->image), 0);
	/* One clock was slewed meanwhile, by less than a tick. */
	image_set_clock(w->image, k->offset_ns + random_below(&w->random, 120000000) - 60000000);
	for (size_t i = 0; i < w->oracle.count; i++)
		assert_int_equal(model_put(w->model, &w->oracle.claim[i]), 1);

	for (uint32_t class = MOAT_CLASSES - 1; class; class --) {
		if (k->class[class].set)
			assert_int_equal(image_adopt_class(w->image, class, &k->class[class]), 0);
	}
	image_adopt_phases(w->image, k->phase);
	for (size_t i = 0; i < k->entries; i++) {
		const struct prefix *source = &k->entry[i].source;
		struct installed *installed = model_find(w->model, source);
		struct installed was;

		image_adopt_entry(w->image, source, &k->entry[i].value, installed ?: &was);
		if (!installed)
			assert_int_equal(image_stage_orphan(w->image, source, &was), 1);
	}
}

/* Lengths that a crash left behind. */
static void world_tidy_lengths(struct world *w)
{
	for (unsigned int family = 0; family < 2; family++)
		image_lengths(w->image, family, false, &w->kernel.lengths[family]);
}

static void set_policies(struct image *im, unsigned int rotate)
{
	struct moat_policy policy[MOAT_CATEGORIES] = {};
	uint8_t rank[MOAT_CATEGORIES];

	for (unsigned int c = 0; c < MOAT_CATEGORIES; c++) {
		policy[c].action = (c + rotate) % MOAT_ACTION_MAX;
		rank[c] = (c + rotate) % MOAT_CATEGORIES;
	}
	image_set_policies(im, policy, rank);
}

static void after_a_restart_the_same_plans_stage_nothing(void **state)
{
	struct world *w = world_new(2718281828);

	(void)state;
	for (unsigned int round = 0; round < 120; round++) {
		for (unsigned int i = random_below(&w->random, 30); i; i--)
			world_change(w);
		world_compile(w);
		world_write(w, watch_nothing);

		world_restart(w);
		set_policies(w->image, round);
		world_compile(w);
		if (!image_is_empty(w->image))
			fail_msg("round %u: what is installed already was staged", round);
		image_done(w->image);
		world_check(w);
	}
	world_free(w);
}

static void a_crash_between_any_two_steps_is_repaired_by_the_next_start(void **state)
{
	struct world *w = world_new(1618033988);

	(void)state;
	for (unsigned int round = 0; round < 200; round++) {
		for (unsigned int i = random_below(&w->random, 20); i; i--)
			world_change(w);
		world_compile(w);
		w->kernel.steps = 0;
		w->kernel.crash_at = 1 + random_below(&w->random, 40);
		kernel_write(&w->kernel, w->image, w->model, watch_nothing, w);
		w->kernel.crash_at = 0;

		/* While the daemon is dead, the database goes on. */
		for (unsigned int i = random_below(&w->random, 6); i; i--)
			world_change(w);
		world_restart(w);
		world_compile(w);
		world_aim_probes(w);
		world_write(w, watch_nothing);
		world_tidy_lengths(w);
		world_check(w);
	}
	world_free(w);
}

static void when_the_clock_is_set_all_ends_move_with_it(void **state)
{
	struct world *w = world_new(577215664);
	static const int64_t jumps[] = { 3600 * NS_PER_SECOND, -7000 * NS_PER_SECOND, 777777777 };

	(void)state;
	for (unsigned int round = 0; round < 60; round++) {
		for (unsigned int i = random_below(&w->random, 30); i; i--)
			world_change(w);
		/* Unix time goes on as it was; it is the boot clock that differs now. */
		w->kernel.offset_ns -= jumps[round % ARRAY_SIZE(jumps)];
		image_set_clock(w->image, w->kernel.offset_ns);
		model_touch_all(w->model);
		world_compile(w);
		world_write(w, watch_nothing);
		world_check(w);
	}
	world_free(w);
}

/* ---- a million ---- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void a_million_sources_are_staged_and_removed_in_their_time(void **state)
{
	_cleanup_(model_freep) struct model *m = NULL;
	_cleanup_(image_freep) struct image *im = NULL;
	struct image_batch batch;
	double start = seconds(), staged;

	(void)state;
	assert_int_equal(model_new(&m), 0);
	assert_int_equal(image_new(KERNEL_PHASES, &im), 0);
	for (uint32_t i = 0; i < MILLION; i++) {
		uint32_t word = i * 2654435761U; /* scattered, and distinct: it is odd */
		uint8_t addr[] = { word >> 24, word >> 16, word >> 8, word };
		struct claim c = { .source = { .family = MOAT_IPV4, .len = 32 },
				   .category = 1 + i % 40 };

		memcpy(c.source.addr, addr, sizeof(addr));
		if (model_put(m, &c) != 1)
			fail_msg("host %u was not added", i);
	}
	assert_int_equal(model_compile(m, 1000, stage_visit, im), MILLION);
	image_batch(im, &batch);
	staged = seconds();
	print_message("put, compiled and staged in %.2f s\n", staged - start);
	assert_int_equal(batch.puts[MOAT_IPV4], MILLION);
	assert_int_equal(batch.classes, 40);
	assert_true(staged - start < 25);
	image_done(im);

	assert_int_equal(model_drop_feed(m, 0), MILLION);
	assert_int_equal(model_compile(m, 1000, stage_visit, im), MILLION);
	image_batch(im, &batch);
	print_message("dropped and staged to go in %.2f s\n", seconds() - staged);
	assert_int_equal(batch.deletes[MOAT_IPV4], MILLION);
	assert_true(seconds() - staged < 25);
	image_done(im);
	assert_int_equal(image_entries(im, MOAT_IPV4), 0);
	assert_int_equal(image_classes(im), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_of_a_batch_leaves_the_old_verdict_or_the_new),
		cmocka_unit_test(several_compiles_in_one_batch_end_right),
		cmocka_unit_test(after_a_restart_the_same_plans_stage_nothing),
		cmocka_unit_test(a_crash_between_any_two_steps_is_repaired_by_the_next_start),
		cmocka_unit_test(when_the_clock_is_set_all_ends_move_with_it),
		cmocka_unit_test(a_million_sources_are_staged_and_removed_in_their_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
