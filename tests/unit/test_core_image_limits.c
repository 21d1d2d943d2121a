/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the image does at its limits: classes and phases run out, the kernel
 * refuses, pinned maps are damaged. And how policies and times are compiled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/image.h"

#define DAY    86400
#define SET(c) (1ULL << (c))

static struct prefix host_number(uint32_t i)
{
	return (struct prefix){
		.family = MOAT_IPV4,
		.len = 32,
		.addr = { 10, i >> 16, i >> 8, i },
	};
}

static struct image *image_of(uint32_t phases)
{
	struct image *im = NULL;

	assert_int_equal(image_new(phases, &im), 0);
	return im;
}

static struct image_batch batch_of(const struct image *im)
{
	struct image_batch batch;

	image_batch(im, &batch);
	return batch;
}

/* A plan that goes through the sets, a day each; the last one for ever. */
static struct plan plan_of(unsigned int count, const uint64_t *sets)
{
	struct plan plan = { .count = count };

	for (unsigned int i = 0; i < count; i++) {
		plan.phase[i].set = sets[i];
		plan.phase[i].until = i + 1 < count ? DAY * (i + 1) : 0;
	}
	return plan;
}

static struct plan plan_set(uint64_t set)
{
	return plan_of(1, &set);
}

static int stage(struct image *im, uint32_t host, struct installed *installed,
		 const struct plan *plan)
{
	struct prefix source = host_number(host);

	return image_stage(im, &source, installed, plan);
}

/* ---- classes ---- */

static void a_class_keeps_its_number_while_anything_has_it(void **state)
{
	_cleanup_(image_freep) struct image *im = image_of(0);
	struct installed a = {}, b = {}, c = {};
	struct plan two = plan_set(SET(2)), three = plan_set(SET(3)), none = {};
	uint32_t number;

	(void)state;
	assert_int_equal(stage(im, 1, &a, &two), 1);
	assert_int_equal(stage(im, 2, &b, &two), 1);
	assert_int_equal(a.class, b.class);
	assert_int_not_equal(a.class, MOAT_CLASS_ALLOW);
	assert_int_equal(batch_of(im).classes, 1);
	image_done(im);
	number = a.class;

	assert_int_equal(stage(im, 1, &a, &none), 1);
	assert_false(image_frees(im));
	image_done(im);
	assert_int_equal(image_class(im, number)->set, SET(2));
	assert_int_equal(stage(im, 3, &c, &two), 1);
	assert_int_equal(c.class, number);
	assert_int_equal(batch_of(im).classes, 0);
	image_done(im);

	assert_int_equal(stage(im, 2, &b, &none), 1);
	assert_int_equal(stage(im, 3, &c, &none), 1);
	assert_true(image_frees(im));
	assert_int_equal(stage(im, 1, &a, &three), 1);
	assert_int_not_equal(a.class, number); /* programs may still read it */
	image_done(im);
	assert_int_equal(stage(im, 2, &b, &two), 1);
	assert_int_equal(b.class, number); /* free again */
	assert_int_equal(batch_of(im).classes, 1);
}

static void allow_is_class_0_and_takes_no_class(void **state)
{
	_cleanup_(image_freep) struct image *im = image_of(0);
	struct plan allow = plan_set(SET(MOAT_CATEGORY_ALLOW)), none = {};
	struct installed a = {};

	(void)state;
	assert_int_equal(stage(im, 1, &a, &allow), 1);
	assert_int_equal(a.class, MOAT_CLASS_ALLOW);
	assert_int_equal(batch_of(im).classes, 0);
	assert_int_equal(image_classes(im), 1);
	assert_int_equal(image_class(im, MOAT_CLASS_ALLOW)->count, 0);
	image_done(im);
	assert_int_equal(stage(im, 1, &a, &none), 1);
	image_done(im);
	assert_int_equal(image_classes(im), 1);
}

