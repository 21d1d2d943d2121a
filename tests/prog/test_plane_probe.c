/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probe instance on the real kernel: what it says of frames. Needs root.
 */
#include "tests/prog/cmocka.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include "plane/program.h"
#include "plane/tables.h"
#include "tests/prog/plane_fixture.h"

#define LISTED "192.0.2.1"
#define CLEAN  "198.51.100.1"

/* ---- probes ---- */

static struct program *load_probe(const struct tables *t)
{
	struct program *p = NULL;
	struct problem why = {};
	int r = program_load_probe(t, &p, &why);

	if (r)
		print_error("%s\n", why.text);
	assert_int_equal(r, 0);
	program_set_iface(p, true, 0);
	return p;
}

static struct outcome probe(struct program *p, const char *source)
{
	struct outcome outcome = {};
	struct problem why = {};
	uint8_t frame[128];
	uint32_t size = fixture_frame(frame, source);
	int r = program_probe(p, frame, &size, sizeof(frame), &outcome, &why);

	if (r)
		print_error("%s\n", why.text);
	assert_int_equal(r, 0);
	return outcome;
}

static void a_probe_of_a_listed_source_is_dropped_for_its_category(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = load_probe(t);
	struct outcome got;

	(void)state;
	fixture_list(t, "192.0.2.0/24", CATEGORY_DROP);
	fixture_list(t, "2001:db8::/32", CATEGORY_DROP);
	got = probe(p, LISTED);
	assert_int_equal(got.xdp, XDP_DROP);
	assert_int_equal(got.verdict, MOAT_VERDICT_DROP);
	assert_int_equal(got.reason, MOAT_LISTED);
	assert_int_equal(got.family, MOAT_IPV4);
	assert_int_equal(got.category, CATEGORY_DROP);
	got = probe(p, "2001:db8::1");
	assert_int_equal(got.reason, MOAT_LISTED);
	assert_int_equal(got.family, MOAT_IPV6);
	got = probe(p, CLEAN);
	assert_int_equal(got.xdp, XDP_PASS);
	assert_int_equal(got.reason, MOAT_CLEAN);
	assert_int_equal(got.family, MOAT_IPV4);
}

static void a_probe_of_a_tagged_source_comes_back_with_mark_and_dscp(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = load_probe(t);
	struct outcome got = {};
	struct problem why;
	uint8_t frame[128];
	uint32_t size = fixture_frame(frame, LISTED);
	const uint32_t sent = size;

	(void)state;
	fixture_list(t, LISTED, CATEGORY_TAG);
	assert_int_equal(program_probe(p, frame, &size, sizeof(frame), &got, &why), 0);
	assert_int_equal(got.reason, MOAT_TAGGED);
	assert_int_equal(got.mark, FIXTURE_MARK);
	assert_int_equal(size, sent);		 /* without the metadata */
	assert_int_equal(frame[14 + 1], 8 << 2); /* behind the Ethernet header */
	assert_int_equal(probe(p, CLEAN).mark, 0);
}

static void where_metadata_is_not_shown_the_mark_is_that_of_the_policy(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = load_probe(t);
	struct features *features = (struct features *)(uintptr_t)program_features();
	bool metadata = features->metadata;

	(void)state;
	fixture_list(t, LISTED, CATEGORY_TAG);
	features->metadata = false;
	assert_int_equal(probe(p, LISTED).mark, FIXTURE_MARK);
	assert_int_equal(probe(p, CLEAN).mark, 0);
	features->metadata = metadata;
}

static void a_kernel_without_multi_buffer_xdp_loads_the_same_object(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	struct features *features = (struct features *)(uintptr_t)program_features();
	bool frags = features->frags;
	_cleanup_(program_freep) struct program *p = NULL;

	(void)state;
	features->frags = false;
	p = load_probe(t);
	features->frags = frags;
	fixture_list(t, LISTED, CATEGORY_DROP);
	assert_int_equal(probe(p, LISTED).reason, MOAT_LISTED);
}

static void a_probe_of_a_limited_source_pays_and_a_rewrite_gives_no_new_burst(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = load_probe(t);

	(void)state;
	fixture_list(t, LISTED, CATEGORY_LIMIT);
	assert_int_equal(probe(p, LISTED).reason, MOAT_WITHIN_LIMIT);
	assert_int_equal(probe(p, LISTED).reason, MOAT_LIMIT);
	fixture_list(t, LISTED, CATEGORY_LIMIT);
	assert_int_equal(probe(p, LISTED).reason, MOAT_LIMIT);
}

static void a_probe_of_a_paused_filter_passes(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = load_probe(t);

	(void)state;
	fixture_list(t, LISTED, CATEGORY_DROP);
	tables_pause(t, MOAT_PAUSE_FOREVER);
	assert_int_equal(probe(p, LISTED).reason, MOAT_PAUSED);
	tables_pause(t, 0);
	assert_int_equal(probe(p, LISTED).reason, MOAT_LISTED);
}

