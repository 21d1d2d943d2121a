// SPDX-License-Identifier: BSD-2-Clause
/*
 * Categories of the configuration: the policy, scope and limit that the kernel
 * gets for what people write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config.h"

#define INTERFACES "interfaces: [ { name: eth0 } ]\n"

static struct config *parse(const char *text)
{
	struct config *c = NULL;
	struct problem why = {};

	if (config_parse("test.yaml", text, strlen(text), &c, &why))
		fail_msg("%s", why.text);
	return c;
}

static const struct config_category *category(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->categories; i++) {
		if (!strcmp(c->category[i].name, name))
			return &c->category[i];
	}
	fail_msg("no category %s", name);
	return NULL;
}

static void categories_keep_the_order_of_the_file(void **state)
{
	_cleanup_(config_freep) struct config *c = parse(INTERFACES "categories:\n"
								    "  zeta: { action: monitor }\n"
								    "  alpha: { action: drop }\n"
								    "  mid: { action: drop }\n");

	(void)state;
	assert_int_equal(c->categories, 3);
	assert_string_equal(c->category[0].name, "zeta");
	assert_int_equal(c->category[0].policy.action, MOAT_ACTION_MONITOR);
	assert_string_equal(c->category[1].name, "alpha");
	assert_int_equal(c->category[1].policy.action, MOAT_ACTION_DROP);
	assert_int_equal(c->category[1].policy.flags, 0);
	assert_null(c->category[1].ports);
	assert_string_equal(c->category[2].name, "mid");
}

static void all_62_categories_fit(void **state)
{
	char text[8192] = INTERFACES "categories:\n";
	_cleanup_(config_freep) struct config *c = NULL;

	(void)state;
	for (int i = 0; i < CONFIG_CATEGORIES_MAX; i++) {
		size_t size = strlen(text);

		snprintf(text + size, sizeof(text) - size, "  c%d: { action: drop }\n", i);
	}
	c = parse(text);
	assert_int_equal(c->categories, 62);
}

static void a_tag_sets_mark_and_dscp(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(INTERFACES "categories:\n"
				 "  both: { action: tag, mark: 0x10, dscp: 8 }\n"
				 "  mark: { action: tag, mark: 4294967295 }\n"
				 "  dscp: { action: tag, dscp: 0 }\n"
				 "  zero: { action: tag, mark: 0, dscp: 63 }\n");
	const struct moat_policy *p = &category(c, "both")->policy;

	(void)state;
	assert_int_equal(p->action, MOAT_ACTION_TAG);
	assert_int_equal(p->flags, MOAT_POLICY_MARK | MOAT_POLICY_DSCP);
	assert_int_equal(p->mark, 16);
	assert_int_equal(p->dscp, 8);
	p = &category(c, "mark")->policy;
	assert_int_equal(p->flags, MOAT_POLICY_MARK);
	assert_true(p->mark == UINT32_MAX);
	p = &category(c, "dscp")->policy;
	assert_int_equal(p->flags, MOAT_POLICY_DSCP);
	assert_int_equal(p->dscp, 0);
	p = &category(c, "zero")->policy; /* mark 0 is not set */
	assert_int_equal(p->flags, MOAT_POLICY_DSCP);
	assert_int_equal(p->dscp, 63);
}

static void shared_addresses_are_a_tag_in_place_of_a_drop(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(INTERFACES "categories:\n"
				 "  cgnat: { action: shared, mark: 0x20, dscp: 8 }\n"
				 "  mobile: { action: shared, dscp: 0 }\n");
	const struct moat_policy *p = &category(c, "cgnat")->policy;

	(void)state;
	assert_int_equal(p->action, MOAT_ACTION_TAG);
	assert_int_equal(p->flags, MOAT_POLICY_SHARED | MOAT_POLICY_MARK | MOAT_POLICY_DSCP);
	assert_int_equal(p->mark, 0x20);
	assert_int_equal(p->dscp, 8);
	p = &category(c, "mobile")->policy;
	assert_int_equal(p->flags, MOAT_POLICY_SHARED | MOAT_POLICY_DSCP);
}

