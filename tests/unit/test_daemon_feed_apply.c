/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the bytes of a list to the listings of its feed: what is added, ended,
 * refreshed and left alone.
 */
#include "tests/unit/feed_apply_lab.h"

/* ---- differences ---- */

static void a_list_is_taken_over_as_a_difference(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), "192.0.2.1\n192.0.2.2\n2001:db8::1\n");

	assert_counts(&r, 3, 0, 0);
	assert_true(r.applied);
	r = take_text(lab, s, plain(), "192.0.2.2\n2001:db8::1\n192.0.2.3\n");
	assert_counts(&r, 1, 1, 2);
	assert_int_equal(rows(lab), 3);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change"), 5);
}

static void a_row_said_twice_is_one_listing(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), "192.0.2.1\n192.0.2.1\n192.0.2.1/32\n");

	assert_int_equal(r.entries, 1);
	assert_int_equal(r.duplicates, 2);
	assert_int_equal(rows(lab), 1);
}

static void a_dry_run_changes_nothing(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(.dry_run = true), "192.0.2.1\n");

	assert_counts(&r, 1, 0, 0);
	assert_false(r.applied);
	assert_int_equal(rows(lab), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit"), 0);
}

static void a_short_prefix_that_goes_leaves_the_longer_one(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), "198.51.100.0/24\n198.51.100.7\n");

	r = take_text(lab, s, plain(), "198.51.100.7\n");
	assert_counts(&r, 0, 1, 1);
	assert_int_equal(lab_number(lab,
				    "SELECT count(*) FROM listing WHERE source = '198.51.100.7'"),
			 1);
}

static void another_spelling_by_a_client_is_put_right(void **state)
{
	WITH_STORE;
	struct feed_report r;

	lab_sql(lab, "INSERT INTO listing (source, category, feed) VALUES"
		     " ('192.0.2.1/32', 'botnet', 'drop'), ('nonsense', 'botnet', 'drop')");
	r = take_text(lab, s, plain(), "192.0.2.1\n");
	assert_counts(&r, 1, 2, 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing WHERE source = '192.0.2.1'"),
			 1);
	assert_int_equal(rows(lab), 1);
}

/* ---- expiries ---- */

static void a_list_seen_again_soon_rewrites_nothing(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), "192.0.2.1\n");

	r = take_text(lab, s, plain(.now = NOW + 2 * HOUR), "192.0.2.1\n");
	assert_int_equal(r.refreshes, 0);
	assert_int_equal(r.unchanged, 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change"), 1);
	assert_int_equal(lab_number(lab, "SELECT expires_at FROM listing"), NOW + DAY);
}

static void a_list_seen_again_later_is_refreshed_in_place(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), "192.0.2.1\n");

	r = take_text(lab, s, plain(.now = NOW + 4 * HOUR), "192.0.2.1\n");
	assert_int_equal(r.refreshes, 1);
	assert_int_equal(r.adds + r.removes, 0);
	assert_int_equal(lab_number(lab, "SELECT expires_at FROM listing"), NOW + 4 * HOUR + DAY);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change WHERE op = 'remove'"), 0);
}

static void a_copy_from_disk_never_shortens_a_life(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), "192.0.2.1\n");

	r = take_text(lab, s, plain(.fetched = NOW - 12 * HOUR, .again = true), "192.0.2.1\n");
	assert_counts(&r, 0, 0, 1);
	assert_int_equal(lab_number(lab, "SELECT expires_at FROM listing"), NOW + DAY);
	/* Nor gives a longer one than the list had. */
	r = take_text(lab, s, plain(.fetched = NOW - 12 * HOUR), "192.0.2.1\n192.0.2.2\n");
	assert_int_equal(lab_number(lab,
				    "SELECT expires_at FROM listing WHERE source = '192.0.2.2'"),
			 NOW + 12 * HOUR);
}

static void a_shorter_ttl_holds_at_once(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), "192.0.2.1\n");

	r = take_text(lab, s, plain(.ttl = HOUR), "192.0.2.1\n");
	assert_int_equal(r.refreshes, 1);
	assert_int_equal(lab_number(lab, "SELECT expires_at FROM listing"), NOW + HOUR);
}

static void without_a_ttl_a_listing_has_no_end(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(.ttl = -1), "192.0.2.1\n");

	r = take_text(lab, s, plain(.ttl = -1), "192.0.2.1\n");
	assert_counts(&r, 0, 0, 1);
	assert_int_equal(lab_number(lab, "SELECT expires_at IS NULL FROM listing"), 1);
}

/* ---- what the gate says ---- */

