/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans from merges: rows for the cases with a name, random ones by brute force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/plan.h"
#include "tests/unit/core_oracle.h"

#define NOW	   100
#define MAX_CLAIMS 5
#define NEVER	   0

struct row {
	const char *name;
	struct {
		uint8_t category;
		int64_t expires; /* -1: end of the row */
		bool own;
	} claim[MAX_CLAIMS];
	const char *wanted; /* "{set}until ..." with until - for never */
};

#define END                                                                                        \
	{                                                                                          \
		0, -1, false                                                                       \
	}

/* clang-format off */
static const struct row rows[] = {
	{ "nothing claims nothing", { END }, "" },
	{ "one claim for ever is one phase for ever", { { 3, NEVER, true }, END }, "{8}- " },
	{ "one claim ends when it expires", { { 3, 150, true }, END }, "{8}150 " },
	{ "a claim that has expired is nothing", { { 3, 100, true }, END }, "" },
	{ "an expired claim beside a live one adds nothing",
	  { { 3, 90, true }, { 4, 150, true }, END }, "{10}150 " },
	{ "categories leave the set one by one",
	  { { 1, 150, true }, { 2, 170, true }, { 3, 190, true }, END },
	  "{e}150 {c}170 {8}190 " },
	{ "categories that end together leave together",
	  { { 1, 150, true }, { 2, 150, true }, { 3, NEVER, true }, END }, "{e}150 {8}- " },
	{ "of one category's claims the last end counts",
	  { { 1, 150, true }, { 1, 170, false }, { 1, 130, true }, END }, "{2}150 " },
	{ "what covers a source adds to it",
	  { { 1, 150, true }, { 2, NEVER, false }, END }, "{6}150 " },
	{ "the plan ends with the source's own claims",
	  { { 1, 150, true }, { 2, 170, false }, { 3, 120, false }, END }, "{e}120 {6}150 " },
	{ "a source whose own claims have ended has no plan",
	  { { 1, 90, true }, { 2, NEVER, false }, END }, "" },
	{ "allow absorbs", { { 1, NEVER, true }, { 0, NEVER, true }, END }, "{1}- " },
	{ "allow of a covering prefix absorbs as long as the source is listed",
	  { { 1, 150, true }, { 0, NEVER, false }, END }, "{1}150 " },
	{ "after allow what has outlived it counts",
	  { { 1, 150, true }, { 2, 120, true }, { 0, 130, false }, END }, "{1}130 {2}150 " },
	{ "allow that outlives the rest leaves nothing behind",
	  { { 1, 120, true }, { 0, 130, true }, END }, "{1}130 " },
};
/* clang-format on */

static void format_plan(const struct plan *plan, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < plan->count && used < size; i++) {
		char until[24] = "-";

		if (plan->phase[i].until)
			snprintf(until, sizeof(until), "%lld", (long long)plan->phase[i].until);
		used += snprintf(text + used, size - used, "{%llx}%s ",
				 (unsigned long long)plan->phase[i].set, until);
	}
}

static void plans_are_merged_as_their_rows_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct merge all = {};
		struct plan plan;
		int64_t own_end = 0;
		char text[200];

		for (unsigned int c = 0; rows[i].claim[c].expires >= 0; c++) {
			int64_t end = plan_end(rows[i].claim[c].expires);

			merge_add(&all, rows[i].claim[c].category, end, NOW);
			if (rows[i].claim[c].own && end > NOW && end > own_end)
				own_end = end;
		}
		merge_plan(&all, own_end, &plan);
		format_plan(&plan, text, sizeof(text));
		if (strcmp(text, rows[i].wanted))
			fail_msg("%s: got \"%s\", wanted \"%s\"", rows[i].name, text,
				 rows[i].wanted);
	}
}

static void random_plans_say_at_each_second_what_brute_force_says(void **state)
{
	struct random r = { .state = 4711 };

	(void)state;
	for (unsigned int round = 0; round < 4000; round++) {
		struct merge above = {}, all;
		struct oracle o = {};
		int64_t own_end = 0;
		struct plan plan;

		for (unsigned int i = random_below(&r, 40); i; i--) {
			struct claim c = { .source = { .family = MOAT_IPV4 },
					   .category = random_below(&r, 64),
					   .feed = i };

			if (random_below(&r, 9))
				c.expires = NOW + random_below(&r, 40);
			if (!c.category && random_below(&r, 3))
				continue;
			merge_add(&above, c.category, plan_end(c.expires), NOW);
			oracle_put(&o, &c);
			if (random_below(&r, 2) && plan_end(c.expires) > own_end)
				own_end = plan_end(c.expires);
		}
		merge_copy(&all, &above);
		merge_plan(&all, own_end > NOW ? own_end : 0, &plan);
		for (int64_t time = NOW; time < NOW + 50; time++) {
			struct prefix any = { .family = MOAT_IPV4, .len = 32 };
			uint64_t wanted = time < own_end ? oracle_set(&o, &any, time) : 0;

			assert_int_equal(plan_set_at(&plan, time), wanted);
		}
	}
}

static void a_plan_has_room_for_a_phase_for_each_category(void **state)
{
	struct merge all = {};
	struct plan plan;

	(void)state;
	for (unsigned int c = 0; c < MOAT_CATEGORIES; c++)
		merge_add(&all, c, NOW + 1 + c, NOW);
	merge_plan(&all, NOW + MOAT_CATEGORIES, &plan);
	assert_int_equal(plan.count, MOAT_CATEGORIES);
	assert_int_equal(plan.phase[MOAT_CATEGORIES - 1].set, 1ULL << 63);
	assert_int_equal(plan.phase[MOAT_CATEGORIES - 1].until, NOW + MOAT_CATEGORIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_are_merged_as_their_rows_say),
		cmocka_unit_test(random_plans_say_at_each_second_what_brute_force_says),
		cmocka_unit_test(a_plan_has_room_for_a_phase_for_each_category),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