static void a_source_is_refused_when_no_class_is_left(void **state)
{
	_cleanup_(image_freep) struct image *im = image_of(0);
	struct installed first = {}, other = {}, late = {};
	struct plan none = {}, old = plan_set(SET(1)), new = plan_set(SET(63));
	struct plan allow = plan_set(SET(MOAT_CATEGORY_ALLOW));

	(void)state;
	assert_int_equal(stage(im, 0, &first, &old), 1);
	for (uint32_t i = 2; i < MOAT_CLASSES; i++) {
		struct plan plan = plan_set((uint64_t)i << 1);
		struct installed installed = {};

		if (stage(im, i, &installed, &plan) != 1)
			fail_msg("class %u was refused", i);
	}
	image_done(im);
	assert_int_equal(image_classes(im), MOAT_CLASSES);

	assert_int_equal(stage(im, 100000, &late, &new), -ENOSPC);
	assert_int_equal(late.state, INSTALLED_REFUSED);
	assert_true(image_is_empty(im));
	assert_int_equal(stage(im, 100001, &other, &allow), 1);
	assert_int_equal(stage(im, 100002, &other, &old), 1);
	image_done(im);

	/* What has an old class must not keep it when it means something else now. */
	assert_int_equal(stage(im, 0, &first, &new), -ENOSPC);
	assert_int_equal(first.state, INSTALLED_REFUSED);
	assert_int_equal(batch_of(im).deletes[MOAT_IPV4], 1);
	assert_int_equal(stage(im, 100002, &other, &none), 1);
	assert_int_equal(stage(im, 100000, &late, &new), -ENOSPC); /* not before the grace period */
	image_done(im);
	assert_int_equal(stage(im, 100000, &late, &new), 1);
	assert_int_equal(late.state, INSTALLED_YES);
}

/* ---- phases ---- */

static void a_plan_is_cut_when_phases_run_out_and_completed_later(void **state)
{
	static const uint64_t sets[] = { SET(1) | SET(2) | SET(3), SET(2) | SET(3), SET(3) };
	_cleanup_(image_freep) struct image *im = image_of(4); /* entry 0 is never used */
	struct plan plan = plan_of(3, sets), none = {};
	struct installed a = {}, b = {};

	(void)state;
	assert_int_equal(stage(im, 1, &a, &plan), 1);
	assert_int_equal(image_plans_cut(im), 0);
	assert_int_equal(stage(im, 2, &b, &plan), 1);
	assert_int_equal(image_plans_cut(im), 1);
	assert_int_equal(image_phases_used(im), 3);
	assert_int_equal(image_phase(im, b.next)->next, 0);
	image_done(im);

	assert_int_equal(stage(im, 2, &b, &plan), 0); /* still no room, and it is found so again */
	assert_int_equal(image_plans_cut(im), 2);
	assert_int_equal(stage(im, 1, &a, &none), 1);
	assert_int_equal(stage(im, 2, &b, &plan), 0); /* programs may still read them */
	assert_true(image_frees(im));
	image_done(im);
	assert_int_equal(image_phases_used(im), 1);

	assert_int_equal(stage(im, 2, &b, &plan), 1);
	assert_int_not_equal(image_phase(im, b.next)->next, 0);
	image_done(im);
	assert_int_equal(image_phases_used(im), 2);
	assert_int_equal(stage(im, 2, &b, &plan), 0);
}

static void without_any_phase_the_first_set_is_installed(void **state)
{
	static const uint64_t sets[] = { SET(1) | SET(2), SET(2) };
	_cleanup_(image_freep) struct image *im = image_of(0);
	struct plan plan = plan_of(2, sets);
	struct installed a = {};

	(void)state;
	assert_int_equal(stage(im, 1, &a, &plan), 1);
	assert_int_equal(a.next, 0);
	assert_int_equal(a.expires, image_ticks(im, DAY));
	assert_int_equal(image_plans_cut(im), 1);
}

/* ---- refused by the kernel ---- */

