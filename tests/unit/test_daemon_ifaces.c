/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which interfaces are attached, and what is said of those that are not; over
 * interfaces that are not there (fake_program.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/ifaces.h"
#include "tests/unit/fake_program.h"

static struct {
	struct loop *loop;
	struct ifaces *ifaces;
	struct config *config;
	struct problem why;
} lab;

static void config(const char *interfaces)
{
	char text[512];
	int size = snprintf(text, sizeof(text), "database: sqlite:///x\ninterfaces: [ %s ]\n",
			    interfaces);
	struct config *next = NULL;

	if (config_parse("test.yaml", text, (size_t)size, &next, &lab.why))
		fail_msg("%s", lab.why.text);
	config_free(lab.config);
	lab.config = next;
}

static void start(const char *interfaces)
{
	lab.ifaces = ifaces_free(lab.ifaces);
	config(interfaces);
	assert_int_equal(ifaces_new(lab.config, NULL, lab.loop, &lab.ifaces, &lab.why), 0);
	ifaces_attach_all(lab.ifaces);
}

static void reload(const char *interfaces)
{
	config(interfaces);
	assert_int_equal(ifaces_reload(lab.ifaces, lab.config, &lab.why), 0);
}

static int setup(void **state)
{
	(void)state;
	fake_machine = (struct fake_machine){};
	fake_interface("eth0")->exists = true;
	return loop_new(&lab.loop);
}

static int teardown(void **state)
{
	(void)state;
	lab.ifaces = ifaces_free(lab.ifaces);
	lab.config = config_free(lab.config);
	lab.loop = loop_free(lab.loop);
	return fake_machine.loaded ? -1 : 0;
}

static bool known(const char *name)
{
	return ifaces_find(lab.ifaces, name) >= 0;
}

static struct iface_view view(const char *name)
{
	struct iface_view view;
	ssize_t at = ifaces_find(lab.ifaces, name);

	assert_true(at >= 0);
	ifaces_view(lab.ifaces, (size_t)at, &view);
	return view;
}

static bool attached(const char *name)
{
	return view(name).attachment.mode != ATTACH_NONE;
}

#define assert_says(name, words) assert_non_null(strstr(view(name).problem ?: "(nothing)", words))

static void an_interface_is_attached_when_it_comes_and_when_it_comes_back(void **state)
{
	(void)state;
	fake_interface("eth0")->exists = false;
	start("{ name: eth0 }");
	assert_false(attached("eth0"));
	assert_says("eth0", "does not exist");
	fake_interface("eth0")->exists = true;
	ifaces_attach_all(lab.ifaces);
	assert_true(attached("eth0"));
	assert_null(view("eth0").problem);
	fake_interface("eth0")->exists = false;
	ifaces_attach_all(lab.ifaces);
	assert_false(attached("eth0"));
	fake_interface("eth0")->exists = true;
	fake_interface("eth0")->on = 0;
	ifaces_attach_all(lab.ifaces);
	assert_true(attached("eth0"));
}

static void what_is_attached_is_not_attached_again(void **state)
{
	(void)state;
	start("{ name: eth0 }");
	assert_int_equal(fake_machine.attaches, 1);
	ifaces_attach_all(lab.ifaces);
	assert_int_equal(fake_machine.attaches, 1);
}

/* The configuration of eth0, with the word for replies. */
static void start_with_replies(const char *replies)
{
	char text[128];

	snprintf(text, sizeof(text), "{ name: eth0 } ]\nreplies: %s\nnever_block: [", replies);
	if (lab.ifaces)
		reload(text);
	else
		start(text);
}

static void replies_are_switched_on_and_off_by_a_reload(void **state)
{
	const struct fake_interface *eth0 = fake_interface("eth0");

	(void)state;
	start_with_replies("judge");
	assert_false(eth0->settings.replies || eth0->noting);
	start_with_replies("pass");
	assert_true(eth0->settings.replies && eth0->noting);
	assert_null(view("eth0").problem);
	start_with_replies("judge");
	assert_false(eth0->settings.replies || eth0->noting);
	assert_true(attached("eth0"));
}

static void replies_that_cannot_be_told_are_said_and_tried_again(void **state)
{
	(void)state;
	fake_interface("eth0")->no_egress = true;
	start_with_replies("pass");
	assert_true(attached("eth0"));
	assert_says("eth0", "replies are judged like any packet");
	fake_interface("eth0")->no_egress = false;
	ifaces_attach_all(lab.ifaces);
	assert_null(view("eth0").problem);
	assert_true(view("eth0").attachment.replies);
}

static void a_foreign_program_is_named_and_waited_for(void **state)
{
	(void)state;
	fake_interface("eth0")->foreign = true;
	start("{ name: eth0 }");
	assert_false(attached("eth0"));
	assert_says("eth0", "'other'");
	fake_interface("eth0")->foreign = false;
	ifaces_attach_all(lab.ifaces);
	assert_true(attached("eth0"));
}

static void a_program_that_cannot_be_loaded_is_tried_again(void **state)
{
	(void)state;
	fake_machine.load_error = -ENOMEM;
	start("{ name: eth0 }");
	assert_says("eth0", "cannot load");
	fake_machine.load_error = 0;
	ifaces_attach_all(lab.ifaces);
	assert_true(attached("eth0"));
}

static void detached_by_hand_stays_off_until_attached_by_hand(void **state)
{
	(void)state;
	start("{ name: eth0 }");
	assert_int_equal(ifaces_detach(lab.ifaces, "eth0", &lab.why), 0);
	ifaces_attach_all(lab.ifaces);
	assert_false(attached("eth0"));
	assert_says("eth0", "moatctl attach");
	assert_int_equal(ifaces_attach(lab.ifaces, "eth0", &lab.why), 0);
	assert_true(attached("eth0"));
	assert_null(view("eth0").problem);
}

static void enforce_and_mode_change_by_reload(void **state)
{
	(void)state;
	start("{ name: eth0 }");
	assert_true(fake_interface("eth0")->settings.enforce);
	reload("{ name: eth0, enforce: false, mode: generic }");
	assert_false(fake_interface("eth0")->settings.enforce);
	assert_int_equal(view("eth0").attachment.mode, ATTACH_GENERIC);
}

static void what_left_the_configuration_filters_on_and_goes_by_hand_without_a_trace(void **state)
{
	(void)state;
	fake_interface("eth1")->exists = true;
	start("{ name: eth0 }, { name: eth1 }");
	reload("{ name: eth0 }");
	assert_true(attached("eth1"));
	assert_says("eth1", "not in the configuration");
	assert_int_equal(ifaces_detach(lab.ifaces, "eth1", &lab.why), 0);
	ifaces_attach_all(lab.ifaces);
	assert_false(known("eth1"));
	assert_int_equal(fake_interface("eth1")->on, 0);
}

static void what_left_the_configuration_and_was_never_there_is_forgotten(void **state)
{
	(void)state;
	start("{ name: eth0 }, { name: nope0 }");
	assert_says("nope0", "does not exist");
	reload("{ name: eth0 }");
	assert_false(known("nope0"));
}

static void a_restart_takes_over_what_is_pinned_before_anything_else_is_attached(void **state)
{
	struct fake_interface *eth1 = fake_interface("eth1");
	uint32_t before;

	(void)state;
	start("{ name: eth0 }");
	before = fake_interface("eth0")->on;
	lab.ifaces = ifaces_free(lab.ifaces);
	eth1->exists = true;

	config("{ name: eth1 }, { name: eth0 }");
	assert_int_equal(ifaces_new(lab.config, NULL, lab.loop, &lab.ifaces, &lab.why), 0);
	ifaces_attach_pinned(lab.ifaces);
	assert_true(attached("eth0"));
	assert_int_not_equal(fake_interface("eth0")->on, before);
	assert_int_equal(eth1->on, 0);
	ifaces_attach_all(lab.ifaces);
	assert_true(attached("eth1"));
}

static void after_a_restart_pins_are_taken_over_with_what_they_say(void **state)
{
	(void)state;
	fake_interface("eth1")->exists = true;
	start("{ name: eth0 }, { name: eth1, enforce: false }");
	start("{ name: eth0 }");
	assert_true(attached("eth1"));
	assert_false(view("eth1").enforce);
	assert_false(fake_interface("eth1")->settings.enforce);
}

static void pins_of_an_interface_that_is_gone_for_good_are_no_trouble(void **state)
{
	(void)state;
	fake_interface("eth1")->exists = true;
	start("{ name: eth0 }, { name: eth1 }");
	fake_interface("eth1")->exists = false;
	start("{ name: eth0 }");
	assert_false(known("eth1"));
	assert_true(attached("eth0"));
}

static void a_missing_tc_program_is_said_and_made_again(void **state)
{
	unsigned int attaches;

	(void)state;
	fake_interface("eth0")->no_tc = true;
	start("{ name: eth0 }");
	assert_true(attached("eth0"));
	assert_says("eth0", "tc program");
	attaches = fake_machine.attaches;
	ifaces_attach_all(lab.ifaces);
	assert_int_equal(fake_machine.attaches, attaches + 1);
	fake_interface("eth0")->no_tc = false;
	ifaces_attach_all(lab.ifaces);
	assert_null(view("eth0").problem);
}

static void an_attach_by_hand_that_fails_leaves_nothing_behind(void **state)
{
	(void)state;
	start("{ name: eth0 }");
	assert_int_equal(ifaces_attach(lab.ifaces, "nope0", &lab.why), -ENODEV);
	assert_false(known("nope0"));
	assert_int_equal(ifaces_detach(lab.ifaces, "nope0", &lab.why), -ENOENT);
}

#define IFACES_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IFACES_TEST(an_interface_is_attached_when_it_comes_and_when_it_comes_back),
		IFACES_TEST(what_is_attached_is_not_attached_again),
		IFACES_TEST(replies_are_switched_on_and_off_by_a_reload),
		IFACES_TEST(replies_that_cannot_be_told_are_said_and_tried_again),
		IFACES_TEST(a_foreign_program_is_named_and_waited_for),
		IFACES_TEST(a_program_that_cannot_be_loaded_is_tried_again),
		IFACES_TEST(detached_by_hand_stays_off_until_attached_by_hand),
		IFACES_TEST(enforce_and_mode_change_by_reload),
		IFACES_TEST(
			what_left_the_configuration_filters_on_and_goes_by_hand_without_a_trace),
		IFACES_TEST(what_left_the_configuration_and_was_never_there_is_forgotten),
		IFACES_TEST(a_restart_takes_over_what_is_pinned_before_anything_else_is_attached),
		IFACES_TEST(after_a_restart_pins_are_taken_over_with_what_they_say),
		IFACES_TEST(pins_of_an_interface_that_is_gone_for_good_are_no_trouble),
		IFACES_TEST(a_missing_tc_program_is_said_and_made_again),
		IFACES_TEST(an_attach_by_hand_that_fails_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
