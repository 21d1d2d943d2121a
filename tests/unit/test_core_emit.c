/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON as the daemon writes it, and times as people send them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "core/emit.h"
#include "core/units.h"
#include "core/when.h"

static void members_and_elements_have_commas_between_them(void **state)
{
	struct text out = {};
	struct emit e = { .out = &out };

	(void)state;
	emit_begin(&e, NULL, '{');
	emit_text(&e, "a", "x");
	emit_begin(&e, "b", '[');
	emit_whole(&e, NULL, -1);
	emit_begin(&e, NULL, '{');
	emit_end(&e, '}');
	emit_bool(&e, NULL, true);
	emit_null(&e, NULL);
	emit_end(&e, ']');
	emit_begin(&e, "c", '[');
	emit_end(&e, ']');
	emit_text(&e, "d", NULL);
	emit_whole(&e, "e", INT64_MIN);
	emit_real(&e, "f", 0.5);
	emit_bool(&e, "g", false);
	emit_end(&e, '}');
	assert_string_equal(out.data, "{\"a\":\"x\",\"b\":[-1,{},true,null],\"c\":[],\"d\":null,"
				      "\"e\":-9223372036854775808,\"f\":0.5,\"g\":false}");
	text_free(&out);
}

static void any_bytes_become_a_valid_string(void **state)
{
	static const struct {
		const char *in, *out;
	} strings[] = {
		{ "", "\"\"" },
		{ "a\"b\\c\n", "\"a\\\"b\\\\c\\n\"" },
		{ "\001\037\177", "\"\\u0001\\u001f\\u007f\"" },
		{ "d\303\251j\303\240 \342\202\254 \360\237\230\200",
		  "\"d\303\251j\303\240 \342\202\254 \360\237\230\200\"" },
		{ "\377", "\"\\ufffd\"" },
		{ "\300\200", "\"\\ufffd\\ufffd\"" },			    /* overlong NUL */
		{ "\355\240\200", "\"\\ufffd\\ufffd\\ufffd\"" },	    /* surrogate */
		{ "\364\220\200\200", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" }, /* U+110000 */
		{ "\342\202", "\"\\ufffd\\ufffd\"" },			    /* cut */
		{ "x\303", "\"x\\ufffd\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		struct text out = {};
		struct emit e = { .out = &out };

		emit_text(&e, NULL, strings[i].in);
		assert_string_equal(out.data, strings[i].out);
		text_free(&out);
	}
}

static void a_number_that_is_none_is_null(void **state)
{
	static const struct {
		double in;
		const char *out;
	} numbers[] = { { NAN, "null" },
			{ INFINITY, "null" },
			{ 1, "1" },
			{ 0.999999999, "0.999999999" },
			{ -0.25, "-0.25" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct text out = {};
		struct emit e = { .out = &out };

		emit_real(&e, NULL, numbers[i].in);
		assert_string_equal(out.data, numbers[i].out);
		text_free(&out);
	}
}

static void a_time_is_seconds_or_rfc_3339(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} times[] = {
		{ "0", 0 },
		{ "1763895600", 1763895600 },
		{ "253402300799", WHEN_MAX },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2025-11-23T11:00:00Z", 1763895600 },
		{ "2025-11-23t11:00:00z", 1763895600 },
		{ "2025-11-23 11:00:00Z", 1763895600 },
		{ "2025-11-23T11:00:00.999Z", 1763895600 },
		{ "2025-11-23T12:30:00+01:30", 1763895600 },
		{ "2025-11-22T23:00:00-12:00", 1763895600 },
		{ "2024-02-29T00:00:00Z", 1709164800 },
		{ "2016-12-31T23:59:60Z", 1483228799 },
		{ "9999-12-31T23:59:59Z", WHEN_MAX },
	};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		assert_int_equal(when_parse(times[i].text, &seconds), 0);
		assert_true(seconds == times[i].seconds);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" 1",
		"-1",
		"+1",
		"1.5",
		"1e9",
		"253402300800",
		"99999999999999999999999",
		"2025-11-23",
		"2025-11-23T11:00Z",
		"2025-11-23T11:00:00",
		"2025-11-23T11:00:00 Z",
		"2025-11-23T11:00:00.Z",
		"2025-11-23T11:00:00Zx",
		"2025-11-23T24:00:00Z",
		"2025-11-23T11:60:00Z",
		"2025-11-23T11:00:61Z",
		"2025-00-23T11:00:00Z",
		"2025-13-23T11:00:00Z",
		"2025-02-29T11:00:00Z",
		"2025-11-31T11:00:00Z",
		"2025-11-23T11:00:00+24:00",
		"2025-11-23T11:00:00+0100",
		"1969-12-31T23:59:59Z",
		"1970-01-01T00:00:00+01:00",
		"9999-12-31T23:59:59-01:00",
		"25-11-23T11:00:00Z",
	};
	int64_t seconds = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (when_parse(bad[i], &seconds) != -EINVAL)
			fail_msg("'%s' is taken for a time", bad[i]);
	assert_int_equal(seconds, 42); /* untouched on failure */
}

static void a_time_that_is_written_is_read_as_the_same(void **state)
{
	char text[32];
	int64_t back;

	(void)state;
	for (int64_t at = 0; at <= WHEN_MAX; at += 86399 * 997) {
		units_time_format(at, text);
		assert_int_equal(when_parse(text, &back), 0);
		assert_true(back == at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_and_elements_have_commas_between_them),
		cmocka_unit_test(any_bytes_become_a_valid_string),
		cmocka_unit_test(a_number_that_is_none_is_null),
		cmocka_unit_test(a_time_is_seconds_or_rfc_3339),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(a_time_that_is_written_is_read_as_the_same),
	};

	return cmocka_run_group_tests_name("core emit and when", tests, NULL, NULL);
}
