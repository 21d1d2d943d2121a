// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a file is taken for by its first bytes, what is no list at all, and
 * what the headers and proofs of the text formats say.
 */
#include "core_feed_lab.h"

static struct lab parse(enum feed_format format, const char *text)
{
	struct feed_options o = { .format = format };

	return lab_text(&o, text);
}

static const char spamhaus[] = "; Spamhaus DROP List 2026/08/22 - (c) 2026 Someone\n"
			       "; Last-Modified: Sat, 22 Aug 2026 15:56:45 GMT\n"
			       "; Expires: Sat, 22 Aug 2026 17:14:02 GMT\n"
			       "192.0.2.0/24 ; SBL1\n"
			       "198.51.100.0/24 ; SBL2\n";

static const char firehol[] = "#\n# example_level1\n#\n# ipv4 hash:net ipset\n#\n"
			      "# Source File Date: Fri Aug 21 05:17:01 UTC 2026\n"
			      "# This File Date  : Sat Aug 22 06:02:32 UTC 2026\n"
			      "# Entries         : 2 subnets, 257 unique IPs\n#\n"
			      "192.0.2.0/24\n198.51.100.1";

static const char dshield[] = "#\n#   DShield.org Recommended Block List\n#\n"
			      "#   updated: 2026-08-22T06:45:24.393926\n"
			      "Start\tEnd\tNetmask\tAttacks\tName\tCountry\temail\n"
			      "192.0.2.0\t192.0.2.255\t24\t116\tEXAMPLE-1\tUS\tabuse@example.com\n"
			      "198.51.100.0\t198.51.100.255\t24\t99\t-None-\t>>UNKNOWN<<\t\n";

static void files_are_recognised_by_their_first_bytes(void **state)
{
	static const struct {
		const char *text;
		enum feed_format format;
	} files[] = {
		{ spamhaus, FEED_SPAMHAUS },
		{ firehol, FEED_FIREHOL },
		{ dshield, FEED_DSHIELD },
		{ "192.0.2.0\t192.0.2.255\t24\t116\tX\tUS\ta@example.com\n", FEED_DSHIELD },
		{ "; Spamhaus ASN-DROP List\nAS64496 ; US | EXAMPLE\n", FEED_ASN },
		{ "AS64496\n", FEED_ASN },
		{ "asn64496 EXAMPLE\n", FEED_ASN },
		{ "access-list ET deny ip host 192.0.2.1 any\n", FEED_EMERGING },
		{ "alert tcp [192.0.2.1] any -> $HOME_NET any (sid:1;)\n", FEED_EMERGING },
		{ "# rules.emergingthreats.net\n192.0.2.1\n", FEED_EMERGING },
		{ "# a list\n\n192.0.2.1\n", FEED_PLAIN },
		{ "\xef\xbb\xbf"
		  "192.0.2.1\n",
		  FEED_PLAIN },
		{ "add set 192.0.2.1\n", FEED_PLAIN },
		{ "[2001:db8::1]\n", FEED_PLAIN },
		{ "ip\n192.0.2.1\n", FEED_PLAIN },
		{ "a.example\n192.0.2.1\n", FEED_PLAIN },
		{ "192.0.2.0 255.255.255.0\n", FEED_PLAIN },
		{ "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"x\"}\n", FEED_SPAMHAUS },
		{ "{\"asn\":64496,\"rir\":\"x\",\"domain\":\"d\",\"cc\":\"US\"}\n", FEED_ASN },
		{ "{\"meta\":{\"generatedAt\":\"x\"},\"data\":[]}", FEED_ABUSEIPDB },
		{ "{\"type\": \"bundle\", \"id\":\"bundle--1\"}", FEED_STIX },
		{ "{\"more\":false,\"objects\":[]}", FEED_STIX },
		{ "{\"Event\":{\"Attribute\":[]}}", FEED_MISP },
		{ "{\"response\":{\"Attribute\":[]}}", FEED_MISP },
		{ "{\"description\":\"x\",\"list\":[\"192.0.2.1\"]}", FEED_WARNINGLIST },
		{ "{\"new\":null,\"deleted\":null}", FEED_CROWDSEC },
		{ "{\"deleted\" : [],\"new\":[]}", FEED_CROWDSEC },
		{ "[ \"192.0.2.0/24\" ]", FEED_CLOUD },
		{ "{\"creationTime\":\"x\",\"prefixes\":[]}", FEED_CLOUD },
		{ "{\"syncToken\":\"1\",\"prefixes\":[]}", FEED_CLOUD },
		{ "{\"ipRanges\":[\"192.0.2.0/24\"]}", FEED_CLOUD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(lab_done) struct lab l = parse(FEED_AUTO, files[i].text);

		if (l.sum.format != files[i].format)
			fail_msg("'%.40s' is taken for %s: %s", files[i].text,
				 feed_format_label(l.sum.format), l.sum.detail);
	}
}

static void what_nothing_recognises_asks_for_its_name(void **state)
{
	static const char *const files[] = {
		"a.example\nb.example\n",   "1.0.0.0,1.0.0.255,13335\n1.0.4.0,1.0.7.255,38803\n",
		"2001::,2001::ffff,6939\n", "{\"unheard\":1}",
		"some words\nmore words\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_(lab_done) struct lab l = parse(FEED_AUTO, files[i]);

		lab_expect_fault(&l, FEED_FAULT_UNKNOWN);
		assert_int_equal(l.count, 0);
	}
}

static void an_error_page_is_refused_whatever_the_format(void **state)
{
	static const char *const pages[] = {
		"<!DOCTYPE html><html><title>502</title></html>",
		"  \r\n<html>\n",
		"<?xml version=\"1.0\"?><Error/>",
		"\xef\xbb\xbf<html>",
		"error code: 502",
		"error code: 500\n",
		"Could not connect: ",
		"404: Not Found",
		"403 Forbidden\n",
		"Access denied.\n",
		"HTTP/1.1 502 Bad Gateway\r\n\r\n",
		"{\"status\":500,\"message\":\"Internal Server Error\"}",
		"{ \"error\": \"rate limited\" }\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		for (int format = 0; format < FEED_FORMAT_MAX; format++) {
			struct feed_options o = { .format = format, .csv = { .source = 1 } };
			_cleanup_(lab_done) struct lab l = lab_text(&o, pages[i]);

			lab_expect_fault(&l, FEED_FAULT_ERROR_PAGE);
			assert_int_equal(l.count, 0);
		}
	}
}

