/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a feed's server, good or bad, makes of a job.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <zlib.h>

#include "tests/unit/feeder_lab.h"

#define LIST	  "192.0.2.1\n198.51.100.0/24\n2001:db8::/32\n"
#define LIST_SIZE (sizeof(LIST) - 1)
#define BOMB_MB	  64 /* of empty lines, decompressed */

static void send_list(struct http_exchange *x, const char *headers)
{
	http_send(x, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n" LIST, headers, LIST_SIZE);
}

/* Owned by the caller. */
static unsigned char *compressed(const void *bytes, size_t size, size_t *ret_size)
{
	z_stream z = { .next_in = (unsigned char *)bytes, .avail_in = (unsigned int)size };
	size_t room = size / 2 + 4096;
	unsigned char *out = malloc(room);

	assert_non_null(out);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_out = out;
	z.avail_out = (unsigned int)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	*ret_size = room - z.avail_out;
	deflateEnd(&z);
	return out;
}

static void send_compressed(struct http_exchange *x, const void *bytes, size_t size,
			    const char *headers)
{
	size_t packed_size;
	_cleanup_free_ unsigned char *packed = compressed(bytes, size, &packed_size);

	if (http_send(x, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n", headers, packed_size))
		http_send_bytes(x, packed, packed_size);
}

static void assert_list_arrived(struct feeder_lab *lab, const struct feeder_result *r)
{
	if (!r->ok)
		fail_msg("%s", r->why.text);
	assert_int_equal(r->summary.fault, FEED_GOOD);
	assert_string_equal(r->why.text, "");
	assert_int_equal(lab->rows, 3);
	assert_int_equal(r->summary.entries, 3);
	assert_string_equal(lab_source(lab, 0), "192.0.2.1");
	assert_string_equal(lab_source(lab, 1), "198.51.100.0/24");
	assert_string_equal(lab_source(lab, 2), "2001:db8::/32");
}

static void assert_failed(const struct feeder_result *r, const char *words)
{
	assert_false(r->ok);
	if (!strstr(r->why.text, words))
		fail_msg("'%s' does not say '%s'", r->why.text, words);
}

/* ---- good servers ---- */

static void handle_good(struct http_exchange *x, void *arg)
{
	static const char *const tags = "ETag: \"v1\"\r\nLast-Modified: Sat, 22 Aug 2026 15:56:45 "
					"GMT\r\n";

	(void)arg;
	if (!strcmp(x->path, "/list"))
		send_list(x, tags);
	else if (!strcmp(x->path, "/until-close"))
		http_send(x, "HTTP/1.0 200 OK\r\n\r\n" LIST);
	else if (!strcmp(x->path, "/chunked"))
		http_send(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			     "5\r\n192.0\r\n23\r\n.2.1\n198.51.100.0/24\n2001:db8::/32\n\r\n"
			     "0\r\n\r\n");
	else if (!strcmp(x->path, "/encoded"))
		send_compressed(x, LIST, LIST_SIZE, "Content-Encoding: gzip\r\n");
	else if (!strcmp(x->path, "/list.gz"))
		send_compressed(x, LIST, LIST_SIZE, "Content-Type: application/gzip\r\n");
	else if (!strcmp(x->path, "/moved"))
		http_send(x, "HTTP/1.1 301 Moved\r\nLocation: /list\r\nContent-Length: 10\r\n\r\n"
			     "203.0.113.");
	else if (!strcmp(x->path, "/empty"))
		http_send(x, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	else
		http_send(x, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

static void every_row_of_a_list_arrives_however_it_is_sent(void **state)
{
	static const char *const paths[] = { "/list",	 "/until-close", "/chunked",
					     "/encoded", "/list.gz",	 "/moved" };
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_good);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct feeder_result *r = lab_fetch(lab, lab_url(lab, paths[i]));

		print_message("# %s\n", paths[i]);
		assert_list_arrived(lab, r);
		assert_int_equal(r->http_status, 200);
	}
}

/* The resolver runs in a thread of libcurl's, and in the sandbox. */
static void a_host_is_found_by_its_name(void **state)
{
	struct feeder_lab *lab = *state;
	char url[64];

	lab_serve(lab, handle_good);
	snprintf(url, sizeof(url), "http://localhost:%u/list", http_server_port(lab->server));
	assert_list_arrived(lab, lab_fetch(lab, url));
}

static void tags_and_the_agent_are_told(void **state)
{
	struct feeder_lab *lab = *state;
	_cleanup_free_ char *request = NULL;
	const struct feeder_result *r;

	lab_serve(lab, handle_good);
	r = lab_fetch(lab, lab_url(lab, "/list"));
	assert_string_equal(r->etag, "\"v1\"");
	assert_string_equal(r->last_modified, "Sat, 22 Aug 2026 15:56:45 GMT");
	assert_int_equal(r->modified, 1787414205);
	request = http_server_last_request(lab->server);
	assert_true(http_has_header(request, "User-Agent: moat/" MOAT_VERSION));
	assert_true(http_has_header(request, "Accept-Encoding: gzip"));
	assert_null(strstr(request, "If-"));
}

static void an_empty_answer_is_a_fault_of_the_list(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_result *r;

	lab_serve(lab, handle_good);
	r = lab_fetch(lab, lab_url(lab, "/empty"));
	assert_true(r->ok);
	assert_int_equal(r->summary.fault, FEED_FAULT_EMPTY);
	assert_true(*r->why.text);
}

static void several_jobs_run_at_once(void **state)
{
	struct feeder_lab *first = *state, *second;
	void *other;
	const struct feeder_job job = { .fd = -1, .parse = { .format = FEED_PLAIN } };
	struct feeder_job jobs[2] = { job, job };

	feeder_lab_setup(&other);
	second = other;
	lab_serve(first, handle_good);
	jobs[0].url = jobs[1].url = lab_url(first, "/list");
	lab_start(first, &jobs[0]);
	lab_start(second, &jobs[1]);
	wait_lab(first, NULL);
	wait_lab(second, NULL);
	assert_list_arrived(first, &first->result);
	assert_list_arrived(second, &second->result);
	feeder_lab_teardown(&other);
}

/* ---- conditional requests, refusals ---- */

static void handle_status(struct http_exchange *x, void *arg)
{
	int status = 500;

	(void)arg;
	sscanf(x->path, "/%d", &status);
	if (status == 304)
		http_send(x, "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n");
	else if (status == 429)
		http_send(x,
			  "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\n"
			  "Content-Length: %zu\r\n\r\n" LIST,
			  LIST_SIZE);
	else if (status == 206)
		http_send(x, "HTTP/1.1 206 Partial Content\r\nContent-Length: %zu\r\n\r\n" LIST,
			  LIST_SIZE);
	else
		http_send(x,
			  "HTTP/1.1 %d Trouble\r\nETag: \"bad\"\r\nContent-Type: text/html\r\n"
			  "Content-Length: %zu\r\n\r\n" LIST,
			  status, LIST_SIZE);
}

static void a_list_that_did_not_change_is_not_sent_again(void **state)
{
	struct feeder_lab *lab = *state;
	_cleanup_free_ char *request = NULL;
	struct feeder_job job = { .fd = -1,
				  .etag = "\"v1\"",
				  .last_modified = "Sat, 22 Aug 2026 15:56:45 GMT" };
	const struct feeder_result *r;

	lab_serve(lab, handle_status);
	job.url = lab_url(lab, "/304");
	r = lab_run(lab, &job);
	assert_true(r->ok);
	assert_true(r->not_modified);
	assert_int_equal(r->http_status, 304);
	assert_int_equal(lab->rows, 0);
	assert_string_equal(r->etag, "\"v1\"");
	assert_string_equal(r->last_modified, job.last_modified);
	request = http_server_last_request(lab->server);
	assert_true(http_has_header(request, "If-None-Match: \"v1\""));
	assert_true(http_has_header(request, "If-Modified-Since: Sat, 22 Aug 2026 15:56:45 GMT"));
}

static void not_modified_is_no_answer_to_an_unconditional_request(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_status);
	assert_failed(lab_fetch(lab, lab_url(lab, "/304")), "answered 304");
}

static void a_body_of_an_error_is_never_parsed(void **state)
{
	static const int statuses[] = { 206, 400, 403, 404, 429, 500, 503 };
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_status);
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		const struct feeder_result *r;
		char path[16], words[32];

		snprintf(path, sizeof(path), "/%d", statuses[i]);
		snprintf(words, sizeof(words), "answered %d", statuses[i]);
		r = lab_fetch(lab, lab_url(lab, path));
		assert_failed(r, words);
		assert_int_equal(r->http_status, statuses[i]);
		assert_int_equal(lab->rows, 0);
		assert_string_equal(r->etag, "");
		assert_int_equal(r->retry_after, statuses[i] == 429 ? 3600 : 0);
	}
}

/* ---- broken servers ---- */

static void handle_broken(struct http_exchange *x, void *arg)
{
	static char line[4096];

	(void)arg;
	if (!strcmp(x->path, "/cut")) {
		http_send(x, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" LIST);
	} else if (!strcmp(x->path, "/cut-chunk")) {
		http_send(x, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" LIST);
	} else if (!strcmp(x->path, "/encoding")) {
		http_send(x, "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\n"
			     "1.1\n");
	} else if (!strcmp(x->path, "/huge")) {
		http_send(x, "HTTP/1.1 200 OK\r\nContent-Length: 600000000000\r\n\r\n" LIST);
		wait_client(x, -1);
	} else if (!strcmp(x->path, "/silent")) {
		wait_client(x, -1);
	} else if (!strcmp(x->path, "/trickle")) {
		if (http_send(x, "HTTP/1.1 200 OK\r\n\r\n"))
			while (http_send(x, "192.0.2.1\n") && wait_client(x, 20))
				continue;
	} else if (!strcmp(x->path, "/endless")) {
		memset(line, '#', sizeof(line));
		line[2000] = line[sizeof(line) - 1] = '\n';
		if (http_send(x, "HTTP/1.1 200 OK\r\n\r\n" LIST))
			while (http_send_bytes(x, line, sizeof(line)))
				continue;
	} else if (!strcmp(x->path, "/endless-error")) {
		if (http_send(x, "HTTP/1.1 500 Oh\r\n\r\n"))
			while (http_send(x, "oh, "))
				continue;
	} else if (!strcmp(x->path, "/bomb")) {
		_cleanup_free_ char *lines = malloc(BOMB_MB << 20);

		if (lines)
			send_compressed(x, memset(lines, '\n', BOMB_MB << 20), BOMB_MB << 20, "");
	}
}

static void a_list_cut_in_the_middle_is_no_list(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_broken);
	assert_failed(lab_fetch(lab, lab_url(lab, "/cut")), "was cut");
	assert_failed(lab_fetch(lab, lab_url(lab, "/cut-chunk")), "was cut");
}

static void an_encoding_nobody_asked_for_is_refused(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_broken);
	assert_failed(lab_fetch(lab, lab_url(lab, "/encoding")), "encoding 'br'");
}

static void a_list_announced_too_large_is_not_even_read(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_broken);
	assert_failed(lab_fetch(lab, lab_url(lab, "/huge")), "larger than 512 MB");
	assert_int_equal(lab->rows, 0);
}

