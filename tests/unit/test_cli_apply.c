/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moatctl apply, confirm, rollback: what is asked, and what people read.
 */
#include "tests/unit/cli_lab.h"

#define WAITS                                                                                      \
	"{\"configuration\":{\"path\":\"/etc/moat/moat.yaml\",\"state\":\"unconfirmed\","          \
	"\"seconds_left\":60,\"rolls_back_at\":\"2025-11-23T11:01:00Z\",\"by\":\"root\","          \
	"\"changes\":\"categories.botnet.action\",\"problem\":null}}\n"
#define KEPT                                                                                       \
	"{\"configuration\":{\"path\":\"/etc/moat/moat.yaml\",\"state\":\"confirmed\","            \
	"\"seconds_left\":null,\"rolls_back_at\":null,\"by\":null,\"changes\":null,"               \
	"\"problem\":null}}\n"

static void apply_file(struct lab *lab, const char *options)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[160], line[256];

	snprintf(path, sizeof(path), "%s/moat.yaml", lab->dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("hits: 0\n", f);
	fflush(f);
	snprintf(line, sizeof(line), "apply %s %s", path, options);
	run(lab, line);
	unlink(path);
}

static void apply_sends_the_file_and_says_when_it_ends(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, WAITS);
	apply_file(lab, "--confirm 60s");
	assert_int_equal(lab->code, 0);
	assert_string_equal(lab->step[0].request.data,
			    "POST /api/v1/config?confirm=60s\nhits: 0\n");
	assert_string_equal(lab->out,
			    "unconfirmed, rolls back in 1m: 'moatctl confirm' keeps it, 'moatctl "
			    "rollback' ends it now\n"
			    "  by          root\n"
			    "  changes     categories.botnet.action\n");
	forget(lab);
	script(lab, 200, KEPT);
	apply_file(lab, "");
	assert_string_equal(lab->step[0].request.data, "POST /api/v1/config\nhits: 0\n");
	assert_string_equal(lab->out, "confirmed: what runs is /etc/moat/moat.yaml\n");
}

#define SHARE(share, low, high, category, source)                                                  \
	"{\"share\":" share ",\"at_least\":" low ",\"at_most\":" high                              \
	",\"categories\":[{\"category\":\"" category "\",\"share\":" share "}],\"sources\":["      \
	"{\"source\":\"" source "\",\"share\":" share "}]}"
#define NONE "{\"share\":0,\"at_least\":0,\"at_most\":0.0009,\"categories\":[],\"sources\":[]}"

static void a_dry_run_says_what_it_would_have_done(void **state)
{
	struct lab *lab = *state;

	script(lab, 200,
	       "{\"configuration\":{\"state\":\"confirmed\"},\"effect\":{\"changes\":\"a, b\","
	       "\"seconds\":600,\"passed_samples\":48211,\"dropped_samples\":900,"
	       "\"dropped_more\":" SHARE(
		       "0.0031", "0.0025", "0.0038", "scan",
		       "192.0.2.1") ",\"limited_more\":" NONE ",\"tagged_otherwise\":" NONE
				    ",\"dropped_less\":" SHARE(
					    "0.121", "0.11", "0.13", "spam",
					    "192.0.2.2") ",\"not_judged\":\"region\"}}\n");
	apply_file(lab, "--dry-run");
	assert_int_equal(lab->code, 0);
	assert_string_equal(lab->step[0].request.data, "POST /api/v1/config?dry_run=1\nhits: 0\n");
	assert_string_equal(
		lab->out,
		"good, and not applied\n"
		"  changes     a, b\n"
		"  effect      would have dropped 0.310 % (0.250 % to 0.380 %) of what passed in the "
		"last 10m, 48,211 samples\n"
		"                by scan 0.310 %\n"
		"                first: 192.0.2.1 0.310 %\n"
		"              would have let pass 12.1 % (11.0 % to 13.0 %) of what was dropped, 900 "
		"samples\n"
		"                by spam 12.1 %\n"
		"                first: 192.0.2.2 12.1 %\n"
		"  not judged  region\n");
	forget(lab);
	script(lab, 200,
	       "{\"effect\":{\"changes\":\"a\",\"seconds\":60,\"passed_samples\":300,"
	       "\"dropped_samples\":0,\"dropped_more\":" NONE ",\"limited_more\":" NONE
	       ",\"tagged_otherwise\":" NONE ",\"dropped_less\":null,\"not_judged\":null}}\n");
	apply_file(lab, "-n");
	assert_non_null(
		strstr(lab->out, "  effect      none seen (at most 0.090 %) on what passed"));
	forget(lab);
	script(lab, 200, "{\"effect\":{\"changes\":\"a\",\"dropped_more\":null}}\n");
	apply_file(lab, "-n");
	assert_non_null(strstr(lab->out, "unknown: too little traffic to judge by\n"));
}

static void confirm_and_rollback_ask_for_just_that(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, KEPT);
	run(lab, "confirm");
	assert_int_equal(lab->code, 0);
	assert_string_equal(lab->step[0].request.data, "POST /api/v1/config/confirm\n");
	forget(lab);
	script(lab, 409, "{\"status\":409,\"detail\":\"nothing waits to be confirmed\"}\n");
	run(lab, "rollback");
	assert_int_equal(lab->code, 1);
	assert_string_equal(lab->step[0].request.data, "POST /api/v1/config/rollback\n");
	assert_non_null(strstr(lab->err, "nothing waits"));
}

static void an_interface_is_attached_for_a_while_and_confirmed(void **state)
{
	static const char answer[] =
		"{\"interface\":{\"name\":\"eth0\",\"attached\":true,\"mode\":\"native\","
		"\"enforce\":true,\"problem\":\"unconfirmed\"}}\n";
	struct lab *lab = *state;

	script(lab, 200, answer);
	run(lab, "attach eth0 --confirm 60s");
	assert_int_equal(lab->code, 0);
	assert_string_equal(lab->step[0].request.data,
			    "POST /api/v1/interfaces/eth0/attach?confirm=60s\n");
	assert_non_null(strstr(lab->out, "unconfirmed"));
	forget(lab);
	script(lab, 200, answer);
	run(lab, "confirm eth0");
	assert_string_equal(lab->step[0].request.data, "POST /api/v1/interfaces/eth0/confirm\n");
}

static void a_configuration_that_is_refused_is_exit_code_1(void **state)
{
	struct lab *lab = *state;

	script(lab, 422, "{\"status\":422,\"detail\":\"configuration:3:5: unknown key\"}\n");
	apply_file(lab, "");
	assert_int_equal(lab->code, 1);
	assert_non_null(strstr(lab->err, "configuration:3:5: unknown key"));
}

static void what_cannot_be_meant_asks_nothing(void **state)
{
	static const char *const lines[] = { "apply",
					     "apply /nonexistent/moat.yaml",
					     "apply /etc/passwd --confirm soon",
					     "apply a b",
					     "confirm a b",
					     "confirm a/b",
					     "attach eth0 --confirm soon",
					     "rollback now" };
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		run(lab, lines[i]);
		if (lab->code != 2)
			fail_msg("%s: %d", lines[i], lab->code);
		forget(lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(apply_sends_the_file_and_says_when_it_ends),
		with_lab(a_dry_run_says_what_it_would_have_done),
		with_lab(confirm_and_rollback_ask_for_just_that),
		with_lab(an_interface_is_attached_for_a_while_and_confirmed),
		with_lab(a_configuration_that_is_refused_is_exit_code_1),
		with_lab(what_cannot_be_meant_asks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
