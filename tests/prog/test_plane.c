/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared maps on the real kernel: pins, batches, banks. Needs root.
 */
#include "tests/prog/cmocka.h"

#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

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

static struct moat_key6 host6(uint32_t number)
{
	return (struct moat_key6){ .len = 128, .addr = { 1, 2, 3, number } };
}

static struct prefix host(uint32_t number)
{
	struct moat_key4 key = host4(number);

	return prefix_from_key4(&key);
}

/* ---- the pins directory ---- */

static void a_directory_on_no_bpf_file_system_gets_one_and_it_says_so(void **state)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	char dir[PATH_MAX];
	struct problem why;

	(void)state;
	snprintf(dir, sizeof(dir), "%s/elsewhere/pins", fixture_dir());
	assert_int_equal(tables_open(dir, small, &t, &why), 0);
	assert_non_null(strstr(why.text, "mounted a BPF file system on"));
	assert_int_equal(tables_pin(t, &why), 0);
	tables_freep(&t);

	assert_int_equal(tables_open(dir, small, &t, &why), 0);
	assert_string_equal(why.text, "");
	assert_true(tables_adopted(t, MOAT_IPV4));
	assert_int_equal(umount(dir), 0);
}

static void a_directory_with_files_is_not_mounted_over(void **state)
{
	struct tables *t = NULL;
	struct problem why;

	(void)state;
	assert_int_equal(tables_open(fixture_dir(), small, &t, &why), -ENOTSUP);
	assert_non_null(strstr(why.text, "mount -t bpf bpf /sys/fs/bpf"));
	assert_null(t);
}

static void the_pins_are_for_the_owner_alone(void **state)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	const char *pins = fixture_pins();
	struct stat st;

	(void)state;
	t = open_tables(pins, small);
	assert_non_null(t);
	assert_int_equal(stat(pins, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

/* ---- adopting ---- */

static void pinned_tables_are_adopted_with_what_they_hold(void **state)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	struct moat_source value = { .class = 7, .expires = 9 };
	const char *pins = fixture_pins();
	struct moat_key4 key = host4(1);
	struct prefix source = host(1);
	struct problem why;
	int16_t done;

	(void)state;
	t = open_tables(pins, small);
	assert_false(tables_adopted(t, MOAT_IPV4));
	assert_int_equal(tables_put4(t, &key, &value, 1, &done), 0);
	assert_int_equal(tables_set_name(t, 3, "botnet"), 0);
	assert_int_equal(tables_pin(t, &why), 0);
	tables_freep(&t);

	t = open_tables(pins, small);
	assert_true(tables_adopted(t, MOAT_IPV4));
	assert_true(tables_adopted(t, MOAT_IPV6));
	memset(&value, 0, sizeof(value));
	assert_int_equal(tables_get(t, &source, &value), 0);
	assert_int_equal(value.class, 7);
	assert_int_equal(value.expires, 9);
}

static void tables_that_were_never_pinned_leave_nothing(void **state)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	const char *pins = fixture_pins();

	(void)state;
	t = open_tables(pins, small);
	tables_freep(&t);
	t = open_tables(pins, small);
	assert_false(tables_adopted(t, MOAT_IPV4));
}

static void a_set_of_pins_with_one_missing_is_made_anew(void **state)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	const char *pins = fixture_pins();
	char path[PATH_MAX];
	struct problem why;

	(void)state;
	t = open_tables(pins, small);
	assert_int_equal(tables_pin(t, &why), 0);
	tables_freep(&t);
	snprintf(path, sizeof(path), "%s/%s", pins, MOAT_MAP_CLASSES);
	assert_int_equal(unlink(path), 0);

	t = open_tables(pins, small);
	assert_false(tables_adopted(t, MOAT_IPV4));
	assert_int_equal(tables_pin(t, &why), 0);
	assert_int_equal(access(path, F_OK), 0);
}

