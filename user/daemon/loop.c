/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/loop.h"

#include <sys/epoll.h>
#include <time.h>

#define LOOP_EVENTS 64 /* taken from the kernel at a time */

struct watch {
	int id; /* 0: free */
	int fd;
	void (*fn)(void *arg, uint32_t events);
	void *arg;
};

struct timer {
	int id;	     /* 0: free */
	int64_t due; /* monotonic ms; -1: not armed */
	int64_t period;
	void (*fn)(void *arg);
	void *arg;
};

struct loop {
	int epoll;
	int last_id;
	bool stopping;
	struct watch *watch;
	size_t watches;
	struct timer *timer;
	size_t timers;
	int64_t (*prepare)(void *arg);
	void *prepare_arg;
};

static int64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int loop_new(struct loop **ret)
{
	_cleanup_(loop_freep) struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		return -errno;
	*ret = take_ptr(l);
	return 0;
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	if (l->epoll >= 0)
		close(l->epoll);
	free(l->watch);
	free(l->timer);
	free(l);
	return NULL;
}

static struct watch *loop_free_watch(struct loop *l)
{
	struct watch *grown;

	for (size_t i = 0; i < l->watches; i++)
		if (!l->watch[i].id)
			return &l->watch[i];
	grown = reallocarray(l->watch, l->watches + 8, sizeof(*grown));
	if (!grown)
		return NULL;
	l->watch = grown;
	memset(l->watch + l->watches, 0, 8 * sizeof(*grown));
	l->watches += 8;
	return &l->watch[l->watches - 8];
}

int loop_watch(struct loop *l, int fd, uint32_t events, void (*fn)(void *arg, uint32_t events),
	       void *arg)
{
	struct watch *watch = loop_free_watch(l);
	struct epoll_event event = { .events = events };

	if (!watch)
		return -ENOMEM;
	event.data.u64 = (uint64_t)l->last_id + 1;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	*watch = (struct watch){ .id = ++l->last_id, .fd = fd, .fn = fn, .arg = arg };
	return watch->id;
}

void loop_unwatch(struct loop *l, int id)
{
	for (size_t i = 0; i < l->watches; i++) {
		if (!id || l->watch[i].id != id)
			continue;
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->watch[i].fd, NULL);
		l->watch[i].id = 0;
	}
}

static struct timer *loop_free_timer(struct loop *l)
{
	struct timer *grown;

	for (size_t i = 0; i < l->timers; i++)
		if (!l->timer[i].id)
			return &l->timer[i];
	grown = reallocarray(l->timer, l->timers + 8, sizeof(*grown));
	if (!grown)
		return NULL;
	l->timer = grown;
	memset(l->timer + l->timers, 0, 8 * sizeof(*grown));
	l->timers += 8;
	return &l->timer[l->timers - 8];
}

int loop_timer(struct loop *l, int64_t first_ms, int64_t period_ms, void (*fn)(void *arg),
	       void *arg)
{
	struct timer *timer = loop_free_timer(l);

	if (!timer)
		return -ENOMEM;
	*timer = (struct timer){ .id = ++l->last_id,
				 .due = loop_now() + first_ms,
				 .period = period_ms,
				 .fn = fn,
				 .arg = arg };
	return timer->id;
}

void loop_timer_set(struct loop *l, int id, int64_t first_ms)
{
	for (size_t i = 0; i < l->timers; i++)
		if (id && l->timer[i].id == id)
			l->timer[i].due = loop_now() + first_ms;
}

void loop_timer_remove(struct loop *l, int id)
{
	for (size_t i = 0; i < l->timers; i++)
		if (id && l->timer[i].id == id)
			l->timer[i].id = 0;
}

void loop_set_prepare(struct loop *l, int64_t (*fn)(void *arg), void *arg)
{
	l->prepare = fn;
	l->prepare_arg = arg;
}

static void loop_run_timers(struct loop *l)
{
	int64_t now = loop_now();

	/* Callbacks may add timers, so the array is looked at afresh each time. */
	for (size_t i = 0; i < l->timers; i++) {
		struct timer due = l->timer[i];

		if (!due.id || due.due < 0 || due.due > now)
			continue;
		l->timer[i].due = due.period ? now + due.period : -1;
		due.fn(due.arg);
	}
}

/* Milliseconds to wait, -1 for ever. */
static int loop_timeout(struct loop *l)
{
	int64_t best = l->prepare ? l->prepare(l->prepare_arg) : -1;
	int64_t now = loop_now();

	for (size_t i = 0; i < l->timers; i++) {
		int64_t left = l->timer[i].due - now;

		if (!l->timer[i].id || l->timer[i].due < 0)
			continue;
		if (left < 0)
			left = 0;
		if (best < 0 || left < best)
			best = left;
	}
	return best > 60000 ? 60000 : (int)best;
}

static void loop_dispatch(struct loop *l, uint64_t id, uint32_t events)
{
	for (size_t i = 0; i < l->watches; i++) {
		struct watch watch = l->watch[i];

		if (watch.id && (uint64_t)watch.id == id) {
			watch.fn(watch.arg, events);
			return;
		}
	}
}

int loop_run(struct loop *l)
{
	struct epoll_event event[LOOP_EVENTS];

	l->stopping = false;
	while (!l->stopping) {
		int n = epoll_wait(l->epoll, event, LOOP_EVENTS, loop_timeout(l));

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && !l->stopping; i++)
			loop_dispatch(l, event[i].data.u64, event[i].events);
		if (!l->stopping)
			loop_run_timers(l);
	}
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
}
