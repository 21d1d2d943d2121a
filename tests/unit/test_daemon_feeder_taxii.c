// SPDX-License-Identifier: BSD-2-Clause
/*
 * Collections of a TAXII 2.1 server, good and bad, page by page.
 */
#include <strings.h>

#include "tests/unit/feeder_lab.h"

#define PATH "/api/collections/91a7b528-80eb-42ed-a74d-c6fbd5a26116/objects/"
#define KEY  "Authorization: Basic dXNlcjpwYXNz"

#define INDICATOR(id, modified, address)                                                           \
	"{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--" id                 \
	"\",\"created\":\"2026-01-01T00:00:00Z\",\"modified\":\"" modified "\",\"pattern\":"       \
	"\"[ipv4-addr:value = '" address "']\",\"pattern_type\":\"stix\","                         \
	"\"valid_from\":\"2026-01-01T00:00:00Z\"}"
#define DAY "2026-01-02T00:00:00Z"

static const struct feeder_result *fetch_as(struct feeder_lab *lab, const char *path,
					    enum feed_format format, const char *header_file)
{
	const struct feeder_job job = { .url = lab_url(lab, path),
					.fd = -1,
					.keep = lab_path(lab, "kept"),
					.header_file = header_file,
					.etag = "\"v1\"",
					.parse = { .format = format } };

	return lab_run(lab, &job);
}

static const struct feeder_result *fetch(struct feeder_lab *lab, const char *path)
{
	return fetch_as(lab, path, FEED_TAXII, NULL);
}

static void assert_good(const struct feeder_result *r)
{
	if (!r->ok)
		fail_msg("%s", r->why.text);
	assert_int_equal(r->summary.fault, FEED_GOOD);
}

static void assert_failed(struct feeder_lab *lab, const struct feeder_result *r, const char *words)
{
	assert_false(r->ok);
	if (!strstr(r->why.text, words))
		fail_msg("'%s' does not say '%s'", r->why.text, words);
	assert_false(lab_has(lab, "kept"));
}

static void answer(struct http_exchange *x, const char *headers, const char *body)
{
	http_send(x,
		  "HTTP/1.1 200 OK\r\nContent-Type: application/taxii+json;version=2.1\r\n%s"
		  "ETag: \"v2\"\r\nContent-Length: %zu\r\n\r\n%s",
		  headers, strlen(body), body);
}

static void refuse(struct http_exchange *x, const char *status)
{
	http_send(x, "HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\n{}", status);
}

/* Escapes may be of either case. */
static bool ends_in(const char *path, const char *end)
{
	size_t size = strlen(path), tail = strlen(end);

	return size >= tail && !strcasecmp(path + size - tail, end);
}

/* ---- a good server ---- */

static void handle_good(struct http_exchange *x, void *arg)
{
	(void)arg;
	if (!http_has_header(x->request, "Accept: application/taxii+json;version=2.1"))
		refuse(x, "406 Not Acceptable");
	else if (!strcmp(x->path, PATH) || ends_in(x->path, "?match[type]=indicator"))
		answer(x, "",
		       "{\"more\":true,\"next\":\"a b&c=1\",\"objects\":[" INDICATOR(
			       "1", DAY, "192.0.2.1") "," INDICATOR("2", DAY, "192.0.2.2") "]}");
	else if (ends_in(x->path, "next=a%20b%26c%3D1"))
		answer(x, "", "{ \"objects\" : [\n ] , \"next\":\"empty\", \"more\": true }");
	else if (ends_in(x->path, "next=empty"))
		answer(x, "",
		       "{\"objects\":[" INDICATOR("1", "2026-02-02T00:00:00Z",
						  "198.51.100.1") "],\"more\":false}");
	else if (strstr(x->path, "/none/"))
		answer(x, "", "{}");
	else if (strstr(x->path, "/dated/") && !strstr(x->path, "added_after"))
		answer(x, "X-TAXII-Date-Added-Last: 2026-08-22T06:02:32.123456Z\r\n",
		       "{\"more\":true,\"objects\":[" INDICATOR("1", DAY, "192.0.2.1") "]}");
	else if (ends_in(x->path, "added_after=2026-08-22T06%3A02%3A32.123456Z"))
		answer(x, "", "{\"objects\":[" INDICATOR("2", DAY, "192.0.2.2") "]}");
	else
		refuse(x, "404 Not Found");
}

