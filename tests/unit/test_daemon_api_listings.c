/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listings over HTTP: what is written, when it is answered, what is refused.
 */
#include "core/text.h"
#include "tests/unit/http_lab.h"

#define LISTINGS "/api/v1/listings"

/* A row as some other client may have written it: past the gate. */
static void insert(const char *source, const char *category, const char *feed, int64_t expires_at)
{
	const struct actor actor = { "sql", "sql" };
	const struct listing_input row = {
		.source = source,
		.category = category,
		.feed = feed,
		.expires_at = expires_at,
		.confidence = -1,
	};

	assert_int_equal(store_add(fake.store, &actor, &row, 1, NULL), 0);
}

/* ---- listing ---- */

static void insert_some(void)
{
	insert("192.0.2.1", "botnet", "manual", 0);
	insert("192.0.2.128/25", "research", "feed-a", 4102444800);
	insert("198.51.100.7", "botnet", "feed-a", 1000);
	insert("2001:db8::/32", "botnet", "feed-b", 0);
	insert("garbage", "botnet", "feed-b", 0);
}

static void assert_sources(void **state, const char *query, const char *expected)
{
	char path[200];
	struct text sources = {};
	struct response r;

	snprintf(path, sizeof(path), LISTINGS "?%s", query);
	r = get(state, path);
	assert_int_equal(r.status, 200);
	text_add(&sources, "%s", "");
	for (size_t i = 0; i < listings_in(&r); i++)
		text_add(&sources, "%s ", member(listing_at(&r, i), "source"));
	assert_string_equal(sources.data, expected);
	assert_true(json_is_null(json_object_get(r.json, "cursor")));
	text_free(&sources);
	response_free(&r);
}

static void listings_are_filtered(void **state)
{
	insert_some();
	assert_sources(state, "", "192.0.2.1 192.0.2.128/25 2001:db8::/32 garbage ");
	assert_sources(state, "category=botnet", "192.0.2.1 2001:db8::/32 garbage ");
	assert_sources(state, "feed=feed-a", "192.0.2.128/25 ");
	assert_sources(state, "feed=feed-a&category=botnet&expired=both", "198.51.100.7 ");
	assert_sources(state, "expired=1", "198.51.100.7 ");
	assert_sources(state, "under=192.0.2.0/24", "192.0.2.1 192.0.2.128/25 ");
	assert_sources(state, "under=192.0.2.128/25", "192.0.2.128/25 ");
	assert_sources(state, "under=192.0.2.1", "192.0.2.1 ");
	assert_sources(state, "under=::/0", "2001:db8::/32 ");
	assert_sources(state, "under=10.0.0.0/8", "");
}

static void what_is_due_for_review_is_listed_counted_and_measured(void **state)
{
	const struct listing_input rows[] = {
		{ .source = "192.0.2.1", .category = "botnet", .review_at = 5, .confidence = -1 },
		{ .source = "192.0.2.2",
		  .category = "botnet",
		  .review_at = 4102444800,
		  .confidence = -1 },
		{ .source = "192.0.2.3",
		  .category = "botnet",
		  .review_at = 5,
		  .expires_at = 6,
		  .confidence = -1 },
		{ .source = "192.0.2.4", .category = "botnet", .confidence = -1 },
	};
	struct response r;

	assert_int_equal(store_add(fake.store, NULL, rows, ARRAY_SIZE(rows), NULL), 0);
	assert_sources(state, "review=due", "192.0.2.1 ");
	r = get(state, "/api/v1/status");
	assert_int_equal(json_integer_value(json_object_get(r.json, "review_due")), 1);
	response_free(&r);
	r = get(state, "/metrics");
	assert_non_null(strstr(r.body, "\nmoat_listings_review_due 1\n"));
	response_free(&r);
	r = get(state, LISTINGS "?review=now");
	assert_int_equal(r.status, 400);
	response_free(&r);
}

static void a_listing_says_whether_it_is_live_expired_or_refused(void **state)
{
	struct response r;

	insert_some();
	r = get(state, LISTINGS "?expired=both");
	assert_string_equal(member(listing_at(&r, 0), "state"), "live");
	assert_string_equal(member(listing_at(&r, 2), "state"), "expired");
	assert_string_equal(member(listing_at(&r, 4), "state"), "refused");
	assert_string_equal(member(listing_at(&r, 4), "cause"), "bad_source");
	response_free(&r);
}