static void what_the_kernel_refuses_counts_no_more(void **state)
{
	static const uint64_t sets[] = { SET(1) | SET(2), SET(2) };
	_cleanup_(image_freep) struct image *im = image_of(100);
	struct plan plan = plan_of(2, sets);
	struct prefix source = host_number(1);
	struct installed a = {};
	struct moat_lengths lengths;

	(void)state;
	assert_int_equal(image_stage(im, &source, &a, &plan), 1);
	assert_true(batch_of(im).lengths_added[MOAT_IPV4]);
	assert_int_equal(image_entries(im, MOAT_IPV4), 1);
	image_refused(im, &source, &a);
	assert_int_equal(a.state, INSTALLED_REFUSED);
	assert_int_equal(image_entries(im, MOAT_IPV4), 0);
	image_done(im);
	assert_int_equal(image_phases_used(im), 0);
	assert_int_equal(image_classes(im), 1);

	/* The length was written for nothing and has to go. */
	assert_true(batch_of(im).lengths_removed[MOAT_IPV4]);
	assert_false(image_is_empty(im));
	image_lengths(im, MOAT_IPV4, false, &lengths);
	assert_int_equal(lengths.count, 0);
	image_done(im);
	assert_true(image_is_empty(im));

	assert_int_equal(image_stage(im, &source, &a, &plan), 1);
	assert_int_equal(a.state, INSTALLED_YES);
}

static void a_put_takes_back_a_delete_of_the_same_batch(void **state)
{
	_cleanup_(image_freep) struct image *im = image_of(0);
	struct plan one = plan_set(SET(1)), none = {};
	struct prefix source = host_number(2);
	struct installed a = {}, b = {};

	(void)state;
	assert_int_equal(stage(im, 1, &a, &one), 1);
	assert_int_equal(stage(im, 2, &b, &one), 1);
	image_done(im);
	assert_int_equal(stage(im, 1, &a, &none), 1);
	assert_int_equal(stage(im, 2, &b, &none), 1);
	assert_int_equal(stage(im, 1, &a, &one), 1);
	assert_int_equal(batch_of(im).deletes[MOAT_IPV4], 1);
	assert_int_equal(batch_of(im).delete4[0].addr, prefix_key4(&source).addr);
	assert_int_equal(stage(im, 2, &b, &one), 1);
	assert_int_equal(batch_of(im).deletes[MOAT_IPV4], 0);
	assert_int_equal(batch_of(im).puts[MOAT_IPV4], 2);
}

/* ---- damaged maps ---- */

static void adopt(struct image *im, uint32_t host, struct moat_source value, struct installed *ret)
{
	struct prefix source = host_number(host);

	image_adopt_entry(im, &source, &value, ret);
}

static void damaged_entries_are_written_anew(void **state)
{
	static const uint64_t sets[] = { SET(1) | SET(2), SET(2) };
	const struct moat_class both = { .set = SET(1) | SET(2) }, two = { .set = SET(2) };
	struct moat_phase phases[8] = {
		[2] = { .class = 7, .next = 2 },    /* a circle */
		[3] = { .class = 7, .next = 1000 }, /* leaves the map */
		[4] = { .class = 7 },		    /* good */
		[5] = { .class = MOAT_CLASSES },    /* no such class */
	};
	_cleanup_(image_freep) struct image *im = image_of(ARRAY_SIZE(phases));
	struct installed good = {}, bad[6] = {};
	struct plan plan = plan_of(2, sets);
	uint32_t expires = image_ticks(im, DAY);

	(void)state;
	assert_int_equal(image_adopt_class(im, 9, &both), 0);
	assert_int_equal(image_adopt_class(im, 7, &two), 0);
	assert_int_equal(image_adopt_class(im, MOAT_CLASSES, &two), -EINVAL);
	image_adopt_phases(im, phases);
	adopt(im, 0, (struct moat_source){ .class = 9, .expires = expires, .next = 4 }, &good);
	adopt(im, 1, (struct moat_source){ .class = 9, .expires = expires, .next = 2 }, &bad[0]);
	adopt(im, 2, (struct moat_source){ .class = 9, .expires = expires, .next = 3 }, &bad[1]);
	adopt(im, 3, (struct moat_source){ .class = 9, .expires = expires, .next = 4 }, &bad[2]);
	adopt(im, 4, (struct moat_source){ .class = 9, .expires = expires, .next = 5 }, &bad[3]);
	adopt(im, 5, (struct moat_source){ .class = 1, .expires = expires, .next = 0 }, &bad[4]);
	adopt(im, 6, (struct moat_source){ .class = ~0U, .expires = expires, .next = 0 }, &bad[5]);
	assert_int_equal(image_phases_used(im), 2);
	assert_int_equal(image_entries(im, MOAT_IPV4), 7);

	assert_int_equal(stage(im, 0, &good, &plan), 0);
	assert_true(image_is_empty(im));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct plan one = plan_set(SET(10 + i)); /* needs a class: not one in use */

		assert_int_equal(stage(im, i + 1, &bad[i], &one), 1);
		assert_int_not_equal(bad[i].class, 1);
		assert_int_not_equal(bad[i].class, 7);
		assert_int_not_equal(bad[i].class, 9);
	}
	assert_int_equal(image_entries(im, MOAT_IPV4), 7);
	image_done(im);
	assert_int_equal(image_phases_used(im), 1);
	assert_int_equal(stage(im, 0, &good, &(struct plan){}), 1);
	image_done(im);
	assert_int_equal(image_phases_used(im), 0);
}