static void tables_whose_directory_was_removed_are_pinned_again(void **state)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	const char *pins = fixture_pins();
	struct problem why;

	(void)state;
	t = open_tables(pins, small);
	assert_int_equal(tables_pin(t, &why), 0);
	assert_int_equal(fixture_run("rm", "-r", pins, NULL), 0);
	assert_int_equal(tables_pin(t, &why), 0);
	tables_freep(&t);
	t = open_tables(pins, small);
	assert_true(tables_adopted(t, MOAT_IPV4));
}

static void pins_of_another_abi_are_refused_and_it_says_what_to_do(void **state)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	struct moat_control control = { .abi = MOAT_ABI + 41 };
	const char *pins = fixture_pins();
	struct problem why;
	uint32_t zero = 0;
	char says[64];

	(void)state;
	snprintf(says, sizeof(says), "another version of moat (ABI %d, this one is %d)",
		 MOAT_ABI + 41, MOAT_ABI);
	t = open_tables(pins, small);
	assert_int_equal(tables_pin(t, &why), 0);
	assert_int_equal(bpf_map_update_elem(tables_fd(t, MOAT_MAP_CONTROL), &zero, &control,
					     BPF_ANY),
			 0);
	tables_freep(&t);

	assert_int_equal(tables_open(pins, small, &t, &why), -EPROTO);
	assert_non_null(strstr(why.text, says));
	assert_non_null(strstr(why.text, "moatctl detach"));
	assert_null(t);
}

static uint32_t pinned_id(const char *pins, const char *name)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", pins, name);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info.id;
}

static void another_capacity_makes_new_maps_and_the_pinned_ones_stay_until_pinned(void **state)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	const uint32_t larger[2] = { 200, 50 };
	const char *pins = fixture_pins();
	struct problem why;
	uint32_t id;

	(void)state;
	t = open_tables(pins, small);
	tables_pause(t, 12345);
	assert_int_equal(tables_pin(t, &why), 0);
	tables_freep(&t);
	id = pinned_id(pins, MOAT_MAP_SOURCE4);

	t = open_tables(pins, larger);
	assert_false(tables_adopted(t, MOAT_IPV4));
	assert_int_equal(tables_phases(t), 251);
	assert_int_equal(tables_paused_until(t), 12345);
	assert_int_equal(pinned_id(pins, MOAT_MAP_SOURCE4), id);
	assert_int_equal(tables_pin(t, &why), 0);
	assert_int_not_equal(pinned_id(pins, MOAT_MAP_SOURCE4), id);
	tables_freep(&t);
	t = open_tables(pins, larger);
	assert_true(tables_adopted(t, MOAT_IPV4));
}

/* ---- sources ---- */

static int count_sources(void *arg, const struct prefix *source, const struct moat_source *value)
{
	uint64_t *sum = arg;

	assert_int_equal(source->len, prefix_max(source->family));
	sum[0]++;
	sum[1] += value->class;
	return 0;
}

static void sources_of_both_families_are_written_read_and_deleted_in_batches(void **state)
{
	enum { COUNT = 40 };
	_cleanup_(tables_freep) struct tables *t = open_tables(fixture_pins(), small);
	struct moat_source values[COUNT] = {};
	struct moat_key4 four[COUNT];
	struct moat_key6 six[COUNT];
	int16_t done[COUNT];

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		four[i] = host4(i);
		six[i] = host6(i);
		values[i].class = i;
	}
	assert_int_equal(tables_put4(t, four, values, COUNT, done), 0);
	assert_int_equal(tables_put6(t, six, values, COUNT, done), 0);
	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		uint64_t sum[2] = {};

		assert_int_equal(tables_each(t, (uint8_t)family, count_sources, sum), 0);
		assert_int_equal(sum[0], COUNT);
		assert_int_equal(sum[1], COUNT * (COUNT - 1) / 2);
	}
	assert_int_equal(tables_delete4(t, four, COUNT / 2), 0);
	assert_int_equal(tables_delete4(t, four, COUNT), 0); /* half of them are gone already */
	assert_int_equal(tables_delete6(t, six, COUNT), 0);
	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		uint64_t sum[2] = {};

		assert_int_equal(tables_each(t, (uint8_t)family, count_sources, sum), 0);
		assert_int_equal(sum[0], 0);
	}
}

