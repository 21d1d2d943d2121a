// SPDX-License-Identifier: BSD-2-Clause
/*
 * The text buffer and the Prometheus exposition format, 0.0.4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "core/text.h"

#define LINES 200000

static void text_grows_and_stays_terminated(void **state)
{
	struct text t = {};
	size_t expect = 0;

	(void)state;
	for (int i = 0; i < LINES; i++) {
		text_add(&t, "%d\n", i);
		expect += snprintf(NULL, 0, "%d\n", i);
		assert_true(t.size < t.room);
		assert_int_equal(t.data[t.size], '\0');
	}
	assert_false(t.failed);
	assert_int_equal(t.size, expect);
	assert_memory_equal(t.data, "0\n1\n2\n", 6);
	text_free(&t);
	assert_null(t.data);
	assert_int_equal(t.size, 0);
}

static void an_addition_longer_than_the_room_is_whole(void **state)
{
	_cleanup_free_ char *lots = calloc(1, 100001);
	struct text t = {};

	(void)state;
	assert_non_null(lots);
	memset(lots, 'x', 100000);
	text_add(&t, "a");
	text_add(&t, "%s", lots);
	text_add(&t, "z");
	assert_int_equal(t.size, 100002);
	assert_int_equal(strlen(t.data), 100002);
	assert_int_equal(t.data[100001], 'z');
	text_free(&t);
}

static void an_empty_text_is_freed(void **state)
{
	struct text t = {};

	(void)state;
	text_free(&t);
	text_add(&t, "%s", "");
	assert_string_equal(t.data, "");
	text_free(&t);
}

static void a_failure_sticks(void **state)
{
	struct text t = { .failed = true };

	(void)state;
	text_add(&t, "more");
	text_sample(&t, "moat_x", 1, NULL);
	assert_true(t.failed);
	assert_int_equal(t.size, 0);
	text_free(&t);
}

static void a_metric_has_help_and_type(void **state)
{
	struct text t = {};

	(void)state;
	text_metric(&t, "moat_sources", "gauge", "Sources \"now\",\nby state \\ family.");
	assert_string_equal(t.data, "# HELP moat_sources Sources \"now\",\\nby state \\\\ family.\n"
				    "# TYPE moat_sources gauge\n");
	text_free(&t);
}

static void samples_carry_labels(void **state)
{
	struct text t = {};

	(void)state;
	text_sample(&t, "moat_paused", 0, NULL);
	text_sample(&t, "moat_sources", 12, "family", "ipv4", "state", "wanted", NULL);
	text_sample(&t, "moat_packets_total", 3, "category", "", NULL);
	assert_string_equal(t.data, "moat_paused 0\n"
				    "moat_sources{family=\"ipv4\",state=\"wanted\"} 12\n"
				    "moat_packets_total{category=\"\"} 3\n");
	text_free(&t);
}

static void label_values_are_escaped(void **state)
{
	struct text t = {};

	(void)state;
	text_sample(&t, "m", 1, "l", "a\\b\"c\nd{}=,", NULL);
	assert_string_equal(t.data, "m{l=\"a\\\\b\\\"c\\nd{}=,\"} 1\n");
	text_free(&t);
}

static void bytes_that_are_not_utf8_cost_no_scrape(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "\303\266", "\303\266" },		    /* U+00F6 */
		{ "\342\202\254", "\342\202\254" },	    /* U+20AC */
		{ "\360\237\233\241", "\360\237\233\241" }, /* U+1F6E1 */
		{ "a\377b", "a\357\277\275b" },
		{ "\303", "\357\277\275" }, /* cut */
		{ "\342\202", "\357\277\275\357\277\275" },
		{ "\300\257", "\357\277\275\357\277\275" }, /* overlong '/' */
		{ "\340\200\257", "\357\277\275\357\277\275\357\277\275" },
		{ "\355\240\200", "\357\277\275\357\277\275\357\277\275" }, /* surrogate */
		{ "\364\220\200\200", "\357\277\275\357\277\275\357\277\275\357\277\275" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = {};
		char expect[64];

		snprintf(expect, sizeof(expect), "m{l=\"%s\"} 1\n", cases[i].out);
		text_sample(&t, "m", 1, "l", cases[i].in, NULL);
		assert_string_equal(t.data, expect);
		text_free(&t);
	}
}

static void whole_numbers_are_whole(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ -0.0, "0" },
		{ 1, "1" },
		{ -5, "-5" },
		{ 1e6, "1000000" },
		{ 1e15, "1000000000000000" },
		{ 9007199254740992, "9007199254740992" },
		{ -9007199254740992, "-9007199254740992" },
		{ 0.5, "0.5" },
		{ 0.1, "0.1" },
		{ 1.0 / 3, "0.33333333333333331" },
		{ 1e-9, "1e-09" },
		{ 1e300, "1e+300" },
		{ INFINITY, "+Inf" },
		{ -INFINITY, "-Inf" },
		{ NAN, "NaN" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text t = {};
		char expect[64];

		snprintf(expect, sizeof(expect), "m %s\n", cases[i].text);
		text_sample(&t, "m", cases[i].value, NULL);
		assert_string_equal(t.data, expect);
		text_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_grows_and_stays_terminated),
		cmocka_unit_test(an_addition_longer_than_the_room_is_whole),
		cmocka_unit_test(an_empty_text_is_freed),
		cmocka_unit_test(a_failure_sticks),
		cmocka_unit_test(a_metric_has_help_and_type),
		cmocka_unit_test(samples_carry_labels),
		cmocka_unit_test(label_values_are_escaped),
		cmocka_unit_test(bytes_that_are_not_utf8_cost_no_scrape),
		cmocka_unit_test(whole_numbers_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
