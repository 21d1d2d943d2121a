/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom a fetch believes and tells its secrets: redirects, headers from a file,
 * certificates; and what is kept on disk.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/unit/feeder_lab.h"

#define LIST	  "192.0.2.1\n198.51.100.0/24\n2001:db8::/32\n"
#define LIST_SIZE (sizeof(LIST) - 1)
#define WORDS	  24 /* of a command */
#define SECRET	  "X-Api-Key: moat-test-secret"

extern char **environ;

static void assert_failed(const struct feeder_result *r, const char *words)
{
	assert_false(r->ok);
	if (!strstr(r->why.text, words))
		fail_msg("'%s' does not say '%s'", r->why.text, words);
}

/* ---- redirects ---- */

/* /to?URL redirects there, /loop to itself, anything else is the list. */
static void handle_redirects(struct http_exchange *x, void *arg)
{
	(void)arg;
	if (!strncmp(x->path, "/to?", 4))
		http_send(x, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
			  x->path + 4);
	else if (!strcmp(x->path, "/loop"))
		http_send(x, "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
	else if (!strcmp(x->path, "/nowhere"))
		http_send(x, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n");
	else
		http_send(x, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n" LIST, LIST_SIZE);
}

static void redirects_have_an_end(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_redirects);
	assert_failed(lab_fetch(lab, lab_url(lab, "/loop")), "redirects more than 5 times");
	assert_int_equal(http_server_requests(lab->server), 6);
	assert_failed(lab_fetch(lab, lab_url(lab, "/nowhere")), "answered 302");
}

static void a_redirect_to_a_file_is_not_followed(void **state)
{
	static const char *const targets[] = { "file:///etc/passwd", "FILE:///etc/passwd",
					       "gopher://127.0.0.1/", "ftp://127.0.0.1/" };
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_redirects);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/to?%s", targets[i]);
		assert_failed(lab_fetch(lab, lab_url(lab, path)), "something else than https");
		assert_int_equal(lab->rows, 0);
	}
}

/* ---- secrets ---- */

static const struct feeder_result *fetch_with_headers(struct feeder_lab *lab, const char *url,
						      const char *headers)
{
	struct feeder_job job = { .url = url, .fd = -1, .parse = { .format = FEED_PLAIN } };

	lab_write(lab, "headers", headers, strlen(headers));
	job.header_file = lab_path(lab, "headers");
	return lab_run(lab, &job);
}

static void secrets_go_to_the_origin_they_were_given_for(void **state)
{
	struct feeder_lab *lab = *state;
	_cleanup_free_ char *direct = NULL;
	_cleanup_free_ char *redirected = NULL;

	lab_serve(lab, handle_redirects);
	assert_true(fetch_with_headers(lab, lab_url(lab, "/list"),
				       "# a key\r\n" SECRET "\r\n\nAccept: text/plain\n")
			    ->ok);
	direct = http_server_last_request(lab->server);
	assert_true(http_has_header(direct, SECRET));
	assert_true(http_has_header(direct, "Accept: text/plain"));
	assert_true(fetch_with_headers(lab, lab_url(lab, "/to?/list"), SECRET "\n")->ok);
	redirected = http_server_last_request(lab->server);
	assert_true(http_has_header(redirected, SECRET));
}

static void a_redirect_does_not_take_secrets_elsewhere(void **state)
{
	_cleanup_(http_server_stopp) struct http_server *other = NULL;
	_cleanup_free_ char *request = NULL;
	struct feeder_lab *lab = *state;
	char path[64];

	lab_serve(lab, handle_redirects);
	other = http_server_start(handle_redirects, NULL);
	snprintf(path, sizeof(path), "/to?http://127.0.0.1:%u/list", http_server_port(other));
	assert_true(fetch_with_headers(lab, lab_url(lab, path), SECRET "\n")->ok);
	assert_int_equal(http_server_requests(other), 1);
	request = http_server_last_request(other);
	assert_null(strstr(request, "moat-test-secret"));
}

static void a_bad_header_file_sends_nothing(void **state)
{
	static const char *const bad[] = { "no colon\n", ": no name\n", "A b: c\n", "A: b\x01\n" };
	struct feeder_lab *lab = *state;
	struct feeder_job job = { .fd = -1, .header_file = "/nonexistent/headers" };

	lab_serve(lab, handle_redirects);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_failed(fetch_with_headers(lab, lab_url(lab, "/list"), bad[i]), "line 1");
	job.url = lab_url(lab, "/list");
	assert_failed(lab_run(lab, &job), "No such file");
	assert_int_equal(http_server_requests(lab->server), 0);
}

static void handle_rude(struct http_exchange *x, void *arg)
{
	(void)arg;
	http_send(x, "HTTP/1.1 403 moat-test-secret\r\nContent-Length: 16\r\n\r\n"
		     "moat-test-secret");
}

