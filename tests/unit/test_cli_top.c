/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen of 'moatctl top' as a grid of characters: from what the daemon
 * says to what somebody reads, without a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/top.h"

#define WIDTH  80
#define HEIGHT 24
#define NOW    1795431600 /* 2026-11-23T11:00:00Z */

#define STATUS                                                                                     \
	"{\"version\":\"0.1.0\",\"started_at\":\"2026-11-23T08:00:00Z\",\"state\":\"ok\","         \
	"\"paused\":null,\"degraded\":[],"                                                         \
	"\"interfaces\":[{\"name\":\"eth0\",\"attached\":true,\"enforce\":true,"                   \
	"\"mode\":\"native\"}],\"coverage\":{\"ratio\":1.0},\"sync\":{\"lag_seconds\":0.0}}"
#define DEGRADED                                                                                   \
	"{\"version\":\"0.1.0\",\"state\":\"degraded\",\"paused\":{\"seconds_left\":90},"          \
	"\"degraded\":[{\"what\":\"coverage\",\"why\":\"no room\",\"do\":\"x\"},"                  \
	"{\"what\":\"feed a\",\"why\":\"old\",\"do\":\"y\"}],"                                     \
	"\"interfaces\":[{\"name\":\"eth0\",\"attached\":false,\"enforce\":true}],"                \
	"\"coverage\":{\"ratio\":0.99999},\"sync\":{\"lag_seconds\":12.5}}"
#define METRICS(listed, clean)                                                                     \
	"# HELP moat_packets_total x\n"                                                            \
	"moat_packets_total{iface=\"eth0\",family=\"ipv4\",verdict=\"drop\",reason=\"listed\","    \
	"category=\"botnet\"} " #listed "\n"                                                       \
	"moat_packets_total{iface=\"eth0\",family=\"ipv4\",verdict=\"pass\",reason=\"clean\","     \
	"category=\"\"} " #clean "\nmoat_bytes_total{verdict=\"drop\",reason=\"listed\"} 5\n"
#define SOURCE(name, hits)                                                                         \
	"{\"source\":\"" name "\",\"hits\":" #hits ",\"hits_exact\":true,\"bytes\":60,"            \
	"\"last_seen\":\"2026-11-23T10:57:00Z\",\"categories\":[\"botnet\",\"scanner\"]}"

struct grid {
	char line[HEIGHT][WIDTH * 4];
	struct canvas canvas;
};

static void put(void *arg, int x, int y, enum tint tint, bool reverse, const char *text)
{
	struct grid *grid = arg;
	size_t size = strlen(text);

	(void)tint;
	(void)reverse;
	assert_in_range(y, 0, grid->canvas.height - 1);
	assert_in_range(x, 0, grid->canvas.width);
	assert_true(x + (int)size <= grid->canvas.width);
	memcpy(grid->line[y] + x, text, size);
}

static struct grid *drawn(const struct top *top, int width, int height)
{
	static struct grid grid;

	grid = (struct grid){ .canvas = { width, height, put, &grid } };
	for (int y = 0; y < height; y++)
		memset(grid.line[y], ' ', (size_t)width);
	top_draw(top, &grid.canvas);
	for (int y = 0; y < height; y++) {
		char *end = grid.line[y] + width;

		while (end > grid.line[y] && end[-1] == ' ')
			*--end = '\0';
	}
	return &grid;
}

static void take_status(struct top *top, const char *json)
{
	top_take_status(top, json_loads(json, 0, NULL));
}

static void take_rows(struct top *top, const char *json, int64_t ms)
{
	json_t *rows = json_loads(json, 0, NULL);

	assert_non_null(rows);
	top_take_rows(top, rows, ms);
	json_decref(rows);
}