static void what_the_gate_refuses_is_counted_and_listed(void **state)
{
	WITH_STORE;
	struct feed_report r =
		take_text(lab, s, plain(),
			  "10.1.2.3\n203.0.113.0/25\n224.0.0.0/3\n203.0.0.0/16\n192.0.2.1\n");

	assert_int_equal(r.refused[GATE_NEVER_BLOCK], 2);
	assert_int_equal(r.refused[GATE_PREFIX_FLOOR], 1);
	assert_int_equal(r.entries, 5);
	assert_int_equal(rows(lab),
			 5); /* they stand in the database, with their cause in refused */
	assert_int_equal(r.addresses, 65536 + 1); /* of what will be in force */
	assert_int_equal(r.never_block, 3);	  /* also the prefix around one */
}

static void overlaps_with_other_feeds_are_counted(void **state)
{
	WITH_STORE;
	struct feed_report r;

	take_text(lab, s, plain(.feed = "a"), "198.51.100.0/24\n192.0.2.1\n");
	take_text(lab, s, plain(.feed = "b"), "198.51.100.1\n198.51.100.2\n203.0.0.1\n");
	r = take_text(lab, s, plain(.overlaps = true, .dry_run = true),
		      "198.51.100.0/28\n192.0.2.9\n");
	assert_int_equal(r.overlaps, 2);
	assert_int_equal(r.overlap[0].sources + r.overlap[1].sources, 3);
}

static void ipv6_is_covered_in_nets_of_64(void **state)
{
	WITH_STORE;
	struct feed_report r =
		take_text(lab, s, plain(),
			  "2001:db8::1\n2001:db8::2\n2001:db8:0:1::/64\n2001:db8:8000::/62\n");

	assert_int_equal(r.nets, 1 + 1 + 4);
	assert_int_equal(r.addresses, 0);
}

/* ---- categories, deltas ---- */

static void a_feeds_own_categories_are_mapped(void **state)
{
	static const struct config_mapping mapping[] = { { "exit", "spam" } };
	static const char csv[] = "source,category\n192.0.2.1,exit\n192.0.2.2,else\n";
	struct gate gate = gate_of_tests();
	struct list list = { .mapping = mapping, .mappings = 1 };
	struct feed_options options = { .format = FEED_CSV, .now = NOW };
	struct feed_rules rules = rules_of(&list);
	_cleanup_(feed_apply_freep) struct feed_apply *a = NULL;
	struct feed_parser *p = NULL;
	struct feed_summary summary;
	struct feed_report r = {};
	struct feed_state known = { .feed = "drop" };
	WITH_STORE;
	struct feed_judge judge = { .summary = &summary, .gate = &gate, .store = s, .now = NOW };

	options.csv.header = true;
	options.csv.source = 1;
	options.csv.category = 2;
	assert_int_equal(feed_apply_new(&rules, &gate, NOW, &a), 0);
	assert_int_equal(feed_parser_new(&options, give_row, a, &p), 0);
	feed_parser_push(p, csv, sizeof(csv) - 1);
	feed_parser_finish(p, &summary);
	feed_parser_free(p);
	assert_int_equal(feed_apply_judge(a, &judge, &r), 0);
	assert_int_equal(feed_apply_write(a, s, NULL, NOW, &known, &r, &lab->why), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing WHERE category = 'spam' AND"
					 " source = '192.0.2.1'"),
			 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing WHERE category = 'botnet'"),
			 1);
}

static void a_list_of_its_own_categories_cannot_allow(void **state)
{
	_cleanup_(feed_apply_freep) struct feed_apply *a = NULL;
	struct gate gate = gate_of_tests();
	struct feed_rules rules = { .feed = "drop" };

	(void)state;
	assert_int_equal(feed_apply_new(&rules, &gate, NOW, &a), 0);
	assert_string_equal(feed_apply_category(a, "spam"), "spam");
	assert_null(feed_apply_category(a, "allow"));
	assert_null(feed_apply_category(a, "nosuch"));
}

#define DECISION(what, ip, duration)                                                               \
	"{\"id\":1,\"origin\":\"crowdsec\",\"type\":\"ban\",\"scope\":\"Ip\",\"value\":\"" ip      \
	"\",\"duration\":\"" duration "\",\"scenario\":\"ssh-bf\"}"