static void json_where_lines_are_expected_is_an_error_page(void **state)
{
	static const enum feed_format formats[] = { FEED_PLAIN, FEED_DSHIELD, FEED_FIREHOL,
						    FEED_EMERGING };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		_cleanup_(lab_done) struct lab l =
			parse(formats[i], "{\"data\":[\"192.0.2.1\"]}\n");

		lab_expect_fault(&l, FEED_FAULT_ERROR_PAGE);
	}
}

static void no_bytes_and_no_entries_are_told_apart(void **state)
{
	static const enum feed_format formats[] = { FEED_AUTO,	  FEED_PLAIN,	 FEED_DSHIELD,
						    FEED_FIREHOL, FEED_EMERGING, FEED_ABUSEIPDB };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		_cleanup_(lab_done) struct lab none = parse(formats[i], "");
		_cleanup_(lab_done) struct lab space = parse(formats[i], " \n\n");
		_cleanup_(lab_done) struct lab remarks =
			parse(formats[i], "# a list\n# of nothing\n");

		lab_expect_fault(&none, FEED_FAULT_EMPTY);
		lab_expect_fault(&space, FEED_FAULT_NO_ENTRIES);
		lab_expect_fault(&remarks, FEED_FAULT_NO_ENTRIES);
	}
}

static void spamhaus_text_is_complete_with_its_end_marker_only(void **state)
{
	char text[1024];

	(void)state;
	_cleanup_(lab_done) struct lab cut = parse(FEED_AUTO, spamhaus);
	lab_expect_fault(&cut, FEED_FAULT_TRUNCATED);
	assert_false(cut.sum.complete);

	snprintf(text, sizeof(text), "%s; EOF\n", spamhaus);
	_cleanup_(lab_done) struct lab l = parse(FEED_AUTO, text);
	lab_expect_fault(&l, FEED_GOOD);
	assert_true(l.sum.complete);
	assert_false(l.sum.may_be_empty);
	assert_int_equal(l.count, 2);
	assert_string_equal(l.rows[1].reference, "SBL2");
	assert_string_equal(l.rows[1].reason, "");
	assert_int_equal(l.sum.timestamp, 1787414205);
	assert_string_equal(l.sum.title, "Spamhaus DROP List 2026/08/22 - (c) 2026 Someone");

	snprintf(text, sizeof(text), "%s; EOF", spamhaus); /* the marker itself needs no newline */
	_cleanup_(lab_done) struct lab open = parse(FEED_AUTO, text);
	lab_expect_fault(&open, FEED_GOOD);
	assert_true(open.sum.complete);

	snprintf(text, sizeof(text), "%s; EOF\n203.0.113.0/24 ; SBL3\n", spamhaus);
	_cleanup_(lab_done) struct lab behind = parse(FEED_AUTO, text);
	lab_expect_fault(&behind, FEED_FAULT_TRUNCATED);
}