static void all_pages_of_a_collection_make_one_list(void **state)
{
	static const char *const paths[] = { PATH, PATH "?match[type]=indicator" };
	static const enum feed_format formats[] = { FEED_TAXII, FEED_STIX, FEED_AUTO };
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_good);
	for (size_t i = 0; i < ARRAY_SIZE(paths) * ARRAY_SIZE(formats); i++) {
		assert_good(fetch_as(lab, paths[i % 2], formats[i / 2], NULL));
		assert_int_equal(lab->rows, 2);
		assert_string_equal(lab_source(lab, 0), "192.0.2.2");
		/* The newer version of a page further down is the one that counts. */
		assert_string_equal(lab_source(lab, 1), "198.51.100.1");
		assert_true(lab->result.summary.complete);
		/* One page that is the same would say nothing about the others. */
		assert_string_equal(lab->result.etag, "");
	}
}

static void the_copy_on_disk_is_one_list_that_can_be_read_again(void **state)
{
	struct feeder_lab *lab = *state;
	struct feeder_job job = { .fd = -1, .parse = { .format = FEED_TAXII } };
	char url[256];

	lab_serve(lab, handle_good);
	assert_good(fetch(lab, PATH));
	snprintf(url, sizeof(url), "file://%s", lab_path(lab, "kept"));
	job.url = url;
	assert_good(lab_run(lab, &job));
	assert_int_equal(lab->rows, 2);
	assert_true(lab->result.summary.complete);
}

static void the_request_says_what_it_takes_and_is_not_conditional(void **state)
{
	struct feeder_lab *lab = *state;
	_cleanup_free_ char *request = NULL;

	lab_serve(lab, handle_good);
	assert_good(fetch(lab, PATH));
	request = http_server_last_request(lab->server);
	assert_true(http_has_header(request, "Accept: application/taxii+json;version=2.1"));
	assert_null(strstr(request, "If-None-Match"));
	assert_null(strstr(request, "Accept-Encoding"));
	assert_int_equal(http_server_requests(lab->server), 3);
}

static void a_collection_without_objects_is_empty_on_purpose(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_good);
	assert_int_equal(fetch(lab, "/none/objects/")->summary.entries, 0);
	assert_good(&lab->result);
	assert_int_equal(lab->rows, 0);
	assert_true(lab->result.summary.may_be_empty);
}

static void pages_may_go_on_by_the_date_of_the_last_object(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_good);
	assert_good(fetch(lab, "/dated/objects/"));
	assert_int_equal(lab->rows, 2);
	assert_int_equal(http_server_requests(lab->server), 2);
}

/* ---- keys ---- */

static void handle_keyed(struct http_exchange *x, void *arg)
{
	(void)arg;
	if (!http_has_header(x->request, KEY))
		refuse(x, "401 Unauthorized");
	else if (strstr(x->path, "next"))
		answer(x, "", "{\"objects\":[" INDICATOR("2", DAY, "192.0.2.2") "]}");
	else
		answer(x, "", "{\"more\":true,\"next\":\"2\",\"objects\":[]}");
}

static void every_page_is_asked_for_with_the_key(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_keyed);
	lab_write(lab, "headers", KEY "\n", strlen(KEY) + 1);
	assert_good(fetch_as(lab, PATH, FEED_TAXII, lab_path(lab, "headers")));
	assert_int_equal(lab->rows, 1);
	assert_int_equal(http_server_requests(lab->server), 2);
	unlink(lab_path(lab, "kept"));
	assert_failed(lab, fetch(lab, PATH), "401 instead of a list: it wants a key");
	lab_write(lab, "headers", "X: y\n", 5);
	assert_failed(lab, fetch_as(lab, PATH, FEED_TAXII, lab_path(lab, "headers")),
		      "check the key in header_file");
}

/* ---- bad servers ---- */

