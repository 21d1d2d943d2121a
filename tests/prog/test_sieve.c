/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sieve behind the tables: lists that were made to hurt it, and its life:
 * filled at a restart, out of force when nobody writes it, done without.
 *
 * What a packet must get is found by looking at every prefix length
 * (ledger.h). Needs root.
 */
#include "tests/prog/cmocka.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <zlib.h>

#include <bpf/bpf.h>

#include "moat/sieve.h"
#include "plane/program.h"
#include "tests/prog/ledger.h"
#include "tests/prog/plane_fixture.h"

#define ROUTES	    "data/routing/bart-prefixes.txt.gz" /* in the folder of shared data */
#define ROUTES_MOST 1200000
#define NESTED	    20 /* bits that the prefixes of a full tree share out */
#define ASKED	    20000

static uint64_t random64(uint64_t *state)
{
	*state += 0x9E3779B97F4A7C15ULL; /* splitmix64 */
	uint64_t z = (*state ^ *state >> 30) * 0xBF58476D1CE4E5B9ULL;

	z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
	return z ^ z >> 31;
}

static struct prefix parse(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct prefix host4(uint32_t host)
{
	struct prefix p = { .family = MOAT_IPV4, .len = 32 };
	uint32_t addr = htonl(host);

	memcpy(p.addr, &addr, sizeof(addr));
	return p;
}

/* ---- asking ---- */

static unsigned int bit_of(const struct outcome *o)
{
	if (o->reason == MOAT_LISTED && o->category == CATEGORY_DROP)
		return 1U << LEDGER_DROPPED;
	if (o->reason == MOAT_TAGGED && o->category == CATEGORY_TAG)
		return 1U << LEDGER_TAGGED;
	return o->verdict == MOAT_VERDICT_PASS ? 1U << LEDGER_ABSENT : 0;
}

static void check(const struct ledger *l, struct program *probe, const struct prefix *address)
{
	struct ledger_chain chain;
	struct ledger_view view;
	struct outcome got = {};
	char text[PREFIX_TEXT_MAX];
	unsigned int allowed;
	bool steady;

	ledger_chain(l, address, &chain);
	ledger_look(l, &chain, &view);
	allowed = ledger_allows(&chain, &view, &view, &steady);
	free(chain.number);
	fixture_ask(probe, address, &got);
	if (bit_of(&got) != allowed)
		fail_msg("%s left with verdict %d reason %d category %d, not 0x%x",
			 prefix_format(address, text), got.verdict, got.reason, got.category,
			 allowed);
}

/* An address in a source: its first, its last or one between. */
static struct prefix address_in(const struct prefix *source, uint64_t random)
{
	unsigned int max = prefix_max(source->family);
	struct prefix p = *source;

	p.len = (uint8_t)max;
	for (unsigned int bit = source->len; bit < max; bit++)
		if (random % 4 && (random % 4 == 1 || random >> (2 + bit % 60) & 1))
			p.addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return p;
}

/* Whether moat judges packets from there at all. */
static bool is_judged(const struct prefix *p)
{
	if (p->family == MOAT_IPV4)
		return p->addr[0] || p->addr[1] || p->addr[2] || p->addr[3];
	return (p->addr[0] == 0xfe && (p->addr[1] & 0xc0) == 0x80) ? false
								   : p->addr[0] || p->addr[15];
}

static void check_all(const struct ledger *l, struct program *probe, size_t most)
{
	size_t count = ledger_count(l);
	uint64_t state = count;

	for (size_t i = 0; i < most; i++) {
		uint64_t random = random64(&state);
		size_t number = count <= most ? i % count : random % count;
		struct prefix p = address_in(ledger_source(l, (uint32_t)number), random >> 32);

		if (is_judged(&p))
			check(l, probe, &p);
	}
}

/* ---- worlds ---- */

struct world {
	struct tables *tables;
	struct ledger *ledger;
	struct program *probe;
};

static struct world world_new(uint32_t room4, uint32_t room6)
{
	const uint32_t capacity[2] = { room4, room6 };
	struct world w = { .tables = fixture_tables_of(fixture_pins(), capacity) };

	w.ledger = ledger_new(w.tables, (size_t)room4 + room6);
	w.probe = fixture_probe(w.tables);
	return w;
}

static void world_free(struct world *w)
{
	program_free(w->probe);
	ledger_free(w->ledger);
	tables_free(w->tables);
}

static enum ledger_state mixed(uint32_t number)
{
	return (enum ledger_state)(1 + number * 2654435761U % 3); /* any but absent */
}

static enum ledger_state half(uint32_t number)
{
	return number * 2246822519U >> 31 ? mixed(number) : LEDGER_ABSENT;
}

static enum ledger_state dropped(uint32_t number)
{
	(void)number;
	return LEDGER_DROPPED;
}

static enum ledger_state nothing(uint32_t number)
{
	(void)number;
	return LEDGER_ABSENT;
}

/* All of it, half of it, other values, nothing. */
static void run_list(struct world *w, size_t asked)
{
	static enum ledger_state (*const steps[])(uint32_t) = { mixed, half, dropped, nothing };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		ledger_write_all(w->ledger, steps[i]);
		check_all(w->ledger, w->probe, asked);
	}
}

