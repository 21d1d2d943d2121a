/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens over TCP: what each lets do, and that nobody does more.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "daemon/http_clients.h"
#include "daemon/http_tokens.h"
#include "tests/unit/http_lab.h"

#define ALL    "moat_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define READER "moat_RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"
#define SPAM   "moat_SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS"
#define OLD    "moat_OOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOO"
#define NOBODY "moat_NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN"

#define ROW(category) "{\"source\":\"192.0.2.1\",\"category\":\"" category "\"}"

static char path[128];

static void add_line(FILE *f, const char *what, const char *secret)
{
	uint8_t digest[TOKEN_DIGEST];
	unsigned int size;

	assert_int_equal(EVP_Digest(secret, strlen(secret), digest, &size, EVP_sha256(), NULL), 1);
	fprintf(f, "%s sha256=", what);
	for (size_t i = 0; i < sizeof(digest); i++)
		fprintf(f, "%02x", digest[i]);
	fputc('\n', f);
}

static int setup(void **state)
{
	struct lab *lab;
	FILE *f;

	lab_setup(state);
	lab = *state;
	snprintf(path, sizeof(path), "%s/tokens", lab->dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fchmod(fileno(f), 0600);
	add_line(f, "all verbs=*", ALL);
	add_line(f, "reader verbs=read", READER);
	add_line(f, "spam-desk verbs=write categories=research feeds=manual", SPAM);
	add_line(f, "old verbs=* expires=2020-01-01T00:00:00Z", OLD);
	fclose(f);
	fake.config.tokens = path;
	http_reload(lab->http);
	assert_string_equal(fake.daemon.tokens_problem, "");
	return 0;
}

#define with_tokens(test) cmocka_unit_test_setup_teardown(test, setup, lab_teardown)

static struct response ask(struct lab *lab, enum lab_peer peer, const char *secret,
			   const char *method, const char *target, const char *body)
{
	struct text request = {};
	struct response r;

	text_add(&request,
		 "%s %s HTTP/1.1\r\nHost: x.example\r\nConnection: close\r\n"
		 "Authorization: Bearer %s\r\n",
		 method, target, secret);
	if (body)
		text_add(&request, "Content-Length: %zu\r\n", strlen(body));
	text_add(&request, "\r\n%s", body ? body : "");
	r = lab_send(lab, peer, request.data, request.size);
	text_free(&request);
	return r;
}

static int status_of(void **state, const char *secret, const char *method, const char *target,
		     const char *body)
{
	struct response r = ask(*state, LAB_TCP, secret, method, target, body);
	int status = r.status;

	response_free(&r);
	return status;
}

static int take_actor(void *arg, const struct audit_entry *entry)
{
	text_add(arg, "%s/%s/%s ", entry->actor, entry->origin, entry->verb);
	return 0;
}

static void a_token_writes_over_tcp_and_audit_says_who_from_where(void **state)
{
	struct text actors = {};

	assert_int_equal(status_of(state, ALL, "POST", "/api/v1/listings", ROW("botnet")), 200);
	assert_int_equal(status_of(state, ALL, "DELETE", "/api/v1/listings?source=192.0.2.1", NULL),
			 200);
	assert_int_equal(store_audit_list(fake.store, 0, 10, take_actor, &actors, NULL), 0);
	assert_non_null(strstr(actors.data, "token:all/127.0.0.1/add"));
	assert_non_null(strstr(actors.data, "token:all/127.0.0.1/remove"));
	text_free(&actors);
}

static void verbs_bound_a_token(void **state)
{
	static const struct {
		const char *secret, *method, *target, *body;
		int status;
	} tries[] = {
		{ READER, "GET", "/api/v1/status", NULL, 200 },
		{ READER, "GET", "/api/v1/listings", NULL, 200 },
		{ READER, "POST", "/api/v1/listings", ROW("botnet"), 403 },
		{ READER, "POST", "/api/v1/pause", NULL, 403 },
		{ READER, "GET", "/api/v1/tokens", NULL, 403 },
		{ SPAM, "GET", "/api/v1/status", NULL, 403 },
		{ SPAM, "POST", "/api/v1/feeds/abuse/import?category=research", "192.0.2.1\n",
		  403 },
		{ SPAM, "POST", "/api/v1/feeds/abuse/release", NULL, 403 },
		{ SPAM, "POST", "/api/v1/audit/accept", "{}", 403 },
		{ SPAM, "POST", "/api/v1/interfaces/eth0/detach", NULL, 403 },
		{ ALL, "POST", "/api/v1/pause", NULL, 200 },
		{ ALL, "GET", "/api/v1/tokens", NULL, 200 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		int status = status_of(state, tries[i].secret, tries[i].method, tries[i].target,
				       tries[i].body);

		if (status != tries[i].status)
			fail_msg("%s %s: %d, not %d", tries[i].method, tries[i].target, status,
				 tries[i].status);
	}
	assert_false(fake.view[0].by_hand);
}

static void categories_and_feeds_bound_a_token_whatever_the_route(void **state)
{
	static const struct {
		const char *method, *target, *body;
		int status;
	} tries[] = {
		{ "POST", "/api/v1/listings", ROW("botnet"), 403 },
		{ "POST", "/api/v1/listings", ROW("allow"), 403 },
		{ "POST", "/api/v1/listings?refused=skip",
		  "[" ROW("research") "," ROW("botnet") "]", 403 },
		{ "POST", "/api/v1/listings",
		  "{\"source\":\"192.0.2.1\",\"category\":\"research\",\"feed\":\"drop\"}", 403 },
		{ "DELETE", "/api/v1/listings?source=192.0.2.9", NULL, 403 },
		{ "DELETE", "/api/v1/listings?source=192.0.2.9&category=research", NULL, 403 },
		{ "DELETE", "/api/v1/listings?source=192.0.2.9&feed=manual", NULL, 403 },
		{ "DELETE", "/api/v1/listings?source=192.0.2.9&category=botnet&feed=manual", NULL,
		  403 },
	};
	_cleanup_response_ struct response r =
		post(state, "/api/v1/listings",
		     "{\"source\":\"192.0.2.9\",\"category\":\"botnet\"}");

	assert_int_equal(r.status, 200);
	for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
		int status =
			status_of(state, SPAM, tries[i].method, tries[i].target, tries[i].body);

		if (status != tries[i].status)
			fail_msg("%s %s: %d", tries[i].method, tries[i].target, status);
	}
	assert_int_equal(rows_in_database(), 1);
	assert_int_equal(status_of(state, SPAM, "POST", "/api/v1/listings", ROW("research")), 200);
	assert_int_equal(rows_in_database(), 2);
	assert_int_equal(status_of(state, SPAM, "DELETE",
				   "/api/v1/listings?source=192.0.2.1&category=research&feed=manual",
				   NULL),
			 200);
	assert_int_equal(rows_in_database(), 1);
}

static void what_is_shown_and_no_good_is_401_also_where_reading_is_free(void **state)
{
	_cleanup_response_ struct response r =
		ask(*state, LAB_TCP, OLD, "GET", "/api/v1/status", NULL);

	assert_int_equal(r.status, 401);
	assert_non_null(strstr(r.text, "error=\"invalid_token\""));
	assert_non_null(strstr(response_text(&r, "detail"), "expired"));
	assert_int_equal(status_of(state, NOBODY, "GET", "/api/v1/status", NULL), 401);
	assert_int_equal(status_of(state, NOBODY, "POST", "/api/v1/pause", NULL), 401);
	assert_int_equal(status_of(state, "moat_", "GET", "/api/v1/status", NULL), 401);
	assert_int_equal(status_of(state, NOBODY, "GET", "/metrics", NULL), 200);
}

static void guessing_is_cut_off_and_the_right_one_goes_on(void **state)
{
	struct http_numbers n;
	int last = 0;

	for (int i = 0; i < HTTP_FAILURES_BURST + 5; i++)
		last = status_of(state, NOBODY, "GET", "/api/v1/status", NULL);
	assert_int_equal(last, 429);
	assert_int_equal(status_of(state, READER, "GET", "/api/v1/status", NULL), 200);
	http_numbers(((struct lab *)*state)->http, &n);
	assert_int_equal(n.refused[HTTP_REFUSED_TOKEN], HTTP_FAILURES_BURST + 5);
	assert_true(n.refused[HTTP_REFUSED_GUESSES] >= 4);
}

static void a_token_that_is_shown_also_binds_on_the_unix_socket(void **state)
{
	_cleanup_response_ struct response bound =
		ask(*state, LAB_UNIX, READER, "POST", "/api/v1/pause", NULL);
	_cleanup_response_ struct response peer = post(state, "/api/v1/pause", NULL);

	assert_int_equal(bound.status, 403);
	assert_int_equal(peer.status, 200);
}

static void whoami_says_what_the_token_may(void **state)
{
	_cleanup_response_ struct response r =
		ask(*state, LAB_TCP, READER, "GET", "/api/v1/whoami", NULL);
	_cleanup_response_ struct response free =
		lab_ask(*state, LAB_TCP, "GET", "/api/v1/whoami", NULL);
	const json_t *token = json_object_get(r.json, "token");

	assert_int_equal(r.status, 200);
	assert_string_equal(response_text(&r, "actor"), "token:reader");
	assert_string_equal(member(token, "name"), "reader");
	assert_int_equal(json_array_size(json_object_get(r.json, "may")), 1);
	assert_true(json_is_null(json_object_get(token, "categories")));
	assert_int_equal(free.status, 200);
	assert_true(json_is_null(json_object_get(free.json, "token")));
}

static void the_list_has_the_last_use_and_no_hash(void **state)
{
	_cleanup_response_ struct response r = {};
	const json_t *first;

	assert_int_equal(status_of(state, ALL, "GET", "/api/v1/status", NULL), 200);
	r = get(state, "/api/v1/tokens");
	assert_int_equal(json_array_size(json_object_get(r.json, "tokens")), 4);
	first = json_array_get(json_object_get(r.json, "tokens"), 0);
	assert_string_equal(member(first, "last_from"), "127.0.0.1");
	assert_string_equal(member(json_array_get(json_object_get(r.json, "tokens"), 3), "state"),
			    "expired");
	assert_null(strstr(r.text, "sha256"));
}

static void a_line_that_goes_takes_its_rights_along(void **state)
{
	struct lab *lab = *state;

	assert_int_equal(status_of(state, ALL, "GET", "/api/v1/status", NULL), 200);
	assert_int_equal(truncate(path, 0), 0);
	http_reload(lab->http);
	assert_int_equal(status_of(state, ALL, "GET", "/api/v1/status", NULL), 401);
}

static void a_wrong_line_leaves_what_was_in_force(void **state)
{
	struct lab *lab = *state;
	FILE *f = fopen(path, "ae");

	assert_non_null(f);
	fputs("nonsense\n", f);
	fclose(f);
	http_reload(lab->http);
	assert_non_null(strstr(fake.daemon.tokens_problem, "line 5"));
	assert_int_equal(status_of(state, ALL, "GET", "/api/v1/status", NULL), 200);
}

static void a_file_that_others_may_read_or_write_is_refused(void **state)
{
	static const mode_t bad[] = { 0604, 0602, 0666 };
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(chmod(path, bad[i]), 0);
		http_reload(lab->http);
		assert_non_null(strstr(fake.daemon.tokens_problem, "chmod o="));
		assert_int_equal(status_of(state, ALL, "GET", "/api/v1/status", NULL), 401);
	}
	assert_int_equal(chmod(path, 0640), 0);
	http_reload(lab->http);
	assert_string_equal(fake.daemon.tokens_problem, "");
	assert_int_equal(status_of(state, ALL, "GET", "/api/v1/status", NULL), 200);
}

