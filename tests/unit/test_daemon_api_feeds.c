/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/feeds, POST feeds/NAME/fetch and import, and the metrics of
 * feeds, over the real server and fake feeds.
 */
#include "tests/unit/http_lab.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/fake_feeds.h"

static int setup(void **state)
{
	int err = lab_setup(state);

	fake_feeds_reset();
	return err;
}

#define IMPORT "/api/v1/feeds/drop/import"

static struct response upload(void **state, const char *path, const char *bytes, size_t size)
{
	_cleanup_free_ char *request = malloc(size + 512);
	int head;

	assert_non_null(request);
	head = snprintf(request, 512,
			"POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
			"Content-Length: %zu\r\n\r\n",
			path, size);
	memcpy(request + head, bytes, size);
	return lab_send(*state, LAB_UNIX, request, (size_t)head + size);
}

static void a_file_arrives_as_it_was_sent_and_nobody_changes_it_any_more(void **state)
{
	static const char bytes[] = "\x1f\x8b\0\0binary\n\0end";
	_cleanup_response_ struct response r =
		upload(state, IMPORT "?category=botnet&format=plain&ttl=3d", bytes, sizeof(bytes));

	assert_int_equal(r.status, 200);
	assert_int_equal(fake_feeds.imports, 1);
	assert_string_equal(fake_feeds.feed, "drop");
	assert_string_equal(fake_feeds.category, "botnet");
	assert_string_equal(fake_feeds.actor, "root");
	assert_int_equal(fake_feeds.import.format, FEED_PLAIN);
	assert_int_equal(fake_feeds.import.ttl, 3 * 86400);
	assert_false(fake_feeds.import.dry_run);
	assert_false(fake_feeds.import.force);
	assert_int_equal(fake_feeds.file_size, sizeof(bytes));
	assert_memory_equal(fake_feeds.file, bytes, sizeof(bytes));
	assert_true(fake_feeds.sealed);
}

static void the_answer_comes_when_the_list_is_done(void **state)
{
	_cleanup_response_ struct response r = {};

	fake_feeds.report = (struct feed_report){ .adds = 7, .removes = 2, .applied = true };
	fake_feeds.report.refused[GATE_NEVER_BLOCK] = 3;
	r = upload(state, IMPORT "?category=botnet", "x\n", 2);
	assert_int_equal(r.status, 200);
	assert_int_equal(json_integer_value(json_object_get(r.json, "adds")), 7);
	assert_int_equal(json_integer_value(json_object_get(r.json, "removes")), 2);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(r.json, "refused"),
							    "never_block")),
			 3);
	assert_true(json_is_null(json_object_get(r.json, "cause")));
}

static void a_file_of_nothing_is_a_file(void **state)
{
	_cleanup_response_ struct response r = upload(state, IMPORT "?category=botnet", "", 0);

	assert_int_equal(r.status, 200);
	assert_int_equal(fake_feeds.imports, 1);
	assert_int_equal(fake_feeds.file_size, 0);
}

static void refuse_for(const char *cause)
{
	snprintf(fake_feeds.report.cause, sizeof(fake_feeds.report.cause), "%s", cause);
	problem_set(&fake_feeds.report.why, 0, "49 entries after 100");
}

static void a_refused_list_is_a_conflict_with_its_cause(void **state)
{
	_cleanup_response_ struct response r = {};

	refuse_for("shrink");
	r = upload(state, IMPORT "?category=botnet", "x\n", 2);
	assert_int_equal(r.status, 409);
	assert_string_equal(response_text(&r, "cause"), "shrink");
	assert_non_null(strstr(response_text(&r, "detail"), "49 entries after 100"));
}

static void a_dry_run_reports_what_stands_against_it(void **state)
{
	_cleanup_response_ struct response r = {};

	refuse_for("shrink");
	r = upload(state, IMPORT "?category=botnet&dry_run=1", "x\n", 2);
	assert_true(fake_feeds.import.dry_run);
	assert_int_equal(r.status, 200);
	assert_string_equal(response_text(&r, "cause"), "shrink");
}

static void a_list_that_cannot_begin_is_answered_at_once(void **state)
{
	_cleanup_response_ struct response r = {};

	fake_feeds.start_error = -EBUSY;
	r = upload(state, IMPORT "?category=botnet", "x\n", 2);
	assert_int_equal(r.status, 503);
	fake_feeds.start_error = -ENOENT;
	response_free(&r);
	r = post(state, "/api/v1/feeds/nosuch/fetch", "");
	assert_int_equal(r.status, 404);
}

static void written_but_not_in_force_is_said(void **state)
{
	_cleanup_response_ struct response r = {};

	fake_feeds.done_error = -EAGAIN;
	fake_feeds.report.applied = true;
	r = upload(state, IMPORT "?category=botnet", "x\n", 2);
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(response_text(&r, "detail"), "written to the database"));
}