/* ---- lists that were made to hurt ---- */

static void every_host_and_prefix_of_one_24_is_judged_right(void **state)
{
	_cleanup_(world_free) struct world w = world_new(600, 600);

	(void)state;
	for (uint32_t len = 24; len <= 32; len++)
		for (uint32_t i = 0; i < 1U << (len - 24); i++) {
			struct prefix p = host4(0xC6336400 + (i << (32 - len)));

			p.len = (uint8_t)len;
			ledger_add(w.ledger, p);
		}
	run_list(&w, ledger_count(w.ledger));
}

static void every_prefix_length_of_both_families_is_judged_right(void **state)
{
	static const char *const roots[] = { "198.51.100.77", "203.0.113.200",
					     "2001:db8:5555:aaaa:3333:cccc:f0f0:1",
					     "2001:db8:5555:aaaa:3333:cccc:f0f0:8001" };
	_cleanup_(world_free) struct world w = world_new(200, 600);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		struct prefix root = parse(roots[i]);

		for (unsigned int len = 0; len <= prefix_max(root.family); len++) {
			struct prefix p = root;

			p.len = (uint8_t)len;
			ledger_add(w.ledger, p);
		}
	}
	run_list(&w, 4 * ledger_count(w.ledger));
}

static enum ledger_state by_level(uint32_t number)
{
	return (31 - __builtin_clz(number + 1)) % 2 ? LEDGER_TAGGED : LEDGER_DROPPED;
}

static enum ledger_state without_leaves(uint32_t number)
{
	return number + 1 >= 1U << (NESTED - 1) ? LEDGER_ABSENT : by_level(number);
}

static void a_full_tree_of_2_20_nested_prefixes_is_judged_right(void **state)
{
	_cleanup_(world_free) struct world w = world_new(1U << NESTED, 1);
	double from = fixture_now();

	(void)state;
	for (uint32_t level = 0; level < NESTED; level++)
		for (uint32_t i = 0; i < 1U << level; i++) {
			struct prefix p = host4(0x60000000 | i << (20 - level));

			p.len = (uint8_t)(12 + level);
			ledger_add(w.ledger, p);
		}
	ledger_write_all(w.ledger, by_level);
	check_all(w.ledger, w.probe, ASKED);
	ledger_write_all(w.ledger, without_leaves);
	check_all(w.ledger, w.probe, ASKED);
	print_message("%zu prefixes: %.2f s\n", ledger_count(w.ledger), fixture_now() - from);
}

static void a_full_routing_table_is_judged_right(void **state)
{
	_cleanup_(world_free) struct world w = {};
	struct tables_sieve_state sieve;
	double from = fixture_now();
	char line[PREFIX_TEXT_MAX];
	const char *shared = getenv("MOAT_SHARED") ?: "../shared";
	char path[PATH_MAX];
	gzFile file;

	(void)state;
	snprintf(path, sizeof(path), "%s/" ROUTES, shared);
	file = gzopen(path, "rb");
	if (!file) {
		print_message("SKIPPED: no %s; set MOAT_SHARED to the folder that holds data/\n",
			      path);
		skip();
	}
	w = world_new(ROUTES_MOST, 250000);
	while (gzgets(file, line, sizeof(line))) {
		struct prefix p;

		line[strcspn(line, "\r\n")] = '\0';
		if (!prefix_parse(line, &p))
			ledger_add(w.ledger, p);
	}
	gzclose(file);
	assert_true(ledger_count(w.ledger) > 500000);
	ledger_write_all(w.ledger, mixed);
	tables_sieve_state(w.tables, &sieve);
	check_all(w.ledger, w.probe, 4 * ASKED);
	print_message("%zu routes in %llu of %llu nodes, %llu asked for: %.2f s\n",
		      ledger_count(w.ledger), (unsigned long long)sieve.numbers.nodes,
		      (unsigned long long)sieve.numbers.node_room,
		      (unsigned long long)sieve.numbers.asked, fixture_now() - from);
	ledger_write_all(w.ledger, half);
	check_all(w.ledger, w.probe, ASKED);
	assert_true(sieve.numbers.asked * 200 < ledger_count(w.ledger));
}