/* A crash may have left the number behind in a bank of another time. */
static void an_adopted_class_is_written_before_its_first_use(void **state)
{
	const struct moat_class left = { .set = SET(4) };
	_cleanup_(image_freep) struct image *im = image_of(0);
	struct plan four = plan_set(SET(4));
	struct installed a = {};

	(void)state;
	assert_int_equal(image_adopt_class(im, 77, &left), 0);
	assert_int_equal(image_classes(im), 78);
	assert_int_equal(stage(im, 1, &a, &four), 1);
	assert_int_equal(a.class, 77);
	assert_int_equal(batch_of(im).classes, 1);
	assert_int_equal(batch_of(im).class[0], 77);
}

/* ---- policies ---- */

struct policy_row {
	const char *name;
	uint64_t set;
	uint8_t count, scoped;
	uint8_t order[6];
	uint8_t shared;
};

/* clang-format off */
static const struct policy_row policy_rows[] = {
	{ "one category", SET(1), 1, 0, { 1 }, 0 },
	{ "the strongest action goes first, what cannot decide is left out",
	  SET(1) | SET(2) | SET(3), 1, 0, { 1 }, 0 },
	{ "a scope lets the next decide", SET(4) | SET(2), 2, 1, { 4, 2 }, 0 },
	{ "ties go by rank", SET(4) | SET(5) | SET(6), 3, 1, { 6, 4, 5 }, 0 },
	{ "ties go by rank, also without scope", SET(1) | SET(8), 1, 0, { 8 }, 0 },
	{ "a scope behind what decides is not looked at", SET(1) | SET(7), 1, 0, { 1 }, 0 },
	{ "ports without protocols are no scope", SET(9) | SET(3), 1, 0, { 9 }, 0 },
	{ "a category without a policy never decides", SET(20) | SET(2), 1, 0, { 2 }, 0 },
	{ "nothing decides", SET(20), 0, 0, {}, 0 },
	{ "shared addresses are in no order", SET(1) | SET(11), 1, 0, { 1 }, 11 },
	{ "the first of two that are shared, by rank", SET(4) | SET(10) | SET(11), 1, 1, { 4 }, 11 },
	{ "shared addresses alone decide nothing", SET(10), 0, 0, {}, 10 },
	{ "what moat sends itself from is not shared",
	  SET(1) | SET(10) | SET(MOAT_CATEGORY_SELFTEST), 1, 0, { 1 }, 0 },
};
/* clang-format on */

static void use_policies(struct image *im)
{
	struct moat_policy policy[MOAT_CATEGORIES];
	uint8_t rank[MOAT_CATEGORIES];

	for (unsigned int c = 0; c < MOAT_CATEGORIES; c++) {
		policy[c] = (struct moat_policy){ .action = MOAT_ACTION_MAX };
		rank[c] = c;
	}
	policy[1].action = MOAT_ACTION_DROP;
	policy[2].action = MOAT_ACTION_TAG;
	policy[3].action = MOAT_ACTION_MONITOR;
	for (unsigned int c = 4; c <= 6; c++) {
		policy[c].action = MOAT_ACTION_DROP;
		policy[c].flags = MOAT_POLICY_PROTOCOLS;
	}
	rank[6] = 0;
	policy[7].action = MOAT_ACTION_LIMIT;
	policy[7].flags = MOAT_POLICY_PROTOCOLS | MOAT_POLICY_PORTS;
	policy[8].action = MOAT_ACTION_DROP;
	rank[8] = 0;
	policy[9].action = MOAT_ACTION_LIMIT;
	policy[9].flags = MOAT_POLICY_PORTS;
	for (unsigned int c = 10; c <= 11; c++) {
		policy[c].action = MOAT_ACTION_TAG;
		policy[c].flags = MOAT_POLICY_SHARED | MOAT_POLICY_MARK;
	}
	rank[11] = 0;
	image_set_policies(im, policy, rank);
}

