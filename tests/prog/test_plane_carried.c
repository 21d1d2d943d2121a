/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counters over an upgrade: of the same layout they go on, of another one they
 * are kept and added. Needs root.
 */
#include "tests/prog/cmocka.h"

#include <net/if.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "plane/program.h"
#include "plane/tables.h"
#include "tests/prog/plane_fixture.h"

#define IFACE "mt0"
#define PEER  "mt1"
#define ROWS  (MOAT_FAMILY_MAX * MOAT_VERDICT_MAX)

struct world {
	const char *pins;
	struct tables *t;
	struct program *p;
	struct problem why;
};

static struct moat_stats cell[MOAT_CELLS];

static void load(struct world *w)
{
	w->p = program_free(w->p);
	if (program_load(w->t, w->pins, IFACE, &w->p, &w->why))
		fail_msg("%s", w->why.text);
	program_set_iface(w->p, true, 0);
}

static void attach(struct world *w)
{
	if (program_attach(w->p, CONFIG_AUTO, &w->why))
		fail_msg("%s", w->why.text);
}

static int enter_world(void **state)
{
	static struct world w;

	w = (struct world){ .pins = fixture_pins() };
	w.t = fixture_tables(w.pins);
	fixture_veth(IFACE, PEER);
	*state = &w;
	return 0;
}

static int leave_world(void **state)
{
	struct world *w = *state;

	w->p = program_free(w->p);
	w->t = tables_free(w->t);
	program_detach(w->pins, IFACE, &w->why);
	fixture_run("ip", "link", "del", IFACE, NULL);
	return 0;
}

/* But for what the interfaces say to each other when they come up. */
static uint64_t all_packets(struct world *w)
{
	uint32_t control = moat_cell(MOAT_IPV6, MOAT_VERDICT_PASS, MOAT_CONTROL, 0);
	uint64_t sum = 0;

	assert_int_equal(program_stats(w->p, cell), 0);
	for (size_t i = 0; i < MOAT_CELLS; i++)
		sum += i == control ? 0 : cell[i].packets;
	return sum;
}

/* The cell of a moat that knows so many reasons. */
static uint32_t cell_of(uint32_t reasons, uint32_t family, uint32_t verdict, uint32_t reason,
			uint32_t category)
{
	uint32_t row = family * MOAT_VERDICT_MAX + verdict;

	if (moat_reason_has_category(reason))
		return ROWS * reasons + (row * MOAT_POLICY_REASONS + reason) * MOAT_CATEGORIES +
		       category;
	return row * reasons + reason;
}

/* Pins the counters of a moat with so many reasons in place of what is there. */
static int other_moat(struct world *w, uint32_t reasons)
{
	char path[512];
	int fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, MOAT_MAP_STATS, sizeof(uint32_t),
				sizeof(struct moat_stats), ROWS * reasons + MOAT_POLICY_CELLS,
				NULL);

	assert_true(fd >= 0);
	snprintf(path, sizeof(path), "%s/if/%s/stats", w->pins, IFACE);
	unlink(path);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	return fd;
}

/* Every CPU has counted so many. */
static void count(int fd, uint32_t at, uint64_t packets)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct moat_stats *copies = calloc((size_t)cpus, sizeof(*copies));

	assert_non_null(copies);
	for (int i = 0; i < cpus; i++)
		copies[i] = (struct moat_stats){ .packets = packets, .bytes = packets * 100 };
	assert_int_equal(bpf_map_update_elem(fd, &at, copies, BPF_ANY), 0);
}

static uint64_t cpus(void)
{
	return (uint64_t)libbpf_num_possible_cpus();
}

