/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng, block by block, as the specification draws them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/pcapng.h"

static uint8_t block[PCAPNG_BLOCK_MAX];

static uint32_t word(size_t at)
{
	uint32_t value;

	memcpy(&value, block + at, sizeof(value));
	return value;
}

static uint16_t half(size_t at)
{
	uint16_t value;

	memcpy(&value, block + at, sizeof(value));
	return value;
}

/* Every block: type, its length at both ends, a multiple of four. */
static void assert_block(size_t size, uint32_t type)
{
	assert_int_equal(word(0), type);
	assert_int_equal(size % 4, 0);
	assert_int_equal(word(4), size);
	assert_int_equal(word(size - 4), size);
}

/* Where the value of an option begins, from the first option on; 0: it is not there. */
static size_t option(size_t first, uint16_t code, size_t *ret_size)
{
	size_t at = first;

	while (half(at)) {
		if (half(at) == code) {
			*ret_size = half(at + 2);
			return at + 4;
		}
		at += 4 + (half(at + 2) + 3U) / 4 * 4;
	}
	assert_int_equal(half(at + 2), 0);
	return 0;
}

static void assert_text(size_t first, uint16_t code, const char *text)
{
	size_t size, at = option(first, code, &size);

	assert_true(at);
	assert_int_equal(size, strlen(text));
	assert_memory_equal(block + at, text, size);
}

static void a_section_says_its_byte_order_and_who_wrote_it(void **state)
{
	const struct pcapng_section s = { "x86_64", "Linux 6.1", "moatctl" };
	const int64_t unknown = -1;
	size_t size = pcapng_section(block, &s);

	(void)state;
	assert_block(size, 0x0A0D0D0A);
	assert_int_equal(word(8), 0x1A2B3C4D);
	assert_int_equal(half(12), 1);
	assert_int_equal(half(14), 0);
	assert_memory_equal(block + 16, &unknown, sizeof(unknown));
	assert_text(24, 2, "x86_64");
	assert_text(24, 3, "Linux 6.1");
	assert_text(24, 4, "moatctl");
}

static void what_is_not_said_takes_no_room(void **state)
{
	const struct pcapng_section s = { .os = "" };

	(void)state;
	assert_int_equal(pcapng_section(block, &s), 32); /* the end of options, the length */
	assert_block(32, 0x0A0D0D0A);
}

static void an_interface_has_its_name_and_counts_in_nanoseconds(void **state)
{
	const struct pcapng_interface i = { "eth0", "XDP", PCAPNG_LINK_ETHERNET, 128 };
	size_t size = pcapng_interface(block, &i), at, length;

	(void)state;
	assert_block(size, 1);
	assert_int_equal(half(8), 1);
	assert_int_equal(word(12), 128);
	assert_text(16, 2, "eth0");
	assert_text(16, 3, "XDP");
	at = option(16, 9, &length);
	assert_int_equal(length, 1);
	assert_int_equal(block[at], 9);
}

static void a_packet_keeps_its_length_on_the_wire(void **state)
{
	const uint8_t bytes[5] = { 1, 2, 3, 4, 5 };
	const struct pcapng_packet p = {
		.interface = 3,
		.time_ns = 0x0102030405060708,
		.bytes = bytes,
		.size = sizeof(bytes),
		.length = 1500,
		.note = "why",
		.direction = PCAPNG_INBOUND,
		.dropped = 7,
		.xdp_verdict = 1,
	};
	const uint8_t verdict[9] = { 2, 1 };
	size_t size = pcapng_packet(block, &p), at, length;

	(void)state;
	assert_block(size, 6);
	assert_int_equal(word(8), 3);
	assert_int_equal(word(12), 0x01020304);
	assert_int_equal(word(16), 0x05060708);
	assert_int_equal(word(20), 5);
	assert_int_equal(word(24), 1500);
	assert_memory_equal(block + 28, bytes, 5);
	assert_memory_equal(block + 33, "\0\0", 3);
	assert_text(36, 1, "why");
	at = option(36, 2, &length);
	assert_int_equal(word(at), 1);
	at = option(36, 4, &length);
	assert_int_equal(length, 8);
	assert_int_equal(word(at), 7);
	at = option(36, 7, &length);
	assert_int_equal(length, 9);
	assert_memory_equal(block + at, verdict, 9); /* of a little-endian host */
}

static void a_packet_of_which_nothing_is_known_is_still_a_packet(void **state)
{
	const struct pcapng_packet p = { .length = 60, .xdp_verdict = -1 };
	size_t size = pcapng_packet(block, &p), length;

	(void)state;
	assert_block(size, 6);
	assert_int_equal(word(20), 0);
	assert_int_equal(word(24), 60);
	for (uint16_t code = 1; code < 8; code++)
		assert_int_equal(option(28, code, &length), 0);
}

static void what_is_too_long_is_cut_where_a_character_ends(void **state)
{
	static uint8_t huge[PCAPNG_PACKET_MAX + 1];
	char note[PCAPNG_TEXT_MAX + 8];
	const struct pcapng_packet p = { .bytes = huge,
					 .size = sizeof(huge),
					 .length = sizeof(huge),
					 .note = note,
					 .xdp_verdict = 1,
					 .dropped = 1,
					 .direction = PCAPNG_INBOUND };
	size_t size, length;

	(void)state;
	memset(note, 'x', PCAPNG_TEXT_MAX - 1);
	snprintf(note + PCAPNG_TEXT_MAX - 1, 8, "\xe2\x82\xacz"); /* would be cut in two */
	size = pcapng_packet(block, &p);
	assert_block(size, 6);
	assert_true(size <= PCAPNG_BLOCK_MAX);
	assert_int_equal(word(20), PCAPNG_PACKET_MAX);
	assert_int_equal(word(24), PCAPNG_PACKET_MAX + 1);
	assert_true(option(28 + PCAPNG_PACKET_MAX, 1, &length));
	assert_int_equal(length, PCAPNG_TEXT_MAX - 1);
}

static void statistics_add_up(void **state)
{
	const struct pcapng_statistics s = {
		.interface = 1, .start_ns = 5, .end_ns = 0x100000006, .delivered = 40, .dropped = 2
	};
	size_t size = pcapng_statistics(block, &s), length;

	(void)state;
	assert_block(size, 5);
	assert_int_equal(word(8), 1);
	assert_int_equal(word(12), 1);
	assert_int_equal(word(16), 6);
	assert_int_equal(word(option(20, 2, &length) + 4), 5);
	assert_int_equal(word(option(20, 3, &length)), 1);
	assert_int_equal(word(option(20, 4, &length)), 42);
	assert_int_equal(word(option(20, 5, &length)), 2);
	assert_int_equal(word(option(20, 8, &length)), 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_section_says_its_byte_order_and_who_wrote_it),
		cmocka_unit_test(what_is_not_said_takes_no_room),
		cmocka_unit_test(an_interface_has_its_name_and_counts_in_nanoseconds),
		cmocka_unit_test(a_packet_keeps_its_length_on_the_wire),
		cmocka_unit_test(a_packet_of_which_nothing_is_known_is_still_a_packet),
		cmocka_unit_test(what_is_too_long_is_cut_where_a_character_ends),
		cmocka_unit_test(statistics_add_up),
	};

	return cmocka_run_group_tests_name("core pcapng", tests, NULL, NULL);
}
