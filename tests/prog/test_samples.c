/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The samples that the program takes of packets that pass: each packet with the
 * same chance, whatever the rhythm of the traffic; none of what is dropped; a
 * ring that is full; and counters that do not know of it. Needs root.
 */
#include "tests/prog/cmocka.h"

#include <sched.h>
#include <sys/mman.h>

#include <bpf/bpf.h>

#include "moat/abi.h"
#include "moat/control.h"
#include "moat/sample.h"
#include "tests/prog/harness.h"
#include "tests/prog/packet.h"
#include "tests/prog/plane_fixture.h"

#define SEED	 0x5eed
#define CERTAIN	 MOAT_SAMPLE_CERTAIN
#define PERIOD	 8
#define SENT	 64000
#define CHANCE	 (CERTAIN / 20)
#define CHI2_7DF 24.32 /* of 7 degrees of freedom, p = 0.001 */

/* ---- the program on one CPU, and that CPU's ring ---- */

struct world {
	struct harness *h;
	struct moat_samples *ring; /* mapped; of the CPU that all runs on */
};

static size_t ring_size(void)
{
	size_t unit = (size_t)sysconf(_SC_PAGESIZE);

	return (sizeof(struct moat_samples) + unit - 1) / unit * unit;
}

static int enter(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct harness_options options = { .capacity = { 16, 16 }, .phases = 2 };
	cpu_set_t first;

	assert_non_null(w);
	/* The map has one ring, as it is in the object: that of CPU 0. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	assert_int_equal(sched_setaffinity(0, sizeof(first), &first), 0);
	assert_int_equal(harness_new(&options, &w->h), 0);
	w->ring = mmap(NULL, ring_size(), PROT_READ | PROT_WRITE, MAP_SHARED,
		       harness_fd(w->h, MOAT_MAP_SAMPLES), 0);
	assert_true(w->ring != MAP_FAILED);
	*state = w;
	return 0;
}

static int leave(void **state)
{
	struct world *w = *state;
	bool sum = harness_check_sum(w->h);

	munmap(w->ring, ring_size());
	harness_free(w->h);
	free(w);
	assert_true(sum);
	return 0;
}

static void set_both(struct world *w, uint32_t chance, uint8_t drops, uint32_t enforce)
{
	const struct moat_iface iface = {
		.drop_sampling = drops,
		.enforce = enforce,
		.drop_reasons = 1ULL << MOAT_TRUNCATED,
		.sample_chance = chance,
		.sample_seed = SEED,
	};

	harness_write(w->h, MOAT_MAP_IFACE, &(uint32_t){ 0 }, &iface);
}

static void set(struct world *w, uint32_t chance, uint32_t enforce)
{
	set_both(w, chance, 0, enforce);
}

static uint32_t send_from(struct world *w, const char *source)
{
	uint8_t frame[128];
	struct harness_seen seen;
	uint32_t size = fixture_frame(frame, source);

	assert_int_equal(harness_send(w->h, frame, size, &seen), 0);
	return seen.xdp;
}

/* What is in the ring since the last call, to fn. */
static void drain(struct world *w, void (*fn)(void *arg, const struct moat_sample *sample),
		  void *arg)
{
	for (; w->ring->tail < w->ring->head; w->ring->tail++)
		fn(arg, &w->ring->ring[w->ring->tail % MOAT_SAMPLE_RING]);
}

static void keep_last(void *arg, const struct moat_sample *sample)
{
	*(struct moat_sample *)arg = *sample;
}

static struct moat_sample last_sample(struct world *w)
{
	struct moat_sample last = {};

	drain(w, keep_last, &last);
	return last;
}

/* ---- what a sample says ---- */

static void a_sample_says_who_sent_what(void **state)
{
	struct world *w = *state;
	struct moat_sample s;

	set(w, CERTAIN, 1);
	assert_int_equal(send_from(w, "198.51.100.7"), XDP_PASS);
	s = last_sample(w);
	assert_memory_equal(s.source, ((uint8_t[16]){ 198, 51, 100, 7 }), 16);
	assert_int_equal(s.family, MOAT_IPV4);
	assert_int_equal(s.verdict, MOAT_VERDICT_PASS);
	assert_int_equal(s.reason, MOAT_EMPTY); /* nothing is listed here */
	assert_int_equal(s.chance, CERTAIN);
	assert_int_equal(s.protocol, 17);
	assert_int_equal(s.known, MOAT_SAMPLE_PORT);
	assert_true(s.length > 0);
	assert_true(harness_now() / (1ULL << MOAT_TICK_SHIFT) - s.time < 100);

	assert_int_equal(send_from(w, "2001:db8::7"), XDP_PASS);
	s = last_sample(w);
	assert_memory_equal(s.source,
			    ((uint8_t[16]){ 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
					    7 }),
			    16);
	assert_int_equal(s.family, MOAT_IPV6);
}

static void off_takes_nothing(void **state)
{
	struct world *w = *state;

	set(w, 0, 1);
	for (int i = 0; i < 1000; i++)
		send_from(w, "198.51.100.7");
	assert_int_equal(w->ring->head, 0);
	assert_int_equal(w->ring->missed, 0);
}

static void what_is_dropped_or_has_no_source_is_no_sample(void **state)
{
	static const uint8_t arp[64] = { [12] = 8, [13] = 6 };
	struct world *w = *state;
	struct harness_seen seen;
	uint8_t frame[128];

	set(w, CERTAIN, 1);
	fixture_frame(frame, "198.51.100.7");
	assert_int_equal(harness_send(w->h, frame, 14 + 16, &seen), 0); /* cut behind the source */
	assert_int_equal(seen.xdp, XDP_DROP);
	assert_int_equal(harness_send(w->h, arp, sizeof(arp), &seen), 0);
	assert_int_equal(seen.xdp, XDP_PASS);
	assert_int_equal(w->ring->head, 0);
	set(w, CERTAIN, 0); /* nothing is enforced: it passes */
	assert_int_equal(harness_send(w->h, frame, 14 + 16, &seen), 0);
	assert_int_equal(seen.xdp, XDP_PASS);
	assert_int_equal(last_sample(w).verdict, MOAT_VERDICT_MONITOR);
}

static void send_dropped(struct world *w, int count)
{
	struct harness_seen seen;
	uint8_t frame[128];

	fixture_frame(frame, "198.51.100.7");
	for (int i = 0; i < count; i++) {
		assert_int_equal(harness_send(w->h, frame, 14 + 16, &seen), 0);
		assert_int_equal(seen.xdp, XDP_DROP);
	}
}

static void dropped_packets_are_samples_with_a_chance_of_their_own(void **state)
{
	struct world *w = *state;
	struct moat_sample s;

	set_both(w, 0, 1, 1);
	send_from(w, "198.51.100.9");
	assert_int_equal(w->ring->head, 0);
	send_dropped(w, 1);
	s = last_sample(w);
	assert_int_equal(s.verdict, MOAT_VERDICT_DROP);
	assert_int_equal(s.reason, MOAT_TRUNCATED);
	assert_int_equal(s.chance, CERTAIN);
	assert_memory_equal(s.source, ((uint8_t[16]){ 198, 51, 100, 7 }), 16);
	w->ring->tail = w->ring->head = 0;
	set_both(w, 0, 5, 1); /* one in 16: 100 of 1,600, give or take four standard deviations */
	send_dropped(w, 1600);
	assert_true(w->ring->head > 61 && w->ring->head < 139);
	assert_int_equal(last_sample(w).chance, CERTAIN >> 4);
}

static void dropped_packets_leave_room_for_those_that_pass(void **state)
{
	struct world *w = *state;

	set_both(w, CERTAIN, 1, 1);
	send_dropped(w, MOAT_SAMPLE_RING);
	assert_int_equal(w->ring->head, MOAT_SAMPLE_RING / 2);
	assert_int_equal(w->ring->missed_drops, MOAT_SAMPLE_RING / 2);
	for (int i = 0; i < MOAT_SAMPLE_RING / 2; i++)
		send_from(w, "198.51.100.9");
	assert_int_equal(w->ring->head, MOAT_SAMPLE_RING);
	assert_int_equal(w->ring->missed, 0);
}

/* ---- which packets ---- */

struct phases {
	double count[PERIOD];
	uint64_t all;
};

static void count_phase(void *arg, const struct moat_sample *sample)
{
	struct phases *phases = arg;

	phases->count[((const uint8_t *)sample->source)[3] % PERIOD]++;
	phases->all++;
}

/*
 * Eight senders in strict turns: a sampler that takes every n-th packet would
 * hear some of them only. Chi-square over the eight, by a fixed seed.
 */
static void senders_in_turns_are_sampled_alike(void **state)
{
	struct world *w = *state;
	struct phases phases = {};
	double chi2 = 0, expected;
	char source[20];

	set(w, CHANCE, 1);
	for (int i = 0; i < SENT; i++) {
		snprintf(source, sizeof(source), "198.51.100.%d", i % PERIOD);
		send_from(w, source);
		if (i % 256 == 0)
			drain(w, count_phase, &phases);
	}
	drain(w, count_phase, &phases);
	assert_int_equal(w->ring->missed, 0);
	/* SENT / 20 = 3,200, give or take four standard deviations. */
	assert_true(phases.all > 2980 && phases.all < 3420);
	expected = (double)phases.all / PERIOD;
	for (int i = 0; i < PERIOD; i++)
		chi2 += (phases.count[i] - expected) * (phases.count[i] - expected) / expected;
	assert_true(chi2 < CHI2_7DF);
}

static void count_sample(void *arg, const struct moat_sample *sample)
{
	(void)sample;
	++*(uint64_t *)arg;
}

static void a_full_ring_takes_nothing_and_counts_what_it_missed(void **state)
{
	struct world *w = *state;
	struct moat_sample first;
	uint64_t count = 0;

	set(w, CERTAIN, 1);
	send_from(w, "198.51.100.1");
	first = w->ring->ring[0];
	for (int i = 1; i < MOAT_SAMPLE_RING + 100; i++)
		send_from(w, "198.51.100.2");
	assert_int_equal(w->ring->head, MOAT_SAMPLE_RING);
	assert_int_equal(w->ring->missed, 100);
	assert_memory_equal(&w->ring->ring[0], &first, sizeof(first));
	drain(w, count_sample, &count);
	assert_int_equal(count, MOAT_SAMPLE_RING);
	send_from(w, "198.51.100.3"); /* there is room again */
	assert_int_equal(w->ring->head, MOAT_SAMPLE_RING + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, enter, leave)
		T(a_sample_says_who_sent_what),
		T(off_takes_nothing),
		T(what_is_dropped_or_has_no_source_is_no_sample),
		T(dropped_packets_are_samples_with_a_chance_of_their_own),
		T(dropped_packets_leave_room_for_those_that_pass),
		T(senders_in_turns_are_sampled_alike),
		T(a_full_ring_takes_nothing_and_counts_what_it_missed),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
