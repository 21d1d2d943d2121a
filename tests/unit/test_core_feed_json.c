// SPDX-License-Identifier: BSD-2-Clause
/*
 * The JSON feeds: what of each format becomes a row, what is left out and why,
 * and which files are not to be trusted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feed_json_lab.h"

/* ---- Spamhaus ---- */

#define DROP1 "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"arin\"}\n" /* 52 bytes */
#define DROP2 "{\"cidr\":\"2001:db8::/32\",\"sblid\":\"SBL2\",\"rir\":null}\n"	  /* 51 bytes */
#define ROW1  "+192.0.2.0/24 (SBL1) @1\n"
#define END(records, size)                                                                         \
	"{\"type\":\"metadata\",\"timestamp\":1784798042,\"size\":" size ",\"records\":" records   \
	",\"copyright\":\"(c) S\"}\n"

static const struct sample spamhaus[] = {
	{ DROP1 DROP2 END("2", "103"), ROW1 "+2001:db8::/32 (SBL2) @2\n", FEED_GOOD, NONE, NULL },
	{ DROP1 END("1", "52"), ROW1, FEED_GOOD, NONE, NULL },
	{ "\n" DROP1 END("1", "53"), ROW1, FEED_GOOD, NONE, NULL },
	{ END("0", "0"), "", FEED_GOOD, NONE, NULL },
	{ DROP1, ROW1, FEED_FAULT_TRUNCATED, NONE, "1 records and no metadata" },
	{ DROP1 "{\"cidr\":\"192.", ROW1, FEED_FAULT_TRUNCATED, NONE, "behind 1 objects" },
	{ DROP1 END("2", "52"), ROW1, FEED_FAULT_MISMATCH, NONE, "counts 2 records, 1 are there" },
	{ DROP1 END("1", "53"), ROW1, FEED_FAULT_MISMATCH, NONE, "counts 53 bytes, 52 are there" },
	{ DROP1 END("-1", "52"), ROW1, FEED_FAULT_MISMATCH, NONE, NULL },
	{ DROP1 "{\"type\":\"metadata\"}", ROW1, FEED_FAULT_MISMATCH, NONE, NULL },
	{ DROP1 END("1", "52") DROP2, ROW1, FEED_FAULT_MISMATCH, NONE, "more behind" },
	{ DROP1 END("1", "52") "{\"x\":1}", ROW1, FEED_FAULT_MISMATCH, NONE, "more behind" },
	/* Twice: readers differ in which counts. So it is no metadata. */
	{ DROP1 "{\"type\":\"metadata\",\"size\":52,\"records\":1,\"records\":1}", ROW1,
	  FEED_FAULT_TRUNCATED, FEED_SKIP_SYNTAX, NULL },
	{ DROP1 "{\"cidr\":\"198.51.100.0/24\",\"cidr\":\"192.0.2.0/24\"}\n" END("2", "101"), ROW1,
	  FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ DROP1 "{\"cidr\":\"198.51.100.1/24\"}\n" END("2", "79"),
	  ROW1 "+198.51.100.0/24 masked @2\n", FEED_GOOD, NONE, NULL },
	{ DROP1 "{\"cidr\":\"149.18.83.0/2\"}\n" END("2", "77"), ROW1, FEED_GOOD,
	  FEED_SKIP_HOST_BITS, NULL },
	{ DROP1 "{\"cidr\":\"0.0.0.0/0\"}\n" END("2", "73"), ROW1, FEED_GOOD, FEED_SKIP_LENGTH,
	  NULL },
	{ DROP1 "{\"cidr\":\"10.0.0.0/33\"}\n" END("2", "75"), ROW1, FEED_GOOD, FEED_SKIP_LENGTH,
	  NULL },
	{ DROP1 "{\"cidr\":\"192.0.2.1\\u0000\"}\n" END("2", "79"), ROW1, FEED_GOOD,
	  FEED_SKIP_SYNTAX, NULL },
	/* A key that only begins like one. */
	{ DROP1 "{\"cidr\\u0000and more\":\"192.0.2.1\"}\n" END("2", "87"), ROW1, FEED_GOOD,
	  FEED_SKIP_SYNTAX, NULL },
	{ DROP1 "{\"cidr\":1}\n" END("2", "63"), ROW1, FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ DROP1 "{\"cidr\":[\"192.0.2.1\"]}\n" END("2", "75"), ROW1 "+192.0.2.1 @2\n", FEED_GOOD,
	  NONE, NULL },
	{ DROP1 "{\"x\":{\"cidr\":\"192.0.2.1\"}}\n" END("2", "79"), ROW1, FEED_GOOD,
	  FEED_SKIP_SYNTAX, NULL },
	{ "{\"asn\":64500,\"asname\":\"Am\\u00e9rica\"}\n" END("1", "38"),
	  "AS64500 \"Am\xc3\xa9rica\" @1\n", FEED_GOOD, NONE, NULL },
	{ DROP1 "{\"asn\":0}\n" END("2", "62"), ROW1, FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ DROP1 "{\"asn\":4294967296}\n" END("2", "71"), ROW1, FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ DROP1 "{\"asn\":4294967295}\n" END("2", "71"), ROW1 "AS4294967295 @2\n", FEED_GOOD, NONE,
	  NULL },
	{ DROP1 "[{\"cidr\":\"192.0.2.1\"}]\n" END("2", "75"), ROW1, FEED_GOOD, FEED_SKIP_SYNTAX,
	  NULL },
	{ DROP1 "7\n" END("2", "54"), ROW1, FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ DROP1 "oops\n" END("2", "57"), ROW1, FEED_FAULT_SYNTAX, NONE, "line 2, byte 52" },
	{ DROP1 "{\"a\":1}{\"b\":2}\n", ROW1, FEED_FAULT_SYNTAX, FEED_SKIP_SYNTAX, NULL },
	{ "{\"status\":500,\"message\":\"Internal Server Error\"}", "", FEED_FAULT_ERROR_PAGE, NONE,
	  "Internal Server Error" },
	{ "{\"x\":\"y\"}\n", "", FEED_FAULT_TRUNCATED, FEED_SKIP_SYNTAX, NULL },
};

