// SPDX-License-Identifier: BSD-2-Clause
/*
 * The JSON feeds in which one object changes what another says: CrowdSec's
 * decisions, and versions of STIX indicators with their patterns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/feed_held.h"
#include "core/feed_pattern.h"
#include "feed_json_lab.h"

/* ---- CrowdSec ---- */

#define DECISION(value, more)                                                                      \
	"{\"id\":7,\"origin\":\"CAPI\",\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"" value       \
	"\",\"scenario\":\"ssh\"" more "}"
#define FOR(duration) ",\"duration\":\"" duration "\""
#define LONG	      FOR("1h")
#define REST	      " [ban] (7) \"CAPI: ssh\""
#define HOUR	      " until 1003600"

static const struct sample crowdsec[] = {
	/* What is deleted comes out first, wherever it stands. */
	{ "{\"new\":[" DECISION("192.0.2.1", LONG) "],\"deleted\":[" DECISION("192.0.2.2",
									      FOR("-1s")) "]}",
	  "-192.0.2.2" REST " @2\n+192.0.2.1" REST HOUR " @1\n", FEED_GOOD, NONE, NULL },
	{ "{\"deleted\":[" DECISION("192.0.2.2", "") "],\"new\":[" DECISION("192.0.2.1", LONG) "]}",
	  "-192.0.2.2" REST " @1\n+192.0.2.1" REST HOUR " @2\n", FEED_GOOD, NONE, NULL },
	{ "{\"new\":null,\"deleted\":null}", "", FEED_GOOD, NONE, NULL },
	{ "{\"new\":[],\"deleted\":[]}", "", FEED_GOOD, NONE, NULL },
	{ "{\"deleted\":null}", "", FEED_GOOD, NONE, NULL },
	{ "{\"new\":null}", "", FEED_GOOD, NONE, NULL },
	{ "{}", "", FEED_GOOD, NONE, NULL },
	{ "{\"new\":{}}", "", FEED_FAULT_SYNTAX, NONE, "'new' is not a list" },
	{ "{\"new\":0}", "", FEED_FAULT_SYNTAX, NONE, "'new' is not a list" },
	{ "[]", "", FEED_FAULT_NO_ENTRIES, NONE, NULL },
	{ "{\"x\":1}", "", FEED_FAULT_NO_ENTRIES, NONE, "neither 'new' nor 'deleted'" },
	{ "{\"message\":\"access forbidden\"}", "", FEED_FAULT_ERROR_PAGE, NONE,
	  "access forbidden" },
	/* Scopes of either case, others left out. */
	{ "{\"new\":[{\"id\":1,\"scope\":\"RANGE\",\"type\":\"ban\",\"value\":\"2001:db8::/48\"" LONG
	  "}]}",
	  "+2001:db8::/48 [ban] (1)" HOUR " @1\n", FEED_GOOD, NONE, NULL },
	{ "{\"new\":[{\"scope\":\"ip\",\"type\":\"ban\",\"value\":\"192.0.2.1\"" LONG "}]}",
	  "+192.0.2.1 [ban]" HOUR " @1\n", FEED_GOOD, NONE, NULL },
	{ "{\"new\":[{\"scope\":\"Country\",\"type\":\"ban\",\"value\":\"ZZ\"" LONG "}]}", "",
	  FEED_GOOD, FEED_SKIP_SCOPE, NULL },
	{ "{\"deleted\":[{\"scope\":\"AS\",\"type\":\"ban\",\"value\":\"64500\"}]}", "", FEED_GOOD,
	  FEED_SKIP_SCOPE, NULL },
	{ "{\"new\":[{\"scope\":\"ip\",\"type\":\"captcha\",\"value\":\"192.0.2.1\"" LONG "}]}", "",
	  FEED_GOOD, FEED_SKIP_UNWANTED, NULL },
	{ "{\"deleted\":[{\"scope\":\"ip\",\"type\":\"captcha\",\"value\":\"192.0.2.1\"}]}", "",
	  FEED_GOOD, FEED_SKIP_UNWANTED, NULL },
	{ "{\"new\":[" DECISION("192.0.2.1", LONG ",\"simulated\":true") "]}", "", FEED_GOOD,
	  FEED_SKIP_UNWANTED, NULL },
	{ "{\"new\":[" DECISION("192.0.2.1", LONG ",\"simulated\":false") "]}",
	  "+192.0.2.1" REST HOUR " @1\n", FEED_GOOD, NONE, NULL },
	/* Decisions that do not hang together. */
	{ "{\"new\":[" DECISION("192.0.2.1", LONG) "," DECISION("192.0.2.2", "") "]}",
	  "+192.0.2.1" REST HOUR " @1\n", FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ "{\"new\":[" DECISION("192.0.2.1", LONG) "," DECISION("192.0.2.2", LONG LONG) "]}",
	  "+192.0.2.1" REST HOUR " @1\n", FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ "{\"new\":[" DECISION("192.0.2.1", LONG) ",{\"scope\":\"ip\"}]}",
	  "+192.0.2.1" REST HOUR " @1\n", FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ "{\"new\":[" DECISION("192.0.2.1", LONG) "," DECISION("192.0.2", LONG) "]}",
	  "+192.0.2.1" REST HOUR " @1\n", FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ "{\"new\":[" DECISION("192.0.2.1", LONG) "]", "", FEED_FAULT_TRUNCATED, NONE, NULL },
};