/* ---- hosts that collide ---- */

#define COLLIDING 2000
#define LEVEL	  9 /* of a table that holds as many: 512 buckets, 4 in each */
#define OTHERS	  3

static bool key_of(const struct tables *t, struct moat_sieve *ret)
{
	int fd = tables_fd(t, MOAT_MAP_SIEVE);
	uint32_t zero = 0;

	return fd >= 0 && !bpf_map_lookup_elem(fd, &zero, ret);
}

/* Hosts whose first bucket is the same one under this key, also in a table eight times as large. */
static void add_colliding(struct ledger *l, const struct moat_sieve *sieve)
{
	uint64_t view = moat_view(LEVEL + 3);

	for (uint32_t host = 0x0B000000; ledger_count(l) < COLLIDING; host++)
		if (moat_view_index(view, moat_hash4(sieve, htonl(host), 0)) == 8U << LEVEL)
			ledger_add(l, host4(host));
}

/* How many hosts have the fullest of the first buckets under this key. */
static uint32_t most_in_a_bucket(const struct ledger *l, const struct moat_sieve *sieve)
{
	uint32_t count[1U << LEVEL] = {};
	uint32_t most = 0;

	for (uint32_t i = 0; i < ledger_count(l); i++) {
		__be32 addr;
		uint32_t at;

		memcpy(&addr, ledger_source(l, i)->addr, sizeof(addr));
		at = moat_view_index(moat_view(LEVEL), moat_hash4(sieve, addr, 0)) - (1U << LEVEL);
		count[at]++;
		most = count[at] > most ? count[at] : most;
	}
	return most;
}

static void hosts_that_collide_under_one_key_are_judged_right_and_do_not_under_another(void **state)
{
	_cleanup_(world_free) struct world w = world_new(10000, 1);
	struct moat_sieve sieve;
	uint32_t scattered = 0;

	(void)state;
	if (!key_of(w.tables, &sieve)) {
		print_message("SKIPPED: there is no sieve\n");
		skip();
	}
	add_colliding(w.ledger, &sieve);
	run_list(&w, 2 * COLLIDING);
	assert_int_equal(most_in_a_bucket(w.ledger, &sieve), COLLIDING);
	/* A key is random: one of them may be unlucky. */
	for (uint32_t i = 0; i < OTHERS; i++) {
		_cleanup_(world_free) struct world other = world_new(10000, 1);
		uint32_t most;

		assert_true(key_of(other.tables, &sieve));
		most = most_in_a_bucket(w.ledger, &sieve);
		print_message("of %u hosts %u share a bucket under another key\n", COLLIDING, most);
		scattered += most < COLLIDING / 20;
	}
	assert_true(scattered >= OTHERS - 1);
}

/* ---- the life of a sieve ---- */

static void what_is_pinned_is_in_the_sieve_of_the_next_daemon(void **state)
{
	static const uint32_t capacity[2] = { 4000, 4000 };
	_cleanup_(ledger_freep) struct ledger *l = NULL;
	_cleanup_(program_freep) struct program *p = NULL;
	const char *pins = fixture_pins();
	struct tables *t = fixture_tables_of(pins, capacity);
	struct tables_sieve_state sieve;
	struct problem why;
	uint64_t random = 1;

	(void)state;
	l = ledger_new(t, 8000);
	for (uint32_t i = 0; i < 4000; i++) {
		struct prefix four = host4(0x0B000000 + (uint32_t)(random64(&random) & 0xFFFFF));
		struct prefix six = parse("2001:db8::");

		four.len = (uint8_t)(i % 2 ? 32 : 20 + i % 13);
		six.len = (uint8_t)(32 + i % 97);
		six.addr[4] = (uint8_t)i;
		six.addr[15] = (uint8_t)(i >> 8);
		ledger_add(l, four);
		ledger_add(l, six);
	}
	ledger_write_all(l, mixed);
	assert_int_equal(tables_pin(t, &why), 0);
	tables_free(t);

	assert_int_equal(tables_open(pins, capacity, &t, &why), 0);
	assert_true(tables_adopted(t, MOAT_IPV4));
	fixture_sieve(t);
	p = fixture_probe(t);
	check_all(l, p, 2 * ledger_count(l));
	tables_sieve_state(t, &sieve);
	assert_true(!sieve.on ||
		    (sieve.numbers.hosts && sieve.numbers.prefixes && sieve.numbers.sources6));
	tables_free(t);
}