static void spamhaus_is_taken_if_its_metadata_agrees_exactly(void **state)
{
	(void)state;
	check_samples(FEED_SPAMHAUS, spamhaus);
}

static void spamhaus_says_what_it_is_and_that_it_is_whole(void **state)
{
	struct feed_options options = { .format = FEED_SPAMHAUS };
	struct lab lab = {};

	(void)state;
	lab_read(&lab, &options, DROP1 END("1", "52"), strlen(DROP1 END("1", "52")));
	assert_true(lab.summary.complete);
	assert_false(lab.summary.may_be_empty);
	assert_int_equal(lab.summary.lines, 1);
	assert_int_equal(lab.summary.timestamp, 1784798042);
	assert_string_equal(lab.summary.title, "(c) S");
	lab_read(&lab, &options, END("0", "0"), strlen(END("0", "0")));
	assert_true(lab.summary.complete && lab.summary.may_be_empty);
	lab_free(&lab);
}

/* ---- AbuseIPDB ---- */

static const struct sample abuseipdb[] = {
	{ "{\"meta\":{\"generatedAt\":\"2026-05-30T00:00:00+00:00\"},\"data\":["
	  "{\"ipAddress\":\"192.0.2.1\",\"countryCode\":null,\"abuseConfidenceScore\":100,"
	  "\"lastReportedAt\":\"2026-05-30T08:14:00+00:00\"},"
	  "{\"ipAddress\":\"2001:db8::1\",\"abuseConfidenceScore\":25}]}",
	  "+192.0.2.1 \"last reported 2026-05-30T08:14:00+00:00\" 100% @1\n"
	  "+2001:db8::1 25% @2\n",
	  FEED_GOOD, NONE, NULL },
	{ "{\"data\":[]}", "", FEED_GOOD, NONE, NULL },
	{ "{\"data\":[{\"ipAddress\":\"192.0.2.1\",\"abuseConfidenceScore\":101}]}",
	  "+192.0.2.1 @1\n", FEED_GOOD, NONE, NULL },
	{ "{\"data\":[{\"ipAddress\":\"192.0.2.1\"},{\"ipAddress\":null}]}", "+192.0.2.1 @1\n",
	  FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ "{\"data\":[{\"ipAddress\":\"192.0.2.1\"},7]}", "+192.0.2.1 @1\n", FEED_GOOD,
	  FEED_SKIP_SYNTAX, NULL },
	/* A list in the list is none, and what is deeper is somebody else's. */
	{ "{\"data\":[[{\"ipAddress\":\"192.0.2.1\"}]],\"x\":{\"data\":[{\"ipAddress\":\"192.0.2.2\"}]}}",
	  "", FEED_FAULT_UNPARSABLE, FEED_SKIP_SYNTAX, NULL },
	{ "{\"x\":{\"data\":[{\"ipAddress\":\"192.0.2.1\"}]}}", "", FEED_FAULT_NO_ENTRIES, NONE,
	  "no 'data'" },
	{ "{\"data\":{\"ipAddress\":\"192.0.2.1\"}}", "", FEED_FAULT_SYNTAX, NONE,
	  "'data' is not a list" },
	{ "{\"data\":\"x\"}", "", FEED_FAULT_SYNTAX, NONE, "'data' is not a list" },
	{ "{\"meta\":{}}", "", FEED_FAULT_NO_ENTRIES, NONE, "no 'data'" },
	{ "{\"errors\":[{\"detail\":\"Daily rate limit\",\"status\":429}]}", "",
	  FEED_FAULT_ERROR_PAGE, NONE, NULL },
	{ "{\"data\":[{\"ipAddress\":\"192.0.2.1\"}", "+192.0.2.1 @1\n", FEED_FAULT_TRUNCATED, NONE,
	  NULL },
	{ "{\"data\":[{\"ipAddress\":\"192.0.2.1\"},]}", "+192.0.2.1 @1\n", FEED_FAULT_SYNTAX, NONE,
	  NULL },
};

