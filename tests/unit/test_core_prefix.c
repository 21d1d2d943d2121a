// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prefixes: what is read, what is refused, and the text that comes back.
 *
 * Oracles: inet_pton() and inet_ntop() of the C library, and sums over single
 * bits that know nothing of bytes and masks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <time.h>

#include "core/prefix.h"

#define ROUND_TRIPS   100000
#define MUTATIONS     300000
#define RATE_PREFIXES 1000000
#define RATE_WANTED   1000000 /* a second; what a start with 1 M rows needs, in any build */

static uint64_t random_state = 0x9e3779b97f4a7c15; /* fixed: a failure repeats */

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Address bytes with runs of zeros and ones, as real ones have. */
static void random_address(uint8_t addr[static 16], size_t size)
{
	memset(addr, 0, 16);
	for (size_t i = 0; i < size; i++) {
		switch (next_random() % 4) {
		case 0:
			addr[i] = next_random();
			break;
		case 1:
			addr[i] = 0xff;
			break;
		}
	}
}

static bool bit(const uint8_t *addr, unsigned int i)
{
	return addr[i / 8] >> (7 - i % 8) & 1;
}

static struct prefix random_prefix(void)
{
	struct prefix p = { .family = next_random() % 2 };
	unsigned int max = p.family == MOAT_IPV4 ? 32 : 128;

	random_address(p.addr, max / 8);
	p.len = next_random() % (max + 1);
	for (unsigned int i = p.len; i < max; i++)
		p.addr[i / 8] &= ~(1 << (7 - i % 8));
	return p;
}

static bool is_mapped(const struct prefix *p)
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	return p->family == MOAT_IPV6 && p->len >= 96 && !memcmp(p->addr, head, sizeof(head));
}

static bool same(const struct prefix *a, const struct prefix *b)
{
	return a->family == b->family && a->len == b->len && !memcmp(a->addr, b->addr, 16);
}