static void a_program_whose_sieve_nobody_writes_goes_by_the_records(void **state)
{
	static const char *const sources[] = { "192.0.2.1", "2001:db8::1" };
	static const uint32_t capacity[2] = { 100, 100 };
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *before = fixture_tables_of(pins, capacity);
	_cleanup_(program_freep) struct program *old = NULL;
	_cleanup_(tables_freep) struct tables *after = NULL;
	struct outcome got = {};
	struct problem why;

	(void)state;
	old = fixture_probe(before);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		fixture_list(before, sources[i], CATEGORY_DROP);
	assert_int_equal(tables_pin(before, &why), 0);

	assert_int_equal(tables_open(pins, capacity, &after, &why), 0);
	fixture_sieve(after);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct prefix source = parse(sources[i]);

		fixture_ask(old, &source, &got);
		assert_int_equal(got.category, CATEGORY_DROP);
		fixture_list(after, sources[i], CATEGORY_TAG);
		fixture_ask(old, &source, &got);
		assert_int_equal(got.category, CATEGORY_TAG);
	}
}

static void without_a_sieve_lookups_go_by_the_records_and_it_says_why(void **state)
{
	static const uint32_t capacity[2] = { 100, 100 };
	_cleanup_(tables_freep) struct tables *t = NULL;
	_cleanup_(program_freep) struct program *p = NULL;
	struct tables_sieve_state sieve;
	struct prefix source = parse("192.0.2.1");
	struct outcome got = {};
	struct problem why;

	(void)state;
	assert_int_equal(tables_open(fixture_pins(), capacity, &t, &why), 0);
	assert_int_equal(tables_set_sieve(t, true, 1000, &why), -ENOMEM);
	assert_non_null(strstr(why.text, "MB are available"));
	tables_sieve_state(t, &sieve);
	assert_true(sieve.wanted && !sieve.on);
	assert_string_equal(sieve.why, why.text);
	assert_int_equal(tables_fd(t, MOAT_MAP_SIEVE), -ENOENT);
	p = fixture_probe(t);
	fixture_list(t, "192.0.2.1", CATEGORY_DROP);
	fixture_ask(p, &source, &got);
	assert_int_equal(got.reason, MOAT_INTERNAL); /* found: these tables have no such class */
}

static void a_put_that_the_full_map_refuses_is_not_in_the_sieve(void **state)
{
	static const uint32_t capacity[2] = { 1, 1 };
	_cleanup_(tables_freep) struct tables *t = fixture_tables_of(fixture_pins(), capacity);
	_cleanup_(program_freep) struct program *p = fixture_probe(t);
	struct moat_key4 key[64];
	struct moat_source value[64];
	int16_t done[64];
	size_t refused = 0;

	(void)state;
	fixture_list(t, "192.0.2.200", CATEGORY_DROP);
	for (uint32_t i = 0; i < 64; i++) {
		key[i] = (struct moat_key4){ 32, htonl(0xC0000201 + i) };
		value[i] = (struct moat_source){ .class = CATEGORY_DROP };
	}
	assert_true(tables_put4(t, key, value, 64, done) > 0);
	for (uint32_t i = 0; i < 64; i++) {
		struct prefix source = prefix_from_key4(&key[i]);
		struct outcome got = {};

		fixture_ask(p, &source, &got);
		assert_int_equal(got.reason == MOAT_LISTED, !done[i]);
		refused += done[i] == -ENOSPC;
	}
	assert_true(refused > 0);
}

/* What the kernel refuses to write or to give back, as long as fd is not what it was. */
static int spoil(int fd)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	assert_true(null >= 0 && kept >= 0);
	assert_int_equal(dup2(null, fd), fd);
	return kept;
}

static void mend(int fd, int kept)
{
	assert_int_equal(dup2(kept, fd), fd);
	close(kept);
}

