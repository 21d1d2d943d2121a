/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of flows: made, adopted over a restart, exchanged, given back.
 * Needs root.
 */
#include "tests/prog/cmocka.h"

#include <limits.h>

#include <bpf/bpf.h>

#include "moat/flow.h"
#include "plane/tables.h"
#include "tests/prog/plane_fixture.h"

static const uint32_t small[2] = { 100, 50 }, other[2] = { 200, 50 };
static const struct moat_ports clients = { .set = { [625] = 1 } }; /* port 40000 */

static struct tables *open_tables(const char *pins, const uint32_t capacity[2], uint32_t flows)
{
	struct tables *t = NULL;
	struct problem why;
	int r = tables_open(pins, capacity, &t, &why);

	if (!r)
		r = tables_set_flows(t, flows, &clients, &why);
	if (!r)
		r = tables_pin(t, &why);
	if (r)
		print_error("%s\n", why.text);
	assert_int_equal(r, 0);
	fixture_sieve(t);
	return t;
}

/* fd of the pinned table, or negative. */
static int pinned(const char *pins)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/" MOAT_MAP_FLOWS, pins);
	return bpf_obj_get(path);
}

static struct bpf_map_info info_of(int fd)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info;
}

/* The id of what the programs find in the slot; 0: nothing. */
static uint32_t in_slot(const struct tables *t)
{
	uint32_t zero = 0, id = 0;

	return bpf_map_lookup_elem(tables_fd(t, MOAT_MAP_SLOT), &zero, &id) ? 0 : id;
}

static void note(int table)
{
	struct moat_flow_key key = { .protocol = 6 };
	struct moat_flow flow = { .seen = 1 };

	assert_int_equal(bpf_map_update_elem(table, &key, &flow, BPF_ANY), 0);
}

static bool is_noted(int table)
{
	struct moat_flow_key key = { .protocol = 6 };
	struct moat_flow flow;

	return !bpf_map_lookup_elem(table, &key, &flow);
}

static void the_table_is_of_the_size_asked_for_pinned_and_in_its_slot(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, small, 5000);
	_cleanup_close_ int table = pinned(pins);
	struct moat_ports there;
	uint32_t zero = 0;

	(void)state;
	assert_int_equal(info_of(table).max_entries, 5000);
	assert_int_equal(info_of(table).id, in_slot(t));
	assert_int_equal(tables_flows(t), 5000);
	assert_int_equal(bpf_map_lookup_elem(tables_fd(t, MOAT_MAP_CLIENTS), &zero, &there), 0);
	assert_memory_equal(&there, &clients, sizeof(there));
}

static void flows_outlive_a_restart_also_with_another_capacity(void **state)
{
	const char *pins = fixture_pins();
	struct tables *t;
	int table;

	(void)state;
	t = open_tables(pins, small, 5000);
	table = pinned(pins);
	note(table);
	close(table);
	tables_free(t);

	t = open_tables(pins, small, 5000);
	table = pinned(pins);
	assert_true(is_noted(table));
	assert_int_equal(info_of(table).id, in_slot(t));
	close(table);
	tables_free(t);

	t = open_tables(pins, other, 5000);
	assert_false(tables_adopted(t, MOAT_IPV4));
	table = pinned(pins);
	assert_true(is_noted(table));
	assert_int_equal(info_of(table).id, in_slot(t));
	close(table);
	tables_free(t);
}

static void another_size_is_another_table_under_the_running_programs(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, small, 5000);
	_cleanup_close_ int before = pinned(pins);
	_cleanup_close_ int after = -1;
	struct problem why = {};

	(void)state;
	note(before);
	assert_int_equal(tables_set_flows(t, 3000, &clients, &why), 0);
	after = pinned(pins);
	assert_int_equal(info_of(after).max_entries, 3000);
	assert_int_equal(info_of(after).id, in_slot(t));
	assert_false(is_noted(after));
}

static void without_flows_nothing_is_kept(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, small, 5000);
	struct problem why = {};

	(void)state;
	assert_int_equal(tables_set_flows(t, 0, &clients, &why), 0);
	assert_int_equal(in_slot(t), 0);
	assert_int_equal(pinned(pins), -ENOENT);
	assert_int_equal(tables_flows(t), 0);
	assert_int_equal(tables_set_flows(t, 0, &clients, &why), 0); /* nothing to take away */
}

static void a_pin_that_somebody_removed_is_made_again(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, small, 5000);
	_cleanup_close_ int table = pinned(pins);
	_cleanup_close_ int again = -1;
	struct problem why = {};
	char path[PATH_MAX];

	(void)state;
	snprintf(path, sizeof(path), "%s/" MOAT_MAP_FLOWS, pins);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(tables_pin(t, &why), 0);
	again = pinned(pins);
	assert_int_equal(info_of(again).id, info_of(table).id);
}

static void what_is_pinned_there_and_is_no_such_table_is_replaced(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, small, 0);
	_cleanup_close_ int stranger =
		bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "stranger", 8, 8, 5000, NULL);
	_cleanup_close_ int table = -1;
	struct problem why = {};
	char path[PATH_MAX];

	(void)state;
	snprintf(path, sizeof(path), "%s/" MOAT_MAP_FLOWS, pins);
	assert_int_equal(bpf_obj_pin(stranger, path), 0);
	assert_int_equal(tables_set_flows(t, 5000, &clients, &why), 0);
	table = pinned(pins);
	assert_int_equal(info_of(table).key_size, sizeof(struct moat_flow_key));
	assert_int_equal(info_of(table).id, in_slot(t));
}

static void a_table_that_cannot_be_had_leaves_none(void **state)
{
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, small, 5000);
	struct problem why = {};

	(void)state;
	assert_true(tables_set_flows(t, UINT32_MAX, &clients, &why) < 0);
	assert_non_null(strstr(why.text, "entries: cannot be made"));
	assert_int_equal(in_slot(t), 0);
	assert_int_equal(tables_flows(t), 0);
}

static void the_memory_foretold_is_within_a_quarter_of_what_the_kernel_takes(void **state)
{
	static const uint32_t sizes[] = { 1024, 262144 };
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, small, 0);
	struct problem why = {};

	(void)state;
	if (!fixture_memory_is_true())
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t foretold = tables_flows_memory(sizes[i]), taken = 0;
		int table;

		assert_int_equal(tables_set_flows(t, sizes[i], &clients, &why), 0);
		table = pinned(pins);
		taken = fixture_memory(table);
		close(table);
		print_message("%u flows: foretold %lu, taken %lu bytes\n", sizes[i],
			      (unsigned long)foretold, (unsigned long)taken);
		assert_true(foretold >= taken - taken / 4 && foretold <= taken + taken / 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_of_the_size_asked_for_pinned_and_in_its_slot),
		cmocka_unit_test(flows_outlive_a_restart_also_with_another_capacity),
		cmocka_unit_test(another_size_is_another_table_under_the_running_programs),
		cmocka_unit_test(without_flows_nothing_is_kept),
		cmocka_unit_test(a_pin_that_somebody_removed_is_made_again),
		cmocka_unit_test(what_is_pinned_there_and_is_no_such_table_is_replaced),
		cmocka_unit_test(a_table_that_cannot_be_had_leaves_none),
		cmocka_unit_test(the_memory_foretold_is_within_a_quarter_of_what_the_kernel_takes),
	};

	program_init_log();
	return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