static void a_delta_ends_only_what_it_names(void **state)
{
	const struct list list = { .format = FEED_CROWDSEC };
	WITH_STORE;
	struct feed_report r =
		take_text(lab, s, list,
			  "{\"new\":[" DECISION(new, "192.0.2.1",
						"4h") "," DECISION(new, "192.0.2.2",
								   "4h") "],\"deleted\":null}");

	assert_counts(&r, 2, 0, 0);
	assert_int_equal(lab_number(lab, "SELECT min(expires_at) FROM listing"), NOW + 4 * HOUR);
	r = take_text(lab, s, list,
		      "{\"new\":[" DECISION(new, "192.0.2.3",
					    "48h") "],\"deleted\":[" DECISION(old, "192.0.2.1",
									      "-1s") "]}");
	assert_counts(&r, 1, 1, 0);
	assert_int_equal(rows(lab), 2);
	/* Longer than the ttl: there is no list that would confirm it in between. */
	assert_int_equal(lab_number(lab, "SELECT max(expires_at) FROM listing"), NOW + 48 * HOUR);
	r = take_text(lab, s, list, "{\"new\":null,\"deleted\":null}");
	assert_string_equal(r.cause, "");
	assert_counts(&r, 0, 0, 0);
	assert_int_equal(rows(lab), 2);
}

static int64_t rows_that(const struct lab *lab, const char *where)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM listing WHERE %s", where);
	return lab_number(lab, sql);
}

static void a_feed_gives_its_basis_region_and_review_to_its_rows(void **state)
{
	WITH_STORE;

	take_text(lab, s, plain(.basis = "contract", .region = "de,eu", .review = DAY),
		  "192.0.2.1\n192.0.2.2\n");
	assert_int_equal(rows_that(lab, "basis = 'contract' AND region = 'de,eu'"), 2);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change WHERE region = 'de,eu'"), 2);
	assert_int_equal(lab_number(lab, "SELECT max(review_at) FROM listing"), NOW + DAY);
}

static void a_review_date_does_not_move_with_the_list(void **state)
{
	struct feed_report r;
	WITH_STORE;

	take_text(lab, s, plain(.review = DAY), "192.0.2.1\n");
	r = take_text(lab, s, plain(.review = DAY, .now = NOW + DAY / 2), "192.0.2.1\n192.0.2.2\n");
	assert_int_equal(r.refreshes, 1); /* for the expiry */
	assert_int_equal(lab_number(lab, "SELECT min(review_at) FROM listing"), NOW + DAY);
	assert_int_equal(lab_number(lab, "SELECT max(review_at) FROM listing"),
			 NOW + DAY / 2 + DAY);
}

static void another_region_of_the_feed_rewrites_its_rows_once(void **state)
{
	struct feed_report r;
	WITH_STORE;

	take_text(lab, s, plain(.region = "eu"), "192.0.2.1\n");
	r = take_text(lab, s, plain(.region = "de"), "192.0.2.1\n");
	assert_counts(&r, 0, 0, 0);
	r = take_text(lab, s, plain(.region = "de"), "192.0.2.1\n");
	assert_counts(&r, 0, 0, 1);
	r = take_text(lab, s, plain(.region = NULL), "192.0.2.1\n");
	assert_int_equal(r.refreshes, 1);
	assert_int_equal(rows_that(lab, "region IS NULL"), 1);
}

static void a_basis_written_by_somebody_else_stays(void **state)
{
	struct feed_report r;
	WITH_STORE;

	take_text(lab, s, plain(.now = NOW), "192.0.2.1\n");
	lab_sql(lab, "UPDATE listing SET basis = 'law', review_at = 5");
	r = take_text(lab, s, plain(.now = NOW), "192.0.2.1\n");
	assert_counts(&r, 0, 0, 1);
	take_text(lab, s, plain(.now = NOW + DAY / 2), "192.0.2.1\n");
	assert_int_equal(rows_that(lab, "basis = 'law' AND review_at = 5"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(a_list_is_taken_over_as_a_difference),
		with_store(a_row_said_twice_is_one_listing),
		with_store(a_dry_run_changes_nothing),
		with_store(a_short_prefix_that_goes_leaves_the_longer_one),
		with_store(another_spelling_by_a_client_is_put_right),
		with_store(a_list_seen_again_soon_rewrites_nothing),
		with_store(a_list_seen_again_later_is_refreshed_in_place),
		with_store(a_copy_from_disk_never_shortens_a_life),
		with_store(a_shorter_ttl_holds_at_once),
		with_store(without_a_ttl_a_listing_has_no_end),
		with_store(what_the_gate_refuses_is_counted_and_listed),
		with_store(overlaps_with_other_feeds_are_counted),
		with_store(ipv6_is_covered_in_nets_of_64),
		with_store(a_feeds_own_categories_are_mapped),
		with_store(a_list_of_its_own_categories_cannot_allow),
		with_store(a_delta_ends_only_what_it_names),
		with_store(a_feed_gives_its_basis_region_and_review_to_its_rows),
		with_store(a_review_date_does_not_move_with_the_list),
		with_store(another_region_of_the_feed_rewrites_its_rows_once),
		with_store(a_basis_written_by_somebody_else_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