static void crowdsec_decisions_become_rows(void **state)
{
	(void)state;
	check_samples(FEED_CROWDSEC, crowdsec);
}

static const struct {
	const char *duration;
	int64_t seconds; /* INT64_MIN: it is none */
} durations[] = {
	{ "3h59m55s", 14395 },
	{ "59m59.756182786s", 3600 },
	{ "3h59m57.2s", 14397 },
	{ "1h2m3.5s", 3724 },
	{ "-1h0m1s", -3601 },
	{ "-2s", -2 },
	{ "+2s", 2 },
	{ "0", 0 },
	{ "0s", 0 },
	{ "1.5h", 5400 },
	{ "500ms", 1 },
	{ "499ms", 0 },
	{ "1500000us", 2 },
	{ "3000000\xc2\xb5s", 3 },
	{ "3000000\xce\xbcs", 3 },
	{ "2000000000ns", 2 },
	{ "719h59m59s", 2591999 },
	{ "1000000h", 3600000000 },
	{ "10000000h", INT64_MIN },
	{ "99999999999999999999h", INT64_MIN },
	{ "", INT64_MIN },
	{ "-", INT64_MIN },
	{ "5", INT64_MIN },
	{ "h", INT64_MIN },
	{ "1d", INT64_MIN },
	{ "1h ", INT64_MIN },
	{ " 1h", INT64_MIN },
	{ "1h-2m", INT64_MIN },
	{ "1.h", INT64_MIN },
	{ ".5h", 1800 },
	{ ".h", INT64_MIN },
	{ "1hh", INT64_MIN },
	{ "1h\\u0000", INT64_MIN },
};

static void durations_are_gos(void **state)
{
	struct feed_options options = { .format = FEED_CROWDSEC, .now = 1LL << 40 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		struct lab lab = {};
		char json[512];

		snprintf(json, sizeof(json), "{\"new\":[" DECISION("192.0.2.1", FOR("%s")) "]}",
			 durations[i].duration);
		lab_read(&lab, &options, json, strlen(json));
		if (durations[i].seconds == INT64_MIN) {
			if (lab.summary.skipped[FEED_SKIP_SYNTAX] != 1)
				fail_msg("'%s' is taken", durations[i].duration);
		} else if (lab.rows != 1 ||
			   lab.row[0].expires != options.now + durations[i].seconds) {
			fail_msg("'%s' is not %lld seconds", durations[i].duration,
				 (long long)durations[i].seconds);
		}
		lab_free(&lab);
	}
}

