/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/events_log.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "core/log.h"

#define BUFFER	  (256 * 1024) /* bytes */
#define FLUSH_AT  (64 * 1024)
#define FLUSH_MS  250
#define FILE_MODE 0640

struct events_log {
	struct events *e;
	struct loop *loop;
	struct events_reader *reader;
	int timer;
	char *path; /* owned */
	uint64_t limit;
	uint32_t keep;

	int fd; /* -1: could not be opened */
	dev_t device;
	ino_t inode;
	uint64_t size; /* of the file */
	bool torn;     /* it ends in half a line */

	char *buffer; /* owned; whole lines */
	size_t used;
	uint64_t lines; /* in it */
	uint64_t written, lost;
	struct problem problem;
};

/* ---- the file ---- */

static void trouble(struct events_log *l, const char *what)
{
	struct problem now = {};

	problem_set(&now, -errno, "log of events '%s': %s: %s", l->path, what, strerror(errno));
	if (strcmp(now.text, l->problem.text) != 0)
		log_error("%s", now.text);
	l->problem = now;
}

static void close_file(struct events_log *l)
{
	base_closep(&l->fd);
	l->fd = -1;
}

static void open_file(struct events_log *l)
{
	struct stat st;

	close_file(l);
	/* A pipe or a device in its place must not make the loop wait. */
	l->fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		     FILE_MODE);
	if (l->fd < 0 || fstat(l->fd, &st)) {
		trouble(l, "cannot be opened");
		close_file(l);
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		trouble(l, "is not a file");
		close_file(l);
		return;
	}
	l->device = st.st_dev;
	l->inode = st.st_ino;
	l->size = (uint64_t)st.st_size;
	l->torn = false;
}

/* PATH.1 is the newest that was rotated. Else nothing more is written: it would grow for ever. */
static bool rotate(struct events_log *l)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (uint32_t i = l->keep; i > 1; i--) {
		snprintf(from, sizeof(from), "%s.%u", l->path, i - 1);
		snprintf(to, sizeof(to), "%s.%u", l->path, i);
		if (rename(from, to) && errno != ENOENT)
			trouble(l, "cannot be rotated");
	}
	snprintf(to, sizeof(to), "%s.1", l->path);
	if (l->keep ? rename(l->path, to) : unlink(l->path)) {
		trouble(l, "cannot be rotated");
		return false;
	}
	open_file(l);
	return l->fd >= 0;
}

/* Whether the path still leads to what is open. */
static bool was_moved(const struct events_log *l)
{
	struct stat st;

	return lstat(l->path, &st) || st.st_dev != l->device || st.st_ino != l->inode;
}

static bool write_all(struct events_log *l, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(l->fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		l->size += (uint64_t)n;
		l->torn = (size_t)n < size;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

/* Opens what is to be written to. What is in the way is said. */
static bool is_ready(struct events_log *l)
{
	if (l->fd < 0 || was_moved(l))
		open_file(l);
	return l->fd >= 0 && (l->size < l->limit || rotate(l));
}

static bool write_lines(struct events_log *l)
{
	if ((!l->torn || write_all(l, "\n", 1)) && write_all(l, l->buffer, l->used))
		return true;
	trouble(l, "cannot be written");
	return false;
}

static void flush(struct events_log *l)
{
	if (!l->used)
		return;
	if (is_ready(l) && write_lines(l)) {
		l->written += l->lines;
		if (l->problem.text[0])
			log_notice("log of events '%s': is written again", l->path);
		l->problem.text[0] = '\0';
	} else {
		l->lost += l->lines;
	}
	l->used = 0;
	l->lines = 0;
}

static void flush_due(void *arg)
{
	flush(arg);
}

/* ---- a reader of events ---- */

static bool take(void *arg, const struct event *event)
{
	struct events_log *l = arg;
	size_t size;
	const char *json = events_json(l->e, event, false, &size);

	memcpy(l->buffer + l->used, json, size);
	l->used += size;
	l->buffer[l->used++] = '\n';
	l->lines++;
	if (l->used >= FLUSH_AT)
		flush(l);
	return true;
}

int events_log_new(struct events *e, struct loop *loop, const struct config_events *c,
		   struct events_log **ret, struct problem *why)
{
	_cleanup_(events_log_freep) struct events_log *l = calloc(1, sizeof(*l));
	const struct events_reader_kind kind = { .filter = { .passes = c->passes },
						 .take = take,
						 .arg = l };
	int r;

	if (!l)
		return problem_set(why, -ENOMEM, "log of events: out of memory");
	l->e = e;
	l->loop = loop;
	l->fd = -1;
	l->limit = c->log_size;
	l->keep = c->log_keep;
	l->path = strdup(c->log);
	l->buffer = malloc(BUFFER);
	l->timer = loop_timer(loop, FLUSH_MS, FLUSH_MS, flush_due, l);
	if (!l->path || !l->buffer || l->timer < 0)
		return problem_set(why, -ENOMEM, "log of events: out of memory");
	r = events_join(e, &kind, &l->reader, why);
	if (r)
		return r;
	open_file(l);
	*ret = take_ptr(l);
	return 0;
}

struct events_log *events_log_free(struct events_log *l)
{
	if (!l)
		return NULL;
	events_leave(l->e, l->reader);
	if (l->timer > 0)
		loop_timer_remove(l->loop, l->timer);
	flush(l);
	close_file(l);
	free(l->path);
	free(l->buffer);
	free(l);
	return NULL;
}

void events_log_reopen(struct events_log *l)
{
	flush(l);
	open_file(l);
}

void events_log_numbers(const struct events_log *l, struct events_log_numbers *ret)
{
	*ret = (struct events_log_numbers){ l->written, l->lost, l->problem.text };
}
