/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeder.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "core/log.h"
#include "daemon/feeder_keep.h"
#include "daemon/feeder_spawn.h"

#define FRAMES_A_TURN 32 /* then the loop looks after others */

struct feeder {
	struct loop *loop;
	int (*rows)(void *arg, const struct feed_row *row, size_t count);
	void (*done)(void *arg, const struct feeder_result *result);
	void *arg;
	pid_t pid;
	int fd;
	int watch, timer;
	int64_t deadline_ms;
	struct feeder_keep *keep; /* NULL: nothing is kept */
	char *frame;		  /* of FEEDER_FRAME_MAX, filled so far */
	size_t filled;
	uint64_t received; /* rows */
	bool failed;	   /* why says it; the child was killed, what still comes is thrown away */
	bool ended;	   /* end is filled */
	bool calling;	   /* in rows() or done() */
	bool cancelled;	   /* while calling */
	struct feeder_end end;
	struct problem why;
};

static struct feeder *feeder_free(struct feeder *f)
{
	if (!f)
		return NULL;
	loop_unwatch(f->loop, f->watch);
	loop_timer_remove(f->loop, f->timer);
	if (f->fd >= 0)
		close(f->fd);
	feeder_keep_free(f->keep);
	free(f->frame);
	free(f);
	return NULL;
}

DEFINE_CLEANUP(struct feeder, feeder_free)

/* The child's pid is ours until this. Returns its status, or -1. */
static int feeder_reap(struct feeder *f)
{
	int status = -1;
	pid_t r;

	if (f->pid <= 0)
		return -1;
	kill(f->pid, SIGKILL);
	do
		r = waitpid(f->pid, &status, 0);
	while (r < 0 && errno == EINTR);
	f->pid = 0;
	return r < 0 ? -1 : status;
}

struct feeder *feeder_cancel(struct feeder *f)
{
	if (!f)
		return NULL;
	if (f->calling) {
		f->cancelled = true;
		return NULL;
	}
	feeder_reap(f);
	return feeder_free(f);
}

/* The end of the pipe follows, and with it done(). The first failure stays. */
_printf_(2, 3) static void feeder_fail(struct feeder *f, const char *fmt, ...)
{
	va_list args;

	if (f->failed)
		return;
	va_start(args, fmt);
	vsnprintf(f->why.text, sizeof(f->why.text), fmt, args);
	va_end(args);
	f->failed = true;
	kill(f->pid, SIGKILL);
}

/* ---- the end ---- */

