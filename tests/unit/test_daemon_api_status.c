/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Status, readiness, metrics, explain, audit, and the switches over HTTP.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#include "daemon/labels.h"
#include "moat/stats.h"
#include "tests/unit/http_lab.h"

#define PROMTOOL "/usr/bin/promtool"

/* What stands at a path of members, "a.b.c". */
static const json_t *at(const struct response *r, const char *path)
{
	const json_t *found = r->json;
	char key[32];

	while (*path) {
		size_t len = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		found = json_object_get(found, key);
		path += len + (path[len] == '.');
	}
	return found;
}

static const char *text_at(const struct response *r, const char *path)
{
	const char *text = json_string_value(at(r, path));

	return text ? text : "";
}

static json_int_t number_at(const struct response *r, const char *path)
{
	return json_integer_value(at(r, path));
}

/* ---- status and readiness ---- */

static void status_says_what_is_in_force(void **state)
{
	struct response r;

	fake.numbers.wanted[MOAT_IPV4] = 10;
	fake.numbers.installed[MOAT_IPV4] = 9;
	fake.numbers.refused[MOAT_IPV4] = 1;
	fake.numbers.coverage = 0.9;
	fake.numbers.by_cause[GATE_NEVER_BLOCK] = 2;
	fake.numbers.seq_database = 12;
	fake.numbers.seq_kernel = 11;
	fake.numbers.last_success = 1763895600;
	fake.numbers.capacity[MOAT_IPV6] = 77;
	r = get(state, "/api/v1/status");
	assert_int_equal(r.status, 200);
	assert_string_equal(text_at(&r, "version"), MOAT_VERSION);
	assert_string_equal(text_at(&r, "started_at"), "2025-11-23T11:00:00Z");
	assert_string_equal(text_at(&r, "state"), "ok");
	assert_true(json_is_null(at(&r, "paused")));
	assert_int_equal(number_at(&r, "coverage.wanted.ipv4"), 10);
	assert_int_equal(number_at(&r, "coverage.installed.ipv4"), 9);
	assert_int_equal(number_at(&r, "coverage.refused.ipv4"), 1);
	assert_true(json_real_value(at(&r, "coverage.ratio")) == 0.9);
	assert_int_equal(number_at(&r, "refused_rows.never_block"), 2);
	assert_int_equal(json_object_size(at(&r, "refused_rows")), 1);
	assert_int_equal(number_at(&r, "sync.seq_database"), 12);
	assert_int_equal(number_at(&r, "sync.seq_kernel"), 11);
	assert_string_equal(text_at(&r, "sync.last_success"), "2025-11-23T11:00:00Z");
	assert_int_equal(number_at(&r, "capacity.ipv6.capacity"), 77);
	assert_string_equal(text_at(&r, "database.uri"), "sqlite:///tmp/moat.db");
	response_free(&r);
}

static void status_and_metrics_say_how_full_the_sieve_is(void **state)
{
	struct response r;

	fake.sieve = (struct tables_sieve_state){
		.wanted = true,
		.on = true,
		.why = "",
		.memory = 5 << 20,
		.numbers = { .hosts = 7,
			     .host_slots = 32,
			     .nodes = 3,
			     .node_room = 512,
			     .sources6 = 5,
			     .slots6 = 20,
			     .asked = 2,
			     .resizes = 4 },
	};
	r = get(state, "/api/v1/status");
	assert_true(json_is_true(at(&r, "sieve.on")));
	assert_true(json_is_null(at(&r, "sieve.problem")));
	assert_string_equal(text_at(&r, "state"), "ok"); /* what has no room is asked for */
	assert_int_equal(number_at(&r, "sieve.memory_bytes"), 5 << 20);
	assert_int_equal(number_at(&r, "sieve.hosts"), 7);
	assert_int_equal(number_at(&r, "sieve.host_slots"), 32);
	assert_int_equal(number_at(&r, "sieve.asked"), 2);
	response_free(&r);
	r = get(state, "/metrics");
	assert_non_null(strstr(r.body, "moat_sieve_enabled 1\n"));
	assert_non_null(strstr(r.body, "moat_sieve_memory_bytes 5242880\n"));
	assert_non_null(strstr(r.body, "moat_sieve_asked 2\n"));
	assert_non_null(strstr(r.body, "moat_sieve_resizes_total 4\n"));
	assert_non_null(strstr(r.body, "moat_map_entries{map=\"moat_hosts4\"} 7\n"));
	assert_non_null(strstr(r.body, "moat_map_capacity{map=\"moat_nodes4\"} 512\n"));
	assert_non_null(strstr(r.body, "moat_map_capacity{map=\"moat_buckets6\"} 20\n"));
	response_free(&r);
}

