/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cli_lab.h"

#include <sys/socket.h>
#include <sys/un.h>

#define WORDS_MAX   24
#define ACCEPT_S    20 /* a moatctl that does not ask fails the test, it does not hang it */
#define REQUEST_MAX (32UL * 1024 * 1024)

/* ---- the daemon ---- */

static size_t content_length(const char *head)
{
	const char *at = strcasestr(head, "\r\nContent-Length: ");

	return at ? strtoull(at + 18, NULL, 10) : 0;
}

static void read_request(int fd, struct text *ret)
{
	char *bytes = calloc(1, REQUEST_MAX), *body = NULL;
	size_t size = 0;
	ssize_t n = 1;

	while (bytes && n > 0 && size < REQUEST_MAX - 1) {
		body = strstr(bytes, "\r\n\r\n");
		if (body && size >= (size_t)(body + 4 - bytes) + content_length(bytes))
			break;
		n = recv(fd, bytes + size, REQUEST_MAX - 1 - size, 0);
		size += n > 0 ? (size_t)n : 0;
	}
	if (body)
		text_add(ret, "%.*s\n%s", (int)(strstr(bytes, " HTTP/") - bytes), bytes, body + 4);
	free(bytes);
}

static void *serve(void *arg)
{
	struct lab *lab = arg;

	while (lab->served < lab->steps) {
		struct step *step = &lab->step[lab->served];
		int fd = accept4(lab->listener, NULL, NULL, SOCK_CLOEXEC);
		struct text answer = {};

		if (fd < 0)
			return NULL;
		read_request(fd, &step->request);
		text_add(&answer,
			 "HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
			 step->status, strlen(step->body), step->body);
		send(fd, answer.data, answer.size, MSG_NOSIGNAL);
		text_free(&answer);
		close(fd);
		lab->served++;
	}
	return NULL;
}

int setup(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = ACCEPT_S };
	struct lab *lab = calloc(1, sizeof(*lab));

	assert_non_null(lab);
	snprintf(lab->dir, sizeof(lab->dir), "/tmp/moat-cli-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	snprintf(lab->socket, sizeof(lab->socket), "%s/moatd.sock", lab->dir);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", lab->socket);
	lab->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(lab->listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(bind(lab->listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(lab->listener, 8), 0);
	*state = lab;
	return 0;
}

void forget(struct lab *lab)
{
	for (size_t i = 0; i < lab->steps; i++)
		text_free(&lab->step[i].request);
	lab->steps = lab->served = 0;
	free(lab->out);
	free(lab->err);
	lab->out = lab->err = NULL;
}

int teardown(void **state)
{
	struct lab *lab = *state;

	forget(lab);
	close(lab->listener);
	unlink(lab->socket);
	rmdir(lab->dir);
	free(lab);
	return 0;
}

void script(struct lab *lab, int status, const char *body)
{
	assert_true(lab->steps < STEPS_MAX);
	lab->step[lab->steps++] = (struct step){ .status = status, .body = body };
}

/* ---- moatctl ---- */

void run_with(struct lab *lab, const char *input, const char *line)
{
	run_with_bytes(lab, input, strlen(input), line);
}

void run_with_bytes(struct lab *lab, const char *input, size_t size, const char *line)
{
	struct cli cli = { .socket = lab->socket, .now = LAB_NOW };
	_cleanup_free_ char *copy = strdup(line);
	char *argv[WORDS_MAX] = { (char *)"moatctl" }, *save = NULL;
	size_t out_size, err_size;
	int argc = 1;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(argc < WORDS_MAX - 1);
		argv[argc++] = word;
	}
	cli.in = fmemopen((void *)input, size, "r");
	cli.out = open_memstream(&lab->out, &out_size);
	cli.err = open_memstream(&lab->err, &err_size);
	assert_non_null(cli.in);
	if (lab->steps)
		assert_int_equal(pthread_create(&lab->server, NULL, serve, lab), 0);
	lab->code = cli_run(&cli, argc, argv);
	if (lab->steps)
		pthread_join(lab->server, NULL);
	fclose(cli.in);
	fclose(cli.out);
	fclose(cli.err);
	assert_int_equal(lab->served, lab->steps);
}

void run(struct lab *lab, const char *line)
{
	run_with(lab, " ", line);
}
