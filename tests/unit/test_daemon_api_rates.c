/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters as rates over HTTP: which series, which seconds, and that many
 * who ask cost no more than one.
 */
#include "daemon/rates.h"

#include <time.h>

#include "core/history.h"
#include "tests/unit/http_lab.h"

static struct moat_stats stats[MOAT_CELLS];
static struct rates *rates;
static int64_t now; /* ms of the boot clock */

/* A first look, after which everything is news. */
static void begin(void)
{
	memset(stats, 0, sizeof(stats));
	stats[moat_cell(MOAT_IPV4, MOAT_VERDICT_PASS, MOAT_CLEAN, 0)].packets = 1000;
	fake.stats = stats;
	assert_int_equal(rates_new(&fake.daemon, &rates), 0);
	fake.daemon.rates = rates;
	now = 6000200;
	rates_look(rates, now);
}

static void end(void)
{
	fake.daemon.rates = rates_free(rates);
}

static void came(uint32_t family, uint32_t verdict, uint32_t reason, uint32_t category,
		 uint64_t packets)
{
	struct moat_stats *cell = &stats[moat_cell(family, verdict, reason, category)];

	cell->packets += packets;
	cell->bytes += packets * 100;
}

static void dropped(uint64_t packets)
{
	came(MOAT_IPV4, MOAT_VERDICT_DROP, MOAT_LISTED, FAKE_BOTNET, packets);
}

static void next_second(void)
{
	now += 1000;
	rates_look(rates, now);
}

static const json_t *series_of(const struct response *r, const char *verdict, const char *category)
{
	const json_t *all = json_object_get(r->json, "series");

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *s = json_array_get(all, i);

		if (!strcmp(member(s, "verdict"), verdict) &&
		    !strcmp(member(s, "category"), category))
			return s;
	}
	return NULL;
}

static double at(const json_t *series, const char *column, size_t i)
{
	return json_number_value(json_array_get(json_object_get(series, column), i));
}

