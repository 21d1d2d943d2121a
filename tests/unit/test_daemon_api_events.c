/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/events: who gets which event, in which form; who is slow is told
 * what he missed; and how many may listen. Over rings that are not there.
 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "daemon/events.h"
#include "daemon/http_stream.h"
#include "daemon/topics.h"
#include "tests/unit/fake_events.h"
#include "tests/unit/http_lab.h"

#define DEADLINE 10 /* seconds */
#define TEXT_MAX (4 * 1024 * 1024)

/* ---- a daemon with events, and clients in the same thread ---- */

static int setup(void **state)
{
	static struct moat_stats stats[MOAT_CELLS];
	struct problem why = {};
	int r = lab_setup(state);

	memset(&fake_rings, 0, sizeof(fake_rings));
	fake.config.events.rate = 1000;
	fake.stats = stats; /* so that the interface has a program */
	if (r || events_new(&fake.daemon, &fake.daemon.events, &why) ||
	    topics_new(&fake.daemon.topics))
		return -1;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	lab->http = http_free(lab->http);
	fake.daemon.events = events_free(fake.daemon.events);
	fake.daemon.topics = topics_free(fake.daemon.topics);
	return lab_teardown(state);
}

struct client {
	int fd;
	char *text;
	size_t size;
};

static void stop(void *arg)
{
	loop_stop(arg);
}

/* Runs the loop for a while. */
static void wait_ms(struct lab *lab, int ms)
{
	int id = loop_timer(lab->loop, ms, 0, stop, lab->loop);

	assert_true(id > 0);
	loop_run(lab->loop);
	loop_timer_remove(lab->loop, id);
}

static void take(struct client *c)
{
	ssize_t n;

	while (c->size < TEXT_MAX - 1 &&
	       (n = recv(c->fd, c->text + c->size, TEXT_MAX - 1 - c->size, MSG_DONTWAIT)) > 0)
		c->size += (size_t)n;
	c->text[c->size] = '\0';
}

/* Until the client has read the words; false if it does not in time. */
static bool wait_words(struct lab *lab, struct client *c, const char *words)
{
	time_t end = time(NULL) + DEADLINE;

	do {
		wait_ms(lab, 5);
		take(c);
		if (strstr(c->text, words))
			return true;
	} while (time(NULL) < end);
	print_message("no '%s' in: %s\n", words, c->text);
	return false;
}