static void assert_compiled(const struct policy_row *row, const struct moat_class *class)
{
	if (class->set != row->set || class->count != row->count || class->scoped != row->scoped ||
	    class->shared != row->shared || memcmp(class->order, row->order, row->count))
		fail_msg("%s: count %u, scoped %u, order %u %u %u, shared %u", row->name,
			 class->count, class->scoped, class->order[0], class->order[1],
			 class->order[2], class->shared);
}

static void policies_are_compiled_into_classes_as_their_rows_say(void **state)
{
	_cleanup_(image_freep) struct image *im = image_of(0);

	(void)state;
	for (unsigned int after = 0; after < 2; after++) {
		/* First classes made before the policies, then classes made after. */
		for (size_t i = 0; i < ARRAY_SIZE(policy_rows); i++) {
			struct plan plan = plan_set(policy_rows[i].set);
			struct installed installed = {};

			assert_int_equal(stage(im, i, &installed, &plan), 1);
			if (after)
				assert_compiled(&policy_rows[i], image_class(im, installed.class));
			else
				assert_int_equal(image_class(im, installed.class)->count, 0);
		}
		use_policies(im);
		for (uint32_t class = 1; class < image_classes(im); class ++)
			assert_compiled(&policy_rows[class - 1], image_class(im, class));
	}
}

/* ---- time ---- */

static void unix_seconds_become_ticks_of_the_boot_clock(void **state)
{
	_cleanup_(image_freep) struct image *im = image_of(0);

	(void)state;
	image_set_clock(im, 1000 * 1000000000LL);
	assert_int_equal(image_ticks(im, 0), MOAT_NEVER);
	assert_int_equal(image_ticks(im, 1001), 8); /* 7.45 ticks */
	assert_int_equal(image_ticks(im, 1000), 1);
	assert_int_equal(image_ticks(im, 999), 1); /* before the boot: over, but not never */
	assert_int_equal(image_ticks(im, -5), 1);
	assert_int_equal(image_ticks(im, INT64_MIN), 1);
	assert_int_equal(image_ticks(im, INT64_MAX), UINT32_MAX);
	assert_int_equal(image_ticks(im, 1000 + (1LL << 27)), 1000000000); /* 2^27 s */
	image_set_clock(im, 1000 * 1000000000LL - (1 << MOAT_TICK_SHIFT));
	assert_int_equal(image_ticks(im, 1000), 1);
	image_set_clock(im, 1000 * 1000000000LL - (1 << MOAT_TICK_SHIFT) - 1);
	assert_int_equal(image_ticks(im, 1000), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_class_keeps_its_number_while_anything_has_it),
		cmocka_unit_test(allow_is_class_0_and_takes_no_class),
		cmocka_unit_test(a_source_is_refused_when_no_class_is_left),
		cmocka_unit_test(a_plan_is_cut_when_phases_run_out_and_completed_later),
		cmocka_unit_test(without_any_phase_the_first_set_is_installed),
		cmocka_unit_test(what_the_kernel_refuses_counts_no_more),
		cmocka_unit_test(a_put_takes_back_a_delete_of_the_same_batch),
		cmocka_unit_test(damaged_entries_are_written_anew),
		cmocka_unit_test(an_adopted_class_is_written_before_its_first_use),
		cmocka_unit_test(policies_are_compiled_into_classes_as_their_rows_say),
		cmocka_unit_test(unix_seconds_become_ticks_of_the_boot_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