static void abuseipdb_gives_addresses_with_their_score(void **state)
{
	(void)state;
	check_samples(FEED_ABUSEIPDB, abuseipdb);
}

static void an_abuseipdb_list_of_a_round_length_was_cut_at_its_limit(void **state)
{
	struct feed_options options = { .format = FEED_ABUSEIPDB };
	struct text json = {};
	struct lab lab = {};

	(void)state;
	text_add(&json, "{\"data\":[{\"ipAddress\":\"192.0.2.1\"}");
	for (int i = 1; i < 10000; i++)
		text_add(&json, ",{\"ipAddress\":\"10.0.%d.%d\"}", i >> 8, i & 255);
	text_add(&json, "]}");
	lab_read(&lab, &options, json.data, json.size);
	assert_int_equal(lab.summary.fault, FEED_GOOD);
	assert_int_equal(lab.summary.entries, 10000);
	assert_false(lab.summary.complete);
	assert_string_equal(lab.summary.title, "AbuseIPDB blacklist, cut at its limit");

	json.size -= 2;
	text_add(&json, ",{\"ipAddress\":\"192.0.2.2\"}]}");
	lab_read(&lab, &options, json.data, json.size);
	assert_true(lab.summary.complete);
	assert_string_equal(lab.summary.title, "AbuseIPDB blacklist");
	lab_free(&lab);
	text_free(&json);
}

/* ---- MISP ---- */

#define ATTRIBUTE(more)                                                                            \
	"{\"uuid\":\"u1\",\"to_ids\":true,\"category\":\"Network activity\"," more "}"
