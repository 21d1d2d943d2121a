/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of hits from user space: made, adopted over a restart, exchanged,
 * given back, read; and that the probe, by which moatd asks what would happen,
 * leaves no trace in it. Needs root.
 */
#include "tests/prog/cmocka.h"

#include <limits.h>

#include <bpf/bpf.h>

#include "plane/hits.h"
#include "tests/prog/plane_fixture.h"

#define SIZE 5000

static struct tables *open_tables(const char *pins, uint32_t hits)
{
	struct tables *t = fixture_tables(pins);
	struct problem why = {};
	int r = tables_set_hits(t, hits, &why);

	r = r ?: tables_pin(t, &why);
	if (r)
		print_error("%s\n", why.text);
	assert_int_equal(r, 0);
	return t;
}

/* fd of the pinned table, or negative. */
static int pinned(const char *pins)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" MOAT_MAP_HITS, pins);
	return bpf_obj_get(path);
}

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

/* As the program does. */
static void hit(const char *pins, const char *source, uint64_t packets)
{
	_cleanup_close_ int table = pinned(pins);
	struct prefix p = prefix_of(source);
	struct moat_hit_key key = { .family = p.family, .len = p.len };
	struct moat_hit value = { .packets = packets };

	memcpy(key.addr, p.addr, sizeof(key.addr));
	assert_int_equal(bpf_map_update_elem(table, &key, &value, BPF_ANY), 0);
}

static uint64_t hits_of(const struct tables *t, const char *source)
{
	struct prefix p = prefix_of(source);
	struct moat_hit value;

	return tables_hit(t, &p, &value) ? 0 : value.packets;
}

static void hits_are_read_by_source_of_either_family(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, SIZE);
	struct prefix other = prefix_of("192.0.2.0/25");
	struct moat_hit value;

	(void)state;
	assert_int_equal(tables_hits(t), SIZE);
	hit(pins, "192.0.2.0/24", 5);
	hit(pins, "192.0.2.0", 6);
	hit(pins, "2001:db8::/32", 7);
	assert_int_equal(hits_of(t, "192.0.2.0/24"), 5);
	assert_int_equal(hits_of(t, "192.0.2.0"), 6);
	assert_int_equal(hits_of(t, "2001:db8::/32"), 7);
	assert_int_equal(tables_hit(t, &other, &value), -ENOENT);
}

struct sum {
	size_t sources;
	uint64_t packets;
	size_t stop; /* after so many */
};

static int add(void *arg, const struct prefix *source, const struct moat_hit *value)
{
	struct sum *sum = arg;

	assert_int_equal(source->len, prefix_max(source->family));
	sum->packets += value->packets;
	return ++sum->sources == sum->stop ? 42 : 0;
}

static void every_source_with_hits_is_told_once(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, 65536);
	struct sum all = {}, some = { .stop = 3 };
	char source[20];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		snprintf(source, sizeof(source), i % 2 ? "198.18.%d.%d" : "2001:db8::%d:%d",
			 i / 200, i % 200);
		hit(pins, source, 1ULL << 32);
	}
	assert_int_equal(tables_each_hit(t, add, &all), 0);
	assert_int_equal(all.sources, 2000);
	assert_int_equal(all.packets, 2000ULL << 32);
	assert_int_equal(tables_each_hit(t, add, &some), 42);
	assert_int_equal(some.sources, 3);
}

static void hits_outlive_a_restart(void **state)
{
	const char *pins = fixture_pins();
	struct tables *t = open_tables(pins, SIZE);

	(void)state;
	hit(pins, "192.0.2.1", 3);
	tables_free(t);
	t = open_tables(pins, SIZE);
	assert_int_equal(hits_of(t, "192.0.2.1"), 3);
	tables_free(t);
}

