/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adding listings over HTTP: what is written, when it is answered, what is refused.
 */
#include <time.h>

#include "core/text.h"
#include "core/units.h"
#include "daemon/api_rows.h"
#include "tests/unit/http_lab.h"

#define LISTINGS "/api/v1/listings"

static struct response add(void **state, const char *body)
{
	return post(state, LISTINGS, body);
}

static void an_added_listing_is_in_force_before_the_answer(void **state)
{
	_cleanup_response_ struct response r =
		add(state, "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}");

	assert_int_equal(r.status, 200);
	assert_int_equal(json_integer_value(json_object_get(r.json, "added")), 1);
	assert_string_equal(member(listing_at(&r, 0), "state"), "live");
	assert_int_equal(fake.follows, 1);
	assert_int_equal(fake.rows_at_follow, 1);
}

static void every_member_of_a_listing_arrives(void **state)
{
	_cleanup_response_ struct response added =
		add(state,
		    "{\"source\":\"2001:DB8:0::1/128\",\"category\":\"botnet\",\"feed\":\"case-7\","
		    "\"reason\":\"r\\u00e9ason \\\"x\\\"\",\"reference\":\"T-1\",\"basis\":\"GDPR 6.1.f\","
		    "\"region\":\"FR, de,fr\",\"confidence\":90,\"expires_at\":4102444800,"
		    "\"review_at\":\"2099-01-01T00:00:00Z\"}");
	_cleanup_response_ struct response r = get(state, LISTINGS);
	const json_t *row = listing_at(&r, 0);

	assert_int_equal(added.status, 200);
	assert_string_equal(member(row, "source"), "2001:db8::1"); /* canonical */
	assert_string_equal(member(row, "category"), "botnet");
	assert_string_equal(member(row, "feed"), "case-7");
	assert_string_equal(member(row, "reason"), "r\xc3\xa9"
						   "ason \"x\"");
	assert_string_equal(member(row, "reference"), "T-1");
	assert_string_equal(member(row, "basis"), "GDPR 6.1.f");
	assert_string_equal(member(row, "region"), "de,fr"); /* canonical */
	assert_int_equal(json_integer_value(json_object_get(row, "confidence")), 90);
	assert_string_equal(member(row, "expires_at"), "2100-01-01T00:00:00Z");
	assert_string_equal(member(row, "review_at"), "2099-01-01T00:00:00Z");
	assert_string_equal(member(row, "state"), "live");
}

static void a_review_date_is_a_duration_or_a_time_not_both(void **state)
{
	_cleanup_response_ struct response added =
		add(state, "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"review\":\"30d\"}");
	_cleanup_response_ struct response both =
		add(state, "{\"source\":\"192.0.2.2\",\"category\":\"botnet\",\"review\":\"30d\","
			   "\"review_at\":5}");
	_cleanup_response_ struct response odd =
		add(state,
		    "{\"source\":\"192.0.2.2\",\"category\":\"botnet\",\"review\":\"soon\"}");
	_cleanup_response_ struct response r = get(state, LISTINGS);
	char expected[32];

	assert_int_equal(added.status, 200);
	assert_int_equal(both.status, 400);
	assert_non_null(strstr(member(both.json, "detail"), "'review' or 'review_at', not both"));
	assert_int_equal(odd.status, 400);
	units_time_format(time(NULL) + 30 * 86400, expected);
	assert_memory_equal(member(listing_at(&r, 0), "review_at"), expected, 10);
}

static void a_listing_of_another_region_is_added_and_said_to_be_in_force_there(void **state)
{
	_cleanup_response_ struct response added =
		add(state, "{\"source\":\"192.0.2.1\",\"category\":\"botnet\","
			   "\"region\":\"us,eu\"}");
	_cleanup_response_ struct response r = get(state, LISTINGS);

	assert_int_equal(added.status, 200);
	assert_int_equal(json_integer_value(json_object_get(added.json, "added")), 1);
	assert_string_equal(member(listing_at(&added, 0), "state"), "elsewhere");
	assert_string_equal(member(listing_at(&r, 0), "state"), "elsewhere");
	assert_string_equal(member(listing_at(&r, 0), "why"), "only in eu,us; this host is de");
}

