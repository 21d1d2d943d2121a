/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events as people and machines read them: what the first bytes of a frame
 * tell, and the JSON of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/event.h"

/* Ethernet, IPv4 198.51.100.7 -> 192.0.2.1, TCP 40000 -> 22 */
static const uint8_t tcp4[] = {
	2,    0,    0, 0,  0, 1, 2, 0, 0,  0, 0, 2, 0x08, 0x00,			      /**/
	0x45, 0,    0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 198,  51,	100, 7, 192, 0, 2, 1, /**/
	0x9c, 0x40, 0, 22, 0, 0, 0, 0,
};

static struct moat_event event_of(const uint8_t *frame, size_t size)
{
	struct moat_event e = {
		.length = (uint32_t)size,
		.verdict = MOAT_VERDICT_DROP,
		.reason = MOAT_LISTED,
		.category = 1,
		.matched = 24,
		.ip = 14,
		.size = (uint8_t)size,
	};

	memcpy(e.head, frame, size);
	return e;
}

static const struct event_names names = {
	.second = "2026-11-23T11:00:00Z",
	.micros = 1023,
	.iface = "eth0",
	.family = "ipv4",
	.protocol = "tcp",
	.verdict = "drop",
	.reason = "listed",
	.category = "botnet",
};

static void an_event_is_one_json_object(void **state)
{
	struct moat_event e = event_of(tcp4, sizeof(tcp4));
	struct event_packet packet;
	char text[EVENT_JSON_MAX];
	size_t size;

	(void)state;
	event_parse(&e, &packet);
	size = event_json(&e, &packet, &names, false, text);
	assert_int_equal(size, strlen(text));
	assert_string_equal(text,
			    "{\"time\":\"2026-11-23T11:00:00.001023Z\",\"iface\":\"eth0\","
			    "\"family\":\"ipv4\",\"source\":\"198.51.100.7\","
			    "\"destination\":\"192.0.2.1\",\"protocol\":\"tcp\",\"source_port\":40000,"
			    "\"destination_port\":22,\"length\":42,\"verdict\":\"drop\","
			    "\"reason\":\"listed\",\"category\":\"botnet\","
			    "\"listed\":\"198.51.100.0/24\"}");
	event_json(&e, &packet, &names, true, text);
	assert_non_null(strstr(text, ",\"bytes\":\"AgAAAAABAgAAAAACCABFAAAoAAAAAEAGAADGM2QHwAACAZxA"
				     "ABYAAAAA\"}"));
}

static void names_of_any_bytes_make_valid_json(void **state)
{
	struct event_names odd = names;
	struct moat_event e = event_of(tcp4, 14);
	struct event_packet packet;
	char text[EVENT_JSON_MAX];

	(void)state;
	odd.iface = "a\"b\\\001\377";
	odd.category = "";
	e.reason = MOAT_TRUNCATED;
	event_parse(&e, &packet);
	assert_int_equal(packet.known, EVENT_NOTHING);
	event_json(&e, &packet, &odd, false, text);
	assert_non_null(strstr(text, "\"iface\":\"a\\u0022b\\u005c\\u0001\\u00ff\""));
	assert_null(strstr(text, "source"));
	assert_null(strstr(text, "category"));
}

static void what_is_cut_is_left_out(void **state)
{
	struct moat_event e = event_of(tcp4, sizeof(tcp4));
	struct event_packet packet;

	(void)state;
	for (size_t size = 0; size <= sizeof(tcp4); size++) {
		enum event_known want = size < 34   ? EVENT_NOTHING
					: size < 38 ? EVENT_PROTOCOL
						    : EVENT_PORTS;

		e.size = (uint8_t)size;
		event_parse(&e, &packet);
		assert_int_equal(packet.known, want);
	}
	e.ip = 200; /* behind what there is */
	event_parse(&e, &packet);
	assert_int_equal(packet.known, EVENT_NOTHING);
}

static void a_later_fragment_has_no_ports(void **state)
{
	struct moat_event e = event_of(tcp4, sizeof(tcp4));
	struct event_packet packet;

	(void)state;
	e.head[14 + 7] = 3;
	event_parse(&e, &packet);
	assert_int_equal(packet.known, EVENT_PROTOCOL);
	assert_int_equal(packet.protocol, 6);
}

/* Hop-by-hop options, a first fragment, then ICMPv6 echo. */
static void extension_headers_lead_to_the_transport(void **state)
{
	static const uint8_t icmp6[] = {
		0x60, 0, 0,    0,    0, 24, 0, 64,			   /**/
		0x20, 1, 0x0d, 0xb8, 0, 0,  0, 0,  0, 0, 0, 0, 0, 0, 0, 7, /**/
		0x20, 1, 0x0d, 0xb8, 0, 0,  0, 0,  0, 0, 0, 0, 0, 0, 0, 1, /**/
		44,   0, 0,    0,    0, 0,  0, 0,			   /**/
		58,   9, 0,    1,    0, 0,  0, 0,			   /**/
		128,  0, 0,    0,
	};
	struct moat_event e = event_of(icmp6, sizeof(icmp6));
	struct event_packet packet;
	char text[EVENT_JSON_MAX];

	(void)state;
	e.family = MOAT_IPV6;
	e.ip = 0;
	event_parse(&e, &packet);
	assert_int_equal(packet.known, EVENT_PORTS);
	assert_true(packet.icmp);
	event_json(&e, &packet, &names, false, text);
	assert_non_null(strstr(text, "\"source\":\"2001:db8::7\",\"destination\":\"2001:db8::1\""));
	assert_non_null(strstr(text, "\"type\":128,\"code\":0,"));
	assert_non_null(strstr(text, "\"listed\":\"2001:d00::/24\""));

	e.head[48 + 3] = 8; /* a later one */
	event_parse(&e, &packet);
	assert_int_equal(packet.known, EVENT_PROTOCOL);
}

static void the_largest_event_fits(void **state)
{
	static const char all[] =
		"\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377"
		"\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377";
	struct event_names large = names;
	struct moat_event e = event_of(tcp4, sizeof(tcp4));
	struct event_packet packet;
	char text[EVENT_JSON_MAX];
	size_t size;

	(void)state;
	large.iface = large.category = large.reason = large.protocol = all;
	e.size = MOAT_EVENT_HEAD;
	e.length = UINT32_MAX;
	event_parse(&e, &packet);
	size = event_json(&e, &packet, &large, true, text);
	assert_in_range(size, 1, EVENT_JSON_MAX - 2);
	assert_string_equal(text + size - 2, "\"}");
}

static void an_event_out_of_range_is_not_sound(void **state)
{
	struct moat_event e = event_of(tcp4, sizeof(tcp4));

	(void)state;
	assert_true(event_is_sound(&e));
	e.size = MOAT_EVENT_HEAD + 1;
	assert_false(event_is_sound(&e));
	e.size = 0;
	e.category = 64;
	assert_false(event_is_sound(&e));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_is_one_json_object),
		cmocka_unit_test(names_of_any_bytes_make_valid_json),
		cmocka_unit_test(what_is_cut_is_left_out),
		cmocka_unit_test(a_later_fragment_has_no_ports),
		cmocka_unit_test(extension_headers_lead_to_the_transport),
		cmocka_unit_test(the_largest_event_fits),
		cmocka_unit_test(an_event_out_of_range_is_not_sound),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
