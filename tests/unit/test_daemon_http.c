/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may ask what over which socket, and what a client cannot do to moatd.
 */
#include <microhttpd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/api.h"
#include "daemon/http_socket.h"
#include "tests/unit/http_lab.h"

/* ---- what there is ---- */

static void health_is_answered_over_tcp_and_the_unix_socket(void **state)
{
	_cleanup_response_ struct response tcp = lab_ask(*state, LAB_TCP, "GET", "/healthz", NULL);
	_cleanup_response_ struct response local =
		lab_ask(*state, LAB_UNIX, "GET", "/healthz", NULL);

	assert_int_equal(tcp.status, 200);
	assert_string_equal(tcp.body, "ok\n");
	assert_int_equal(local.status, 200);
	assert_string_equal(local.body, "ok\n");
}

static void head_has_the_length_and_no_body(void **state)
{
	_cleanup_response_ struct response r = lab_ask(*state, LAB_TCP, "HEAD", "/healthz", NULL);

	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.text, "Content-Length: 3"));
	assert_string_equal(r.body, "");
}

static void an_unknown_path_is_404_as_problem_json(void **state)
{
	_cleanup_response_ struct response r =
		lab_ask(*state, LAB_TCP, "GET", "/api/v2/status", NULL);

	assert_int_equal(r.status, 404);
	assert_non_null(strstr(r.text, "Content-Type: application/problem+json"));
	assert_string_equal(response_text(&r, "type"), "about:blank");
	assert_string_equal(response_text(&r, "title"), "Not Found");
	assert_int_equal(json_integer_value(json_object_get(r.json, "status")), 404);
}

static void another_method_is_405_and_says_which_there_are(void **state)
{
	_cleanup_response_ struct response r =
		lab_ask(*state, LAB_UNIX, "PUT", "/api/v1/listings", "{}");

	assert_int_equal(r.status, 405);
	assert_non_null(strstr(r.text, "Allow: GET, HEAD, POST, DELETE\r\n"));
}