static void another_size_begins_anew_and_none_keeps_nothing(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, SIZE);
	struct problem why = {};
	struct sum all = {};

	(void)state;
	hit(pins, "192.0.2.1", 3);
	assert_int_equal(tables_set_hits(t, SIZE, &why), 0); /* the same: nothing happens */
	assert_int_equal(hits_of(t, "192.0.2.1"), 3);
	assert_int_equal(tables_set_hits(t, 2 * SIZE, &why), 0);
	assert_int_equal(tables_hits(t), 2 * SIZE);
	assert_int_equal(hits_of(t, "192.0.2.1"), 0);
	hit(pins, "192.0.2.1", 4);
	assert_int_equal(hits_of(t, "192.0.2.1"), 4);

	assert_int_equal(tables_set_hits(t, 0, &why), 0);
	assert_int_equal(pinned(pins), -ENOENT);
	assert_int_equal(tables_hits(t), 0);
	assert_int_equal(hits_of(t, "192.0.2.1"), 0);
	assert_int_equal(tables_each_hit(t, add, &all), 0);
	assert_int_equal(all.sources, 0);
}

static void a_table_that_cannot_be_had_leaves_none(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, SIZE);
	struct problem why = {};

	(void)state;
	assert_true(tables_set_hits(t, UINT32_MAX, &why) < 0);
	assert_non_null(strstr(why.text, MOAT_MAP_HITS));
	assert_int_equal(tables_hits(t), 0);
}

static void the_probe_leaves_no_trace(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, SIZE);
	_cleanup_(program_freep) struct program *probe = NULL;
	struct outcome outcome;
	struct problem why;
	struct sum all = {};
	uint8_t frame[128];

	(void)state;
	fixture_list(t, "192.0.2.1", CATEGORY_DROP);
	assert_int_equal(program_load_probe(t, &probe, &why), 0);
	program_set_iface(probe, true, 0);
	for (int i = 0; i < 1000; i++) {
		uint32_t size = fixture_frame(frame, "192.0.2.1");

		assert_int_equal(program_probe(probe, frame, &size, sizeof(frame), &outcome, &why),
				 0);
		assert_int_equal(outcome.reason, MOAT_LISTED);
	}
	assert_int_equal(tables_each_hit(t, add, &all), 0);
	assert_int_equal(all.sources, 0);
}

static void a_packet_of_the_wire_leaves_one(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, SIZE);
	_cleanup_(program_freep) struct program *p = NULL;
	struct problem why;
	uint8_t frame[128];
	uint32_t size = fixture_frame(frame, "192.0.2.1");

	(void)state;
	fixture_list(t, "192.0.2.1", CATEGORY_DROP);
	fixture_veth("hits0", "hits1");
	assert_int_equal(program_load(t, pins, "hits0", &p, &why), 0);
	program_set_iface(p, true, 0);
	assert_int_equal(program_attach(p, CONFIG_AUTO, &why), 0);
	fixture_send("hits1", frame, size);
	for (double end = fixture_now() + 10; !hits_of(t, "192.0.2.1");)
		assert_true(fixture_now() < end);
	assert_int_equal(hits_of(t, "192.0.2.1"), 1);
	assert_int_equal(program_detach(pins, "hits0", &why), 0);
}

static void the_memory_foretold_is_within_a_quarter_of_what_the_kernel_takes(void **state)
{
	static const uint32_t sizes[] = { 1024, 65536 };
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, 0);
	struct problem why = {};

	(void)state;
	if (!fixture_memory_is_true())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t foretold = tables_hits_memory(sizes[i]), taken = 0;
		int table;

		assert_int_equal(tables_set_hits(t, sizes[i], &why), 0);
		table = pinned(pins);
		taken = fixture_memory(table);
		close(table);
		print_message("hits of %u: foretold %lu, taken %lu bytes\n", sizes[i],
			      (unsigned long)foretold, (unsigned long)taken);
		assert_true(foretold >= taken - taken / 4 && foretold <= taken + taken / 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hits_are_read_by_source_of_either_family),
		cmocka_unit_test(every_source_with_hits_is_told_once),
		cmocka_unit_test(hits_outlive_a_restart),
		cmocka_unit_test(another_size_begins_anew_and_none_keeps_nothing),
		cmocka_unit_test(a_table_that_cannot_be_had_leaves_none),
		cmocka_unit_test(the_probe_leaves_no_trace),
		cmocka_unit_test(a_packet_of_the_wire_leaves_one),
		cmocka_unit_test(the_memory_foretold_is_within_a_quarter_of_what_the_kernel_takes),
	};

	program_init_log();
	return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