static void explain_status(int status, struct problem *why)
{
	int sig = status != -1 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (sig == SIGSYS)
		problem_set(why, 0,
			    "the child that parses did what its sandbox forbids and was killed");
	else if (sig == SIGXCPU)
		problem_set(why, 0, "the child that parses used too much CPU time");
	else if (sig)
		problem_set(why, 0, "the child that parses was killed by signal %d (%s)", sig,
			    strsignal(sig));
	else
		problem_set(why, 0, "the child that parses ended without a result (status %d)",
			    status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void explain_fault(const struct feed_summary *s, struct problem *why)
{
	problem_set(why, 0, "%s%s%s", feed_fault_text(s->fault), *s->detail ? ": " : "", s->detail);
}

static void fill_result(struct feeder *f, int status, struct feeder_result *ret)
{
	const struct feeder_end *end = &f->end;

	if (f->failed) {
		ret->why = f->why;
		return;
	}
	if (!f->ended || status == -1 || !WIFEXITED(status) || WEXITSTATUS(status)) {
		explain_status(status, &ret->why);
		return;
	}
	ret->ok = end->ok;
	ret->not_modified = end->not_modified;
	ret->http_status = end->http_status;
	ret->retry_after = end->retry_after;
	ret->modified = end->modified;
	if (!end->ok) {
		memcpy(ret->why.text, end->why, sizeof(ret->why.text));
		return;
	}
	if (!end->not_modified)
		ret->summary = end->summary;
	if (ret->summary.fault) {
		explain_fault(&ret->summary, &ret->why);
		return;
	}
	/* Only of a good list, or "304" would make a bad one fresh again. */
	memcpy(ret->etag, end->etag, sizeof(ret->etag));
	memcpy(ret->last_modified, end->last_modified, sizeof(ret->last_modified));
}

/* A list that cannot be kept is still a good list. */
static void keep_good(struct feeder *f, const struct feeder_result *result)
{
	struct problem why = {};

	if (!f->keep || !result->ok || result->not_modified || result->summary.fault)
		return;
	if (!f->end.kept)
		log_warning("feed: the last good copy was not replaced: cannot write all of it");
	else if (feeder_keep_commit(f->keep, &why) < 0)
		log_warning("feed: %s", why.text);
}

/* The pipe is at its end: the child is dead, or has nothing more to say. */
static void feeder_finish(struct feeder *f)
{
	struct feeder_result result = {};
	int status;

	loop_unwatch(f->loop, f->watch);
	loop_timer_remove(f->loop, f->timer);
	status = feeder_reap(f);
	fill_result(f, status, &result);
	keep_good(f, &result);
	f->calling = true;
	f->done(f->arg, &result);
	feeder_free(f);
}

/* ---- frames ---- */

/* Why rows() would have no more. */
static const char *refusal(int error)
{
	if (error == -E2BIG)
		return "more entries than a feed may have: no list, or one that is to be split";
	return error == -ENOMEM ? "out of memory: too many entries for this host" : "cancelled";
}

static void take_rows(struct feeder *f, const struct feed_row *row, size_t count)
{
	int r;

	f->received += count;
	if (f->received > FEEDER_ROWS_MAX) {
		feeder_fail(f, "more than %u entries", FEEDER_ROWS_MAX);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const char *wrong = feeder_check_row(&row[i]);

		if (wrong) {
			feeder_fail(f, "the child that parses sent a row with a bad %s", wrong);
			return;
		}
	}
	f->calling = true;
	r = f->rows(f->arg, row, count);
	f->calling = false;
	if (r)
		feeder_fail(f, "%s", refusal(r));
}

static void take_end(struct feeder *f, const struct feeder_end *end)
{
	const char *wrong = feeder_check_end(end, f->received);

	if (wrong) {
		feeder_fail(f, "the child that parses sent an end with a bad %s", wrong);
		return;
	}
	f->end = *end;
	f->ended = true;
}

/* The whole frame is there. */
static void take_frame(struct feeder *f)
{
	const struct feeder_frame *frame = (const void *)f->frame;

	f->filled = 0;
	if (frame->kind == FEEDER_ROWS)
		take_rows(f, (const void *)(frame + 1), frame->count);
	else
		take_end(f, (const void *)(frame + 1));
}

/* How much of the frame is still missing, 0 after a lie. */
static size_t frame_missing(struct feeder *f)
{
	const struct feeder_frame *frame = (const void *)f->frame;
	size_t body;

	if (f->filled < sizeof(*frame))
		return sizeof(*frame) - f->filled;
	body = feeder_check_frame(frame);
	if (!body) {
		feeder_fail(f, "the child that parses sent what is no frame");
		return 0;
	}
	return sizeof(*frame) + body - f->filled;
}

static void take_bytes(struct feeder *f, size_t size)
{
	if (f->failed)
		return;
	if (f->ended) {
		feeder_fail(f, "the child that parses went on after its end");
		return;
	}
	f->filled += size;
	if (!frame_missing(f) && !f->failed)
		take_frame(f);
}

static void feeder_readable(void *arg, uint32_t events)
{
	struct feeder *f = arg;

	(void)events;
	for (int i = 0; i < 2 * FRAMES_A_TURN; i++) { /* a head and a body each */
		size_t want = f->failed ? FEEDER_FRAME_MAX : frame_missing(f);
		ssize_t n = read(f->fd, f->frame + (f->failed ? 0 : f->filled), want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			feeder_finish(f);
			return;
		}
		take_bytes(f, (size_t)n);
		if (f->cancelled) {
			f->calling = false;
			feeder_cancel(f);
			return;
		}
	}
}

static void feeder_late(void *arg)
{
	struct feeder *f = arg;

	feeder_fail(f, "not done within %lld.%03lld s", (long long)f->deadline_ms / 1000,
		    (long long)f->deadline_ms % 1000);
}

/* ---- the start ---- */

static int feeder_watch(struct feeder *f)
{
	f->watch = loop_watch(f->loop, f->fd, EPOLLIN, feeder_readable, f);
	if (f->watch < 0)
		return f->watch;
	f->timer = loop_timer(f->loop, f->deadline_ms, 0, feeder_late, f);
	return f->timer < 0 ? f->timer : 0;
}

/* What the child finds as FEEDER_FD_INPUT; -1: nothing. */
static int open_input(const struct feeder_job *job)
{
	size_t size = job->body ? strlen(job->body) : 0;

	if (!job->url)
		return job->fd;
	return size && size <= FEEDER_BODY_MAX ? feeder_memory_file(job->body, size) : -1;
}

int feeder_start(struct loop *loop, const struct feeder_job *job,
		 int (*rows)(void *arg, const struct feed_row *row, size_t count),
		 void (*done)(void *arg, const struct feeder_result *result), void *arg,
		 struct feeder **ret, struct problem *why)
{
	_cleanup_(feeder_freep) struct feeder *f = NULL;
	_cleanup_free_ struct feeder_order *order = calloc(1, sizeof(*order));
	_cleanup_close_ int input = open_input(job);
	int r;

	f = calloc(1, sizeof(*f));
	if (f)
		*f = (struct feeder){
			.loop = loop, .rows = rows, .done = done, .arg = arg, .fd = -1
		};
	if (!order || !f || !(f->frame = malloc(FEEDER_FRAME_MAX)))
		return problem_set(why, -ENOMEM, "out of memory");
	if (!job->url && input < 0)
		return problem_set(why, -EBADF, "neither url nor descriptor");
	if (job->body && input < 0)
		return problem_set(why, -EMFILE, "cannot hand over what is to be sent");
	r = feeder_order_fill(job, order, why);
	if (!r && job->keep)
		r = feeder_keep_open(job->keep, &f->keep, why);
	if (r < 0)
		return r;
	f->deadline_ms = order->deadline_ms;
	r = feeder_spawn(order, input, f->keep ? feeder_keep_fd(f->keep) : -1, &f->pid, &f->fd,
			 why);
	if (r < 0)
		return r;
	r = feeder_watch(f);
	if (r < 0) {
		feeder_reap(f);
		return problem_set(why, r, "cannot watch the feeder's child: %s", strerror(-r));
	}
	*ret = take_ptr(f);
	return 0;
}