static void a_body_without_end_ends_at_the_limit(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_result *r;

	lab_serve(lab, handle_broken);
	r = lab_fetch(lab, lab_url(lab, "/endless"));
	if (r->ok)
		assert_int_equal(r->summary.fault, FEED_FAULT_TOO_LARGE);
	else
		assert_failed(r, "larger than 512 MB");
}

static void an_error_page_without_end_is_not_read_to_its_end(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_broken);
	assert_failed(lab_fetch(lab, lab_url(lab, "/endless-error")), "answered 500");
}

static void a_server_that_is_too_slow_is_given_up_at_the_deadline(void **state)
{
	static const char *const paths[] = { "/trickle", "/silent" };
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_broken);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct feeder_job job = { .url = lab_url(lab, paths[i]),
						.fd = -1,
						.deadline_ms = 500,
						.parse = { .format = FEED_PLAIN } };

		lab_run(lab, &job);
		/* libcurl says it, or on a busy machine the parent. */
		assert_false(lab->result.ok);
		if (!strstr(lab->result.why.text, "too slow"))
			assert_failed(&lab->result, "not done within 0.500 s");
	}
}

static void a_gzip_bomb_is_a_fault(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_result *r;

	lab_serve(lab, handle_broken);
	r = lab_fetch(lab, lab_url(lab, "/bomb"));
	assert_true(r->ok);
	assert_int_equal(r->summary.fault, FEED_FAULT_BOMB);
	assert_int_equal(lab->rows, 0);
	assert_true(r->summary.bytes < BOMB_MB << 20);
}

