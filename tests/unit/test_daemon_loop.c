/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/epoll.h>
#include <time.h>

#include "daemon/loop.h"

#define DEADLINE_MS 10000

static struct loop *loop;
static int called[4];

static int setup(void **state)
{
	(void)state;
	memset(called, 0, sizeof(called));
	return loop_new(&loop);
}

static int teardown(void **state)
{
	(void)state;
	loop = loop_free(loop);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void fail_late(void *arg)
{
	(void)arg;
	fail_msg("nothing happened in %d ms", DEADLINE_MS);
}

/* Runs until somebody stops it; fails if nobody does. */
static void run(void)
{
	int late = loop_timer(loop, DEADLINE_MS, 0, fail_late, NULL);

	assert_true(late > 0);
	assert_int_equal(loop_run(loop), 0);
	loop_timer_remove(loop, late);
}

static void count_to_3(void *arg)
{
	int *count = arg;

	if (++*count == 3)
		loop_stop(loop);
}

static void a_periodic_timer_fires_again_and_again_and_not_early(void **state)
{
	int64_t began = now_ms();

	(void)state;
	assert_true(loop_timer(loop, 10, 20, count_to_3, &called[0]) > 0);
	run();
	assert_int_equal(called[0], 3);
	assert_true(now_ms() - began >= 50);
}

static void count(void *arg)
{
	++*(int *)arg;
}

static void a_timer_without_period_fires_once_until_it_is_set_again(void **state)
{
	int once;

	(void)state;
	once = loop_timer(loop, 0, 0, count, &called[0]);
	loop_timer(loop, 30, 0, stop, NULL);
	run();
	assert_int_equal(called[0], 1);
	loop_timer_set(loop, once, 0);
	loop_timer(loop, 30, 0, stop, NULL);
	run();
	assert_int_equal(called[0], 2);
}

static void a_removed_timer_does_not_fire_and_its_id_is_nobody_s(void **state)
{
	int gone;

	(void)state;
	gone = loop_timer(loop, 0, 0, count, &called[0]);
	loop_timer_remove(loop, gone);
	loop_timer(loop, 20, 0, stop, NULL);
	loop_timer_remove(loop, gone);
	loop_timer_set(loop, gone, 0);
	run();
	assert_int_equal(called[0], 0);
}

static int self;

static void remove_self_and_add(void *arg)
{
	(void)arg;
	called[0]++;
	loop_timer_remove(loop, self);
	for (int i = 0; i < 50; i++) /* the array of timers moves under the caller */
		loop_timer(loop, DEADLINE_MS, 0, count, &called[1]);
	loop_timer(loop, 20, 0, stop, NULL);
}

static void a_timer_may_remove_itself_and_add_others(void **state)
{
	(void)state;
	self = loop_timer(loop, 0, 1, remove_self_and_add, NULL);
	run();
	assert_int_equal(called[0], 1);
	assert_int_equal(called[1], 0);
}

struct end {
	int fd, id;
};

static void take_byte(void *arg, uint32_t events)
{
	struct end *end = arg;
	uint8_t byte;

	assert_true(events & EPOLLIN);
	assert_int_equal(read(end->fd, &byte, 1), 1);
	called[byte]++;
	if (byte == 3)
		loop_stop(loop);
}

static void what_is_written_wakes_its_watch(void **state)
{
	struct end end;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	end = (struct end){ .fd = fd[0] };
	assert_true(loop_watch(loop, fd[0], EPOLLIN, take_byte, &end) > 0);
	assert_int_equal(write(fd[1], "\1\2\3", 3), 3);
	run();
	assert_int_equal(called[1] + called[2] + called[3], 3);
	close(fd[0]);
	close(fd[1]);
}

static struct end pair[2];

/* Both are ready; the first to be called takes the other's watch away. */
static void unwatch_other(void *arg, uint32_t events)
{
	struct end *end = arg;

	(void)events;
	called[0]++;
	loop_unwatch(loop, pair[end == &pair[0]].id);
	loop_unwatch(loop, end->id);
	loop_timer(loop, 20, 0, stop, NULL);
}

static void a_watch_that_is_gone_is_not_called_even_if_it_was_ready(void **state)
{
	int fd[2][2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(fd[i]), 0);
		assert_int_equal(write(fd[i][1], "x", 1), 1);
		pair[i].fd = fd[i][0];
		pair[i].id = loop_watch(loop, fd[i][0], EPOLLIN, unwatch_other, &pair[i]);
	}
	run();
	assert_int_equal(called[0], 1);
	for (int i = 0; i < 4; i++)
		close(fd[i / 2][i % 2]);
}

static int64_t soon(void *arg)
{
	int *asked = arg;

	if (++*asked == 3)
		loop_stop(loop);
	return 1;
}

static void who_prepares_says_how_long_a_wait_may_last(void **state)
{
	(void)state;
	loop_set_prepare(loop, soon, &called[0]);
	run();
	assert_int_equal(called[0], 3);
}

#define LOOP_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOP_TEST(a_periodic_timer_fires_again_and_again_and_not_early),
		LOOP_TEST(a_timer_without_period_fires_once_until_it_is_set_again),
		LOOP_TEST(a_removed_timer_does_not_fire_and_its_id_is_nobody_s),
		LOOP_TEST(a_timer_may_remove_itself_and_add_others),
		LOOP_TEST(what_is_written_wakes_its_watch),
		LOOP_TEST(a_watch_that_is_gone_is_not_called_even_if_it_was_ready),
		LOOP_TEST(who_prepares_says_how_long_a_wait_may_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
