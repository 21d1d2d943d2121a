/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What leaves a list and lingers; and what a list has in common with what
 * other feeds protect.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/feed_apply_lab.h"

static int64_t ends(const struct lab *lab, const char *source)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
		 "SELECT coalesce((SELECT coalesce(expires_at, -1) FROM listing WHERE source = '%s'),"
		 " 0)",
		 source);
	return lab_number(lab, sql);
}

static void without_linger_what_leaves_the_list_ends_at_once(void **state)
{
	WITH_STORE;
	struct feed_report r;

	take_text(lab, s, plain(), "192.0.2.1\n192.0.2.2\n");
	r = take_text(lab, s, plain(), "192.0.2.2\n");
	assert_counts(&r, 0, 1, 1);
	assert_int_equal(r.lingering, 0);
	assert_int_equal(ends(lab, "192.0.2.1"), 0);
}

static void what_leaves_the_list_ends_once_the_time_has_passed(void **state)
{
	WITH_STORE;
	struct feed_report r;

	take_text(lab, s, plain(.linger = 6 * HOUR), "192.0.2.1\n192.0.2.2\n");
	r = take_text(lab, s, plain(.linger = 6 * HOUR, .now = NOW + HOUR), "192.0.2.2\n");
	assert_counts(&r, 0, 0, 1);
	assert_int_equal(r.lingering, 1);
	assert_int_equal(r.entries, 1); /* of the list */
	assert_int_equal(ends(lab, "192.0.2.1"), NOW + 7 * HOUR);

	/* The end is not moved by the next fetches, and not written again. */
	for (int hours = 2; hours < 7; hours++) {
		int64_t before = lab_number(lab, "SELECT max(seq) FROM change");

		r = take_text(lab, s, plain(.linger = 6 * HOUR, .now = NOW + hours * HOUR),
			      "192.0.2.2\n");
		assert_int_equal(r.lingering, 1);
		assert_int_equal(ends(lab, "192.0.2.1"), NOW + 7 * HOUR);
		assert_true(lab_number(lab, "SELECT max(seq) FROM change") <= before + 1);
	}
	r = take_text(lab, s, plain(.linger = 6 * HOUR, .now = NOW + 7 * HOUR), "192.0.2.2\n");
	assert_int_equal(r.lingering, 0);
	assert_int_equal(r.removes, 1);
	assert_int_equal(ends(lab, "192.0.2.1"), 0);
}

static void what_would_end_sooner_anyway_is_left_as_it_is(void **state)
{
	WITH_STORE;
	struct feed_report r;

	take_text(lab, s, plain(.linger = 2 * DAY), "192.0.2.1\n192.0.2.2\n");
	r = take_text(lab, s, plain(.linger = 2 * DAY, .now = NOW + 60), "192.0.2.2\n");
	assert_int_equal(r.lingering, 1);
	assert_int_equal(r.removes, 0);
	assert_int_equal(ends(lab, "192.0.2.1"), NOW + DAY);
}

static void what_has_no_end_gets_one(void **state)
{
	WITH_STORE;

	take_text(lab, s, plain(.linger = HOUR, .ttl = -1), "192.0.2.1\n192.0.2.2\n");
	take_text(lab, s, plain(.linger = HOUR, .ttl = -1), "192.0.2.2\n");
	assert_int_equal(ends(lab, "192.0.2.1"), NOW + HOUR);
	assert_int_equal(ends(lab, "192.0.2.2"), -1);
}

static void what_comes_back_is_refreshed_in_place(void **state)
{
	WITH_STORE;
	struct feed_report r;

	take_text(lab, s, plain(.linger = HOUR), "192.0.2.1\n192.0.2.2\n");
	take_text(lab, s, plain(.linger = HOUR), "192.0.2.2\n");
	r = take_text(lab, s, plain(.linger = HOUR, .now = NOW + 60), "192.0.2.1\n192.0.2.2\n");
	assert_int_equal(r.adds, 0);
	assert_int_equal(r.refreshes, 1);
	assert_int_equal(r.lingering, 0);
	assert_int_equal(ends(lab, "192.0.2.1"), NOW + 60 + DAY);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change WHERE op = 'remove'"), 0);
}

static void what_a_lingering_row_says_stays(void **state)
{
	WITH_STORE;

	take_text(lab, s, plain(.linger = HOUR), "192.0.2.1\n192.0.2.2\n");
	lab_sql(lab, "UPDATE listing SET reason = 'why', reference = 'T-1', confidence = 70,"
		     " region = 'eu', basis = 'law' WHERE source = '192.0.2.1'");
	take_text(lab, s, plain(.linger = HOUR), "192.0.2.2\n");
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing WHERE reason = 'why' AND"
					 " reference = 'T-1' AND confidence = 70 AND"
					 " region = 'eu' AND basis = 'law'"),
			 1);
	assert_int_equal(ends(lab, "192.0.2.1"), NOW + HOUR);
}

static void another_spelling_of_what_is_listed_does_not_linger(void **state)
{
	WITH_STORE;

	take_text(lab, s, plain(.linger = HOUR), "192.0.2.1\n");
	lab_sql(lab, "UPDATE listing SET source = '192.0.2.1/32'");
	take_text(lab, s, plain(.linger = HOUR), "192.0.2.1\n");
	assert_int_equal(rows(lab), 1);
	assert_int_equal(ends(lab, "192.0.2.1"), NOW + DAY);
}

