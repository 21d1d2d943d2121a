/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many sources from standard input: "moatctl add -".
 */
#include "tests/unit/cli_lab.h"

#include "cli/bulk.h"

static void standard_input_is_a_source_a_line(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, "{\"added\":3,\"listings\":[]}");
	run_with(lab, "192.0.2.1\n\n# a comment\n  192.0.2.2\t\r\n; another\n192.0.2.3 ; SBL1\n \n",
		 "add - -c botnet -r x");
	assert_int_equal(lab->code, CLI_DONE);
	assert_string_equal(lab->out, "3 listings added\n");
	assert_string_equal(lab->step[0].request.data,
			    "POST /api/v1/listings\n["
			    "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"reason\":\"x\"},"
			    "{\"source\":\"192.0.2.2\",\"category\":\"botnet\",\"reason\":\"x\"},"
			    "{\"source\":\"192.0.2.3\",\"category\":\"botnet\",\"reason\":\"x\"}]");
}

static void empty_input_asks_nobody(void **state)
{
	struct lab *lab = *state;

	run_with(lab, "# nothing\n\n", "add - -c botnet");
	assert_int_equal(lab->code, CLI_DONE);
	assert_string_equal(lab->out, "0 listings added\n");
}

static void a_refused_line_is_named_by_its_number(void **state)
{
	struct lab *lab = *state;

	script(lab, 409, REFUSED); /* index 1 */
	run_with(lab, "# head\n192.0.2.1\n\n203.0.113.9\n", "add - -c botnet");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_int_equal(strncmp(lab->err, "line 4: ", 8), 0);
	assert_non_null(strstr(lab->err, "never_block"));
	assert_string_equal(lab->out, "");
}

static char *many_lines(unsigned int count)
{
	struct text lines = {};

	for (unsigned int i = 0; i < count; i++)
		text_add(&lines, "100.%u.%u.%u\n", i >> 16, i >> 8 & 255, i & 255);
	assert_false(lines.failed);
	return lines.data;
}

static void many_lines_go_in_requests_of_bounded_size(void **state)
{
	struct lab *lab = *state;
	_cleanup_free_ char *lines = many_lines(BULK_ROWS_MAX + 1);

	script(lab, 200, "{\"added\":50000,\"listings\":[]}");
	script(lab, 200, "{\"added\":1,\"listings\":[]}");
	run_with(lab, lines, "add - -c botnet");
	assert_int_equal(lab->code, CLI_DONE);
	assert_string_equal(lab->out, "50,001 listings added\n");
	assert_string_equal(lab->step[1].request.data,
			    "POST /api/v1/listings\n[{\"source\":\"100.0.195.80\","
			    "\"category\":\"botnet\"}]");
}

static void a_refusal_in_a_later_request_says_what_was_added(void **state)
{
	struct lab *lab = *state;
	_cleanup_free_ char *lines = many_lines(BULK_ROWS_MAX + 2);

	script(lab, 200, "{\"added\":50000,\"listings\":[]}");
	script(lab, 409, REFUSED);
	run_with(lab, lines, "add - -c botnet");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_int_equal(strncmp(lab->err, "line 50002: ", 12), 0);
	assert_non_null(strstr(lab->err, "50,000 listings of earlier lines were added"));
}

static void left_out_lines_are_named_and_counted(void **state)
{
	struct lab *lab = *state;

	script(lab, 200,
	       "{\"added\":1,\"listings\":["
	       "{\"source\":\"192.0.2.1\",\"category\":\"botnet\",\"state\":\"live\",\"cause\":null},"
	       "{\"source\":\"10.0.0.0/7\",\"category\":\"botnet\",\"state\":\"refused\","
	       "\"cause\":\"prefix_floor\"}]}");
	run_with(lab, "192.0.2.1\n10.0.0.0/7\n", "add - -c botnet --skip-refused");
	assert_int_equal(lab->code, CLI_DONE);
	assert_non_null(strstr(lab->err, "line 2: 10.0.0.0/7: refused by guard prefix_floor"));
	assert_non_null(strstr(lab->err, "1 refused and left out"));
	assert_string_equal(lab->out, "1 listing added\n");
}

static void lines_without_room_in_the_kernel_are_1(void **state)
{
	struct lab *lab = *state;

	script(lab, 200,
	       "{\"added\":1,\"listings\":[{\"source\":\"192.0.2.1\",\"category\":\"botnet\","
	       "\"state\":\"refused\",\"cause\":\"map_full\"}]}");
	run_with(lab, "192.0.2.1\n", "add - -c botnet");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_non_null(strstr(lab->err, "1 added, but NOT in force"));
}

static void a_line_has_a_length(void **state)
{
	struct lab *lab = *state;
	char line[BULK_LINE_MAX + 2];

	memset(line, '1', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	run_with(lab, line, "add - -c botnet");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_non_null(strstr(lab->err, "line 1: longer than"));
}

static void a_nul_byte_does_not_hide_the_rest_of_a_line(void **state)
{
	static const char input[] = "192.0.2.1\n1.2.3.4\0garbage\n";
	struct lab *lab = *state;

	run_with_bytes(lab, input, sizeof(input) - 1, "add - -c botnet");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_non_null(strstr(lab->err, "line 2: holds a NUL byte"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(standard_input_is_a_source_a_line),
		with_lab(empty_input_asks_nobody),
		with_lab(a_refused_line_is_named_by_its_number),
		with_lab(many_lines_go_in_requests_of_bounded_size),
		with_lab(a_refusal_in_a_later_request_says_what_was_added),
		with_lab(left_out_lines_are_named_and_counted),
		with_lab(lines_without_room_in_the_kernel_are_1),
		with_lab(a_line_has_a_length),
		with_lab(a_nul_byte_does_not_hide_the_rest_of_a_line),
	};

	return cmocka_run_group_tests_name("cli bulk", tests, NULL, NULL);
}