/* header NULL: by HTTP/1.0, where the answer comes as it is, not in chunks. */
static struct client listen_to(struct lab *lab, const char *path, const char *header)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client c = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	char request[512];

	c.text = calloc(1, TEXT_MAX);
	assert_true(c.fd >= 0 && c.text);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", lab->socket);
	assert_int_equal(connect(c.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	snprintf(request, sizeof(request), "GET %s HTTP/1.%d\r\nHost: moat\r\n%s\r\n", path,
		 header != NULL, header ?: "");
	assert_int_equal(write(c.fd, request, strlen(request)), strlen(request));
	assert_true(wait_words(lab, &c, "\r\n\r\n"));
	return c;
}

static void hang_up(struct client *c)
{
	close(c->fd);
	free(c->text);
}

static size_t count(const struct client *c, const char *words)
{
	size_t n = 0;

	for (const char *at = c->text; (at = strstr(at, words)); at++)
		n++;
	return n;
}

/* ---- one listener ---- */

static void a_listener_gets_each_event_as_it_happens(void **state)
{
	struct lab *lab = *state;
	struct client c = listen_to(lab, "/api/v1/events", "");

	assert_non_null(strstr(c.text, "HTTP/1.1 200"));
	assert_non_null(strstr(c.text, "text/event-stream"));
	assert_non_null(strstr(c.text, "no-store"));
	assert_true(fake_event(7));
	assert_true(wait_words(lab, &c, "event: packet\ndata: {\"time\":\""));
	assert_true(wait_words(lab, &c,
			       "\"iface\":\"eth0\",\"family\":\"ipv4\","
			       "\"source\":\"198.51.100.7\",\"destination\":\"192.0.2.1\","
			       "\"protocol\":\"tcp\",\"source_port\":40000,"
			       "\"destination_port\":22,\"length\":60,\"verdict\":\"drop\","
			       "\"reason\":\"listed\",\"category\":\"botnet\","
			       "\"listed\":\"198.51.100.7\"}\n\n"));
	assert_null(strstr(c.text, "bytes"));
	hang_up(&c);
}

static void json_lines_and_the_bytes_are_asked_for(void **state)
{
	struct lab *lab = *state;
	struct client c =
		listen_to(lab, "/api/v1/events?bytes=1", "Accept: application/x-ndjson\r\n");

	assert_non_null(strstr(c.text, "Content-Type: application/x-ndjson\r\n"));
	assert_true(fake_event(7));
	assert_true(wait_words(lab, &c, "\"bytes\":\"AgAAAAABAgAAAAAC"));
	assert_null(strstr(c.text, "event:"));
	hang_up(&c);
}

static void nobody_listens_and_nothing_is_sampled(void **state)
{
	struct lab *lab = *state;
	struct client c;

	assert_int_equal(fake_rings.renewals, 0);
	assert_false(fake_event(1));
	c = listen_to(lab, "/api/v1/events", "");
	assert_true(fake_rings.renewals > 0 && fake_rings.wanted == MOAT_EVENT_VERDICTS);
	assert_int_equal(fake_rings.rate, 1000);
	hang_up(&c);
	/* That it is gone is noticed when there is something to send. */
	for (int i = 0; i < 200 && fake_rings.wanted; i++) {
		fake_event(1);
		wait_ms(lab, 20);
	}
	assert_int_equal(fake_rings.wanted, 0);
	assert_int_equal(http_streams_count(fake.daemon.streams), 0);
}

static void the_rate_is_the_highest_that_is_asked_for(void **state)
{
	struct lab *lab = *state;
	struct client a = listen_to(lab, "/api/v1/events?rate=50000&passes=1", NULL);
	struct client b = listen_to(lab, "/api/v1/events?rate=20", NULL);
	size_t got;

	assert_int_equal(fake_rings.rate, 50000);
	assert_int_equal(fake_rings.wanted, MOAT_EVENT_VERDICTS | MOAT_EVENT_PASSES);
	for (int i = 0; i < 1000; i++)
		assert_true(fake_event(9));
	assert_true(wait_words(lab, &b, "\"limited\":"));
	for (int i = 0; i < 200 && count(&a, "event: packet") < 1000; i++) {
		wait_ms(lab, 10);
		take(&a);
	}
	assert_int_equal(count(&a, "event: packet"), 1000);
	got = count(&b, "event: packet");
	assert_in_range(got, 1, 40);
	hang_up(&a);
	hang_up(&b);
}

/* ---- what a filter lets through ---- */

static void assert_filter(struct lab *lab, const char *query, bool wanted)
{
	char path[200];
	struct client c;

	snprintf(path, sizeof(path), "/api/v1/events?format=ndjson&%s", query);
	c = listen_to(lab, path, "");
	assert_true(fake_event(7));
	wait_ms(lab, 40);
	take(&c);
	if (count(&c, "\"source\":\"198.51.100.7\"") != wanted)
		fail_msg("%s: %s", query, c.text);
	hang_up(&c);
}

static void a_filter_lets_through_what_it_says(void **state)
{
	struct lab *lab = *state;

	assert_filter(lab, "verdict=drop", true);
	assert_filter(lab, "verdict=tag,drop", true);
	assert_filter(lab, "verdict=tag,monitor", false);
	assert_filter(lab, "reason=listed", true);
	assert_filter(lab, "reason=limit,clean", false);
	assert_filter(lab, "category=botnet", true);
	assert_filter(lab, "category=research", false);
	assert_filter(lab, "iface=eth0", true);
	assert_filter(lab, "iface=eth1", false);
	assert_filter(lab, "source=198.51.100.0/24", true);
	assert_filter(lab, "source=198.51.100.7", true);
	assert_filter(lab, "source=198.51.101.0/24", false);
	assert_filter(lab, "source=2001:db8::/32", false);
}

static void a_filter_that_makes_no_sense_is_refused(void **state)
{
	static const char *const bad[] = {
		"verdict=fall", "reason=nosuch",	  "category=nosuch", "source=here",
		"rate=0",	"rate=1000001",		  "rate=x",	     "passes=2",
		"format=xml",	"topic=nosuch",		  "verdict=drop,,",  "iface=",
		"verdict=",	"iface=0123456789abcdef", "source=1.2.3.4/8"
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_response_ struct response r = {};
		char path[200];

		snprintf(path, sizeof(path), "/api/v1/events?%s", bad[i]);
		r = get(state, path);
		if (r.status != 400)
			fail_msg("%s: %d", bad[i], r.status);
	}
	assert_int_equal(fake_rings.renewals, 0);
}

static void head_begins_no_stream(void **state)
{
	_cleanup_response_ struct response r =
		lab_ask(*state, LAB_UNIX, "HEAD", "/api/v1/events", NULL);

	assert_int_equal(r.status, 200);
	assert_int_equal(http_streams_count(fake.daemon.streams), 0);
}

/* ---- slow, and many ---- */

static json_int_t said(const char *text, const char *key)
{
	const char *last = NULL;
	json_int_t value;
	json_t *object;

	for (const char *at = text; (at = strstr(at, "event: lost\ndata: ")); at++)
		last = at + strlen("event: lost\ndata: ");
	assert_non_null(last);
	object = json_loads(last, JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(object);
	value = json_integer_value(json_object_get(object, key));
	json_decref(object);
	return value;
}

static void who_is_slow_misses_events_and_is_told_how_many(void **state)
{
	struct lab *lab = *state;
	struct client slow = listen_to(lab, "/api/v1/events?bytes=1&rate=1000000", NULL);
	struct client quick = listen_to(lab, "/api/v1/events?rate=1000000", NULL);
	time_t end = time(NULL) + DEADLINE;
	size_t sent = 0;

	fake_rings.counts.suppressed = 5;
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 1000; i++)
			sent += fake_event((uint8_t)i);
		wait_ms(lab, 40);
		take(&quick);
	}
	/* The slow one reads again: what it has and what it is told it missed is all there was. */
	while (!strstr(slow.text, "event: lost") ||
	       (size_t)(said(slow.text, "slow") + said(slow.text, "delivered")) < sent) {
		assert_true(time(NULL) < end);
		wait_ms(lab, 20);
		take(&slow);
		take(&quick);
	}
	assert_true(said(slow.text, "slow") > 0);
	assert_int_equal(said(slow.text, "delivered") + said(slow.text, "slow"), sent);
	assert_int_equal(count(&slow, "event: packet"), said(slow.text, "delivered"));
	assert_int_equal(said(slow.text, "suppressed"), 5);
	assert_int_equal(count(&quick, "event: packet"), sent); /* nobody waited for the slow one */
	hang_up(&slow);
	hang_up(&quick);
}

