/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listings that are only rehearsed: what would be, and that nothing is.
 */
#include "tests/unit/http_lab.h"

static json_int_t whole(const struct response *r, const char *key)
{
	return json_integer_value(json_object_get(r->json, key));
}

static size_t remaining(const struct response *r)
{
	return json_array_size(json_object_get(r->json, "remaining"));
}

static void list(void **state, const char *source, const char *category, const char *feed)
{
	_cleanup_response_ struct response r = {};
	char body[256];

	snprintf(body, sizeof(body), "{\"source\":\"%s\",\"category\":\"%s\",\"feed\":\"%s\"}",
		 source, category, feed);
	r = post(state, "/api/v1/listings", body);
	assert_int_equal(r.status, 200);
}

static struct response rehearse_end(void **state, const char *query)
{
	char path[256];

	snprintf(path, sizeof(path), "/api/v1/listings?dry_run=1&%s", query);
	return lab_ask(*state, LAB_UNIX, "DELETE", path, NULL);
}

static void an_addition_that_is_rehearsed_is_not_written(void **state)
{
	_cleanup_response_ struct response r =
		post(state, "/api/v1/listings?dry_run=1",
		     "{\"source\":\"198.51.100.7\",\"category\":\"botnet\"}");

	assert_int_equal(r.status, 200);
	assert_true(json_is_true(json_object_get(r.json, "dry_run")));
	assert_int_equal(whole(&r, "added"), 1);
	assert_string_equal(member(listing_at(&r, 0), "state"), "live");
	assert_int_equal(rows_in_database(), 0);
	assert_int_equal(fake.follows, 0);
}

static void it_says_whom_it_would_hit(void **state)
{
	_cleanup_response_ struct response r =
		post(state, "/api/v1/listings?dry_run=1",
		     "{\"source\":\"198.51.100.0/24\",\"category\":\"botnet\"}");
	const json_t *radius = json_object_get(r.json, "radius");

	assert_int_equal(json_integer_value(json_object_get(radius, "sources")), 1);
	assert_false(json_is_true(json_object_get(radius, "judged"))); /* nothing is sampled here */
	assert_true(json_is_false(json_object_get(r.json, "over_budget")));
}

static void what_the_gate_refuses_is_refused_in_a_rehearsal_too(void **state)
{
	_cleanup_response_ struct response r =
		post(state, "/api/v1/listings?dry_run=1",
		     "{\"source\":\"203.0.113.9\",\"category\":\"botnet\"}");

	assert_int_equal(r.status, 409);
	assert_string_equal(response_text(&r, "cause"), "never_block");
}

static void an_end_that_is_rehearsed_ends_nothing(void **state)
{
	_cleanup_response_ struct response r = {};

	list(state, "198.51.100.7", "botnet", "manual");
	r = rehearse_end(state, "source=198.51.100.7");
	assert_int_equal(r.status, 200);
	assert_int_equal(whole(&r, "removed"), 1);
	assert_int_equal(remaining(&r), 0);
	assert_true(json_is_false(json_object_get(r.json, "blocked")));
	assert_int_equal(rows_in_database(), 1);
}

static void it_says_which_others_would_still_block(void **state)
{
	_cleanup_response_ struct response r = {};

	list(state, "198.51.100.7", "botnet", "manual");
	list(state, "198.51.100.7", "botnet", "feed-a");
	list(state, "198.51.100.0/24", "bruteforce", "manual");
	r = rehearse_end(state, "source=198.51.100.7/32&category=botnet&feed=manual");
	assert_int_equal(whole(&r, "removed"), 1);
	assert_int_equal(remaining(&r), 2);
	assert_true(json_is_true(json_object_get(r.json, "blocked")));
	assert_int_equal(rows_in_database(), 3);
}

static void what_only_counts_or_is_allowed_is_not_blocked(void **state)
{
	struct response r;

	list(state, "198.51.100.7", "botnet", "manual");
	list(state, "198.51.100.0/24", "research", "manual");
	r = rehearse_end(state, "source=198.51.100.7");
	assert_int_equal(remaining(&r), 1);
	assert_true(json_is_false(json_object_get(r.json, "blocked")));
	response_free(&r);

	list(state, "198.51.0.0/16", "botnet", "manual");
	list(state, "198.51.100.6/31", "allow", "manual");
	r = rehearse_end(state, "source=198.51.100.7");
	assert_int_equal(remaining(&r), 3);
	assert_true(json_is_false(json_object_get(r.json, "blocked")));
	response_free(&r);
}

static void where_feeds_must_agree_it_cannot_be_told(void **state)
{
	_cleanup_response_ struct response r = {};

	list(state, "198.51.100.7", "botnet", "feed-a");
	list(state, "198.51.100.7", "botnet", "feed-b");
	fake.config.category[0].k_of = 2;
	r = rehearse_end(state, "source=198.51.100.7&feed=feed-a");
	assert_int_equal(remaining(&r), 1);
	assert_true(json_is_null(json_object_get(r.json, "blocked")));
}

static void what_is_no_source_ends_nothing(void **state)
{
	_cleanup_response_ struct response r = rehearse_end(state, "source=nonsense");

	assert_int_equal(r.status, 200);
	assert_int_equal(whole(&r, "removed"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(an_addition_that_is_rehearsed_is_not_written),
		with_lab(it_says_whom_it_would_hit),
		with_lab(what_the_gate_refuses_is_refused_in_a_rehearsal_too),
		with_lab(an_end_that_is_rehearsed_ends_nothing),
		with_lab(it_says_which_others_would_still_block),
		with_lab(what_only_counts_or_is_allowed_is_not_blocked),
		with_lab(where_feeds_must_agree_it_cannot_be_told),
		with_lab(what_is_no_source_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
