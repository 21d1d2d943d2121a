/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeder_spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <time.h>

#define PIPE_SIZE (1 << 20) /* wanted: the child goes on while the loop does something else */

/* What a child may know of the environment: proxies, and which authorities it trusts. */
static const char *const environment[] = {
	"http_proxy", "https_proxy", "HTTPS_PROXY",   "all_proxy",   "ALL_PROXY",
	"no_proxy",   "NO_PROXY",    "SSL_CERT_FILE", "RES_OPTIONS",
};

/* ---- the order ---- */

/* NULL is "". */
static bool copy_text(char *to, size_t room, const char *from)
{
	size_t size = from ? strlen(from) + 1 : 0;

	if (size > room)
		return false;
	if (size)
		memcpy(to, from, size);
	return true;
}

int feeder_order_fill(const struct feeder_job *job, struct feeder_order *ret, struct problem *why)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	memset(ret, 0, sizeof(*ret));
	ret->magic = FEEDER_ORDER_MAGIC;
	ret->size = sizeof(struct feeder_order) + sizeof(struct feeder_end);
	ret->parent = getpid();
	ret->input = !job->url;
	ret->keep = job->keep;
	ret->post = job->body;
	ret->deadline_ms = job->deadline_ms > 0 ? job->deadline_ms : FEEDER_DEADLINE_MS;
	ret->started_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	ret->parse = job->parse;
	ret->parse.types = NULL;
	if (job->url && !*job->url)
		return problem_set(why, -EINVAL, "the url is empty");
	if (!copy_text(ret->url, sizeof(ret->url), job->url))
		return problem_set(why, -EINVAL, "the url is longer than %d bytes",
				   FEEDER_URL_MAX - 1);
	if (!copy_text(ret->header_file, sizeof(ret->header_file), job->header_file))
		return problem_set(why, -EINVAL, "the name of header_file is too long");
	if (!copy_text(ret->key_file, sizeof(ret->key_file), job->key_file))
		return problem_set(why, -EINVAL, "the name of api_key_file is too long");
	if (!copy_text(ret->types, sizeof(ret->types), job->parse.types))
		return problem_set(why, -EINVAL, "the types are longer than %d bytes",
				   FEEDER_TYPES_MAX - 1);
	/* Without these the request is not conditional: more traffic, nothing else. */
	if (!copy_text(ret->etag, sizeof(ret->etag), job->etag) ||
	    !copy_text(ret->last_modified, sizeof(ret->last_modified), job->last_modified))
		ret->etag[0] = ret->last_modified[0] = '\0';
	return 0;
}

int feeder_memory_file(const void *bytes, size_t size)
{
	_cleanup_close_ int fd = memfd_create("moat-feeder-order", MFD_CLOEXEC);
	const char *at = bytes;
	size_t left = size;

	if (fd < 0)
		return -errno;
	while (left) {
		ssize_t n = write(fd, at, left);

		if (n < 0)
			return -errno;
		at += n;
		left -= (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return take_fd(fd);
}

/* ---- the child ---- */

/* Out of the way of the numbers the child finds its descriptors under. */
static int move_up(int *fd)
{
	int moved;

	if (*fd < 0 || *fd >= FEEDER_FD_MAX)
		return 0;
	moved = fcntl(*fd, F_DUPFD_CLOEXEC, FEEDER_FD_MAX);
	if (moved < 0)
		return -errno;
	close(*fd);
	*fd = moved;
	return 0;
}

static int dup_for_child(int fd)
{
	int copy;

	if (fd < 0)
		return -1;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, FEEDER_FD_MAX);
	return copy < 0 ? -errno : copy;
}

static int set_actions(posix_spawn_file_actions_t *actions, const int fd[FEEDER_FD_MAX])
{
	int r = 0;

	for (int i = 0; i < FEEDER_FD_MAX && !r; i++)
		if (fd[i] >= 0)
			r = posix_spawn_file_actions_adddup2(actions, fd[i], i);
		else
			r = posix_spawn_file_actions_addopen(actions, i, "/dev/null", O_RDWR, 0);
	return r ?: posix_spawn_file_actions_addclosefrom_np(actions, FEEDER_FD_MAX);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int r;

	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawnattr_setsigmask(attributes, &none);
	r = r ?: posix_spawnattr_setsigdefault(attributes, &all);
	return r
		       ?: posix_spawnattr_setflags(attributes,
						   POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* Owned strings "NAME=value"; the last one is NULL. */
struct child_environment {
	char *entry[ARRAY_SIZE(environment) + 1];
};

static void child_environment_free(struct child_environment *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(e->entry); i++)
		free(e->entry[i]);
}

static int child_environment_fill(struct child_environment *e)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(environment); i++) {
		const char *value = getenv(environment[i]);

		if (!value)
			continue;
		if (asprintf(&e->entry[count], "%s=%s", environment[i], value) < 0) {
			e->entry[count] = NULL;
			return -ENOMEM;
		}
		count++;
	}
	return 0;
}

/* Without a copy of our page tables, which fork() would make. */
static int run_child(const int fd[FEEDER_FD_MAX], pid_t *ret_pid)
{
	static char name[] = "moatd", mode[] = FEEDER_CHILD;
	_cleanup_(child_environment_free) struct child_environment env = {};
	char *const argv[] = { name, mode, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r = child_environment_fill(&env);

	if (r < 0)
		return r;
	if (posix_spawn_file_actions_init(&actions))
		return -ENOMEM;
	if (posix_spawnattr_init(&attributes)) {
		posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	r = set_actions(&actions, fd);
	r = r ?: set_attributes(&attributes);
	/* Not by name: the file may have been replaced by another version's. */
	r = r ?: posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes, argv, env.entry);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int feeder_spawn(const struct feeder_order *order, int input, int keep, pid_t *ret_pid,
		 int *ret_out, struct problem *why)
{
	_cleanup_close_ int file = feeder_memory_file(order, sizeof(*order));
	_cleanup_close_ int in = dup_for_child(input);
	_cleanup_close_ int part = dup_for_child(keep);
	_cleanup_close_ int out = -1, child_out = -1;
	int ends[2], fd[FEEDER_FD_MAX], r;

	if (file < 0 || (input >= 0 && in < 0) || (keep >= 0 && part < 0))
		return problem_set(why, -EMFILE, "cannot start the feeder's child: no descriptor");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return problem_set(why, -errno, "cannot start the feeder's child: %s",
				   strerror(errno));
	out = ends[0];
	child_out = ends[1];
	fcntl(out, F_SETPIPE_SZ, PIPE_SIZE); /* the default size is slower, and enough */
	r = move_up(&file) ?: move_up(&child_out);
	if (!r && fcntl(out, F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	fd[FEEDER_FD_ORDER] = file;
	fd[FEEDER_FD_OUT] = child_out;
	fd[FEEDER_FD_NULL] = -1;
	fd[FEEDER_FD_INPUT] = in;
	fd[FEEDER_FD_KEEP] = part;
	r = r ?: run_child(fd, ret_pid);
	if (r < 0)
		return problem_set(why, r, "cannot start the feeder's child: %s", strerror(-r));
	*ret_out = take_fd(out);
	return 0;
}
