/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IPv6 part of the sieve while it is written. What a program sees between
 * any two stores: of a prefix that stays, that it is there; of one that comes,
 * goes or changes, what was or what is; or that the records know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "tests/unit/core_oracle.h"
#include "tests/unit/sieve_lab.h"

static void open_lab(uint32_t buckets, uint64_t seed)
{
	uint8_t lengths[129];
	struct sieve_size size;

	sieve_size((const uint32_t[2]){ 1, 1 }, &size);
	size.buckets = buckets;
	sieve_lab_open_sized(&size, seed, 100);
	for (unsigned int i = 0; i <= 128; i++)
		lengths[i] = (uint8_t)(128 - i);
	sieve_lab_lengths6(lengths, 129);
}

/* ---- every moment, by turns ---- */

#define LISTED_MAX  1024
#define MAY_SAY_MAX 512

struct listed {
	struct prefix source;
	uint32_t class;
	uint64_t since; /* which answer it came with */
};

static struct {
	struct random random;
	struct listed list[LISTED_MAX];
	size_t count;
	size_t target; /* the list grows and shrinks towards it */

	/* The host that is being read, and what covered it with which class since that began. */
	struct prefix host;
	struct sieve_answer may[MAY_SAY_MAX];
	size_t may_count;
	uint64_t answers, asked;
} world;

static void note(const struct listed *one)
{
	if (!oracle_covers(&one->source, &world.host))
		return;
	assert_true(world.may_count < MAY_SAY_MAX);
	world.may[world.may_count++] =
		(struct sieve_answer){ .class = one->class, .len = one->source.len };
}

static void change(void)
{
	struct random *r = &world.random;
	bool more = random_below(r, 8) ? world.count < world.target : random_below(r, 2);
	size_t at = world.count ? random_below(r, (uint32_t)world.count) : 0;
	struct listed *one = &world.list[at];
	struct prefix source;

	if (world.count && !random_below(r, 8)) {
		one->class = random_below(r, 65536);
		note(one);
		sieve_put(sieve_lab.sieve, &one->source, one->class, MOAT_NEVER);
		return;
	}
	if (!more && world.count) {
		source = one->source;
		*one = world.list[--world.count];
		sieve_delete(sieve_lab.sieve, &source);
		return;
	}
	source = random_prefix(r, MOAT_IPV6);
	for (at = 0; at < world.count && !oracle_same(&world.list[at].source, &source); at++)
		;
	if (at == LISTED_MAX)
		return;
	one = &world.list[at];
	if (at == world.count) {
		*one = (struct listed){ .source = source, .since = world.answers };
		world.count++;
	}
	one->class = random_below(r, 65536);
	note(one);
	sieve_put(sieve_lab.sieve, &source, one->class, MOAT_NEVER);
}

static void change_meanwhile(void)
{
	if (random_below(&world.random, 16) || world.may_count > MAY_SAY_MAX - 8)
		return;
	for (uint32_t times = random_below(&world.random, 4); times; times--)
		change();
}

/* Whether some prefix with that class covered the host meanwhile. */
static bool may_be(const struct sieve_answer *is)
{
	for (size_t i = 0; i < world.may_count; i++)
		if (world.may[i].class == is->class && world.may[i].len == is->len)
			return true;
	return false;
}

/* The longest that covered the host all the time; -1: none. */
static int always(void)
{
	int len = -1;

	for (size_t i = 0; i < world.count; i++)
		if (world.list[i].since < world.answers && world.list[i].source.len > len &&
		    oracle_covers(&world.list[i].source, &world.host))
			len = world.list[i].source.len;
	return len;
}

static void read_one(void)
{
	struct sieve_answer is;

	world.answers++;
	world.host = random_host(&world.random, MOAT_IPV6);
	world.may_count = 0;
	for (size_t i = 0; i < world.count; i++)
		note(&world.list[i]);
	sieve_lab.between = change_meanwhile;
	is = sieve_lab_read(&world.host);
	sieve_lab.between = NULL;
	world.asked += is.ask;
	if (is.ask)
		return;
	if (is.listed ? !may_be(&is) || (int)is.len < always() : always() >= 0)
		fail_msg("answer %ju: listed %d, class %u, length %u, always %d",
			 (uintmax_t)world.answers, is.listed, is.class, is.len, always());
}

