/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sieve while it is written on another CPU: packets from sources whose
 * listing does not change get what they must, every one; from those that
 * change, what was or what is. Needs root.
 *
 * Not by the reference model: what a packet must get is found by looking at
 * every prefix length (ledger.h), while a thread changes the list through
 * plane/ as the daemon does, in batches of all sizes, up to a full table and
 * down to an empty one again.
 *
 * MOAT_PACKETS: how many packets in all; MOAT_SEED: which.
 */
#include "tests/prog/cmocka.h"

#include <inttypes.h>
#include <pthread.h>

#include "plane/program.h"
#include "tests/prog/ledger.h"
#include "tests/prog/plane_fixture.h"

#define PACKETS	  1000000
#define SEED	  20261123
#define SOURCES4  60000
#define SOURCES6  30000
#define ADDRESSES 60000
#define BATCH	  8192
#define STEADY	  8 /* one source in so many never changes */

struct world {
	struct tables *tables;
	struct ledger *ledger;
	uint32_t *changing; /* numbers of sources */
	size_t changings;
	struct ledger_chain *address;
	uint64_t seed;

	/* Between the threads. */
	bool stop;
	uint64_t changes;
	uint64_t rounds; /* from empty to full to empty */
};

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static uint64_t random64(uint64_t *state)
{
	*state += 0x9E3779B97F4A7C15ULL; /* splitmix64 */
	uint64_t z = (*state ^ *state >> 30) * 0xBF58476D1CE4E5B9ULL;

	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return z ^ z >> 31;
}

static uint32_t below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)((random64(state) >> 32) * limit >> 32);
}

/* ---- the list ---- */

/* An address near others, so that prefixes nest: few of the bits are random. */
static struct prefix random_address(uint64_t *state, uint8_t family)
{
	struct prefix p = { .family = family, .len = (uint8_t)prefix_max(family) };
	uint64_t bits = random64(state);

	if (family == MOAT_IPV4) {
		p.addr[0] = (uint8_t)(11 + (bits & 7) * 16);
		p.addr[1] = (uint8_t)(bits >> 8 & 15);
		p.addr[2] = (uint8_t)(bits >> 16 & 63);
		p.addr[3] = (uint8_t)(bits >> 24);
		return p;
	}
	p.addr[0] = 0x20;
	p.addr[1] = 0x01;
	for (size_t i = 2; i < 16; i++)
		p.addr[i] = (uint8_t)(i % 3 ? bits >> (i * 4 % 56) & 3 : 0);
	p.addr[15] = (uint8_t)(bits >> 48);
	return p;
}

static uint8_t random_length(uint64_t *state, uint8_t family)
{
	static const uint8_t often[2][4] = { { 32, 32, 32, 24 }, { 128, 64, 64, 48 } };

	if (below(state, 4))
		return often[family][below(state, 4)];
	return (uint8_t)below(state, prefix_max(family) + 1);
}

static void add_sources(struct world *w, uint8_t family, size_t count)
{
	size_t until = ledger_count(w->ledger) + count;

	while (ledger_count(w->ledger) < until) {
		struct prefix p = random_address(&w->seed, family);

		p.len = random_length(&w->seed, family);
		ledger_add(w->ledger, p);
	}
}

static bool is_steady(const struct ledger *l, uint32_t number)
{
	/* The shortest would make nearly everything one that changes. */
	return number % STEADY == 0 || ledger_source(l, number)->len < 8;
}

static enum ledger_state random_state(uint64_t *state)
{
	return (enum ledger_state)below(state, LEDGER_STATES);
}

static void write_steady(struct world *w)
{
	size_t count = ledger_count(w->ledger);
	_cleanup_free_ enum ledger_state *to = calloc(count, sizeof(*to));
	_cleanup_free_ uint32_t *number = calloc(count, sizeof(*number));
	size_t steady = 0;

	w->changing = calloc(count, sizeof(*w->changing));
	assert_non_null(to);
	assert_non_null(number);
	assert_non_null(w->changing);
	for (uint32_t i = 0; i < count; i++) {
		if (!is_steady(w->ledger, i)) {
			w->changing[w->changings++] = i;
			continue;
		}
		number[steady] = i;
		to[steady++] = random_state(&w->seed);
	}
	ledger_write(w->ledger, number, to, steady);
}

/* Half of them in a source of the list, the others near. */
static void choose_addresses(struct world *w)
{
	w->address = calloc(ADDRESSES, sizeof(*w->address));
	assert_non_null(w->address);
	for (size_t i = 0; i < ADDRESSES; i++) {
		uint8_t family = i % 3 == 0;
		struct prefix p = random_address(&w->seed, family);

		if (i & 1) {
			p = *ledger_source(w->ledger,
					   below(&w->seed, (uint32_t)ledger_count(w->ledger)));
			p.len = (uint8_t)prefix_max(p.family);
		}
		if (p.family == MOAT_IPV4 && !p.addr[0]) /* 0.0.0.0 and such are no sources */
			p.addr[0] = 11;
		if (p.family == MOAT_IPV6 && p.addr[0] != 0x20)
			p.addr[0] = 0x20;
		ledger_chain(w->ledger, &p, &w->address[i]);
	}
}

/* ---- who writes ---- */

/* How much of the list there is, 0..64: up to all of it, down to nothing, again and again. */
static uint32_t fill_of(uint64_t batches)
{
	uint32_t phase = batches % 128;

	return phase < 64 ? phase : 128 - phase;
}

static size_t random_batch(uint64_t *state)
{
	static const uint32_t most[] = { 1, 1, 16, 256, 2048, BATCH };

	return 1 + below(state, most[below(state, ARRAY_SIZE(most))]);
}

