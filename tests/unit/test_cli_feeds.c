/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moatctl import and feeds: what is asked, which bytes are sent, and which
 * exit code comes out.
 */
#include "tests/unit/cli_lab.h"

#define TAKEN "{\"feed\":\"drop\",\"applied\":true,\"cause\":null}\n"

/* A file with these bytes in the lab's directory. */
static const char *file_of(struct lab *lab, const char *bytes, size_t size)
{
	static char path[160];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/list", lab->dir);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	return path;
}

static void import_file(struct lab *lab, const char *options)
{
	char line[512];

	snprintf(line, sizeof(line), "import %s %s", file_of(lab, "192.0.2.1\n", 10), options);
	run(lab, line);
}

static void an_import_asks_for_what_was_typed(void **state)
{
	static const struct {
		const char *typed, *asked;
	} imports[] = {
		{ "-f drop", "POST /api/v1/feeds/drop/import\n192.0.2.1\n" },
		{ "-f drop -c botnet --format plain -t 3d --dry-run --force",
		  "POST /api/v1/feeds/drop/import?format=plain&category=botnet&ttl=3d&dry_run=1"
		  "&force=1\n192.0.2.1\n" },
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(imports); i++) {
		script(lab, 200, TAKEN);
		import_file(lab, imports[i].typed);
		assert_int_equal(lab->code, 0);
		assert_string_equal(lab->step[0].request.data, imports[i].asked);
		forget(lab);
	}
}

static void a_refused_list_is_exit_code_1_and_says_why(void **state)
{
	struct lab *lab = *state;

	script(lab, 409,
	       "{\"status\":409,\"detail\":\"feed 'drop' is not taken over: shrink\","
	       "\"cause\":\"shrink\"}\n");
	import_file(lab, "-f drop");
	assert_int_equal(lab->code, 1);
	assert_non_null(strstr(lab->err, "shrink"));
}

static void a_dry_run_that_would_be_refused_is_exit_code_1_and_a_report(void **state)
{
	struct lab *lab = *state;

	script(lab, 200,
	       "{\"feed\":\"drop\",\"dry_run\":true,\"cause\":\"shrink\",\"why\":\"it shrank\","
	       "\"entries\":49}\n");
	import_file(lab, "-f drop --dry-run");
	assert_int_equal(lab->code, 1);
	assert_non_null(strstr(lab->out, "REFUSED"));
	assert_non_null(strstr(lab->out, "it shrank"));
}

static void what_an_import_cannot_mean_asks_nothing(void **state)
{
	static const char *const lines[] = {
		"import",
		"import /nonexistent/list -f drop",
		"import /etc/passwd",
		"import /etc/passwd -f ../x",
		"import /etc/passwd -f .",
		"import /etc/passwd -f drop -t 3",
		"feeds fetch",
		"feeds fetch a/b",
		"feeds drop",
		"feeds fetch a b",
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		run(lab, lines[i]);
		if (lab->code != 2)
			fail_msg("%s: %d", lines[i], lab->code);
		forget(lab);
	}
}

static void feeds_are_asked_for_and_fetched(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, "{\"feeds\":[]}");
	run(lab, "feeds");
	assert_string_equal(lab->step[0].request.data, "GET /api/v1/feeds\n");
	assert_int_equal(lab->code, 0);
	forget(lab);

	script(lab, 200, TAKEN);
	run(lab, "feeds fetch drop");
	assert_string_equal(lab->step[0].request.data, "POST /api/v1/feeds/drop/fetch\n");
	assert_int_equal(lab->code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(an_import_asks_for_what_was_typed),
		with_lab(a_refused_list_is_exit_code_1_and_says_why),
		with_lab(a_dry_run_that_would_be_refused_is_exit_code_1_and_a_report),
		with_lab(what_an_import_cannot_mean_asks_nothing),
		with_lab(feeds_are_asked_for_and_fetched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