static void without_a_sieve_status_says_why_and_metrics_have_no_rows_of_it(void **state)
{
	struct response r;

	fake.sieve = (struct tables_sieve_state){ .wanted = true, .why = "no memory" };
	r = get(state, "/api/v1/status");
	assert_true(json_is_false(at(&r, "sieve.on")));
	assert_string_equal(text_at(&r, "sieve.problem"), "no memory");
	response_free(&r);
	r = get(state, "/metrics");
	assert_non_null(strstr(r.body, "moat_sieve_enabled 0\n"));
	assert_null(strstr(r.body, "moat_hosts4"));
	response_free(&r);
}

static void status_says_what_is_degraded_and_what_to_do(void **state)
{
	const json_t *thing;
	struct response r;

	fake.degraded = 2;
	fake.degraded_what[0] = "interface eth0";
	fake.degraded_what[1] = "database";
	fake.paused = 300;
	fake.view[0].attachment.mode = ATTACH_NONE;
	fake.view[0].problem = "gone";
	r = get(state, "/api/v1/status");
	assert_string_equal(text_at(&r, "state"), "degraded");
	assert_int_equal(number_at(&r, "paused.seconds_left"), 300);
	assert_int_equal(json_array_size(at(&r, "degraded")), 2);
	thing = json_array_get(at(&r, "degraded"), 0);
	assert_string_equal(json_string_value(json_object_get(thing, "what")), "interface eth0");
	assert_string_equal(json_string_value(json_object_get(thing, "do")), "mend it");
	thing = json_array_get(at(&r, "interfaces"), 0);
	assert_true(json_is_false(json_object_get(thing, "attached")));
	assert_true(json_is_null(json_object_get(thing, "mode")));
	assert_string_equal(json_string_value(json_object_get(thing, "problem")), "gone");
	response_free(&r);
}

static void status_says_what_the_kernel_lacks_without_being_degraded(void **state)
{
	struct response r;

	fake.kernel_lacks = "frags";
	r = get(state, "/api/v1/status");
	assert_string_equal(text_at(&r, "state"), "ok");
	assert_non_null(strstr(r.body, "{\"what\":\"frags\",\"without\":\"done without\"}"));
	response_free(&r);
}

static void assert_unready(void **state, const char *reason)
{
	struct response r = get(state, "/readyz");

	assert_int_equal(r.status, 503);
	if (!strstr(r.body, reason))
		fail_msg("'%s' lacks '%s'", r.body, reason);
	response_free(&r);
	fake_reset_state();
}

static void ready_is_a_filter_that_is_in_force_and_covers_everything(void **state)
{
	struct response r = get(state, "/readyz");

	assert_int_equal(r.status, 200);
	assert_string_equal(r.body, "ready\n");
	response_free(&r);

	fake.view[0].attachment.mode = ATTACH_NONE;
	assert_unready(state, "interface eth0: not attached");
	fake.interfaces = 0;
	assert_unready(state, "no interface");
	fake.numbers.started = false;
	assert_unready(state, "database: not in force yet");
	fake.numbers.coverage = 0.9999999;
	assert_unready(state, "coverage: ");
	fake.paused = -1;
	assert_unready(state, "paused");
	fake.daemon.selftest_ok = false;
	assert_unready(state, "self-test");
}

/* ---- metrics ---- */

static void assert_line(const struct response *r, const char *line)
{
	char needle[300];

	snprintf(needle, sizeof(needle), "\n%s\n", line);
	if (!strstr(r->body, needle))
		fail_msg("no line '%s' in:\n%s", line, r->body);
}

