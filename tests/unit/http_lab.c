/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/http_lab.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#define DEADLINE_MS 20000

int lab_setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	char uri[96];
	struct problem why = {};

	assert_non_null(lab);
	fake_reset();
	snprintf(lab->dir, sizeof(lab->dir), "/tmp/moat-http-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	snprintf(lab->socket, sizeof(lab->socket), "%s/run/moatd.sock", lab->dir);
	snprintf(lab->listen, sizeof(lab->listen), "127.0.0.1:0");
	snprintf(uri, sizeof(uri), "sqlite://%s/moat.db", lab->dir);
	if (store_open(uri, &fake.store, &why))
		fail_msg("%s", why.text);
	assert_int_equal(loop_new(&lab->loop), 0);
	fake.daemon.loop = lab->loop;
	fake.config.socket = lab->socket;
	fake.config.listen = lab->listen;
	if (http_new(&fake.daemon, &lab->http, &why))
		fail_msg("%s", why.text);
	*state = lab;
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int lab_teardown(void **state)
{
	struct lab *lab = *state;

	lab->http = http_free(lab->http);
	fake.store = store_free(fake.store);
	loop_free(lab->loop);
	assert_int_equal(nftw(lab->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(lab);
	return 0;
}

/* ---- the client ---- */

struct client_job {
	int fd;
	int done; /* eventfd */
	const char *bytes;
	size_t size;
	struct text answer;
};

static void *client_run(void *arg)
{
	struct client_job *job = arg;
	size_t sent = 0;
	char buf[65536];
	ssize_t n;

	/* A server that has answered may close before it read everything. */
	while (sent < job->size) {
		n = send(job->fd, job->bytes + sent, job->size - sent, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	while ((n = recv(job->fd, buf, sizeof(buf), 0)) > 0)
		text_add(&job->answer, "%.*s", (int)n, buf);
	n = write(job->done, &(uint64_t){ 1 }, sizeof(uint64_t));
	return n > 0 ? NULL : arg;
}

static int connect_to(struct lab *lab, enum lab_peer peer)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(http_port(lab->http)),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	int fd = socket(peer == LAB_UNIX ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err;

	assert_true(fd >= 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", lab->socket);
	if (peer == LAB_UNIX)
		err = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	else
		err = connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	assert_int_equal(err, 0);
	return fd;
}

static void on_done(void *arg, uint32_t events)
{
	(void)events;
	loop_stop(arg);
}

static void on_deadline(void *arg)
{
	(void)arg;
	fail_msg("no answer within %d ms", DEADLINE_MS);
}

static void take_answer(const struct text *answer, struct response *ret)
{
	const char *end;

	ret->text = answer->data ? answer->data : strdup("");
	assert_non_null(ret->text);
	end = strstr(ret->text, "\r\n\r\n");
	ret->body = end ? end + 4 : "";
	if (strncmp(ret->text, "HTTP/1.1 ", 9) == 0)
		ret->status = (int)strtol(ret->text + 9, NULL, 10);
	ret->json = json_loads(ret->body, JSON_REJECT_DUPLICATES, NULL);
}

struct response lab_send(struct lab *lab, enum lab_peer peer, const char *bytes, size_t size)
{
	struct client_job job = { .bytes = bytes, .size = size };
	struct response response = {};
	pthread_t thread;
	int watch, timer;

	job.done = eventfd(0, EFD_CLOEXEC);
	assert_true(job.done >= 0);
	job.fd = connect_to(lab, peer);
	watch = loop_watch(lab->loop, job.done, EPOLLIN, on_done, lab->loop);
	timer = loop_timer(lab->loop, DEADLINE_MS, 0, on_deadline, NULL);
	assert_int_equal(pthread_create(&thread, NULL, client_run, &job), 0);
	assert_int_equal(loop_run(lab->loop), 0);
	pthread_join(thread, NULL);
	loop_unwatch(lab->loop, watch);
	loop_timer_remove(lab->loop, timer);
	close(job.fd);
	close(job.done);
	take_answer(&job.answer, &response);
	return response;
}

struct response lab_ask(struct lab *lab, enum lab_peer peer, const char *method, const char *path,
			const char *body)
{
	struct response response;
	struct text request = {};

	text_add(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method,
		 path);
	if (body)
		text_add(&request, "Content-Length: %zu\r\n", strlen(body));
	text_add(&request, "\r\n%s", body ? body : "");
	response = lab_send(lab, peer, request.data, request.size);
	text_free(&request);
	return response;
}

void response_free(struct response *r)
{
	free(r->text);
	json_decref(r->json);
}

struct response get(void **state, const char *path)
{
	return lab_ask(*state, LAB_UNIX, "GET", path, NULL);
}

struct response post(void **state, const char *path, const char *body)
{
	return lab_ask(*state, LAB_UNIX, "POST", path, body);
}

const char *member(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

const char *response_text(const struct response *r, const char *key)
{
	return member(r->json, key);
}

size_t listings_in(const struct response *r)
{
	return json_array_size(json_object_get(r->json, "listings"));
}

const json_t *listing_at(const struct response *r, size_t index)
{
	return json_array_get(json_object_get(r->json, "listings"), index);
}

static int count_row(void *arg, const struct listing *listing)
{
	(void)listing;
	++*(size_t *)arg;
	return 0;
}

size_t rows_in_database(void)
{
	size_t rows = 0;
	int64_t seq;

	assert_int_equal(store_snapshot(fake.store, count_row, &rows, &seq, NULL), 0);
	return rows;
}