#define IP_SRC	 "\"type\":\"ip-src\",\"value\":\"192.0.2.1\""
#define MISP_ROW "+192.0.2.1 [ip-src] (u1) \"Network activity\" @1\n"

static const struct sample misp[] = {
	{ "{\"Attribute\":[" ATTRIBUTE(IP_SRC) "]}", MISP_ROW, FEED_GOOD, NONE, NULL },
	{ "{\"response\":{\"Attribute\":[" ATTRIBUTE(IP_SRC) "]}}", MISP_ROW, FEED_GOOD, NONE,
	  NULL },
	{ "{\"Attribute\":" ATTRIBUTE(IP_SRC) "}", MISP_ROW, FEED_GOOD, NONE, NULL },
	{ "{\"response\":[{\"Event\":{\"info\":\"x\",\"Attribute\":[" ATTRIBUTE(
		  IP_SRC) "],\"Object\":[{\"name\":\"ip-port\",\"Attribute\":["
			  "{\"type\":\"ip-dst\",\"value\":\"2001:db8::/32\",\"to_ids\":\"1\","
			  "\"comment\":\"C2\",\"Tag\":[{\"type\":\"url\"}]}]}]}}]}",
	  MISP_ROW "+2001:db8::/32 [ip-dst] \"C2\" @2\n", FEED_GOOD, NONE, NULL },
	{ "{\"Attribute\":[" ATTRIBUTE(IP_SRC) "," ATTRIBUTE(
		  "\"type\":\"ip-src|port\",\"value\":\"192.0.2.2|80\"") "]}",
	  MISP_ROW, FEED_GOOD, FEED_SKIP_PORT, NULL },
	{ "{\"Attribute\":[" ATTRIBUTE(IP_SRC) "," ATTRIBUTE(
		  "\"type\":\"ip-dst\",\"value\":\"192.0.2.2|80\"") "]}",
	  MISP_ROW, FEED_GOOD, FEED_SKIP_PORT, NULL },
	{ "{\"Attribute\":[" ATTRIBUTE(IP_SRC) "," ATTRIBUTE(
		  "\"type\":\"domain|ip\",\"value\":\"a.example|192.0.2.2\"") "]}",
	  MISP_ROW, FEED_GOOD, FEED_SKIP_SCOPE, NULL },
	{ "{\"Attribute\":[" ATTRIBUTE(IP_SRC) ",{\"type\":\"ip-src\",\"value\":\"192.0.2.2\","
					       "\"to_ids\":false}]}",
	  MISP_ROW, FEED_GOOD, FEED_SKIP_UNWANTED, NULL },
	{ "{\"Attribute\":[" ATTRIBUTE(IP_SRC) ",{\"type\":\"ip-src\",\"value\":\"192.0.2.2\"}]}",
	  MISP_ROW, FEED_GOOD, FEED_SKIP_UNWANTED, NULL },
	{ "{\"Attribute\":[" ATTRIBUTE(IP_SRC) "," ATTRIBUTE(
		  "\"deleted\":true,\"type\":\"ip-src\",\"value\":\"192.0.2.2\"") "]}",
	  MISP_ROW, FEED_GOOD, FEED_SKIP_UNWANTED, NULL },
	{ "{\"Attribute\":[" ATTRIBUTE(IP_SRC) ",{\"type\":\"ip-src\"}]}", MISP_ROW, FEED_GOOD,
	  FEED_SKIP_SYNTAX, NULL },
	{ "{\"ShadowAttribute\":[" ATTRIBUTE(IP_SRC) "]}", "", FEED_FAULT_NO_ENTRIES, NONE, NULL },
	{ "{\"Attribute\":[]}", "", FEED_GOOD, NONE, NULL },
	{ "{\"name\":\"Invalid\",\"message\":\"Authentication failed\",\"url\":\"/x\"}", "",
	  FEED_FAULT_ERROR_PAGE, NONE, "Authentication failed" },
};

