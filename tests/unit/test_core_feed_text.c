// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lists of lines: what a line means, what is left out and why, and when a
 * whole file is not to be trusted.
 */
#include "core_feed_lab.h"

#include <time.h>

#define LIST_MAX   4096
#define RATE_LINES 2000000
#define RATE_PIECE 16384
#define RATE_ONE   1000000 /* lines a second, in any build and on any machine */

struct line {
	const char *text;
	const char *rows; /* "" : none */
	int skip;	  /* -1: nothing is left out */
};

static void check_lines(enum feed_format format, const struct line *lines, size_t count)
{
	struct feed_options o = { .format = format, .whole = true, .now = 1000 };

	for (size_t i = 0; i < count; i++) {
		_cleanup_(lab_done) struct lab l = lab_text(&o, lines[i].text);
		char list[LIST_MAX];

		if (strcmp(lab_list(&l, list, sizeof(list)), lines[i].rows))
			fail_msg("'%s' gives '%s', not '%s'", lines[i].text, list, lines[i].rows);
		if (lab_skips(&l) != (lines[i].skip >= 0) ||
		    (lines[i].skip >= 0 && !l.sum.skipped[lines[i].skip]))
			fail_msg("'%s' is not left out as '%s', or for more", lines[i].text,
				 lines[i].skip < 0 ? "nothing" : feed_skip_label(lines[i].skip));
	}
}

static struct lab plain(const char *text)
{
	struct feed_options o = { .format = FEED_PLAIN };

	return lab_text(&o, text);
}

static struct lab recognised(const char *text)
{
	struct feed_options o = { .format = FEED_AUTO };

	return lab_text(&o, text);
}

static int ignore_row(void *arg, const struct feed_row *row)
{
	(void)arg;
	(void)row;
	return 0;
}