static void a_category_asks_for_one_feed_or_for_as_many_as_k_of_says(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(INTERFACES "categories:\n"
				 "  botnet: { action: drop, k_of: 2 }\n"
				 "  spam: { action: limit, rate: 1pps, k_of: 8 }\n"
				 "  tor: { action: tag, mark: 1 }\n"
				 "  quiet: { action: monitor }\n");

	(void)state;
	assert_int_equal(category(c, "botnet")->k_of, 2);
	assert_int_equal(category(c, "spam")->k_of, 8);
	assert_int_equal(category(c, "tor")->k_of, 1);
	assert_int_equal(category(c, "quiet")->k_of, 1);
	assert_true(c->manual_trusted);
}

static unsigned int protocols_set(const struct moat_policy *p)
{
	unsigned int count = 0;

	for (int i = 0; i < 4; i++)
		count += __builtin_popcountll(p->protocols[i]);
	return count;
}

static bool has_protocol(const struct moat_policy *p, unsigned int number)
{
	return p->protocols[number / 64] >> number % 64 & 1;
}

static unsigned int ports_set(const struct moat_ports *ports)
{
	unsigned int count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ports->set); i++)
		count += __builtin_popcountll(ports->set[i]);
	return count;
}

static bool has_port(const struct moat_ports *ports, unsigned int port)
{
	return ports->set[port / 64] >> port % 64 & 1;
}

static void protocols_have_names_and_numbers(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(INTERFACES
		      "categories:\n"
		      "  named: { action: drop, protocol: [tcp, udp, sctp, dccp, udplite, gre, "
		      "esp, ah] }\n"
		      "  block: { action: drop, protocol: [0, 255] }\n"
		      "  icmp: { action: drop, protocol: icmp }\n"
		      "  icmp6: { action: drop, protocol: 58 }\n"
		      "  icmp4: { action: drop, protocol: 1 }\n");
	static const unsigned int named[] = { 6, 17, 132, 33, 136, 47, 50, 51 };
	static const char *const icmp[] = { "icmp", "icmp6", "icmp4" };
	const struct moat_policy *p = &category(c, "named")->policy;

	(void)state;
	assert_int_equal(p->flags, MOAT_POLICY_PROTOCOLS);
	assert_int_equal(protocols_set(p), ARRAY_SIZE(named));
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		assert_true(has_protocol(p, named[i]));
	p = &category(c, "block")->policy;
	assert_true(has_protocol(p, 0) && has_protocol(p, 255) && protocols_set(p) == 2);
	for (size_t i = 0; i < ARRAY_SIZE(icmp); i++) { /* both ICMPs are set together */
		p = &category(c, icmp[i])->policy;
		assert_true(has_protocol(p, 1) && has_protocol(p, 58) && protocols_set(p) == 2);
	}
}

static void ports_are_single_listed_or_ranges(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(INTERFACES "categories:\n"
				 "  one: { action: drop, protocol: tcp, ports: 22 }\n"
				 "  list: { action: drop, protocol: udp, ports: [1, 65535, 53] }\n"
				 "  range:\n"
				 "    action: drop\n"
				 "    protocol: [tcp, udp]\n"
				 "    ports:\n"
				 "      - 1000-2000\n"
				 "      - 1500-2001\n");
	const struct config_category *k = category(c, "one");

	(void)state;
	assert_int_equal(k->policy.flags, MOAT_POLICY_PROTOCOLS | MOAT_POLICY_PORTS);
	assert_true(has_port(k->ports, 22) && ports_set(k->ports) == 1);
	k = category(c, "list");
	assert_true(has_port(k->ports, 1) && has_port(k->ports, 53) && has_port(k->ports, 65535));
	assert_int_equal(ports_set(k->ports), 3);
	k = category(c, "range");
	assert_true(has_port(k->ports, 1000) && has_port(k->ports, 2001));
	assert_int_equal(ports_set(k->ports), 1002);
}

static void ports_without_protocol_mean_the_protocols_with_ports(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(INTERFACES "categories: { web: { action: drop, ports: [80] } }\n");
	const struct moat_policy *p = &c->category[0].policy;

	(void)state;
	assert_int_equal(p->flags, MOAT_POLICY_PROTOCOLS | MOAT_POLICY_PORTS);
	assert_int_equal(protocols_set(p), 5);
	assert_true(has_protocol(p, 6) && has_protocol(p, 17) && has_protocol(p, 132) &&
		    has_protocol(p, 33) && has_protocol(p, 136));
}