static void assert_sources(struct tables *t, uint64_t count)
{
	uint64_t sum[2] = {};

	assert_int_equal(tables_each(t, MOAT_IPV4, count_sources, sum), 0);
	assert_int_equal(sum[0], count);
	assert_int_equal(sum[1], count * (count - 1) / 2);
}

/* Whoever opens the tables next fills a sieve from them. */
static void reopen(const char *pins, struct tables **t)
{
	struct problem why;

	assert_int_equal(tables_pin(*t, &why), 0);
	tables_freep(t);
	*t = open_tables(pins, small);
}

static void what_filled_the_sieve_is_told_once_and_as_it_is_now(void **state)
{
	enum { COUNT = 90 };
	const char *pins = fixture_pins();
	_cleanup_(tables_freep) struct tables *t = open_tables(pins, small);
	struct moat_source values[COUNT] = {};
	struct moat_key4 four[COUNT];
	int16_t done[COUNT];

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		four[i] = host4(i);
		values[i].class = i;
	}
	assert_int_equal(tables_put4(t, four, values, 50, done), 0);
	reopen(pins, &t);
	assert_sources(t, 50);
	assert_int_equal(tables_put4(t, four + 50, values + 50, 20, done), 0);
	assert_sources(t, 70);
	reopen(pins, &t);
	assert_int_equal(tables_put4(t, four + 70, values + 70, 20, done), 0);
	assert_sources(t, 90);
	reopen(pins, &t);
	assert_int_equal(tables_delete4(t, four + 60, 30), 0);
	assert_sources(t, 60);
}

/* As if the kernel had none; the features are the process's own variable. */
static void without_batches(void (*test)(void **state), void **state)
{
	struct features *features = (struct features *)(uintptr_t)program_features();
	bool batch = features->batch;

	features->batch = false;
	test(state);
	features->batch = batch;
}

static void a_full_map_refuses_new_sources_and_still_updates_old_ones(void **state)
{
	enum { COUNT = 300 };
	_cleanup_(tables_freep) struct tables *t = open_tables(fixture_pins(), small);
	const uint32_t room = small[MOAT_IPV4] + TABLES_SPARE;
	struct moat_source values[COUNT] = {};
	struct moat_key4 keys[COUNT];
	int16_t done[COUNT];

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		/* Each source stands twice, the second time with another class. */
		keys[i] = host4(i / 2);
		values[i].class = i;
	}
	assert_int_equal(tables_put4(t, keys, values, COUNT, done), COUNT - 2 * room);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(done[i], i < 2 * room ? 0 : -ENOSPC);

	/* Last a source that is there: its update must not fall with those before it. */
	for (uint32_t i = 0; i < COUNT; i++)
		keys[i] = host4(1000 + i);
	keys[COUNT - 1] = host4(5);
	assert_int_equal(tables_put4(t, keys, values, COUNT, done), COUNT - 1);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(done[i], i == COUNT - 1 ? 0 : -ENOSPC);
}

static void a_kernel_without_batches_is_served_one_by_one(void **state)
{
	without_batches(sources_of_both_families_are_written_read_and_deleted_in_batches, state);
	without_batches(a_full_map_refuses_new_sources_and_still_updates_old_ones, state);
}

static uint64_t tat_of(const struct tables *t, uint32_t number)
{
	struct moat_source value = {};
	struct prefix source = host(number);

	assert_int_equal(tables_get(t, &source, &value), 0);
	return value.tat;
}

/* As the program does. */
static void set_tat(const struct tables *t, uint32_t number, uint32_t class, uint64_t tat)
{
	struct moat_source value = { .class = class, .tat = tat };
	struct moat_key4 key = host4(number);

	assert_int_equal(bpf_map_update_elem(tables_fd(t, MOAT_MAP_SOURCE4), &key, &value,
					     BPF_F_LOCK),
			 0);
}