static void packets_are_counted_by_what_happened_to_them(void **state)
{
	struct moat_stats *stats = calloc(MOAT_CELLS, sizeof(*stats));
	struct response r;

	assert_non_null(stats);
	stats[moat_cell(MOAT_IPV4, MOAT_VERDICT_DROP, MOAT_LISTED, FAKE_BOTNET)] =
		(struct moat_stats){ .packets = 5, .bytes = 300 };
	stats[moat_cell(MOAT_IPV6, MOAT_VERDICT_PASS, MOAT_ALLOWED, MOAT_CATEGORY_ALLOW)] =
		(struct moat_stats){ .packets = 2, .bytes = 128 };
	stats[moat_cell(MOAT_OTHER, MOAT_VERDICT_PASS, MOAT_NOT_IP, 0)] =
		(struct moat_stats){ .packets = 7, .bytes = 420 };
	/* Categories that left the configuration: no two series may be the same. */
	stats[moat_cell(MOAT_IPV4, MOAT_VERDICT_DROP, MOAT_LISTED, 40)] =
		(struct moat_stats){ .packets = 1, .bytes = 60 };
	stats[moat_cell(MOAT_IPV4, MOAT_VERDICT_DROP, MOAT_LISTED, 41)] =
		(struct moat_stats){ .packets = 1, .bytes = 60 };
	fake.stats = stats;
	r = get(state, "/metrics");
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.text, "Content-Type: text/plain; version=0.0.4"));
#define PACKETS "moat_packets_total{iface=\"eth0\",family="
	assert_line(&r,
		    PACKETS "\"ipv4\",verdict=\"drop\",reason=\"listed\",category=\"botnet\"} 5");
	assert_line(&r, "moat_bytes_total{iface=\"eth0\",family=\"ipv4\",verdict=\"drop\","
			"reason=\"listed\",category=\"botnet\"} 300");
	assert_line(&r,
		    PACKETS "\"ipv6\",verdict=\"pass\",reason=\"allowed\",category=\"allow\"} 2");
	assert_line(&r, PACKETS "\"other\",verdict=\"pass\",reason=\"not_ip\",category=\"\"} 7");
	assert_line(&r, PACKETS "\"ipv4\",verdict=\"pass\",reason=\"clean\",category=\"\"} 0");
	assert_line(&r, PACKETS "\"ipv4\",verdict=\"drop\",reason=\"listed\",category=\"40\"} 1");
	assert_line(&r, PACKETS "\"ipv4\",verdict=\"drop\",reason=\"listed\",category=\"41\"} 1");
	response_free(&r);
	fake.stats = NULL;
	free(stats);
}

/* Every cell has a series of its own, and the series add up to the packets seen. */
static void the_sum_over_all_series_is_the_packets_seen(void **state)
{
	struct moat_stats *stats = calloc(MOAT_CELLS, sizeof(*stats));
	unsigned long long sum = 0;
	struct response r;
	size_t series = 0;

	assert_non_null(stats);
	for (size_t i = 0; i < MOAT_CELLS; i++)
		stats[i] = (struct moat_stats){ .packets = i + 1, .bytes = 0 };
	fake.stats = stats;
	r = get(state, "/metrics");
	for (const char *line = strstr(r.body, "\nmoat_packets_total{"); line;
	     line = strstr(line + 1, "\nmoat_packets_total{")) {
		sum += strtoull(strstr(line, "} ") + 2, NULL, 10);
		series++;
	}
	assert_int_equal(series, MOAT_CELLS);
	assert_true(sum == (unsigned long long)MOAT_CELLS * (MOAT_CELLS + 1) / 2);
	response_free(&r);
	fake.stats = NULL;
	free(stats);
}