static void a_decision_that_is_over_is_not_for_ever(void **state)
{
	static const char json[] = "{\"new\":[" DECISION("192.0.2.1", FOR("-5h")) "]}";
	struct feed_options options = { .format = FEED_CROWDSEC, .now = 18000 };
	struct lab lab = {};

	(void)state;
	lab_read(&lab, &options, json, strlen(json));
	assert_int_equal(lab.rows, 1);
	assert_int_equal(lab.row[0].expires, 1);
	lab_free(&lab);
}

static void the_types_that_count_are_the_options(void **state)
{
	static const char json[] =
		"{\"new\":[{\"scope\":\"ip\",\"type\":\"ban\",\"value\":\"192.0.2.1\"" LONG "},"
		"{\"scope\":\"ip\",\"type\":\"captcha\",\"value\":\"192.0.2.2\"" LONG "},"
		"{\"scope\":\"ip\",\"type\":\"cap\",\"value\":\"192.0.2.3\"" LONG "},"
		"{\"scope\":\"ip\",\"type\":\"\",\"value\":\"192.0.2.4\"" LONG "}]}";
	struct feed_options options = { .format = FEED_CROWDSEC, .types = ",captcha,throttle" };
	struct lab lab = {};

	(void)state;
	lab_read(&lab, &options, json, strlen(json));
	assert_string_equal(lab_rows(&lab), "+192.0.2.2 [captcha] until 3600 @2\n");
	assert_int_equal(lab.summary.skipped[FEED_SKIP_UNWANTED], 3);
	lab_free(&lab);
}

/* ---- STIX ---- */

#define INDICATOR(id, more)                                                                        \
	"{\"type\":\"indicator\",\"id\":\"" id                                                     \
	"\",\"pattern\":\"[ipv4-addr:value = '192.0.2.1']\"" more "}"
#define OTHER(id, more)                                                                            \
	"{\"type\":\"indicator\",\"id\":\"" id                                                     \
	"\",\"pattern\":\"[ipv4-addr:value = '192.0.2.2']\"" more "}"
#define BUNDLE(objects) "{\"type\":\"bundle\",\"objects\":[" objects "]}"
#define AT(time)	",\"modified\":\"" time "\""