static void a_list_may_be_empty_on_purpose(void **state)
{
	_cleanup_(lab_done) struct lab merged =
		parse(FEED_AUTO,
		      "; This list has been merged into https://www.spamhaus.org/x\n; EOF\n");
	_cleanup_(lab_done) struct lab zero =
		parse(FEED_AUTO, "# none\n# ipv4 hash:ip ipset\n# Entries : 0 unique IPs\n");
	_cleanup_(lab_done) struct lab garbage =
		parse(FEED_AUTO, "; Spamhaus DROP List\nwhat is this\n; EOF\n");

	(void)state;
	lab_expect_fault(&merged, FEED_GOOD);
	assert_true(merged.sum.complete && merged.sum.may_be_empty);
	lab_expect_fault(&zero, FEED_GOOD);
	assert_true(zero.sum.complete && zero.sum.may_be_empty);
	lab_expect_fault(&garbage, FEED_FAULT_UNPARSABLE);
	assert_false(garbage.sum.may_be_empty);
}

static void firehol_is_complete_when_its_lines_hold_what_its_header_says(void **state)
{
	char text[1024];

	(void)state;
	_cleanup_(lab_done) struct lab open = parse(FEED_AUTO, firehol); /* no newline at its end */
	lab_expect_fault(&open, FEED_GOOD);
	assert_true(open.sum.complete && !open.sum.may_be_empty);
	assert_int_equal(open.count, 2);
	assert_int_equal(open.sum.timestamp, 1787378552);
	assert_string_equal(open.sum.title, "example_level1");

	snprintf(text, sizeof(text), "%.*s", (int)sizeof(firehol) - 2, firehol);
	_cleanup_(lab_done) struct lab cut = parse(FEED_AUTO, text);
	lab_expect_fault(&cut, FEED_FAULT_TRUNCATED);

	snprintf(text, sizeof(text), "%.*s", (int)(strstr(firehol, "198") - firehol), firehol);
	_cleanup_(lab_done) struct lab less = parse(FEED_AUTO, text);
	lab_expect_fault(&less, FEED_FAULT_MISMATCH);

	snprintf(text, sizeof(text), "%s\n203.0.113.1\n", firehol);
	_cleanup_(lab_done) struct lab more = parse(FEED_AUTO, text);
	lab_expect_fault(&more, FEED_GOOD);
	assert_false(more.sum.complete);
}

static void dshield_rows_are_networks_and_must_agree_with_themselves(void **state)
{
	_cleanup_(lab_done) struct lab l = parse(FEED_AUTO, dshield);
	_cleanup_(lab_done) struct lab odd = parse(FEED_DSHIELD,
						   "192.0.2.0\t192.0.2.255\t24\t1\tX\tUS\tx\n"
						   "192.0.2.0\t192.0.2.255\t2\n"
						   "192.0.2.0\t192.0.3.255\t24\n"
						   "192.0.2.0\n"
						   "192.0.2.0\t192.0.2.2\n");
	char list[256];

	(void)state;
	lab_expect_fault(&l, FEED_GOOD);
	assert_string_equal(lab_list(&l, list, sizeof(list)), "192.0.2.0/24 198.51.100.0/24");
	assert_string_equal(l.rows[0].reason, "EXAMPLE-1 US");
	assert_string_equal(l.rows[1].reason, "");
	assert_int_equal(l.sum.timestamp, 1787381124);
	assert_string_equal(lab_list(&odd, list, sizeof(list)), "192.0.2.0/24");
	assert_int_equal(odd.sum.skipped[FEED_SKIP_LENGTH], 2);
	assert_int_equal(odd.sum.skipped[FEED_SKIP_SYNTAX], 2);
	lab_expect_fault(&odd, FEED_FAULT_UNPARSABLE);
}

