/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A never-block set that changes by itself: what it protects, what it gives
 * back, and that nothing else is read.
 */
#include "tests/unit/sync_lab.h"

#define PLENTY LAB_CATEGORIES "capacity: { ipv4: 100, ipv6: 100 }\n"

static void start(const char *config)
{
	lab_config(config);
	if (!lab.tables)
		lab_maps(400, 400, 100);
	lab_restart();
	assert_int_equal(lab_start(), 0);
}

/* The set from now on; a list that ends in NULL. */
static int set_never(const char *const *prefix)
{
	lab.nevers = 0;
	for (; *prefix; prefix++)
		lab_never(*prefix);
	return sync_set_never(lab.sync, lab.never, lab.nevers, &lab.why);
}

#define SET_NEVER(...) set_never((const char *const[]){ __VA_ARGS__, NULL })

static void a_new_address_is_protected_from_a_listing_of_itself_and_of_what_covers_it(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_list("20.0.1.0/24", "botnet");
	lab_list("20.0.0.1/32", "scanner");
	lab_follow();
	assert_verdict("20.0.0.1", "drop");
	assert_int_equal(SET_NEVER("20.0.0.1", "20.0.1.7", "2400:cb00::1"), 1);
	assert_verdict("20.0.0.1", "allow");
	assert_verdict("20.0.1.7", "allow");
	assert_verdict("20.0.1.8", "drop");
	assert_string_equal(lab_refused("20.0.0.1", "botnet"), "never_block");
	assert_string_equal(lab_refused("20.0.0.1/32", "scanner"), "never_block");
	assert_int_equal(lab_sql_number("SELECT count(*) FROM refused WHERE cause = 'never_block'"),
			 2);
	lab_check();
}

static void what_was_refused_comes_into_force_as_its_row_is_now(void **state)
{
	(void)state;
	lab_never("20.0.0.1");
	lab_never("20.0.2.0/24");
	start(PLENTY "region: [ eu ]\n");
	lab_sql("INSERT INTO listing (source, category, expires_at) VALUES"
		" ('20.0.0.1', 'botnet', %lld)",
		(long long)lab_now() + 10);
	lab_list("20.0.2.7", "botnet");
	lab_sql("INSERT INTO listing (source, category, region) VALUES"
		" ('20.0.0.1', 'scanner', 'us')");
	lab_follow();
	assert_string_equal(lab_refused("20.0.0.1", "botnet"), "never_block");
	assert_int_equal(SET_NEVER("20.0.2.0/24"), 1);
	assert_verdict("20.0.0.1", "drop");
	assert_null(lab_refused("20.0.0.1", "botnet"));
	assert_string_equal(lab_refused("20.0.2.7", "botnet"), "never_block");
	lab_check();
	lab_pass(11);
	lab_follow();
	assert_verdict("20.0.0.1", "clean"); /* the end that the row says */
	lab_check();
}

static void allow_listings_inside_stay_listings(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "allow");
	lab_follow();
	assert_int_equal(SET_NEVER("20.0.0.0/24"), 1);
	assert_null(lab_refused("20.0.0.1", "allow"));
	assert_int_equal(lab_count("manual", "allow", "live"), 1);
	lab_check();
	lab.nevers = 0;
	assert_int_equal(sync_set_never(lab.sync, NULL, 0, &lab.why), 1);
	assert_verdict("20.0.0.1", "allow");
	lab_check();
}

static void the_same_set_is_no_change(void **state)
{
	(void)state;
	lab_never("20.0.0.1");
	start(PLENTY);
	assert_int_equal(sync_set_never(lab.sync, lab.never, lab.nevers, &lab.why), 0);
	lab_check();
}

static void one_row_is_read_and_not_the_whole_table(void **state)
{
	(void)state;
	lab_never("20.0.0.1");
	start(PLENTY);
	for (int i = 1; i < 50; i++)
		lab_sql("INSERT INTO listing (source, category) VALUES ('20.0.0.%d', 'botnet')", i);
	lab_follow();
	memset(lab_fault, 0, sizeof(lab_fault));
	fake_tables_forget(lab.tables);
	assert_int_equal(SET_NEVER("20.0.0.2"), 1);
	assert_int_equal(lab_fault[LAB_SNAPSHOT].calls, 0);
	assert_verdict("20.0.0.1", "drop");
	assert_verdict("20.0.0.2", "allow");
	lab_check();
}

