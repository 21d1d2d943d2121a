/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model with a million sources, and without memory. Bounds of time are ten
 * times what is wanted, so that a busy machine does not fail the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "core/model.h"

#define MILLION 1000000

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int install_visit(void *arg, const struct prefix *source, struct installed *installed,
			 const struct plan *plan)
{
	(void)source;
	installed->state = plan->count ? INSTALLED_YES : INSTALLED_NOT;
	*(size_t *)arg += plan->count;
	return 0;
}

/* Number i of a million distinct hosts; scattered: in no order. */
static struct claim host_claim(uint8_t family, uint32_t i, bool scattered)
{
	struct claim c = { .source = { .family = family, .len = prefix_max(family) },
			   .category = 1,
			   .expires = 5000 + i % 1000 * 7919 % 1000 };
	uint32_t word = scattered ? i * 2654435761U : 0x0B000000 + i * 64; /* odd: distinct */

	for (unsigned int k = 0; k < 4; k++)
		c.source.addr[(family == MOAT_IPV4 ? 0 : 4) + k] = word >> (24 - 8 * k);
	return c;
}

static void fill_million(struct model *m, uint8_t family, bool scattered)
{
	double start = seconds(), filled, compiled, expired;
	size_t phases = 0;

	for (uint32_t i = 0; i < MILLION; i++) {
		struct claim c = host_claim(family, i, scattered);

		if (model_put(m, &c) != 1)
			fail_msg("host %u was not added", i);
	}
	filled = seconds();
	assert_int_equal(model_compile(m, 1000, install_visit, &phases), MILLION);
	assert_int_equal(phases, MILLION);
	compiled = seconds();
	print_message("IPv%c %s: put %.2f s, compile %.2f s, %.1f bytes a claim\n",
		      family == MOAT_IPV4 ? '4' : '6', scattered ? "scattered" : "in order",
		      filled - start, compiled - filled, (double)model_memory(m) / MILLION);
	assert_true(compiled - start < (scattered ? 25 : 12));
	assert_true(model_memory(m) <= 130 * (size_t)MILLION);

	assert_int_equal(model_expire(m, 5000), MILLION / 1000);
	expired = seconds();
	assert_int_equal(model_expire(m, 5599), MILLION / 1000 * 599);
	for (int64_t now = 5600; now < 5650; now++) {
		assert_int_equal(model_next_expiry(m), now);
		assert_int_equal(model_expire(m, now), MILLION / 1000);
	}
	assert_int_equal(model_expire(m, 9000), MILLION / 1000 * 350);
	print_message("    all expire: %.2f s\n", seconds() - expired);
	assert_true(seconds() - expired < 20);
	assert_int_equal(model_compile(m, 9000, install_visit, &phases), MILLION);
	assert_int_equal(model_keys(m, family), 0);
	assert_int_equal(model_claims(m, 0, 1), 0);
}

static void a_million_hosts_fit_in_their_time_and_memory(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		_cleanup_(model_freep) struct model *m = NULL;

		assert_int_equal(model_new(&m), 0);
		fill_million(m, i & 1 ? MOAT_IPV6 : MOAT_IPV4, i & 2);
	}
}

/* ---- feeds that must agree ---- */

/* Two feeds, the second for every other host; k 0: no quorum. Returns seconds of a compile. */
static double compile_two_feeds(uint8_t k, size_t *ret_memory)
{
	_cleanup_(model_freep) struct model *m = NULL;
	struct model_rules rules = { .k_of = { [1] = k }, .below = { [1] = 2 } };
	size_t phases = 0;
	double start;

	assert_int_equal(model_new(&m), 0);
	assert_int_equal(model_set_rules(m, &rules), 0);
	for (uint32_t i = 0; i < MILLION + MILLION / 2; i++) {
		struct claim c = host_claim(MOAT_IPV4, i < MILLION ? i : 2 * (i - MILLION), false);

		c.feed = i >= MILLION;
		assert_int_equal(model_put(m, &c), 1);
	}
	start = seconds();
	assert_int_equal(model_compile(m, 1000, install_visit, &phases), MILLION);
	*ret_memory = model_memory(m);
	return seconds() - start;
}

static void a_quorum_costs_little_and_no_memory_a_claim(void **state)
{
	size_t memory, without;
	double plain, quorum;

	(void)state;
	plain = compile_two_feeds(0, &without);
	quorum = compile_two_feeds(2, &memory);
	print_message("a million hosts of two feeds: compile %.3f s, with k_of 2 %.3f s\n", plain,
		      quorum);
	assert_true(quorum < 10 * plain + 1);
	assert_true(memory < without + 65536);
}

/* ---- no memory ---- */

/* Of the address sanitizer; its shadow memory does not fit under a limit. */
extern void __asan_init(void) __attribute__((weak));

static int fill_until_full(void)
{
	struct rlimit limit = { .rlim_cur = 64 << 20, .rlim_max = 64 << 20 };
	_cleanup_(model_freep) struct model *m = NULL;
	size_t phases = 0;
	uint32_t i;
	int rc = 1;

	if (model_new(&m) || setrlimit(RLIMIT_AS, &limit))
		return 2;
	for (i = 0; i < 4 * MILLION && rc == 1; i++) {
		struct claim c = host_claim(i & 1 ? MOAT_IPV6 : MOAT_IPV4, i, true);

		rc = model_put(m, &c);
	}
	if (rc != -ENOMEM || --i < 10000)
		return 3;
	if (model_keys(m, MOAT_IPV4) + model_keys(m, MOAT_IPV6) != i || model_claims(m, 0, 1) != i)
		return 4;
	if (model_compile(m, 1000, install_visit, &phases) != (ssize_t)i || phases != i)
		return 5;
	return model_expire(m, 9000) == i ? 0 : 6;
}

static void out_of_memory_leaves_the_model_as_it_was(void **state)
{
	pid_t child;
	int status;

	(void)state;
	if (__asan_init) {
		print_message("SKIPPED: out of memory cannot be provoked under the sanitizer\n");
		skip();
	}
	child = fork();
	if (!child)
		_exit(fill_until_full());
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(out_of_memory_leaves_the_model_as_it_was),
		cmocka_unit_test(a_quorum_costs_little_and_no_memory_a_claim),
		cmocka_unit_test(a_million_hosts_fit_in_their_time_and_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