static void counters_of_a_moat_with_fewer_reasons_are_counted_on(void **state)
{
	const uint32_t reasons = MOAT_REASON_MAX - 1;
	struct world *w = *state;
	uint32_t listed = moat_cell(MOAT_IPV6, MOAT_VERDICT_DROP, MOAT_LISTED, CATEGORY_DROP);
	uint32_t clean = moat_cell(MOAT_IPV4, MOAT_VERDICT_PASS, MOAT_CLEAN, 0);
	int fd;

	load(w);
	attach(w);
	fd = other_moat(w, reasons);
	count(fd, cell_of(reasons, MOAT_IPV6, MOAT_VERDICT_DROP, MOAT_LISTED, CATEGORY_DROP), 7);
	count(fd, cell_of(reasons, MOAT_IPV4, MOAT_VERDICT_PASS, MOAT_CLEAN, 0), 5);
	load(w);
	assert_int_equal(all_packets(w), 12 * cpus()); /* before it takes over */
	attach(w);
	/* The last packet of the program before. */
	count(fd, cell_of(reasons, MOAT_IPV4, MOAT_VERDICT_PASS, MOAT_CLEAN, 0), 6);
	assert_int_equal(all_packets(w), 13 * cpus());
	assert_int_equal(cell[listed].packets, 7 * cpus());
	assert_int_equal(cell[listed].bytes, 700 * cpus());
	assert_int_equal(cell[clean].packets, 6 * cpus());
	close(fd);

	load(w); /* and in every moat from then on */
	attach(w);
	assert_int_equal(all_packets(w), 13 * cpus());
}

static void a_reason_that_is_not_known_here_is_counted_all_the_same(void **state)
{
	const uint32_t reasons = MOAT_REASON_MAX + 2;
	struct world *w = *state;
	uint32_t internal = moat_cell(MOAT_IPV4, MOAT_VERDICT_DROP, MOAT_INTERNAL, 0);
	int fd;

	load(w);
	attach(w);
	fd = other_moat(w, reasons);
	count(fd, cell_of(reasons, MOAT_IPV4, MOAT_VERDICT_DROP, MOAT_REASON_MAX + 1, 0), 3);
	load(w);
	attach(w);
	assert_int_equal(all_packets(w), 3 * cpus());
	assert_int_equal(cell[internal].packets, 3 * cpus());
	close(fd);
}

static void killed_while_it_takes_over_nothing_is_counted_twice(void **state)
{
	struct world *w = *state;
	char from[512], to[512];
	int fd;

	load(w);
	attach(w);
	fd = other_moat(w, MOAT_REASON_MAX - 1);
	count(fd, 0, 9);
	/* As it is between the first pin and the second: both names, one map. */
	snprintf(to, sizeof(to), "%s/if/%s/stats_1", w->pins, IFACE);
	assert_int_equal(bpf_obj_pin(fd, to), 0);
	load(w);
	attach(w);
	assert_int_equal(all_packets(w), 9 * cpus());
	snprintf(from, sizeof(from), "%s/if/%s/stats_2", w->pins, IFACE);
	assert_int_not_equal(access(from, F_OK), 0);
	close(fd);
}

static void several_moats_in_a_row_are_all_counted(void **state)
{
	struct world *w = *state;

	load(w);
	attach(w);
	for (uint32_t i = 1; i <= 3; i++) {
		int fd = other_moat(w, MOAT_REASON_MAX + (i == 2 ? 1 : 0) - (i == 2 ? 0 : i));

		count(fd, 0, i);
		close(fd);
		load(w);
		attach(w);
	}
	assert_int_equal(all_packets(w), 6 * cpus());
}

static void detaching_leaves_no_pin_of_them(void **state)
{
	struct world *w = *state;
	char path[512];
	int fd;

	load(w);
	attach(w);
	fd = other_moat(w, MOAT_REASON_MAX - 1);
	load(w);
	attach(w);
	close(fd);
	assert_int_equal(program_detach(w->pins, IFACE, &w->why), 0);
	snprintf(path, sizeof(path), "%s/if/%s", w->pins, IFACE);
	assert_int_not_equal(access(path, F_OK), 0);
}

#define on_interface(test) cmocka_unit_test_setup_teardown(test, enter_world, leave_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_interface(counters_of_a_moat_with_fewer_reasons_are_counted_on),
		on_interface(a_reason_that_is_not_known_here_is_counted_all_the_same),
		on_interface(killed_while_it_takes_over_nothing_is_counted_twice),
		on_interface(several_moats_in_a_row_are_all_counted),
		on_interface(detaching_leaves_no_pin_of_them),
	};

	program_init_log();
	return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
