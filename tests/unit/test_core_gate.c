// SPDX-License-Identifier: BSD-2-Clause
/*
 * The gate: what a row of the database may become, and why not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "core/gate.h"

#define RANDOM_SOURCES 200000
#define NEVER_BLOCKS   30000
#define RATE_ROWS      1000000
#define RATE_WANTED    500000 /* rows a second, in any build */

static const struct categories names = {
	.name = { [MOAT_CATEGORY_ALLOW] = "allow",
		  [1] = "botnet",
		  [62] = "spam",
		  [MOAT_CATEGORY_SELFTEST] = "selftest" },
};

static struct prefix prefix(const char *text)
{
	struct prefix p;

	if (prefix_parse(text, &p))
		fail_msg("'%s' is no prefix", text);
	return p;
}

/* A gate with the default floors and two never-block prefixes. */
static enum gate_cause check(const struct row *row, struct claim *ret)
{
	const struct prefix never[] = { prefix("203.0.113.0/24"), prefix("2001:db8:53::/48") };
	const struct gate gate = { .categories = &names,
				   .never_block = never,
				   .never_blocks = ARRAY_SIZE(never),
				   .min_prefix = { 8, 19 } };

	return gate_check(&gate, row, ret);
}

static enum gate_cause check_source(const char *source, const char *category)
{
	const struct row row = { .source = source, .category = category, .feed = "manual" };
	struct claim claim;

	return check(&row, &claim);
}

static enum gate_cause check_row(struct row row)
{
	struct claim claim;

	return check(&row, &claim);
}

static void a_good_row_becomes_a_claim(void **state)
{
	const struct row row = { "192.0.2.0/24", "spam", "manual", "1800000000", "75", NULL };
	struct claim claim = { .feed = 4711 };
	struct prefix expect = prefix("192.0.2.0/24");

	(void)state;
	assert_int_equal(check(&row, &claim), GATE_PASSED);
	assert_int_equal(prefix_compare(&claim.source, &expect), 0);
	assert_int_equal(claim.category, 62);
	assert_true(claim.expires == 1800000000);
	assert_int_equal(claim.feed, 4711); /* the caller's */
}

static void a_row_without_expiry_never_ends(void **state)
{
	const struct row row = { .source = "192.0.2.1", .category = "botnet", .feed = "f" };
	struct claim claim = { .expires = 1 };

	(void)state;
	assert_int_equal(check(&row, &claim), GATE_PASSED);
	assert_true(claim.expires == 0);
}

static void a_refused_row_leaves_the_claim_alone(void **state)
{
	const struct row row = { "192.0.2.1", "botnet", "manual", "soon", NULL, NULL };
	struct claim claim = { .feed = 1, .category = 9, .expires = 8 };

	(void)state;
	assert_int_equal(check(&row, &claim), GATE_BAD_EXPIRY);
	assert_int_equal(claim.category, 9);
	assert_true(claim.expires == 8);
}

static void a_source_that_is_no_prefix_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check_source(NULL, "botnet"), GATE_BAD_SOURCE);
	assert_int_equal(check_source("", "botnet"), GATE_BAD_SOURCE);
	assert_int_equal(check_source("example.org", "botnet"), GATE_BAD_SOURCE);
	assert_int_equal(check_source("192.0.2.1/33", "botnet"), GATE_BAD_SOURCE);
	assert_int_equal(check_source("192.0.2.01", "botnet"), GATE_BAD_SOURCE);
	assert_int_equal(check_source("192.0.2.1/24", "botnet"), GATE_HOST_BITS);
	assert_int_equal(check_source("2001:db8::1/64", "botnet"), GATE_HOST_BITS);
}

static void a_prefix_under_the_floor_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check_source("10.0.0.0/8", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("10.0.0.0/7", "botnet"), GATE_PREFIX_FLOOR);
	assert_int_equal(check_source("2000::/19", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("2000::/18", "botnet"), GATE_PREFIX_FLOOR);
}