static void expiry_is_a_ttl_a_time_or_never(void **state)
{
	static const struct {
		const char *member, *expected;
	} expiries[] = {
		{ "\"expires_at\":4102444800", "2100-01-01T00:00:00Z" },
		{ "\"expires_at\":\"2100-01-01T01:00:00+01:00\"", "2100-01-01T00:00:00Z" },
		{ "\"expires_at\":null", "" },
		{ "\"ttl\":null", "" },
	};
	char body[200], in_an_hour[32], later[32];
	const char *expires;
	int64_t now = time(NULL);

	for (size_t i = 0; i < ARRAY_SIZE(expiries); i++) {
		_cleanup_response_ struct response added = {}, r = {};

		snprintf(body, sizeof(body),
			 "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",%s}",
			 expiries[i].member);
		added = add(state, body);
		r = get(state, LISTINGS);
		assert_int_equal(added.status, 200);
		assert_string_equal(member(listing_at(&r, 0), "expires_at"), expiries[i].expected);
	}

	_cleanup_response_ struct response added =
		add(state, "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"ttl\":\"1h\"}");
	_cleanup_response_ struct response r = get(state, LISTINGS);

	assert_int_equal(added.status, 200);
	expires = member(listing_at(&r, 0), "expires_at");
	units_time_format(now + 3600, in_an_hour);
	units_time_format(now + 3660, later);
	assert_true(strcmp(expires, in_an_hour) >= 0 && strcmp(expires, later) < 0);
}

static void one_refused_row_refuses_the_request_and_is_named(void **state)
{
	_cleanup_response_ struct response r =
		add(state, "[{\"source\":\"192.0.2.1\",\"category\":\"botnet\"},"
			   "{\"source\":\"203.0.113.9\",\"category\":\"botnet\"},"
			   "{\"source\":\"192.0.2.3\",\"category\":\"botnet\"}]");

	assert_int_equal(r.status, 409);
	assert_string_equal(response_text(&r, "cause"), "never_block");
	assert_string_equal(response_text(&r, "source"), "203.0.113.9");
	assert_int_equal(json_integer_value(json_object_get(r.json, "index")), 1);
	assert_int_equal(rows_in_database(), 0);
	assert_int_equal(fake.follows, 0);
}

static void a_wide_prefix_needs_force_and_an_end(void **state)
{
	static const struct {
		const char *path, *row;
		unsigned int status;
	} rows[] = {
		{ LISTINGS, "\"source\":\"45.0.0.0/11\",\"category\":\"botnet\"", 409 },
		{ LISTINGS "?force=1", "\"source\":\"45.0.0.0/11\",\"category\":\"botnet\"", 409 },
		{ LISTINGS, "\"source\":\"45.0.0.0/11\",\"category\":\"botnet\",\"ttl\":\"1h\"",
		  409 },
		{ LISTINGS "?force=1",
		  "\"source\":\"45.0.0.0/11\",\"category\":\"botnet\",\"ttl\":\"1h\"", 200 },
		{ LISTINGS, "\"source\":\"46.0.0.0/12\",\"category\":\"botnet\"", 200 },
		{ LISTINGS, "\"source\":\"2001::/27\",\"category\":\"botnet\"", 409 },
		{ LISTINGS, "\"source\":\"47.0.0.0/9\",\"category\":\"allow\"", 200 },
	};
	char body[200];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_response_ struct response r = {};

		snprintf(body, sizeof(body), "{%s}", rows[i].row);
		r = post(state, rows[i].path, body);
		assert_int_equal(r.status, rows[i].status);
		if (r.status == 409)
			assert_string_equal(response_text(&r, "cause"), "wide");
	}
	assert_int_equal(rows_in_database(), 3);
}