static void misp_gives_addresses_meant_for_detection(void **state)
{
	(void)state;
	check_samples(FEED_MISP, misp);
}

static void the_title_of_a_misp_event_is_its_own(void **state)
{
	static const char json[] =
		"{\"Event\":{\"RelatedEvent\":[{\"Event\":{\"info\":\"other\"}}],"
		"\"timestamp\":\"1465681801\",\"Attribute\":[],\"info\":\"own\"}}";
	struct feed_options options = { .format = FEED_MISP };
	struct lab lab = {};

	(void)state;
	lab_read(&lab, &options, json, strlen(json));
	assert_string_equal(lab.summary.title, "own");
	assert_int_equal(lab.summary.timestamp, 1465681801);
	lab_free(&lab);
}

/* ---- lists ---- */

static const struct sample warninglists[] = {
	{ "{\"list\":[\"FE80::/10\",\"::ffff:9270:3d68\",\"192.0.2.1\"],\"type\":\"cidr\"}",
	  "+fe80::/10 @1\n+146.112.61.104 @2\n+192.0.2.1 @3\n", FEED_GOOD, NONE, NULL },
	{ "{\"list\":[\"192.0.2.1\",\"a.example\"],\"type\":\"string\"}", "+192.0.2.1 @1\n",
	  FEED_GOOD, FEED_SKIP_SCOPE, NULL },
	{ "{\"list\":[\"192.0.2.1\",null],\"type\":\"string\"}", "+192.0.2.1 @1\n", FEED_GOOD,
	  FEED_SKIP_SYNTAX, NULL },
	{ "{\"list\":[[\"192.0.2.1\"],{\"list\":[\"192.0.2.2\"]}]}", "", FEED_FAULT_NO_ENTRIES,
	  NONE, NULL },
	{ "{\"list\":[],\"type\":\"cidr\"}", "", FEED_FAULT_NO_ENTRIES, NONE, "no 'list'" },
	{ "{\"list\":[\"a.example\"],\"type\":\"hostname\"}", "", FEED_FAULT_NO_ENTRIES,
	  FEED_SKIP_SCOPE, "type 'hostname'" },
};

static void warninglists_give_their_networks(void **state)
{
	(void)state;
	check_samples(FEED_WARNINGLIST, warninglists);
}

