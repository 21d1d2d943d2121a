/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Full maps: what does not fit is refused, listed with its cause for as long
 * as it waits, and comes in when there is room; and memory stays bounded.
 */
#include "tests/unit/sync_lab.h"

#include "daemon/sync_private.h"

#define SMALL LAB_CATEGORIES "capacity: { ipv4: 3, ipv6: 3 }\n"
#define LARGE LAB_CATEGORIES "capacity: { ipv4: 70000, ipv6: 100 }\n"

static void start(const char *config, uint32_t room4, uint32_t phases)
{
	lab_config(config);
	lab_maps(room4, 400, phases);
	fake_tables_judge(lab.tables, room4 < 1000);
	lab_restart();
	assert_int_equal(lab_start(), 0);
}

/* Lists 20.0.0.1 to .n. */
static void list(int n)
{
	for (int i = 1; i <= n; i++)
		lab_sql("INSERT INTO listing (source, category) VALUES ('20.0.0.%d', 'botnet')", i);
	lab_follow();
}

static void fill_ipv6(void)
{
	for (int i = 1; i <= 3; i++)
		lab_sql("INSERT INTO listing (source, category) VALUES ('2400:cb00::%d', 'ssh')",
			i);
}

/* ---- waiting for room ---- */

static void what_does_not_fit_is_refused_listed_and_comes_in_when_there_is_room(void **state)
{
	(void)state;
	start(SMALL, 400, 100);
	list(5);
	assert_int_equal(lab_numbers().refused[MOAT_IPV4], 2);
	assert_true(lab_numbers().coverage == 0.6);
	assert_string_equal(lab_refused("20.0.0.4", "botnet"), "map_full");
	assert_int_equal(lab_count("manual", "botnet", "live"), 3);
	assert_int_equal(lab_count("manual", "botnet", "refused"), 2);
	lab_check();
	lab_list("2400:cb00::1", "botnet");
	lab_sql("DELETE FROM listing WHERE source = '20.0.0.1'");
	lab_follow();
	assert_verdict("20.0.0.4", "drop");
	assert_null(lab_refused("20.0.0.4", "botnet"));
	assert_verdict("2400:cb00::1", "drop");
	lab_check();
}

static void a_refused_source_s_new_listings_are_refused_too(void **state)
{
	(void)state;
	start(SMALL, 400, 100);
	list(4);
	lab_list("20.0.0.4", "scanner");
	lab_follow();
	assert_string_equal(lab_refused("20.0.0.4", "scanner"), "map_full");
	lab_check();
}

static void a_refresh_of_a_refused_listing_leaves_it_refused(void **state)
{
	(void)state;
	start(SMALL, 400, 100);
	fill_ipv6();
	list(4);
	lab_sql("UPDATE listing SET reason = 'again' WHERE source = '20.0.0.4'");
	lab_follow();
	assert_string_equal(lab_refused("20.0.0.4", "botnet"), "map_full");
	lab_sql("UPDATE listing SET expires_at = 1900000000 WHERE source = '20.0.0.4'");
	lab_follow();
	assert_string_equal(lab_refused("20.0.0.4", "botnet"), "map_full");
	lab_check();
}

static void a_refused_listing_that_ends_is_not_refused_any_more(void **state)
{
	(void)state;
	start(SMALL, 400, 100);
	list(3);
	lab_sql("INSERT INTO listing (source, category, expires_at) VALUES"
		" ('20.0.0.4', 'botnet', %lld), ('20.0.0.4/32', 'scanner', NULL)",
		(long long)lab_now() + 5);
	lab_follow();
	assert_int_equal(lab_numbers().by_cause[GATE_MAP_FULL], 2);
	lab_pass(6);
	lab_follow();
	assert_int_equal(lab_numbers().by_cause[GATE_MAP_FULL], 1);
	lab_check();
	lab_sql("DELETE FROM listing WHERE source = '20.0.0.4/32'");
	lab_follow();
	assert_int_equal(lab_numbers().by_cause[GATE_MAP_FULL], 0);
	assert_true(lab_numbers().coverage == 1);
	lab_check();
}

static void sources_that_come_and_go_while_the_map_is_full_take_no_memory(void **state)
{
	(void)state;
	start(SMALL, 400, 100);
	fill_ipv6();
	list(3);
	for (int i = 0; i < 2000; i++) {
		lab_sql("BEGIN; INSERT INTO listing (source, category) VALUES ('20.9.9.9', 'ssh');"
			" COMMIT");
		lab_follow();
		lab_sql("DELETE FROM listing WHERE source = '20.9.9.9'");
		lab_follow();
	}
	assert_true(lab.sync->full_room[MOAT_IPV4] <= 512);
	lab_check();
}

