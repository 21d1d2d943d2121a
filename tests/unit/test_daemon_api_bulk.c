/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many listings in one request: lines of JSON, trials, ends; and what the
 * parser of rows makes of bytes in pieces.
 */
#include "daemon/api_rows.h"
#include "tests/unit/http_lab.h"

#define LISTINGS	      "/api/v1/listings"
#define ROW(source, category) "{\"source\":\"" source "\",\"category\":\"" category "\"}"

static struct response send_rows(void **state, const char *method, const char *path,
				 const char *type, const char *body)
{
	struct text request = {};
	struct response r;

	text_add(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method,
		 path);
	text_add(&request, "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", type, strlen(body),
		 body);
	r = lab_send(*state, LAB_UNIX, request.data, request.size);
	text_free(&request);
	return r;
}

static struct response lines(void **state, const char *method, const char *path, const char *body)
{
	return send_rows(state, method, path, "application/x-ndjson", body);
}

static json_int_t number(const struct response *r, const char *key)
{
	const json_t *value = json_object_get(r->json, key);

	return value ? json_integer_value(value) : -1;
}

/* ---- lines ---- */

static void lines_are_rows(void **state)
{
	_cleanup_response_ struct response r =
		lines(state, "POST", LISTINGS,
		      ROW("192.0.2.1", "botnet") "\n\n" ROW("192.0.2.2", "bruteforce") "\r\n");

	assert_int_equal(r.status, 200);
	assert_int_equal(number(&r, "added"), 2);
	assert_int_equal(number(&r, "changed"), 2);
	assert_int_equal(number(&r, "refused"), 0);
	assert_int_equal(rows_in_database(), 2);
}