static void a_rewritten_source_keeps_the_state_of_its_limit(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	const struct moat_phase later = { .class = CATEGORY_LIMIT };
	struct moat_source values[4] = {
		{ .class = CATEGORY_DROP },
		{ .class = CATEGORY_LIMIT },
		{ .class = CATEGORY_DROP, .next = 1 },
		{ .class = CATEGORY_LIMIT },
	};
	struct moat_key4 keys[4];
	int16_t done[4];

	(void)state;
	assert_int_equal(tables_set_phase(t, 1, &later), 0);
	for (uint32_t i = 0; i < 4; i++)
		keys[i] = host4(i);
	assert_int_equal(tables_put4(t, keys, values, 3, done), 0);
	for (uint32_t i = 0; i < 3; i++)
		set_tat(t, i, CATEGORY_LIMIT, 777 + i);

	assert_int_equal(tables_put4(t, keys, values, 4, done), 0);
	assert_int_equal(tat_of(t, 1), 778); /* limited now */
	assert_int_equal(tat_of(t, 2), 779); /* limited in a later phase */
	assert_int_equal(tat_of(t, 3), 0);   /* new */
}

/* ---- banks ---- */

static struct moat_control control_of(const struct tables *t)
{
	struct moat_control control = {};
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(tables_fd(t, MOAT_MAP_CONTROL), &zero, &control), 0);
	return control;
}

static void prefix_lengths_are_written_to_the_bank_not_in_force(void **state)
{
	_cleanup_(tables_freep) struct tables *t = open_tables(fixture_pins(), small);
	struct moat_lengths lengths = { .count = 2, .at = { { .len = 32 }, { .len = 24 } } };
	struct moat_lengths got;

	(void)state;
	assert_int_equal(tables_set_lengths(t, MOAT_IPV4, &lengths), 0);
	assert_int_equal(control_of(t).lengths_bank[MOAT_IPV4], 1);
	assert_int_equal(control_of(t).lengths_bank[MOAT_IPV6], 0);
	tables_get_lengths(t, MOAT_IPV4, &got);
	assert_memory_equal(&got, &lengths, sizeof(got));

	lengths.count = 1;
	assert_int_equal(tables_set_lengths(t, MOAT_IPV4, &lengths), 0);
	assert_int_equal(control_of(t).lengths_bank[MOAT_IPV4], 0);
	tables_get_lengths(t, MOAT_IPV4, &got);
	assert_int_equal(got.count, 1);
	tables_get_lengths(t, MOAT_IPV6, &got);
	assert_int_equal(got.count, 0);
}

static const struct moat_class *same_class(void *arg, uint32_t number)
{
	return number == 2 ? arg : NULL;
}

static void policies_ports_and_classes_change_together_in_the_other_bank(void **state)
{
	_cleanup_(tables_freep) struct tables *t = open_tables(fixture_pins(), small);
	struct moat_policy policy[MOAT_CATEGORIES] = { [5] = { .action = MOAT_ACTION_TAG,
							       .mark = 9 } };
	struct moat_ports ssh = { .set = { 1ULL << 22 } };
	const struct moat_ports *ports[MOAT_CATEGORIES] = { [5] = &ssh };
	struct moat_class class = { .set = 1ULL << 5, .count = 1, .order = { 5 } };
	uint32_t index = MOAT_POLICY_INDEX(5, 1);
	struct moat_policy got_policy;
	struct moat_class got_class;
	struct moat_ports got_ports;

	(void)state;
	assert_int_equal(tables_set_policies(t, policy, ports, same_class, &class, 3), 0);
	assert_int_equal(control_of(t).policy_bank, 1);
	assert_int_equal(tables_get_policy(t, 5, &got_policy), 0);
	assert_memory_equal(&got_policy, &policy[5], sizeof(got_policy));
	assert_int_equal(tables_get_class(t, 2, &got_class), 0);
	assert_memory_equal(&got_class, &class, sizeof(got_class));
	assert_int_equal(bpf_map_lookup_elem(tables_fd(t, MOAT_MAP_PORTS), &index, &got_ports), 0);
	assert_memory_equal(&got_ports, &ssh, sizeof(ssh));

	/* Without ports, what was in the bank before must not stay. */
	ports[5] = NULL;
	assert_int_equal(tables_set_policies(t, policy, ports, same_class, &class, 3), 0);
	assert_int_equal(tables_set_policies(t, policy, ports, same_class, &class, 3), 0);
	assert_int_equal(bpf_map_lookup_elem(tables_fd(t, MOAT_MAP_PORTS), &index, &got_ports), 0);
	assert_int_equal(got_ports.set[0], 0);
}

