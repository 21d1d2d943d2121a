/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window of samples: what it holds, forgets, and what the weights add up to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/window.h"

#define START 1000000

static struct window *open_window(void)
{
	struct window *w = NULL;

	assert_int_equal(window_new(42, &w), 0);
	window_open(w, START);
	return w;
}

/* Samples from 10.x, so many a second over some seconds, each worth weight. */
static void add_many(struct window *w, int64_t from, int64_t seconds, size_t rate, double weight)
{
	struct moat_sample sample = { .family = 0, .chance = 1 };

	for (int64_t second = 0; second < seconds; second++)
		for (size_t i = 0; i < rate; i++) {
			sample.source[0] = (uint32_t)i;
			window_add(w, from + second, &sample, weight);
		}
}

static struct window_numbers numbers(const struct window *w, int64_t now)
{
	struct window_numbers n;

	window_numbers(w, now, &n);
	return n;
}

static void add_weight(void *arg, const struct moat_sample *sample, double weight)
{
	(void)sample;
	*(double *)arg += weight;
}

static double weight(const struct window *w, int64_t now)
{
	double sum = 0;

	window_each(w, now, add_weight, &sum);
	return sum;
}

static void what_is_added_is_there_with_its_weight(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();

	(void)state;
	add_many(w, START, 30, 10, 7);
	assert_int_equal(numbers(w, START + 30).samples, 300);
	assert_int_equal(numbers(w, START + 30).seconds, 30);
	assert_float_equal(weight(w, START + 30), 2100, 1e-6);
}

static void nothing_is_remembered_for_longer_than_ten_minutes(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();

	(void)state;
	add_many(w, START, 10, 10, 1);
	assert_int_equal(numbers(w, START + WINDOW_SECONDS - WINDOW_SLOT).samples, 100);
	assert_int_equal(numbers(w, START + WINDOW_SECONDS).samples, 0);
	assert_int_equal(numbers(w, START + 3 * WINDOW_SECONDS).seconds, WINDOW_SECONDS);
	add_many(w, START + WINDOW_SECONDS, 1, 5, 1); /* into the slot of the first */
	assert_int_equal(numbers(w, START + WINDOW_SECONDS).samples, 5);
	assert_float_equal(weight(w, START + WINDOW_SECONDS), 5, 1e-6);
}

static void a_flood_does_not_make_it_grow_and_weighs_what_it_is(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();
	double sum;

	(void)state;
	add_many(w, START, WINDOW_SECONDS, 2000, 3);
	assert_true(numbers(w, START + WINDOW_SECONDS - 1).samples <=
		    WINDOW_SLOTS * WINDOW_SLOT_MAX);
	assert_true(numbers(w, START + WINDOW_SECONDS - 1).samples >
		    WINDOW_SLOTS * WINDOW_SLOT_MAX / 3);
	/* 1,200,000 samples of weight 3, each kept by lot: within five standard deviations. */
	sum = weight(w, START + WINDOW_SECONDS - 1);
	assert_true(sum > 3600000 * 0.97 && sum < 3600000 * 1.03);
}

static void those_that_come_late_in_a_flood_are_kept_as_likely_as_the_first(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();
	double sum[2] = {}, all;

	(void)state;
	for (int round = 0; round < 2; round++) { /* 8,000 each, in one slot */
		add_many(w, START, 1, 8000, 1);
		sum[round] = weight(w, START);
	}
	all = sum[1];
	assert_true(sum[0] > 8000 * 0.8 && sum[0] < 8000 * 1.2);
	assert_true(all > 16000 * 0.8 && all < 16000 * 1.2);
}

static void a_closed_window_forgets(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();

	(void)state;
	add_many(w, START, 10, 10, 1);
	window_close(w);
	assert_int_equal(numbers(w, START + 10).samples, 0);
	assert_int_equal(numbers(w, START + 10).seconds, 0);
	window_open(w, START + 20);
	window_open(w, START + 30); /* the first counts */
	assert_int_equal(numbers(w, START + 35).seconds, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_there_with_its_weight),
		cmocka_unit_test(nothing_is_remembered_for_longer_than_ten_minutes),
		cmocka_unit_test(a_flood_does_not_make_it_grow_and_weighs_what_it_is),
		cmocka_unit_test(those_that_come_late_in_a_flood_are_kept_as_likely_as_the_first),
		cmocka_unit_test(a_closed_window_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