static void a_line_that_is_wrong_is_named_and_nothing_is_written(void **state)
{
	static const struct {
		const char *body, *detail;
	} bodies[] = {
		{ ROW("192.0.2.1", "botnet") "\n{\"source\":\n", "line 2, column 11" },
		{ ROW("192.0.2.1", "botnet") "\n[]\n", "row 1: an object is expected" },
		{ ROW("192.0.2.1", "botnet") "\n7\n", "row 1: an object is expected" },
		{ ROW("192.0.2.1", "botnet") ROW("192.0.2.2", "botnet"), "line 1, column 43" },
		{ ROW("192.0.2.1", "botnet") "\n{\"source\":\"a\\u0000\",\"category\":\"b\"}",
		  "row 1: 'source': holds a NUL" },
		{ "{\"source\":{\"a\":1},\"category\":\"b\"}", "row 0: 'source': a string" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		_cleanup_response_ struct response r =
			lines(state, "POST", LISTINGS, bodies[i].body);

		assert_int_equal(r.status, 400);
		if (!strstr(response_text(&r, "detail"), bodies[i].detail))
			fail_msg("'%s' lacks '%s'", response_text(&r, "detail"), bodies[i].detail);
	}
	assert_int_equal(rows_in_database(), 0);
}

static void no_line_at_all_is_no_row(void **state)
{
	_cleanup_response_ struct response r = lines(state, "POST", LISTINGS, "\n\n");

	assert_int_equal(r.status, 200);
	assert_int_equal(number(&r, "added"), 0);
}

/* ---- the same again, trials, results ---- */

static void the_same_request_again_is_no_change(void **state)
{
	static const char body[] =
		"[" ROW("192.0.2.1", "botnet") "," ROW("192.0.2.2", "bruteforce") "]";
	_cleanup_response_ struct response first = post(state, LISTINGS, body);
	_cleanup_response_ struct response again = post(state, LISTINGS, body);
	int64_t head = 0;

	assert_int_equal(number(&first, "changed"), 2);
	assert_int_equal(number(&again, "changed"), 0);
	assert_int_equal(number(&again, "added"), 2);
	assert_int_equal(store_head(fake.store, &head, NULL), 0);
	assert_int_equal(head, 2);
}

static void a_trial_writes_nothing_and_says_whom_it_would_hit(void **state)
{
	_cleanup_response_ struct response r =
		post(state, LISTINGS "?dry_run=1", ROW("192.0.2.1", "botnet"));
	_cleanup_response_ struct response refused =
		post(state, LISTINGS "?dry_run=1", ROW("203.0.113.1", "botnet"));

	assert_int_equal(r.status, 200);
	assert_true(json_is_true(json_object_get(r.json, "dry_run")));
	assert_non_null(json_object_get(r.json, "radius"));
	assert_null(json_object_get(r.json, "changed"));
	assert_string_equal(member(listing_at(&r, 0), "state"), "live");
	assert_int_equal(refused.status, 409);
	assert_int_equal(rows_in_database(), 0);
	assert_int_equal(fake.follows, 0);
}

static void refused_rows_alone_are_named_by_their_index(void **state)
{
	_cleanup_response_ struct response r =
		post(state, LISTINGS "?refused=skip&results=refused",
		     "[" ROW("192.0.2.1", "botnet") "," ROW("203.0.113.9",
							    "botnet") "," ROW("192.0.2.3",
									      "nosuch") "]");

	assert_int_equal(r.status, 200);
	assert_int_equal(listings_in(&r), 2);
	assert_int_equal(number(&r, "refused"), 2);
	assert_int_equal(number(&r, "added"), 1);
	assert_int_equal(json_integer_value(json_object_get(listing_at(&r, 0), "index")), 1);
	assert_string_equal(member(listing_at(&r, 1), "cause"), "unknown_category");
}

/* ---- ends ---- */

static void many_end_in_one_request(void **state)
{
	_cleanup_response_ struct response added =
		post(state, LISTINGS,
		     "[" ROW("192.0.2.1", "botnet") "," ROW("192.0.2.1", "bruteforce") "," ROW(
			     "192.0.2.2", "botnet") "," ROW("2001:db8:1::/48", "botnet") "]");
	_cleanup_response_ struct response trial =
		lines(state, "DELETE", LISTINGS "?dry_run=1",
		      "{\"source\":\"192.0.2.1\"}\n{\"source\":\"2001:DB8:1:0::/48\"}\n");
	_cleanup_response_ struct response r =
		lines(state, "DELETE", LISTINGS,
		      "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}\n"
		      "{\"source\":\"198.51.100.9\"}\n"
		      "{\"source\":\"2001:DB8:1:0::/48\",\"feed\":\"manual\"}\n");
	const json_t *missing = json_array_get(json_object_get(r.json, "missing"), 0);

	assert_int_equal(added.status, 200);
	assert_int_equal(trial.status, 200);
	assert_int_equal(number(&trial, "removed"), 3);
	assert_int_equal(r.status, 200);
	assert_int_equal(number(&r, "removed"), 2);
	assert_int_equal(number(&r, "rows"), 3);
	assert_int_equal(number(&r, "not_found"), 1);
	assert_int_equal(json_integer_value(json_object_get(missing, "index")), 1);
	assert_string_equal(member(missing, "source"), "198.51.100.9");
	assert_int_equal(rows_in_database(), 2);
}

static void a_trial_of_an_end_says_what_would_remain(void **state)
{
	_cleanup_response_ struct response added =
		post(state, LISTINGS,
		     "[" ROW("192.0.2.1", "botnet") "," ROW("192.0.2.1", "bruteforce") "]");
	_cleanup_response_ struct response r =
		lab_ask(*state, LAB_UNIX, "DELETE",
			LISTINGS "?source=192.0.2.1&category=botnet&dry_run=1", NULL);
	const json_t *remaining = json_object_get(r.json, "remaining");

	assert_int_equal(added.status, 200);
	assert_int_equal(number(&r, "removed"), 1);
	assert_int_equal(json_array_size(remaining), 1);
	assert_string_equal(member(json_array_get(remaining, 0), "category"), "bruteforce");
	assert_true(json_is_true(json_object_get(r.json, "blocked")));
	assert_int_equal(rows_in_database(), 2);
}

static void an_end_is_of_a_source_or_of_a_body(void **state)
{
	static const struct {
		const char *path, *body;
	} asked[] = {
		{ LISTINGS, "" },
		{ LISTINGS "?category=botnet", "{\"source\":\"192.0.2.1\"}" },
		{ LISTINGS "?source=192.0.2.1", "{\"source\":\"192.0.2.1\"}" },
		{ LISTINGS, "{\"category\":\"botnet\"}" },
		{ LISTINGS, "{\"source\":\"192.0.2.1\",\"ttl\":\"1h\"}" },
		{ LISTINGS, "[{\"source\":\"192.0.2.1\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		_cleanup_response_ struct response r =
			lines(state, "DELETE", asked[i].path, asked[i].body);

		assert_int_equal(r.status, 400);
	}
}

/* ---- reports ---- */

static void a_report_is_a_listing_that_ends(void **state)
{
	_cleanup_response_ struct response sent =
		post(state, "/api/v1/reports?ttl=1h",
		     "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"reporter\":\"f2b\","
		     "\"at\":\"2100-01-01T00:00:00Z\"}");
	_cleanup_response_ struct response r = get(state, LISTINGS "?feed=reports");
	const json_t *row = listing_at(&r, 0);

	assert_int_equal(sent.status, 200);
	assert_int_equal(number(&sent, "added"), 1);
	assert_int_equal(listings_in(&sent), 0);
	assert_string_equal(member(row, "reference"), "f2b");
	assert_true(strcmp(member(row, "expires_at"), "2099") < 0); /* from now, not from then */
	assert_int_equal(fake.daemon.reports[REPORTS_ACCEPTED], 1);
}

static void old_and_refused_reports_are_left_out_and_counted(void **state)
{
	_cleanup_response_ struct response sent =
		lines(state, "POST", "/api/v1/reports",
		      "{\"source\":\"192.0.2.9\",\"category\":\"botnet\",\"at\":1000}\n"
		      "{\"source\":\"203.0.113.9\",\"category\":\"botnet\"}\n" ROW("192.0.2.2",
										   "botnet"));
	_cleanup_response_ struct response metrics = get(state, "/metrics");

	assert_int_equal(sent.status, 200);
	assert_int_equal(number(&sent, "added"), 1);
	assert_int_equal(number(&sent, "refused"), 1);
	assert_string_equal(member(listing_at(&sent, 0), "cause"), "never_block");
	assert_int_equal(rows_in_database(), 1);
	assert_non_null(strstr(metrics.body, "moat_reports_total{result=\"accepted\"} 1\n"));
	assert_non_null(strstr(metrics.body, "moat_reports_total{result=\"refused\"} 1\n"));
	assert_non_null(strstr(metrics.body, "moat_reports_total{result=\"expired\"} 1\n"));
}

/* ---- pages ---- */

/* Counts sources "10.9.N.x" of feed stay in a page by N. */
static void take_page(const struct response *r, unsigned int seen[256])
{
	for (size_t i = 0; i < listings_in(r); i++) {
		unsigned int n;

		if (strcmp(member(listing_at(r, i), "feed"), "stay") == 0 &&
		    sscanf(member(listing_at(r, i), "source"), "198.51.%u.", &n) == 1 && n < 256)
			seen[n]++;
	}
}

static void what_stays_is_given_once_while_others_come_and_go(void **state)
{
	unsigned int seen[256] = {}, come = 0;
	json_int_t cursor = 0;
	char path[128], body[256];

	for (unsigned int i = 0; i < 200; i++) {
		struct response r;

		snprintf(body, sizeof(body),
			 "{\"source\":\"198.51.%u.1\",\"category\":\"botnet\",\"feed\":\"%s\"}", i,
			 i % 2 ? "go" : "stay");
		r = post(state, LISTINGS, body);
		assert_int_equal(r.status, 200);
		response_free(&r);
	}
	do {
		struct response r;

		snprintf(path, sizeof(path), LISTINGS "?limit=7&cursor=%lld", (long long)cursor);
		r = get(state, path);
		assert_int_equal(r.status, 200);
		take_page(&r, seen);
		cursor = json_integer_value(json_object_get(r.json, "cursor"));
		response_free(&r);
		/* One goes, at both ends of the page; one comes; one that stays is refreshed. */
		snprintf(body, sizeof(body), "{\"source\":\"198.51.%u.1\",\"feed\":\"go\"}",
			 come % 2 ? come : 199 - come);
		r = lines(state, "DELETE", LISTINGS, body);
		response_free(&r);
		snprintf(body, sizeof(body),
			 "[{\"source\":\"198.52.%u.1\",\"category\":\"botnet\"},"
			 "{\"source\":\"198.51.%u.1\",\"category\":\"botnet\",\"feed\":\"stay\","
			 "\"reason\":\"again\"}]",
			 come, come * 2 % 200);
		r = post(state, LISTINGS, body);
		assert_int_equal(r.status, 200);
		response_free(&r);
		assert_true(++come < 100);
	} while (cursor);
	for (unsigned int i = 0; i < 200; i += 2)
		assert_int_equal(seen[i], 1);
}

/* ---- the parser ---- */

static void pieces_of_any_size_give_the_same_rows(void **state)
{
	static const char body[] = " [ {\"source\":\"192.0.2.1\",\"category\":\"b\\u00e9\",\"ttl\":"
				   "\"1h\"} , {\"category\":\"c\",\"confidence\":12,\"source\":"
				   "\"192.0.2.2\",\"expires_at\":1700000000,\"reason\":null} ] ";

	(void)state;
	for (size_t piece = 1; piece < sizeof(body); piece++) {
		struct rows rows;

		assert_int_equal(rows_begin(&rows, ROWS_LISTINGS, false, 1000), 0);
		for (size_t at = 0; at < sizeof(body) - 1; at += piece)
			assert_int_equal(rows_push(&rows, body + at,
						   sizeof(body) - 1 - at < piece
							   ? sizeof(body) - 1 - at
							   : piece),
					 0);
		assert_int_equal(rows_finish(&rows), 0);
		assert_int_equal(rows.count, 2);
		assert_string_equal(rows.row[0].category, "b\xc3\xa9");
		assert_int_equal(rows.row[0].expires_at, 1000 + 3600);
		assert_string_equal(rows.row[1].source, "192.0.2.2");
		assert_int_equal(rows.row[1].confidence, 12);
		assert_null(rows.row[1].reason);
		rows_free(&rows);
	}
}

static void memory_is_that_of_the_rows(void **state)
{
	struct rows rows;
	char row[128];

	(void)state;
	assert_int_equal(rows_begin(&rows, ROWS_KEYS, true, 0), 0);
	for (int i = 0; i < ROWS_MAX; i++) {
		int size = snprintf(row, sizeof(row), "{\"source\":\"%d\"}%*s\n", i, 60, "");

		assert_int_equal(rows_push(&rows, row, (size_t)size), 0);
	}
	assert_int_equal(rows.count, ROWS_MAX);
	assert_true(rows.held < ROWS_MAX * 200);
	assert_int_equal(rows_push(&rows, "{\"source\":\"1\"}\n", 15), -E2BIG);
	assert_int_equal(rows_push(&rows, "nonsense", 8), -E2BIG); /* the first error stays */
	assert_int_equal(rows_finish(&rows), -E2BIG);
	rows_free(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(lines_are_rows),
		with_lab(a_line_that_is_wrong_is_named_and_nothing_is_written),
		with_lab(no_line_at_all_is_no_row),
		with_lab(the_same_request_again_is_no_change),
		with_lab(a_trial_writes_nothing_and_says_whom_it_would_hit),
		with_lab(refused_rows_alone_are_named_by_their_index),
		with_lab(many_end_in_one_request),
		with_lab(a_trial_of_an_end_says_what_would_remain),
		with_lab(an_end_is_of_a_source_or_of_a_body),
		with_lab(a_report_is_a_listing_that_ends),
		with_lab(old_and_refused_reports_are_left_out_and_counted),
		with_lab(what_stays_is_given_once_while_others_come_and_go),
		cmocka_unit_test(pieces_of_any_size_give_the_same_rows),
		cmocka_unit_test(memory_is_that_of_the_rows),
	};

	return cmocka_run_group_tests_name("daemon api bulk", tests, NULL, NULL);
}