static void pages_give_every_listing_once(void **state)
{
	char path[100], source[32];
	json_int_t cursor = 0;
	size_t seen = 0, pages = 0;

	for (unsigned int i = 0; i < 25; i++) {
		snprintf(source, sizeof(source), "192.0.2.%u", i);
		insert(source, "botnet", "manual", 0);
	}
	do {
		_cleanup_response_ struct response r = {};

		snprintf(path, sizeof(path), LISTINGS "?limit=10&cursor=%lld", (long long)cursor);
		r = get(state, path);
		assert_int_equal(r.status, 200);
		assert_true(listings_in(&r) <= 10);
		for (size_t i = 0; i < listings_in(&r); i++, seen++) {
			snprintf(source, sizeof(source), "192.0.2.%zu", seen);
			assert_string_equal(member(listing_at(&r, i), "source"), source);
		}
		cursor = json_integer_value(json_object_get(r.json, "cursor"));
	} while (cursor && ++pages < 10);
	assert_int_equal(seen, 25);
}

static void pages_that_a_filter_thins_out_give_every_listing_once(void **state)
{
	char path[100], source[32];
	json_int_t cursor = 0;
	size_t seen = 0, requests = 0;

	for (unsigned int i = 0; i < 60; i++) {
		snprintf(source, sizeof(source), "%s.%u", i % 5 ? "198.51.100" : "192.0.2", i);
		insert(source, "botnet", "manual", 0);
	}
	do {
		_cleanup_response_ struct response r = {};

		snprintf(path, sizeof(path), LISTINGS "?under=192.0.2.0/24&limit=4&cursor=%lld",
			 (long long)cursor);
		r = get(state, path);
		assert_int_equal(r.status, 200);
		assert_true(listings_in(&r) <= 4);
		for (size_t i = 0; i < listings_in(&r); i++, seen++) {
			snprintf(source, sizeof(source), "192.0.2.%zu", seen * 5);
			assert_string_equal(member(listing_at(&r, i), "source"), source);
		}
		cursor = json_integer_value(json_object_get(r.json, "cursor"));
	} while (cursor && ++requests < 60);
	assert_int_equal(seen, 12);
	assert_true(requests < 8); /* filled up, not one row a request */
}

static void bytes_that_are_not_text_do_not_break_the_answer(void **state)
{
	const struct actor actor = { "sql", "sql" };
	const struct listing_input row = {
		.source = "192.0.2.1",
		.category = "botnet",
		.feed = "manual",
		.reason = "a\xff\xc0\x80\x1b[2J\"\\\n",
		.confidence = -1,
	};
	struct response r;

	assert_int_equal(store_add(fake.store, &actor, &row, 1, NULL), 0);
	r = get(state, LISTINGS);
	assert_non_null(r.json);
	assert_int_equal(listings_in(&r), 1);
	response_free(&r);
}

static void a_bad_filter_is_400(void **state)
{
	static const char *const bad[] = {
		"limit=0",   "limit=10001",	   "limit=x",	    "cursor=-1", "cursor=x",
		"expired=2", "under=192.0.2.1/24", "under=garbage", "under="
	};
	char path[100];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_response_ struct response r = {};

		snprintf(path, sizeof(path), LISTINGS "?%s", bad[i]);
		r = get(state, path);
		assert_int_equal(r.status, 400);
	}
}

/* ---- removing ---- */

static struct response remove_source(void **state, const char *query)
{
	char path[200];

	snprintf(path, sizeof(path), LISTINGS "?%s", query);
	return lab_ask(*state, LAB_UNIX, "DELETE", path, NULL);
}

static json_int_t removed_by(void **state, const char *query)
{
	_cleanup_response_ struct response r = remove_source(state, query);

	assert_int_equal(r.status, 200);
	return json_integer_value(json_object_get(r.json, "removed"));
}

