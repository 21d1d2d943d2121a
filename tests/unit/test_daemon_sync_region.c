/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listings that are scoped to regions, from the table to the kernel.
 */
#include "tests/unit/sync_lab.h"

#define HERE LAB_CATEGORIES "capacity: { ipv4: 100, ipv6: 100 }\nregion: [ eu, de ]\n"
#define US   LAB_CATEGORIES "capacity: { ipv4: 100, ipv6: 100 }\nregion: [ us ]\n"
#define NONE LAB_CATEGORIES "capacity: { ipv4: 100, ipv6: 100 }\n"

static void start(const char *config)
{
	lab_config(config);
	lab_maps(400, 400, 100);
	lab_restart();
	assert_int_equal(lab_start(), 0);
}

static void reload(const char *config)
{
	lab_config(config);
	assert_int_equal(sync_reload(lab.sync, lab.config, lab.never, lab.nevers, &lab.why), 0);
}

static void list_in(const char *source, const char *category, const char *region)
{
	lab_sql("INSERT INTO listing (source, category, region) VALUES ('%s', '%s', '%s')", source,
		category, region);
}

static void a_listing_is_in_force_where_a_region_of_it_is_carried(void **state)
{
	(void)state;
	start(HERE);
	list_in("20.0.0.1", "botnet", "us,de");
	list_in("20.0.0.2", "botnet", "us");
	list_in("20.0.0.3", "botnet", "");
	lab_list("20.0.0.4", "botnet");
	lab_follow();
	assert_verdict("20.0.0.1", "drop");
	assert_verdict("20.0.0.2", "clean");
	assert_verdict("20.0.0.3", "drop");
	assert_verdict("20.0.0.4", "drop");
	assert_int_equal(lab_count("manual", "botnet", "live"), 3);
	assert_int_equal(lab_count("manual", "botnet", "elsewhere"), 1);
	assert_int_equal(lab_count("manual", "botnet", "refused"), 0);
	assert_int_equal(lab_numbers().elsewhere, 1);
	assert_int_equal(lab_numbers().wanted[MOAT_IPV4], 3);
	assert_true(lab_numbers().coverage == 1);
	lab_check();
	lab_restart();
	assert_int_equal(lab_start(), 0);
	assert_int_equal(lab_count("manual", "botnet", "elsewhere"), 1);
	lab_check();
}

static void a_host_without_a_region_takes_only_what_is_for_everywhere(void **state)
{
	(void)state;
	start(NONE);
	list_in("20.0.0.1", "botnet", "eu");
	lab_list("20.0.0.2", "botnet");
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	assert_verdict("20.0.0.2", "drop");
	lab_check();
}

static void a_region_that_changes_by_sql_takes_effect(void **state)
{
	(void)state;
	start(HERE);
	list_in("20.0.0.1", "botnet", "us");
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	lab_sql("UPDATE listing SET region = 'de'");
	lab_follow();
	assert_verdict("20.0.0.1", "drop");
	assert_int_equal(lab_numbers().elsewhere, 0);
	lab_check();
	lab_sql("UPDATE listing SET region = 'us'");
	lab_follow();
	assert_verdict("20.0.0.1", "clean");
	assert_int_equal(lab_numbers().elsewhere, 1);
	lab_check();
	lab_sql("UPDATE listing SET region = NULL");
	lab_follow();
	assert_verdict("20.0.0.1", "drop");
	lab_sql("UPDATE listing SET region = 'us'");
	lab_follow();
	lab_sql("DELETE FROM listing");
	lab_follow();
	assert_int_equal(lab_numbers().elsewhere, 0);
	lab_check();
}

static void regions_of_a_reload_are_in_force_at_once(void **state)
{
	(void)state;
	start(HERE);
	list_in("20.0.0.1", "botnet", "eu");
	list_in("20.0.0.2", "botnet", "us");
	lab_follow();
	reload(US);
	assert_verdict("20.0.0.1", "clean");
	assert_verdict("20.0.0.2", "drop");
	assert_int_equal(lab_count("manual", "botnet", "elsewhere"), 1);
	lab_check();
	reload(NONE);
	assert_verdict("20.0.0.2", "clean");
	assert_int_equal(lab_count("manual", "botnet", "elsewhere"), 2);
	lab_check();
}

static void a_row_is_refused_or_elsewhere_never_both(void **state)
{
	(void)state;
	start(HERE);
	list_in("20.0.0.1", "nonsense", "us");
	list_in("20.0.0.2", "botnet", "u s");
	lab_follow();
	assert_string_equal(lab_refused("20.0.0.1", "nonsense"), "unknown_category");
	assert_string_equal(lab_refused("20.0.0.2", "botnet"), "bad_region");
	lab_check();
	lab_sql("UPDATE listing SET category = 'botnet', region = 'us'");
	lab_follow();
	assert_null(lab_refused("20.0.0.1", "botnet"));
	assert_int_equal(lab_sql_number("SELECT count(*) FROM refused"), 0);
	assert_int_equal(lab_numbers().elsewhere, 2);
	lab_check();
	lab_sql("UPDATE listing SET confidence = 101");
	lab_follow();
	assert_int_equal(lab_numbers().elsewhere, 0);
	assert_string_equal(lab_refused("20.0.0.1", "botnet"), "bad_confidence");
	lab_check();
}

static void an_allow_of_another_region_does_not_protect(void **state)
{
	(void)state;
	start(HERE);
	lab_list("20.0.0.0/24", "botnet");
	list_in("20.0.0.1", "allow", "us");
	list_in("20.0.0.2", "allow", "eu");
	lab_follow();
	assert_verdict("20.0.0.1", "drop");
	assert_verdict("20.0.0.2", "allow");
	lab_check();
}

static void what_has_expired_is_not_elsewhere(void **state)
{
	(void)state;
	start(HERE);
	lab_sql("INSERT INTO listing (source, category, region, expires_at) VALUES"
		" ('20.0.0.1', 'botnet', 'us', 1)");
	lab_follow();
	assert_int_equal(lab_numbers().elsewhere, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_listing_is_in_force_where_a_region_of_it_is_carried),
		LAB_TEST(a_host_without_a_region_takes_only_what_is_for_everywhere),
		LAB_TEST(a_region_that_changes_by_sql_takes_effect),
		LAB_TEST(regions_of_a_reload_are_in_force_at_once),
		LAB_TEST(a_row_is_refused_or_elsewhere_never_both),
		LAB_TEST(an_allow_of_another_region_does_not_protect),
		LAB_TEST(what_has_expired_is_not_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