static const struct {
	struct sample sample;
	const char *who;
} clouds[] = {
	{ { "{\"syncToken\":\"1707272000\",\"prefixes\":[{\"ip_prefix\":\"192.0.2.0/24\","
	    "\"region\":\"eu-1\",\"service\":\"EC2\"}],"
	    "\"ipv6_prefixes\":[{\"ipv6_prefix\":\"2001:db8::/32\"}]}",
	    "+192.0.2.0/24 \"ip_prefix\" @1\n+2001:db8::/32 \"ipv6_prefix\" @2\n", FEED_GOOD, NONE,
	    NULL },
	  "AWS" },
	{ { "{\"creationTime\":\"2024-02-07T02:13:20.000000\",\"prefixes\":[{\"ipv4Prefix\":"
	    "\"192.0.2.0/24\"},{\"ipv6Prefix\":\"2001:db8::/32\",\"scope\":\"eu\"}]}",
	    "+192.0.2.0/24 \"ipv4Prefix\" @1\n+2001:db8::/32 \"ipv6Prefix\" @2\n", FEED_GOOD, NONE,
	    NULL },
	  "Google" },
	{ { "{\"result\":{\"ipv4_cidrs\":[\"192.0.2.0/24\"],\"ipv6_cidrs\":[\"2001:db8::/32\"],"
	    "\"etag\":\"1.2.3.4\"},\"success\":true,\"errors\":[],\"messages\":[]}",
	    "+192.0.2.0/24 \"ipv4_cidrs\" @1\n+2001:db8::/32 \"ipv6_cidrs\" @2\n", FEED_GOOD, NONE,
	    NULL },
	  "Cloudflare" },
	{ { "{\"addresses\":[\"192.0.2.0/24\"],\"ipv6_addresses\":[]}",
	    "+192.0.2.0/24 \"addresses\" @1\n", FEED_GOOD, NONE, NULL },
	  "Fastly" },
	{ { "{\"ipRanges\":[\"192.0.2.0/24\"],\"res\":0,\"res_message\":\"OK\"}",
	    "+192.0.2.0/24 \"ipRanges\" @1\n", FEED_GOOD, NONE, NULL },
	  "Imperva" },
	{ { "{\"changeNumber\":1,\"values\":[{\"name\":\"A\",\"properties\":{\"region\":\"\","
	    "\"addressPrefixes\":[\"192.0.2.0/24\",\"2001:db8::/32\"]}}]}",
	    "+192.0.2.0/24 \"addressPrefixes\" @1\n+2001:db8::/32 \"addressPrefixes\" @2\n",
	    FEED_GOOD, NONE, NULL },
	  "Azure" },
	{ { "{\"ssh_keys\":[\"ssh-rsa 1.2.3.4\"],\"hooks\":[\"192.0.2.0/24\"],"
	    "\"actions\":[\"198.51.100.0/24\"],\"domains\":{\"actions\":[\"*.example\"]}}",
	    "+192.0.2.0/24 \"hooks\" @1\n+198.51.100.0/24 \"actions\" @2\n", FEED_GOOD, NONE,
	    NULL },
	  "GitHub" },
	{ { "[{\"id\":1,\"urls\":[\"a.example\"],\"ips\":[\"192.0.2.0/24\"],\"tcpPorts\":\"80\"}]",
	    "+192.0.2.0/24 \"ips\" @1\n", FEED_GOOD, NONE, NULL },
	  "Microsoft 365" },
	{ { "[\"192.0.2.0/24\",\"2001:db8::/32\"]", "+192.0.2.0/24 @1\n+2001:db8::/32 @2\n",
	    FEED_GOOD, NONE, NULL },
	  "a bare list" },
};

static void cloud_providers_give_their_networks_in_their_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(clouds); i++) {
		struct feed_options options = { .format = FEED_CLOUD };
		const struct sample *s = &clouds[i].sample;
		struct lab lab = {};

		check_sample(FEED_CLOUD, s);
		lab_read(&lab, &options, s->json, strlen(s->json));
		assert_string_equal(lab.summary.title + strlen("networks in the shape of "),
				    clouds[i].who);
		assert_true(lab.summary.complete);
		if (i < 2)
			assert_int_equal(lab.summary.timestamp, 1707272000);
		lab_free(&lab);
	}
}

static const struct sample odd_clouds[] = {
	{ "{\"addresses\":[\"192.0.2.0/24\",\"a.example\"]}", "+192.0.2.0/24 \"addresses\" @1\n",
	  FEED_GOOD, FEED_SKIP_SCOPE, NULL },
	{ "[[\"192.0.2.0/24\"]]", "", FEED_FAULT_NO_ENTRIES, NONE, NULL },
	{ "{\"networks\":[\"192.0.2.0/24\"]}", "", FEED_FAULT_NO_ENTRIES, NONE, "no key" },
	{ "{\"message\":\"API rate limit exceeded\",\"documentation_url\":\"https://x\"}", "",
	  FEED_FAULT_ERROR_PAGE, NONE, "API rate limit exceeded" },
	{ "[]", "", FEED_FAULT_NO_ENTRIES, NONE, NULL },
	{ "[\"192.0.2.0/24\",", "+192.0.2.0/24 @1\n", FEED_FAULT_TRUNCATED, NONE, NULL },
};

static void what_is_no_providers_list_is_refused(void **state)
{
	(void)state;
	check_samples(FEED_CLOUD, odd_clouds);
}