static void the_screen_says_what_matters_first(void **state)
{
	struct top top = { .now = NOW };
	struct grid *g;

	(void)state;
	take_status(&top, STATUS);
	top_take_metrics(&top, METRICS(100, 1000), 1000);
	top_take_metrics(&top, METRICS(1300, 11000), 3000);
	take_rows(&top, "{\"sources\":[" SOURCE("192.0.2.1", 10) "," SOURCE("192.0.2.2", 5) "]}",
		  1000);
	take_rows(&top,
		  "{\"sources\":[" SOURCE("192.0.2.2",
					  12345) "," SOURCE("192.0.2.1",
							    10) "," SOURCE("2001:db8::/48", 7) "]}",
		  3000);
	g = drawn(&top, WIDTH, HEIGHT);
	assert_string_equal(g->line[0],
			    "moatd 0.1.0: ok, up 3h"
			    "                                              11:00:00 UTC");
	assert_string_equal(g->line[1], "coverage 100.00 %  lag 0.0 s  on eth0 native");
	assert_string_equal(g->line[2],
			    "packets/s  drop 600  pass 5,000  tag 0  monitor 0  all 5,600");
	assert_string_equal(g->line[3], "by reason  clean 5,000  listed 600");
	assert_string_equal(g->line[4],
			    "SOURCE                >RATE/S           HITS       LAST  CATEGORIES");
	assert_string_equal(g->line[5],
			    "192.0.2.2               6,170         12,345         3m  botnet, scanner");
	assert_string_equal(g->line[6],
			    "192.0.2.1                   0             10         3m  botnet, scanner");
	assert_string_equal(g->line[7],
			    "2001:db8::/48               -              7         3m  botnet, scanner");
	assert_string_equal(g->line[8], "");
	assert_non_null(strstr(g->line[23], "1-3 of 3"));
	top_free(&top);
}

static void what_is_wrong_stands_above_the_numbers(void **state)
{
	struct top top = { .now = NOW };
	struct grid *g;

	(void)state;
	take_status(&top, DEGRADED);
	g = drawn(&top, WIDTH, HEIGHT);
	assert_non_null(strstr(g->line[0], "PAUSED, all passes for 1m 30s more"));
	assert_string_equal(g->line[1], "coverage: no room (and 1 more: moatctl status)");
	assert_string_equal(g->line[2], "coverage 99.99 %  lag 12.5 s  on eth0 NOT ATTACHED");
	snprintf(top.trouble, sizeof(top.trouble), "no daemon");
	top.silent_s = 7;
	assert_string_equal(drawn(&top, WIDTH, HEIGHT)->line[1], "no answer for 7 s: no daemon");
	top_free(&top);
}

static void a_counter_that_began_anew_is_no_negative_rate(void **state)
{
	struct top top = {};

	(void)state;
	top_take_metrics(&top, METRICS(1000, 0), 1000);
	top_take_metrics(&top, METRICS(10, 0), 2000);
	assert_true(top.verdicts.of[0].rate == 0);
	top_take_metrics(&top, METRICS(30, 0), 4000);
	assert_true(top.verdicts.of[0].rate == 10);
	take_rows(&top, "{\"sources\":[" SOURCE("192.0.2.1", 100) "]}", 0);
	take_rows(&top, "{\"sources\":[" SOURCE("192.0.2.1", 5) "]}", 1000);
	assert_true(top.rows.row[0].rate == 0);
	top_free(&top);
}

static void rows_are_sorted_and_filtered(void **state)
{
	static const struct {
		enum top_sort sort;
		const char *first;
	} sorts[] = { { TOP_RATE, "192.0.2.3" },
		      { TOP_HITS, "192.0.2.1" },
		      { TOP_NAME, "192.0.2.1" } };
	struct top top = { .now = NOW };

	(void)state;
	take_rows(&top, "{\"sources\":[" SOURCE("192.0.2.1", 100) "," SOURCE("192.0.2.3", 1) "]}",
		  0);
	take_rows(&top, "{\"sources\":[" SOURCE("192.0.2.1", 101) "," SOURCE("192.0.2.3", 9) "]}",
		  1000);
	for (size_t i = 0; i < ARRAY_SIZE(sorts); i++) {
		top.sort = sorts[i].sort;
		top_sort_rows(&top);
		assert_string_equal(top.rows.row[0].name, sorts[i].first);
	}
	assert_int_equal(top_rows_fitting(&top), 2);
	snprintf(top.filter, sizeof(top.filter), "2.3");
	assert_int_equal(top_rows_fitting(&top), 1);
	assert_non_null(strstr(drawn(&top, WIDTH, HEIGHT)->line[5], "192.0.2.3"));
	snprintf(top.filter, sizeof(top.filter), "SCAN");
	assert_int_equal(top_rows_fitting(&top), 2);
	snprintf(top.filter, sizeof(top.filter), "nothing");
	assert_int_equal(top_rows_fitting(&top), 0);
	top_free(&top);
}

