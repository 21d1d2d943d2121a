/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Space that no packet from beyond can come from, and IPv4 inside IPv6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/gate.h"

static enum gate_cause check(const char *source, const char *category, bool only_routable)
{
	static const struct categories names = { .name = { "allow", "botnet" } };
	const struct gate gate = {
		.categories = &names,
		.min_prefix = { 3, 3 },
		.only_routable = only_routable,
	};
	const struct row row = { .source = source, .category = category, .feed = "f" };
	struct claim claim = {};

	return gate_check(&gate, &row, &claim);
}

static void private_and_multicast_space_is_refused(void **state)
{
	static const char *const bad[] = {
		"0.1.2.3",     "10.0.0.0/8",  "10.255.255.255", "100.64.0.0/10",   "100.127.0.1",
		"127.0.0.1",   "169.254.1.1", "172.16.0.0/12",	"172.31.255.255",  "192.168.1.0/24",
		"224.0.0.1",   "239.1.1.1",   "240.0.0.1",	"255.255.255.255", "::1",
		"::7f00:1",    "fc00::/7",    "fd12:3456::1",	"fec0::1",	   "ff02::1",
		"172.0.0.0/8", "192.0.0.0/6", "100.0.0.0/8",	"::/16",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (check(bad[i], "botnet", true) != GATE_NON_ROUTABLE)
			fail_msg("%s: %s", bad[i], gate_cause_label(check(bad[i], "botnet", true)));
		assert_int_equal(check(bad[i], "botnet", false), GATE_PASSED);
		assert_int_equal(check(bad[i], "allow", true), GATE_PASSED);
	}
}

static void lists_of_shared_addresses_name_just_such_space(void **state)
{
	static const struct categories names = { .name = { "allow", "botnet", "cgnat" } };
	const struct gate gate = {
		.categories = &names,
		.min_prefix = { 8, 19 },
		.only_routable = true,
		.softens = 1 << 2,
	};
	struct row row = { .source = "100.64.0.0/10", .category = "cgnat", .feed = "f" };
	struct claim claim = {};

	(void)state;
	assert_int_equal(gate_check(&gate, &row, &claim), GATE_PASSED);
	row.category = "botnet";
	assert_int_equal(gate_check(&gate, &row, &claim), GATE_NON_ROUTABLE);
	row.category = "cgnat";
	row.source = "64.0.0.0/4";
	assert_int_equal(gate_check(&gate, &row, &claim), GATE_PREFIX_FLOOR);
}

static void what_lies_beside_it_passes(void **state)
{
	static const char *const good[] = {
		"1.0.0.0",	  "9.255.255.255",   "11.0.0.0/8",	"100.63.255.255",
		"100.128.0.0",	  "126.255.255.255", "128.0.0.0",	"169.253.0.0/16",
		"172.15.255.255", "172.32.0.0/12",   "192.167.0.0/16",	"192.169.0.1",
		"198.18.0.1",	  "192.0.2.0/24",    "223.255.255.255", "2001:db8::/32",
		"fbff::1",	  "2001::/32",	     "::1:0:0",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (check(good[i], "botnet", true) != GATE_PASSED)
			fail_msg("%s: %s", good[i],
				 gate_cause_label(check(good[i], "botnet", true)));
}

static void ipv4_inside_ipv6_is_to_be_written_as_ipv4(void **state)
{
	(void)state;
	assert_int_equal(check("::ffff:192.0.2.1", "botnet", true), GATE_NOT_CANONICAL);
	assert_int_equal(check("::ffff:c000:201", "botnet", true), GATE_NOT_CANONICAL);
	assert_int_equal(check("::ffff:192.0.2.0/120", "botnet", true), GATE_NOT_CANONICAL);
	assert_int_equal(check("::ffff:192.0.2.1/120", "botnet", true), GATE_HOST_BITS);
	assert_non_null(strstr(gate_cause_text(GATE_NOT_CANONICAL), "IPv4 as IPv4"));
}

static void what_a_translator_or_tunnel_made_of_ipv4_stays_ipv6(void **state)
{
	static const char *const own[] = { "2002:c000:201::/48", "64:ff9b::c000:201",
					   "2001:0:c000:201::1" };
	char text[PREFIX_TEXT_MAX];
	struct prefix p;

	(void)state;
	assert_int_equal(check("2002:c000:201::/48", "botnet", true), GATE_PASSED);
	assert_int_equal(check("64:ff9b::c000:201", "botnet", true), GATE_PASSED);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		assert_int_equal(prefix_parse(own[i], &p), 0);
		assert_int_equal(p.family, MOAT_IPV6);
		assert_non_null(strchr(prefix_format(&p, text), ':'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_and_multicast_space_is_refused),
		cmocka_unit_test(lists_of_shared_addresses_name_just_such_space),
		cmocka_unit_test(what_lies_beside_it_passes),
		cmocka_unit_test(ipv4_inside_ipv6_is_to_be_written_as_ipv4),
		cmocka_unit_test(what_a_translator_or_tunnel_made_of_ipv4_stays_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
