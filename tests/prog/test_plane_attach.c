/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching to interfaces of a network namespace of this process, and what may
 * be in the way. Needs root.
 */
#include "tests/prog/cmocka.h"

#include <linux/if_link.h>
#include <net/if.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "plane/program.h"
#include "plane/tables.h"
#include "tests/prog/plane_fixture.h"

#define LISTED "192.0.2.1"

struct world {
	const char *pins;
	struct tables *t;
	struct program *p;
	struct attachment now;
	struct problem why;
};

#define IFACE "mt0"
#define PEER  "mt1"

static void load(struct world *w, const char *iface)
{
	int r = program_load(w->t, w->pins, iface, &w->p, &w->why);

	if (r)
		print_error("%s\n", w->why.text);
	assert_int_equal(r, 0);
	program_set_iface(w->p, true, 0);
}

static int enter_world(void **state)
{
	static struct world w;

	w = (struct world){ .pins = fixture_pins() };
	w.t = fixture_tables(w.pins);
	fixture_veth(IFACE, PEER);
	load(&w, IFACE);
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

static void attach(struct world *w, enum config_mode mode)
{
	int r = program_attach(w->p, mode, &w->why);

	if (r || w->why.text[0])
		print_message("%s\n", w->why.text);
	assert_int_equal(r, 0);
	assert_int_equal(program_check(w->p, &w->now, &w->why), 0);
}

static uint32_t xdp_program_of(const char *iface)
{
	uint32_t id = 0;

	bpf_xdp_query_id((int)if_nametoindex(iface), 0, &id);
	return id;
}

/* The id of the pinned link of an interface, 0 without. */
static uint32_t pinned_link(const struct world *w, const char *name)
{
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;
	char path[512];

	snprintf(path, sizeof(path), "%s/if/%s/link", w->pins, name);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return 0;
	return info.id;
}

/* ---- attaching ---- */

static void attaching_is_native_pinned_and_with_the_tc_program(void **state)
{
	struct world *w = *state;

	assert_int_equal(program_check(w->p, &w->now, &w->why), -ENOLINK);
	attach(w, CONFIG_AUTO);
	assert_int_equal(w->now.mode, ATTACH_NATIVE);
	assert_false(w->now.fallback);
	assert_true(w->now.tc);
	assert_int_equal(w->now.ifindex, if_nametoindex(IFACE));
	assert_int_equal(w->now.program, xdp_program_of(IFACE));
	assert_true(program_same(w->p, w->now.program));
	assert_int_not_equal(pinned_link(w, IFACE), 0);
}

static bool dropped_one(void *arg)
{
	static struct moat_stats cell[MOAT_CELLS];
	uint32_t at = moat_cell(MOAT_IPV4, MOAT_VERDICT_DROP, MOAT_LISTED, CATEGORY_DROP);

	return !program_stats(arg, cell) && cell[at].packets == 1 && cell[at].bytes == 42;
}

static void send_listed(struct world *w)
{
	uint8_t frame[128];
	uint32_t size = fixture_frame(frame, LISTED);

	fixture_list(w->t, LISTED, CATEGORY_DROP);
	fixture_send(PEER, frame, size);
}

static void a_packet_from_the_wire_is_counted_by_its_interface(void **state)
{
	struct world *w = *state;

	attach(w, CONFIG_AUTO);
	send_listed(w);
	assert_true(fixture_wait(dropped_one, w->p));
}

static void an_interface_with_jumbo_frames_is_attached_native(void **state)
{
	struct world *w = *state;

	if (!program_features()->frags) {
		print_message("skipped: this kernel has no multi-buffer XDP\n");
		skip();
	}
	assert_int_equal(fixture_run("ip", "link", "set", IFACE, "mtu", "9000", NULL), 0);
	assert_int_equal(fixture_run("ip", "link", "set", PEER, "mtu", "9000", NULL), 0);
	attach(w, CONFIG_NATIVE);
	assert_int_equal(w->now.mode, ATTACH_NATIVE);
}

static void a_restart_updates_the_link_in_place_and_keeps_the_counters(void **state)
{
	struct world *w = *state;
	uint32_t link, program;

	attach(w, CONFIG_AUTO);
	send_listed(w);
	assert_true(fixture_wait(dropped_one, w->p));
	link = pinned_link(w, IFACE);
	program = w->now.program;
	w->p = program_free(w->p);
	assert_int_equal(xdp_program_of(IFACE), program); /* nobody holds it but the pin */

	load(w, IFACE);
	attach(w, CONFIG_AUTO);
	assert_int_equal(pinned_link(w, IFACE), link);
	assert_int_not_equal(w->now.program, program);
	assert_int_equal(xdp_program_of(IFACE), w->now.program);
	assert_true(dropped_one(w->p));
}

static void attaching_twice_changes_nothing(void **state)
{
	struct world *w = *state;
	uint32_t link;

	attach(w, CONFIG_AUTO);
	link = pinned_link(w, IFACE);
	attach(w, CONFIG_AUTO);
	assert_int_equal(pinned_link(w, IFACE), link);
	assert_true(w->now.tc);
}

static void generic_mode_is_used_when_asked_for_and_kept_by_auto(void **state)
{
	struct world *w = *state;

	attach(w, CONFIG_GENERIC);
	assert_int_equal(w->now.mode, ATTACH_GENERIC);
	assert_false(w->now.fallback);
	attach(w, CONFIG_AUTO);
	assert_int_equal(w->now.mode, ATTACH_GENERIC);
}

static void a_change_of_mode_says_that_it_left_a_gap(void **state)
{
	struct world *w = *state;

	attach(w, CONFIG_GENERIC);
	assert_int_equal(program_attach(w->p, CONFIG_NATIVE, &w->why), 0);
	assert_non_null(strstr(w->why.text, "changed from generic to native"));
	assert_int_equal(program_check(w->p, &w->now, &w->why), 0);
	assert_int_equal(w->now.mode, ATTACH_NATIVE);
	assert_int_not_equal(pinned_link(w, IFACE), 0);
}

static void auto_falls_back_to_generic_and_reports_it(void **state)
{
	struct world *w = *state;

	w->p = program_free(w->p);
	load(w, "lo"); /* its driver has no native XDP */
	assert_int_equal(program_attach(w->p, CONFIG_NATIVE, &w->why), -EOPNOTSUPP);
	assert_int_equal(program_attach(w->p, CONFIG_AUTO, &w->why), 0);
	assert_non_null(strstr(w->why.text, "using generic"));
	assert_int_equal(program_check(w->p, &w->now, &w->why), 0);
	assert_int_equal(w->now.mode, ATTACH_GENERIC);
	assert_true(w->now.fallback);

	/* Native is refused: what was in force comes back. */
	assert_int_equal(program_attach(w->p, CONFIG_NATIVE, &w->why), 0);
	assert_non_null(strstr(w->why.text, "stays generic"));
	assert_int_equal(program_check(w->p, &w->now, &w->why), 0);
	assert_int_equal(program_detach(w->pins, "lo", &w->why), 0);
}

static void a_foreign_program_is_named_and_left_alone(void **state)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_cleanup_close_ int stranger =
		bpf_prog_load(BPF_PROG_TYPE_XDP, "stranger", "GPL", pass, ARRAY_SIZE(pass), NULL);
	static const uint32_t modes[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
	struct world *w = *state;

	assert_true(stranger >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		uint32_t program;

		assert_int_equal(bpf_xdp_attach((int)if_nametoindex(IFACE), stranger, modes[i],
						NULL),
				 0);
		program = xdp_program_of(IFACE);
		for (enum config_mode mode = CONFIG_AUTO; mode <= CONFIG_GENERIC; mode++) {
			assert_int_equal(program_attach(w->p, mode, &w->why), -EEXIST);
			assert_non_null(strstr(w->why.text, "XDP program 'stranger' (id "));
			assert_int_equal(xdp_program_of(IFACE), program);
		}
		assert_int_equal(program_check(w->p, &w->now, &w->why), -ENOLINK);
		assert_int_equal(bpf_xdp_detach((int)if_nametoindex(IFACE), modes[i], NULL), 0);
	}
	attach(w, CONFIG_AUTO);
}

static void an_interface_that_is_not_there_is_said_to_be_missing(void **state)
{
	struct world *w = *state;

	w->p = program_free(w->p);
	load(w, "mtnone");
	assert_int_equal(program_attach(w->p, CONFIG_AUTO, &w->why), -ENODEV);
	assert_non_null(strstr(w->why.text, "'mtnone': does not exist"));
	assert_int_equal(program_check(w->p, &w->now, &w->why), -ENOLINK);
}

static void an_interface_that_was_made_again_is_attached_anew(void **state)
{
	struct world *w = *state;
	uint32_t link;

	attach(w, CONFIG_AUTO);
	link = pinned_link(w, IFACE);
	assert_int_equal(fixture_run("ip", "link", "del", IFACE, NULL), 0);
	assert_int_equal(program_check(w->p, &w->now, &w->why), -ENOLINK);
	fixture_veth(IFACE, PEER);
	assert_int_equal(program_check(w->p, &w->now, &w->why), -ENOLINK);
	attach(w, CONFIG_AUTO);
	assert_int_equal(w->now.ifindex, if_nametoindex(IFACE));
	assert_int_not_equal(pinned_link(w, IFACE), link);
	send_listed(w);
	assert_true(fixture_wait(dropped_one, w->p));
}

static void a_pinned_filter_that_is_in_force_on_a_renamed_interface_is_left_alone(void **state)
{
	struct world *w = *state;

	attach(w, CONFIG_AUTO);
	assert_int_equal(fixture_run("ip", "link", "set", IFACE, "down", NULL), 0);
	assert_int_equal(fixture_run("ip", "link", "set", IFACE, "name", "mtold", NULL), 0);
	fixture_veth(IFACE, "mt2");
	assert_int_equal(program_attach(w->p, CONFIG_AUTO, &w->why), -EEXIST);
	assert_non_null(strstr(w->why.text, "filters another interface"));
	assert_int_not_equal(xdp_program_of("mtold"), 0);
	assert_int_equal(xdp_program_of(IFACE), 0);

	assert_int_equal(program_detach(w->pins, IFACE, &w->why), 0);
	assert_int_equal(xdp_program_of("mtold"), 0);
	attach(w, CONFIG_AUTO);
	assert_int_equal(fixture_run("ip", "link", "del", "mtold", NULL), 0);
}

static void a_link_whose_pin_was_removed_is_pinned_again(void **state)
{
	struct world *w = *state;
	char path[512];
	uint32_t link;

	attach(w, CONFIG_AUTO);
	link = pinned_link(w, IFACE);
	snprintf(path, sizeof(path), "%s/if/%s/link", w->pins, IFACE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(program_check(w->p, &w->now, &w->why), -ENOLINK);
	assert_non_null(strstr(w->why.text, "its pins in"));
	attach(w, CONFIG_AUTO);
	assert_int_equal(pinned_link(w, IFACE), link);
}

/* ---- the way out ---- */

/* The line of tc about moat's filter on a hook. */
static bool has_filter(const char *hook, const char *program)
{
	return !fixture_run("sh", "-c", "tc filter show dev " IFACE " \"$0\" | grep -q \"$1\"",
			    hook, program, NULL);
}

static void the_egress_program_comes_and_goes_with_replies(void **state)
{
	struct moat_iface iface;
	struct world *w = *state;

	attach(w, CONFIG_AUTO);
	assert_false(w->now.replies);
	program_set_replies(w->p, true);
	program_get_iface(w->p, &iface);
	assert_int_equal(iface.replies, 1);
	attach(w, CONFIG_AUTO);
	assert_true(w->now.replies && w->now.tc);
	assert_true(has_filter("egress", "moat_egress"));
	program_set_replies(w->p, false);
	attach(w, CONFIG_AUTO);
	assert_false(w->now.replies);
	assert_true(w->now.tc);
	assert_false(has_filter("egress", "moat"));
	assert_true(has_filter("ingress", "moat_mark"));
}

static void detaching_takes_the_egress_program_off(void **state)
{
	struct world *w = *state;

	program_set_replies(w->p, true);
	attach(w, CONFIG_AUTO);
	assert_int_equal(program_detach(w->pins, IFACE, &w->why), 0);
	assert_false(has_filter("egress", "moat"));
	/* The clsact is gone as well. */
	assert_int_equal(fixture_run("tc", "qdisc", "add", "dev", IFACE, "clsact", NULL), 0);
}

static void a_filter_in_the_way_out_is_said_and_nothing_else_suffers(void **state)
{
	struct world *w = *state;

	assert_int_equal(fixture_run("tc", "qdisc", "add", "dev", IFACE, "clsact", NULL), 0);
	assert_int_equal(fixture_run("tc", "filter", "add", "dev", IFACE, "egress", "prio", "1",
				     "protocol", "all", "u32", "match", "u32", "0", "0", NULL),
			 0);
	program_set_replies(w->p, true);
	assert_int_equal(program_attach(w->p, CONFIG_AUTO, &w->why), 0);
	assert_non_null(strstr(w->why.text, "replies are judged like any packet"));
	assert_int_equal(program_check(w->p, &w->now, &w->why), 0);
	assert_true(w->now.tc);
	assert_false(w->now.replies);
	assert_true(has_filter("egress", "u32"));
}

/* ---- detaching ---- */

static void detaching_removes_link_filter_and_pins_and_leaves_the_tables(void **state)
{
	struct world *w = *state;
	char path[512];

	attach(w, CONFIG_AUTO);
	assert_int_equal(tables_pin(w->t, &w->why), 0);
	assert_int_equal(program_detach(w->pins, IFACE, &w->why), 0);
	assert_int_equal(xdp_program_of(IFACE), 0);
	assert_int_equal(program_check(w->p, &w->now, &w->why), -ENOLINK);
	snprintf(path, sizeof(path), "%s/if", w->pins);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/%s", w->pins, MOAT_MAP_SOURCE4);
	assert_int_equal(access(path, F_OK), 0);
	/* The clsact had nothing else in it, so it can be made. */
	assert_int_equal(fixture_run("tc", "qdisc", "add", "dev", IFACE, "clsact", NULL), 0);
	assert_int_equal(program_detach(w->pins, IFACE, &w->why), -ENOENT);
	attach(w, CONFIG_AUTO);
}

static void detaching_leaves_the_clsact_to_the_filters_of_others(void **state)
{
	struct world *w = *state;

	assert_int_equal(fixture_run("tc", "qdisc", "add", "dev", IFACE, "clsact", NULL), 0);
	assert_int_equal(fixture_run("tc", "filter", "add", "dev", IFACE, "egress", "prio", "7",
				     "protocol", "ip", "u32", "match", "u32", "0", "0", NULL),
			 0);
	attach(w, CONFIG_AUTO);
	assert_int_equal(program_detach(w->pins, IFACE, &w->why), 0);
	assert_int_equal(fixture_run("tc", "filter", "del", "dev", IFACE, "egress", "prio", "7",
				     NULL),
			 0);
}

static void another_kind_of_tc_filter_in_the_way_does_not_stop_the_filter(void **state)
{
	struct world *w = *state;

	assert_int_equal(fixture_run("tc", "qdisc", "add", "dev", IFACE, "clsact", NULL), 0);
	assert_int_equal(fixture_run("tc", "filter", "add", "dev", IFACE, "ingress", "prio", "1",
				     "protocol", "all", "u32", "match", "u32", "0", "0", NULL),
			 0);
	assert_int_equal(program_attach(w->p, CONFIG_AUTO, &w->why), 0);
	assert_non_null(strstr(w->why.text, "packets will not be marked"));
	assert_int_equal(program_check(w->p, &w->now, &w->why), 0);
	assert_int_equal(w->now.mode, ATTACH_NATIVE);
	assert_false(w->now.tc);
}

static int collect(void *arg, const char *iface)
{
	char *names = arg;

	strncat(names, iface, 64);
	strncat(names, " ", 64);
	return 0;
}

static void a_name_with_dots_is_pinned_and_found_again(void **state)
{
	struct world *w = *state;
	char names[256] = "";

	assert_int_equal(program_each_pinned(w->pins, collect, names), 0);
	assert_string_equal(names, "");
	w->p = program_free(w->p);
	fixture_veth("mt.100", "mt3");
	load(w, "mt.100");
	attach(w, CONFIG_AUTO);
	assert_int_equal(program_each_pinned(w->pins, collect, names), 0);
	assert_string_equal(names, "mt.100 ");
	assert_int_not_equal(pinned_link(w, "mt%2e100"), 0);
	assert_int_equal(program_detach(w->pins, "mt.100", &w->why), 0);
	assert_int_equal(fixture_run("ip", "link", "del", "mt.100", NULL), 0);
}

static void all_counters_are_read_fast_enough_for_a_scrape(void **state)
{
	enum { ROUNDS = 20 };
	static struct moat_stats cell[MOAT_CELLS];
	struct world *w = *state;
	double from = fixture_now(), each;

	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(program_stats(w->p, cell), 0);
	each = (fixture_now() - from) / ROUNDS;
	print_message("all %d counters: %.1f ms\n", MOAT_CELLS, each * 1e3);
	assert_true(each < 0.1);
}

#define on_interface(test) cmocka_unit_test_setup_teardown(test, enter_world, leave_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_interface(attaching_is_native_pinned_and_with_the_tc_program),
		on_interface(a_packet_from_the_wire_is_counted_by_its_interface),
		on_interface(an_interface_with_jumbo_frames_is_attached_native),
		on_interface(a_restart_updates_the_link_in_place_and_keeps_the_counters),
		on_interface(attaching_twice_changes_nothing),
		on_interface(generic_mode_is_used_when_asked_for_and_kept_by_auto),
		on_interface(a_change_of_mode_says_that_it_left_a_gap),
		on_interface(auto_falls_back_to_generic_and_reports_it),
		on_interface(a_foreign_program_is_named_and_left_alone),
		on_interface(an_interface_that_is_not_there_is_said_to_be_missing),
		on_interface(an_interface_that_was_made_again_is_attached_anew),
		on_interface(a_pinned_filter_that_is_in_force_on_a_renamed_interface_is_left_alone),
		on_interface(a_link_whose_pin_was_removed_is_pinned_again),
		on_interface(the_egress_program_comes_and_goes_with_replies),
		on_interface(detaching_takes_the_egress_program_off),
		on_interface(a_filter_in_the_way_out_is_said_and_nothing_else_suffers),
		on_interface(detaching_removes_link_filter_and_pins_and_leaves_the_tables),
		on_interface(detaching_leaves_the_clsact_to_the_filters_of_others),
		on_interface(another_kind_of_tc_filter_in_the_way_does_not_stop_the_filter),
		on_interface(a_name_with_dots_is_pinned_and_found_again),
		on_interface(all_counters_are_read_fast_enough_for_a_scrape),
	};

	program_init_log();
	return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
