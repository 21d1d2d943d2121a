/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists that are not to be believed, or not without being asked twice. Real
 * ones are read from ../shared/data where it is.
 */
#include "tests/unit/feed_apply_lab.h"

#define SHARED "../shared/data/"

/* ---- guards ---- */

/* n hosts from 198.51.100.0 on. */
static const char *hosts(size_t n)
{
	static char text[512 * 16];
	size_t used = 0;

	assert_true(n <= 512);
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "198.51.%zu.%zu\n",
					 100 + i / 256, i % 256);
	return text;
}

static void a_list_that_shrank_to_less_than_half_is_refused(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), hosts(100));

	r = take_text(lab, s, plain(), hosts(49));
	assert_string_equal(r.cause, "shrink");
	assert_non_null(strstr(r.why.text, "49 entries after 100"));
	assert_int_equal(rows(lab), 100);
	r = take_text(lab, s, plain(), hosts(50));
	assert_string_equal(r.cause, "");
	assert_int_equal(rows(lab), 50);
}

#define DECISION(ip)                                                                               \
	"{\"id\":1,\"origin\":\"x\",\"type\":\"ban\",\"scope\":\"Ip\",\"value\":\"" ip             \
	"\",\"duration\":\"4h\",\"scenario\":\"x\"}"

/* A server that turns its list into decisions does not choose which guards it is asked. */
static void a_list_that_comes_as_decisions_is_a_list(void **state)
{
	const struct list list = { .format = FEED_AUTO };
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), hosts(100));

	r = take_text(lab, s, list, "{\"new\":[" DECISION("192.0.2.1") "],\"deleted\":null}");
	assert_int_equal(r.format, FEED_CROWDSEC);
	assert_false(r.delta);
	assert_string_equal(r.cause, "shrink");
	r = take_text(lab, s, list, "{\"new\":null,\"deleted\":[" DECISION("198.51.100.1") "]}");
	assert_string_not_equal(r.cause, "");
	assert_int_equal(rows(lab), 100);
}

static void shrinking_is_measured_against_the_last_good_list(void **state)
{
	WITH_STORE;
	/* Its listings have aged out of the database; what is known of it has not. */
	struct feed_report r = take_text(lab, s, plain(.known = 100), hosts(10));

	assert_string_equal(r.cause, "shrink");
	assert_int_equal(rows(lab), 0);
}

static void a_list_that_grew_too_much_is_refused(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), hosts(60));

	r = take_text(lab, s, plain(), hosts(60 + 256));
	assert_string_equal(r.cause, ""); /* 256 more is nothing to worry about */
	r = take_text(lab, s, plain(.known = 60), hosts(317));
	assert_string_equal(r.cause, "growth");
	r = take_text(lab, s, plain(.known = 60, .force = true), hosts(317));
	assert_string_equal(r.cause, "");
	assert_true(r.forced);
	assert_int_equal(rows(lab), 317);
}

static void a_list_of_two_hundred_thousand_more_is_refused_whatever_the_percentage(void **state)
{
	WITH_STORE;
	_cleanup_free_ char *text = malloc(350002 * 16);
	struct list list = plain(.known = 150000, .dry_run = true);
	struct feed_report r;
	size_t used = 0;

	assert_non_null(text);
	for (unsigned int i = 0; i < 350000; i++)
		used += (size_t)snprintf(text + used, 16, "%u.%u.%u.%u\n", 20 + (i >> 24),
					 i >> 16 & 255, i >> 8 & 255, i & 255);
	r = take(lab, s, &list, text, used);
	assert_string_equal(r.cause, ""); /* 233 %, and just the 200,000 */
	used += (size_t)snprintf(text + used, 16, "99.0.0.1\n");
	r = take(lab, s, &list, text, used);
	assert_string_equal(r.cause, "growth");
}

static void an_empty_list_must_be_allowed(void **state)
{
	static const char empty[] =
		"; Spamhaus EDROP List\n; Last-Modified: Fri, 18 Oct 2024\n; EOF\n";
	struct list list = { .format = FEED_SPAMHAUS };
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), hosts(2));

	r = take_text(lab, s, list, empty);
	assert_string_equal(r.cause, "not_empty");
	assert_int_equal(rows(lab), 2);
	list.allow_empty = true;
	r = take_text(lab, s, list, empty);
	assert_string_equal(r.cause, "");
	assert_counts(&r, 0, 2, 0);
	assert_int_equal(rows(lab), 0);
}

static void a_list_of_nothing_but_what_is_left_out_says_what_to_do(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(), "45.0.0.0/10\n");

	assert_string_equal(r.cause, "not_empty");
	assert_non_null(strstr(r.why.text, "1 prefixes shorter than wide_v4"));
	assert_non_null(strstr(r.why.text, "--force and a ttl"));
	r = take_text(lab, s, plain(.category = ""), hosts(3));
	assert_string_equal(r.cause, "not_empty");
	assert_non_null(strstr(r.why.text, "3 rows, and none has a category"));
	assert_non_null(strstr(r.why.text, "-c CATEGORY"));
}

static void fewer_than_min_entries_are_refused(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(.min_entries = 3), hosts(2));

	assert_string_equal(r.cause, "min_entries");
	assert_int_equal(rows(lab), 0);
}

