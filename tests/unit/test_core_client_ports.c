/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports of clients as the kernel prints them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/client_ports.h"

static bool has(const struct moat_ports *ports, unsigned int port)
{
	return ports->set[port / 64] >> port % 64 & 1;
}

static unsigned int count(const struct moat_ports *ports)
{
	unsigned int sum = 0;

	for (unsigned int port = 0; port <= UINT16_MAX; port++)
		sum += has(ports, port);
	return sum;
}

static void the_range_is_taken_with_both_its_ends(void **state)
{
	struct moat_ports ports;

	(void)state;
	assert_int_equal(client_ports_parse("32768\t60999\n", "\n", &ports), 0);
	assert_int_equal(count(&ports), 60999 - 32768 + 1);
	assert_true(has(&ports, 32768) && has(&ports, 60999));
	assert_false(has(&ports, 32767) || has(&ports, 61000));
	assert_int_equal(client_ports_parse("0 65535", "", &ports), 0);
	assert_int_equal(count(&ports), 65536);
}

static void reserved_ports_are_a_server_s(void **state)
{
	struct moat_ports ports;

	(void)state;
	assert_int_equal(client_ports_parse("40000 40009", "53,40002,40005-40007,50000\n", &ports),
			 0);
	assert_int_equal(count(&ports), 6);
	assert_false(has(&ports, 40002) || has(&ports, 40005) || has(&ports, 40007));
	assert_true(has(&ports, 40004) && has(&ports, 40008));
}

static void what_the_kernel_would_not_print_is_refused_and_changes_nothing(void **state)
{
	static const char *const ranges[] = { "",	 "1",	  "2 1",
					      "1 65536", "1 2 3", "-1 5",
					      "a b",	 "1,2",	  "99999999999 99999999999",
					      "1 2x" };
	static const char *const reserved[] = { "x", "1-", "3-2", "1;2", "1 2", "-5", "65536" };
	struct moat_ports ports = { .set = { 42 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		assert_int_equal(client_ports_parse(ranges[i], "", &ports), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		assert_int_equal(client_ports_parse("1 2", reserved[i], &ports), -EINVAL);
	assert_int_equal(ports.set[0], 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_range_is_taken_with_both_its_ends),
		cmocka_unit_test(reserved_ports_are_a_server_s),
		cmocka_unit_test(what_the_kernel_would_not_print_is_refused_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