static void sync_and_sources_are_metrics(void **state)
{
	struct response r;

	fake.has_counts = true;
	fake.numbers.wanted[MOAT_IPV6] = 3;
	fake.numbers.coverage = 0.5;
	fake.numbers.by_cause[GATE_MAP_FULL] = 4;
	fake.numbers.latency_count[0] = 2;
	fake.numbers.latency_count[SYNC_LATENCY_BUCKETS] = 1;
	fake.numbers.latency_sum = 31.5;
	fake.numbers.adds = 6;
	r = get(state, "/metrics");
	assert_line(&r, "moat_build_info{version=\"" MOAT_VERSION "\"} 1");
	assert_line(&r, "moat_listings{feed=\"manual\",category=\"botnet\",state=\"live\"} 2");
	assert_line(&r, "moat_sources{family=\"ipv6\",state=\"wanted\"} 3");
	assert_line(&r, "moat_coverage_ratio 0.5");
	assert_line(&r, "moat_refused{cause=\"map_full\"} 4");
	assert_line(&r, "moat_interface_attached{iface=\"eth0\",mode=\"native\"} 1");
	assert_line(&r, "moat_interface_attached{iface=\"eth0\",mode=\"generic\"} 0");
	assert_line(&r, "moat_sync_latency_seconds_bucket{le=\"0.001\"} 2");
	assert_line(&r, "moat_sync_latency_seconds_bucket{le=\"30\"} 2");
	assert_line(&r, "moat_sync_latency_seconds_bucket{le=\"+Inf\"} 3");
	assert_line(&r, "moat_sync_latency_seconds_sum 31.5");
	assert_line(&r, "moat_sync_latency_seconds_count 3");
	assert_line(&r, "moat_changes_total{op=\"add\"} 6");
	assert_line(&r, "moat_selftest_ok 1");
	assert_line(&r, "moat_paused 0");
	response_free(&r);
}

