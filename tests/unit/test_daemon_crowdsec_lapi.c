/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A LAPI on loopback, its answers written by the test, and feeds that ask it
 * through the real feeder and its child: what is asked, with which key, what
 * each answer leaves in the database, and what is told back.
 */
#include "tests/unit/test_store_lab.h"

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>

#include "daemon/feeder_child.h"
#include "daemon/feeds_run.h"
#include "tests/unit/fake_daemon.h"
#include "tests/unit/http_server.h"

#define LAPI_KEY "0123456789abcdef0123456789abcdef"
#define STREAM	 "/v1/decisions/stream?"
#define D(ip)                                                                                      \
	"{\"id\":1,\"origin\":\"cscli\",\"type\":\"ban\",\"scope\":\"Ip\",\"value\":\"" ip         \
	"\",\"duration\":\"4h\",\"scenario\":\"x\"}"
#define DAY 86400

/* ---- the LAPI ---- */

static struct lapi {
	pthread_mutex_t lock;
	int status;
	const char *body;
	int usage_status;
	char query[512], usage[16384]; /* of the last of each */
	unsigned int streams, usages, denied;
	bool agent_is_good;
} lapi = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void send_answer(struct http_exchange *x, int status, const char *body)
{
	http_send(x,
		  "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
		  "Content-Length: %zu\r\n\r\n%s",
		  status, strlen(body), body);
}

/* "name/version" and just one slash, or a LAPI takes it for a broken bouncer. */
static bool has_good_agent(const char *request)
{
	const char *agent = strstr(request, "User-Agent: "), *end, *slash;

	if (!agent)
		return false;
	agent += strlen("User-Agent: ");
	end = strstr(agent, "\r\n");
	slash = memchr(agent, '/', (size_t)(end - agent));
	return slash && slash > agent && slash + 1 < end &&
	       !memchr(slash + 1, '/', (size_t)(end - slash - 1));
}

static void answer(struct http_exchange *x, void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lapi.lock);
	if (!http_has_header(x->request, "X-Api-Key: " LAPI_KEY)) {
		lapi.denied++;
		send_answer(x, 403, "{\"message\":\"access forbidden\"}");
	} else if (!strcmp(x->path, "/v1/usage-metrics")) {
		const char *body = strstr(x->request, "\r\n\r\n");

		lapi.usages++;
		snprintf(lapi.usage, sizeof(lapi.usage), "%s", body ? body + 4 : "");
		send_answer(x, lapi.usage_status, lapi.usage_status == 201 ? "" : "{}");
	} else if (!strncmp(x->path, STREAM, strlen(STREAM))) {
		lapi.streams++;
		lapi.agent_is_good = has_good_agent(x->request);
		snprintf(lapi.query, sizeof(lapi.query), "%s", x->path + strlen(STREAM));
		send_answer(x, lapi.status, lapi.body);
	} else {
		send_answer(x, 404, "{\"message\":\"Page or Method not found\"}");
	}
	pthread_mutex_unlock(&lapi.lock);
}

/* ---- the feeds ---- */

static struct config_feed config_feed;
static struct feeds_run *feeds;
static struct http_server *server;
static struct moat_stats cells[MOAT_CELLS];
static char url[64], key_path[128];

static void write_key(const char *text)
{
	_cleanup_fclose_ FILE *f = fopen(key_path, "we");

	assert_non_null(f);
	fputs(text, f);
}

static int setup(void **state)
{
	int err = lab_setup(state);
	struct lab *lab = *state;

	fake_reset();
	memset(cells, 0, sizeof(cells));
	assert_int_equal(loop_new(&fake.daemon.loop), 0);
	fake.store = lab_open(lab);
	fake.stats = cells;
	fake.daemon.started = time(NULL);
	server = http_server_start(answer, NULL);
	lapi = (struct lapi){ .lock = PTHREAD_MUTEX_INITIALIZER,
			      .status = 200,
			      .usage_status = 201 };
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", http_server_port(server));
	snprintf(key_path, sizeof(key_path), "%s/key", lab->directory);
	write_key(LAPI_KEY "\n");
	fake.config.database = lab->uri;
	config_feed = (struct config_feed){
		.name = "lapi",
		.url = url,
		.category = "botnet",
		.every = 3600,
		.ttl = DAY,
		.confidence = -1,
		.limits = { 50, 300, 20, { 12, 28 } },
		.parse = { .format = FEED_CROWDSEC },
		.crowdsec = { .key_file = key_path },
	};
	fake.config.feed = &config_feed;
	fake.config.feeds = 1;
	fake.config.limits = config_feed.limits;
	assert_int_equal(feeds_run_new(&fake.daemon, &feeds), 0);
	return err;
}