/* 70,000 sources that the database does not want, and as many that it does. */
static void room_that_an_old_set_leaves_is_filled_at_once_however_much(void **state)
{
	(void)state;
	start(LARGE, 70008, 100);
	lab_sql("INSERT INTO listing (source, category) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL"
		" SELECT i + 1 FROM n WHERE i < 69999)"
		" SELECT '20.' || (i >> 16) || '.' || (i >> 8 & 255) || '.' || (i & 255), 'botnet'"
		" FROM n");
	while (lab_follow() > 0)
		;
	assert_int_equal(lab_numbers().installed[MOAT_IPV4], 70000);
	lab.sync = sync_free(lab.sync);
	lab_sql("UPDATE listing SET source = '30' || substr(source, 3)");
	lab_restart();
	assert_int_equal(lab_start(), 0);
	assert_int_equal(lab_numbers().installed[MOAT_IPV4], 70000);
	assert_true(lab_numbers().coverage == 1);
	assert_int_equal(lab_numbers().by_cause[GATE_MAP_FULL], 0);
	assert_verdict("20.0.1.1", "clean");
	assert_verdict("30.0.1.1", "drop");
}

static void a_full_family_costs_the_other_nothing(void **state)
{
	(void)state;
	start(SMALL, 400, 100);
	list(200);
	lab_fault[LAB_REFUSED].calls = 0;
	for (int i = 1; i <= 3; i++) {
		lab_sql("INSERT INTO listing (source, category) VALUES ('2400:cb00::%d', 'ssh')",
			i);
		lab_follow();
		assert_int_equal(lab.sync->fulls[MOAT_IPV4], 197); /* untouched, in their order */
		assert_int_equal(lab.sync->full[MOAT_IPV4][0].addr[3], 4);
	}
	assert_int_equal(lab_fault[LAB_REFUSED].calls, 0);
	lab_check();
}

static void a_map_with_less_room_than_promised_is_tried_again_but_not_all_the_time(void **state)
{
	(void)state;
	start(LAB_CATEGORIES "capacity: { ipv4: 100, ipv6: 100 }\n", 6, 100);
	list(10);
	assert_int_equal(lab_numbers().refused[MOAT_IPV4], 5);
	fake_tables_forget(lab.tables);
	lab_list("2400:cb00::1", "ssh");
	lab_follow();
	assert_int_equal(fake_tables_count(lab.tables, FAKE_PUT), 1);
	lab_pass(5);
	assert_true(sync_next(lab.sync) == 1);
	lab_follow();
	assert_int_equal(fake_tables_count(lab.tables, FAKE_PUT), 6);
	lab_check();
}

/* ---- classes, phases, feeds ---- */

/* Entries of an older daemon hold all classes but one; nobody wants them. */
static void hold_classes(struct tables *t)
{
	for (uint32_t class = 1; class < MOAT_CLASSES - 1; class ++) {
		struct moat_class value = { .set = 2 * (uint64_t) class };
		struct moat_source source = { .class = class };
		struct prefix p = { .len = 32,
				    .addr = { 30, 0, (uint8_t)(class >> 8), (uint8_t) class } };
		struct moat_key4 key = prefix_key4(&p);
		int16_t done;

		assert_int_equal(tables_set_class(t, class, &value), 0);
		assert_int_equal(tables_put4(t, &key, &source, 1, &done), 0);
	}
}

static void classes_that_only_an_old_set_holds_are_given_to_who_waits(void **state)
{
	(void)state;
	lab_config(LARGE);
	lab_maps(70008, 400, 100);
	fake_tables_judge(lab.tables, false);
	hold_classes(lab.tables);
	lab_restart();
	assert_int_equal(lab_start(), 0);
	lab.sync = sync_free(lab.sync);

	lab_sql("INSERT INTO listing (source, category) VALUES ('20.0.0.1', 'botnet'),"
		" ('20.0.0.2', 'scanner'), ('20.0.0.3', 'research'), ('20.0.0.4', 'ssh'),"
		" ('20.0.0.4', 'scraper')");
	hold_classes(lab.tables);
	lab_restart();
	assert_int_equal(lab_start(), 0);
	assert_int_equal(lab_settle(), 0);
	assert_true(lab_numbers().coverage == 1);
	assert_verdict("20.0.0.1", "drop");
	assert_verdict("20.0.0.3", "monitor");
	lab_check();
}