static void every_guard_is_named_by_its_label(void **state)
{
	static const struct {
		const char *row, *cause;
	} rows[] = {
		{ "\"source\":\"nonsense\",\"category\":\"botnet\"", "bad_source" },
		{ "\"source\":\"\",\"category\":\"botnet\"", "bad_source" },
		{ "\"source\":\"192.0.2.1/24\",\"category\":\"botnet\"", "host_bits" },
		{ "\"source\":\"10.0.0.0/7\",\"category\":\"botnet\"", "prefix_floor" },
		{ "\"source\":\"10.1.2.3\",\"category\":\"botnet\"", "non_routable" },
		{ "\"source\":\"::ffff:10.1.2.3\",\"category\":\"botnet\"", "non_routable" },
		{ "\"source\":\"239.1.2.3\",\"category\":\"botnet\"", "non_routable" },
		{ "\"source\":\"ff02::1\",\"category\":\"botnet\"", "non_routable" },
		{ "\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"region\":\"d e\"",
		  "bad_region" },
		{ "\"source\":\"203.0.113.1\",\"category\":\"botnet\"", "never_block" },
		{ "\"source\":\"0.0.0.0\",\"category\":\"botnet\"", "unblockable" },
		{ "\"source\":\"192.0.2.1\",\"category\":\"bootnet\"", "unknown_category" },
		{ "\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"feed\":\"a b\"", "bad_name" },
		{ "\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"confidence\":101",
		  "bad_confidence" },
		{ "\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"confidence\":-1",
		  "bad_confidence" },
	};
	char body[200];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_response_ struct response r = {};

		snprintf(body, sizeof(body), "{%s}", rows[i].row);
		r = add(state, body);
		assert_int_equal(r.status, 409);
		assert_string_equal(response_text(&r, "cause"), rows[i].cause);
		assert_null(json_object_get(r.json, "index")); /* it was no array */
	}
	assert_int_equal(rows_in_database(), 0);
}

static void refused_rows_are_left_out_if_the_client_says_so(void **state)
{
	_cleanup_response_ struct response r =
		lab_ask(*state, LAB_UNIX, "POST", LISTINGS "?refused=skip",
			"[{\"source\":\"192.0.2.1\",\"category\":\"botnet\"},"
			"{\"source\":\"203.0.113.9\",\"category\":\"botnet\"}]");

	assert_int_equal(r.status, 200);
	assert_int_equal(json_integer_value(json_object_get(r.json, "added")), 1);
	assert_string_equal(member(listing_at(&r, 0), "state"), "live");
	assert_string_equal(member(listing_at(&r, 1), "state"), "refused");
	assert_string_equal(member(listing_at(&r, 1), "cause"), "never_block");
	assert_int_equal(rows_in_database(), 1);
}