static void a_list_over_a_fifth_of_the_address_space_is_refused(void **state)
{
	char text[110 * 16];
	size_t used = 0;
	WITH_STORE;
	struct feed_report r;

	/* 51 of 256 /8s are 19.9 %, 52 are more than 20. */
	for (int i = 0; i < 51; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%d.0.0.0/8\n", 20 + i);
	r = take_text(lab, s, plain(.force = true), text);
	assert_string_equal(r.cause, "");
	assert_int_equal(r.addresses, 51ULL << 24);
	snprintf(text + used, sizeof(text) - used, "100.0.0.0/8\n");
	r = take_text(lab, s, plain(.again = true), text);
	assert_int_equal(r.wide, 1); /* the rest was forced in, and stays */
	r = take_text(lab, s, plain(.force = true), text);
	assert_true(r.forced);
	r = take_text(lab, s, plain(), text);
	assert_string_equal(r.cause, "share");
}

static void force_does_not_help_a_broken_file(void **state)
{
	WITH_STORE;
	struct feed_report r = take_text(lab, s, plain(.force = true), "error code: 502");

	assert_true(r.cause[0] != '\0');
	assert_int_equal(rows(lab), 0);
}

static void wide_prefixes_need_force_and_an_end(void **state)
{
	WITH_STORE;
	struct feed_report r =
		take_text(lab, s, plain(),
			  "198.0.0.0/11\n198.0.0.0/12\n2001:db8::/27\n2001:db8::/28\n");

	assert_int_equal(r.wide, 2);
	assert_int_equal(rows(lab), 2);
	r = take_text(lab, s, plain(.force = true, .ttl = -1, .feed = "other"),
		      "198.0.0.0/11\n1.2.3.4\n");
	assert_int_equal(r.wide, 1);
	r = take_text(lab, s, plain(.force = true), "198.0.0.0/11\n198.0.0.0/12\n");
	assert_int_equal(r.wide, 0);
	assert_int_equal(lab_number(lab,
				    "SELECT count(*) FROM listing WHERE source = '198.0.0.0/11'"),
			 1);
}

/* ---- real lists ---- */

static char *read_shared(const char *name, size_t *ret_size)
{
	_cleanup_fclose_ FILE *f = NULL;
	char path[256];
	char *bytes;

	snprintf(path, sizeof(path), SHARED "%s", name);
	f = fopen(path, "re");
	if (!f) {
		print_message("# SKIP %s is not there: real lists are not tested\n", path);
		return NULL;
	}
	bytes = calloc(1, 16 << 20);
	assert_non_null(bytes);
	*ret_size = fread(bytes, 1, 16 << 20, f);
	return bytes;
}

static void two_days_of_a_real_list_differ_as_they_do(void **state)
{
	const struct list list = { .format = FEED_AUTO };
	_cleanup_free_ char *day1 = NULL, *day2 = NULL;
	size_t size1, size2;
	struct feed_report r;

	day1 = read_shared("firehol/firehol_level2.day1.netset", &size1);
	day2 = read_shared("firehol/firehol_level2.netset", &size2);
	if (!day1 || !day2)
		skip();
	WITH_STORE;
	r = take(lab, s, &list, day1, size1);
	assert_counts(&r, 16227, 0, 0);
	assert_int_equal(r.addresses, 33855);
	r = take(lab, s, &list, day2, size2);
	assert_counts(&r, 6836, 5139, 11088);
	assert_int_equal(r.addresses, 34772);
	assert_int_equal(rows(lab), 17924);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change"), 16227 + 6836 + 5139);
}

static void real_faults_change_nothing(void **state)
{
	static const char *const faults[] = {
		"faults/drop.txt.cloudflare-500",
		"faults/drop.txt.cloudflare-502",
		"faults/drop.txt.http500-json-body",
		"faults/asn_drop.txt.zero-bytes",
		"faults/derived-drop.txt.truncated-midline",
		"faults/derived-drop_v4.json.truncated-no-metadata",
	};
	_cleanup_free_ char *good = NULL;
	const struct list list = { .format = FEED_AUTO };
	size_t size;
	struct feed_report r;
	int64_t changes;

	good = read_shared("spamhaus/drop.txt", &size);
	if (!good)
		skip();
	WITH_STORE;
	r = take(lab, s, &list, good, size);
	assert_string_equal(r.cause, "");
	assert_int_equal(r.entries, 1698);
	assert_int_equal(r.addresses, 14863616);
	changes = lab_number(lab, "SELECT count(*) FROM change");
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		_cleanup_free_ char *bytes = read_shared(faults[i], &size);
		struct list forced = { .format = FEED_AUTO, .force = true };

		assert_non_null(bytes);
		r = take(lab, s, &forced, bytes, size);
		if (!r.cause[0])
			fail_msg("%s was taken over", faults[i]);
		assert_true(r.why.text[0] != '\0');
	}
	assert_int_equal(rows(lab), 1698);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change"), changes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(a_list_that_shrank_to_less_than_half_is_refused),
		with_store(shrinking_is_measured_against_the_last_good_list),
		with_store(a_list_that_grew_too_much_is_refused),
		with_store(a_list_that_comes_as_decisions_is_a_list),
		with_store(a_list_of_two_hundred_thousand_more_is_refused_whatever_the_percentage),
		with_store(an_empty_list_must_be_allowed),
		with_store(a_list_of_nothing_but_what_is_left_out_says_what_to_do),
		with_store(fewer_than_min_entries_are_refused),
		with_store(a_list_over_a_fifth_of_the_address_space_is_refused),
		with_store(force_does_not_help_a_broken_file),
		with_store(wide_prefixes_need_force_and_an_end),
		with_store(two_days_of_a_real_list_differ_as_they_do),
		with_store(real_faults_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