/* It says on standard output and error what it finds, and exits non-zero. */
static void check_with_promtool(const char *metrics)
{
	char *const argv[] = { (char *)"promtool", (char *)"check", (char *)"metrics", NULL };
	posix_spawn_file_actions_t actions;
	size_t size = strlen(metrics);
	int pipes[2], status = -1;
	pid_t pid;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pipes[0], STDIN_FILENO);
	assert_int_equal(posix_spawn(&pid, PROMTOOL, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pipes[0]);
	while (size) {
		ssize_t n = write(pipes[1], metrics, size);

		assert_true(n > 0);
		metrics += n;
		size -= (size_t)n;
	}
	close(pipes[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void promtool_has_nothing_to_say(void **state)
{
	struct moat_stats *stats = calloc(MOAT_CELLS, sizeof(*stats));
	struct response r;

	assert_non_null(stats);
	if (access(PROMTOOL, X_OK)) {
		free(stats);
		print_message("SKIPPED: promtool is not here (package prometheus)\n");
		skip();
	}
	for (size_t i = 0; i < MOAT_CELLS; i++)
		stats[i] = (struct moat_stats){ .packets = i, .bytes = i };
	fake.stats = stats;
	fake.has_counts = true;
	r = get(state, "/metrics");
	check_with_promtool(r.body);
	response_free(&r);
	fake.stats = NULL;
	free(stats);
}

/* ---- explain ---- */

static void explain_a_drop(void)
{
	struct explanation *e = &fake.explanation;
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	e->listed = e->in_kernel = true;
	prefix_parse("192.0.2.0/24", &e->key);
	e->plan = (struct plan){ .count = 1, .phase = { { 1ULL << FAKE_BRUTEFORCE, 4102444800 } } };
	e->kernel_set = 1ULL << FAKE_BRUTEFORCE;
	e->value.expires = (uint32_t)(((boot.tv_sec + 3600) * 1000000000ULL) >> MOAT_TICK_SHIFT);
	e->value.next = 2;
	fake.phase[2].next = 3;
	e->outcome = (struct outcome){
		.verdict = MOAT_VERDICT_DROP,
		.reason = MOAT_LISTED,
		.category = FAKE_BRUTEFORCE,
	};
	e->model_verdict = MOAT_VERDICT_DROP;
	e->model_reason = MOAT_LISTED;
	e->model_category = FAKE_BRUTEFORCE;
}

static void explain_shows_listings_policy_kernel_and_verdict(void **state)
{
	const struct actor actor = { "root", "test" };
	const struct listing_input row = {
		.source = "192.0.2.7", .category = "bruteforce", .feed = "manual", .confidence = -1
	};
	struct response r;
	json_int_t left;

	explain_a_drop();
	assert_int_equal(store_add(fake.store, &actor, &row, 1, NULL), 0);
	r = get(state, "/api/v1/explain?address=192.0.2.7&proto=tcp&port=22&iface=eth0");
	assert_int_equal(r.status, 200);
	assert_string_equal(text_at(&r, "address"), "192.0.2.7");
	assert_int_equal(json_array_size(at(&r, "listings")), 1);
	assert_string_equal(text_at(&r, "decides.source"), "192.0.2.0/24");
	assert_string_equal(text_at(&r, "decides.until"), "2100-01-01T00:00:00Z");
	assert_string_equal(json_string_value(json_array_get(at(&r, "decides.categories"), 0)),
			    "bruteforce");
	assert_string_equal(text_at(&r, "policy.category"), "bruteforce");
	assert_string_equal(text_at(&r, "policy.action"), "drop");
	assert_string_equal(text_at(&r, "policy.scope"), "tcp ports 22, 3389-3400");
	assert_int_equal(number_at(&r, "kernel.phases"), 3);
	left = number_at(&r, "kernel.expires_in_seconds");
	assert_in_range(left, 3570, 3600);
	assert_string_equal(text_at(&r, "verdict"), "drop");
	assert_string_equal(text_at(&r, "reason"), "listed");
	assert_string_equal(text_at(&r, "reason_text"), label_reason_text(MOAT_LISTED));
	assert_string_equal(text_at(&r, "category"), "bruteforce");
	assert_true(json_is_false(at(&r, "differ")));
	assert_true(json_is_false(at(&r, "replies_pass")));
	assert_int_equal(fake.asked.protocol, 6);
	assert_int_equal(fake.asked.port, 22);
	response_free(&r);
}

static void explain_says_that_replies_pass_and_metrics_how_many_are_known(void **state)
{
	struct response r;

	explain_a_drop();
	fake.flows = 4096;
	r = get(state, "/api/v1/explain?address=192.0.2.7");
	assert_true(json_is_true(at(&r, "replies_pass")));
	response_free(&r);
	r = get(state, "/metrics");
	assert_non_null(strstr(r.body, "moat_map_capacity{map=\"moat_flows\"} 4096\n"));
	response_free(&r);
}

static void explain_says_where_model_and_kernel_differ(void **state)
{
	struct response r;

	explain_a_drop();
	fake.explanation.outcome.verdict = MOAT_VERDICT_PASS;
	fake.explanation.outcome.reason = MOAT_CLEAN;
	fake.explanation.in_kernel = false;
	fake.explanation.differ = true;
	r = get(state, "/api/v1/explain?address=192.0.2.7");
	assert_true(json_is_true(at(&r, "differ")));
	assert_string_equal(text_at(&r, "verdict"), "pass");
	assert_string_equal(text_at(&r, "model.verdict"), "drop");
	assert_string_equal(text_at(&r, "model.category"), "bruteforce");
	assert_true(json_is_null(at(&r, "kernel")));
	assert_true(json_is_null(at(&r, "category")));
	assert_int_equal(fake.asked.port, -1);
	response_free(&r);
}

static void explain_answers_from_the_kernel_without_a_database(void **state)
{
	struct store *open = take_ptr(fake.store);
	struct response r = get(state, "/api/v1/explain?address=2001:db8::1");

	fake.store = open;
	assert_int_equal(r.status, 200);
	assert_string_equal(text_at(&r, "verdict"), "pass");
	assert_true(json_is_null(at(&r, "decides")));
	response_free(&r);
}

static void explain_takes_one_address_and_a_packet_that_can_be(void **state)
{
	static const char *const bad[] = {
		"",
		"address=",
		"address=nonsense",
		"address=192.0.2.0/24",
		"address=192.0.2.1&proto=tpc",
		"address=192.0.2.1&proto=256",
		"address=192.0.2.1&port=65536",
		"address=192.0.2.1&port=-1",
	};
	char path[100];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct response r;

		snprintf(path, sizeof(path), "/api/v1/explain?%s", bad[i]);
		r = get(state, path);
		assert_int_equal(r.status, 400);
		response_free(&r);
	}
}

/* ---- switches and audit ---- */

static void pause_is_for_a_time_or_until_resumed(void **state)
{
	struct response r = post(state, "/api/v1/pause", "{\"for\":\"5m\"}");

	assert_int_equal(r.status, 200);
	assert_int_equal(number_at(&r, "paused.seconds_left"), 300);
	response_free(&r);
	r = post(state, "/api/v1/pause", NULL);
	assert_int_equal(r.status, 200);
	assert_true(json_is_null(at(&r, "paused.seconds_left")));
	assert_int_equal(fake.paused, -1);
	response_free(&r);
	r = post(state, "/api/v1/resume", NULL);
	assert_int_equal(r.status, 200);
	assert_int_equal(fake.paused, 0);
	response_free(&r);
}

static void a_bad_pause_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"{\"for\":5}", "{\"for\":\"5 minutes\"}",	 "{\"four\":\"5m\"}", "[]",
		"{",	       "{\"for\":\"5m\",\"for\":\"6m\"}"
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct response r = post(state, "/api/v1/pause", bad[i]);

		assert_int_equal(r.status, 400);
		response_free(&r);
	}
	assert_int_equal(fake.paused, 0);
}

