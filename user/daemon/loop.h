/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop: file descriptors and timers on one epoll, one thread.
 *
 * A watch or timer belongs to whoever added it and is removed by its id. A
 * callback may add and remove any, its own included.
 */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include "core/base.h"

struct loop;

int loop_new(struct loop **ret);
struct loop *loop_free(struct loop *l);
DEFINE_CLEANUP(struct loop, loop_free)

/* events: EPOLLIN, EPOLLOUT. The fd stays the caller's. Returns an id > 0, or negative errno. */
int loop_watch(struct loop *l, int fd, uint32_t events, void (*fn)(void *arg, uint32_t events),
	       void *arg);
void loop_unwatch(struct loop *l, int id);

/* Calls fn every period_ms (after first_ms). period 0: once. Returns an id > 0, or negative errno. */
int loop_timer(struct loop *l, int64_t first_ms, int64_t period_ms, void (*fn)(void *arg),
	       void *arg);
void loop_timer_set(struct loop *l, int id, int64_t first_ms); /* rearms */
void loop_timer_remove(struct loop *l, int id);

/* Called before each wait; returns how many ms the wait may last at most, -1 for any. */
void loop_set_prepare(struct loop *l, int64_t (*fn)(void *arg), void *arg);

/* Runs until loop_stop(). 0 or negative errno. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

#endif