static void a_delete_that_fails_leaves_the_verdict_of_the_record(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = fixture_probe(t);
	struct prefix source = parse("192.0.2.1");
	struct moat_key4 key = prefix_key4(&source);
	int fd = tables_fd(t, MOAT_MAP_SOURCE4);
	struct tables_sieve_state sieve;
	struct outcome got = {};
	int kept;

	(void)state;
	fixture_list(t, "192.0.2.1", CATEGORY_DROP);
	tables_sieve_state(t, &sieve);
	if (!sieve.on)
		skip();
	kept = spoil(fd);
	assert_true(tables_delete4(t, &key, 1) < 0);
	mend(fd, kept);
	fixture_ask(p, &source, &got);
	assert_int_equal(got.category, CATEGORY_DROP);
	/* What is in the kernel could not be asked for: from here on only the records count. */
	tables_sieve_state(t, &sieve);
	assert_true(!sieve.on && *sieve.why);
	assert_int_equal(tables_delete4(t, &key, 1), 0);
	fixture_ask(p, &source, &got);
	assert_int_not_equal(got.category, CATEGORY_DROP);
}

static void a_program_never_believes_a_sieve_that_was_given_up_before_a_restart(void **state)
{
	static const uint32_t capacity[2] = { 100, 100 };
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *before = fixture_tables_of(pins, capacity);
	_cleanup_(program_freep) struct program *old = fixture_probe(before);
	_cleanup_(tables_freep) struct tables *after = NULL;
	struct prefix source = parse("192.0.2.1");
	struct moat_key4 key = prefix_key4(&source);
	int fd = tables_fd(before, MOAT_MAP_SOURCE4);
	struct tables_sieve_state sieve;
	struct outcome got = {};
	struct problem why;
	int kept;

	(void)state;
	tables_sieve_state(before, &sieve);
	if (!sieve.on)
		skip();
	kept = spoil(fd);
	assert_true(tables_delete4(before, &key, 1) < 0);
	mend(fd, kept);
	assert_int_equal(tables_pin(before, &why), 0);

	assert_int_equal(tables_open(pins, capacity, &after, &why), 0);
	fixture_sieve(after);
	fixture_list(after, "192.0.2.1", CATEGORY_DROP);
	fixture_ask(old, &source, &got);
	assert_int_equal(got.category, CATEGORY_DROP);
}

/* Pins may hold such keys; no lookup of a record finds them, and a restart deletes them. */
static void a_delete_of_a_key_that_no_lookup_finds_takes_nothing_else(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = fixture_probe(t);
	struct prefix source = parse("192.0.2.1");
	const struct moat_key4 key = prefix_key4(&source);
	const struct moat_key4 odd[] = { { 24, key.addr }, { 40, key.addr } };
	struct outcome got = {};

	(void)state;
	fixture_list(t, "192.0.2.0/24", CATEGORY_DROP);
	assert_int_equal(tables_delete4(t, &odd[0], 1), 0);
	fixture_ask(p, &source, &got);
	assert_int_equal(got.category, CATEGORY_DROP);
	fixture_list(t, "192.0.2.1", CATEGORY_TAG);
	assert_int_equal(tables_delete4(t, &odd[1], 1), 0);
	fixture_ask(p, &source, &got);
	assert_int_equal(got.category, CATEGORY_TAG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_host_and_prefix_of_one_24_is_judged_right),
		cmocka_unit_test(every_prefix_length_of_both_families_is_judged_right),
		cmocka_unit_test(a_full_tree_of_2_20_nested_prefixes_is_judged_right),
		cmocka_unit_test(a_full_routing_table_is_judged_right),
		cmocka_unit_test(
			hosts_that_collide_under_one_key_are_judged_right_and_do_not_under_another),
		cmocka_unit_test(what_is_pinned_is_in_the_sieve_of_the_next_daemon),
		cmocka_unit_test(a_program_whose_sieve_nobody_writes_goes_by_the_records),
		cmocka_unit_test(without_a_sieve_lookups_go_by_the_records_and_it_says_why),
		cmocka_unit_test(a_put_that_the_full_map_refuses_is_not_in_the_sieve),
		cmocka_unit_test(a_delete_that_fails_leaves_the_verdict_of_the_record),
		cmocka_unit_test(
			a_program_never_believes_a_sieve_that_was_given_up_before_a_restart),
		cmocka_unit_test(a_delete_of_a_key_that_no_lookup_finds_takes_nothing_else),
	};

	program_init_log();
	return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