static void good_text_is_read_and_written_canonically(void **state)
{
	static const struct {
		const char *text, *canonical, *cidr;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1", "192.0.2.1/32" },
		{ "192.0.2.1/32", "192.0.2.1", "192.0.2.1/32" },
		{ "192.0.2.0/24", "192.0.2.0/24", "192.0.2.0/24" },
		{ "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0" },
		{ "255.255.255.255", "255.255.255.255", "255.255.255.255/32" },
		{ "::/0", "::/0", "::/0" },
		{ "::", "::", "::/128" },
		{ "::1", "::1", "::1/128" },
		{ "2001:db8::/32", "2001:db8::/32", "2001:db8::/32" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", "2001:db8::1/128" },
		{ "2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1",
		  "2001:db8::1:0:0:1/128" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1/128" },
		{ "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1/128" },
		{ "1:0:0:2:0:0:0:3", "1:0:0:2::3", "1:0:0:2::3/128" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0/128" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8/128" },
		{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221", "64:ff9b::c000:221/128" },
		{ "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304", "1:2:3:4:5:6:102:304/128" },
		{ "fe80::/10", "fe80::/10", "fe80::/10" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" },
	};
	char text[PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix p;

		if (prefix_parse(cases[i].text, &p))
			fail_msg("'%s' is refused", cases[i].text);
		assert_string_equal(prefix_format(&p, text), cases[i].canonical);
		assert_string_equal(prefix_format_cidr(&p, text), cases[i].cidr);
	}
}

/* clang-format off */
static const char *const bad_text[] = {
	"", " ", "x", "/", "/24", ".", ":", "-", "1", "1.2", "1.2.3", "1.2.3.4.5",
	"1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.", "256.1.1.1", "1.2.3.256", "1.2.3.1000",
	"01.2.3.4", "1.2.3.04", "1.2.3.00", "0x1.2.3.4", "1.2.3.4 ", " 1.2.3.4",
	"1.2.3.4\n", "\t1.2.3.4", "+1.2.3.4", "1.2.3.-4", "1.2.3.4/", "1.2.3.4/ 8",
	"1.2.3.4/+8", "1.2.3.4/-1", "1.2.3.4/08", "1.2.3.4/00", "0.0.0.0/00", "1.2.3.4/8 ",
	"1.2.3.4/8/8", "1.2.3.4/255.0.0.0", "1.2.3.4/x", "1.2.3.4-5", "1.2.3.4,5",
	":::", "1:", ":1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7:8",
	"1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
	"1::2:3:4:5:6:7:8", "1::2::3", "::1::", "1:::2", "12345::", "::g", "::-1", "::+1",
	"fe80::1%eth0", "fe80::1%1/64", "[::1]", "::1 ", " ::1", "::1/", "::1/0128",
	"::1/ 64", "::/00", "::1.2.3", "::1.2.3.4.5", "::1.2.3.04", "::1.2.3.256",
	"::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "1.2.3.4::", "::ffff:1.2.3", "localhost",
	"2001:db8::1\n", "0:0:0:0:0:0:0:00001",
};
/* clang-format on */

static void bad_text_is_refused_and_leaves_the_result_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_text); i++) {
		struct prefix p = { .family = 7 };

		if (prefix_parse(bad_text[i], &p) != -EINVAL || p.family != 7)
			fail_msg("'%s' is not refused as it should be", bad_text[i]);
	}
}

static void a_length_out_of_range_is_told_apart(void **state)
{
	static const char *const bad[] = {
		"1.2.3.4/33", "1.2.3.4/100", "0.0.0.0/4294967296", "1.2.3.4/99999999999999999999",
		"::/129",     "::/256",	     "::ffff:1.2.3.4/129"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct prefix p = { .family = 7 };

		assert_int_equal(prefix_parse(bad[i], &p), -ERANGE);
		assert_int_equal(p.family, 7);
	}
}

static void bits_behind_the_length_are_told_with_the_masked_prefix(void **state)
{
	static const struct {
		const char *text, *masked;
	} cases[] = {
		{ "192.0.2.1/24", "192.0.2.0/24" },
		{ "192.0.2.1/31", "192.0.2.0/31" },
		{ "255.255.255.255/0", "0.0.0.0/0" },
		{ "10.1.2.3/9", "10.0.0.0/9" },
		{ "2001:db8::1/127", "2001:db8::/127" },
		{ "2001:db8::1/32", "2001:db8::/32" },
		{ "ffff::/15", "fffe::/15" },
		{ "::ffff:1.2.3.4/120", "1.2.3.0/24" },
		{ "::ffff:1.2.3.4/64", "::/64" },
		{ "::1/0", "::/0" },
	};
	char text[PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix p;

		assert_int_equal(prefix_parse(cases[i].text, &p), -EDOM);
		assert_string_equal(prefix_format(&p, text), cases[i].masked);
	}
}

static void ipv4_mapped_addresses_become_ipv4(void **state)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{ "::ffff:1.2.3.4", "1.2.3.4" },
		{ "::ffff:102:304", "1.2.3.4" },
		{ "0:0:0:0:0:ffff:1.2.3.4/128", "1.2.3.4" },
		{ "::ffff:1.2.3.0/120", "1.2.3.0/24" },
		{ "::FFFF:0:0/96", "0.0.0.0/0" },
		{ "::fffe:0:0/95", "::fffe:0:0/95" }, /* shorter: not IPv4 alone */
		{ "::1.2.3.4", "::102:304" },	      /* compatible, not mapped */
		{ "::ffff:0:1.2.3.4", "::ffff:0:102:304" },
		{ "1::ffff:1.2.3.4", "1::ffff:102:304" },
	};
	char text[PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct prefix p;

		assert_int_equal(prefix_parse(cases[i].text, &p), 0);
		assert_string_equal(prefix_format(&p, text), cases[i].canonical);
	}
}

static void random_prefixes_survive_the_way_through_text(void **state)
{
	char text[PREFIX_TEXT_MAX], cidr[PREFIX_TEXT_MAX];

	(void)state;
	for (int i = 0; i < ROUND_TRIPS; i++) {
		struct prefix p = random_prefix(), back;

		if (is_mapped(&p))
			continue;
		if (prefix_parse(prefix_format(&p, text), &back) || !same(&p, &back))
			fail_msg("'%s' does not come back", text);
		if (prefix_parse(prefix_format_cidr(&p, cidr), &back) || !same(&p, &back))
			fail_msg("'%s' does not come back", cidr);
		assert_true(strlen(cidr) < PREFIX_TEXT_MAX);
	}
}

