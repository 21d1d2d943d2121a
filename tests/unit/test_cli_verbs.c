/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moatctl against a daemon that answers from a script: what is asked for what
 * was typed, what is printed, and which exit code comes out.
 */
#include "tests/unit/cli_lab.h"

#include <sys/socket.h>

#define OK_ADDED                                                                                   \
	"{\"added\":1,\"listings\":[{\"source\":\"192.0.2.1\",\"category\":\"botnet\","            \
	"\"state\":\"live\",\"cause\":null}]}\n"
#define NO_LISTINGS "{\"listings\":[],\"cursor\":null}\n"

/* What was asked for what was typed; the answers are empty but well-formed. */
static void what_is_typed_is_what_is_asked(void **state)
{
	static const struct {
		const char *typed, *answer, *asked;
	} verbs[] = {
		{ "status", "{}", "GET /api/v1/status\n" },
		{ "metrics", "x", "GET /metrics\n" },
		{ "add 192.0.2.1 -c botnet", OK_ADDED,
		  "POST /api/v1/listings\n{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}" },
		{ "add -c botnet -t 3d -r spam --ref T-1 --basis law --region DE,FR --confidence 90 "
		  "-f case 192.0.2.1",
		  OK_ADDED,
		  "POST /api/v1/listings\n{\"source\":\"192.0.2.1\",\"category\":\"botnet\","
		  "\"ttl\":\"3d\",\"reason\":\"spam\",\"reference\":\"T-1\",\"basis\":\"law\","
		  "\"region\":\"DE,FR\",\"feed\":\"case\",\"confidence\":90}" },
		{ "add 192.0.2.1 192.0.2.2 -c botnet", OK_ADDED,
		  "POST /api/v1/listings\n[{\"source\":\"192.0.2.1\",\"category\":\"botnet\"},"
		  "{\"source\":\"192.0.2.2\",\"category\":\"botnet\"}]" },
		{ "add 192.0.2.1 -c botnet --skip-refused", OK_ADDED,
		  "POST /api/v1/listings?refused=skip\n"
		  "{\"source\":\"192.0.2.1\",\"category\":\"botnet\"}" },
		{ "allow 192.0.2.1", OK_ADDED,
		  "POST /api/v1/listings\n{\"source\":\"192.0.2.1\",\"category\":\"allow\"}" },
		{ "remove 2001:db8::/32 -c botnet -f manual", "{\"removed\":1}",
		  "DELETE /api/v1/listings?source=2001:db8::/32&category=botnet&feed=manual\n" },
		{ "remove a&b=c%20#", "{\"removed\":1}",
		  "DELETE /api/v1/listings?source=a%26b%3Dc%2520%23\n" },
		{ "list", NO_LISTINGS, "GET /api/v1/listings?limit=10000\n" },
		{ "list -c botnet --feed x --under 192.0.2.0/24 --expired", NO_LISTINGS,
		  "GET /api/v1/listings?limit=10000&category=botnet&feed=x&under=192.0.2.0/24"
		  "&expired=1\n" },
		{ "explain 192.0.2.1", "{}", "GET /api/v1/explain?address=192.0.2.1\n" },
		{ "explain 192.0.2.1 --proto udp --dport 53 -i eth0", "{}",
		  "GET /api/v1/explain?address=192.0.2.1&proto=udp&port=53&iface=eth0\n" },
		{ "audit", "{}", "GET /api/v1/audit\n" },
		{ "audit --since 1h", "{}", "GET /api/v1/audit?since=1763892000\n" },
		{ "audit --since 2025-11-23T10:00:00Z", "{}",
		  "GET /api/v1/audit?since=1763892000\n" },
		{ "attach eth0", "{}", "POST /api/v1/interfaces/eth0/attach\n" },
		{ "detach eth0.100", "{}", "POST /api/v1/interfaces/eth0.100/detach\n" },
		{ "pause", "{}", "POST /api/v1/pause\n{}" },
		{ "pause --for 5m", "{}", "POST /api/v1/pause\n{\"for\":\"5m\"}" },
		{ "resume", "{}", "POST /api/v1/resume\n" },
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		script(lab, 200, verbs[i].answer);
		run(lab, verbs[i].typed);
		if (lab->code != CLI_DONE)
			fail_msg("'%s' exits with %d: %s", verbs[i].typed, lab->code, lab->err);
		assert_string_equal(lab->step[0].request.data, verbs[i].asked);
		forget(lab);
	}
}