static json_int_t whole(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void a_second_of_drops_is_a_point_of_its_series(void **state)
{
	struct response r;
	const json_t *s;

	begin();
	dropped(250);
	next_second();
	dropped(50);
	next_second();
	r = get(state, "/api/v1/rates?since=1m");
	s = series_of(&r, "drop", "botnet");
	assert_non_null(s);
	assert_string_equal(member(s, "interface"), "eth0");
	assert_string_equal(member(s, "reason"), "listed");
	assert_int_equal(whole(r.json, "step"), 1);
	assert_int_equal(json_array_size(json_object_get(r.json, "times")), 2);
	assert_float_equal(at(s, "packets", 0), 250, 0);
	assert_float_equal(at(s, "packets", 1), 50, 0);
	assert_float_equal(at(s, "bytes", 0), 25000, 0);
	assert_int_equal(whole(s, "packets_total"), 300);
	assert_int_equal(whole(s, "bytes_total"), 30000);
	response_free(&r);
	end();
}

static void times_are_of_the_wall_clock_and_a_step_apart(void **state)
{
	const json_t *times;
	struct response r;
	json_int_t last;

	begin();
	next_second();
	next_second();
	next_second();
	r = get(state, "/api/v1/rates?since=1m");
	times = json_object_get(r.json, "times");
	assert_int_equal(json_array_size(times), 3);
	last = json_integer_value(json_array_get(times, 2));
	assert_int_equal(json_integer_value(json_array_get(times, 1)), last - 1);
	assert_int_equal(whole(r.json, "until"), last + 1);
	/* The look was set to be now, whatever the clock of the test says. */
	assert_in_range(last + 1, time(NULL) - 30, time(NULL) + 3);
	response_free(&r);
	end();
}

static void what_came_before_the_first_look_is_in_the_total_alone(void **state)
{
	struct response r;
	const json_t *s;

	begin();
	next_second();
	r = get(state, "/api/v1/rates");
	s = series_of(&r, "pass", "");
	assert_int_equal(whole(s, "packets_total"), 1000);
	assert_float_equal(at(s, "packets", 0), 0, 0);
	response_free(&r);
	end();
}

static void both_families_are_one_series(void **state)
{
	struct response r;

	begin();
	dropped(10);
	came(MOAT_IPV6, MOAT_VERDICT_DROP, MOAT_LISTED, FAKE_BOTNET, 5);
	next_second();
	r = get(state, "/api/v1/rates");
	assert_float_equal(at(series_of(&r, "drop", "botnet"), "packets", 0), 15, 0);
	response_free(&r);
	end();
}

static void counters_that_begin_anew_are_no_flood(void **state)
{
	struct response r;

	begin();
	dropped(1000);
	next_second();
	stats[moat_cell(MOAT_IPV4, MOAT_VERDICT_DROP, MOAT_LISTED, FAKE_BOTNET)] =
		(struct moat_stats){ .packets = 3, .bytes = 300 };
	next_second();
	r = get(state, "/api/v1/rates");
	assert_float_equal(at(series_of(&r, "drop", "botnet"), "packets", 1), 3, 0);
	response_free(&r);
	end();
}

static void a_late_look_spreads_what_came(void **state)
{
	struct response r;
	const json_t *s;

	begin();
	dropped(40);
	now += 3000;
	next_second();
	r = get(state, "/api/v1/rates");
	s = series_of(&r, "drop", "botnet");
	assert_int_equal(json_array_size(json_object_get(s, "packets")), 4);
	for (size_t i = 0; i < 4; i++)
		assert_float_equal(at(s, "packets", i), 10, 0);
	response_free(&r);
	end();
}

static void a_sleep_is_a_gap(void **state)
{
	struct response r;
	const json_t *s;

	begin();
	dropped(1);
	next_second();
	dropped(5000);
	now += 90 * 1000;
	next_second();
	dropped(2);
	next_second();
	r = get(state, "/api/v1/rates?since=10m");
	s = json_object_get(series_of(&r, "drop", "botnet"), "packets");
	assert_int_equal(json_array_size(s), 93);
	assert_float_equal(json_number_value(json_array_get(s, 0)), 1, 0);
	for (size_t i = 1; i < 92; i++)
		assert_true(json_is_null(json_array_get(s, i)));
	assert_float_equal(json_number_value(json_array_get(s, 92)), 2, 0);
	response_free(&r);
	end();
}

static void more_series_than_there_is_room_for_are_counted_together(void **state)
{
	const json_t *all;
	struct response r;
	double sum = 0;
	size_t rests = 0;

	begin();
	for (uint32_t c = 0; c < MOAT_CATEGORIES; c++)
		for (uint32_t reason = MOAT_LISTED; reason <= MOAT_TAGGED; reason++)
			came(MOAT_IPV4, MOAT_VERDICT_DROP, reason, c, 1);
	next_second();
	r = get(state, "/api/v1/rates");
	all = json_object_get(r.json, "series");
	assert_true(json_array_size(all) <= HISTORY_SERIES_MAX);
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *s = json_array_get(all, i);

		if (!strcmp(member(s, "verdict"), "drop"))
			sum += at(s, "packets", 0);
		rests += json_is_null(json_object_get(s, "interface"));
	}
	assert_float_equal(sum, MOAT_CATEGORIES * (MOAT_TAGGED - MOAT_LISTED + 1), 0);
	assert_int_equal(rests, 1);
	response_free(&r);
	end();
}

static void the_step_follows_how_far_back_it_goes(void **state)
{
	static const struct {
		const char *path;
		int step;
	} asked[] = {
		{ "/api/v1/rates?since=10m", 1 },
		{ "/api/v1/rates?since=1h", 10 },
		{ "/api/v1/rates?since=6h", 60 },
		{ "/api/v1/rates?since=1d", 300 },
		{ "/api/v1/rates?since=7d", 1800 },
		{ "/api/v1/rates?since=6h&step=10s", 10 },
		{ "/api/v1/rates?since=1d&step=1m", 60 },
		{ "/api/v1/rates?since=100d", 1800 },
		{ "/api/v1/rates?since=5m&step=30m", 1800 },
	};

	begin();
	next_second();
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		_cleanup_response_ struct response r = get(state, asked[i].path);

		assert_int_equal(r.status, 200);
		assert_int_equal(whole(r.json, "step"), asked[i].step);
	}
	end();
}

