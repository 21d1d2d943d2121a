// SPDX-License-Identifier: BSD-2-Clause
/*
 * Durations, rates, counts and times as people type them and read them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "core/units.h"

#define RANDOM_TIMES 200000

static void durations_are_whole_numbers_with_one_unit(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{ "1s", 1 },
		{ "90s", 90 },
		{ "15m", 900 },
		{ "12h", 43200 },
		{ "30d", 2592000 },
		{ "2w", 1209600 },
		{ "36525d", 36525LL * 86400 },
		{ "3155760000s", 3155760000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t seconds = -1;

		assert_int_equal(units_duration(cases[i].text, &seconds), 0);
		assert_true(seconds == cases[i].seconds);
	}
}

static void bad_durations_are_refused(void **state)
{
	static const char *const bad[] = { "",
					   "s",
					   "5",
					   "0s",
					   "0d",
					   "-1s",
					   "+1s",
					   " 1s",
					   "1s ",
					   "1 s",
					   "01s",
					   "1S",
					   "1M",
					   "1y",
					   "1.5h",
					   "1h30m",
					   "1ss",
					   "1ms",
					   "0x1s",
					   "36526d",
					   "3155760001s",
					   "18446744073709551616s",
					   "18446744073709551615w",
					   "9223372036854775807d" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t seconds = -7;

		if (units_duration(bad[i], &seconds) != -EINVAL || seconds != -7)
			fail_msg("'%s' is not refused", bad[i]);
	}
}

static void durations_are_shown_with_two_units_at_most(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ 45, "45s" },
		{ 60, "1m" },
		{ 90, "1m 30s" },
		{ 3600, "1h" },
		{ 3601, "1h" },
		{ 7260, "2h 1m" },
		{ 86400, "1d" },
		{ 93784, "1d 2h" },
		{ 86400 + 60, "1d" },
		{ 30 * 86400, "30d" },
		{ -90, "-1m 30s" },
		{ INT64_MAX, "106751991167300d 15h" },
		{ INT64_MIN, "-106751991167300d 15h" },
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(units_duration_format(cases[i].seconds, buf), cases[i].text);
}

static void rates_are_packets_or_bits_a_second(void **state)
{
	static const struct {
		const char *text;
		bool bits;
		uint64_t value;
	} cases[] = {
		{ "1pps", false, 1 },
		{ "100pps", false, 100 },
		{ "20kpps", false, 20000 },
		{ "1mpps", false, 1000000 },
		{ "1gpps", false, 1000000000 },
		{ "1000bps", true, 1000 },
		{ "64kbps", true, 64000 },
		{ "8mbps", true, 8000000 },
		{ "8Mbps", true, 8000000 },
		{ "1gbps", true, 1000000000 },
		{ "1000gbps", true, 1000000000000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rate rate;

		assert_int_equal(units_rate(cases[i].text, &rate), 0);
		assert_int_equal(rate.bits, cases[i].bits);
		assert_true(rate.value == cases[i].value);
	}
}

static void bad_rates_are_refused(void **state)
{
	static const char *const bad[] = { "",
					   "pps",
					   "100",
					   "100 pps",
					   "0pps",
					   "-1pps",
					   "1.5mbps",
					   "100ppm",
					   "100kpp",
					   "100tbps",
					   "1ppss",
					   "999bps",
					   "1001gbps",
					   "2gpps",
					   "0kbps",
					   "100/s",
					   "8mb",
					   "8mbit",
					   "18446744073709551615gbps",
					   "18446744073710kpps" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct rate rate = { .value = 7 };

		if (units_rate(bad[i], &rate) != -EINVAL || rate.value != 7)
			fail_msg("'%s' is not refused", bad[i]);
	}
}

static void counts_take_powers_of_1000(void **state)
{
	static const char *const bad[] = { "",
					   "0",
					   "-1",
					   "1.5",
					   "k",
					   "1kk",
					   "1t",
					   "1b",
					   "0k",
					   "01",
					   " 1",
					   "18446744073709551616",
					   "18446744073709552k" };
	uint64_t count = 0;

	(void)state;
	assert_int_equal(units_count("1", &count), 0);
	assert_true(count == 1);
	assert_int_equal(units_count("64k", &count), 0);
	assert_true(count == 64000);
	assert_int_equal(units_count("2m", &count), 0);
	assert_true(count == 2000000);
	assert_int_equal(units_count("1g", &count), 0);
	assert_true(count == 1000000000);
	assert_int_equal(units_count("18446744073709551615", &count), 0);
	assert_true(count == UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		count = 7;
		if (units_count(bad[i], &count) != -EINVAL || count != 7)
			fail_msg("'%s' is not refused", bad[i]);
	}
}

static void numbers_are_digits_and_nothing_else(void **state)
{
	static const char *const bad[] = { "",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "00",
					   "01",
					   "1k",
					   "0x1",
					   "1.0",
					   "18446744073709551616",
					   "99999999999999999999" };
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (units_number(bad[i], &number) != -EINVAL || number != 7)
			fail_msg("'%s' is not refused", bad[i]);
	}
	assert_int_equal(units_number("0", &number), 0);
	assert_true(number == 0);
	assert_int_equal(units_number("18446744073709551615", &number), 0);
	assert_true(number == UINT64_MAX);
}

static void times_are_rfc_3339(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 1795431600, "2026-11-23T11:00:00Z" },
		{ 4107542399, "2100-02-28T23:59:59Z" },
		{ 4107542400, "2100-03-01T00:00:00Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "9999-12-31T23:59:59Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z" },
		{ -62167219200, "0000-01-01T00:00:00Z" },
		{ INT64_MIN, "0000-01-01T00:00:00Z" },
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(units_time_format(cases[i].seconds, buf), cases[i].text);
}

static void times_agree_with_the_c_library(void **state)
{
	uint64_t random = 88172645463325252; /* fixed: a failure repeats */
	char mine[32], expect[32];

	(void)state;
	for (int i = 0; i < RANDOM_TIMES; i++) {
		time_t t;
		struct tm tm;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		t = (int64_t)(random % (253402300800 + 62167219200)) - 62167219200;
		assert_non_null(gmtime_r(&t, &tm));
		snprintf(expect, sizeof(expect), "%04d-%02d-%02dT%02d:%02d:%02dZ",
			 (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			 tm.tm_min, tm.tm_sec);
		assert_string_equal(units_time_format(t, mine), expect);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_whole_numbers_with_one_unit),
		cmocka_unit_test(bad_durations_are_refused),
		cmocka_unit_test(durations_are_shown_with_two_units_at_most),
		cmocka_unit_test(rates_are_packets_or_bits_a_second),
		cmocka_unit_test(bad_rates_are_refused),
		cmocka_unit_test(counts_take_powers_of_1000),
		cmocka_unit_test(numbers_are_digits_and_nothing_else),
		cmocka_unit_test(times_are_rfc_3339),
		cmocka_unit_test(times_agree_with_the_c_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
