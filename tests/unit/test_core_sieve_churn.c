// SPDX-License-Identifier: BSD-2-Clause
/*
 * IPv4 hosts of the sieve in any order of coming and going, and beside a reader.
 */
#include <sched.h>
#include <threads.h>

#include "tests/unit/sieve_hosts_lab.h"

/* ---- at random ---- */

#define UNIVERSE 16384 /* addresses in 128 blocks */

static uint32_t universe(uint32_t i)
{
	return scattered(i >> 7) << 8 | (i & 127) * 2;
}

static void check_universe(const uint16_t class[static UNIVERSE])
{
	uint32_t asks = 0;

	for (uint32_t i = 0; i < UNIVERSE; i++) {
		if (asked(universe(i)))
			asks += class[i] > 0;
		else if (class[i])
			assert_true(listed_as(universe(i), class[i]));
		else
			assert_true(clean(universe(i)));
		assert_false(read_at(universe(i) | 1).listed);
	}
	assert_int_equal(asks, numbers().asked);
}

static void any_sequence_agrees_with_a_list(void **state)
{
	static uint16_t class[UNIVERSE];
	uint64_t random = 0x5EED;

	(void)state;
	for (uint32_t capacity = 0; capacity <= UNIVERSE; capacity += UNIVERSE / 4) {
		memset(class, 0, sizeof(class));
		open_with_key(capacity, capacity + 1);
		for (uint32_t op = 0; op < 160000; op++) {
			uint64_t r = sieve_lab_random(&random);
			uint32_t i = r % UNIVERSE;
			bool fills = op / 20000 % 2 ? r >> 60 > 12 : r >> 60 > 2;

			class[i] = fills ? 1 + (r >> 32) % MOAT_SLOT_CLASS_MASK : 0;
			if (fills)
				put(universe(i), class[i]);
			else
				drop(universe(i));
			if (r >> 40 & 1)
				settle();
			assert_true(asked(universe(i)) || (fills ? listed_as(universe(i), class[i])
								 : clean(universe(i))));
			if (op % 8000 == 7999)
				check_universe(class);
		}
		sieve_lab_close();
	}
}

/* ---- a reader beside ---- */

struct watch {
	uint32_t reads; /* that have ended; every one begins after it saw the one before end */
	bool ends;
	uint32_t missed;
	uint32_t count;
};

static int watch_hosts(void *arg)
{
	struct watch *w = arg;

	for (uint32_t i = 0; !__atomic_load_n(&w->ends, __ATOMIC_RELAXED); i++) {
		struct sieve_answer a = read_at(scattered(i % w->count));

		if (!a.ask && (!a.listed || a.class != i % w->count % 2047))
			w->missed++;
		__atomic_add_fetch(&w->reads, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

/* A grace period: the read that ran has ended, and so has one that began after. */
static void settle_beside(struct watch *w)
{
	uint32_t before = __atomic_load_n(&w->reads, __ATOMIC_SEQ_CST);

	if (!sieve_wants_grace(sieve_lab.sieve))
		return;
	while (__atomic_load_n(&w->reads, __ATOMIC_SEQ_CST) - before < 2)
		sched_yield();
	sieve_grace(sieve_lab.sieve);
}

static void a_reader_never_misses_a_host_that_does_not_change(void **state)
{
	enum { COUNT = 500, CHURN = 30000 };
	struct watch w = { .count = COUNT };
	uint64_t random = 0xBEEF;
	thrd_t reader;

	(void)state;
	open_for(COUNT + CHURN);
	for (uint32_t i = 0; i < COUNT; i++)
		put(scattered(i), i % 2047);
	assert_int_equal(thrd_create(&reader, watch_hosts, &w), thrd_success);
	for (int turn = 0; turn < 12; turn++) {
		for (uint32_t i = 0; i < CHURN; i++)
			put(scattered(COUNT + i), sieve_lab_random(&random) % 2047);
		for (uint32_t i = 0; i < CHURN; i++) {
			drop(scattered(COUNT + i));
			settle_beside(&w);
		}
	}
	__atomic_store_n(&w.ends, true, __ATOMIC_RELAXED);
	assert_int_equal(thrd_join(reader, NULL), thrd_success);
	assert_int_equal(w.missed, 0);
	assert_true(w.reads > 1000);
	assert_true(numbers().resizes > 100);
	sieve_lab_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_sequence_agrees_with_a_list),
		cmocka_unit_test(a_reader_never_misses_a_host_that_does_not_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