static void what_the_feed_itself_ends_does_not_linger(void **state)
{
	WITH_STORE;
	struct list delta = { .format = FEED_CROWDSEC, .linger = HOUR };

	take_text(lab, s, delta,
		  "{\"new\":[{\"duration\":\"4h\",\"id\":1,\"origin\":\"o\",\"scenario\":\"x\","
		  "\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"192.0.2.1\"}],\"deleted\":null}");
	assert_int_equal(rows(lab), 1);
	take_text(lab, s, delta,
		  "{\"deleted\":[{\"duration\":\"-1s\",\"id\":1,\"origin\":\"o\","
		  "\"scenario\":\"x\",\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"192.0.2.1\"}],"
		  "\"new\":null}");
	assert_int_equal(rows(lab), 0);
}

/* ---- what other feeds protect ---- */

/* It is read as text that names no row: to write that would make a row of its own. */
static void a_row_that_no_list_can_have_does_not_linger(void **state)
{
	WITH_STORE;
	char insert[300];

	take_text(lab, s, plain(.linger = 6 * HOUR), "192.0.2.1\n192.0.2.2\n");
	snprintf(insert, sizeof(insert),
		 "INSERT INTO listing (source, category, feed) SELECT source, x'626f74', feed"
		 " FROM listing WHERE source = '192.0.2.1' UNION ALL"
		 " SELECT source || char(0), category, feed FROM listing WHERE source = '192.0.2.1'");
	lab_sql(lab, insert);
	take_text(lab, s, plain(.linger = 6 * HOUR), "192.0.2.1\n192.0.2.2\n");
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 4);
}

static void a_warninglist_counts_as_never_block_for_other_feeds(void **state)
{
	WITH_STORE;
	struct feed_report r;

	r = take_text(lab, s,
		      (struct list){ .feed = "resolvers",
				     .category = "allow",
				     .format = FEED_WARNINGLIST },
		      "{\"name\":\"resolvers\",\"version\":1,\"type\":\"cidr\",\"description\":\"d\","
		      "\"matching_attributes\":[\"ip-src\"],"
		      "\"list\":[\"192.0.2.53\",\"198.51.100.0/24\"]}");
	assert_string_equal(r.cause, "");
	assert_int_equal(rows(lab), 2);
	lab_sql(lab,
		"INSERT INTO listing (source, category, feed, expires_at) VALUES"
		" ('192.0.2.99', 'allow', 'manual', 1), ('192.0.2.98', 'botnet', 'manual', NULL)");
	r = take_text(lab, s, plain(.overlaps = true, .dry_run = true),
		      "192.0.2.53\n192.0.2.54\n198.51.100.7\n192.0.2.98\n192.0.2.99\n"
		      "203.0.113.5\n203.0.113.0/25\n");
	/* the resolver, the one in the network, and two of the configured prefix */
	assert_int_equal(r.never_block, 4);
	assert_int_equal(r.refused[GATE_NEVER_BLOCK], 2);
	assert_int_equal(r.overlaps, 2);
	assert_int_equal(rows(lab), 4);
}

static void an_allowed_address_inside_a_listed_prefix_is_an_overlap(void **state)
{
	WITH_STORE;
	struct feed_report r;

	take_text(lab, s, plain(.feed = "cloud", .category = "allow"), "192.0.2.53\n");
	r = take_text(lab, s, plain(.overlaps = true, .dry_run = true), "192.0.2.0/24\n");
	assert_int_equal(r.never_block, 1);
}

/* ---- real lists, read from $MOAT_SHARED/data where it is ---- */

static size_t read_data(const char *name, char *to, size_t room)
{
	char path[600];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/data/%s", getenv("MOAT_SHARED") ?: "../shared", name);
	f = fopen(path, "re");
	return f ? fread(to, 1, room, f) : 0;
}

static void real_lists_overlap_real_warninglists_as_they_must(void **state)
{
	static char cloud[1 << 20], drop[1 << 20];
	size_t cloud_size = read_data("never-block/cloud-cloudflare.json", cloud, sizeof(cloud));
	size_t drop_size = read_data("spamhaus/drop.txt", drop, sizeof(drop));
	struct list allow = { .feed = "cloudflare", .category = "allow" };
	struct list block = { .overlaps = true, .dry_run = true };
	struct feed_report r;

	if (!cloud_size || !drop_size) {
		print_message(
			"# SKIP REAL LISTS: they are not in ../shared/data; set MOAT_SHARED\n");
		skip();
	}
	WITH_STORE;
	r = take(lab, s, &allow, cloud, cloud_size);
	assert_string_equal(r.cause, "");
	assert_int_equal(rows(lab), 15 + 7);
	r = take(lab, s, &block, drop, drop_size);
	assert_int_equal(r.entries, 1698);
	assert_int_equal(r.never_block, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(without_linger_what_leaves_the_list_ends_at_once),
		with_store(what_leaves_the_list_ends_once_the_time_has_passed),
		with_store(what_would_end_sooner_anyway_is_left_as_it_is),
		with_store(what_has_no_end_gets_one),
		with_store(what_comes_back_is_refreshed_in_place),
		with_store(what_a_lingering_row_says_stays),
		with_store(another_spelling_of_what_is_listed_does_not_linger),
		with_store(what_the_feed_itself_ends_does_not_linger),
		with_store(a_row_that_no_list_can_have_does_not_linger),
		with_store(a_warninglist_counts_as_never_block_for_other_feeds),
		with_store(an_allowed_address_inside_a_listed_prefix_is_an_overlap),
		with_store(real_lists_overlap_real_warninglists_as_they_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
