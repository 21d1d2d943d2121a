/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of the dashboard over HTTP, and what a browser may do with them.
 */
#include "daemon/web.h"

#include "tests/unit/http_lab.h"

static struct response ask(void **state, const char *path, const char *headers)
{
	char bytes[512];
	int size = snprintf(bytes, sizeof(bytes),
			    "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
			    path, headers);

	return lab_send(*state, LAB_TCP, bytes, (size_t)size);
}

static bool says(const struct response *r, const char *header)
{
	return strstr(r->text, header) && strstr(r->text, header) < r->body;
}

static void the_page_is_at_the_root(void **state)
{
	_cleanup_response_ struct response r = ask(state, "/", "");

	assert_int_equal(r.status, 200);
	assert_true(says(&r, "Content-Type: text/html; charset=utf-8"));
	assert_memory_equal(r.body, "<!doctype html>", strlen("<!doctype html>"));
}

static void a_browser_is_told_to_run_nothing_else_and_to_ask_nobody_else(void **state)
{
	_cleanup_response_ struct response r = ask(state, "/", "");

	assert_true(says(&r, "Content-Security-Policy: default-src 'self'; "));
	assert_true(says(&r, "frame-ancestors 'none'"));
	assert_true(says(&r, "X-Content-Type-Options: nosniff"));
	assert_true(says(&r, "Referrer-Policy: no-referrer"));
	assert_false(says(&r, "unsafe-inline"));
}

static void answers_of_the_api_are_nothing_to_run(void **state)
{
	_cleanup_response_ struct response r = ask(state, "/api/v1/status", "");

	assert_true(
		says(&r, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'"));
	assert_true(says(&r, "Cross-Origin-Resource-Policy: same-origin"));
}

static void who_takes_gzip_gets_gzip(void **state)
{
	static const struct {
		const char *header;
		bool gzip;
	} takes[] = {
		{ "Accept-Encoding: gzip, deflate, br\r\n", true },
		{ "Accept-Encoding: br;q=1.0, gzip;q=0.8\r\n", true },
		{ "Accept-Encoding: gzip;q=0\r\n", false },
		{ "Accept-Encoding: gzip;q=0.0, br\r\n", false },
		{ "Accept-Encoding: br\r\n", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(takes); i++) {
		_cleanup_response_ struct response r = ask(state, "/web/app.js", takes[i].header);

		assert_int_equal(r.status, 200);
		assert_int_equal(says(&r, "Content-Encoding: gzip"), takes[i].gzip);
		assert_int_equal(memcmp(r.body, "\x1f\x8b", 2) == 0, takes[i].gzip);
		assert_true(says(&r, "Vary: Accept-Encoding"));
	}
}

static void who_has_it_already_is_told_so(void **state)
{
	struct response first = ask(state, "/web/style.css", "");
	char header[128], *etag = strstr(first.text, "ETag: \"");

	assert_non_null(etag);
	snprintf(header, sizeof(header), "If-None-Match: \"other\", %.*s\r\n",
		 (int)strcspn(etag + 6, "\r"), etag + 6);
	response_free(&first);
	first = ask(state, "/web/style.css", header);
	assert_int_equal(first.status, 304);
	assert_string_equal(first.body, "");
	assert_true(says(&first, "ETag: \""));
	response_free(&first);
	first = ask(state, "/web/style.css", "If-None-Match: \"other\"\r\n");
	assert_int_equal(first.status, 200);
	response_free(&first);
}

static void the_compressed_has_a_tag_of_its_own(void **state)
{
	_cleanup_response_ struct response plain = ask(state, "/", "");
	_cleanup_response_ struct response gzip = ask(state, "/", "Accept-Encoding: gzip\r\n");
	char *a = strstr(plain.text, "ETag: "), *b = strstr(gzip.text, "ETag: ");

	assert_non_null(a);
	assert_non_null(b);
	assert_int_not_equal(strncmp(a, b, strcspn(a, "\r") + 1), 0);
}

static void nothing_but_these_files_is_served(void **state)
{
	static const char *const paths[] = {
		"/web/",
		"/web/nosuch.js",
		"/web/../app.js",
		"/web/..%2fdaemon",
		"/web/vendor/LICENSE",
		"/web/%2e%2e/etc/passwd",
		"/web/app.js/",
		"/web//app.js",
		"/index.html",
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_response_ struct response r = ask(state, paths[i], "");

		assert_int_equal(r.status, 404);
		assert_true(says(&r, "application/problem+json"));
	}
}

static void a_page_is_not_written_to(void **state)
{
	_cleanup_response_ struct response r = lab_ask(*state, LAB_UNIX, "POST", "/", "{}");

	assert_int_equal(r.status, 405);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(the_page_is_at_the_root),
		with_lab(a_browser_is_told_to_run_nothing_else_and_to_ask_nobody_else),
		with_lab(answers_of_the_api_are_nothing_to_run),
		with_lab(who_takes_gzip_gets_gzip),
		with_lab(who_has_it_already_is_told_so),
		with_lab(the_compressed_has_a_tag_of_its_own),
		with_lab(nothing_but_these_files_is_served),
		with_lab(a_page_is_not_written_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
