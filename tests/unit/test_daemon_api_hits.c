/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hits of listed sources over HTTP: those of one source in explain, the most
 * active of all in top.
 */
#include <time.h>

#include "core/when.h"
#include "tests/unit/http_lab.h"

static struct moat_hit hit(uint64_t packets, unsigned int seconds_ago)
{
	struct timespec boot;
	uint64_t now;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	now = boot.tv_sec * 1000000000ULL + boot.tv_nsec;
	return (struct moat_hit){
		.packets = packets,
		.bytes = packets * 60,
		.first = 1,
		.last = (uint32_t)((now - seconds_ago * 1000000000ULL) >> MOAT_TICK_SHIFT),
	};
}

static void see(const char *source, uint64_t packets)
{
	assert_int_equal(prefix_parse(source, &fake.hit[fake.seen].source), 0);
	fake.hit[fake.seen++].hit = hit(packets, 5);
}

static const json_t *source_at(const struct response *r, size_t i)
{
	return json_array_get(json_object_get(r->json, "sources"), i);
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* ---- explain ---- */

static const json_t *explain_kernel(struct response *r, void **state)
{
	*r = get(state, "/api/v1/explain?address=192.0.2.1");
	assert_int_equal(r->status, 200);
	return json_object_get(r->json, "kernel");
}

static void known_key(void)
{
	fake.hits = 1024;
	fake.explanation.listed = true;
	fake.explanation.in_kernel = true;
	prefix_parse("192.0.2.1", &fake.explanation.key);
}

static void explain_says_how_often_and_when_a_source_was_seen(void **state)
{
	const json_t *kernel;
	struct response r;
	int64_t last;

	known_key();
	fake.explanation.has_hit = true;
	fake.explanation.hit = hit(12400, 30);
	fake.explanation.hit.sampled = 1;
	kernel = explain_kernel(&r, state);
	assert_int_equal(number_of(kernel, "hits"), 12400);
	assert_int_equal(number_of(kernel, "bytes"), 744000);
	assert_true(json_is_false(json_object_get(kernel, "hits_exact")));
	assert_int_equal(when_parse(member(kernel, "last_seen"), &last), 0);
	assert_in_range(time(NULL) - last, 28, 33);
	assert_int_equal(when_parse(member(kernel, "first_seen"), &last), 0);
	response_free(&r);

	fake.explanation.hit.sampled = 0;
	kernel = explain_kernel(&r, state);
	assert_true(json_is_true(json_object_get(kernel, "hits_exact")));
	response_free(&r);
}

static void explain_says_that_a_source_was_never_seen(void **state)
{
	const json_t *kernel;
	struct response r;

	known_key();
	kernel = explain_kernel(&r, state);
	assert_true(json_is_integer(json_object_get(kernel, "hits")));
	assert_int_equal(number_of(kernel, "hits"), 0);
	assert_true(json_is_null(json_object_get(kernel, "first_seen")));
	assert_true(json_is_null(json_object_get(kernel, "last_seen")));
	response_free(&r);
}

static void explain_knows_of_no_hits_where_none_are_noted(void **state)
{
	const json_t *kernel;
	struct response r;

	known_key();
	fake.hits = 0;
	kernel = explain_kernel(&r, state);
	assert_true(json_is_null(json_object_get(kernel, "hits")));
	assert_null(json_object_get(kernel, "last_seen"));
	response_free(&r);
}

/* ---- top ---- */

static void top_has_the_most_active_first(void **state)
{
	static const char *const expected[] = { "2001:db8::/32", "192.0.2.2", "192.0.2.4",
						"192.0.2.0/24", "192.0.2.1" };
	struct response r;

	fake.hits = 1024;
	fake.judged = true;
	fake.plan = (struct plan){ .count = 1,
				   .phase[0].set = 1ULL << FAKE_BOTNET | 1ULL << FAKE_RESEARCH };
	see("192.0.2.1", 1);
	see("192.0.2.2", 900);
	see("192.0.2.0/24", 50);
	see("2001:db8::/32", 100000);
	see("192.0.2.4", 900);
	r = get(state, "/api/v1/top?by=source");
	assert_int_equal(r.status, 200);
	assert_string_equal(member(r.json, "by"), "source");
	assert_int_equal(number_of(r.json, "capacity"), 1024);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_string_equal(member(source_at(&r, i), "source"), expected[i]);
	assert_int_equal(number_of(source_at(&r, 0), "hits"), 100000);
	assert_int_equal(json_array_size(json_object_get(source_at(&r, 0), "categories")), 2);
	response_free(&r);

	r = get(state, "/api/v1/top?limit=2");
	assert_int_equal(json_array_size(json_object_get(r.json, "sources")), 2);
	assert_string_equal(member(source_at(&r, 1), "source"), "192.0.2.2");
	response_free(&r);
}

static void top_leaves_out_what_is_not_listed_any_more(void **state)
{
	struct response r;

	fake.hits = 1024;
	see("192.0.2.1", 1);
	r = get(state, "/api/v1/top");
	assert_int_equal(r.status, 200);
	assert_int_equal(json_array_size(json_object_get(r.json, "sources")), 0);
	response_free(&r);
}

static void top_can_leave_out_what_was_not_seen_of_late(void **state)
{
	struct response r;

	fake.hits = 1024;
	fake.judged = true;
	see("192.0.2.1", 5);
	see("192.0.2.2", 900);
	fake.hit[1].hit.last = 1; /* right after the boot, which may be minutes ago */
	r = get(state, "/api/v1/top?seen=30s");
	assert_int_equal(json_array_size(json_object_get(r.json, "sources")), 1);
	assert_string_equal(member(source_at(&r, 0), "source"), "192.0.2.1");
	response_free(&r);
	r = get(state, "/api/v1/top?by=prefix&seen=30s");
	assert_int_equal(number_of(json_array_get(json_object_get(r.json, "prefixes"), 0), "hits"),
			 5);
	response_free(&r);
}

static void top_adds_up_by_prefix(void **state)
{
	static const struct {
		const char *prefix;
		json_int_t hits, sources;
	} expected[] = {
		{ "198.51.0.0/16", 500, 1 },
		{ "192.0.2.0/24", 30, 3 },
		{ "2001:db8::/48", 8, 2 },
	};
	struct response r;
	const json_t *rows;

	fake.hits = 1024;
	see("192.0.2.1", 10);
	see("2001:db8::1", 1);
	see("192.0.2.255", 10);
	see("2001:db8:0:1::/64", 7);
	see("192.0.2.0/25", 10);
	see("198.51.0.0/16", 500);
	fake.hit[2].hit.sampled = 1;
	r = get(state, "/api/v1/top?by=prefix&limit=3");
	rows = json_object_get(r.json, "prefixes");
	assert_int_equal(json_array_size(rows), ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const json_t *row = json_array_get(rows, i);

		assert_string_equal(member(row, "prefix"), expected[i].prefix);
		assert_int_equal(number_of(row, "hits"), expected[i].hits);
		assert_int_equal(number_of(row, "sources"), expected[i].sources);
		assert_int_equal(number_of(row, "bytes"), expected[i].hits * 60);
		assert_int_equal(json_is_true(json_object_get(row, "hits_exact")), i != 1);
	}
	assert_int_equal(number_of(json_object_get(r.json, "left_out"), "hits"), 0);
	response_free(&r);
}

static void top_adds_up_by_feed_each_source_once(void **state)
{
	const json_t *rows, *row;
	struct response r;

	fake.hits = 1024;
	see("192.0.2.1", 10);
	see("2001:db8::1", 5);
	r = get(state, "/api/v1/top?by=feed");
	rows = json_object_get(r.json, "feeds");
	assert_int_equal(json_array_size(rows), 2);
	row = json_array_get(rows, 0);
	assert_string_equal(member(row, "feed"), "first");
	assert_int_equal(number_of(row, "hits"), 15);
	assert_int_equal(number_of(row, "sources"), 2);
	assert_string_equal(member(json_array_get(rows, 1), "feed"), "six");
	assert_int_equal(number_of(json_array_get(rows, 1), "hits"), 5);
	response_free(&r);
}

static void top_has_every_category_with_what_it_decided(void **state)
{
	struct moat_stats *cells = calloc(MOAT_CELLS, sizeof(*cells));
	const json_t *rows, *row;
	struct response r;

	cells[moat_cell(MOAT_IPV4, MOAT_VERDICT_DROP, MOAT_LISTED, FAKE_BOTNET)] =
		(struct moat_stats){ .packets = 7, .bytes = 700 };
	cells[moat_cell(MOAT_IPV6, MOAT_VERDICT_MONITOR, MOAT_LISTED, FAKE_BOTNET)].packets = 2;
	cells[moat_cell(MOAT_IPV4, MOAT_VERDICT_PASS, MOAT_CLEAN, 0)].packets = 1000;
	fake.stats = cells;
	r = get(state, "/api/v1/top?by=category");
	rows = json_object_get(r.json, "categories");
	assert_int_equal(json_array_size(rows), 4);
	row = json_array_get(rows, 0);
	assert_string_equal(member(row, "category"), "botnet");
	assert_int_equal(number_of(row, "hits"), 9);
	assert_int_equal(number_of(row, "bytes"), 700);
	assert_int_equal(number_of(row, "drop"), 7);
	assert_int_equal(number_of(row, "monitor"), 2);
	assert_int_equal(number_of(json_array_get(rows, 1), "hits"), 0);
	response_free(&r);
	fake.stats = NULL;
	free(cells);
}

static void top_takes_what_it_knows(void **state)
{
	static const char *const bad[] = { "by=weather", "by=",	  "limit=0",	       "limit=1001",
					   "n=1",	 "seen=", "by=feed&seen=never" };
	char path[64];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct response r;

		snprintf(path, sizeof(path), "/api/v1/top?%s", bad[i]);
		r = get(state, path);
		if (r.status != 400)
			fail_msg("%s: %u", bad[i], (unsigned int)r.status);
		response_free(&r);
	}
}

static void the_room_for_hits_is_a_metric(void **state)
{
	struct response r;

	fake.hits = 1024;
	r = get(state, "/metrics");
	assert_non_null(strstr(r.body, "moat_map_capacity{map=\"moat_hits\"} 1024\n"));
	response_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(explain_says_how_often_and_when_a_source_was_seen),
		with_lab(explain_says_that_a_source_was_never_seen),
		with_lab(explain_knows_of_no_hits_where_none_are_noted),
		with_lab(top_has_the_most_active_first),
		with_lab(top_leaves_out_what_is_not_listed_any_more),
		with_lab(top_can_leave_out_what_was_not_seen_of_late),
		with_lab(top_adds_up_by_prefix),
		with_lab(top_adds_up_by_feed_each_source_once),
		with_lab(top_has_every_category_with_what_it_decided),
		with_lab(top_takes_what_it_knows),
		with_lab(the_room_for_hits_is_a_metric),
	};

	return cmocka_run_group_tests_name("daemon api hits", tests, NULL, NULL);
}
