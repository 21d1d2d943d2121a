/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists of regions as clients leave them, and what the gate makes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/gate.h"

static char here[2][REGION_WORD] = { "eu", "de" };

static int fits(const char *text)
{
	return region_fits(text, here, ARRAY_SIZE(here));
}

static void a_list_fits_a_host_that_carries_one_of_its_words(void **state)
{
	(void)state;
	assert_int_equal(fits("eu"), 1);
	assert_int_equal(fits("us,de"), 1);
	assert_int_equal(fits(" US , De "), 1);
	assert_int_equal(fits("us"), 0);
	assert_int_equal(fits("eu-west,d"), 0);
	assert_int_equal(region_fits("eu", NULL, 0), 0);
}

static void no_word_means_everywhere(void **state)
{
	(void)state;
	assert_int_equal(fits(NULL), 1);
	assert_int_equal(fits(""), 1);
	assert_int_equal(fits(" \t"), 1);
	assert_int_equal(region_fits(NULL, NULL, 0), 1);
}

static void what_is_no_list_is_said_to_be_none(void **state)
{
	static const char *const bad[] = { ",",	    "eu,",	 ",eu",	  "eu,,de", "eu de",
					   "eu;de", "e\xc3\xbc", "eu/de", "*",	    "eu\nde" };
	char longest[2 * REGION_WORD] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(fits(bad[i]), -EINVAL);
	memset(longest, 'a', REGION_WORD - 1);
	assert_int_equal(fits(longest), 0);
	longest[REGION_WORD - 1] = 'a';
	assert_int_equal(fits(longest), -EINVAL);
}

static void a_list_of_more_words_than_allowed_is_none(void **state)
{
	char text[4 * (REGION_WORDS + 1) + 1] = "", out[REGION_TEXT];

	(void)state;
	for (size_t i = 0; i < REGION_WORDS; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%zu", i ? "," : "",
			 i);
	assert_int_equal(fits(text), 0);
	assert_int_equal(region_canonical(text, out), 0);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), ",x");
	assert_int_equal(fits(text), -EINVAL);
	assert_int_equal(region_canonical(text, out), -EINVAL);
}

static void the_one_spelling_is_lower_case_sorted_and_has_each_word_once(void **state)
{
	char out[REGION_TEXT] = "untouched";

	(void)state;
	assert_int_equal(region_canonical("us, ,", out), -EINVAL);
	assert_string_equal(out, "untouched");
	assert_int_equal(region_canonical(" US,de , eu,DE", out), 0);
	assert_string_equal(out, "de,eu,us");
	assert_int_equal(region_canonical(NULL, out), 0);
	assert_string_equal(out, "");
}

/* ---- the gate ---- */

static enum gate_cause check(const char *source, const char *category, const char *region,
			     struct claim *ret)
{
	static const struct categories names = { .name = { "allow", "botnet" } };
	const struct gate gate = {
		.categories = &names,
		.min_prefix = { 8, 19 },
		.region = here,
		.regions = ARRAY_SIZE(here),
	};
	const struct row row = {
		.source = source,
		.category = category,
		.feed = "f",
		.expires_at = "2000000000",
		.region = region,
	};

	return gate_check(&gate, &row, ret);
}

static void a_listing_of_another_region_is_elsewhere_and_not_refused(void **state)
{
	struct claim claim = {};

	(void)state;
	assert_int_equal(check("192.0.2.1", "botnet", "us,asia", &claim), GATE_ELSEWHERE);
	assert_int_equal(claim.expires, 2000000000);
	assert_int_equal(claim.category, 1);
	assert_int_equal(check("192.0.2.1", "botnet", "us,de", &claim), GATE_PASSED);
	assert_int_equal(check("192.0.2.1", "botnet", NULL, &claim), GATE_PASSED);
	assert_string_equal(gate_cause_label(GATE_ELSEWHERE), "elsewhere");
}

static void an_allow_of_another_region_does_not_protect_here(void **state)
{
	struct claim claim = {};

	(void)state;
	assert_int_equal(check("192.0.2.1", "allow", "us", &claim), GATE_ELSEWHERE);
}

static void a_bad_row_is_refused_wherever_it_is_for(void **state)
{
	struct claim claim = {};

	(void)state;
	assert_int_equal(check("192.0.2.1/24", "botnet", "us", &claim), GATE_HOST_BITS);
	assert_int_equal(check("192.0.2.1", "botnet", "us;de", &claim), GATE_BAD_REGION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_fits_a_host_that_carries_one_of_its_words),
		cmocka_unit_test(no_word_means_everywhere),
		cmocka_unit_test(what_is_no_list_is_said_to_be_none),
		cmocka_unit_test(a_list_of_more_words_than_allowed_is_none),
		cmocka_unit_test(the_one_spelling_is_lower_case_sorted_and_has_each_word_once),
		cmocka_unit_test(a_listing_of_another_region_is_elsewhere_and_not_refused),
		cmocka_unit_test(an_allow_of_another_region_does_not_protect_here),
		cmocka_unit_test(a_bad_row_is_refused_wherever_it_is_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