static void removing_says_what_remains_and_whether_it_blocks(void **state)
{
	const json_t *remaining;
	struct response r;

	insert("192.0.2.1", "botnet", "manual", 0);
	insert("192.0.2.0/24", "botnet", "feed-a", 0);
	insert("192.0.0.0/16", "research", "feed-b", 0);
	insert("192.0.2.0/25", "botnet", "feed-c", 1000); /* expired: does not cover it any more */
	insert("192.0.2.2", "botnet", "feed-a", 0);
	fake.judged = true;
	fake.plan = (struct plan){ .count = 1, .phase = { { 1ULL << FAKE_BOTNET, 0 } } };
	r = remove_source(state, "source=192.0.2.1");
	assert_int_equal(r.status, 200);
	assert_int_equal(json_integer_value(json_object_get(r.json, "removed")), 1);
	remaining = json_object_get(r.json, "remaining");
	assert_int_equal(json_array_size(remaining), 2);
	assert_string_equal(member(json_array_get(remaining, 0), "source"), "192.0.0.0/16");
	assert_string_equal(member(json_array_get(remaining, 1), "source"), "192.0.2.0/24");
	assert_true(json_is_true(json_object_get(r.json, "blocked")));
	assert_int_equal(fake.follows, 1);
	response_free(&r);
}

static void what_only_counts_does_not_block(void **state)
{
	struct response r;

	insert("192.0.2.1", "research", "manual", 0);
	fake.judged = true;
	fake.plan = (struct plan){ .count = 1, .phase = { { 1ULL << FAKE_RESEARCH, 0 } } };
	r = remove_source(state, "source=192.0.2.1");
	assert_true(json_is_false(json_object_get(r.json, "blocked")));
	response_free(&r);
}

static void removing_can_be_of_one_category_or_feed(void **state)
{
	insert("192.0.2.1", "botnet", "manual", 0);
	insert("192.0.2.1", "research", "manual", 0);
	insert("192.0.2.1", "botnet", "feed-a", 0);
	assert_int_equal(removed_by(state, "source=192.0.2.1&category=botnet&feed=feed-a"), 1);
	assert_int_equal(removed_by(state, "source=192.0.2.1&category=research"), 1);
	assert_int_equal(rows_in_database(), 1);
	assert_int_equal(removed_by(state, "source=192.0.2.1"), 1);
	assert_int_equal(removed_by(state, "source=192.0.2.1"), 0);
}

static void every_spelling_of_a_source_is_removed(void **state)
{
	insert("192.0.2.1/32", "botnet", "manual", 0);
	insert("192.0.2.1", "botnet", "manual", 0);
	insert("2001:db8::1", "botnet", "manual", 0);
	insert("rubbish / \x01", "botnet", "manual", 0);
	assert_int_equal(removed_by(state, "source=192.0.2.1"), 2);
	assert_int_equal(removed_by(state, "source=2001:DB8:0:0::1"), 1);
	assert_int_equal(removed_by(state, "source=rubbish%20/%20%01"), 1);
	assert_int_equal(rows_in_database(), 0);
}

static void removing_needs_a_source(void **state)
{
	_cleanup_response_ struct response none =
		lab_ask(*state, LAB_UNIX, "DELETE", LISTINGS, NULL);
	_cleanup_response_ struct response empty =
		lab_ask(*state, LAB_UNIX, "DELETE", LISTINGS "?source=", NULL);

	assert_int_equal(none.status, 400);
	assert_int_equal(empty.status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(what_is_due_for_review_is_listed_counted_and_measured),
		with_lab(listings_are_filtered),
		with_lab(a_listing_says_whether_it_is_live_expired_or_refused),
		with_lab(pages_give_every_listing_once),
		with_lab(pages_that_a_filter_thins_out_give_every_listing_once),
		with_lab(bytes_that_are_not_text_do_not_break_the_answer),
		with_lab(a_bad_filter_is_400),
		with_lab(removing_says_what_remains_and_whether_it_blocks),
		with_lab(what_only_counts_does_not_block),
		with_lab(removing_can_be_of_one_category_or_feed),
		with_lab(every_spelling_of_a_source_is_removed),
		with_lab(removing_needs_a_source),
	};

	return cmocka_run_group_tests_name("daemon api listings", tests, NULL, NULL);
}