static void icmp_types_are_types_or_ports(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(INTERFACES "categories:\n"
				 "  types: { action: drop, protocol: icmp, types: [8, 128] }\n"
				 "  ports: { action: drop, protocol: icmp, ports: 0 }\n");

	(void)state;
	assert_true(has_port(category(c, "types")->ports, 8));
	assert_true(has_port(category(c, "types")->ports, 128));
	assert_int_equal(ports_set(category(c, "types")->ports), 2);
	assert_true(has_port(category(c, "ports")->ports, 0)); /* echo reply */
}

static void limits_become_the_virtual_schedule_of_the_kernel(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(INTERFACES "categories:\n"
				 "  pps: { action: limit, rate: 100pps, burst: 200 }\n"
				 "  bits: { action: limit, rate: 8mbps, burst: 64k }\n"
				 "  gbit: { action: limit, rate: 1000gbps }\n"
				 "  fast: { action: limit, rate: 1gpps }\n");
	const struct moat_policy *p = &category(c, "pps")->policy;

	(void)state;
	assert_int_equal(p->action, MOAT_ACTION_LIMIT);
	assert_int_equal(p->flags, 0);
	assert_true(p->cost == 10000000); /* 10 ms a packet */
	assert_true(p->burst == 2000000000);

	p = &category(c, "bits")->policy;
	assert_int_equal(p->flags, MOAT_POLICY_BITS);
	assert_true(p->cost == 1000ULL << 20); /* 1 us a byte */
	assert_true(p->burst == 64000000);     /* 64 kB at 1 MB/s */

	p = &category(c, "gbit")->policy;
	assert_true(p->cost == 8388); /* 8 ps a byte is 8388.6 of 2^-20 ns */
	assert_true(p->burst == 1000000000);

	p = &category(c, "fast")->policy;
	assert_true(p->cost == 1);
	assert_true(p->burst == 1000000000);
}

static void a_default_burst_is_a_second_and_at_least_a_frame(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(INTERFACES "categories:\n"
				 "  pps: { action: limit, rate: 20kpps }\n"
				 "  slow: { action: limit, rate: 1pps }\n"
				 "  odd: { action: limit, rate: 3pps }\n"
				 "  bits: { action: limit, rate: 1mbps }\n"
				 "  modem: { action: limit, rate: 1kbps }\n");
	const struct moat_policy *p = &category(c, "modem")->policy;

	(void)state;
	assert_true(category(c, "pps")->policy.burst == 1000000000);
	assert_true(category(c, "slow")->policy.burst == 1000000000);
	assert_true(category(c, "odd")->policy.burst == 3 * category(c, "odd")->policy.cost);
	assert_true(category(c, "bits")->policy.burst == 1000000000);
	/* A second of 1 kbps is 125 bytes: no frame would ever conform. */
	assert_true(p->burst == CONFIG_BURST_BYTES * 8000000ULL);
	assert_true((p->cost * CONFIG_BURST_BYTES) >> 20 <= p->burst);
}

static void every_limit_lets_its_first_packet_through(void **state)
{
	static const char *const rates[] = { "1pps",  "7pps",  "999999999pps", "1000bps",
					     "9kbps", "3mbps", "77gbps",       "1000gbps" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		_cleanup_(config_freep) struct config *c = NULL;
		const struct moat_policy *p;
		char text[256];
		uint64_t cost;

		snprintf(text, sizeof(text),
			 INTERFACES "categories: { a: { action: limit, rate: %s } }\n", rates[i]);
		c = parse(text);
		p = &c->category[0].policy;
		cost = p->flags & MOAT_POLICY_BITS ? (p->cost * CONFIG_BURST_BYTES) >> 20 : p->cost;
		assert_true(cost > 0 && cost <= p->burst);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(categories_keep_the_order_of_the_file),
		cmocka_unit_test(all_62_categories_fit),
		cmocka_unit_test(a_tag_sets_mark_and_dscp),
		cmocka_unit_test(shared_addresses_are_a_tag_in_place_of_a_drop),
		cmocka_unit_test(a_category_asks_for_one_feed_or_for_as_many_as_k_of_says),
		cmocka_unit_test(protocols_have_names_and_numbers),
		cmocka_unit_test(ports_are_single_listed_or_ranges),
		cmocka_unit_test(ports_without_protocol_mean_the_protocols_with_ports),
		cmocka_unit_test(icmp_types_are_types_or_ports),
		cmocka_unit_test(limits_become_the_virtual_schedule_of_the_kernel),
		cmocka_unit_test(a_default_burst_is_a_second_and_at_least_a_frame),
		cmocka_unit_test(every_limit_lets_its_first_packet_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