/* ---- any format ---- */

static void a_nul_byte_makes_a_file_binary(void **state)
{
	static const char json[] = "{\"data\":[{\"ipAddress\":\"192.0.2.1\"},\0]}";
	struct feed_options options = { .format = FEED_ABUSEIPDB };
	struct lab lab = {};

	(void)state;
	lab_read(&lab, &options, json, sizeof(json) - 1);
	assert_int_equal(lab.summary.fault, FEED_FAULT_BINARY);
	assert_int_equal(lab.rows, 1);
	lab_free(&lab);
}

static void host_bits_are_refused_where_the_feed_says_so(void **state)
{
	static const char json[] = "{\"data\":[{\"ipAddress\":\"192.0.2.1/24\"},"
				   "{\"ipAddress\":\"192.0.2.0/24\"}]}";
	struct feed_options options = { .format = FEED_ABUSEIPDB, .refuse_host_bits = true };
	struct lab lab = {};

	(void)state;
	lab_read(&lab, &options, json, sizeof(json) - 1);
	assert_string_equal(lab_rows(&lab), "+192.0.2.0/24 @2\n");
	assert_int_equal(lab.summary.skipped[FEED_SKIP_HOST_BITS], 1);
	assert_int_equal(lab.summary.first_skipped, 1);
	lab_free(&lab);
}

static void too_many_objects_that_are_no_entries_refuse_the_file(void **state)
{
	static const char json[] = "{\"data\":[{\"ipAddress\":\"192.0.2.1\"},{\"ipAddress\":\"1\"},"
				   "{\"ipAddress\":\"2\"},{\"ipAddress\":\"3\"}]}";
	struct feed_options options = { .format = FEED_ABUSEIPDB };
	struct lab lab = {};

	(void)state;
	lab_read(&lab, &options, json, sizeof(json) - 1);
	assert_int_equal(lab.summary.fault, FEED_FAULT_UNPARSABLE);
	lab_free(&lab);
}

static int stop_at_second(void *arg, const struct feed_row *row)
{
	int *rows = arg;

	(void)row;
	return ++*rows == 2 ? -ENOSPC : 0;
}

static void the_receiver_of_rows_stops_the_parser(void **state)
{
	static const char json[] = "[\"192.0.2.1\",\"192.0.2.2\",\"192.0.2.3\"]";
	struct feed_options options = { .format = FEED_CLOUD };
	struct feed_parser *p = NULL;
	struct feed_summary summary;
	int rows = 0;

	(void)state;
	assert_int_equal(feed_parser_new(&options, stop_at_second, &rows, &p), 0);
	feed_parser_push(p, json, sizeof(json) - 1);
	assert_int_equal(feed_parser_finish(p, &summary), -ENOSPC);
	assert_int_equal(rows, 2);
	feed_parser_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spamhaus_is_taken_if_its_metadata_agrees_exactly),
		cmocka_unit_test(spamhaus_says_what_it_is_and_that_it_is_whole),
		cmocka_unit_test(abuseipdb_gives_addresses_with_their_score),
		cmocka_unit_test(an_abuseipdb_list_of_a_round_length_was_cut_at_its_limit),
		cmocka_unit_test(misp_gives_addresses_meant_for_detection),
		cmocka_unit_test(the_title_of_a_misp_event_is_its_own),
		cmocka_unit_test(warninglists_give_their_networks),
		cmocka_unit_test(cloud_providers_give_their_networks_in_their_shapes),
		cmocka_unit_test(what_is_no_providers_list_is_refused),
		cmocka_unit_test(a_nul_byte_makes_a_file_binary),
		cmocka_unit_test(host_bits_are_refused_where_the_feed_says_so),
		cmocka_unit_test(too_many_objects_that_are_no_entries_refuse_the_file),
		cmocka_unit_test(the_receiver_of_rows_stops_the_parser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
