/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/watch.h"

#include <limits.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

#define EVENTS	  (IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)
#define READS_MAX 64 /* at once; the timer brings us back for the rest */

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void watch_close(struct watch *w)
{
	close_one(&w->epoll);
	close_one(&w->inotify);
	close_one(&w->timer);
	w->directory = -1;
	w->delay_ms = 0;
}

/* inotify is armed for one report, so that a flood of writes does not spin the caller. */
static int arm_inotify(struct watch *w, int op)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };

	return epoll_ctl(w->epoll, op, w->inotify, &event);
}

void watch_open(struct watch *w)
{
	struct epoll_event event = { .events = EPOLLIN };

	w->directory = -1;
	w->delay_ms = 0;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (w->epoll < 0 || w->inotify < 0 || w->timer < 0 || arm_inotify(w, EPOLL_CTL_ADD) ||
	    epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->timer, &event))
		watch_close(w);
}

int watch_file(struct watch *w, const char *file)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(file, '/');
	size_t length = slash ? (size_t)(slash - file) : 0;

	if (w->epoll < 0)
		return -EBADF;
	if (length >= sizeof(directory))
		return -ENAMETOOLONG;
	memcpy(directory, file, length);
	directory[length] = '\0';

	if (w->directory >= 0)
		inotify_rm_watch(w->inotify, w->directory);
	w->directory = inotify_add_watch(w->inotify, length ? directory : "/", EVENTS);
	return w->directory < 0 ? -errno : 0;
}

static void start_timer(struct watch *w, unsigned int ms)
{
	struct itimerspec at = { .it_value = { .tv_sec = ms / 1000,
					       .tv_nsec = ms % 1000 * 1000000L } };

	w->delay_ms = ms;
	timerfd_settime(w->timer, 0, &at, NULL);
}

/* Whether there were events. */
static bool drain_inotify(struct watch *w)
{
	char events[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
	int reads = 0;

	while (reads < READS_MAX && read(w->inotify, events, sizeof(events)) > 0)
		reads++;
	return reads > 0;
}

void watch_clear(struct watch *w)
{
	struct epoll_event ready[2];
	uint64_t expirations;

	if (w->epoll < 0)
		return;
	if (epoll_wait(w->epoll, ready, ARRAY_SIZE(ready), 0) <= 0)
		return;
	if (read(w->timer, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		return;

	if (drain_inotify(w)) {
		start_timer(w, WATCH_FIRST_MS);
		return;
	}
	if (w->delay_ms)
		start_timer(w, w->delay_ms < WATCH_LAST_MS ? w->delay_ms * 2 : 0);
	arm_inotify(w, EPOLL_CTL_MOD);
}