/* ---- files and descriptors ---- */

static void a_file_is_read_with_the_daemons_rights(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_result *r;
	char url[160];

	lab_write(lab, "a list", LIST, LIST_SIZE);
	snprintf(url, sizeof(url), "file://%s/a%%20list", lab->dir);
	r = lab_fetch(lab, url);
	assert_list_arrived(lab, r);
	assert_int_equal(r->http_status, 0);
	assert_true(r->modified > 0);
}

static void what_is_no_file_is_no_list(void **state)
{
	struct feeder_lab *lab = *state;
	char url[160];

	snprintf(url, sizeof(url), "file://%s", lab->dir);
	assert_failed(lab_fetch(lab, url), "not a regular file");
	snprintf(url, sizeof(url), "file://%s/none", lab->dir);
	assert_failed(lab_fetch(lab, url), "No such file");
	assert_failed(lab_fetch(lab, "file://elsewhere/list"), "file:///");
	assert_failed(lab_fetch(lab, "gopher://127.0.0.1/"), "'gopher' is not fetched");
	assert_failed(lab_fetch(lab, "not a url"), "wanted https://");
}

static void a_descriptor_is_read_from_its_start(void **state)
{
	struct feeder_lab *lab = *state;
	struct feeder_job job = { .fd = memfd_create("list", MFD_CLOEXEC),
				  .parse = { .format = FEED_PLAIN } };

	assert_int_equal(write(job.fd, LIST, LIST_SIZE), LIST_SIZE);
	assert_list_arrived(lab, lab_run(lab, &job));
	assert_int_equal(fcntl(job.fd, F_GETFD), -1); /* it was taken over */
}