static void a_line_is_an_address_prefix_mask_or_range(void **state)
{
	static const struct line lines[] = {
		{ "192.0.2.1", "192.0.2.1", -1 },
		{ "192.0.2.0/24", "192.0.2.0/24", -1 },
		{ "192.0.2.1/32", "192.0.2.1", -1 },
		{ "2001:db8::1", "2001:db8::1", -1 },
		{ "FE80::/10", "fe80::/10", -1 },
		{ "2001:DB8::/32", "2001:db8::/32", -1 },
		{ "192.0.2.0/255.255.255.0", "192.0.2.0/24", -1 },
		{ "192.0.2.0 255.255.255.128", "192.0.2.0/25", -1 },
		{ "192.0.2.7/255.255.255.255", "192.0.2.7", -1 },
		{ "192.0.2.1-192.0.2.2", "192.0.2.1 192.0.2.2", -1 },
		{ "192.0.2.0 - 192.0.2.7", "192.0.2.0/29", -1 },
		{ "192.0.2.0 -192.0.2.7", "192.0.2.0/29", -1 },
		{ "192.0.2.0- 192.0.2.7", "192.0.2.0/29", -1 },
		{ "192.0.2.9-192.0.2.9", "192.0.2.9", -1 },
		{ "2001:db8::-2001:db8::ffff", "2001:db8::/112", -1 },
		{ "2001:db8:: - 2001:db8::2", "2001:db8::/127 2001:db8::2", -1 },
		{ "1.0.128.0-1.0.196.255", "1.0.128.0/18 1.0.192.0/22 1.0.196.0/24", -1 },
		{ "[2001:db8::1]", "2001:db8::1", -1 },
		{ "fe80::1%eth0", "fe80::1", -1 },
		{ "fe80::%eth0/64", "fe80::/64", -1 },
		{ "2001:db8::192.0.2.1", "2001:db8::c000:201", -1 },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
}

static void what_stands_around_the_target_does_not_matter(void **state)
{
	static const struct line lines[] = {
		{ "", "", -1 },
		{ " \t ", "", -1 },
		{ "# 192.0.2.1", "", -1 },
		{ "; 192.0.2.1", "", -1 },
		{ "// 192.0.2.1", "", -1 },
		{ "  192.0.2.1\t", "192.0.2.1", -1 },
		{ "\xef\xbb\xbf"
		  "192.0.2.1",
		  "192.0.2.1", -1 },
		{ "# joined\n\xef\xbb\xbf"
		  "192.0.2.1",
		  "192.0.2.1", -1 },
		{ "192.0.2.1 # a scanner", "192.0.2.1", -1 },
		{ "192.0.2.1#a scanner", "192.0.2.1", -1 },
		{ "192.0.2.1;a scanner", "192.0.2.1", -1 },
		{ "192.0.2.1//a scanner", "192.0.2.1", -1 },
		{ "192.0.2.1 // a scanner", "192.0.2.1", -1 },
		{ "192.0.2.1,DE,scanner", "192.0.2.1", -1 },
		{ "192.0.2.1\t10", "192.0.2.1", -1 },
		{ "192.0.2.0/24\t64496", "192.0.2.0/24", -1 },
		{ "192.0.2.1 - a remark", "192.0.2.1", -1 },
		{ "192.0.2.1 | 64496 | EXAMPLE", "192.0.2.1", -1 },
		{ "\"192.0.2.1\"", "192.0.2.1", -1 },
		{ "'192.0.2.1'", "192.0.2.1", -1 },
		{ "\"192.0.2.1\",\"a, b\"", "192.0.2.1", -1 },
		{ "IP 192.0.2.1", "192.0.2.1", -1 },
		{ "ip", "", -1 },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
}

static void what_inet_aton_takes_for_octal_hex_or_short_forms_is_refused(void **state)
{
	static const struct line lines[] = {
		{ "010.1.2.3", "", FEED_SKIP_SYNTAX },
		{ "0x0A000001", "", FEED_SKIP_SYNTAX },
		{ "16909060", "", FEED_SKIP_SYNTAX },
		{ "10.1", "", FEED_SKIP_SYNTAX },
		{ "1.2.3.0x4", "", FEED_SKIP_SYNTAX },
		{ "1.2.3", "", FEED_SKIP_SYNTAX },
		{ "1.2.3.256", "", FEED_SKIP_SYNTAX },
		{ "1.2.3.4.5", "", FEED_SKIP_SYNTAX },
		{ "192.0.2.0/024", "", FEED_SKIP_SYNTAX },
		{ "192.0.2.0/", "", FEED_SKIP_SYNTAX },
		{ "192.0.2.0/+24", "", FEED_SKIP_SYNTAX },
		{ "1.2.3.4x", "", FEED_SKIP_SYNTAX },
		{ "\xc2\xa0"
		  "192.0.2.1",
		  "", FEED_SKIP_SYNTAX },
		{ "\xef\xbc\x91.2.3.4", "", FEED_SKIP_SYNTAX }, /* a full-width digit */
		{ "2001:db8:::1", "", FEED_SKIP_SYNTAX },
		{ "::ffff:1.2.3", "", FEED_SKIP_SYNTAX },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
}

static void a_length_or_mask_out_of_range_is_refused_and_so_is_all_of_it(void **state)
{
	static const struct line lines[] = {
		{ "192.0.2.0/33", "", FEED_SKIP_LENGTH },
		{ "2001:db8::/129", "", FEED_SKIP_LENGTH },
		{ "0.0.0.0/0", "", FEED_SKIP_LENGTH },
		{ "::/0", "", FEED_SKIP_LENGTH },
		{ "0.0.0.0-255.255.255.255", "", FEED_SKIP_LENGTH },
		{ "0.0.0.0/0.0.0.0", "", FEED_SKIP_LENGTH },
		{ "192.0.2.0/255.0.255.0", "", FEED_SKIP_LENGTH },
		{ "192.0.2.0 0.0.0.255", "", FEED_SKIP_LENGTH }, /* a wildcard */
		{ "deny ip 192.0.2.0 0.0.0.255 any", "", FEED_SKIP_LENGTH },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
}

static void a_range_that_ends_before_it_begins_is_refused(void **state)
{
	static const struct line lines[] = {
		{ "192.0.2.9-192.0.2.1", "", FEED_SKIP_RANGE },
		{ "2001:db8::9-2001:db8::1", "", FEED_SKIP_RANGE },
		{ "192.0.2.1-2001:db8::1", "", FEED_SKIP_SYNTAX },
		{ "192.0.2.1-9", "", FEED_SKIP_SYNTAX },
		{ "192.0.2.1-192.0.2", "", FEED_SKIP_SYNTAX },
		{ "192.0.2.1 - 192.0.2", "", FEED_SKIP_SYNTAX },
		{ "192.0.2.0/24-192.0.3.0/24", "", FEED_SKIP_SYNTAX },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
}

static void two_columns_of_addresses_are_never_read_as_one_address(void **state)
{
	static const struct line lines[] = {
		{ "16.5.0.0\t16.5.0.255\t24\t116", "", FEED_SKIP_SYNTAX },
		{ "1.0.0.0,1.0.0.255,13335", "", FEED_SKIP_SYNTAX },
		{ "\"1.0.0.0\",\"1.0.0.255\"", "", FEED_SKIP_SYNTAX },
		{ "1.0.0.0 1.0.0.255", "", FEED_SKIP_SYNTAX },
		{ "2001::,2001::ffff,6939", "", FEED_SKIP_SYNTAX },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
}

static void a_port_is_not_widened_to_all_ports(void **state)
{
	static const struct line lines[] = {
		{ "192.0.2.1:443", "", FEED_SKIP_PORT },
		{ "[2001:db8::1]:443", "", FEED_SKIP_PORT },
		{ "192.0.2.1|443", "", FEED_SKIP_PORT },
		{ "2001:db8::1|443", "", FEED_SKIP_PORT },
		{ "192.0.2.1:443/path", "", FEED_SKIP_PORT },
		{ "add web 192.0.2.1,tcp:80", "", FEED_SKIP_PORT },
		{ "access-list a deny tcp host 192.0.2.1 any eq 22", "", FEED_SKIP_PORT },
		{ "access-list a deny tcp host 192.0.2.1 eq 22 any", "", FEED_SKIP_PORT },
		{ "alert tcp 192.0.2.1 any -> $HOME_NET 22 (sid:1;)", "", FEED_SKIP_PORT },
		{ "alert tcp 192.0.2.1 1024 -> $HOME_NET any (sid:1;)", "", FEED_SKIP_PORT },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
}

static void names_urls_and_as_numbers_are_counted_as_another_scope(void **state)
{
	static const struct line lines[] = {
		{ "host.example.com", "", FEED_SKIP_SCOPE },
		{ "1.2.3.4.example.com", "", FEED_SKIP_SCOPE },
		{ "1-2-3-4.pool.example", "", FEED_SKIP_SCOPE },
		{ "*.example.com", "", FEED_SKIP_SCOPE },
		{ "http://192.0.2.1/x", "", FEED_SKIP_SCOPE },
		{ "https://example.com/", "", FEED_SKIP_SCOPE },
		{ "abuse@example.com", "", FEED_SKIP_SCOPE },
		{ "AS64496", "", FEED_SKIP_SCOPE },
		{ "gibberish", "", FEED_SKIP_SYNTAX },
		{ "DE", "", FEED_SKIP_SYNTAX },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
}

static void embedded_ipv4_becomes_ipv4_only_where_it_is_mapped(void **state)
{
	static const struct line lines[] = {
		{ "::ffff:192.0.2.1", "192.0.2.1", -1 },
		{ "::ffff:9270:3d68", "146.112.61.104", -1 },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24", -1 },
		{ "::ffff:192.0.2.0-::ffff:192.0.2.7", "192.0.2.0/29", -1 },
		{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201", -1 },
		{ "2002:c000:201::/48", "2002:c000:201::/48", -1 },
		{ "::ffff:0:0/95", "::fffe:0:0/95", -1 },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
}

static void lines_of_firewalls_are_read_as_what_they_deny(void **state)
{
	static const struct line lines[] = {
		{ "add blocked 192.0.2.0/24", "192.0.2.0/24", -1 },
		{ "add blocked 2001:db8::/48 timeout 300", "2001:db8::/48", -1 },
		{ "add blocked 192.0.2.1-192.0.2.2", "192.0.2.1 192.0.2.2", -1 },
		{ "add blocked 192.0.2.9 nomatch", "", FEED_SKIP_SCOPE },
		{ "create blocked hash:net family inet", "", -1 },
		{ "del blocked 192.0.2.1", "", FEED_SKIP_SCOPE },
		{ "deny ip 1.10.16.0 255.255.240.0 any", "1.10.16.0/20", -1 },
		{ "deny 192.0.2.1;", "192.0.2.1", -1 },
		{ "deny 192.0.2.0/24; # a remark", "192.0.2.0/24", -1 },
		{ "deny from 192.0.2.1", "192.0.2.1", -1 },
		{ "deny from all", "", FEED_SKIP_SCOPE },
		{ "allow 192.0.2.1;", "", FEED_SKIP_SCOPE },
		{ "access-list ET-drop deny ip 1.10.16.0 255.255.240.0 any", "1.10.16.0/20", -1 },
		{ "access-list ET-drop deny ip host 192.0.2.1 any", "192.0.2.1", -1 },
		{ "access-list x line 5 extended deny ip host 192.0.2.1 any4 log", "192.0.2.1",
		  -1 },
		{ "access-list x permit ip host 192.0.2.1 any", "", FEED_SKIP_SCOPE },
		{ "access-list x remark deny ip host 192.0.2.1 any", "", -1 },
		{ "access-list x deny ip any host 192.0.2.1", "", FEED_SKIP_SCOPE },
		{ "access-list x deny ip host 192.0.2.1 host 192.0.2.9", "", FEED_SKIP_SCOPE },
		{ "alert tcp [192.0.2.1,192.0.2.128/25] any -> $HOME_NET any (msg:\"x\";)",
		  "192.0.2.1 192.0.2.128/25", -1 },
		{ "drop ip 192.0.2.1 any -> any any (msg:\"x\";)", "192.0.2.1", -1 },
		{ "alert ip ![192.0.2.1] any -> $HOME_NET any (sid:1;)", "", FEED_SKIP_SCOPE },
		{ "alert ip $HOME_NET any -> 192.0.2.1 any (sid:1;)", "", FEED_SKIP_SCOPE },
		{ "pass ip 192.0.2.1 any -> $HOME_NET any (sid:1;)", "", FEED_SKIP_SCOPE },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
	check_lines(FEED_EMERGING, lines, ARRAY_SIZE(lines));
}

static void remarks_and_times_of_a_line_travel_with_its_row(void **state)
{
	struct feed_options o = { .format = FEED_PLAIN, .now = 1000000 };
	_cleanup_(lab_done) struct lab l =
		lab_text(&o, "# list\n192.0.2.1 # ssh, \x1b[31m often \xc3\xa9\n"
			     "add s 192.0.2.2 timeout 300 comment \"nomatch \xff\"\n"
			     "alert tcp 192.0.2.3 any -> any any (msg:\"ET DROP\"; sid:1;)\n");

	(void)state;
	assert_int_equal(l.count, 3);
	assert_string_equal(l.rows[0].reason, "ssh, ?[31m often \xc3\xa9");
	assert_int_equal(l.rows[0].line, 2);
	assert_int_equal(l.rows[0].confidence, FEED_NO_CONFIDENCE);
	assert_int_equal(l.rows[0].expires, 0);
	assert_int_equal(l.rows[1].expires, 1000300);
	assert_string_equal(l.rows[1].reason, "nomatch ?");
	assert_string_equal(l.rows[2].reason, "ET DROP");
}

static void host_bits_are_masked_and_counted_or_refused(void **state)
{
	struct feed_options refuse = { .format = FEED_PLAIN, .refuse_host_bits = true };
	_cleanup_(lab_done) struct lab l =
		plain("10.10.10.1/24\n172.200.1.4/16\n127.0.0.0/24\n2001:db8::1/64\n");
	_cleanup_(lab_done) struct lab strict = lab_text(&refuse, "10.10.10.1/24\n192.0.2.0/24\n");
	char list[LIST_MAX];

	(void)state;
	lab_expect_fault(&l, FEED_GOOD);
	assert_string_equal(lab_list(&l, list, sizeof(list)),
			    "10.10.10.0/24 172.200.0.0/16 127.0.0.0/24 2001:db8::/64");
	assert_int_equal(l.sum.masked, 3);
	assert_int_equal(l.rows[0].masked, 1);
	assert_int_equal(l.rows[2].masked, 0);
	assert_string_equal(lab_list(&strict, list, sizeof(list)), "192.0.2.0/24");
	assert_int_equal(strict.sum.skipped[FEED_SKIP_HOST_BITS], 1);
	lab_expect_fault(&strict, FEED_GOOD);
}

static void a_short_prefix_with_host_bits_is_a_cut_one(void **state)
{
	static const struct line lines[] = {
		{ "149.18.83.0/2", "", FEED_SKIP_HOST_BITS },
		{ "149.18.83.0/7", "", FEED_SKIP_HOST_BITS },
		{ "149.18.83.0/8", "149.0.0.0/8", -1 },
		{ "128.0.0.0/2", "128.0.0.0/2", -1 }, /* wide, and meant: for the guards to judge */
		{ "2001:db8:1::/18", "", FEED_SKIP_HOST_BITS },
	};

	(void)state;
	check_lines(FEED_PLAIN, lines, ARRAY_SIZE(lines));
}

static void lines_end_in_lf_crlf_or_cr(void **state)
{
	static const char *const texts[] = {
		"192.0.2.1\n\n192.0.2.2\n192.0.2.3\n",
		"192.0.2.1\r\n\r\n192.0.2.2\r\n192.0.2.3\r\n",
		"192.0.2.1\r\r192.0.2.2\r192.0.2.3\r",
		"192.0.2.1\r\n\r192.0.2.2\n192.0.2.3\r",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(lab_done) struct lab l = plain(texts[i]);
		char list[LIST_MAX];

		lab_expect_fault(&l, FEED_GOOD);
		assert_string_equal(lab_list(&l, list, sizeof(list)),
				    "192.0.2.1 192.0.2.2 192.0.2.3");
		assert_int_equal(l.sum.lines, 4);
		assert_int_equal(l.lines[2], 4);
	}
}

static void a_last_line_without_end_needs_another_proof(void **state)
{
	struct feed_options whole = { .format = FEED_PLAIN, .whole = true };
	_cleanup_(lab_done) struct lab cut = plain("192.0.2.1\n149.18.83.0/2");
	_cleanup_(lab_done) struct lab proved = lab_text(&whole, "192.0.2.1\n192.0.2.2");
	_cleanup_(lab_done) struct lab remark = plain("192.0.2.1\n# the e");
	_cleanup_(lab_done) struct lab blank = plain("192.0.2.1\n  ");

	(void)state;
	lab_expect_fault(&cut, FEED_FAULT_TRUNCATED);
	assert_int_equal(cut.count, 1);
	lab_expect_fault(&proved, FEED_GOOD);
	assert_int_equal(proved.count, 2);
	lab_expect_fault(&remark, FEED_FAULT_TRUNCATED);
	lab_expect_fault(&blank, FEED_GOOD);
}

static void a_line_longer_than_the_limit_is_left_out_and_the_rest_is_read(void **state)
{
	struct feed_options o = { .format = FEED_PLAIN };
	static const char first[] = "192.0.2.1\n192.0.2.2 ";

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		char text[FEED_LINE_MAX + sizeof(first) + 1];
		size_t size = sizeof(first) - 1 + FEED_LINE_MAX - 10 + over;

		memset(text, 'x', sizeof(text));
		memcpy(text, first, sizeof(first) - 1);
		text[size++] = '\n';
		_cleanup_(lab_done) struct lab l = lab_sized(&o, text, size);
		assert_int_equal(l.count, 2 - over);
		assert_int_equal(l.sum.skipped[FEED_SKIP_TOO_LONG], over);
		lab_expect_fault(&l, FEED_GOOD);
	}
}

static void a_line_that_never_ends_does_not_grow_in_memory(void **state)
{
	struct feed_options o = { .format = FEED_PLAIN };
	_cleanup_free_ char *text = malloc(1 << 20);

	(void)state;
	memset(text, '1', 1 << 20);
	memcpy(text, "192.0.2.1\n", 10);
	_cleanup_(lab_done) struct lab l = lab_bytes(&o, text, 1 << 20, 4096);
	lab_expect_fault(&l, FEED_FAULT_TRUNCATED);
	assert_int_equal(l.count, 1);
}

static void too_many_lines_that_are_no_entries_condemn_the_file(void **state)
{
	char text[8192] = "";
	size_t used = 0;

	(void)state;
	for (int i = 0; i < 299; i++)
		used += snprintf(text + used, sizeof(text) - used, "192.0.2.%d\n", i % 250);
	snprintf(text + used, sizeof(text) - used, "what\nis\nthis\n");
	_cleanup_(lab_done) struct lab few = plain(text);
	lab_expect_fault(&few, FEED_GOOD);
	assert_int_equal(few.sum.skipped[FEED_SKIP_SYNTAX], 3);
	assert_int_equal(few.sum.first_skipped, 300);

	snprintf(text + used, sizeof(text) - used, "what\nis\nthis\n10.1\n");
	_cleanup_(lab_done) struct lab many = plain(text);
	lab_expect_fault(&many, FEED_FAULT_UNPARSABLE);

	/* One or two strange lines of a short list are not its end, all of them are. */
	_cleanup_(lab_done) struct lab shorter = plain("address\n192.0.2.1\n");
	lab_expect_fault(&shorter, FEED_GOOD);
	_cleanup_(lab_done) struct lab none = plain("gibberish\n");
	lab_expect_fault(&none, FEED_FAULT_UNPARSABLE);
	_cleanup_(lab_done) struct lab names = plain("a.example\nb.example\n");
	lab_expect_fault(&names, FEED_FAULT_NO_ENTRIES);
}

static void a_nul_condemns_the_file(void **state)
{
	struct feed_options formats[] = { { .format = FEED_PLAIN }, { .format = FEED_AUTO } };
	static const char text[] = "192.0.2.1\n192.0\0.2.2\n192.0.2.3\n";
	static const char wide[] = "\xff\xfe"
				   "1\0.\0"
				   "1\0.\0"
				   "1\0.\0"
				   "1\0\n\0";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		_cleanup_(lab_done) struct lab l = lab_sized(&formats[i], text, sizeof(text) - 1);
		_cleanup_(lab_done) struct lab w = lab_sized(&formats[i], wide, sizeof(wide) - 1);

		lab_expect_fault(&l, FEED_FAULT_BINARY);
		assert_true(l.count < 2);
		lab_expect_fault(&w, FEED_FAULT_BINARY);
		assert_int_equal(w.count, 0);
	}
}

static void the_order_and_the_family_of_lines_do_not_matter(void **state)
{
	_cleanup_(lab_done) struct lab l = recognised(
		"203.0.113.9\n2001:db8::1\n10.0.0.0/8\n10.1.0.0/16\n203.0.113.9\n::ffff:192.0.2.1\n");
	char list[LIST_MAX];

	(void)state;
	lab_expect_fault(&l, FEED_GOOD);
	assert_int_equal(l.sum.format, FEED_PLAIN);
	assert_string_equal(lab_list(&l, list, sizeof(list)),
			    "203.0.113.9 2001:db8::1 10.0.0.0/8 10.1.0.0/16 203.0.113.9 192.0.2.1");
}

static void the_widest_ranges_have_62_and_254_prefixes(void **state)
{
	_cleanup_(lab_done) struct lab l = plain("0.0.0.1-255.255.255.254\n"
						 "::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe\n");
	struct lab_count v4 = lab_count(&l, MOAT_IPV4), v6 = lab_count(&l, MOAT_IPV6);

	(void)state;
	assert_int_equal(v4.distinct, 62);
	assert_true(v4.addresses == ((lab_wide)1 << 32) - 2 && !v4.inside);
	assert_int_equal(v6.distinct, 254);
	assert_true(v6.addresses == (lab_wide)0 - 2 && !v6.inside);
	for (size_t i = 1; i < 62; i++)
		assert_true(prefix_compare(&l.sources[i - 1], &l.sources[i]) < 0);
}

static void a_row_callback_stops_the_parser_and_its_word_comes_back(void **state)
{
	struct feed_options o = { .format = FEED_PLAIN };
	static const char text[] = "192.0.2.0-192.0.2.6\n192.0.2.9\n";
	static const int words[] = { -EIO, 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		_cleanup_(lab_done) struct lab l = { .stop_at = 2, .stop_with = words[i] };

		lab_push(&l, &o, text, sizeof(text) - 1, 1);
		assert_int_equal(l.err, words[i]);
		assert_int_equal(l.count, 2);
	}
}

static void plain_lists_are_read_at_millions_of_lines_a_second(void **state)
{
	struct feed_options o = { .format = FEED_PLAIN };
	_cleanup_free_ char *text = malloc((size_t)RATE_LINES * 16);
	_cleanup_(feed_parser_freep) struct feed_parser *p = NULL;
	struct timespec begin, end;
	struct feed_summary sum;
	size_t size = 0;
	double seconds;

	(void)state;
	for (uint32_t i = 0; i < RATE_LINES; i++) {
		uint32_t a = i * 2654435761u;

		size += snprintf(text + size, 17, "%u.%u.%u.%u\n", 1 + a % 222, a >> 8 & 255,
				 a >> 16 & 255, a >> 24);
	}
	assert_int_equal(feed_parser_new(&o, ignore_row, NULL, &p), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (size_t at = 0; at < size; at += RATE_PIECE)
		feed_parser_push(p, text + at, size - at < RATE_PIECE ? size - at : RATE_PIECE);
	assert_int_equal(feed_parser_finish(p, &sum), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	seconds = (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9;
	print_message("plain text: %.1f M lines/s, %.0f MB/s\n", RATE_LINES / seconds / 1e6,
		      size / seconds / 1e6);
	assert_int_equal(sum.entries, RATE_LINES);
	assert_true(RATE_LINES / seconds >= RATE_ONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_an_address_prefix_mask_or_range),
		cmocka_unit_test(what_stands_around_the_target_does_not_matter),
		cmocka_unit_test(what_inet_aton_takes_for_octal_hex_or_short_forms_is_refused),
		cmocka_unit_test(a_length_or_mask_out_of_range_is_refused_and_so_is_all_of_it),
		cmocka_unit_test(a_range_that_ends_before_it_begins_is_refused),
		cmocka_unit_test(two_columns_of_addresses_are_never_read_as_one_address),
		cmocka_unit_test(a_port_is_not_widened_to_all_ports),
		cmocka_unit_test(names_urls_and_as_numbers_are_counted_as_another_scope),
		cmocka_unit_test(embedded_ipv4_becomes_ipv4_only_where_it_is_mapped),
		cmocka_unit_test(lines_of_firewalls_are_read_as_what_they_deny),
		cmocka_unit_test(remarks_and_times_of_a_line_travel_with_its_row),
		cmocka_unit_test(host_bits_are_masked_and_counted_or_refused),
		cmocka_unit_test(a_short_prefix_with_host_bits_is_a_cut_one),
		cmocka_unit_test(lines_end_in_lf_crlf_or_cr),
		cmocka_unit_test(a_last_line_without_end_needs_another_proof),
		cmocka_unit_test(a_line_longer_than_the_limit_is_left_out_and_the_rest_is_read),
		cmocka_unit_test(a_line_that_never_ends_does_not_grow_in_memory),
		cmocka_unit_test(too_many_lines_that_are_no_entries_condemn_the_file),
		cmocka_unit_test(a_nul_condemns_the_file),
		cmocka_unit_test(the_order_and_the_family_of_lines_do_not_matter),
		cmocka_unit_test(the_widest_ranges_have_62_and_254_prefixes),
		cmocka_unit_test(a_row_callback_stops_the_parser_and_its_word_comes_back),
		cmocka_unit_test(plain_lists_are_read_at_millions_of_lines_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