static int teardown(void **state)
{
	feeds = feeds_run_free(feeds);
	fake.store = store_free(fake.store);
	loop_free(fake.daemon.loop);
	server = http_server_stop(server);
	return lab_teardown(state);
}

/* ---- waiting ---- */

struct wait {
	bool (*holds)(void *arg);
	void *arg;
	int64_t deadline;
	bool late;
};

static void look(void *arg)
{
	struct wait *wait = arg;

	wait->late = lab_ms() > wait->deadline;
	if (wait->late || wait->holds(wait->arg))
		loop_stop(fake.daemon.loop);
}

static void wait_until(bool (*holds)(void *arg), void *arg)
{
	struct wait wait = { holds, arg, lab_ms() + DEADLINE_MS, false };
	int timer = loop_timer(fake.daemon.loop, 1, 1, look, &wait);

	assert_int_equal(loop_run(fake.daemon.loop), 0);
	loop_timer_remove(fake.daemon.loop, timer);
	assert_false(wait.late);
}

struct answered {
	bool started, done;
	struct feed_report report;
};

static void on_answer(void *arg, int error, const struct feed_report *report,
		      const struct problem *why)
{
	struct answered *a = arg;

	(void)why;
	assert_int_equal(error, 0);
	a->report = *report;
	a->done = true;
}

static bool has_answer(void *arg)
{
	const struct actor actor = { "test", "test" };
	struct answered *a = arg;
	struct problem why = {};

	/* Not before the database was read, and not beside the first fetch of its own. */
	if (!a->started)
		a->started = !feeds_run_fetch(feeds, "lapi", &actor, on_answer, a, &why);
	return a->done;
}

/* The LAPI answers so, and the feed asks. */
static struct feed_report poll_answer(int status, const char *body)
{
	struct answered a = {};

	pthread_mutex_lock(&lapi.lock);
	lapi.status = status;
	lapi.body = body;
	pthread_mutex_unlock(&lapi.lock);
	wait_until(has_answer, &a);
	return a.report;
}

static int64_t rows(const struct lab *lab)
{
	return lab_number(lab, "SELECT count(*) FROM listing WHERE feed = 'lapi'");
}

/* ---- the stream ---- */

static void each_answer_leaves_what_it_should(void **state)
{
	struct lab *lab = *state;
	struct feed_report r;

	r = poll_answer(200, "{\"new\":[" D("192.0.2.1") "," D("192.0.2.2") "," D("192.0.2.3") //
			"," D("192.0.2.4") "],\"deleted\":[]}");
	assert_true(r.applied);
	assert_string_equal(lapi.query, "startup=true&scopes=ip,range,as");
	assert_true(lapi.agent_is_good);
	assert_int_equal(rows(lab), 4);

	poll_answer(200, "{\"new\":null,\"deleted\":[" D("192.0.2.1") "]}");
	assert_string_equal(lapi.query, "startup=false&scopes=ip,range,as");
	assert_int_equal(rows(lab), 3);
	assert_true(poll_answer(200, "{\"new\":null,\"deleted\":null}").applied);
	assert_int_equal(rows(lab), 3);

	/* An error: nothing changes, and what comes after it is not trusted to be a delta. */
	r = poll_answer(500, "<html><body>502 Bad Gateway</body></html>");
	assert_string_equal(r.cause, "fetch");
	assert_int_equal(rows(lab), 3);
	r = poll_answer(200, "{\"new\":[" D("192.0.2.2") "],\"deleted\":[]}");
	assert_string_equal(lapi.query, "startup=true&scopes=ip,range,as");
	assert_int_equal(rows(lab), 3);
	/* The same cut answer again: two thirds of the feed are more than max_shrink. */
	poll_answer(200, "{\"new\":[" D("192.0.2.2") "],\"deleted\":[]}");
	assert_string_equal(lapi.query, "startup=true&scopes=ip,range,as");
	assert_int_equal(rows(lab), 3);
	poll_answer(200, "{\"new\":[],\"deleted\":[]}");
	assert_string_equal(lapi.query, "startup=false&scopes=ip,range,as");
	assert_int_equal(rows(lab), 3);

	/* A page with status 200 instead of an answer. */
	r = poll_answer(200, "<html><body>Welcome</body></html>");
	assert_string_equal(r.cause, "error_page");
	assert_int_equal(rows(lab), 3);
	poll_answer(200, "{\"new\":[" D("192.0.2.2") "," D("192.0.2.3") "," D("192.0.2.4") //
		    "],\"deleted\":[]}");
	assert_string_equal(lapi.query, "startup=true&scopes=ip,range,as");
	assert_int_equal(rows(lab), 3);
}