static void *write_changes(void *arg)
{
	struct world *w = arg;
	_cleanup_free_ enum ledger_state *to = calloc(BATCH, sizeof(*to));
	_cleanup_free_ uint32_t *number = calloc(BATCH, sizeof(*number));
	uint64_t state = w->seed;
	uint64_t batches = 0;

	while (to && number && !__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		uint32_t fill = fill_of(batches);
		size_t count = random_batch(&state);
		/* A run of the list, so that no source is twice in a batch. */
		size_t at = below(&state, (uint32_t)w->changings);

		if (batches % 16 == 0) /* steps that growth and shrinkage follow from */
			count = BATCH;
		for (size_t i = 0; i < count; i++) {
			number[i] = w->changing[(at + i) % w->changings];
			to[i] = below(&state, 64) < fill ? 1 + below(&state, 3) : LEDGER_ABSENT;
		}
		ledger_write(w->ledger, number, to, count);
		__atomic_fetch_add(&w->changes, count, __ATOMIC_RELAXED);
		batches++;
		__atomic_store_n(&w->rounds, batches / 128, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* ---- who asks ---- */

static unsigned int bit_of(const struct outcome *o)
{
	switch (o->reason) {
	case MOAT_CLEAN:
	case MOAT_EXPIRED:
	case MOAT_EMPTY:
		return 1U << LEDGER_ABSENT;
	case MOAT_LISTED:
		return o->category == CATEGORY_DROP ? 1U << LEDGER_DROPPED : 0;
	case MOAT_TAGGED:
		return o->category == CATEGORY_TAG ? 1U << LEDGER_TAGGED : 0;
	default:
		return 0;
	}
}

static void differ(const struct ledger_chain *chain, const struct outcome *got,
		   unsigned int allowed, const struct ledger_view *before,
		   const struct ledger_view *after)
{
	char text[PREFIX_TEXT_MAX];

	print_message("%s left with verdict %d reason %d category %d, allowed are 0x%x of:\n",
		      prefix_format(&chain->address, text), got->verdict, got->reason,
		      got->category, allowed);
	for (uint32_t i = 0; i < chain->count; i++)
		print_message("  source %u: 0x%" PRIx64 " before, 0x%" PRIx64 " after\n",
			      chain->number[i], before->word[i], after->word[i]);
	fail();
}

/* Returns how many packets there were whose source did not change. */
static uint64_t ask(struct world *w, struct program *probe, uint64_t packets)
{
	uint64_t state = w->seed ^ 1;
	uint64_t steady = 0;

	for (uint64_t i = 0; i < packets; i++) {
		const struct ledger_chain *chain = &w->address[below(&state, ADDRESSES)];
		struct ledger_view before, after;
		struct outcome got = {};
		unsigned int allowed;
		bool same;

		ledger_look(w->ledger, chain, &before);
		fixture_ask(probe, &chain->address, &got);
		ledger_look(w->ledger, chain, &after);
		allowed = ledger_allows(chain, &before, &after, &same);
		steady += same;
		if (!(bit_of(&got) & allowed))
			differ(chain, &got, allowed, &before, &after);
	}
	return steady;
}

static void world_free(struct world *w)
{
	for (size_t i = 0; w->address && i < ADDRESSES; i++)
		free(w->address[i].number);
	free(w->address);
	free(w->changing);
	ledger_free(w->ledger);
	tables_free(w->tables);
}

static void sources_that_do_not_change_are_judged_right_while_others_do(void **state)
{
	static const uint32_t capacity[2] = { SOURCES4, SOURCES6 };
	uint64_t packets = number_from("MOAT_PACKETS", PACKETS);
	_cleanup_(world_free) struct world w = { .seed = number_from("MOAT_SEED", SEED) };
	_cleanup_(program_freep) struct program *wire = NULL;
	_cleanup_(program_freep) struct program *probe = NULL;
	struct tables_sieve_state sieve;
	struct problem why = {};
	uint64_t seed = w.seed, steady;
	const char *pins = fixture_pins();
	pthread_t writer;

	(void)state;
	w.tables = fixture_tables_of(pins, capacity);
	w.ledger = ledger_new(w.tables, SOURCES4 + SOURCES6);
	add_sources(&w, MOAT_IPV4, SOURCES4);
	add_sources(&w, MOAT_IPV6, SOURCES6);
	write_steady(&w);
	choose_addresses(&w);
	/* With a program of an interface, grace periods are waited for. */
	assert_int_equal(program_load(w.tables, pins, "moat0", &wire, &why), 0);
	probe = fixture_probe(w.tables);

	assert_int_equal(pthread_create(&writer, NULL, write_changes, &w), 0);
	steady = ask(&w, probe, packets);
	__atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(writer, NULL), 0);

	tables_sieve_state(w.tables, &sieve);
	print_message("MOAT_SEED=%" PRIu64 ": %" PRIu64 " packets, %" PRIu64 " of sources that did "
		      "not change, among %" PRIu64 " changes, %" PRIu64 " times up and down, "
		      "%" PRIu64 " resizes\n",
		      seed, packets, steady, w.changes, w.rounds, sieve.numbers.resizes);
	ask(&w, probe, packets / 10); /* and when nothing changes */
	assert_true(steady > packets / 2);
	assert_true(w.changes > packets / 10);
	if (sieve.on && packets >= PACKETS)
		assert_true(sieve.numbers.resizes >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_that_do_not_change_are_judged_right_while_others_do),
	};

	program_init_log();
	return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