static void what_an_import_cannot_mean_begins_nothing(void **state)
{
	static const char *const queries[] = {
		"?category=nosuch",	  "?category=%7Ebotnet", "?category=botnet&format=hosts",
		"?category=botnet&ttl=3", "?dry_run=yes",	 "?what=1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		_cleanup_response_ struct response r = {};
		char path[128];

		snprintf(path, sizeof(path), IMPORT "%s", queries[i]);
		r = upload(state, path, "x\n", 2);
		assert_int_equal(r.status, 400);
	}
	assert_int_equal(fake_feeds.imports, 0);
}

static void a_file_over_64_mib_is_refused_before_it_is_read(void **state)
{
	static const char request[] = "POST " IMPORT "?category=botnet HTTP/1.1\r\n"
				      "Host: localhost\r\nConnection: close\r\n"
				      "Content-Length: 67108865\r\n\r\n";
	_cleanup_response_ struct response r =
		lab_send(*state, LAB_UNIX, request, sizeof(request) - 1);

	assert_int_equal(r.status, 413);
	assert_int_equal(fake_feeds.imports, 0);
}

static void a_file_of_40_mib_is_taken(void **state)
{
	size_t size = 40 << 20; /* more than any other body may be */
	_cleanup_free_ char *bytes = calloc(1, size);
	_cleanup_response_ struct response r = {};

	assert_non_null(bytes);
	r = upload(state, IMPORT "?category=botnet", bytes, size);
	assert_int_equal(r.status, 200);
	assert_int_equal(fake_feeds.file_size, FAKE_FILE);
}

static void lists_are_taken_on_the_unix_socket_only(void **state)
{
	_cleanup_response_ struct response r =
		lab_ask(*state, LAB_TCP, "POST", IMPORT "?category=botnet", "x\n");

	assert_int_equal(r.status, 401);
	assert_int_equal(fake_feeds.imports, 0);
}

static void a_fetch_is_answered_when_it_is_done(void **state)
{
	_cleanup_response_ struct response r = {};

	fake_feeds.report.unchanged = 5;
	r = post(state, "/api/v1/feeds/drop/fetch", "");
	assert_int_equal(r.status, 200);
	assert_int_equal(fake_feeds.fetches, 1);
	assert_int_equal(json_integer_value(json_object_get(r.json, "unchanged")), 5);
}

static void stop_once_begun(void *arg)
{
	if (fake_feeds.fetches)
		loop_stop(arg);
}

/* Who waits is told so, and who has the answer may give it to nobody. */
static void a_server_that_stops_does_not_wait_for_lists(void **state)
{
	static const char request[] = "POST /api/v1/feeds/drop/fetch HTTP/1.1\r\n"
				      "Host: localhost\r\nContent-Length: 0\r\n\r\n";
	struct lab *lab = *state;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct problem why = {};
	char answer[1024] = "";
	int timer;

	fake_feeds.hold = true;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", lab->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	timer = loop_timer(lab->loop, 1, 1, stop_once_begun, lab->loop);
	assert_int_equal(loop_run(lab->loop), 0);
	loop_timer_remove(lab->loop, timer);

	lab->http = http_free(lab->http);
	assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
	assert_non_null(strstr(answer, "HTTP/1.1 503 "));
	fake_feeds.done(fake_feeds.arg, -ECANCELED, &fake_feeds.report, &why);
	assert_int_equal(http_new(&fake.daemon, &lab->http, &why), 0);
}

static void feeds_are_shown_without_secrets(void **state)
{
	_cleanup_response_ struct response r = {};
	const json_t *feed;

	fake_feeds.count = 2;
	fake_feeds.state[0] = (struct feed_state){ .feed = "drop",
						   .entries = 1698,
						   .last_good = 1763895600,
						   .fault = "shrink",
						   .detail = "it shrank" };
	fake_feeds.state[1] = (struct feed_state){ .feed = "mine", .entries = 3, .last_good = 1 };
	fake_feeds.config[0] = (struct config_feed){
		.name = "drop",
		.url = (char *)"https://me:secret@example.net/list.txt?key=secret",
		.category = "botnet",
		.every = 3600,
		.ttl = 86400,
		.monitor = true,
	};
	r = get(state, "/api/v1/feeds");
	assert_int_equal(r.status, 200);
	assert_null(strstr(r.body, "secret"));
	feed = json_array_get(json_object_get(r.json, "feeds"), 0);
	assert_string_equal(member(feed, "url"), "https://example.net/list.txt");
	assert_string_equal(member(feed, "state"), "trouble");
	assert_string_equal(member(feed, "cause"), "shrink");
	assert_string_equal(member(feed, "why"), "it shrank");
	assert_string_equal(member(feed, "mode"), "monitor");
	assert_string_equal(member(feed, "last_good"), "2025-11-23T11:00:00Z");
	feed = json_array_get(json_object_get(r.json, "feeds"), 1);
	assert_string_equal(member(feed, "state"), "ok");
	assert_true(json_is_false(json_object_get(feed, "configured")));
}