static void write_plain(int fd)
{
	static const char list[] = "203.0.113.1\n";

	assert_int_equal(write(fd, list, sizeof(list) - 1), (ssize_t)sizeof(list) - 1);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static bool is_done(void *arg)
{
	return ((struct answered *)arg)->done;
}

static void after_an_import_all_decisions_are_asked_for(void **state)
{
	struct lab *lab = *state;
	struct feeds_import import = {
		.feed = "lapi", .format = FEED_PLAIN, .force = true, .actor = { "root", "moatctl" }
	};
	struct answered a = {};
	struct problem why = {};
	char path[160];

	poll_answer(200, "{\"new\":[" D("192.0.2.1") "," D("192.0.2.2") "],\"deleted\":[]}");
	snprintf(path, sizeof(path), "%s/list", lab->directory);
	import.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(import.fd >= 0);
	write_plain(import.fd);
	assert_int_equal(feeds_run_import(feeds, &import, on_answer, &a, &why), 0);
	wait_until(is_done, &a);
	assert_true(a.report.applied);
	assert_int_equal(rows(lab), 1); /* as it was asked */
	poll_answer(200, "{\"new\":[" D("192.0.2.1") "," D("192.0.2.2") "],\"deleted\":[]}");
	assert_string_equal(lapi.query, "startup=true&scopes=ip,range,as");
	assert_int_equal(rows(lab), 3);
}

static void no_answer_is_kept_on_disk(void **state)
{
	struct lab *lab = *state;
	char path[160];

	poll_answer(200, "{\"new\":[" D("192.0.2.1") "],\"deleted\":[]}");
	snprintf(path, sizeof(path), "%s/feeds/lapi", lab->directory);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void a_key_that_is_not_taken_is_said(void **state)
{
	struct lab *lab = *state;
	struct feed_report r;

	poll_answer(200, "{\"new\":[" D("192.0.2.1") "],\"deleted\":[]}");
	write_key("another");
	r = poll_answer(200, "{\"new\":[],\"deleted\":[]}");
	assert_string_equal(r.cause, "fetch");
	assert_non_null(strstr(r.why.text, "403"));
	assert_non_null(strstr(r.why.text, "api_key_file"));
	assert_null(strstr(r.why.text, "another"));
	assert_true(lapi.denied > 0);
	write_key("two words");
	r = poll_answer(200, "{\"new\":[],\"deleted\":[]}");
	assert_non_null(strstr(r.why.text, "wanted the key and nothing else"));
	assert_null(strstr(r.why.text, "two words"));
	unlink(key_path);
	r = poll_answer(200, "{\"new\":[],\"deleted\":[]}");
	assert_non_null(strstr(r.why.text, "No such file"));
	assert_int_equal(rows(lab), 1);
}

/* ---- usage metrics ---- */

static uint64_t sent, failed;

static void take_numbers(void *arg, const char *feed, uint64_t s, uint64_t f)
{
	(void)arg;
	assert_string_equal(feed, "lapi");
	sent = s;
	failed = f;
}

static bool has_reported(void *arg)
{
	sent = failed = 0;
	feeds_run_each_usage(feeds, take_numbers, NULL);
	return sent + failed >= *(const uint64_t *)arg;
}

static bool has_begun(void *arg)
{
	failed = UINT64_MAX;
	feeds_run_each_usage(feeds, take_numbers, arg);
	return failed != UINT64_MAX;
}

static void wait_reports(uint64_t wanted)
{
	wait_until(has_reported, &wanted);
}

static void count_packets(uint32_t verdict, uint32_t reason, uint32_t category, uint64_t packets)
{
	struct moat_stats *cell = &cells[moat_cell(MOAT_IPV4, verdict, reason, category)];

	cell->packets += packets;
	cell->bytes += packets * 100;
}

/* The value of the last report's item, -1: it has none such. */
static int64_t item(const char *name, const char *unit, const char *ip_type)
{
	json_t *root = json_loads(lapi.usage, JSON_REJECT_DUPLICATES, NULL), *metrics, *one;
	int64_t value = -1;
	size_t i;

	if (!root)
		fail_msg("not JSON: %s", lapi.usage);
	metrics =
		json_array_get(json_object_get(json_array_get(json_object_get(root, "remediation"
										    "_components"),
							      0),
					       "metrics"),
			       0);
	json_array_foreach(json_object_get(metrics, "items"), i, one) {
		const char *type = json_string_value(
			json_object_get(json_object_get(one, "labels"), "ip_type"));

		if (!strcmp(json_string_value(json_object_get(one, "name")), name) &&
		    !strcmp(json_string_value(json_object_get(one, "unit")), unit) &&
		    !strcmp(type ?: "", ip_type))
			value = json_integer_value(json_object_get(one, "value"));
	}
	json_decref(root);
	return value;
}

static void the_lapi_is_told_what_was_dropped_since_it_last_took_a_report(void **state)
{
	(void)state;
	poll_answer(200, "{\"new\":[" D("192.0.2.1") "," D("192.0.2.2") "," D("2001:db8::1") //
		    "],\"deleted\":[]}");
	count_packets(MOAT_VERDICT_DROP, MOAT_LISTED, FAKE_BOTNET, 100);
	wait_until(has_begun, NULL); /* what was counted before is not its own */
	count_packets(MOAT_VERDICT_DROP, MOAT_LISTED, FAKE_BOTNET, 7);
	count_packets(MOAT_VERDICT_DROP, MOAT_LISTED, FAKE_BRUTEFORCE, 5); /* another's */
	count_packets(MOAT_VERDICT_PASS, MOAT_CLEAN, 0, 30);
	config_feed.crowdsec.usage = 1;
	wait_reports(1);
	assert_int_equal(sent, 1);
	assert_int_equal(item("active_decisions", "ip", "ipv4"), 2);
	assert_int_equal(item("active_decisions", "ip", "ipv6"), 1);
	assert_int_equal(item("dropped", "packet", "ipv4"), 7);
	assert_int_equal(item("dropped", "byte", "ipv4"), 700);
	assert_int_equal(item("dropped", "packet", "ipv6"), 0);
	assert_int_equal(item("processed", "packet", "ipv4"), 42);
	assert_non_null(strstr(lapi.usage, "\"origin\":\"cscli\",\"remediation\":\"ban\""));
	assert_non_null(strstr(lapi.usage, "\"os\":{\"name\":\""));
	assert_non_null(strstr(lapi.usage, "\"window_size_seconds\":"));

	/* One that is not taken is in the next. */
	count_packets(MOAT_VERDICT_DROP, MOAT_LISTED, FAKE_BOTNET, 3);
	lapi.usage_status = 500;
	wait_reports(2);
	assert_int_equal(failed, 1);
	assert_int_equal(item("dropped", "packet", "ipv4"), 3);
	count_packets(MOAT_VERDICT_DROP, MOAT_LISTED, FAKE_BOTNET, 1);
	lapi.usage_status = 201;
	wait_reports(3);
	assert_int_equal(sent, 2);
	assert_int_equal(item("dropped", "packet", "ipv4"), 4);
	/* Nothing new. */
	wait_reports(4);
	assert_int_equal(item("dropped", "packet", "ipv4"), 0);
	assert_int_equal(item("processed", "packet", "ipv4"), 0);
	assert_true(poll_answer(200, "{\"new\":[],\"deleted\":[]}").applied);
	assert_string_equal(lapi.query, "startup=false&scopes=ip,range,as");
}

static void a_lapi_without_usage_metrics_is_no_trouble(void **state)
{
	struct feed_view view;

	(void)state;
	poll_answer(200, "{\"new\":[" D("192.0.2.1") "],\"deleted\":[]}");
	lapi.usage_status = 404;
	config_feed.crowdsec.usage = 1;
	wait_reports(1);
	assert_int_equal(failed, 1);
	feeds_run_view(feeds, 0, &view);
	assert_string_equal(view.state->fault, "");
	assert_true(poll_answer(200, "{\"new\":[],\"deleted\":[]}").applied);
	assert_string_equal(lapi.query, "startup=false&scopes=ip,range,as");
}

static void what_is_off_is_not_told(void **state)
{
	(void)state;
	poll_answer(200, "{\"new\":[],\"deleted\":[]}");
	poll_answer(200, "{\"new\":[],\"deleted\":[]}");
	assert_int_equal(lapi.usages, 0);
}

#define with_lapi(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with_lapi(each_answer_leaves_what_it_should),
		with_lapi(after_an_import_all_decisions_are_asked_for),
		with_lapi(no_answer_is_kept_on_disk),
		with_lapi(a_key_that_is_not_taken_is_said),
		with_lapi(the_lapi_is_told_what_was_dropped_since_it_last_took_a_report),
		with_lapi(a_lapi_without_usage_metrics_is_no_trouble),
		with_lapi(what_is_off_is_not_told),
	};

	if (feeder_is_child(argc, argv))
		feeder_child_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