static void two_authorizations_are_taken_from_nobody(void **state)
{
	static const char request[] =
		"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		"Authorization: Bearer " NOBODY "\r\nAuthorization: Bearer " READER "\r\n\r\n";
	_cleanup_response_ struct response r =
		lab_send(*state, LAB_TCP, request, sizeof(request) - 1);

	assert_int_equal(r.status, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_tokens(a_token_writes_over_tcp_and_audit_says_who_from_where),
		with_tokens(verbs_bound_a_token),
		with_tokens(categories_and_feeds_bound_a_token_whatever_the_route),
		with_tokens(what_is_shown_and_no_good_is_401_also_where_reading_is_free),
		with_tokens(guessing_is_cut_off_and_the_right_one_goes_on),
		with_tokens(a_token_that_is_shown_also_binds_on_the_unix_socket),
		with_tokens(whoami_says_what_the_token_may),
		with_tokens(the_list_has_the_last_use_and_no_hash),
		with_tokens(a_line_that_goes_takes_its_rights_along),
		with_tokens(a_wrong_line_leaves_what_was_in_force),
		with_tokens(a_file_that_others_may_read_or_write_is_refused),
		with_tokens(two_authorizations_are_taken_from_nobody),
	};

	return cmocka_run_group_tests_name("daemon http tokens", tests, NULL, NULL);
}
