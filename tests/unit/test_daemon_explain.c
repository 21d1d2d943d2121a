/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The self-test and explain: model and program agree whatever the rows say,
 * and where they do not, both tell.
 */
#include "daemon/selftest.h"
#include "tests/unit/fake_program.h"
#include "tests/unit/sync_lab.h"

#define CONFIG LAB_CATEGORIES "capacity: { ipv4: 100, ipv6: 100 }\n"

static struct daemon d;

static void start(void)
{
	struct loop *loop = NULL;

	fake_machine = (struct fake_machine){};
	lab_config(CONFIG);
	lab_maps(400, 400, 100);
	lab_restart();
	assert_int_equal(lab_start(), 0);
	assert_int_equal(loop_new(&loop), 0);
	d = (struct daemon){
		.config = lab.config, .tables = lab.tables, .sync = lab.sync, .loop = loop
	};
	assert_int_equal(program_load_probe(lab.tables, &d.probe, &lab.why), 0);
	assert_int_equal(ifaces_new(d.config, d.tables, d.loop, &d.ifaces, &lab.why), 0);
}

static int stop(void **state)
{
	d.ifaces = ifaces_free(d.ifaces);
	d.probe = program_free(d.probe);
	d.loop = loop_free(d.loop);
	return lab_teardown(state);
}

static struct explanation explain(const char *address, uint8_t protocol, int port)
{
	struct explain_query query = { .protocol = protocol, .port = port };
	struct explanation e;

	fake_machine.boot_ns = lab_boot_ns;
	assert_int_equal(prefix_parse(address, &query.address), 0);
	if (daemon_explain(&d, &query, NULL, NULL, &e, &lab.why))
		fail_msg("%s", lab.why.text);
	return e;
}

static bool selftest(void)
{
	fake_machine.boot_ns = lab_boot_ns;
	selftest_run(&d);
	return d.selftest_ok;
}

static void the_self_test_passes_whatever_lists_its_source(void **state)
{
	static const char *const categories[] = { "botnet",  "ssh",	 "scraper",
						  "scanner", "research", "allow" };

	(void)state;
	start();
	assert_true(selftest());
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++) {
		lab_list("198.51.100.0/24", categories[i]);
		lab_list("2001:db8::/32", categories[i]);
		lab_follow();
		if (!selftest())
			fail_msg("%s: %s", categories[i], d.selftest_problem);
		lab_sql("DELETE FROM listing");
		lab_list("198.51.100.255", categories[i]);
		lab_follow();
		if (!selftest())
			fail_msg("%s: %s", categories[i], d.selftest_problem);
		lab_sql("DELETE FROM listing");
	}
}

static void the_self_test_fails_when_the_program_lets_its_packet_through(void **state)
{
	(void)state;
	start();
	fake_machine.probe_is_wrong = true;
	assert_false(selftest());
	assert_non_null(strstr(d.selftest_problem, "198.51.100.255"));
	fake_machine.probe_is_wrong = false;
	assert_true(selftest());
	assert_string_equal(d.selftest_problem, "");
}

static void the_self_test_passes_while_paused(void **state)
{
	(void)state;
	start();
	tables_pause(lab.tables, MOAT_PAUSE_FOREVER);
	assert_true(selftest());
}

static void the_strongest_category_whose_scope_fits_decides(void **state)
{
	struct explanation e;

	(void)state;
	start();
	lab_list("20.0.0.1", "ssh");
	lab_list("20.0.0.0/24", "scanner");
	lab_follow();
	e = explain("20.0.0.1", 6, 22);
	assert_int_equal(e.model_reason, MOAT_LISTED);
	assert_int_equal(e.model_verdict, MOAT_VERDICT_DROP);
	assert_false(e.differ);
	e = explain("20.0.0.1", 6, 80);
	assert_int_equal(e.model_reason, MOAT_TAGGED);
	assert_false(e.differ);
	lab_sql("DELETE FROM listing WHERE category = 'scanner'");
	lab_follow();
	e = explain("20.0.0.1", 17, 53);
	assert_int_equal(e.model_reason, MOAT_OUT_OF_SCOPE);
	assert_false(e.differ);
	e = explain("20.0.0.2", 17, 53);
	assert_int_equal(e.model_reason, MOAT_CLEAN);
	assert_false(e.differ);
}

static void feeds_that_do_not_agree_and_shared_addresses_are_as_the_model_says(void **state)
{
	struct explanation e;

	(void)state;
	start();
	d.ifaces = ifaces_free(d.ifaces);
	config_free(lab.config);
	lab.config = NULL;
	lab_config("categories:\n"
		   "  botnet: { action: drop, k_of: 2 }\n"
		   "  cgnat: { action: shared, mark: 1 }\n");
	assert_int_equal(sync_reload(lab.sync, lab.config, NULL, 0, &lab.why), 0);
	d.config = lab.config;
	assert_int_equal(ifaces_new(d.config, d.tables, d.loop, &d.ifaces, &lab.why), 0);
	lab_sql("INSERT INTO listing (source, category, feed) VALUES"
		" ('20.0.0.1', 'botnet', 'one'), ('20.0.0.0/24', 'cgnat', 'one')");
	lab_follow();
	e = explain("20.0.0.1", 6, 80);
	assert_int_equal(e.model_reason, MOAT_MONITORED);
	assert_false(e.differ);
	e = explain("20.0.0.2", 6, 80);
	assert_int_equal(e.model_reason, MOAT_CLEAN);
	assert_false(e.differ);
	lab_sql("INSERT INTO listing (source, category, feed) VALUES ('20.0.0.1', 'botnet', 'two')");
	lab_follow();
	e = explain("20.0.0.1", 6, 80);
	assert_int_equal(e.model_reason, MOAT_SHARED);
	assert_int_equal(e.model_verdict, MOAT_VERDICT_TAG);
	assert_false(e.differ);
	assert_true(selftest());
}

static void what_the_map_has_no_room_for_differs_and_says_why(void **state)
{
	struct explanation e;

	(void)state;
	start();
	for (int i = 1; i <= 101; i++)
		lab_sql("INSERT INTO listing (source, category) VALUES ('20.0.0.%d', 'botnet')", i);
	lab_follow();
	e = explain("20.0.0.101", 17, 9);
	assert_true(e.listed);
	assert_true(e.differ);
	assert_false(e.in_kernel);
	assert_string_equal(e.refused, gate_cause_text(GATE_MAP_FULL));
	e = explain("20.0.0.1", 17, 9);
	assert_true(e.in_kernel);
	assert_null(e.refused);
	assert_false(e.differ);
}

#define EXPLAIN_TEST(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXPLAIN_TEST(the_self_test_passes_whatever_lists_its_source),
		EXPLAIN_TEST(the_self_test_fails_when_the_program_lets_its_packet_through),
		EXPLAIN_TEST(the_self_test_passes_while_paused),
		EXPLAIN_TEST(the_strongest_category_whose_scope_fits_decides),
		EXPLAIN_TEST(feeds_that_do_not_agree_and_shared_addresses_are_as_the_model_says),
		EXPLAIN_TEST(what_the_map_has_no_room_for_differs_and_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