static const struct sample stix[] = {
	{ BUNDLE("{\"type\":\"identity\",\"id\":\"i\",\"name\":\"x\"}," INDICATOR(
		  "a", ",\"name\":\"n\",\"confidence\":85,\"labels\":[\"l1\",\"l2\"],"
		       "\"indicator_types\":[\"botnet\",\"x\"],\"pattern_type\":\"stix\","
		       "\"valid_until\":\"1970-01-02T00:00:00.5Z\"")),
	  "+192.0.2.1 [botnet] (a) \"n\" 85% until 86400 @2\n", FEED_GOOD, NONE, NULL },
	{ BUNDLE(INDICATOR("a", ",\"labels\":[\"l1\",\"l2\"]")), "+192.0.2.1 [l1] (a) @1\n",
	  FEED_GOOD, NONE, NULL },
	{ BUNDLE(INDICATOR("a", ",\"indicator_types\":[],\"labels\":[]")), "+192.0.2.1 (a) @1\n",
	  FEED_GOOD, NONE, NULL },
	{ "{\"more\":false,\"objects\":[" INDICATOR("a", "") "]}", "+192.0.2.1 (a) @1\n", FEED_GOOD,
	  NONE, NULL },
	{ "{}", "", FEED_GOOD, NONE, NULL },
	{ "{\"type\":\"bundle\",\"id\":\"bundle--1\"}", "", FEED_GOOD, NONE, NULL },
	{ BUNDLE(""), "", FEED_GOOD, NONE, NULL },
	{ "{\"title\":\"Not found\",\"http_status\":\"404\"}", "", FEED_FAULT_ERROR_PAGE, NONE,
	  "Not found" },
	/* The newest version counts, wherever it stands. */
	{ BUNDLE(INDICATOR("a",
			   AT("2026-01-01T00:00:00.124Z")) "," OTHER("a",
								     AT("2026-01-01T00:00:00.123Z"))),
	  "+192.0.2.1 (a) @1\n", FEED_GOOD, FEED_SKIP_UNWANTED, NULL },
	{ BUNDLE(INDICATOR("a",
			   AT("2026-01-01T00:00:00Z")) "," OTHER("a",
								 AT("2026-01-01T01:00:00.5+00:30"))),
	  "+192.0.2.2 (a) @2\n", FEED_GOOD, FEED_SKIP_UNWANTED, NULL },
	{ BUNDLE(INDICATOR("a", "") "," OTHER("a", "")), "+192.0.2.2 (a) @2\n", FEED_GOOD,
	  FEED_SKIP_UNWANTED, NULL },
	{ BUNDLE(INDICATOR("a", "") "," OTHER("b", "")), "+192.0.2.1 (a) @1\n+192.0.2.2 (b) @2\n",
	  FEED_GOOD, NONE, NULL },
	/* What is revoked is gone. */
	{ BUNDLE(INDICATOR("b", "") "," OTHER("a", ",\"revoked\":true")), "+192.0.2.1 (b) @1\n",
	  FEED_GOOD, FEED_SKIP_UNWANTED, NULL },
	{ BUNDLE(INDICATOR("b", "") "," INDICATOR("b",
						  ",\"revoked\":false" AT("2026-01-01T00:00:00Z"))),
	  "+192.0.2.1 (b) @2\n", FEED_GOOD, FEED_SKIP_UNWANTED, NULL },
	/* What cannot be understood. */
	{ BUNDLE(INDICATOR("b", "") "," OTHER("a", ",\"pattern_type\":\"snort\"")),
	  "+192.0.2.1 (b) @1\n", FEED_GOOD, FEED_SKIP_SCOPE, NULL },
	{ BUNDLE(INDICATOR("b", "") "," OTHER("a", ",\"valid_until\":\"soon\"")),
	  "+192.0.2.1 (b) @1\n", FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ BUNDLE(INDICATOR("b", "") ",{\"type\":\"indicator\",\"id\":\"c\"}"),
	  "+192.0.2.1 (b) @1\n", FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
	{ BUNDLE(INDICATOR("b", "") ",{\"type\":\"indicator\",\"pattern\":\"[ipv4-addr:value = "
				    "'192.0.2.2']\"}"),
	  "+192.0.2.1 (b) @1\n", FEED_GOOD, FEED_SKIP_SYNTAX, NULL },
};

static void stix_indicators_become_rows(void **state)
{
	(void)state;
	check_samples(FEED_STIX, stix);
}

static void an_envelope_with_more_to_come_is_not_complete(void **state)
{
	static const char more[] =
		"{\"more\":true,\"next\":\"7\",\"objects\":[" INDICATOR("a", "") "]}";
	struct feed_options options = { .format = FEED_STIX };
	struct lab lab = {};

	(void)state;
	lab_read(&lab, &options, more, strlen(more));
	assert_false(lab.summary.complete);
	assert_string_equal(lab.summary.title, "TAXII envelope, more to come");
	lab_read(&lab, &options, BUNDLE(INDICATOR("a", "")), strlen(BUNDLE(INDICATOR("a", ""))));
	assert_true(lab.summary.complete);
	assert_string_equal(lab.summary.title, "STIX bundle");
	lab_free(&lab);
}

/* ---- patterns ---- */

static int note_address(void *arg, const char *text, size_t size)
{
	text_add(arg, "%.*s;", (int)size, text);
	return 0;
}

static const struct {
	const char *pattern;
	const char *addresses; /* NULL: it does not count */
	enum feed_skip skip;
} patterns[] = {
	{ "[ipv4-addr:value = '192.0.2.1']", "192.0.2.1;", FEED_SKIP_MAX },
	{ "[ipv4-addr:value='192.0.2.1']", "192.0.2.1;", FEED_SKIP_MAX },
	{ " [ ipv6-addr:value == '2001:db8::1' ] ", "2001:db8::1;", FEED_SKIP_MAX },
	{ "[ipv4-addr:value ISSUBSET '198.51.100.0/24']", "198.51.100.0/24;", FEED_SKIP_MAX },
	{ "[ipv4-addr:value IN ('192.0.2.1','192.0.2.2' , '192.0.2.3')]",
	  "192.0.2.1;192.0.2.2;192.0.2.3;", FEED_SKIP_MAX },
	{ "[ipv4-addr:value = '192.0.2.1' OR ipv6-addr:value = '2001:db8::1']",
	  "192.0.2.1;2001:db8::1;", FEED_SKIP_MAX },
	{ "[ipv4-addr:value = '192.0.2.1'] OR [ipv4-addr:value = '192.0.2.2']",
	  "192.0.2.1;192.0.2.2;", FEED_SKIP_MAX },
	{ "([(ipv4-addr:value = '1') OR (ipv4-addr:value = '2' OR ipv4-addr:value = '3')])",
	  "1;2;3;", FEED_SKIP_MAX },
	{ "[network-traffic:src_ref.value = '192.0.2.1' OR network-traffic:dst_ref.value = '192.0.2.2']",
	  "192.0.2.1;192.0.2.2;", FEED_SKIP_MAX },
	{ "[ipv4-addr:value = 'a\\'b\\\\']", "a'b\\;", FEED_SKIP_MAX },
	{ "[ipv4-addr:value = '']", ";", FEED_SKIP_MAX },
	{ "[ipv4-addr:value = '0123456789012345678901234567890123456789012345678901234567890123456789']",
	  ";", FEED_SKIP_MAX },
	{ "[ipv4-addr:value = '1' AND ipv4-addr:value = '2']", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = '1' OR domain-name:value = 'a.example']", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = '1'] AND [ipv4-addr:value = '2']", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = '1'] FOLLOWEDBY [ipv4-addr:value = '2']", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = '1'] WITHIN 5 SECONDS", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = '1'] REPEATS 5 TIMES", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value != '1']", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value NOT = '1']", NULL, FEED_SKIP_SCOPE },
	{ "[NOT ipv4-addr:value = '1']", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value LIKE '1%']", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value ISSUPERSET '1']", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = 1]", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value IN ()]", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value IN ('1',)]", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value IN ('1'", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:valuex = '1']", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = '1' ORipv4-addr:value = '2']", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = '1'", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = '1", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = '1\\", NULL, FEED_SKIP_SCOPE },
	{ "[ipv4-addr:value = '1']]", NULL, FEED_SKIP_SCOPE },
	{ "ipv4-addr:value = '1'", NULL, FEED_SKIP_SCOPE },
	{ "[]", NULL, FEED_SKIP_SCOPE },
	{ "", NULL, FEED_SKIP_SCOPE },
	{ "[network-traffic:dst_ref.value = '1' AND network-traffic:dst_port = 443]", NULL,
	  FEED_SKIP_PORT },
};

