/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of refused rows, the queue of what table refused does not know, and the numbers of feeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/feeds.h"
#include "daemon/refusals.h"

static struct refusals *r;

static int setup(void **state)
{
	(void)state;
	return refusals_new(&r);
}

static int teardown(void **state)
{
	(void)state;
	r = refusals_free(r);
	return 0;
}

static int refuse(const char *source, enum gate_cause cause)
{
	return refusals_set(r, source, "botnet", "f", cause);
}

static size_t unsaved(void)
{
	struct refusal rows[64];

	return refusals_unsaved(r, rows, ARRAY_SIZE(rows));
}

static void a_row_is_known_by_source_category_and_feed(void **state)
{
	(void)state;
	assert_int_equal(refuse("a", GATE_BAD_SOURCE), 1);
	assert_int_equal(refuse("a", GATE_BAD_SOURCE), 0);
	assert_int_equal(refuse("a", GATE_HOST_BITS), 1);
	assert_int_equal(refusals_set(r, "a", "botnet", "g", GATE_HOST_BITS), 1);
	assert_int_equal(refusals_set(r, "a", "botne", "tf", GATE_HOST_BITS), 1);
	assert_int_equal(refusals_set(r, NULL, NULL, NULL, GATE_BAD_SOURCE), 1);
	assert_int_equal(refusals_count(r), 4);
	assert_int_equal(refusals_by_cause(r, GATE_HOST_BITS), 3);
	assert_int_equal(refusals_find(r, "a", "botnet", "f"), GATE_HOST_BITS);
	assert_int_equal(refusals_find(r, "", "", ""), GATE_BAD_SOURCE);
	assert_int_equal(refusals_find(r, "b", "botnet", "f"), GATE_PASSED);
}

static void a_row_that_passes_is_gone_but_still_to_be_said(void **state)
{
	struct refusal row;

	(void)state;
	refuse("a", GATE_BAD_SOURCE);
	refusals_saved(r, unsaved());
	assert_int_equal(refusals_clear(r, "a", "botnet", "f"), 1);
	assert_int_equal(refusals_clear(r, "a", "botnet", "f"), 0);
	assert_int_equal(refusals_count(r), 0);
	assert_int_equal(refusals_find(r, "a", "botnet", "f"), GATE_PASSED);
	assert_int_equal(refusals_unsaved(r, &row, 1), 1);
	assert_string_equal(row.source, "a");
	assert_null(row.cause);
	refusals_saved(r, 1);
	assert_int_equal(unsaved(), 0);
}

static void a_row_that_comes_back_before_it_is_said_is_said_once(void **state)
{
	struct refusal row[2];

	(void)state;
	refuse("a", GATE_BAD_SOURCE);
	refusals_clear(r, "a", "botnet", "f");
	refuse("a", GATE_HOST_BITS);
	assert_int_equal(refusals_unsaved(r, row, 2), 1);
	assert_string_equal(row[0].cause, "host_bits");
	refusals_saved(r, 1);
	assert_int_equal(refusals_count(r), 1);
}

static int note(void *arg, const struct refusal *refusal)
{
	char *text = arg;

	strncat(text, refusal->source, 15 - strlen(text));
	return strlen(text) == 3;
}

static void rows_are_told_oldest_first_until_somebody_has_enough(void **state)
{
	char text[16] = "";

	(void)state;
	for (const char *const *at = (const char *const[]){ "x", "a", "m", "z", NULL }; *at; at++)
		refuse(*at, GATE_BAD_SOURCE);
	refusals_clear(r, "a", "botnet", "f");
	assert_int_equal(refusals_each(r, note, text), 1);
	assert_string_equal(text, "xmz");
}

/* Against an array; some saved in between, some lost and set anew. */
static void thousands_of_random_changes_add_up(void **state)
{
	enum { NAMES = 500, CHANGES = 50000 };
	enum gate_cause model[NAMES] = {};
	uint64_t seed = 42;
	size_t count = 0;
	char name[16];

	(void)state;
	for (int i = 0; i < CHANGES; i++) {
		unsigned int which;
		enum gate_cause cause;

		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL; /* Knuth's MMIX */
		which = (unsigned int)(seed >> 33) % NAMES;
		cause = (seed >> 20 & 3) ? 1 + (seed >> 24 & 3) : GATE_PASSED;
		snprintf(name, sizeof(name), "%u", which);
		if (cause)
			refuse(name, cause);
		else
			refusals_clear(r, name, "botnet", "f");
		model[which] = cause;
		if (!(seed >> 50 & 15))
			refusals_saved(r, unsaved());
	}
	for (unsigned int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(refusals_find(r, name, "botnet", "f"), model[i]);
		count += model[i] != GATE_PASSED;
	}
	assert_int_equal(refusals_count(r), count);
	refusals_saved(r, SIZE_MAX);
	assert_int_equal(unsaved(), 0);
	assert_int_equal(refusals_count(r), count);
}

static void a_feed_has_a_number_for_each_spelling_of_hosts(void **state)
{
	_cleanup_(feeds_freep) struct feeds *f = NULL;
	int plain, cidr;

	(void)state;
	assert_int_equal(feeds_new(&f), 0);
	plain = feeds_number(f, "manual", false);
	cidr = feeds_number(f, "manual", true);
	assert_int_not_equal(plain, cidr);
	assert_int_equal(feeds_number(f, "manual", false), plain);
	assert_int_equal(feeds_find(f, "manual", true), cidr);
	assert_int_equal(feeds_find(f, "other", false), -ENOENT);
	assert_string_equal(feeds_name(f, (uint16_t)cidr), "manual");
	assert_true(feeds_is_cidr(f, (uint16_t)cidr));
	assert_false(feeds_is_cidr(f, (uint16_t)plain));
}

static void feeds_end_at_their_most_and_those_known_stay(void **state)
{
	_cleanup_(feeds_freep) struct feeds *f = NULL;
	char name[16];

	(void)state;
	assert_int_equal(feeds_new(&f), 0);
	for (int i = 0; i < FEEDS_MAX; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(feeds_number(f, name, false), i);
	}
	assert_int_equal(feeds_number(f, "more", false), -ENOSPC);
	assert_int_equal(feeds_number(f, "f7", true), -ENOSPC);
	assert_int_equal(feeds_number(f, "f7", false), 7);
	assert_int_equal(feeds_count(f), FEEDS_MAX);
}

#define REFUSALS_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REFUSALS_TEST(a_row_is_known_by_source_category_and_feed),
		REFUSALS_TEST(a_row_that_passes_is_gone_but_still_to_be_said),
		REFUSALS_TEST(a_row_that_comes_back_before_it_is_said_is_said_once),
		REFUSALS_TEST(rows_are_told_oldest_first_until_somebody_has_enough),
		REFUSALS_TEST(thousands_of_random_changes_add_up),
		cmocka_unit_test(a_feed_has_a_number_for_each_spelling_of_hosts),
		cmocka_unit_test(feeds_end_at_their_most_and_those_known_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