static void what_is_not_kept_is_refused(void **state)
{
	static const char *const asked[] = {
		"/api/v1/rates?since=11m&step=1s",
		"/api/v1/rates?since=7h&step=10s",
		"/api/v1/rates?since=37h&step=1m",
		"/api/v1/rates?step=7s",
		"/api/v1/rates?step=0",
		"/api/v1/rates?since=soon",
		"/api/v1/rates?step=-1",
		"/api/v1/rates?since=",
	};

	begin();
	next_second();
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		_cleanup_response_ struct response r = get(state, asked[i]);

		assert_int_equal(r.status, 400);
		assert_true(*response_text(&r, "detail"));
	}
	end();
}

static void since_may_be_a_time(void **state)
{
	char path[64];
	struct response r;

	begin();
	for (int i = 0; i < 30; i++)
		next_second();
	snprintf(path, sizeof(path), "/api/v1/rates?since=%lld", (long long)time(NULL) - 10);
	r = get(state, path);
	assert_int_equal(r.status, 200);
	assert_in_range(json_array_size(json_object_get(r.json, "times")), 9, 12);
	response_free(&r);
	end();
}

static void one_second_has_one_answer_for_all(void **state)
{
	const struct text *first, *second, *third;

	(void)state;
	begin();
	next_second();
	assert_int_equal(rates_history(rates, 60, 1, &first), 0);
	assert_int_equal(rates_history(rates, 60, 1, &second), 0);
	assert_ptr_equal(first->data, second->data);
	next_second();
	assert_int_equal(rates_history(rates, 60, 1, &third), 0);
	assert_non_null(strstr(third->data, "\"times\""));
	assert_true(third->size > second->size);
	end();
}

static unsigned int told;
static struct text live;

static void on_live(void *arg, const struct text *line)
{
	(void)arg;
	told++;
	text_free(&live);
	live = (struct text){};
	text_add(&live, "%s", line->data);
}

static void every_look_is_told_once_as_one_line(void **state)
{
	json_t *line;

	(void)state;
	told = 0;
	begin();
	rates_on_look(rates, on_live, NULL);
	dropped(77);
	next_second();
	rates_look(rates, now + 10); /* of the same second */
	assert_int_equal(told, 1);
	assert_null(strchr(live.data, '\n'));
	line = json_loads(live.data, 0, NULL);
	assert_non_null(line);
	assert_int_equal(whole(line, "seconds"), 1);
	assert_int_equal(json_array_size(json_object_get(line, "series")), 1);
	assert_float_equal(json_number_value(
				   json_object_get(json_array_get(json_object_get(line, "series"),
								  0),
						   "packets")),
			   77, 0);
	json_decref(line);
	text_free(&live);
	live = (struct text){};
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(a_second_of_drops_is_a_point_of_its_series),
		with_lab(times_are_of_the_wall_clock_and_a_step_apart),
		with_lab(what_came_before_the_first_look_is_in_the_total_alone),
		with_lab(both_families_are_one_series),
		with_lab(counters_that_begin_anew_are_no_flood),
		with_lab(a_late_look_spreads_what_came),
		with_lab(a_sleep_is_a_gap),
		with_lab(more_series_than_there_is_room_for_are_counted_together),
		with_lab(the_step_follows_how_far_back_it_goes),
		with_lab(what_is_not_kept_is_refused),
		with_lab(since_may_be_a_time),
		with_lab(one_second_has_one_answer_for_all),
		with_lab(every_look_is_told_once_as_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