static void every_way_of_adding_up_has_its_rows(void **state)
{
	static const struct {
		enum top_by by;
		const char *json, *name, *detail;
	} ways[] = {
		{ TOP_PREFIX,
		  "{\"capacity\":9,\"prefixes\":[{\"prefix\":\"192.0.2.0/24\",\"hits\":3,"
		  "\"sources\":2}]}",
		  "192.0.2.0/24", "2 sources" },
		{ TOP_FEED, "{\"feeds\":[{\"feed\":\"drop\",\"hits\":3,\"sources\":1}]}", "drop",
		  "1 source" },
		{ TOP_CATEGORY,
		  "{\"categories\":[{\"category\":\"botnet\",\"hits\":3,\"drop\":1200,\"tag\":2}]}",
		  "botnet", "drop 1,200, tag 2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct top top = { .by = ways[i].by, .now = NOW };

		take_rows(&top, ways[i].json, 1000);
		assert_int_equal(top.rows.count, 1);
		assert_string_equal(top.rows.row[0].name, ways[i].name);
		assert_string_equal(top.rows.row[0].detail, ways[i].detail);
		top_free(&top);
	}
}

static void nothing_at_all_is_said(void **state)
{
	struct top top = { .now = NOW, .seen = 60 };

	(void)state;
	take_rows(&top, "{\"capacity\":1024,\"sources\":[]}", 1000);
	assert_non_null(strstr(drawn(&top, WIDTH, HEIGHT)->line[5], "'a' shows those of before"));
	take_rows(&top, "{\"capacity\":0,\"sources\":[]}", 2000);
	assert_non_null(strstr(drawn(&top, WIDTH, HEIGHT)->line[5], "hits: 0"));
	top_free(&top);
}

/* put() fails the test when anything is drawn outside. */
static void any_size_of_terminal_will_do(void **state)
{
	struct top top = { .now = NOW };

	(void)state;
	take_status(&top, DEGRADED);
	take_rows(&top,
		  "{\"sources\":[" SOURCE("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff/127", 12345) "]}",
		  1000);
	top.rows.row[0].bytes = INT64_MAX;
	top.rows.row[0].hits = INT64_MAX;
	for (int width = 0; width <= 2 * WIDTH; width++)
		for (int height = 1; height <= HEIGHT; height++) {
			top.help = width & 1;
			drawn(&top, width, height);
		}
	top_free(&top);
}

static void hostile_names_do_not_move_the_cursor(void **state)
{
	struct top top = { .now = NOW, .by = TOP_FEED };

	(void)state;
	take_rows(&top, "{\"feeds\":[{\"feed\":\"\\u001b[2Jx\",\"hits\":3}]}", 1000);
	assert_string_equal(top.rows.row[0].name, "?[2Jx");
	top_free(&top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_screen_says_what_matters_first),
		cmocka_unit_test(what_is_wrong_stands_above_the_numbers),
		cmocka_unit_test(a_counter_that_began_anew_is_no_negative_rate),
		cmocka_unit_test(rows_are_sorted_and_filtered),
		cmocka_unit_test(every_way_of_adding_up_has_its_rows),
		cmocka_unit_test(nothing_at_all_is_said),
		cmocka_unit_test(any_size_of_terminal_will_do),
		cmocka_unit_test(hostile_names_do_not_move_the_cursor),
	};

	return cmocka_run_group_tests_name("cli top", tests, NULL, NULL);
}