static void random_hosts_are_written_as_the_c_library_does(void **state)
{
	static const uint8_t compatible[12];
	char text[PREFIX_TEXT_MAX], expect[INET6_ADDRSTRLEN];

	(void)state;
	for (int i = 0; i < ROUND_TRIPS; i++) {
		struct prefix p = { .family = next_random() % 2 };

		p.len = prefix_max(p.family);
		random_address(p.addr, p.len / 8);
		/* There inet_ntop() writes dotted quads, which RFC 5952 does not ask for. */
		if (is_mapped(&p) || (p.family == MOAT_IPV6 && !memcmp(p.addr, compatible, 12)))
			continue;
		inet_ntop(p.family == MOAT_IPV4 ? AF_INET : AF_INET6, p.addr, expect,
			  sizeof(expect));
		assert_string_equal(prefix_format(&p, text), expect);
	}
}

/* The address as 16 bytes, IPv4 mapped, as inet_pton() reads it. */
static bool oracle_parse(const char *text, uint8_t ret[static 16])
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET6, text, ret) == 1)
		return true;
	memcpy(ret, head, sizeof(head));
	return inet_pton(AF_INET, text, ret + 12) == 1;
}

static void mutated_text_is_accepted_exactly_when_the_c_library_does(void **state)
{
	static const char alphabet[] = "0123456789abcdefABF:::..g %";
	unsigned int accepted = 0;

	(void)state;
	for (int i = 0; i < MUTATIONS; i++) {
		struct prefix p = random_prefix(), got = {};
		uint8_t expect[16], mine[16] = { [10] = 0xff, [11] = 0xff };
		char text[PREFIX_TEXT_MAX];
		bool good;

		p.len = prefix_max(p.family);
		prefix_format(&p, text);
		for (unsigned int n = next_random() % 3; n; n--) {
			size_t at = next_random() % strlen(text);

			if (next_random() % 3)
				text[at] = alphabet[next_random() % (sizeof(alphabet) - 1)];
			else if (strlen(text) > 2)
				memmove(text + at, text + at + 1, strlen(text + at));
		}
		good = oracle_parse(text, expect);
		if (!prefix_parse(text, &got) != good)
			fail_msg("'%s' is %s", text, good ? "refused" : "accepted");
		if (!good)
			continue;
		accepted++;
		memcpy(got.family == MOAT_IPV4 ? mine + 12 : mine, got.addr,
		       got.family == MOAT_IPV4 ? 4 : 16);
		if (memcmp(mine, expect, 16))
			fail_msg("'%s' is read as another address", text);
	}
	assert_true(accepted > MUTATIONS / 10 && accepted < MUTATIONS * 9 / 10);
}

/* Bit by bit: a covers b if it is no longer and agrees with it that far. */
static bool oracle_covers(const struct prefix *a, const struct prefix *b)
{
	if (a->family != b->family || a->len > b->len)
		return false;
	for (unsigned int i = 0; i < a->len; i++) {
		if (bit(a->addr, i) != bit(b->addr, i))
			return false;
	}
	return true;
}

static void covering_agrees_with_a_comparison_bit_by_bit(void **state)
{
	unsigned int covered = 0;

	(void)state;
	for (int i = 0; i < ROUND_TRIPS; i++) {
		struct prefix b = random_prefix();
		struct prefix a = next_random() % 2 ? random_prefix() : b;

		if (next_random() % 2)
			a = prefix_shorten(&a, next_random() % (a.len + 1));
		if (next_random() % 4 == 0 && a.len)
			a.addr[(a.len - 1) / 8] ^= 1 << (7 - (a.len - 1) % 8);
		assert_int_equal(prefix_covers(&a, &b), oracle_covers(&a, &b));
		covered += prefix_covers(&a, &b);
		/* The order that the gate's binary search rests on. */
		if (prefix_covers(&a, &b) && !same(&a, &b))
			assert_true(prefix_compare(&a, &b) < 0);
	}
	assert_true(covered > ROUND_TRIPS / 10);
}

static void the_order_is_total(void **state)
{
	(void)state;
	for (int i = 0; i < ROUND_TRIPS; i++) {
		struct prefix a = random_prefix(), b = random_prefix(), c = random_prefix();

		assert_int_equal(prefix_compare(&a, &b) < 0, prefix_compare(&b, &a) > 0);
		assert_int_equal(prefix_compare(&a, &b) == 0, same(&a, &b));
		if (prefix_compare(&a, &b) <= 0 && prefix_compare(&b, &c) <= 0)
			assert_true(prefix_compare(&a, &c) <= 0);
	}
}