static void a_probe_that_does_not_enforce_only_counts(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = load_probe(t);
	struct moat_iface iface;
	struct outcome got;

	(void)state;
	fixture_list(t, LISTED, CATEGORY_DROP);
	program_set_iface(p, false, 1ULL << MOAT_TRUNCATED);
	got = probe(p, LISTED);
	assert_int_equal(got.verdict, MOAT_VERDICT_MONITOR);
	assert_int_equal(got.reason, MOAT_LISTED);
	assert_int_equal(got.xdp, XDP_PASS);
	program_get_iface(p, &iface);
	assert_int_equal(iface.enforce, 0);
	assert_int_equal(iface.drop_reasons, 1ULL << MOAT_TRUNCATED);
}

static void a_frame_that_cannot_be_run_is_refused_with_a_text(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = load_probe(t);
	uint8_t frame[128] = {};
	struct outcome got;
	struct problem why;
	uint32_t size = 13;

	(void)state;
	assert_int_equal(program_probe(p, frame, &size, sizeof(frame), &got, &why), -EINVAL);
	assert_non_null(strstr(why.text, "13 bytes"));
	size = 14; /* an Ethernet header alone can */
	assert_int_equal(program_probe(p, frame, &size, sizeof(frame), &got, &why), 0);
	assert_int_equal(got.family, MOAT_OTHER);
	assert_int_equal(got.reason, MOAT_NOT_IP);
}

static void a_jumbo_frame_can_be_probed(void **state)
{
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = load_probe(t);
	uint8_t frame[9018] = {};
	uint32_t size = sizeof(frame);
	struct outcome got = {};
	struct problem why;

	(void)state;
	if (!program_features()->frags) {
		print_message("skipped: this kernel has no multi-buffer XDP\n");
		skip();
	}
	fixture_list(t, LISTED, CATEGORY_TAG);
	fixture_frame(frame, LISTED);
	frame[9017] = 0x5a;
	assert_int_equal(program_probe(p, frame, &size, sizeof(frame), &got, &why), 0);
	assert_int_equal(got.reason, MOAT_TAGGED);
	assert_int_equal(got.mark, FIXTURE_MARK);
	assert_int_equal(size, sizeof(frame));
	assert_int_equal(frame[9017], 0x5a);
}

static void a_probe_takes_less_than_three_milliseconds(void **state)
{
	enum { ROUNDS = 500 };
	_cleanup_(tables_freep) struct tables *t = fixture_tables(fixture_pins());
	_cleanup_(program_freep) struct program *p = load_probe(t);
	double from, each;

	(void)state;
	fixture_list(t, LISTED, CATEGORY_DROP);
	from = fixture_now();
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(probe(p, LISTED).reason, MOAT_LISTED);
		assert_int_equal(probe(p, CLEAN).reason, MOAT_CLEAN);
	}
	each = (fixture_now() - from) / ROUNDS / 2;
	print_message("a probe: %.0f us\n", each * 1e6);
	assert_true(each < 0.003);
}

static void a_kernel_without_btf_loads_everything(void **state)
{
	_cleanup_(tables_freep) struct tables *t = NULL;
	_cleanup_(program_freep) struct program *p = NULL;
	char empty[256];

	(void)state;
	snprintf(empty, sizeof(empty), "%s/empty", fixture_dir());
	assert_int_equal(mkdir(empty, 0755), 0);
	if (mount(empty, "/sys/kernel/btf", NULL, MS_BIND, NULL)) {
		print_message("nothing to hide: this kernel has no BTF\n");
		assert_int_equal(errno, ENOENT);
	}
	assert_int_not_equal(access("/sys/kernel/btf/vmlinux", F_OK), 0);
	t = fixture_tables(fixture_pins());
	p = load_probe(t);
	fixture_list(t, LISTED, CATEGORY_DROP);
	assert_int_equal(probe(p, LISTED).reason, MOAT_LISTED);
	umount("/sys/kernel/btf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe_of_a_listed_source_is_dropped_for_its_category),
		cmocka_unit_test(a_probe_of_a_tagged_source_comes_back_with_mark_and_dscp),
		cmocka_unit_test(where_metadata_is_not_shown_the_mark_is_that_of_the_policy),
		cmocka_unit_test(a_kernel_without_multi_buffer_xdp_loads_the_same_object),
		cmocka_unit_test(a_probe_of_a_limited_source_pays_and_a_rewrite_gives_no_new_burst),
		cmocka_unit_test(a_probe_of_a_paused_filter_passes),
		cmocka_unit_test(a_probe_that_does_not_enforce_only_counts),
		cmocka_unit_test(a_frame_that_cannot_be_run_is_refused_with_a_text),
		cmocka_unit_test(a_jumbo_frame_can_be_probed),
		cmocka_unit_test(a_probe_takes_less_than_three_milliseconds),
		cmocka_unit_test(a_kernel_without_btf_loads_everything),
	};

	program_init_log();
	return cmocka_run_group_tests(tests, fixture_enter, fixture_leave);
}