static void a_mistake_on_the_command_line_is_2_and_asks_nobody(void **state)
{
	static const char *const mistakes[] = {
		"",
		"frobnicate",
		"add",
		"add 192.0.2.1",
		"add 192.0.2.1 -c",
		"add 192.0.2.1 -c botnet --ttl soon",
		"add 192.0.2.1 -c botnet --confidence 101",
		"add 192.0.2.1 -c botnet --confidence many",
		"add 192.0.2.1 -c botnet --colour red",
		"allow 192.0.2.1 -c botnet",
		"remove",
		"remove 192.0.2.1 192.0.2.2",
		"list 192.0.2.1",
		"explain",
		"audit --since yesterday",
		"attach",
		"attach eth0/../../x",
		"pause --for long",
		"status -o xml",
		"-o xml status",
		"-s",
		"--nonsense status",
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		run(lab, mistakes[i]);
		if (lab->code != CLI_USAGE)
			fail_msg("'%s' exits with %d", mistakes[i], lab->code);
		assert_true(lab->err[0]);
		assert_string_equal(lab->out, "");
		forget(lab);
	}
}

static void without_a_daemon_it_is_3_and_says_which_socket(void **state)
{
	struct lab *lab = *state;
	char line[128], missing[112];

	snprintf(missing, sizeof(missing), "%s.none", lab->socket);
	snprintf(line, sizeof(line), "-s %s status", missing);
	run(lab, line);
	assert_int_equal(lab->code, CLI_NO_DAEMON);
	assert_non_null(strstr(lab->err, missing));
	assert_non_null(strstr(lab->err, "systemctl start moatd"));
	forget(lab);
	/* A socket that nobody listens on any more. */
	shutdown(lab->listener, SHUT_RDWR);
	close(lab->listener);
	lab->listener = -1;
	run(lab, "status");
	assert_int_equal(lab->code, CLI_NO_DAEMON);
	assert_non_null(strstr(lab->err, "start it with"));
}

static void a_refusal_is_1_and_says_by_which_guard(void **state)
{
	struct lab *lab = *state;

	script(lab, 409, REFUSED);
	run(lab, "add 192.0.2.1 203.0.113.9 -c botnet");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_non_null(strstr(lab->err, "refused by guard never_block"));
	assert_string_equal(lab->out, "");
	forget(lab);
	script(lab, 409, REFUSED);
	run(lab, "add 192.0.2.1 203.0.113.9 -c botnet -o json");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_string_equal(lab->out, REFUSED);
}

static void answers_become_exit_codes(void **state)
{
	static const struct {
		int status, code;
	} answers[] = {
		{ 200, CLI_DONE },    { 400, CLI_USAGE },   { 403, CLI_REFUSED },
		{ 404, CLI_REFUSED }, { 503, CLI_REFUSED },
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		script(lab, answers[i].status, "{\"detail\":\"because \\u001b[2J\"}");
		run(lab, "resume");
		assert_int_equal(lab->code, answers[i].code);
		if (answers[i].code)
			assert_string_equal(lab->err, "moatctl: because ?[2J\n");
		forget(lab);
	}
}

static void json_is_what_the_daemon_said(void **state)
{
	static const char *const verbs[] = { "-o json status",
					     "status -o json",
					     "explain 192.0.2.1 -o json",
					     "pause -o json",
					     "attach eth0 --output json",
					     "audit -ojson",
					     "add 192.0.2.1 -c botnet -o json" };
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		script(lab, 200, "{\"anything\": [1, 2,3]}\n");
		run(lab, verbs[i]);
		assert_int_equal(lab->code, CLI_DONE);
		assert_string_equal(lab->out, "{\"anything\": [1, 2,3]}\n");
		forget(lab);
	}
}

static void metrics_are_json_when_json_is_asked_for(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, "# HELP a b\n# TYPE a gauge\na 1\nb{x=\"1\",y=\"a\\\"b\\\\\"} 2.5\n");
	run(lab, "-o json metrics");
	assert_int_equal(lab->code, CLI_DONE);
	assert_string_equal(lab->out,
			    "[{\"name\":\"a\",\"labels\":{},\"value\":1},"
			    "{\"name\":\"b\",\"labels\":{\"x\":\"1\",\"y\":\"a\\\"b\\\\\"},"
			    "\"value\":2.5}]\n");
}

static void an_added_listing_without_room_is_1(void **state)
{
	struct lab *lab = *state;

	script(lab, 200,
	       "{\"added\":1,\"listings\":[{\"source\":\"192.0.2.1\",\"category\":\"botnet\","
	       "\"state\":\"refused\",\"cause\":\"map_full\"}]}");
	run(lab, "add 192.0.2.1 -c botnet");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_non_null(strstr(lab->out, "NOT in force: map_full"));
}