static void an_interface_path_takes_one_name(void **state)
{
	static const struct {
		const char *path;
		int status;
	} paths[] = {
		{ "/api/v1/interfaces/eth0/attach", 200 },
		{ "/api/v1/interfaces//attach", 404 },
		{ "/api/v1/interfaces/eth0", 404 },
		{ "/api/v1/interfaces/eth0/attach/", 404 },
		{ "/api/v1/interfaces/eth0/attach/more", 404 },
		{ "/api/v1/interfaces/a-name-that-is-longer-than-any-interface/attach", 404 },
		{ "/api/v1/interfaces/eth9/attach", 404 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_response_ struct response r =
			lab_ask(*state, LAB_UNIX, "POST", paths[i].path, NULL);

		assert_int_equal(r.status, paths[i].status);
	}
}

static void an_unknown_parameter_is_refused_and_so_is_one_given_twice(void **state)
{
	_cleanup_response_ struct response unknown =
		lab_ask(*state, LAB_UNIX, "GET", "/api/v1/listings?feeds=x", NULL);
	_cleanup_response_ struct response twice =
		lab_ask(*state, LAB_UNIX, "GET", "/api/v1/listings?feed=x&feed=y", NULL);

	assert_int_equal(unknown.status, 400);
	assert_non_null(strstr(response_text(&unknown, "detail"), "'feeds'"));
	assert_int_equal(twice.status, 400);
}

/* ---- who may ---- */

static void a_change_over_tcp_is_refused_before_its_body_is_read(void **state)
{
	static const char request[] = "POST /api/v1/pause HTTP/1.1\r\nHost: localhost\r\n"
				      "Connection: close\r\nContent-Length: 1000000\r\n\r\n";
	_cleanup_response_ struct response r =
		lab_send(*state, LAB_TCP, request, sizeof(request) - 1);

	assert_int_equal(r.status, 401);
	assert_int_equal(fake.paused, 0);
}

static void no_change_is_possible_over_tcp_without_a_token(void **state)
{
	static const struct {
		const char *method, *path, *body;
	} changes[] = {
		{ "POST", "/api/v1/listings",
		  "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}" },
		{ "DELETE", "/api/v1/listings?source=192.0.2.1", NULL },
		{ "POST", "/api/v1/pause", NULL },
		{ "POST", "/api/v1/resume", NULL },
		{ "POST", "/api/v1/interfaces/eth0/detach", NULL },
		{ "POST", "/api/v1/interfaces/eth0/attach", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		_cleanup_response_ struct response r = lab_ask(*state, LAB_TCP, changes[i].method,
							       changes[i].path, changes[i].body);

		assert_int_equal(r.status, 401);
		assert_non_null(strstr(r.text, "WWW-Authenticate: Bearer"));
	}
	assert_int_equal(fake.follows, 0);
	assert_false(fake.view[0].by_hand);
}

static int ask_with_host(struct lab *lab, const char *path, const char *host)
{
	struct text request = {};
	struct response r;
	int status;

	text_add(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host);
	r = lab_send(lab, LAB_TCP, request.data, request.size);
	status = r.status;
	response_free(&r);
	text_free(&request);
	return status;
}

static void a_web_page_cannot_read_the_api_by_rebinding_its_name(void **state)
{
	assert_int_equal(ask_with_host(*state, "/api/v1/status", "evil.example"), 403);
	assert_int_equal(ask_with_host(*state, "/api/v1/status", "evil.example:9911"), 403);
	assert_int_equal(ask_with_host(*state, "/api/v1/status", "localhost.evil.example"), 403);
	assert_int_equal(ask_with_host(*state, "/api/v1/status", "localhost"), 200);
	assert_int_equal(ask_with_host(*state, "/api/v1/status", "127.0.0.1:9911"), 200);
	assert_int_equal(ask_with_host(*state, "/api/v1/status", "[::1]:9911"), 200);
	assert_int_equal(ask_with_host(*state, "/metrics", "edge1.example"), 200);
}

static unsigned int permission_of(enum http_peer peer, const char *path)
{
	_cleanup_(http_reply_free) struct http_reply reply = {};
	struct http_request rq = { .method = "GET", .path = path, .peer = peer };

	return api_find(&rq, &reply) ? 200 : reply.status;
}

static void another_host_reads_metrics_and_health_only(void **state)
{
	(void)state;
	assert_int_equal(permission_of(HTTP_REMOTE, "/metrics"), 200);
	assert_int_equal(permission_of(HTTP_REMOTE, "/healthz"), 200);
	assert_int_equal(permission_of(HTTP_REMOTE, "/readyz"), 200);
	assert_int_equal(permission_of(HTTP_REMOTE, "/api/v1/status"), 401);
	assert_int_equal(permission_of(HTTP_REMOTE, "/api/v1/listings"), 401);
	assert_int_equal(permission_of(HTTP_LOOPBACK, "/api/v1/listings"), 200);
}

static int take_actor(void *arg, const struct audit_entry *entry)
{
	struct text *text = arg;

	text_add(text, "%s/%s/%s ", entry->actor, entry->origin, entry->verb);
	return 0;
}

static void the_peer_of_the_unix_socket_is_the_actor(void **state)
{
	static const char request[] =
		"POST /api/v1/listings HTTP/1.1\r\nHost: x\r\nUser-Agent: moatctl/1\r\n"
		"Connection: close\r\nContent-Length: 44\r\n\r\n"
		"{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}  ";
	_cleanup_response_ struct response r =
		lab_send(*state, LAB_UNIX, request, sizeof(request) - 1);
	_cleanup_response_ struct response plain =
		lab_ask(*state, LAB_UNIX, "DELETE", "/api/v1/listings?source=192.0.2.1", NULL);
	struct text actors = {};
	char who[64];

	assert_int_equal(r.status, 200);
	assert_int_equal(plain.status, 200);
	assert_int_equal(store_audit_list(fake.store, 0, 10, take_actor, &actors, NULL), 0);
	if (getuid() == 0)
		snprintf(who, sizeof(who), "root");
	else
		snprintf(who, sizeof(who), "uid %u", (unsigned int)getuid());
	assert_non_null(actors.data);
	assert_int_equal(strncmp(actors.data, who, strlen(who)), 0);
	assert_non_null(strstr(actors.data, "/moatctl/add"));
	assert_non_null(strstr(actors.data, "/api unix/remove"));
	text_free(&actors);
}

/* ---- what a client cannot do ---- */

static void a_url_beyond_the_limit_is_414(void **state)
{
	char *path = malloc(HTTP_URL_MAX + 16);
	struct response r;

	assert_non_null(path);
	memset(path, 'a', HTTP_URL_MAX + 15);
	path[0] = '/';
	path[HTTP_URL_MAX + 15] = '\0';
	r = lab_ask(*state, LAB_TCP, "GET", path, NULL);
	assert_int_equal(r.status, 414);
	response_free(&r);
	free(path);
}

static void a_nul_in_the_url_does_not_end_it(void **state)
{
	_cleanup_response_ struct response r =
		lab_ask(*state, LAB_TCP, "GET", "/api/v1/status%00.html", NULL);

	assert_int_equal(r.status, 400);
}

static void what_two_programs_may_read_differently_is_refused(void **state)
{
	static const char *const heads[] = {
		"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n"
		"Connection: close\r\n\r\n",
		"POST /api/v1/pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /api/v1/pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
		"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		"Content-Length: 2\r\n\r\n{}",
		"POST /api/v1/pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"POST /api/v1/pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"POST /api/v1/pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"POST /api/v1/pause HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Content-Length : 2\r\n\r\n{}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		_cleanup_response_ struct response r =
			lab_send(*state, LAB_UNIX, heads[i], strlen(heads[i]));

		if (r.status != 400)
			fail_msg("%zu: %d", i, r.status);
	}
	assert_int_equal(fake.paused, 0);
}

static void a_body_announced_too_large_is_413_before_it_comes(void **state)
{
	static const char request[] = "POST /api/v1/listings HTTP/1.1\r\nHost: x\r\n"
				      "Connection: close\r\nContent-Length: 33554433\r\n\r\n";
	_cleanup_response_ struct response r =
		lab_send(*state, LAB_UNIX, request, sizeof(request) - 1);

	assert_int_equal(r.status, 413);
}

static void a_chunked_body_is_cut_off_at_the_limit(void **state)
{
	static const char head[] =
		"POST /api/v1/listings HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		"Transfer-Encoding: chunked\r\n\r\n2000001\r\n"; /* 32 MiB and 1 */
	static const char tail[] = "\r\n0\r\n\r\n";
	size_t chunk = HTTP_BODY_MAX + 1;
	size_t size = sizeof(head) - 1 + chunk + sizeof(tail) - 1;
	char *request = malloc(size);
	struct response r;

	assert_non_null(request);
	memcpy(request, head, sizeof(head) - 1);
	memset(request + sizeof(head) - 1, ' ', chunk);
	memcpy(request + sizeof(head) - 1 + chunk, tail, sizeof(tail) - 1);
	r = lab_send(*state, LAB_UNIX, request, size);
	assert_int_equal(r.status, 413);
	response_free(&r);
	free(request);
}

static void nonsense_is_refused_and_the_server_lives(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} nonsense[] = {
		{ "\r\n\r\n\r\n", 6 },
		{ "GET\r\n\r\n", 7 },
		{ "\0\1\2\3\377\376\r\n\r\n", 10 },
		{ "GET /healthz HTTP/9.9\r\nConnection: close\r\n\r\n", 44 },
		{ "POST /api/v1/listings HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		  "Content-Length: -1\r\n\r\n",
		  81 },
		{ "POST /api/v1/listings HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		  "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		  93 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		struct lab *lab = *state;
		struct sockaddr_un sun = { .sun_family = AF_UNIX };
		_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		_cleanup_response_ struct response r = {};

		snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", lab->socket);
		assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
		assert_true(write(fd, nonsense[i].bytes, nonsense[i].size) > 0);
		/* The answer to another client shows that this one was served before, or ended. */
		r = lab_ask(lab, LAB_UNIX, "GET", "/healthz", NULL);
		assert_int_equal(r.status, 200);
	}
}

/* ---- the sockets ---- */

static void the_socket_is_for_owner_and_group_in_a_directory_made_for_it(void **state)
{
	struct lab *lab = *state;
	char dir[128];
	struct stat st;

	snprintf(dir, sizeof(dir), "%s/run", lab->dir);
	assert_int_equal(stat(lab->socket, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
}

static void a_socket_that_answers_is_left_alone(void **state)
{
	struct lab *lab = *state;
	struct problem why = {};
	struct response r;
	int fd = -1;

	assert_int_equal(http_listen_unix(lab->socket, &fd, &why), -EADDRINUSE);
	assert_non_null(strstr(why.text, "another moatd"));
	r = lab_ask(lab, LAB_UNIX, "GET", "/healthz", NULL);
	assert_int_equal(r.status, 200);
	response_free(&r);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct lab *lab = *state;
	char path[128];
	struct problem why = {};
	struct stat before, after;
	int fd = -1;

	snprintf(path, sizeof(path), "%s/run/stale.sock", lab->dir);
	assert_int_equal(http_listen_unix(path, &fd, &why), 0);
	assert_int_equal(stat(path, &before), 0);
	close(fd); /* as a killed moatd leaves it */
	assert_int_equal(http_listen_unix(path, &fd, &why), 0);
	assert_int_equal(stat(path, &after), 0);
	close(fd);
}

static void a_file_in_the_socket_s_place_is_left_alone(void **state)
{
	struct lab *lab = *state;
	_cleanup_fclose_ FILE *f = NULL;
	struct problem why = {};
	char path[128];
	struct stat st;
	int fd = -1;

	snprintf(path, sizeof(path), "%s/run/file", lab->dir);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(http_listen_unix(path, &fd, &why), -EADDRINUSE);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void the_end_removes_our_socket_and_not_another_s(void **state)
{
	struct lab *lab = *state;
	struct problem why = {};
	struct stat st;
	int fd = -1;

	lab->http = http_free(lab->http);
	assert_int_equal(stat(lab->socket, &st), -1);

	assert_int_equal(http_new(&fake.daemon, &lab->http, &why), 0);
	assert_int_equal(unlink(lab->socket), 0);
	assert_int_equal(http_listen_unix(lab->socket, &fd, &why), 0);
	lab->http = http_free(lab->http);
	assert_int_equal(stat(lab->socket, &st), 0);
	close(fd);
}

static void a_port_in_use_says_what_to_do(void **state)
{
	struct lab *lab = *state;
	struct problem why = {};
	char address[32];
	int fd = -1;

	snprintf(address, sizeof(address), "127.0.0.1:%u", http_port(lab->http));
	assert_int_equal(http_listen_tcp(address, &fd, &why), -EADDRINUSE);
	assert_non_null(strstr(why.text, "change 'listen'"));
}

static void an_address_is_host_and_port_and_brackets_for_ipv6(void **state)
{
	static const char *const bad[] = { "",		"127.0.0.1",	  "127.0.0.1:",
					   ":9911",	"::1:9911",	  "[::1]",
					   "[::1:9911", "127.0.0.1:http", "127.0.0.1:70000x" };
	struct problem why;
	int fd = -1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(http_listen_tcp(bad[i], &fd, &why), -EINVAL);
	if (http_listen_tcp("[::1]:0", &fd, &why) == 0)
		close(fd);
	else
		print_message("no IPv6 here, so the listener on [::1] was NOT tested: %s\n",
			      why.text);
	assert_int_equal(http_listen_tcp("127.0.0.1:0", &fd, &why), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(health_is_answered_over_tcp_and_the_unix_socket),
		with_lab(head_has_the_length_and_no_body),
		with_lab(an_unknown_path_is_404_as_problem_json),
		with_lab(another_method_is_405_and_says_which_there_are),
		with_lab(an_interface_path_takes_one_name),
		with_lab(an_unknown_parameter_is_refused_and_so_is_one_given_twice),
		with_lab(a_change_over_tcp_is_refused_before_its_body_is_read),
		with_lab(no_change_is_possible_over_tcp_without_a_token),
		with_lab(a_web_page_cannot_read_the_api_by_rebinding_its_name),
		cmocka_unit_test(another_host_reads_metrics_and_health_only),
		with_lab(the_peer_of_the_unix_socket_is_the_actor),
		with_lab(a_url_beyond_the_limit_is_414),
		with_lab(a_nul_in_the_url_does_not_end_it),
		with_lab(what_two_programs_may_read_differently_is_refused),
		with_lab(a_body_announced_too_large_is_413_before_it_comes),
		with_lab(a_chunked_body_is_cut_off_at_the_limit),
		with_lab(nonsense_is_refused_and_the_server_lives),
		with_lab(the_socket_is_for_owner_and_group_in_a_directory_made_for_it),
		with_lab(a_socket_that_answers_is_left_alone),
		with_lab(a_stale_socket_is_replaced),
		with_lab(a_file_in_the_socket_s_place_is_left_alone),
		with_lab(the_end_removes_our_socket_and_not_another_s),
		with_lab(a_port_in_use_says_what_to_do),
		cmocka_unit_test(an_address_is_host_and_port_and_brackets_for_ipv6),
	};

	return cmocka_run_group_tests_name("daemon http", tests, NULL, NULL);
}