static void a_plan_that_was_cut_shows_until_it_is_whole(void **state)
{
	int64_t soon = 20, late = 500;

	(void)state;
	start(LAB_CATEGORIES "capacity: { ipv4: 100, ipv6: 100 }\n", 400, 2); /* one phase */
	lab_sql("INSERT INTO listing (source, category, expires_at) VALUES"
		" ('20.0.0.1', 'botnet', %lld), ('20.0.0.1', 'scanner', NULL),"
		" ('20.0.0.2', 'botnet', %lld), ('20.0.0.2', 'scanner', NULL)",
		(long long)(lab_now() + soon), (long long)(lab_now() + late));
	lab_follow();
	assert_int_equal(lab_numbers().plans_cut_now, 1);
	lab_check();

	lab_restart(); /* which finds it cut */
	assert_int_equal(lab_start(), 0);
	assert_int_equal(lab_numbers().plans_cut_now, 1);
	lab_pass(soon); /* the phase is free soon */
	assert_int_equal(lab_settle(), 0);
	assert_int_equal(lab_numbers().plans_cut_now, 0);
	assert_true(lab_numbers().plans_cut > 0);
	lab_pass(late);
	assert_verdict("20.0.0.1", "tag");
	assert_verdict("20.0.0.2", "tag");
}

static void more_feeds_than_there_are_numbers_for_hold_nobody_else_up(void **state)
{
	(void)state;
	start(LARGE, 70008, 100);
	lab_sql("INSERT INTO listing (source, category, feed) WITH RECURSIVE n(i) AS (SELECT 0 UNION"
		" ALL SELECT i + 1 FROM n WHERE i < 65999)"
		" SELECT '30.' || (i >> 16) || '.' || (i >> 8 & 255) || '.' || (i & 255), 'botnet',"
		" 'feed' || i FROM n");
	while (lab_follow() > 0)
		;
	lab_list("20.0.0.2", "botnet");
	lab_sql("INSERT INTO listing (source, category, feed) VALUES"
		" ('20.0.0.3', 'botnet', 'feed1')");
	lab_follow();
	assert_verdict("20.0.0.3", "drop");
	assert_string_equal(lab_refused("20.0.0.2", "botnet"), "feeds_full");
	assert_true(lab_numbers().current);
	lab_sql("DELETE FROM listing WHERE source LIKE '30.%%'");
	while (lab_follow() > 0)
		;
	lab_pass(300); /* numbers are given back by reading anew, now and then */
	assert_true(sync_next(lab.sync) == 1);
	assert_int_equal(lab_settle(), 0);
	assert_verdict("20.0.0.2", "drop");
	lab_check();
}

/* ---- a database that may only be read ---- */

static void refusals_nobody_can_be_told_of_are_not_queued_for_ever(void **state)
{
	struct refusal rows[4];

	(void)state;
	start(SMALL, 400, 100);
	lab_read_only = true;
	for (int i = 0; i < 100; i++) {
		lab_sql("INSERT INTO listing (source, category) VALUES ('nonsense %d', 'x')", i);
		lab_follow();
		lab_sql("DELETE FROM listing");
		lab_follow();
	}
	assert_int_equal(refusals_unsaved(lab.sync->refusals, rows, ARRAY_SIZE(rows)), 0);
	assert_int_equal(refusals_count(lab.sync->refusals), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(what_does_not_fit_is_refused_listed_and_comes_in_when_there_is_room),
		LAB_TEST(a_refused_source_s_new_listings_are_refused_too),
		LAB_TEST(a_refresh_of_a_refused_listing_leaves_it_refused),
		LAB_TEST(a_refused_listing_that_ends_is_not_refused_any_more),
		LAB_TEST(sources_that_come_and_go_while_the_map_is_full_take_no_memory),
		LAB_TEST(room_that_an_old_set_leaves_is_filled_at_once_however_much),
		LAB_TEST(a_full_family_costs_the_other_nothing),
		LAB_TEST(a_map_with_less_room_than_promised_is_tried_again_but_not_all_the_time),
		LAB_TEST(classes_that_only_an_old_set_holds_are_given_to_who_waits),
		LAB_TEST(a_plan_that_was_cut_shows_until_it_is_whole),
		LAB_TEST(more_feeds_than_there_are_numbers_for_hold_nobody_else_up),
		LAB_TEST(refusals_nobody_can_be_told_of_are_not_queued_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