static void what_went_wrong_is_said_without_secrets(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_result *r;
	char url[128];

	lab_serve(lab, handle_rude);
	snprintf(url, sizeof(url),
		 "http://user:moat-test-secret@127.0.0.1:%u/?key=moat-test-secret",
		 http_server_port(lab->server));
	r = fetch_with_headers(lab, url, SECRET "\n");
	assert_failed(r, "answered 403");
	assert_null(strstr(r->why.text, "moat-test-secret"));
	lab->server = http_server_stop(lab->server);
	r = fetch_with_headers(lab, url, SECRET "\n");
	assert_failed(r, "127.0.0.1");
	assert_null(strstr(r->why.text, "moat-test-secret"));
}

/* ---- certificates ---- */

struct tls_server {
	pid_t pid;
	int port;
	FILE *output; /* held open: it writes */
};

/* Runs a command of words in the lab's directory with its output in a pipe. 0: it is not here. */
static pid_t run_words(struct feeder_lab *lab, char *words, int *ret_out)
{
	posix_spawn_file_actions_t actions;
	char *argv[WORDS + 1] = {};
	size_t count = 0;
	int ends[2];
	pid_t pid = 0;

	while (words && count < WORDS)
		argv[count++] = strsep(&words, " ");
	assert_null(words);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addchdir_np(&actions, lab->dir);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ))
		pid = 0;
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	*ret_out = ends[0];
	return pid;
}

/* Makes NAME.key and NAME.pem for a name such as "IP:127.0.0.1". False: no openssl here. */
static bool make_certificate(struct feeder_lab *lab, const char *name, const char *subject)
{
	int out, status = -1;
	char words[512];
	pid_t pid;

	snprintf(words, sizeof(words),
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
		 "-subj /CN=moat -addext subjectAltName=%s -keyout %s.key -out %s.pem",
		 subject, name, name);
	pid = run_words(lab, words, &out);
	close(out);
	if (!pid)
		return false;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return true;
}

/* Serves the lab's directory on a port of its own choice. */
static struct tls_server serve_tls(struct feeder_lab *lab, const char *name)
{
	struct tls_server s = {};
	char words[256], line[256];
	FILE *file;
	int out;

	snprintf(words, sizeof(words),
		 "openssl s_server -accept 127.0.0.1:0 -key %s.key -cert %s.pem -WWW", name, name);
	s.pid = run_words(lab, words, &out);
	file = fdopen(out, "r");
	assert_true(s.pid > 0 && file);
	while (!s.port && fgets(line, sizeof(line), file)) {
		const char *colon = strrchr(line, ':');

		if (!strncmp(line, "ACCEPT", 6) && colon)
			s.port = (int)strtol(colon + 1, NULL, 10);
	}
	assert_int_not_equal(s.port, 0);
	s.output = file;
	return s;
}

static void stop_tls(const struct tls_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	fclose(s->output);
}

/* Fetches the list from a server with the certificate NAME, trusting the authorities of a file. */
static const struct feeder_result *fetch_tls(struct feeder_lab *lab, const char *name,
					     const char *authorities)
{
	struct tls_server server;
	const struct feeder_result *r;
	char url[64];

	lab_write(lab, "list", LIST, LIST_SIZE);
	server = serve_tls(lab, name);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/list", server.port);
	if (authorities)
		setenv("SSL_CERT_FILE", lab_path(lab, authorities), 1);
	r = lab_fetch(lab, url);
	unsetenv("SSL_CERT_FILE");
	stop_tls(&server);
	return r;
}

static void only_a_certificate_of_a_known_authority_and_of_that_name_is_taken(void **state)
{
	struct feeder_lab *lab = *state;
	const struct feeder_result *r;

	if (!make_certificate(lab, "right", "IP:127.0.0.1")) {
		print_message("# SKIP certificates: openssl is not installed\n");
		skip();
	}
	make_certificate(lab, "wrong", "DNS:elsewhere.example");
	r = fetch_tls(lab, "right", "right.pem");
	if (!r->ok)
		fail_msg("%s", r->why.text);
	assert_int_equal(lab->rows, 3);
	assert_failed(fetch_tls(lab, "right", NULL), "certificate is refused");
	assert_int_equal(lab->rows, 0);
	assert_failed(fetch_tls(lab, "wrong", "wrong.pem"), "certificate is refused");
	assert_int_equal(lab->rows, 0);
	assert_failed(fetch_tls(lab, "right", "wrong.pem"), "certificate is refused");
}

/* ---- the last good copy ---- */