static void go_through(uint64_t seed, uint32_t buckets, size_t most, unsigned int answers)
{
	struct sieve_numbers n;

	memset(&world, 0, sizeof(world));
	world.random.state = seed;
	open_lab(buckets, seed);
	for (unsigned int i = 0; i < answers; i++) {
		if (i % 200 == 0)
			world.target = random_below(&world.random, (uint32_t)most);
		read_one();
		if (!random_below(&world.random, 4) || sieve_wants_grace(sieve_lab.sieve))
			sieve_grace(sieve_lab.sieve);
	}
	sieve_numbers(sieve_lab.sieve, &n);
	assert_int_equal(n.sources6, world.count);
	assert_true(n.resizes);
	sieve_lab_close();
}

static void a_prefix_that_stays_is_seen_at_every_moment(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++)
		go_through(seed, 1U << 10, LISTED_MAX, 8000);
	assert_true(world.asked * 50 < world.answers);
}

static void a_prefix_that_stays_is_seen_in_a_sieve_that_is_too_small(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++)
		go_through(seed, 64, 400, 8000);
}

/* ---- every moment, by another thread ---- */

#define STEADY	2000U
#define PASSING 24000U

static struct {
	_Atomic bool stop;
	_Atomic uint64_t rounds;
	uint64_t answers, asked, wrong;
} watch;

static struct prefix steady(uint32_t n)
{
	struct prefix p = { .family = MOAT_IPV6, .len = (uint8_t)(40 + n % 89) };

	p.addr[0] = 0x20;
	p.addr[1] = (uint8_t)(n >> 8);
	p.addr[2] = (uint8_t)n;
	p.addr[5] = 1;
	oracle_mask(&p);
	return p;
}

/* Near the steady ones, none of which it covers. */
static struct prefix passing(uint32_t n)
{
	struct random r = { n * 2654435761ULL + 1 };
	struct prefix p = steady(random_below(&r, STEADY));

	p.len = (uint8_t)(48 + random_below(&r, 81));
	p.addr[5] |= 0x80;
	p.addr[7] = (uint8_t)random_below(&r, 256);
	p.addr[15] = (uint8_t)random_below(&r, 256);
	oracle_mask(&p);
	return p;
}

static void *watch_steady(void *arg)
{
	while (!watch.stop) {
		for (uint32_t n = 0; n < STEADY; n++) {
			struct prefix source = steady(n);
			struct sieve_answer is;

			is = sieve_lab_read(&source);
			watch.rounds++; /* no read goes on: a grace period ends with the next but one */
			watch.answers++;
			watch.asked += is.ask;
			watch.wrong += !is.ask &&
				       (!is.listed || is.class != n || is.len != steady(n).len);
		}
	}
	return arg;
}

static void await_grace(void)
{
	uint64_t rounds = watch.rounds;

	while (watch.rounds < rounds + 2)
		sched_yield();
	sieve_grace(sieve_lab.sieve);
}

static void what_does_not_change_is_found_while_others_come_and_go(void **state)
{
	const char *longer = getenv("SIEVE_CHANGES");
	const uint32_t changes = longer ? (uint32_t)strtoul(longer, NULL, 10) : 200000;
	struct random r = { 7 };
	pthread_t thread;

	(void)state;
	open_lab(1U << 14, 3);
	for (uint32_t n = 0; n < STEADY; n++) {
		struct prefix source = steady(n);

		sieve_put(sieve_lab.sieve, &source, n, MOAT_NEVER);
	}
	assert_int_equal(pthread_create(&thread, NULL, watch_steady, NULL), 0);
	for (uint32_t i = 0; i < changes; i++) {
		struct prefix source = passing(random_below(&r, PASSING));

		if (random_below(&r, 100) < (i / 25000 % 2 ? 20U : 80U))
			sieve_put(sieve_lab.sieve, &source, 60000, MOAT_NEVER);
		else
			sieve_delete(sieve_lab.sieve, &source);
		if (sieve_wants_grace(sieve_lab.sieve) || i % 4096 == 0)
			await_grace();
	}
	watch.stop = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(watch.answers > STEADY);
	assert_int_equal(watch.wrong, 0);
	assert_true(watch.asked * 50 < watch.answers);
	sieve_lab_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_that_stays_is_seen_at_every_moment),
		cmocka_unit_test(a_prefix_that_stays_is_seen_in_a_sieve_that_is_too_small),
		cmocka_unit_test(what_does_not_change_is_found_while_others_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