static void names_come_back_and_long_ones_are_refused(void **state)
{
	_cleanup_(tables_freep) struct tables *t = open_tables(fixture_pins(), small);
	char name[MOAT_CATEGORY_NAME];

	(void)state;
	assert_int_equal(tables_set_name(t, 4, "scanner"), 0);
	assert_int_equal(tables_get_name(t, 4, name), 0);
	assert_string_equal(name, "scanner");
	assert_int_equal(tables_set_name(t, 4, "a-name-of-thirty-two-characters-"), -EINVAL);
	assert_int_equal(tables_set_name(t, MOAT_CATEGORIES, "x"), -EINVAL);
	assert_int_equal(tables_get_name(t, 5, name), 0);
	assert_string_equal(name, "");
}

static void indices_out_of_range_are_refused(void **state)
{
	_cleanup_(tables_freep) struct tables *t = open_tables(fixture_pins(), small);
	struct moat_class class = {};
	struct moat_phase phase = {};

	(void)state;
	assert_int_equal(tables_set_class(t, MOAT_CLASSES, &class), -EINVAL);
	assert_int_equal(tables_set_phase(t, 0, &phase), -EINVAL);
	assert_int_equal(tables_set_phase(t, tables_phases(t), &phase), -EINVAL);
	assert_int_equal(tables_set_phase(t, tables_phases(t) - 1, &phase), 0);
	assert_int_equal(tables_fd(t, MOAT_MAP_STATS), -ENOENT);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_on_no_bpf_file_system_gets_one_and_it_says_so),
		cmocka_unit_test(a_directory_with_files_is_not_mounted_over),
		cmocka_unit_test(the_pins_are_for_the_owner_alone),
		cmocka_unit_test(pinned_tables_are_adopted_with_what_they_hold),
		cmocka_unit_test(tables_that_were_never_pinned_leave_nothing),
		cmocka_unit_test(a_set_of_pins_with_one_missing_is_made_anew),
		cmocka_unit_test(tables_whose_directory_was_removed_are_pinned_again),
		cmocka_unit_test(pins_of_another_abi_are_refused_and_it_says_what_to_do),
		cmocka_unit_test(
			another_capacity_makes_new_maps_and_the_pinned_ones_stay_until_pinned),
		cmocka_unit_test(sources_of_both_families_are_written_read_and_deleted_in_batches),
		cmocka_unit_test(what_filled_the_sieve_is_told_once_and_as_it_is_now),
		cmocka_unit_test(a_full_map_refuses_new_sources_and_still_updates_old_ones),
		cmocka_unit_test(a_kernel_without_batches_is_served_one_by_one),
		cmocka_unit_test(a_rewritten_source_keeps_the_state_of_its_limit),
		cmocka_unit_test(prefix_lengths_are_written_to_the_bank_not_in_force),
		cmocka_unit_test(policies_ports_and_classes_change_together_in_the_other_bank),
		cmocka_unit_test(names_come_back_and_long_ones_are_refused),
		cmocka_unit_test(indices_out_of_range_are_refused),
	};

	program_init_log();
	return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