static void detach_and_attach_are_done_and_written_down(void **state)
{
	struct response r = post(state, "/api/v1/interfaces/eth0/detach", NULL);
	const json_t *entry;

	assert_int_equal(r.status, 200);
	assert_true(json_is_false(at(&r, "interface.attached")));
	response_free(&r);
	r = post(state, "/api/v1/interfaces/eth0/attach", NULL);
	assert_int_equal(r.status, 200);
	assert_string_equal(text_at(&r, "interface.mode"), "native");
	response_free(&r);
	r = get(state, "/api/v1/audit?since=0&limit=5");
	assert_int_equal(json_array_size(at(&r, "audit")), 2);
	entry = json_array_get(at(&r, "audit"), 0);
	assert_string_equal(json_string_value(json_object_get(entry, "verb")), "detach");
	assert_string_equal(json_string_value(json_object_get(entry, "detail")), "eth0");
	response_free(&r);
}

static void a_foreign_program_is_a_conflict_and_named(void **state)
{
	struct response r;

	fake.attach_error = -EEXIST;
	r = post(state, "/api/v1/interfaces/eth0/attach", NULL);
	assert_int_equal(r.status, 409);
	assert_non_null(strstr(response_text(&r, "detail"), "XDP program 42 'other'"));
	response_free(&r);
}

static void audit_starts_where_it_is_asked_to(void **state)
{
	const struct actor actor = { "root", "test" };
	struct response r;

	assert_int_equal(store_audit(fake.store, &actor, 1000, "old", "x", NULL), 0);
	assert_int_equal(store_audit(fake.store, &actor, 2000, "new", "x", NULL), 0);
	r = get(state, "/api/v1/audit?since=1500");
	assert_int_equal(json_array_size(at(&r, "audit")), 1);
	response_free(&r);
	r = get(state, "/api/v1/audit?since=1970-01-01T00:16:40Z"); /* 1000 */
	assert_int_equal(json_array_size(at(&r, "audit")), 2);
	response_free(&r);
	r = get(state, "/api/v1/audit?since=yesterday");
	assert_int_equal(r.status, 400);
	response_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(status_says_what_is_in_force),
		with_lab(status_and_metrics_say_how_full_the_sieve_is),
		with_lab(without_a_sieve_status_says_why_and_metrics_have_no_rows_of_it),
		with_lab(status_says_what_is_degraded_and_what_to_do),
		with_lab(status_says_what_the_kernel_lacks_without_being_degraded),
		with_lab(ready_is_a_filter_that_is_in_force_and_covers_everything),
		with_lab(packets_are_counted_by_what_happened_to_them),
		with_lab(the_sum_over_all_series_is_the_packets_seen),
		with_lab(sync_and_sources_are_metrics),
		with_lab(promtool_has_nothing_to_say),
		with_lab(explain_shows_listings_policy_kernel_and_verdict),
		with_lab(explain_says_that_replies_pass_and_metrics_how_many_are_known),
		with_lab(explain_says_where_model_and_kernel_differ),
		with_lab(explain_answers_from_the_kernel_without_a_database),
		with_lab(explain_takes_one_address_and_a_packet_that_can_be),
		with_lab(pause_is_for_a_time_or_until_resumed),
		with_lab(a_bad_pause_changes_nothing),
		with_lab(detach_and_attach_are_done_and_written_down),
		with_lab(a_foreign_program_is_a_conflict_and_named),
		with_lab(audit_starts_where_it_is_asked_to),
	};

	return cmocka_run_group_tests_name("daemon api status", tests, NULL, NULL);
}
