/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: each says what became of its packet, as the reference model and the
 * counters have it, and holds the first bytes of it; and whatever was to be an
 * event is written, lost or suppressed, once. Needs root.
 */
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "moat/abi.h"
#include "moat/event.h"
#include "tests/prog/random.h"
#include "tests/prog/sentence.h"

#define ROOM	  64
#define FOREVER	  UINT64_MAX
#define UNLIMITED (1ULL << 40) /* tokens */
#define LISTS	  40
#define PACKETS	  ROOM /* of a list: none is lost */

/* ---- a program on one CPU, its lane and its ring ---- */

struct world {
	struct harness *h;
	struct moat_event_lane *lane; /* mapped */
	struct moat_event *ring;      /* mapped */
	struct reference *list;
};

static size_t pages(size_t size)
{
	size_t unit = (size_t)sysconf(_SC_PAGESIZE);

	return (size + unit - 1) / unit * unit;
}

static void *map(const struct harness *h, const char *name, size_t size)
{
	void *at =
		mmap(NULL, pages(size), PROT_READ | PROT_WRITE, MAP_SHARED, harness_fd(h, name), 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static int enter_as(void **state, bool linear)
{
	const struct harness_options options = {
		.capacity = { 1024, 1024 }, .phases = 65536, .events = ROOM, .linear = linear
	};
	struct world *w = calloc(1, sizeof(*w));
	cpu_set_t first;

	assert_non_null(w);
	/* There is one lane, as in the object: that of CPU 0. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	assert_int_equal(sched_setaffinity(0, sizeof(first), &first), 0);
	assert_int_equal(harness_new(&options, &w->h), 0);
	w->lane = map(w->h, MOAT_MAP_EVENT_LANE, sizeof(*w->lane));
	w->ring = map(w->h, MOAT_MAP_EVENT_RING, ROOM * sizeof(*w->ring));
	w->lane->until = FOREVER;
	w->lane->rate = w->lane->depth = UNLIMITED;
	w->list = sentence_world();
	*state = w;
	return 0;
}

static int enter(void **state)
{
	return enter_as(state, false);
}

static int enter_linear(void **state)
{
	return enter_as(state, true);
}

static int leave(void **state)
{
	struct world *w = *state;
	bool sum = harness_check_sum(w->h);

	munmap(w->lane, pages(sizeof(*w->lane)));
	munmap(w->ring, pages(ROOM * sizeof(*w->ring)));
	sentence_world_free(w->list);
	harness_free(w->h);
	free(w);
	assert_true(sum);
	return 0;
}

static void list(struct world *w, const char *source, enum category category)
{
	sentence_add(w->list, source, category, 0);
	install_plain(w->h, w->list, 1);
}

static uint32_t send_one(struct world *w, const uint8_t *frame, size_t size)
{
	struct harness_seen seen;

	assert_int_equal(harness_send(w->h, frame, size, &seen), 0);
	return seen.xdp;
}

static void send_from(struct world *w, const char *source, int times)
{
	static uint8_t frame[PACKET_MAX];
	const struct packet packet = { .source = source, .protocol = PACKET_TCP, .port = 80 };
	size_t size = packet_build(&packet, frame);

	for (int i = 0; i < times; i++)
		send_one(w, frame, size);
}

/* The one event that was written since the last call. */
static const struct moat_event *next(struct world *w)
{
	assert_int_equal(w->lane->head, w->lane->tail + 1);
	return &w->ring[w->lane->tail++ % ROOM];
}

static uint64_t judged(const struct world *w)
{
	return w->lane->head + w->lane->lost + w->lane->suppressed;
}

/* ---- what an event says ---- */

static void assert_event(const struct moat_event *e, enum moat_verdict verdict,
			 enum moat_reason reason, enum category category, unsigned int matched)
{
	assert_int_equal(e->verdict, verdict);
	assert_int_equal(e->reason, reason);
	assert_int_equal(e->category, category);
	assert_int_equal(e->matched, matched);
}

static void an_event_says_what_became_of_the_packet_and_why(void **state)
{
	static const struct packet tagged = { .tag = { 0x88a8, 0x8100 },
					      .source = "2001:db8:bad::9",
					      .protocol = PACKET_TCP,
					      .port = 80 };
	struct world *w = *state;
	static uint8_t frame[PACKET_MAX];
	const struct moat_event *e;
	size_t size;

	list(w, "192.0.2.0/28", BOTNET);
	list(w, "2001:db8:bad::/48", RESEARCH);
	harness_watch(w->h, MOAT_EVENT_VERDICTS);
	send_from(w, "192.0.2.1", 1);
	e = next(w);
	assert_event(e, MOAT_VERDICT_DROP, MOAT_LISTED, BOTNET, 28);
	assert_int_equal(e->family, MOAT_IPV4);
	assert_int_equal(e->ip, 14);
	assert_true(harness_now() - e->time < 1000000000);

	size = packet_build(&tagged, frame);
	assert_int_equal(send_one(w, frame, size), XDP_PASS);
	e = next(w);
	assert_event(e, MOAT_VERDICT_MONITOR, MOAT_MONITORED, RESEARCH, 48);
	assert_int_equal(e->family, MOAT_IPV6);
	assert_int_equal(e->ip, 22);
	assert_int_equal(e->length, size);
}

static void what_passes_is_an_event_only_if_so_wished(void **state)
{
	struct world *w = *state;

	list(w, "192.0.2.1", ALLOW);
	send_from(w, "192.0.2.1", 3);
	assert_int_equal(judged(w), 0);
	harness_watch(w->h, MOAT_EVENT_VERDICTS);
	send_from(w, "192.0.2.1", 3);
	send_from(w, "192.0.2.2", 3);
	assert_int_equal(judged(w), 0);
	harness_watch(w->h, MOAT_EVENT_PASSES);
	send_from(w, "192.0.2.1", 1);
	assert_event(next(w), MOAT_VERDICT_PASS, MOAT_ALLOWED, ALLOW, 32);
	send_from(w, "192.0.2.2", 1);
	assert_event(next(w), MOAT_VERDICT_PASS, MOAT_CLEAN, 0, 0);
	list(w, "192.0.2.3", BOTNET);
	send_from(w, "192.0.2.3", 1); /* dropped, which is not wished */
	assert_int_equal(judged(w), 2);
}

static void every_action_but_pass_is_an_event(void **state)
{
	struct world *w = *state;

	list(w, "192.0.2.1", SCRAPER);
	list(w, "192.0.2.2", COLOURED);
	harness_watch(w->h, MOAT_EVENT_VERDICTS);
	send_from(w, "192.0.2.1", SCRAPER_BURST); /* within the limit */
	assert_int_equal(judged(w), 0);
	send_from(w, "192.0.2.1", 1);
	assert_event(next(w), MOAT_VERDICT_DROP, MOAT_LIMIT, SCRAPER, 32);
	send_from(w, "192.0.2.2", 1);
	assert_event(next(w), MOAT_VERDICT_TAG, MOAT_TAGGED, COLOURED, 32);
}

/* Also in frames of several buffers, where the kernel has such. */
static void an_event_holds_the_first_bytes_of_the_frame(void **state)
{
	static const uint32_t payloads[] = { 0,	 1,  2,	 3,  6,	 7,   8,    9,	  15,
					     73, 74, 75, 76, 80, 128, 1400, 8000, 60000 };
	struct world *w = *state;
	static uint8_t frame[PACKET_MAX];

	list(w, "192.0.2.1", BOTNET);
	harness_watch(w->h, MOAT_EVENT_VERDICTS);
	for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
		const struct packet packet = { .source = "192.0.2.1",
					       .protocol = PACKET_TCP,
					       .port = 80,
					       .payload = payloads[i],
					       .fill = (uint8_t)(i + 1) };
		size_t size = packet_build(&packet, frame);
		const struct moat_event *e;

		if (size > 3000 && !harness_takes_frags(w->h))
			continue;
		send_one(w, frame, size);
		e = next(w);
		assert_int_equal(e->length, size);
		assert_int_equal(e->size, size < MOAT_EVENT_HEAD ? size : MOAT_EVENT_HEAD);
		assert_memory_equal(e->head, frame, e->size);
	}
}

/* ---- each of the packets, against the model ---- */

static void random_packets_become_the_events_that_the_model_says(void **state)
{
	struct world *w = *state;
	static struct random_list random;
	static uint8_t frame[PACKET_MAX], model_frame[RANDOM_FRAME];
	uint64_t events = 0, dropped = 0;

	harness_watch(w->h, MOAT_EVENT_VERDICTS | MOAT_EVENT_PASSES);
	for (uint64_t seed = 1; seed <= LISTS; seed++) {
		uint64_t begun = harness_now();

		random_list(&random, seed, begun);
		install_plain(w->h, &random.world, 1000000000);
		for (int i = 0; i < PACKETS; i++) {
			struct reference_outcome model;
			const struct moat_event *e;
			size_t size = random_packet(&random, frame);

			memcpy(model_frame, frame, size);
			send_one(w, frame, size);
			reference_judge(&random.world, harness_now(), model_frame, size, &model);
			if (harness_now() - begun > RANDOM_LIFE) {
				w->lane->tail = w->lane->head;
				break;
			}
			e = next(w);
			assert_int_equal(e->verdict, model.verdict);
			assert_int_equal(e->reason, model.reason);
			assert_int_equal(e->category, model.category);
			assert_int_equal(e->family, model.family);
			assert_int_equal(e->length, size);
			assert_memory_equal(e->head, model_frame, e->size);
			events++;
			dropped += e->verdict == MOAT_VERDICT_DROP;
		}
	}
	assert_true(events > LISTS * PACKETS / 2 && dropped > 50);
}

/* ---- which, and how many ---- */

static void over_the_rate_they_are_suppressed_and_counted(void **state)
{
	struct world *w = *state;

	list(w, "192.0.2.1", BOTNET);
	harness_watch(w->h, MOAT_EVENT_VERDICTS | MOAT_EVENT_PASSES);
	w->lane->rate = 1; /* next to nothing */
	w->lane->depth = 10 * MOAT_EVENT_TOKEN;
	w->lane->tokens[0] = 10 * MOAT_EVENT_TOKEN;
	w->lane->tokens[1] = 2 * MOAT_EVENT_TOKEN;
	send_from(w, "192.0.2.1", 40);
	assert_int_equal(w->lane->head, 10);
	assert_int_equal(w->lane->suppressed, 30);
	send_from(w, "192.0.2.2", 5); /* what passes has a bucket of its own */
	assert_int_equal(w->lane->head, 12);
	assert_int_equal(w->lane->suppressed, 33);
	assert_int_equal(w->lane->lost, 0);
}

static void a_bucket_fills_with_time_and_no_higher_than_it_is_deep(void **state)
{
	struct world *w = *state;
	uint64_t head, begun;

	list(w, "192.0.2.1", BOTNET);
	harness_watch(w->h, MOAT_EVENT_VERDICTS);
	w->lane->depth = 3 * MOAT_EVENT_TOKEN;
	w->lane->rate = MOAT_EVENT_TOKEN; /* an event a tick */
	begun = harness_now();
	send_from(w, "192.0.2.1", 20); /* the first look finds a long time gone by */
	head = w->lane->head;
	/* No more than its depth and one for each tick since, of which a second has 1,000 at most. */
	assert_in_range(head, 3, 4 + (harness_now() - begun) / 1000000);
	for (begun = harness_now(); harness_now() - begun < 100000000;)
		send_from(w, "192.0.2.1", 1);
	/* 100 ms are 10 to 100 ticks; the last packet may come later than that. */
	assert_in_range(w->lane->head + w->lane->lost - head, 8,
			10 + (harness_now() - begun) / 1000000);
	assert_true(w->lane->suppressed > 0);
}

static void a_full_ring_takes_nothing_and_counts_what_is_lost(void **state)
{
	struct world *w = *state;
	struct moat_event first;

	list(w, "192.0.2.1", BOTNET);
	harness_watch(w->h, MOAT_EVENT_VERDICTS);
	send_from(w, "192.0.2.1", 1);
	first = w->ring[0];
	send_from(w, "192.0.2.1", ROOM + 99);
	assert_int_equal(w->lane->head, ROOM);
	assert_int_equal(w->lane->lost, 100);
	assert_memory_equal(&w->ring[0], &first, sizeof(first));
	w->lane->tail = 1;
	send_from(w, "192.0.2.1", 2);
	assert_int_equal(w->lane->head, ROOM + 1);
	assert_int_equal(w->lane->lost, 101);
}

static void when_nobody_renews_the_time_the_program_switches_itself_off(void **state)
{
	struct world *w = *state;
	uint64_t after;

	list(w, "192.0.2.1", BOTNET);
	harness_watch(w->h, MOAT_EVENT_VERDICTS);
	w->lane->until = harness_now() + 50000000;
	send_from(w, "192.0.2.1", 1);
	assert_int_equal(w->lane->head, 1);
	/* At the latest at the first packet of the tick after that time. */
	while (harness_now() < w->lane->until + 40000000)
		;
	send_from(w, "192.0.2.1", 1);
	assert_int_equal(harness_watched(w->h), 0);
	after = judged(w);
	send_from(w, "192.0.2.1", 100);
	assert_int_equal(judged(w), after);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, enter, leave)
		T(an_event_says_what_became_of_the_packet_and_why),
		T(what_passes_is_an_event_only_if_so_wished),
		T(every_action_but_pass_is_an_event),
		T(an_event_holds_the_first_bytes_of_the_frame),
		{ "so it does where frames are of one buffer",
		  an_event_holds_the_first_bytes_of_the_frame, enter_linear, leave, NULL },
		T(random_packets_become_the_events_that_the_model_says),
		T(over_the_rate_they_are_suppressed_and_counted),
		T(a_bucket_fills_with_time_and_no_higher_than_it_is_deep),
		T(a_full_ring_takes_nothing_and_counts_what_is_lost),
		T(when_nobody_renews_the_time_the_program_switches_itself_off),
#undef T
	};

	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
