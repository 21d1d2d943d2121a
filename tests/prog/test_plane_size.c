/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared maps on the real kernel: their memory, a million sources, and
 * what happens without privileges. Needs root.
 */
#include "tests/prog/cmocka.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <bpf/bpf.h>

#include "plane/program.h"
#include "plane/tables.h"
#include "tests/prog/plane_fixture.h"

#define MILLION 1000000

static const uint32_t small[2] = { 100, 50 };

static struct tables *open_tables(const char *pins, const uint32_t capacity[2])
{
	struct tables *t = NULL;
	struct problem why;
	int r = tables_open(pins, capacity, &t, &why);

	if (r)
		print_error("%s\n", why.text);
	assert_int_equal(r, 0);
	fixture_sieve(t);
	return t;
}

static struct moat_key4 host4(uint32_t number)
{
	return (struct moat_key4){ .len = 32, .addr = number };
}

/* ---- size and speed ---- */

/* What the kernel says a map takes. */
static int count_sources(void *arg, const struct prefix *source, const struct moat_source *value)
{
	uint64_t *sum = arg;

	assert_int_equal(source->len, prefix_max(source->family));
	sum[0]++;
	sum[1] += value->class;
	return 0;
}

static void the_memory_foretold_is_within_a_quarter_of_what_the_kernel_takes(void **state)
{
	static const char *const maps[] = {
		MOAT_MAP_SOURCE4, MOAT_MAP_SOURCE6, MOAT_MAP_PHASES,
		MOAT_MAP_LENGTHS, MOAT_MAP_CLASSES, MOAT_MAP_POLICIES,
		MOAT_MAP_PORTS,	  MOAT_MAP_NAMES,   MOAT_MAP_CONTROL,
	};
	static const uint32_t capacities[][2] = { { 1, 1 }, { 10000, 70000 }, { MILLION, 250000 } };

	(void)state;
	if (!fixture_memory_is_true())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(capacities); i++) {
		_cleanup_(tables_freep) struct tables *t =
			open_tables(fixture_pins(), capacities[i]);
		uint64_t foretold = tables_memory(capacities[i]);
		uint64_t taken = 0;

		for (size_t m = 0; m < ARRAY_SIZE(maps); m++)
			taken += fixture_memory(tables_fd(t, maps[m]));
		print_message("capacity %u + %u: foretold %lu, taken %lu bytes\n", capacities[i][0],
			      capacities[i][1], (unsigned long)foretold, (unsigned long)taken);
		assert_true(foretold >= taken - taken / 4 && foretold <= taken + taken / 4);
	}
}

static void the_memory_foretold_of_the_sieve_is_what_the_kernel_takes_and_moatd_beside(void **state)
{
	static const char *const maps[] = {
		MOAT_MAP_SIEVE,	  MOAT_MAP_BLOCKS4,  MOAT_MAP_HOSTS4,  MOAT_MAP_NODES4,
		MOAT_MAP_LEAVES4, MOAT_MAP_BUCKETS6, MOAT_MAP_FILTER6,
	};
	static const uint32_t capacities[][2] = { { 1, 1 }, { 10000, 70000 }, { MILLION, 250000 } };

	(void)state;
	if (!fixture_memory_is_true())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(capacities); i++) {
		_cleanup_(tables_freep) struct tables *t =
			open_tables(fixture_pins(), capacities[i]);
		uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
		struct tables_sieve_state sieve;
		uint64_t taken = 0;

		tables_sieve_state(t, &sieve);
		if (!sieve.on) {
			print_message("SKIPPED: there is no sieve\n");
			skip();
		}
		for (size_t m = 0; m < ARRAY_SIZE(maps); m++)
			taken += fixture_memory(tables_fd(t, maps[m]));
		print_message("capacity %u + %u: sieve of %lu kB, %lu foretold, %lu with what is "
			      "beside it\n",
			      capacities[i][0], capacities[i][1], (unsigned long)taken >> 10,
			      (unsigned long)sieve.memory >> 10,
			      (unsigned long)tables_sieve_memory(capacities[i]) >> 10);
		/* Each map has a head of its own, and whole pages. */
		assert_in_range(taken, sieve.memory, sieve.memory + 2 * page * ARRAY_SIZE(maps));
		assert_true(tables_sieve_memory(capacities[i]) >= sieve.memory);
	}
}

struct million {
	struct moat_key4 key[MILLION];
	struct moat_source value[MILLION];
	int16_t done[MILLION];
};

/* Of processor time: what else the machine does is not judged. */
static double processor_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

static double seconds_of_put(struct tables *t, struct million *m)
{
	double from = processor_seconds();

	assert_int_equal(tables_put4(t, m->key, m->value, MILLION, m->done), 0);
	return processor_seconds() - from;
}

static void a_million_sources_are_written_in_few_seconds(void **state)
{
	static const uint32_t capacity[2] = { MILLION, 1 };
	_cleanup_(tables_freep) struct tables *t = open_tables(fixture_pins(), capacity);
	_cleanup_free_ struct million *m = calloc(1, sizeof(*m));
	double few = fixture_patience(5), fresh, again, each, from;
	uint64_t sum[2] = {};

	(void)state;
	assert_non_null(m);
	for (uint32_t i = 0; i < MILLION; i++)
		m->key[i] = host4(i * 2654435761U);
	fresh = seconds_of_put(t, m);
	again = seconds_of_put(t, m);
	from = processor_seconds();
	assert_int_equal(tables_each(t, MOAT_IPV4, count_sources, sum), 0);
	each = processor_seconds() - from;
	assert_int_equal(sum[0], MILLION);
	print_message("1 M sources: new %.2f s, again %.2f s, read %.2f s\n", fresh, again, each);
	assert_true(fresh < few && again < few && each < few);
}

/* ---- what is missing ---- */

/* Runs fn in a child, so that what it gives up is given up there. */
static int in_child(int (*fn)(const char *pins))
{
	const char *pins = fixture_pins();
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(fn(pins));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int open_without_capabilities(const char *pins)
{
	struct tables *t = NULL;
	struct problem why;

	if (setresuid(65534, 65534, 65534))
		return 2;
	if (tables_open(pins, small, &t, &why) != -EPERM)
		return 3;
	print_message("%s\n", why.text);
	return !strstr(why.text, "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON missing");
}

static void without_capabilities_it_says_which_are_missing(void **state)
{
	(void)state;
	assert_int_equal(in_child(open_without_capabilities), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_memory_foretold_is_within_a_quarter_of_what_the_kernel_takes),
		cmocka_unit_test(
			the_memory_foretold_of_the_sieve_is_what_the_kernel_takes_and_moatd_beside),
		cmocka_unit_test(a_million_sources_are_written_in_few_seconds),
		cmocka_unit_test(without_capabilities_it_says_which_are_missing),
	};

	program_init_log();
	return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