static void the_whole_address_space_is_refused_whatever_the_floor(void **state)
{
	const struct gate gate = { .categories = &names };
	struct row row = { .source = "0.0.0.0/0", .category = "botnet", .feed = "f" };
	struct claim claim;

	(void)state;
	assert_int_equal(gate_check(&gate, &row, &claim), GATE_PREFIX_FLOOR);
	row.source = "::/0";
	assert_int_equal(gate_check(&gate, &row, &claim), GATE_PREFIX_FLOOR);
	row.source = "0.0.0.0/1";
	assert_int_equal(gate_check(&gate, &row, &claim), GATE_PASSED);
	assert_int_equal(check_source("0.0.0.0/0", "allow"), GATE_PREFIX_FLOOR);
	assert_int_equal(check_source("::ffff:0:0/96", "allow"), GATE_NOT_CANONICAL);
}

static void another_spelling_of_a_source_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check_source("2001:DB8::1", "botnet"), GATE_NOT_CANONICAL);
	assert_int_equal(check_source("2001:db8:0::1", "botnet"), GATE_NOT_CANONICAL);
	assert_int_equal(check_source("::ffff:192.0.2.1", "botnet"), GATE_NOT_CANONICAL);
	assert_int_equal(check_source("2001:db8::1", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("2001:db8::1/128", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("192.0.2.1/32", "botnet"), GATE_PASSED);
}

static void what_lies_in_a_never_block_prefix_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check_source("203.0.113.0/24", "botnet"), GATE_NEVER_BLOCK);
	assert_int_equal(check_source("203.0.113.255", "botnet"), GATE_NEVER_BLOCK);
	assert_int_equal(check_source("203.0.113.9/32", "botnet"), GATE_NEVER_BLOCK);
	assert_int_equal(check_source("2001:db8:53::/64", "botnet"), GATE_NEVER_BLOCK);
	/* Around it, and over it: there the never-block prefix itself protects. */
	assert_int_equal(check_source("203.0.112.255", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("203.0.114.0", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("203.0.112.0/23", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("2001:db8::/32", "botnet"), GATE_PASSED);
}

static void category_allow_passes_floor_and_never_block(void **state)
{
	(void)state;
	assert_int_equal(check_source("10.0.0.0/7", "allow"), GATE_PASSED);
	assert_int_equal(check_source("2000::/3", "allow"), GATE_PASSED);
	assert_int_equal(check_source("203.0.113.1", "allow"), GATE_PASSED);
}

static void sources_of_control_traffic_are_refused(void **state)
{
	(void)state;
	assert_int_equal(check_source("0.0.0.0", "botnet"), GATE_UNBLOCKABLE);
	assert_int_equal(check_source("0.0.0.0/32", "botnet"), GATE_UNBLOCKABLE);
	assert_int_equal(check_source("::", "botnet"), GATE_UNBLOCKABLE);
	assert_int_equal(check_source("fe80::/10", "botnet"), GATE_UNBLOCKABLE);
	assert_int_equal(check_source("fe80::1", "botnet"), GATE_UNBLOCKABLE);
	assert_int_equal(check_source("febf:ffff::/32", "botnet"), GATE_UNBLOCKABLE);
	assert_int_equal(check_source("fe80::1", "allow"), GATE_UNBLOCKABLE);
	assert_int_equal(check_source("0.0.0.1", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("0.0.0.0/31", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("::1", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("fec0::1", "botnet"), GATE_PASSED);
	assert_int_equal(check_source("fe00::/20", "botnet"), GATE_PASSED);
}

static void an_unknown_category_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check_source("192.0.2.1", "bot"), GATE_UNKNOWN_CATEGORY);
	assert_int_equal(check_source("192.0.2.1", "Botnet"), GATE_UNKNOWN_CATEGORY);
	/* Its policy drops; only the daemon itself may list sources there. */
	assert_int_equal(check_source("192.0.2.1", "selftest"), GATE_UNKNOWN_CATEGORY);
}

static void names_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = { "",
					   "bot net",
					   "b/t",
					   "b\303\266t",
					   "a\nb",
					   "b\"t",
					   "abcdefghijklmnopqrstuvwxyzabcdef" /* 32 */ };
	static const char feed63[] =
		"abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz_012345678";
	static const char feed64[] =
		"abcdefghijklmnopqrstuvwxyz.abcdefghijklmnopqrstuvwxyz_0123456789";
	struct row row = { .source = "192.0.2.1", .category = "botnet" };

	(void)state;
	assert_int_equal(check_row(row), GATE_BAD_NAME); /* feed is null */
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(check_source("192.0.2.1", bad[i]), GATE_BAD_NAME);
	assert_int_equal(check_source("192.0.2.1", NULL), GATE_BAD_NAME);
	for (size_t i = 0; i < ARRAY_SIZE(bad) - 1; i++) {
		row.feed = bad[i];
		assert_int_equal(check_row(row), GATE_BAD_NAME);
	}
	assert_int_equal(strlen(feed63), 63);
	row.feed = feed63;
	assert_int_equal(check_row(row), GATE_PASSED);
	row.feed = feed64;
	assert_int_equal(check_row(row), GATE_BAD_NAME);
}

static void a_confidence_is_a_whole_number_to_100(void **state)
{
	static const char *const bad[] = { "", "101", "-1", "high", "50.5", "050", " 5", "1e2" };
	struct row row = { .source = "192.0.2.1", .category = "botnet", .feed = "f" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		row.confidence = bad[i];
		assert_int_equal(check_row(row), GATE_BAD_CONFIDENCE);
	}
	row.confidence = "0";
	assert_int_equal(check_row(row), GATE_PASSED);
	row.confidence = "100";
	assert_int_equal(check_row(row), GATE_PASSED);
}

static void an_expiry_is_a_time_in_seconds(void **state)
{
	static const char *const bad[] = {
		"",
		"0", /* who wrote it meant 1970, the model would read never */
		"-1",
		"tomorrow",
		"2026-11-23",
		"1.5",
		"1e9",
		"1800000000000", /* milliseconds */
		"9223372036854775808",
		"99999999999999999999",
	};
	struct row row = { .source = "192.0.2.1", .category = "botnet", .feed = "f" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		row.expires_at = bad[i];
		assert_int_equal(check_row(row), GATE_BAD_EXPIRY);
	}
	row.expires_at = "1"; /* long past: the model's to end */
	assert_int_equal(check_row(row), GATE_PASSED);
	row.expires_at = "253402300799";
	assert_int_equal(check_row(row), GATE_PASSED);
}

static void categories_are_found_by_their_whole_name(void **state)
{
	(void)state;
	assert_int_equal(categories_find(&names, "allow"), MOAT_CATEGORY_ALLOW);
	assert_int_equal(categories_find(&names, "spam"), 62);
	assert_int_equal(categories_find(&names, "spa"), -ENOENT);
	assert_int_equal(categories_find(&names, "spam2"), -ENOENT);
	assert_int_equal(categories_find(&names, ""), -ENOENT); /* the name of unused ids */
}

static void every_cause_has_a_label_and_a_text(void **state)
{
	(void)state;
	for (unsigned int a = 0; a < GATE_CAUSE_MAX; a++) {
		assert_non_null(gate_cause_label(a));
		assert_true(strlen(gate_cause_text(a)) > 0);
		for (unsigned int b = 0; b < a; b++)
			assert_string_not_equal(gate_cause_label(a), gate_cause_label(b));
	}
	assert_string_equal(gate_cause_label(GATE_NEVER_BLOCK), "never_block");
	assert_non_null(gate_cause_label(GATE_CAUSE_MAX));
}

static uint64_t random_state = 0x2545f4914f6cdd1d; /* fixed: a failure repeats */

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* In a small space, so that prefixes nest and meet. */
static struct prefix random_prefix(unsigned int shortest)
{
	struct prefix p = { .family = next_random() % 2, .addr = { 10 } };

	p.addr[1] = next_random() % 4;
	p.addr[2] = next_random();
	p.addr[3] = next_random() & 0xc0;
	p.len = shortest + next_random() % (33 - shortest);
	prefix_mask(&p);
	return p;
}

static void a_sorted_never_block_set_refuses_the_same_as_a_scan(void **state)
{
	struct prefix plain[300], sorted[300];
	struct gate scan = { .categories = &names, .never_block = plain };
	struct gate search = { .categories = &names, .never_block = sorted, .never_sorted = true };
	unsigned int refused = 0;
	char text[PREFIX_TEXT_MAX];

	(void)state;
	for (int i = 0; i < RANDOM_SOURCES; i++) {
		struct row row = { .category = "botnet", .feed = "f", .source = text };
		enum gate_cause expect, got;
		struct prefix source;
		struct claim claim;

		if (i % 2000 == 0) {
			scan.never_blocks = next_random() % ARRAY_SIZE(plain);
			for (size_t n = 0; n < scan.never_blocks; n++)
				plain[n] = random_prefix(14);
			memcpy(sorted, plain, sizeof(plain));
			search.never_blocks = gate_sort_never_block(sorted, scan.never_blocks);
			assert_true(search.never_blocks <= scan.never_blocks);
		}
		source = random_prefix(9);
		prefix_format(&source, text);
		expect = gate_check(&scan, &row, &claim);
		got = gate_check(&search, &row, &claim);
		if (got != expect)
			fail_msg("%s: %s by search, %s by scan", text, gate_cause_label(got),
				 gate_cause_label(expect));
		refused += expect == GATE_NEVER_BLOCK;
	}
	assert_true(refused > RANDOM_SOURCES / 20 && refused < RANDOM_SOURCES * 19 / 20);
}

static void sorting_leaves_out_prefixes_in_prefixes(void **state)
{
	struct prefix never[] = { prefix("10.0.0.0/9"),	 prefix("2001:db8::/32"),
				  prefix("10.1.0.0/16"), prefix("10.0.0.0/8"),
				  prefix("10.0.0.0/8"),	 prefix("2001:db8::1") };
	char text[PREFIX_TEXT_MAX];

	(void)state;
	assert_int_equal(gate_sort_never_block(never, ARRAY_SIZE(never)), 2);
	assert_string_equal(prefix_format(&never[0], text), "10.0.0.0/8");
	assert_string_equal(prefix_format(&never[1], text), "2001:db8::/32");
	assert_int_equal(gate_sort_never_block(NULL, 0), 0);
}

static void a_large_never_block_set_does_not_slow_the_gate(void **state)
{
	_cleanup_free_ struct prefix *never = calloc(NEVER_BLOCKS, sizeof(*never));
	struct gate gate = { .categories = &names, .never_block = never, .min_prefix = { 8, 19 } };
	const struct row rows[] = {
		{ "203.0.113.77", "spam", "manual", "1800000000", "75", NULL },
		{ "2001:db8:1234::/48", "spam", "manual", NULL, NULL, NULL },
	};
	struct timespec begin, end;
	double seconds;

	(void)state;
	assert_non_null(never);
	for (int i = 0; i < NEVER_BLOCKS; i++) {
		never[i] = (struct prefix){ .family = i % 2, .len = 32 };
		for (int n = 0; n < 4; n++)
			never[i].addr[n] = next_random();
	}
	gate.never_blocks = gate_sort_never_block(never, NEVER_BLOCKS);
	gate.never_sorted = true;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (int i = 0; i < RATE_ROWS; i++) {
		struct claim claim;

		assert_int_equal(gate_check(&gate, &rows[i % 2], &claim), GATE_PASSED);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	seconds = (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9;
	print_message("gate_check: %.1f M/s\n", RATE_ROWS / seconds / 1e6);
	assert_true(RATE_ROWS / seconds >= RATE_WANTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_row_becomes_a_claim),
		cmocka_unit_test(a_row_without_expiry_never_ends),
		cmocka_unit_test(a_refused_row_leaves_the_claim_alone),
		cmocka_unit_test(a_source_that_is_no_prefix_is_refused),
		cmocka_unit_test(a_prefix_under_the_floor_is_refused),
		cmocka_unit_test(the_whole_address_space_is_refused_whatever_the_floor),
		cmocka_unit_test(another_spelling_of_a_source_is_refused),
		cmocka_unit_test(what_lies_in_a_never_block_prefix_is_refused),
		cmocka_unit_test(category_allow_passes_floor_and_never_block),
		cmocka_unit_test(sources_of_control_traffic_are_refused),
		cmocka_unit_test(an_unknown_category_is_refused),
		cmocka_unit_test(names_that_are_none_are_refused),
		cmocka_unit_test(a_confidence_is_a_whole_number_to_100),
		cmocka_unit_test(an_expiry_is_a_time_in_seconds),
		cmocka_unit_test(categories_are_found_by_their_whole_name),
		cmocka_unit_test(every_cause_has_a_label_and_a_text),
		cmocka_unit_test(a_sorted_never_block_set_refuses_the_same_as_a_scan),
		cmocka_unit_test(sorting_leaves_out_prefixes_in_prefixes),
		cmocka_unit_test(a_large_never_block_set_does_not_slow_the_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