static void bad_json_is_400_with_line_and_column(void **state)
{
	static const struct {
		const char *body, *detail;
	} bodies[] = {
		{ "", "line 1, column 1" },
		{ "nonsense", "line 1, column 2" }, /* an n may begin null */
		{ "{\"source\":\"192.0.2.1\"", "line 1, column " },
		{ "[\n  {\"source\" \"192.0.2.1\"}]", "line 2, column " },
		{ "[{\"source\":\"192.0.2.1\",\"category\":\"botnet\"},\n\n  oops]",
		  "line 3, column 3" },
		{ "[{\"source\":\"192.0.2.1\",\"category\":\"botnet\"},]", "line 1, column 45" },
		{ "[{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}", "line 1, column 44" },
		{ "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"} x", "line 1, column 44" },
		{ "{\"source\":\"192.0.2.1\",\"source\":\"192.0.2.2\",\"category\":\"botnet\"}",
		  "duplicate" },
		{ "[{\"source\":\"192.0.2.1\",\"category\":\"botnet\"},{\"source\":\"192.0.2.1\"}]",
		  "row 1: 'category'" },
		{ "{\"category\":\"botnet\"}", "row 0: 'source'" },
		{ "{\"source\":1,\"category\":\"botnet\"}", "row 0: 'source'" },
		{ "{\"source\":\"192.0.2.1\",\"catgory\":\"botnet\"}", "row 0: 'catgory'" },
		{ "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"ttl\":\"3 days\"}",
		  "row 0: 'ttl'" },
		{ "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"expires_at\":\"soon\"}",
		  "row 0: 'expires_at'" },
		{ "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"expires_at\":-5}",
		  "row 0: 'expires_at'" },
		{ "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"expires_at\":5,\"ttl\":\"1h\"}",
		  "not both" },
		{ "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"confidence\":\"90\"}",
		  "row 0: 'confidence'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		_cleanup_response_ struct response r = add(state, bodies[i].body);

		assert_int_equal(r.status, 400);
		if (!strstr(response_text(&r, "detail"), bodies[i].detail))
			fail_msg("'%s': '%s' lacks '%s'", bodies[i].body,
				 response_text(&r, "detail"), bodies[i].detail);
	}
	assert_int_equal(rows_in_database(), 0);
}

static void a_text_has_a_size(void **state)
{
	struct text body = {};
	struct response r;

	for (int more = 0; more < 2; more++) {
		text_add(&body,
			 "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"reason\":\"%*s\"}",
			 ROW_TEXT_MAX + more, "x");
		r = add(state, body.data);
		assert_int_equal(r.status, more ? 400 : 200);
		response_free(&r);
		text_free(&body);
		body = (struct text){};
	}
}

static void write_rows(struct text *body, unsigned int count)
{
	text_add(body, "[");
	for (unsigned int i = 0; i < count; i++)
		text_add(body, "%s{\"source\":\"100.%u.%u.%u\",\"category\":\"botnet\"}",
			 i ? "," : "", i >> 16, i >> 8 & 255, i & 255);
	text_add(body, "]");
}

static void a_hundred_thousand_rows_are_one_request(void **state)
{
	struct timespec before, after;
	struct text body = {};
	struct response r;

	write_rows(&body, ROWS_MAX);
	clock_gettime(CLOCK_MONOTONIC, &before);
	r = add(state, body.data);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_int_equal(r.status, 200);
	assert_int_equal(json_integer_value(json_object_get(r.json, "added")), ROWS_MAX);
	assert_int_equal(listings_in(&r), ROWS_MAX);
	assert_int_equal(fake.rows_at_follow, ROWS_MAX);
	assert_int_equal(fake.follows, 1);
	print_message("%d rows took %ld s\n", ROWS_MAX, (long)(after.tv_sec - before.tv_sec));
	response_free(&r);
	text_free(&body);
}

static void one_row_more_is_413_and_nothing_is_written(void **state)
{
	struct text body = {};
	struct response r;

	write_rows(&body, ROWS_MAX + 1);
	r = add(state, body.data);
	assert_int_equal(r.status, 413);
	assert_int_equal(rows_in_database(), 0);
	response_free(&r);
	text_free(&body);
}

static void no_room_in_the_kernel_is_told(void **state)
{
	struct response r;

	assert_int_equal(prefix_parse("192.0.2.1", &fake.full), 0);
	r = add(state, "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}");
	assert_int_equal(r.status, 200);
	assert_string_equal(member(listing_at(&r, 0), "state"), "refused");
	assert_string_equal(member(listing_at(&r, 0), "cause"), "map_full");
	response_free(&r);
}

static void what_is_written_but_not_in_force_is_503(void **state)
{
	struct response r;

	fake.follow_error = -EIO;
	r = add(state, "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}");
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(response_text(&r, "detail"), "not in force yet"));
	assert_int_equal(rows_in_database(), 1);
	response_free(&r);
}

static void without_a_database_everything_is_503_and_says_why(void **state)
{
	struct store *open = take_ptr(fake.store);
	struct response r;

	snprintf(fake.numbers.problem, sizeof(fake.numbers.problem), "directory is missing");
	r = add(state, "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}");
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(response_text(&r, "detail"), "directory is missing"));
	response_free(&r);
	r = get(state, LISTINGS);
	assert_int_equal(r.status, 503);
	response_free(&r);
	r = lab_ask(*state, LAB_UNIX, "DELETE", LISTINGS "?source=192.0.2.1", NULL);
	assert_int_equal(r.status, 503);
	response_free(&r);
	r = get(state, "/api/v1/audit");
	assert_int_equal(r.status, 503);
	response_free(&r);
	fake.store = open;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(an_added_listing_is_in_force_before_the_answer),
		with_lab(every_member_of_a_listing_arrives),
		with_lab(a_review_date_is_a_duration_or_a_time_not_both),
		with_lab(a_listing_of_another_region_is_added_and_said_to_be_in_force_there),
		with_lab(expiry_is_a_ttl_a_time_or_never),
		with_lab(one_refused_row_refuses_the_request_and_is_named),
		with_lab(a_wide_prefix_needs_force_and_an_end),
		with_lab(every_guard_is_named_by_its_label),
		with_lab(refused_rows_are_left_out_if_the_client_says_so),
		with_lab(bad_json_is_400_with_line_and_column),
		with_lab(a_text_has_a_size),
		with_lab(a_hundred_thousand_rows_are_one_request),
		with_lab(one_row_more_is_413_and_nothing_is_written),
		with_lab(no_room_in_the_kernel_is_told),
		with_lab(what_is_written_but_not_in_force_is_503),
		with_lab(without_a_database_everything_is_503_and_says_why),
	};

	return cmocka_run_group_tests_name("daemon api add", tests, NULL, NULL);
}