static void a_pattern_counts_if_each_address_alone_fulfils_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		enum feed_skip skip = FEED_SKIP_MAX;
		struct text text = {};
		size_t size = strlen(patterns[i].pattern);
		_cleanup_free_ char *copy = malloc(size + !size); /* no NUL behind it */
		int err;

		assert_non_null(copy);
		memcpy(copy, patterns[i].pattern, size);
		err = feed_pattern_read(copy, size, note_address, &text, &skip);
		if (err != (patterns[i].addresses ? 0 : -EINVAL) || skip != patterns[i].skip)
			fail_msg("%s: %d, %d", patterns[i].pattern, err, skip);
		if (strcmp(text.data ? text.data : "",
			   patterns[i].addresses ? patterns[i].addresses : ""))
			fail_msg("%s: %s", patterns[i].pattern, text.data);
		text_free(&text);
	}
}

static void parentheses_of_a_pattern_nest_to_a_limit(void **state)
{
	char pattern[4 * FEED_PATTERN_DEPTH_MAX + 64];
	struct text text = {};
	enum feed_skip skip;

	(void)state;
	for (int depth = FEED_PATTERN_DEPTH_MAX; depth <= FEED_PATTERN_DEPTH_MAX + 1; depth++) {
		char *p = pattern;

		memset(p, '(', depth);
		p += depth;
		p += snprintf(p, 64, "[ipv4-addr:value='1']");
		memset(p, ')', depth);
		assert_int_equal(feed_pattern_read(pattern, p + depth - pattern, note_address,
						   &text, &skip),
				 depth > FEED_PATTERN_DEPTH_MAX ? -EINVAL : 0);
	}
	text_free(&text);
}