static void a_pipe_is_read_to_its_end(void **state)
{
	struct feeder_lab *lab = *state;
	struct feeder_job job = { .parse = { .format = FEED_PLAIN } };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	job.fd = ends[0];
	lab_start(lab, &job);
	assert_int_equal(write(ends[1], LIST, LIST_SIZE), LIST_SIZE);
	close(ends[1]);
	wait_lab(lab, NULL);
	assert_list_arrived(lab, &lab->result);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with_feeder(every_row_of_a_list_arrives_however_it_is_sent),
		with_feeder(a_host_is_found_by_its_name),
		with_feeder(tags_and_the_agent_are_told),
		with_feeder(an_empty_answer_is_a_fault_of_the_list),
		with_feeder(several_jobs_run_at_once),
		with_feeder(a_list_that_did_not_change_is_not_sent_again),
		with_feeder(not_modified_is_no_answer_to_an_unconditional_request),
		with_feeder(a_body_of_an_error_is_never_parsed),
		with_feeder(a_list_cut_in_the_middle_is_no_list),
		with_feeder(an_encoding_nobody_asked_for_is_refused),
		with_feeder(a_list_announced_too_large_is_not_even_read),
		with_feeder(a_body_without_end_ends_at_the_limit),
		with_feeder(an_error_page_without_end_is_not_read_to_its_end),
		with_feeder(a_server_that_is_too_slow_is_given_up_at_the_deadline),
		with_feeder(a_gzip_bomb_is_a_fault),
		with_feeder(a_file_is_read_with_the_daemons_rights),
		with_feeder(what_is_no_file_is_no_list),
		with_feeder(a_descriptor_is_read_from_its_start),
		with_feeder(a_pipe_is_read_to_its_end),
	};

	feeder_lab_main(argc, argv, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
