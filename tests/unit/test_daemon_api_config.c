/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET and POST /api/v1/config, confirm, rollback, and what status and metrics
 * say of a configuration that waits.
 */
#include "tests/unit/http_lab.h"

#include "tests/unit/fake_apply.h"

static int setup(void **state)
{
	fake_apply_reset();
	return lab_setup(state);
}

static const json_t *configuration(const struct response *r)
{
	return json_object_get(r->json, "configuration");
}

static void a_configuration_arrives_with_its_time(void **state)
{
	_cleanup_response_ struct response r =
		post(state, "/api/v1/config?confirm=90s", "interfaces: []\n");

	assert_int_equal(r.status, 200);
	assert_string_equal(fake_apply.call, "apply");
	assert_string_equal(fake_apply.text, "interfaces: []\n");
	assert_int_equal(fake_apply.seconds, 90);
	assert_string_equal(fake_apply.actor, "root");
	assert_string_equal(member(configuration(&r), "state"), "confirmed");
}

static void without_a_time_it_is_for_good(void **state)
{
	_cleanup_response_ struct response r = post(state, "/api/v1/config", "x: y\n");

	assert_int_equal(r.status, 200);
	assert_int_equal(fake_apply.seconds, 0);
}

static void a_dry_run_says_what_it_would_do_and_applies_nothing(void **state)
{
	_cleanup_response_ struct response r =
		post(state, "/api/v1/config?confirm=90s&dry_run=1", "x: y\n");
	const json_t *effect = json_object_get(r.json, "effect");

	assert_int_equal(r.status, 200);
	assert_null(fake_apply.call);
	assert_true(json_is_object(effect));
	assert_true(json_is_null(json_object_get(effect, "dropped_more")));
	assert_int_equal(json_integer_value(json_object_get(effect, "passed_samples")), 0);
}

static void bad_requests_reach_nobody(void **state)
{
	static const char *const paths[] = {
		"/api/v1/config?confirm=soon", "/api/v1/config?confirm=",
		"/api/v1/config?confirm=0s",   "/api/v1/config?confirm=25h",
		"/api/v1/config?for=60s",      "/api/v1/config?dry_run=maybe",
	};
	struct response r;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		r = post(state, paths[i], "x: y\n");
		if (r.status != 400)
			fail_msg("%s: %d", paths[i], r.status);
		response_free(&r);
	}
	r = post(state, "/api/v1/config", NULL);
	assert_int_equal(r.status, 400);
	response_free(&r);
	assert_null(fake_apply.call);
}

static void over_tcp_nobody_applies(void **state)
{
	static const char *const paths[] = { "/api/v1/config", "/api/v1/config/confirm",
					     "/api/v1/config/rollback" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct response r = lab_ask(*state, LAB_TCP, "POST", paths[i], "x: y\n");

		assert_true(r.status == 401 || r.status == 403);
		response_free(&r);
	}
	assert_null(fake_apply.call);
}

static void refusals_say_why(void **state)
{
	static const struct {
		int error, status;
	} cases[] = { { -EINVAL, 422 },	 { -EPERM, 409 }, { -EALREADY, 409 },
		      { -ENODATA, 409 }, { -EROFS, 503 }, { -EIO, 503 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct response r;

		fake_apply.error = cases[i].error;
		fake_apply.why = "the reason";
		r = post(state, "/api/v1/config?confirm=60s", "x: y\n");
		assert_int_equal(r.status, cases[i].status);
		assert_non_null(strstr(response_text(&r, "detail"), "the reason"));
		response_free(&r);
	}
}

static void it_is_confirmed_and_rolled_back(void **state)
{
	struct response r = post(state, "/api/v1/config/confirm", NULL);

	assert_int_equal(r.status, 200);
	assert_string_equal(fake_apply.call, "confirm");
	response_free(&r);
	r = post(state, "/api/v1/config/rollback", NULL);
	assert_int_equal(r.status, 200);
	assert_string_equal(fake_apply.call, "rollback");
	response_free(&r);
}

static void an_interface_is_attached_for_a_while_and_confirmed(void **state)
{
	struct response r = post(state, "/api/v1/interfaces/eth0/attach?confirm=60s", NULL);

	assert_int_equal(r.status, 200);
	assert_string_equal(fake_apply.call, "attach");
	assert_string_equal(fake_apply.text, "eth0");
	assert_int_equal(fake_apply.seconds, 60);
	response_free(&r);
	r = post(state, "/api/v1/interfaces/eth0/confirm", NULL);
	assert_int_equal(r.status, 200);
	assert_string_equal(fake_apply.call, "confirm attach");
	response_free(&r);
	fake_apply.error = -ENODATA;
	r = post(state, "/api/v1/interfaces/eth0/confirm", NULL);
	assert_int_equal(r.status, 409);
	response_free(&r);
	r = post(state, "/api/v1/interfaces/eth9/confirm", NULL);
	assert_int_equal(r.status, 404);
	response_free(&r);
	r = post(state, "/api/v1/interfaces/eth0/attach?confirm=soon", NULL);
	assert_int_equal(r.status, 400);
	response_free(&r);
}

static void status_and_metrics_say_how_long_it_lasts(void **state)
{
	struct response r;

	fake_apply.view = (struct apply_view){ .waiting = true,
					       .seconds_left = 41,
					       .until = 1763895641,
					       .actor = "root",
					       .keys = "hits",
					       .applied = 3 };
	r = get(state, "/api/v1/status");
	assert_string_equal(member(configuration(&r), "state"), "unconfirmed");
	assert_int_equal(json_integer_value(json_object_get(configuration(&r), "seconds_left")),
			 41);
	assert_string_equal(member(configuration(&r), "rolls_back_at"), "2025-11-23T11:00:41Z");
	assert_string_equal(member(configuration(&r), "by"), "root");
	assert_string_equal(member(configuration(&r), "changes"), "hits");
	response_free(&r);
	r = get(state, "/metrics");
	assert_non_null(strstr(r.body, "\nmoat_config_unconfirmed 1\n"));
	assert_non_null(strstr(r.body, "\nmoat_config_rollback_seconds 41\n"));
	assert_non_null(strstr(r.body, "\nmoat_config_changes_total{op=\"apply\"} 3\n"));
	response_free(&r);
}

static void the_one_in_force_is_shown_without_secrets(void **state)
{
	static char text[] = "interfaces: [ { name: eth0 } ]\nurl: https://u:pass@h/?k=pass\n";
	struct response r;

	fake.config.text = text;
	fake.config.size = strlen(text);
	r = get(state, "/api/v1/config");
	assert_int_equal(r.status, 200);
	assert_null(strstr(r.body, "pass"));
	assert_string_equal(member(json_object_get(r.json, "settings"), "url"),
			    "https://***@h/?***");
	response_free(&r);
}

#define WITH_LAB(test) cmocka_unit_test_setup_teardown(test, setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LAB(a_configuration_arrives_with_its_time),
		WITH_LAB(without_a_time_it_is_for_good),
		WITH_LAB(a_dry_run_says_what_it_would_do_and_applies_nothing),
		WITH_LAB(bad_requests_reach_nobody),
		WITH_LAB(over_tcp_nobody_applies),
		WITH_LAB(refusals_say_why),
		WITH_LAB(it_is_confirmed_and_rolled_back),
		WITH_LAB(an_interface_is_attached_for_a_while_and_confirmed),
		WITH_LAB(status_and_metrics_say_how_long_it_lasts),
		WITH_LAB(the_one_in_force_is_shown_without_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