static void handle_kept(struct http_exchange *x, void *arg)
{
	(void)arg;
	if (!strcmp(x->path, "/list"))
		http_send(x, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n" LIST, LIST_SIZE);
	else if (!strcmp(x->path, "/cut"))
		http_send(x, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" LIST);
	else if (!strcmp(x->path, "/page"))
		http_send(x, "HTTP/1.1 200 OK\r\n\r\n<html><body>Oh</body></html>\n");
	else if (!strcmp(x->path, "/304"))
		http_send(x, "HTTP/1.1 304 Not Modified\r\n\r\n");
	else
		http_send(x, "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
}

static const struct feeder_result *fetch_and_keep(struct feeder_lab *lab, const char *path)
{
	const struct feeder_job job = { .url = lab_url(lab, path),
					.fd = -1,
					.keep = lab_path(lab, "kept"),
					.etag = "\"v1\"",
					.parse = { .format = FEED_PLAIN } };

	return lab_run(lab, &job);
}

static void a_good_list_is_kept_and_a_bad_one_does_not_replace_it(void **state)
{
	static const char *const bad[] = { "/cut", "/page", "/500", "/304" };
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_kept);
	fetch_and_keep(lab, "/500");
	assert_false(lab_has(lab, "kept"));
	assert_true(fetch_and_keep(lab, "/list")->ok);
	assert_string_equal(lab_read(lab, "kept"), LIST);
	lab_write(lab, "kept", "old\n", 4);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fetch_and_keep(lab, bad[i]);
		assert_string_equal(lab_read(lab, "kept"), "old\n");
		assert_false(lab_has(lab, "kept.part"));
	}
	fetch_and_keep(lab, "/list");
	assert_string_equal(lab_read(lab, "kept"), LIST);
	assert_false(lab_has(lab, "kept.part"));
}

static void what_a_dead_daemon_left_is_overwritten(void **state)
{
	static char left[3000];
	struct feeder_lab *lab = *state;

	memset(left, 'x', sizeof(left));
	lab_write(lab, "kept.part", left, sizeof(left));
	lab_serve(lab, handle_kept);
	assert_true(fetch_and_keep(lab, "/list")->ok);
	assert_string_equal(lab_read(lab, "kept"), LIST);
}

static void two_jobs_do_not_write_one_copy(void **state)
{
	struct feeder_lab *lab = *state;
	struct feeder_job job = { .url = "http://127.0.0.1:1/", .fd = -1 };
	struct feeder *feeder = NULL;
	struct problem why = {};
	int other;

	job.keep = lab_path(lab, "kept");
	other = open(lab_path(lab, "kept.part"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(other, LOCK_EX), 0);
	assert_int_equal(feeder_start(lab->loop, &job, NULL, NULL, NULL, &feeder, &why), -EBUSY);
	assert_true(lab_has(lab, "kept.part"));
	close(other);
}

static void a_list_that_cannot_be_kept_is_still_a_list(void **state)
{
	struct feeder_lab *lab = *state;
	struct feeder_job job = { .fd = -1, .parse = { .format = FEED_PLAIN } };
	struct feeder *feeder = NULL;
	struct problem why = {};

	/* The directory is told at once, a name that cannot be replaced at the end. */
	lab_serve(lab, handle_kept);
	job.url = lab_url(lab, "/list");
	job.keep = lab_path(lab, "no/such/directory");
	assert_int_equal(feeder_start(lab->loop, &job, NULL, NULL, NULL, &feeder, &why), -ENOENT);
	assert_int_equal(mkdir(lab_path(lab, "kept"), 0700), 0);
	assert_true(fetch_and_keep(lab, "/list")->ok);
	assert_int_equal(lab->rows, 3);
	assert_false(lab_has(lab, "kept.part"));
}

/* A page that says with what it was asked for, as some do when something is wrong. */
static void handle_echo(struct http_exchange *x, void *arg)
{
	const char *key = strstr(x->request, "moat-test-secret");

	(void)arg;
	http_send(x, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>%s: no such key: %.*s\n",
		  x->path, strcmp(x->path, "/cut") ? 16 : 12, key ? key : "none");
}

static void assert_silent(const struct feeder_result *r)
{
	static const char *const secrets[] = { "moat-test", "query-token" };

	assert_int_equal(r->summary.fault, FEED_FAULT_ERROR_PAGE);
	assert_non_null(strstr(r->why.text, "no such key"));
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		if (strstr(r->why.text, secrets[i]) || strstr(r->summary.detail, secrets[i]))
			fail_msg("a secret is said: '%s'", r->why.text);
	}
}

static void a_server_that_repeats_secrets_is_not_quoted_with_them(void **state)
{
	struct feeder_lab *lab = *state;

	lab_serve(lab, handle_echo);
	assert_silent(fetch_with_headers(lab, lab_url(lab, "/whole"), SECRET "\n"));
	assert_silent(fetch_with_headers(lab, lab_url(lab, "/cut"), SECRET "\n"));
	assert_silent(
		fetch_with_headers(lab, lab_url(lab, "/list?key=query-token-1"), SECRET "\n"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with_feeder(redirects_have_an_end),
		with_feeder(a_redirect_to_a_file_is_not_followed),
		with_feeder(secrets_go_to_the_origin_they_were_given_for),
		with_feeder(a_redirect_does_not_take_secrets_elsewhere),
		with_feeder(a_bad_header_file_sends_nothing),
		with_feeder(what_went_wrong_is_said_without_secrets),
		with_feeder(only_a_certificate_of_a_known_authority_and_of_that_name_is_taken),
		with_feeder(a_good_list_is_kept_and_a_bad_one_does_not_replace_it),
		with_feeder(what_a_dead_daemon_left_is_overwritten),
		with_feeder(two_jobs_do_not_write_one_copy),
		with_feeder(a_list_that_cannot_be_kept_is_still_a_list),
		with_feeder(a_server_that_repeats_secrets_is_not_quoted_with_them),
	};

	feeder_lab_main(argc, argv, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
