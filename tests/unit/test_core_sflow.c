/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sFlow datagrams, byte by byte as the memos have them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/sflow.h"

static uint32_t read32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static struct sflow_agent agent_of(const char *address)
{
	struct sflow_agent agent = { .sequence = 41 };

	assert_int_equal(prefix_parse(address, &agent.address), 0);
	return agent;
}

static void a_datagram_is_what_the_memos_say(void **state)
{
	static const uint8_t head[] = { 0xde, 0xad, 0xbe, 0xef, 0x42 };
	static const uint8_t want[] = {
		0,    0,    0,	  5,			/* version */
		0,    0,    0,	  1,	192,  0, 2, 10, /* agent, IPv4 */
		0,    0,    0,	  0,			/* sub agent */
		0,    0,    0,	  41,			/* sequence */
		0,    0,    0x27, 0x10,			/* uptime */
		0,    0,    0,	  1,			/* samples */
		0,    0,    0,	  5,			/* discarded_packet */
		0,    0,    0,	  64,			/* its length */
		0,    0,    0,	  7,			/* sequence of the source */
		0,    0,    0,	  0,	0,    0, 0, 3,	/* source: interface 3 */
		0,    0,    0x01, 0x00,			/* drops */
		0,    0,    0,	  3,	0,    0, 0, 0,	/* input, output */
		0,    0,    1,	  2,			/* reason: acl */
		0,    0,    0,	  1,			/* records */
		0,    0,    0,	  1,			/* raw header */
		0,    0,    0,	  24,			/* its length */
		0,    0,    0,	  1,			/* Ethernet */
		0,    0,    5,	  0xee,			/* frame: 1514 and its FCS */
		0,    0,    0,	  4,			/* stripped */
		0,    0,    0,	  5,			/* bytes of it */
		0xde, 0xad, 0xbe, 0xef, 0x42, 0, 0, 0,
	};
	struct sflow_agent agent = agent_of("192.0.2.10");
	const struct sflow_discard discard = {
		.sequence = 7,
		.drops = 256,
		.ifindex = 3,
		.reason = sflow_reason(MOAT_LISTED),
		.length = 1514,
		.head = head,
		.size = sizeof(head),
	};
	struct sflow_datagram d;

	(void)state;
	sflow_begin(&d, &agent, 10000);
	assert_true(sflow_add(&d, &discard));
	sflow_end(&d);
	assert_int_equal(d.size, sizeof(want));
	assert_memory_equal(d.data, want, sizeof(want));
	assert_int_equal(agent.sequence, 42);
}

static void an_agent_may_be_an_ipv6_address(void **state)
{
	struct sflow_agent agent = agent_of("2001:db8::a");
	struct sflow_datagram d;

	(void)state;
	sflow_begin(&d, &agent, 1);
	sflow_end(&d);
	assert_int_equal(d.size, 40);
	assert_int_equal(read32(d.data + 4), 2);
	assert_memory_equal(d.data + 8, agent.address.addr, 16);
}

static void reasons_are_those_of_the_memo(void **state)
{
	(void)state;
	assert_int_equal(sflow_reason(MOAT_LISTED), 258);
	assert_int_equal(sflow_reason(MOAT_LIMIT), 261);
	assert_int_equal(sflow_reason(MOAT_BAD_HEADER), 275);
	assert_int_equal(sflow_reason(MOAT_EXT_DEPTH), 256);
}

/* Walks the samples by their lengths; each must end where the next begins, the last at the end. */
static void a_datagram_is_full_before_it_is_too_long(void **state)
{
	static uint8_t head[MOAT_EVENT_HEAD + 8];
	struct sflow_agent agent = agent_of("192.0.2.10");

	(void)state;
	for (uint32_t size = 0; size <= sizeof(head); size++) {
		struct sflow_discard discard = { .head = head, .size = size, .length = size };
		struct sflow_datagram d;
		uint32_t at = 28, samples = 0;

		sflow_begin(&d, &agent, 0);
		while (sflow_add(&d, &discard))
			discard.sequence++;
		sflow_end(&d);
		assert_in_range(d.size, SFLOW_DATAGRAM - 210, SFLOW_DATAGRAM);
		assert_int_equal(read32(d.data + 24), discard.sequence);
		for (; at < d.size; samples++) {
			assert_int_equal(read32(d.data + at), 5);
			assert_int_equal(read32(d.data + at + 8), samples);
			at += 8 + read32(d.data + at + 4);
		}
		assert_int_equal(at, d.size);
		assert_int_equal(samples, discard.sequence);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_is_what_the_memos_say),
		cmocka_unit_test(an_agent_may_be_an_ipv6_address),
		cmocka_unit_test(reasons_are_those_of_the_memo),
		cmocka_unit_test(a_datagram_is_full_before_it_is_too_long),
	};

	return cmocka_run_group_tests_name("sflow", tests, NULL, NULL);
}