static void a_held_feed_is_shown_with_why_and_whom_it_would_hit(void **state)
{
	_cleanup_response_ struct response r = {};
	const json_t *feed, *radius;

	fake_feeds.count = 1;
	fake_feeds.state[0] = (struct feed_state){ .feed = "drop",
						   .last_good = 1,
						   .held = FEED_HELD_BY_GUARD,
						   .held_why = "it hits many" };
	fake_feeds.radius = (struct radius_estimate){
		.sources = 5000,
		.judged = true,
		.share = 0.25,
		.at_most = 0.3,
		.samples = 800,
		.seconds = 600,
		.hit_sources = 1,
		.tops = 1,
		.top = { { .source = { .family = MOAT_IPV4, .len = 32, .addr = { 192, 0, 2, 7 } },
			   .share = 0.25 } },
	};
	r = get(state, "/api/v1/feeds");
	feed = json_array_get(json_object_get(r.json, "feeds"), 0);
	assert_string_equal(member(feed, "state"), "held");
	assert_string_equal(member(feed, "held"), "guard");
	assert_string_equal(member(feed, "held_why"), "it hits many");
	radius = json_object_get(feed, "radius");
	assert_string_equal(member(radius, "text"),
			    "would have hit 25.0 % (at most 30.0 %) of what passed in the last 10 "
			    "min, 800 samples");
	assert_string_equal(member(json_array_get(json_object_get(radius, "top"), 0), "source"),
			    "192.0.2.7");
}

static void a_feed_is_held_and_released_by_name(void **state)
{
	_cleanup_response_ struct response held = {}, released = {}, unknown = {};

	fake_feeds.count = 1;
	held = post(state, "/api/v1/feeds/drop/hold", "");
	assert_int_equal(held.status, 200);
	assert_string_equal(member(held.json, "held"), "hand");
	assert_int_equal(fake_feeds.state[0].held, FEED_HELD_BY_HAND);
	assert_string_equal(fake_feeds.feed, "drop");
	released = post(state, "/api/v1/feeds/drop/release", "");
	assert_int_equal(released.status, 200);
	assert_true(json_is_null(json_object_get(released.json, "held")));
	assert_int_equal(fake_feeds.state[0].held, FEED_FREE);
	fake_feeds.hold_error = -ENOENT;
	unknown = post(state, "/api/v1/feeds/nosuch/hold", "");
	assert_int_equal(unknown.status, 404);
}

static void metrics_tell_of_feeds(void **state)
{
	_cleanup_response_ struct response r = {};

	fake_feeds.count = 1;
	fake_feeds.state[0] =
		(struct feed_state){ .feed = "drop", .entries = 1698, .last_good = 1763895600 };
	r = get(state, "/metrics");
	assert_non_null(strstr(r.body, "\nmoat_feed_entries{feed=\"drop\"} 1698\n"));
	assert_non_null(
		strstr(r.body,
		       "\nmoat_feed_last_success_timestamp_seconds{feed=\"drop\"} 1763895600\n"));
	assert_non_null(
		strstr(r.body, "\nmoat_feed_refused_total{feed=\"drop\",cause=\"shrink\"} 3\n"));
	assert_non_null(strstr(r.body, "\nmoat_feed_in_trouble{feed=\"drop\"} 0\n"));
}

#define with_feeds(test) cmocka_unit_test_setup_teardown(test, setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_feeds(a_file_arrives_as_it_was_sent_and_nobody_changes_it_any_more),
		with_feeds(the_answer_comes_when_the_list_is_done),
		with_feeds(a_file_of_nothing_is_a_file),
		with_feeds(a_refused_list_is_a_conflict_with_its_cause),
		with_feeds(a_dry_run_reports_what_stands_against_it),
		with_feeds(a_list_that_cannot_begin_is_answered_at_once),
		with_feeds(written_but_not_in_force_is_said),
		with_feeds(what_an_import_cannot_mean_begins_nothing),
		with_feeds(a_file_over_64_mib_is_refused_before_it_is_read),
		with_feeds(a_file_of_40_mib_is_taken),
		with_feeds(lists_are_taken_on_the_unix_socket_only),
		with_feeds(a_fetch_is_answered_when_it_is_done),
		with_feeds(a_server_that_stops_does_not_wait_for_lists),
		with_feeds(feeds_are_shown_without_secrets),
		with_feeds(a_held_feed_is_shown_with_why_and_whom_it_would_hit),
		with_feeds(a_feed_is_held_and_released_by_name),
		with_feeds(metrics_tell_of_feeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