static void handle_bad(struct http_exchange *x, void *arg)
{
	static const char first[] =
		"{\"more\":true,\"next\":\"2\",\"objects\":[" INDICATOR("1", DAY, "192.0.2.1") "]}";
	bool more = strstr(x->path, "next=");

	(void)arg;
	if (strstr(x->path, "/endless/"))
		answer(x, "",
		       ends_in(x->path, "next=2") ? "{\"more\":true,\"next\":\"3\",\"objects\":[]}"
		       : ends_in(x->path, "next=3")
			       ? "{\"more\":true,\"next\":\"2\",\"objects\":[]}"
			       : first);
	else if (strstr(x->path, "/silent/"))
		answer(x, "", "{\"more\":true,\"objects\":[" INDICATOR("1", DAY, "192.0.2.1") "]}");
	else if (strstr(x->path, "/older/"))
		refuse(x, "406 Not Acceptable");
	else if (strstr(x->path, "/error/"))
		answer(x, "", "{\"title\":\"Collection is closed\",\"http_status\":\"500\"}");
	else if (strstr(x->path, "/html/"))
		answer(x, "", "<html><body>login</body></html>");
	else if (strstr(x->path, "/twice/"))
		answer(x, "", "{\"objects\":[],\"objects\":[]}");
	else if (!more)
		answer(x, "", first);
	else if (strstr(x->path, "/fails/"))
		http_send(x, "HTTP/1.1 503 Busy\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n");
	else if (strstr(x->path, "/cut/"))
		http_send(x, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"objects\":[");
	else if (strstr(x->path, "/broken/"))
		answer(x, "", "{\"objects\":[{\"type\":}]}");
	else if (strstr(x->path, "/smuggled/"))
		answer(x, "", "{\"objects\":[]}],\"more\":false}");
}

static void a_page_that_fails_makes_the_whole_fetch_fail(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_bad);
	assert_failed(lab, fetch(lab, "/fails/objects/"), "page 2: 127.0.0.1: answered 503");
	assert_int_equal(lab->result.retry_after, 77);
	assert_failed(lab, fetch(lab, "/cut/objects/"), "page 2: 127.0.0.1: the answer was cut");
	assert_failed(lab, fetch(lab, "/broken/objects/"), "page 2: byte ");
	assert_failed(lab, fetch(lab, "/smuggled/objects/"), "page 2: byte ");
}

static void a_server_that_goes_round_in_circles_is_left(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_bad);
	assert_failed(lab, fetch(lab, "/endless/objects/"), "round in circles");
	assert_int_equal(http_server_requests(lab->server), 3);
}

static void more_without_a_word_on_where_is_a_failure(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_bad);
	assert_failed(lab, fetch(lab, "/silent/objects/"), "neither 'next' nor X-TAXII");
}

static void what_is_no_collection_is_refused_with_what_to_do(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_bad);
	assert_failed(lab, fetch(lab, "/older/objects/"),
		      "406 instead of a list: it does not speak TAXII 2.1");
	assert_failed(lab, fetch(lab, "/error/"), "says Collection is closed: url must be");
	assert_failed(lab, fetch(lab, "/html/"), "byte 0 of it is not JSON");
	assert_failed(lab, fetch(lab, "/twice/"), "'objects' twice");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with_feeder(all_pages_of_a_collection_make_one_list),
		with_feeder(the_copy_on_disk_is_one_list_that_can_be_read_again),
		with_feeder(the_request_says_what_it_takes_and_is_not_conditional),
		with_feeder(a_collection_without_objects_is_empty_on_purpose),
		with_feeder(pages_may_go_on_by_the_date_of_the_last_object),
		with_feeder(every_page_is_asked_for_with_the_key),
		with_feeder(a_page_that_fails_makes_the_whole_fetch_fail),
		with_feeder(a_server_that_goes_round_in_circles_is_left),
		with_feeder(more_without_a_word_on_where_is_a_failure),
		with_feeder(what_is_no_collection_is_refused_with_what_to_do),
	};

	feeder_lab_main(argc, argv, NULL);
	return cmocka_run_group_tests_name("daemon/feeder_taxii", tests, NULL, NULL);
}