static void a_long_list_of_alternatives_is_taken_whole(void **state)
{
	struct feed_options options = { .format = FEED_STIX };
	struct text json = {};
	struct lab lab = {};

	(void)state;
	text_add(&json, "{\"objects\":[{\"type\":\"indicator\",\"id\":\"a\",\"pattern\":\"");
	for (int i = 0; i < 3000; i++)
		text_add(&json, "%s[ipv4-addr:value = '192.0.%d.%d']", i ? " OR " : "", i >> 8,
			 i & 255);
	text_add(&json, "\"}]}");
	lab_read(&lab, &options, json.data, json.size);
	assert_int_equal(lab.summary.fault, FEED_GOOD);
	assert_int_equal(lab.rows, 3000);
	lab_free(&lab);
	text_free(&json);
}

static void a_pattern_beyond_the_limit_is_left_out_whole(void **state)
{
	struct feed_options options = { .format = FEED_STIX };
	struct text json = {};
	struct lab lab = {};

	(void)state;
	text_add(&json, "{\"objects\":[" INDICATOR("b", "") ",");
	text_add(&json,
		 "{\"type\":\"indicator\",\"id\":\"a\",\"pattern\":\"[ipv4-addr:value = '1.2.3.4']");
	for (unsigned int i = 0; i < FEED_OBJECT_MAX / 16; i++)
		text_add(&json, "                ");
	text_add(&json, "\"}]}");
	lab_read(&lab, &options, json.data, json.size);
	assert_int_equal(lab.rows, 1);
	assert_int_equal(lab.summary.skipped[FEED_SKIP_TOO_LONG], 1);
	lab_free(&lab);
	text_free(&json);
}

/* ---- held rows ---- */

static void held_rows_come_back_as_they_went(void **state)
{
	struct feed_row rows[3] = {
		{ .source = { .family = MOAT_IPV4, .len = 32, .addr = { 192, 0, 2, 1 } },
		  .line = 1 },
		{ .kind = FEED_ROW_ASN, .asn = 64500, .confidence = 7, .expires = INT64_MAX },
		{ .source = { .family = MOAT_IPV6, .len = 128 }, .masked = 1 },
	};
	struct feed_held held = {};
	struct feed_row row;
	uint32_t tag;
	size_t at = 0;

	(void)state;
	memset(rows[1].category, 'c', sizeof(rows[1].category) - 1);
	memset(rows[1].reference, 'r', sizeof(rows[1].reference) - 1);
	memset(rows[1].reason, 'w', sizeof(rows[1].reason) - 1);
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(feed_held_add(&held, &rows[i % 3], i), 0);
	for (size_t i = 0; i < 10000; i++) {
		assert_true(feed_held_next(&held, &at, &row, &tag));
		assert_int_equal(tag, i);
		assert_memory_equal(&row, &rows[i % 3], sizeof(row));
	}
	assert_false(feed_held_next(&held, &at, &row, &tag));
	held.size = FEED_HELD_MAX;
	assert_int_equal(feed_held_add(&held, &rows[0], 0), -EFBIG);
	feed_held_free(&held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crowdsec_decisions_become_rows),
		cmocka_unit_test(durations_are_gos),
		cmocka_unit_test(a_decision_that_is_over_is_not_for_ever),
		cmocka_unit_test(the_types_that_count_are_the_options),
		cmocka_unit_test(stix_indicators_become_rows),
		cmocka_unit_test(an_envelope_with_more_to_come_is_not_complete),
		cmocka_unit_test(a_pattern_counts_if_each_address_alone_fulfils_it),
		cmocka_unit_test(parentheses_of_a_pattern_nest_to_a_limit),
		cmocka_unit_test(a_long_list_of_alternatives_is_taken_whole),
		cmocka_unit_test(a_pattern_beyond_the_limit_is_left_out_whole),
		cmocka_unit_test(held_rows_come_back_as_they_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