static void removing_nothing_is_1(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, "{\"removed\":0,\"remaining\":[],\"blocked\":false}");
	run(lab, "remove 192.0.2.1");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_non_null(strstr(lab->err, "no such listing"));
}

#define ROW(source)                                                                                \
	"{\"source\":\"" source "\",\"category\":\"botnet\",\"feed\":\"manual\",\"state\":\"live\"}"

static void list_goes_through_every_page(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, "{\"listings\":[" ROW("192.0.2.1") "," ROW("192.0.2.2") "],\"cursor\":7}");
	script(lab, 200, "{\"listings\":[],\"cursor\":9}"); /* thinned out by --under */
	script(lab, 200, "{\"listings\":[" ROW("192.0.2.3") "],\"cursor\":null}");
	run(lab, "list");
	assert_int_equal(lab->code, CLI_DONE);
	assert_string_equal(lab->step[1].request.data,
			    "GET /api/v1/listings?limit=10000&cursor=7\n");
	assert_string_equal(lab->step[2].request.data,
			    "GET /api/v1/listings?limit=10000&cursor=9\n");
	assert_non_null(strstr(lab->out, "192.0.2.1"));
	assert_non_null(strstr(lab->out, "192.0.2.3"));
	assert_null(strstr(strstr(lab->out, "SOURCE") + 1, "SOURCE")); /* one header */
	forget(lab);

	script(lab, 200, "{\"listings\":[" ROW("192.0.2.1") "," ROW("192.0.2.2") "],\"cursor\":7}");
	script(lab, 200, "{\"listings\":[" ROW("192.0.2.3") "],\"cursor\":null}");
	run(lab, "list -o json");
	assert_string_equal(lab->out,
			    "{\"listings\":[" ROW("192.0.2.1") "," ROW("192.0.2.2") "," ROW(
				    "192.0.2.3") "],\"cursor\":null}\n");
}

/* ---- help ---- */

static void every_verb_explains_itself(void **state)
{
	struct lab *lab = *state;
	char line[64];

	for (const struct verb *const *v = cli_verbs; *v; v++) {
		snprintf(line, sizeof(line), "%s --help", (*v)->name);
		run(lab, line);
		assert_int_equal(lab->code, CLI_DONE);
		assert_non_null(strstr(lab->out, (*v)->summary));
		for (size_t i = 0; i < (*v)->option_count; i++) {
			assert_non_null(strstr(lab->out, (*v)->options[i].name));
			assert_non_null(strstr(lab->out, (*v)->options[i].help));
		}
		forget(lab);
		run(lab, "--help");
		assert_non_null(strstr(lab->out, (*v)->summary));
		forget(lab);
	}
}

static void no_two_options_of_a_verb_share_a_name(void **state)
{
	(void)state;
	for (const struct verb *const *v = cli_verbs; *v; v++) {
		const struct verb_option *o = (*v)->options;

		assert_true((*v)->option_count <= VERB_OPTIONS_MAX);
		for (size_t i = 0; i < (*v)->option_count; i++) {
			assert_null(o[i].letter ? strchr("soVh", o[i].letter) : NULL);
			for (size_t j = 0; j < i; j++) {
				assert_string_not_equal(o[i].name, o[j].name);
				assert_true(!o[i].letter || o[i].letter != o[j].letter);
			}
		}
	}
}

static void the_version_is_told(void **state)
{
	static const char *const ways[] = { "version", "--version", "-V", "status -V" };
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		run(lab, ways[i]);
		assert_int_equal(lab->code, CLI_DONE);
		assert_string_equal(lab->out, "moatctl " MOAT_VERSION "\n");
		forget(lab);
	}
	run(lab, "version -o json");
	assert_string_equal(lab->out, "{\"version\":\"" MOAT_VERSION "\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(what_is_typed_is_what_is_asked),
		with_lab(a_mistake_on_the_command_line_is_2_and_asks_nobody),
		with_lab(without_a_daemon_it_is_3_and_says_which_socket),
		with_lab(a_refusal_is_1_and_says_by_which_guard),
		with_lab(answers_become_exit_codes),
		with_lab(json_is_what_the_daemon_said),
		with_lab(metrics_are_json_when_json_is_asked_for),
		with_lab(an_added_listing_without_room_is_1),
		with_lab(removing_nothing_is_1),
		with_lab(list_goes_through_every_page),
		with_lab(every_verb_explains_itself),
		cmocka_unit_test(no_two_options_of_a_verb_share_a_name),
		with_lab(the_version_is_told),
	};

	return cmocka_run_group_tests_name("cli verbs", tests, NULL, NULL);
}
