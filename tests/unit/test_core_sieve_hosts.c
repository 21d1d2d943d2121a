// SPDX-License-Identifier: BSD-2-Clause
/*
 * IPv4 hosts in the sieve, read as the program reads them.
 */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/sieve_lab.h"

#define START 100000 /* ticks */

static void open_for(uint32_t hosts)
{
	sieve_lab_open((const uint32_t[2]){ hosts, 0 }, 1, START);
	sieve_set_lengths(sieve_lab.sieve, MOAT_IPV4, 1);
}

static void put(uint32_t host, uint32_t class, uint32_t expires)
{
	struct prefix p = sieve_lab_host4(host);

	sieve_put(sieve_lab.sieve, &p, class, expires);
}

static void drop(uint32_t host)
{
	struct prefix p = sieve_lab_host4(host);

	sieve_delete(sieve_lab.sieve, &p);
}

static bool listed_as(uint32_t host, uint32_t class)
{
	struct sieve_answer a = sieve_lab_read4(htobe32(host));

	return a.listed && a.class == class && a.len == 32;
}

static bool clean(uint32_t host)
{
	struct sieve_answer a = sieve_lab_read4(htobe32(host));

	return !a.listed && !a.ask;
}

static void a_host_is_listed_until_it_is_deleted(void **state)
{
	(void)state;
	open_for(100);
	assert_true(clean(0xC0000201));
	put(0xC0000201, 7, MOAT_NEVER);
	assert_true(listed_as(0xC0000201, 7));
	assert_true(clean(0xC0000202));
	put(0xC0000201, 8, MOAT_NEVER);
	assert_true(listed_as(0xC0000201, 8));
	drop(0xC0000201);
	assert_true(clean(0xC0000201));
	sieve_lab_close();
}

static void many_hosts_are_found_through_growth_and_shrinking(void **state)
{
	uint32_t count = 100000, asked = 0;
	struct sieve_numbers n;

	(void)state;
	open_for(count);
	for (uint32_t i = 0; i < count; i++)
		put(i * 2654435761U | 1, i & 1023, MOAT_NEVER);
	for (uint32_t i = 0; i < count; i++)
		asked += !listed_as(i * 2654435761U | 1, i & 1023);
	sieve_numbers(sieve_lab.sieve, &n);
	assert_int_equal(asked, n.asked);
	for (uint32_t i = 0; i < count; i++) {
		drop(i * 2654435761U | 1);
		if (sieve_wants_grace(sieve_lab.sieve))
			sieve_grace(sieve_lab.sieve);
	}
	for (uint32_t i = 0; i < count; i++)
		assert_true(clean(i * 2654435761U | 1));
	sieve_numbers(sieve_lab.sieve, &n);
	assert_int_equal(n.hosts, 0);
	assert_true(n.host_slots < 1000);
	sieve_lab_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_listed_until_it_is_deleted),
		cmocka_unit_test(many_hosts_are_found_through_growth_and_shrinking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
