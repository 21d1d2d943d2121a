/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds in mode monitor: their listings get a number of their own at the gate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/gate.h"

enum { BOTNET = 1, SPAM = 2, BOTNET_MONITORED = 3 };

static const struct categories categories = { .name = { "allow", "botnet", "spam", "~botnet" } };
static const char *const monitor[] = { "a-feed", "m-feed", "z-feed" };
static const uint8_t monitored[MOAT_CATEGORIES] = { [BOTNET] = BOTNET_MONITORED };

static const struct gate gate = {
	.categories = &categories,
	.min_prefix = { 8, 19 },
	.monitor = monitor,
	.monitors = ARRAY_SIZE(monitor),
	.monitored = monitored,
};

static enum gate_cause check(const char *category, const char *feed, uint8_t *ret)
{
	struct row row = { .source = "192.0.2.1", .category = category, .feed = feed };
	struct claim claim = {};
	enum gate_cause cause = gate_check(&gate, &row, &claim);

	*ret = claim.category;
	return cause;
}

static void a_monitored_feed_has_a_number_of_its_own(void **state)
{
	uint8_t number;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(monitor); i++) {
		assert_int_equal(check("botnet", monitor[i], &number), GATE_PASSED);
		assert_int_equal(number, BOTNET_MONITORED);
		assert_int_equal(gate_category(&gate, BOTNET, monitor[i]), BOTNET_MONITORED);
	}
}

static void another_feed_of_the_same_category_enforces(void **state)
{
	static const char *const feeds[] = { "manual", "a", "m-feed2", "zz" };
	uint8_t number;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(feeds); i++) {
		assert_int_equal(check("botnet", feeds[i], &number), GATE_PASSED);
		assert_int_equal(number, BOTNET);
	}
}

static void a_category_that_no_monitored_feed_names_keeps_its_number(void **state)
{
	uint8_t number;

	(void)state;
	assert_int_equal(check("spam", "m-feed", &number), GATE_PASSED);
	assert_int_equal(number, SPAM);
	assert_int_equal(check("allow", "m-feed", &number), GATE_PASSED);
	assert_int_equal(number, MOAT_CATEGORY_ALLOW);
}

static void no_row_can_name_what_is_monitored(void **state)
{
	uint8_t number;

	(void)state;
	assert_int_equal(check("~botnet", "m-feed", &number), GATE_BAD_NAME);
	assert_string_equal(category_shown("~botnet"), "botnet");
	assert_string_equal(category_shown("botnet"), "botnet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_monitored_feed_has_a_number_of_its_own),
		cmocka_unit_test(another_feed_of_the_same_category_enforces),
		cmocka_unit_test(a_category_that_no_monitored_feed_names_keeps_its_number),
		cmocka_unit_test(no_row_can_name_what_is_monitored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