static void a_listing_that_found_no_room_is_refused_for_what_protects_it(void **state)
{
	(void)state;
	start(LAB_CATEGORIES "capacity: { ipv4: 1, ipv6: 1 }\n");
	lab_list("20.0.0.1", "botnet");
	lab_list("20.0.0.2", "botnet");
	lab_follow();
	assert_string_equal(lab_refused("20.0.0.2", "botnet"), "map_full");
	assert_int_equal(SET_NEVER("20.0.0.2"), 1);
	assert_string_equal(lab_refused("20.0.0.2", "botnet"), "never_block");
	assert_int_equal(SET_NEVER("20.0.0.1"), 1);
	assert_int_equal(lab_settle(), 0);
	assert_verdict("20.0.0.2", "drop");
	lab_check();
}

static void before_the_database_was_read_the_set_is_kept_for_then(void **state)
{
	(void)state;
	lab_config(PLENTY);
	lab_maps(400, 400, 100);
	lab_restart();
	lab_fault[LAB_SNAPSHOT].error = -EBUSY;
	assert_int_equal(lab_start(), -EBUSY);
	assert_true(SET_NEVER("20.0.0.1") >= 0);
	lab_fault[LAB_SNAPSHOT].error = 0;
	lab_list("20.0.0.0/24", "botnet");
	assert_int_equal(lab_settle(), 0);
	assert_verdict("20.0.0.1", "allow");
	assert_verdict("20.0.0.2", "drop");
	lab_check();
}

static void while_the_database_fails_an_address_is_protected_all_the_same(void **state)
{
	(void)state;
	start(PLENTY);
	lab_list("20.0.0.1", "botnet");
	lab_follow();
	lab_fault[LAB_CHANGES].error = -EBUSY;
	assert_int_equal(lab_follow(), -EBUSY);
	assert_int_equal(SET_NEVER("20.0.0.1"), 1);
	assert_verdict("20.0.0.1", "allow");
	lab_fault[LAB_CHANGES].error = 0;
	assert_int_equal(lab_settle(), 0);
	lab_check();
}

/* Any sequence of sets leads to what one read of the whole would. */
static void whatever_the_sets_the_kernel_says_what_the_table_says(void **state)
{
	static const char *const pool[] = { "20.0.0.0/24", "20.0.0.0/28", "20.0.0.3",
					    "20.0.0.200",  "20.0.1.0/31", "2400:cb00::/32",
					    "2400:cb00::1" };
	uint64_t random = 88172645463325252ULL; /* fixed: a failure repeats */

	(void)state;
	start(PLENTY);
	for (int i = 0; i < 30; i++)
		lab_sql("INSERT OR IGNORE INTO listing (source, category) VALUES"
			" ('20.0.%d.%d', '%s')",
			i % 2, i * 7 % 20, i % 3 ? "botnet" : "allow");
	lab_list("2400:cb00::/48", "scanner");
	lab_list("20.0.0.0/23", "research");
	lab_follow();
	for (int round = 0; round < 60; round++) {
		const char *set[ARRAY_SIZE(pool) + 1] = { NULL };
		size_t count = 0;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		for (size_t i = 0; i < ARRAY_SIZE(pool); i++)
			if (random >> i & 1)
				set[count++] = pool[i];
		assert_true(set_never(set) >= 0);
		/* The check wants what gate_sort_never_block() leaves of it. */
		lab.nevers = gate_sort_never_block(lab.never, lab.nevers);
		lab_check();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_new_address_is_protected_from_a_listing_of_itself_and_of_what_covers_it),
		LAB_TEST(what_was_refused_comes_into_force_as_its_row_is_now),
		LAB_TEST(allow_listings_inside_stay_listings),
		LAB_TEST(the_same_set_is_no_change),
		LAB_TEST(one_row_is_read_and_not_the_whole_table),
		LAB_TEST(a_listing_that_found_no_room_is_refused_for_what_protects_it),
		LAB_TEST(before_the_database_was_read_the_set_is_kept_for_then),
		LAB_TEST(while_the_database_fails_an_address_is_protected_all_the_same),
		LAB_TEST(whatever_the_sets_the_kernel_says_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