static void as_numbers_are_read_with_or_without_letters(void **state)
{
	_cleanup_(lab_done) struct lab l =
		parse(FEED_ASN, "# list\nAS64496 ; an example\n64497\nasn64498,x\nAS0\n"
				"AS4294967295\nAS4294967296\n");

	(void)state;
	assert_int_equal(l.count, 4);
	assert_int_equal(l.rows[0].kind, FEED_ROW_ASN);
	assert_int_equal(l.rows[0].asn, 64496);
	assert_string_equal(l.rows[0].reason, "an example");
	assert_int_equal(l.rows[3].asn, 4294967295);
	assert_int_equal(l.sum.skipped[FEED_SKIP_SYNTAX], 2);
}

static void dates_of_headers_are_read_in_every_spelling(void **state)
{
	static const struct {
		const char *text;
		int64_t timestamp;
	} files[] = {
		{ "# last updated 1710089701 (Sun Mar 10 16:55:01 2024 GMT)\n", 1710089701 },
		{ "# Last update: Sat, 22 Aug 2026 03:00:29 +0200\n", 1787360429 },
		{ "; Last-Modified: Sun, 10 Mar 2024 09:54:51 GMT\n", 1710064491 },
		{ "# Generated: 2026-08-22T06:02:32Z\n", 1787378552 },
		{ "# Date: 2026-08-22 06:02:32\n", 1787378552 },
		{ "# Updated: 2026/08/22\n", 1787356800 },
		{ "# Last update: Sat, 31 Feb 2026 03:00:29 GMT\n", 0 },
		{ "# updated every hour\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char text[256];

		snprintf(text, sizeof(text), "%s192.0.2.1\n", files[i].text);
		_cleanup_(lab_done) struct lab l = parse(FEED_PLAIN, text);
		if (l.sum.timestamp != files[i].timestamp)
			fail_msg("'%s' is %lld", files[i].text, (long long)l.sum.timestamp);
	}
}

static void labels_and_formats_find_each_other(void **state)
{
	(void)state;
	for (int i = 0; i < FEED_FORMAT_MAX; i++)
		assert_int_equal(feed_format_find(feed_format_label(i)), i);
	assert_int_equal(feed_format_find("nothing"), -ENOENT);
	for (int i = FEED_GOOD; i < FEED_FAULT_MAX; i++)
		assert_true(feed_fault_label(i)[0] && feed_fault_text(i)[0]);
	for (int i = 0; i < FEED_SKIP_MAX; i++)
		assert_true(feed_skip_label(i)[0]);
	assert_string_equal(feed_fault_label(FEED_FAULT_MAX), "unknown");
}

static void options_that_mean_nothing_are_refused(void **state)
{
	struct feed_options csv = { .format = FEED_CSV };
	struct feed_options high = { .format = FEED_FORMAT_MAX };
	struct feed_parser *p = NULL;

	(void)state;
	assert_int_equal(feed_parser_new(&csv, lab_row, NULL, &p), -EINVAL);
	assert_int_equal(feed_parser_new(&high, lab_row, NULL, &p), -EINVAL);
	assert_null(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_recognised_by_their_first_bytes),
		cmocka_unit_test(what_nothing_recognises_asks_for_its_name),
		cmocka_unit_test(an_error_page_is_refused_whatever_the_format),
		cmocka_unit_test(json_where_lines_are_expected_is_an_error_page),
		cmocka_unit_test(no_bytes_and_no_entries_are_told_apart),
		cmocka_unit_test(spamhaus_text_is_complete_with_its_end_marker_only),
		cmocka_unit_test(a_list_may_be_empty_on_purpose),
		cmocka_unit_test(firehol_is_complete_when_its_lines_hold_what_its_header_says),
		cmocka_unit_test(dshield_rows_are_networks_and_must_agree_with_themselves),
		cmocka_unit_test(as_numbers_are_read_with_or_without_letters),
		cmocka_unit_test(dates_of_headers_are_read_in_every_spelling),
		cmocka_unit_test(labels_and_formats_find_each_other),
		cmocka_unit_test(options_that_mean_nothing_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
