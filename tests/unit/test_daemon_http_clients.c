/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast an address may go, and who is remembered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "daemon/http_clients.h"

#define SECOND 1000000LL

static struct http_client *get4(struct http_clients *c, uint32_t address, int64_t now)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = { htonl(address) } };

	return http_clients_get(c, (const struct sockaddr *)&sin, now);
}

static struct http_client *get6(struct http_clients *c, const char *address, int64_t now)
{
	struct sockaddr_in6 sin = { .sin6_family = AF_INET6 };

	assert_int_equal(inet_pton(AF_INET6, address, &sin.sin6_addr), 1);
	return http_clients_get(c, (const struct sockaddr *)&sin, now);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct http_clients));
	return !*state;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void a_burst_fits_then_one_each_interval(void **state)
{
	struct http_pace pace = {};

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(http_pace_take(&pace, SECOND, SECOND / 2, 10));
	assert_false(http_pace_take(&pace, SECOND, SECOND / 2, 10));
	assert_false(http_pace_take(&pace, SECOND + SECOND / 2 - 1, SECOND / 2, 10));
	assert_true(http_pace_take(&pace, SECOND + SECOND / 2, SECOND / 2, 10));
	assert_false(http_pace_take(&pace, SECOND + SECOND / 2, SECOND / 2, 10));
	for (int i = 0; i < 10; i++)
		assert_true(http_pace_take(&pace, 100 * SECOND, SECOND / 2, 10));
	assert_false(http_pace_take(&pace, 100 * SECOND, SECOND / 2, 10));
}

static void an_address_is_found_again_and_no_other_is_taken_for_it(void **state)
{
	struct http_client *a = get4(*state, 0xc0000201, 1), *b = get4(*state, 0xc0000202, 1);

	a->connections = 3;
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(get4(*state, 0xc0000201, 2), a);
	assert_int_equal(get4(*state, 0xc0000201, 2)->connections, 3);
}

static void an_ipv6_host_is_its_64(void **state)
{
	struct http_client *a = get6(*state, "2001:db8:1:2::1", 1);

	assert_ptr_equal(get6(*state, "2001:db8:1:2:ffff::9", 1), a);
	assert_ptr_not_equal(get6(*state, "2001:db8:1:3::1", 1), a);
}

static void who_is_connected_is_not_forgotten_whoever_else_asks(void **state)
{
	struct http_client *a = get4(*state, 0xc0000201, 1);

	a->connections = 1;
	for (uint32_t i = 0; i < 200000; i++)
		get4(*state, 0x0a000000 + i, 2 + i);
	assert_ptr_equal(get4(*state, 0xc0000201, 300000), a);
	assert_int_equal(a->connections, 1);
	a->connections = 0;
	for (uint32_t i = 0; i < 200000; i++)
		get4(*state, 0x0a000000 + i, 400000 + i);
	assert_int_equal(get4(*state, 0xc0000201, 700000)->requests.due_us, 0);
}

static void without_room_nobody_is_taken(void **state)
{
	size_t refused = 0;

	for (uint32_t i = 0; i < 100000; i++) {
		struct http_client *client = get4(*state, 0x0a000000 + i, i);

		refused += !client;
		if (client)
			client->connections = 1;
	}
	assert_int_equal(refused, 100000 - HTTP_CLIENTS_SETS * HTTP_CLIENTS_WAYS);
}

#define with_clients(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_fits_then_one_each_interval),
		with_clients(an_address_is_found_again_and_no_other_is_taken_for_it),
		with_clients(an_ipv6_host_is_its_64),
		with_clients(who_is_connected_is_not_forgotten_whoever_else_asks),
		with_clients(without_room_nobody_is_taken),
	};

	return cmocka_run_group_tests_name("daemon http clients", tests, NULL, NULL);
}