static void masking_clears_what_is_behind_the_length_and_nothing_else(void **state)
{
	(void)state;
	for (int i = 0; i < ROUND_TRIPS; i++) {
		struct prefix p = { .family = next_random() % 2 }, masked;
		unsigned int max = prefix_max(p.family);

		random_address(p.addr, max / 8);
		p.len = next_random() % (max + 1);
		masked = p;
		prefix_mask(&masked);
		for (unsigned int n = 0; n < 128; n++)
			assert_int_equal(bit(masked.addr, n), n < p.len && bit(p.addr, n));
	}
}

static void shortening_gives_the_prefix_that_covers(void **state)
{
	(void)state;
	for (int i = 0; i < ROUND_TRIPS; i++) {
		struct prefix p = random_prefix();
		uint8_t len = next_random() % (p.len + 1);
		struct prefix s = prefix_shorten(&p, len);

		assert_int_equal(s.len, len);
		assert_true(oracle_covers(&s, &p));
		for (unsigned int n = len; n < 128; n++)
			assert_false(bit(s.addr, n));
	}
}

static void keys_of_the_maps_are_in_network_order(void **state)
{
	struct moat_key4 key4;
	struct moat_key6 key6;
	struct prefix p, back;

	(void)state;
	assert_int_equal(prefix_parse("192.0.2.0/24", &p), 0);
	key4 = prefix_key4(&p);
	assert_int_equal(key4.len, 24);
	assert_int_equal(ntohl(key4.addr), 0xc0000200);
	back = prefix_from_key4(&key4);
	assert_true(same(&p, &back));

	assert_int_equal(prefix_parse("2001:db8:1:2:3:4:5:6", &p), 0);
	key6 = prefix_key6(&p);
	assert_int_equal(key6.len, 128);
	assert_int_equal(ntohl(key6.addr[0]), 0x20010db8);
	assert_int_equal(ntohl(key6.addr[3]), 0x00050006);
	back = prefix_from_key6(&key6);
	assert_true(same(&p, &back));
}

static void masks_of_lengths_select_the_bits_of_the_prefix(void **state)
{
	(void)state;
	for (uint8_t family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		for (unsigned int len = 0; len <= prefix_max(family); len++) {
			struct moat_length mask = prefix_length_mask(family, len);

			assert_int_equal(mask.len, len);
			for (unsigned int n = 0; n < 128; n++)
				assert_int_equal(bit((const uint8_t *)mask.mask, n), n < len);
		}
	}
}

static void a_million_rows_are_read_within_a_second(void **state)
{
	static const char *const rows[] = { "203.0.113.77", "198.51.100.0/24", "2001:db8:17::1",
					    "2001:db8:1234:5678:9abc:def0:1234:5678/128" };
	struct timespec begin, end;
	double seconds;

	(void)state;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (int i = 0; i < RATE_PREFIXES; i++) {
		struct prefix p;

		assert_int_equal(prefix_parse(rows[i % ARRAY_SIZE(rows)], &p), 0);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	seconds = (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9;
	print_message("prefix_parse: %.1f M/s\n", RATE_PREFIXES / seconds / 1e6);
	assert_true(RATE_PREFIXES / seconds >= RATE_WANTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_text_is_read_and_written_canonically),
		cmocka_unit_test(bad_text_is_refused_and_leaves_the_result_alone),
		cmocka_unit_test(a_length_out_of_range_is_told_apart),
		cmocka_unit_test(bits_behind_the_length_are_told_with_the_masked_prefix),
		cmocka_unit_test(ipv4_mapped_addresses_become_ipv4),
		cmocka_unit_test(random_prefixes_survive_the_way_through_text),
		cmocka_unit_test(random_hosts_are_written_as_the_c_library_does),
		cmocka_unit_test(mutated_text_is_accepted_exactly_when_the_c_library_does),
		cmocka_unit_test(covering_agrees_with_a_comparison_bit_by_bit),
		cmocka_unit_test(the_order_is_total),
		cmocka_unit_test(masking_clears_what_is_behind_the_length_and_nothing_else),
		cmocka_unit_test(shortening_gives_the_prefix_that_covers),
		cmocka_unit_test(keys_of_the_maps_are_in_network_order),
		cmocka_unit_test(masks_of_lengths_select_the_bits_of_the_prefix),
		cmocka_unit_test(a_million_rows_are_read_within_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