static void there_is_a_last_place_and_then_it_is_said(void **state)
{
	struct lab *lab = *state;
	struct client c[HTTP_STREAMS_MAX];

	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++)
		c[i] = listen_to(lab, "/api/v1/events", "");
	{
		_cleanup_response_ struct response r = get(state, "/api/v1/events");

		assert_int_equal(r.status, 503);
		assert_non_null(strstr(r.text, "Retry-After: 30\r\n"));
	}
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++)
		hang_up(&c[i]);
}

static void a_server_that_ends_ends_the_streams(void **state)
{
	struct lab *lab = *state;
	struct client c = listen_to(lab, "/api/v1/events", "");

	assert_true(fake_event(1));
	wait_ms(lab, 30);
	lab->http = http_free(lab->http);
	take(&c);
	assert_non_null(strstr(c.text, "event: packet"));
	assert_non_null(strstr(c.text, "\r\n0\r\n\r\n")); /* its end, not its death */
	hang_up(&c);
}

static void where_there_are_no_events_it_is_said(void **state)
{
	fake.daemon.events = events_free(fake.daemon.events);
	{
		_cleanup_response_ struct response r = get(state, "/api/v1/events");

		assert_int_equal(r.status, 503);
		assert_non_null(strstr(r.text, "rings"));
	}
	assert_int_equal(http_streams_count(fake.daemon.streams), 0);
	fake.daemon.topics = topics_free(fake.daemon.topics);
	{
		_cleanup_response_ struct response r = get(state, "/api/v1/events?topic=rates");

		assert_int_equal(r.status, 503);
	}
	assert_int_equal(http_streams_count(fake.daemon.streams), 0);
}

/* ---- topics ---- */

static void a_topic_goes_to_all_who_listen_and_the_last_word_to_who_comes_late(void **state)
{
	struct lab *lab = *state;
	struct client a = listen_to(lab, "/api/v1/events?topic=rates", ""), b;

	assert_int_equal(topics_listeners(fake.daemon.topics, TOPIC_RATES), 1);
	assert_int_equal(fake_rings.renewals, 0); /* which is not about packets */
	topics_publish(fake.daemon.topics, TOPIC_RATES, "{\"n\":1}", 7);
	assert_true(wait_words(lab, &a, "event: rates\ndata: {\"n\":1}\n\n"));
	b = listen_to(lab, "/api/v1/events?topic=rates,packets&format=ndjson", "");
	assert_true(wait_words(lab, &b, "{\"n\":1}\n"));
	assert_true(fake_event(3));
	assert_true(wait_words(lab, &b, "\"source\":\"198.51.100.3\""));
	assert_null(strstr(b.text, "event:"));
	hang_up(&a);
	hang_up(&b);
	for (int i = 0; i < 200 && topics_listeners(fake.daemon.topics, TOPIC_RATES); i++) {
		topics_publish(fake.daemon.topics, TOPIC_RATES, "{}", 2);
		wait_ms(lab, 20);
	}
	assert_int_equal(topics_listeners(fake.daemon.topics, TOPIC_RATES), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(a_listener_gets_each_event_as_it_happens),
		T(json_lines_and_the_bytes_are_asked_for),
		T(nobody_listens_and_nothing_is_sampled),
		T(the_rate_is_the_highest_that_is_asked_for),
		T(a_filter_lets_through_what_it_says),
		T(a_filter_that_makes_no_sense_is_refused),
		T(head_begins_no_stream),
		T(who_is_slow_misses_events_and_is_told_how_many),
		T(there_is_a_last_place_and_then_it_is_said),
		T(a_server_that_ends_ends_the_streams),
		T(where_there_are_no_events_it_is_said),
		T(a_topic_goes_to_all_who_listen_and_the_last_word_to_who_comes_late),
#undef T
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
