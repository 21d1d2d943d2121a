// SPDX-License-Identifier: BSD-2-Clause
/*
 * Real JSON feeds, and cuts of real ones, against counts of another parser.
 *
 * They are no part of this tree: without $MOAT_SHARED/data (../shared/data
 * beside the tree) the tests are skipped, and say so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feed_json_lab.h"

#define FILE_MAX (4 << 20)
#define NOW	 1787400000

static const char *folder(void)
{
	const char *shared = getenv("MOAT_SHARED");

	return shared ? shared : "../shared";
}

/* Reads a file of the data and parses it; skips the test when the data is not here. */
static void read_data(struct lab *lab, const struct feed_options *options, const char *name)
{
	_cleanup_free_ char *bytes = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	char path[4096];
	size_t size;

	snprintf(path, sizeof(path), "%s/data/%s", folder(), name);
	file = fopen(path, "rbe");
	if (!file) {
		print_message("SKIPPED: no %s; set MOAT_SHARED to the folder that holds data/\n",
			      path);
		skip();
	}
	bytes = malloc(FILE_MAX);
	assert_non_null(bytes);
	size = fread(bytes, 1, FILE_MAX, file);
	assert_true(size < FILE_MAX);
	lab_read(lab, options, bytes, size);
}

static int by_source(const void *a, const void *b)
{
	const struct feed_row *left = a, *right = b;

	return prefix_compare(&left->source, &right->source);
}

struct counts {
	size_t v4, v6, distinct, inside;
	uint64_t addresses; /* in the union of the IPv4 ones */
};

/* Sorts the rows: a covering prefix stands before what it covers. */
static struct counts count(struct lab *lab)
{
	struct counts n = {};
	const struct prefix *cover = NULL, *last = NULL;

	qsort(lab->row, lab->rows, sizeof(*lab->row), by_source);
	for (size_t i = 0; i < lab->rows; i++) {
		const struct prefix *p = &lab->row[i].source;

		if (p->family == MOAT_IPV4)
			n.v4++;
		else
			n.v6++;
		if (last && !prefix_compare(last, p))
			continue;
		last = p;
		n.distinct++;
		if (cover && prefix_covers(cover, p)) {
			n.inside++;
			continue;
		}
		cover = p;
		if (p->family == MOAT_IPV4)
			n.addresses += 1ULL << (32 - p->len);
	}
	return n;
}

static void spamhaus_drop_v4_agrees_with_its_metadata(void **state)
{
	struct feed_options options = { .format = FEED_SPAMHAUS };
	struct lab lab = {};
	struct counts n;

	(void)state;
	read_data(&lab, &options, "spamhaus/drop_v4.json");
	assert_int_equal(lab.summary.fault, FEED_GOOD);
	assert_int_equal(lab.summary.lines, 1670);
	assert_int_equal(lab.summary.entries, 1670);
	assert_int_equal(lab_skipped(&lab), 0);
	assert_int_equal(lab.summary.masked, 0);
	assert_true(lab.summary.complete);
	assert_int_equal(lab.summary.timestamp, 1784798042);
	assert_string_equal(lab.summary.title, "(c) 2026 The Spamhaus Project SLU");
	n = count(&lab);
	assert_int_equal(n.v4, 1670);
	assert_int_equal(n.distinct, 1669);
	assert_int_equal(n.inside, 40);
	assert_int_equal(n.addresses, 14904576);
	lab_free(&lab);
}

static void spamhaus_drop_v6_has_78_networks(void **state)
{
	struct feed_options options = { .format = FEED_AUTO };
	struct lab lab = {};
	struct counts n;

	(void)state;
	read_data(&lab, &options, "spamhaus/derived-drop_v6.json");
	assert_int_equal(lab.summary.fault, FEED_GOOD);
	assert_int_equal(lab.summary.format, FEED_SPAMHAUS);
	assert_true(lab.summary.complete);
	n = count(&lab);
	assert_int_equal(n.v4, 0);
	assert_int_equal(n.v6, 78);
	lab_free(&lab);
}

static void asn_drop_gives_201_as_numbers_and_no_prefix(void **state)
{
	struct feed_options options = { .format = FEED_ASN };
	struct lab lab = {};

	(void)state;
	read_data(&lab, &options, "spamhaus/asn_drop.json");
	assert_int_equal(lab.summary.fault, FEED_GOOD);
	assert_true(lab.summary.complete);
	assert_int_equal(lab.rows, 201);
	for (size_t i = 0; i < lab.rows; i++) {
		assert_int_equal(lab.row[i].kind, FEED_ROW_ASN);
		assert_true(lab.row[i].asn > 0);
	}
	assert_non_null(
		strstr(lab_rows(&lab), "AS61879 (aleducacional.com.br) \"Am\xc3\xa9rica_Latina_"));
	lab_free(&lab);
}

static void a_cut_drop_list_is_refused_for_its_missing_metadata(void **state)
{
	struct feed_options options = { .format = FEED_SPAMHAUS };
	struct lab lab = {};

	(void)state;
	read_data(&lab, &options, "faults/derived-drop_v4.json.truncated-no-metadata");
	assert_int_equal(lab.summary.fault, FEED_FAULT_TRUNCATED);
	assert_int_equal(lab.summary.lines, 979);
	assert_false(lab.summary.complete);
	lab_free(&lab);
}

static void an_error_message_is_refused_by_every_format(void **state)
{
	static const char *const names[] = {
		"faults/drop.txt.http500-json-body",
		"faults/drop.txt.cloudflare-500",
		"faults/drop.txt.cloudflare-502",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		for (int format = FEED_STIX; format <= FEED_CROWDSEC; format++) {
			struct feed_options options = { .format = format };
			struct lab lab = {};

			read_data(&lab, &options, names[i]);
			assert_int_equal(lab.summary.fault, FEED_FAULT_ERROR_PAGE);
			assert_int_equal(lab.rows, 0);
			lab_free(&lab);
		}
	}
}

static const struct {
	const char *name;
	enum feed_format format;
	size_t v4, v6;
	const char *title;
} lists[] = {
	{ "cloud-cloudflare", FEED_CLOUD, 15, 7, "networks in the shape of a bare list" },
	{ "cloud-fastly", FEED_CLOUD, 19, 2, "networks in the shape of Fastly" },
	{ "cloud-googlebot", FEED_CLOUD, 169, 146, "networks in the shape of Google" },
	{ "cloud-imperva", FEED_CLOUD, 11, 1, "networks in the shape of Imperva" },
	{ "misp/akamai", FEED_WARNINGLIST, 236, 32, NULL },
	{ "misp/amazon-aws", FEED_WARNINGLIST, 1750, 2097, NULL },
	{ "misp/censys-scanning", FEED_WARNINGLIST, 9, 4, NULL },
	{ "misp/cloudflare", FEED_WARNINGLIST, 15, 7, "List of known Cloudflare IP ranges" },
	{ "misp/crl-ip", FEED_WARNINGLIST, 234, 157, NULL },
	{ "misp/fastly", FEED_WARNINGLIST, 19, 2, NULL },
	{ "misp/google-gmail-sending-ips", FEED_WARNINGLIST, 2, 6, NULL },
	{ "misp/googlebot", FEED_WARNINGLIST, 41, 24, NULL },
	{ "misp/ipv6-linklocal", FEED_WARNINGLIST, 0, 1, NULL },
	{ "misp/microsoft-azure", FEED_WARNINGLIST, 1672, 1011, NULL },
	{ "misp/microsoft-office365-ip", FEED_WARNINGLIST, 31, 51, NULL },
	{ "misp/multicast", FEED_WARNINGLIST, 16, 0, NULL },
	{ "misp/public-dns-v4", FEED_WARNINGLIST, 62745, 0, NULL },
	{ "misp/public-dns-v6", FEED_WARNINGLIST, 0, 269, NULL },
	{ "misp/rfc1918", FEED_WARNINGLIST, 3, 0, NULL },
	{ "misp/rfc3849", FEED_WARNINGLIST, 0, 1, NULL },
	{ "misp/rfc5735", FEED_WARNINGLIST, 15, 0, NULL },
	{ "misp/rfc6598", FEED_WARNINGLIST, 1, 0, NULL },
	{ "misp/shadowserver", FEED_WARNINGLIST, 26, 1, NULL },
	{ "misp/shodan-scanning", FEED_WARNINGLIST, 42, 0, NULL },
	{ "misp/sinkholes", FEED_WARNINGLIST, 107, 0, NULL },
	{ "misp/smtp-receiving-ips", FEED_WARNINGLIST, 244, 26, NULL },
	{ "misp/smtp-sending-ips", FEED_WARNINGLIST, 953, 49, NULL },
	{ "misp/stretchoid-nt-scanning", FEED_WARNINGLIST, 1839, 0, NULL },
	{ "misp/telegram-ips", FEED_WARNINGLIST, 9, 5, NULL },
	{ "misp/umbrella-blockpage-v4", FEED_WARNINGLIST, 6, 0, NULL },
	/* Written as IPv4-mapped IPv6, so they are IPv4. */
	{ "misp/umbrella-blockpage-v6", FEED_WARNINGLIST, 6, 0, NULL },
	{ "misp/wikimedia", FEED_WARNINGLIST, 7, 3, NULL },
	{ "misp/zscaler", FEED_WARNINGLIST, 32, 46, NULL },
};

static void never_block_lists_have_all_their_networks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct feed_options options = { .format = lists[i].format };
		bool packed = lists[i].v4 > 60000;
		struct lab lab = {};
		struct counts n;
		char name[128];

		snprintf(name, sizeof(name), "never-block/%s.json%s", lists[i].name,
			 packed ? ".gz" : "");
		read_data(&lab, &options, name);
		n = count(&lab);
		if (lab.summary.fault || n.v4 != lists[i].v4 || n.v6 != lists[i].v6)
			fail_msg("%s: %zu v4, %zu v6, fault '%s'", name, n.v4, n.v6,
				 lab.summary.detail);
		assert_int_equal(lab.summary.lines, lab.rows);
		assert_true(lab.summary.complete);
		if (lists[i].title)
			assert_string_equal(lab.summary.title, lists[i].title);
		lab_free(&lab);

		/* And without being told the format. */
		options.format = FEED_AUTO;
		read_data(&lab, &options, name);
		assert_int_equal(lab.summary.format, lists[i].format);
		assert_int_equal(lab.rows, n.v4 + n.v6);
		lab_free(&lab);
	}
}

static void warninglists_of_other_things_than_networks_are_refused_as_such(void **state)
{
	static const char *const names[] = { "never-block/misp/google.json",
					     "never-block/misp/common-ioc-false-positive.json" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct feed_options options = { .format = FEED_WARNINGLIST };
		struct lab lab = {};

		read_data(&lab, &options, names[i]);
		assert_int_equal(lab.summary.fault, FEED_FAULT_NO_ENTRIES);
		assert_non_null(strstr(lab.summary.detail, "type 'string'"));
		assert_int_equal(lab.rows, 0);
		lab_free(&lab);
	}
}

static void the_crowdsec_startup_removes_one_and_adds_four(void **state)
{
	struct feed_options options = { .format = FEED_CROWDSEC, .now = NOW };
	struct lab lab = {};

	(void)state;
	read_data(&lab, &options, "crowdsec/synthetic-stream-startup.json");
	assert_string_equal(
		lab_rows(&lab),
		"-192.0.2.65 [ban] (3) \"cscli: manual\" @10\n"
		"+192.0.2.66 [ban] (4) \"cscli: manual 'ban' from 'localhost'\" until 1787414395 @1\n"
		"+198.51.100.7 [ban] (15002) \"CAPI: crowdsecurity/ssh-bf\" until 1788001923 @2\n"
		"+203.0.113.9 [ban] (15003) \"lists: firehol_greensnow\" until 1787486341 @3\n"
		"+198.51.100.0/24 [ban] (15004) \"cscli: manual range\" until 1789991999 @4\n");
	assert_int_equal(lab.summary.fault, FEED_GOOD);
	assert_int_equal(lab.summary.lines, 10);
	assert_int_equal(lab.summary.skipped[FEED_SKIP_SCOPE], 3);
	assert_int_equal(lab.summary.skipped[FEED_SKIP_UNWANTED], 2);
	assert_false(lab.summary.complete);
	lab_free(&lab);

	options.types = "ban,captcha,throttle";
	read_data(&lab, &options, "crowdsec/synthetic-stream-startup.json");
	assert_int_equal(lab.rows, 7);
	assert_int_equal(lab.row[5].expires, NOW + 3600); /* 59m59.756182786s */
	assert_int_equal(lab.summary.skipped[FEED_SKIP_UNWANTED], 0);
	lab_free(&lab);
}

static void crowdsec_answers_that_are_short_say_no_more_than_they_do(void **state)
{
	struct feed_options options = { .format = FEED_CROWDSEC, .now = NOW };
	struct lab lab = {};

	(void)state;
	read_data(&lab, &options, "crowdsec/synthetic-stream-delta.json");
	assert_string_equal(
		lab_rows(&lab),
		"-198.51.100.7 [ban] (15002) \"CAPI: crowdsecurity/ssh-bf\" @2\n"
		"+192.0.2.66 [ban] (16000) \"cscli: manual 'ban' from 'localhost'\" until 1787428800 @1\n");
	lab_free(&lab);
	read_data(&lab, &options, "crowdsec/synthetic-stream-null.json");
	assert_int_equal(lab.summary.fault, FEED_GOOD);
	assert_true(lab.summary.may_be_empty);
	assert_int_equal(lab.rows, 0);
	lab_free(&lab);
	read_data(&lab, &options, "crowdsec/synthetic-stream-dberror-cut.json");
	assert_int_equal(lab.summary.fault, FEED_GOOD);
	assert_false(lab.summary.complete);
	assert_int_equal(lab.rows, 2);
	assert_int_equal(lab.row[0].kind, FEED_ROW_ADD);
	assert_int_equal(lab.row[1].kind, FEED_ROW_ADD);
	lab_free(&lab);
}

static void stix_gives_the_address_of_an_indicator(void **state)
{
	struct feed_options options = { .format = FEED_STIX };
	struct lab lab = {};

	(void)state;
	read_data(&lab, &options, "stix-taxii/indicator-for-c2-ip-address.json");
	assert_string_equal(lab_rows(&lab), "+10.0.0.0 [malicious-activity] "
					    "(indicator--33fe3b22-0201-47cf-85d0-97c02164528d) "
					    "\"IP Address for known C2 channel\" @1\n");
	assert_int_equal(lab.summary.fault, FEED_GOOD);
	lab_free(&lab);
	read_data(&lab, &options, "stix-taxii/taxii-default_data.json");
	assert_int_equal(lab.rows, 0);
	assert_int_equal(lab.summary.skipped[FEED_SKIP_SCOPE], 4);
	assert_int_equal(lab_skipped(&lab), 4);
	assert_int_equal(lab.summary.fault, FEED_FAULT_NO_ENTRIES);
	lab_free(&lab);
}

static void misp_gives_nothing_of_an_event_without_addresses(void **state)
{
	struct feed_options options = { .format = FEED_MISP };
	struct lab lab = {};

	(void)state;
	read_data(&lab, &options, "misp/misp_event.json");
	assert_int_equal(lab.rows, 0);
	assert_int_equal(lab.summary.lines, 2);
	assert_int_equal(lab.summary.skipped[FEED_SKIP_SCOPE], 2);
	assert_string_equal(lab.summary.title, "A Random Event");
	assert_int_equal(lab.summary.fault, FEED_FAULT_NO_ENTRIES);
	lab_free(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spamhaus_drop_v4_agrees_with_its_metadata),
		cmocka_unit_test(spamhaus_drop_v6_has_78_networks),
		cmocka_unit_test(asn_drop_gives_201_as_numbers_and_no_prefix),
		cmocka_unit_test(a_cut_drop_list_is_refused_for_its_missing_metadata),
		cmocka_unit_test(an_error_message_is_refused_by_every_format),
		cmocka_unit_test(never_block_lists_have_all_their_networks),
		cmocka_unit_test(warninglists_of_other_things_than_networks_are_refused_as_such),
		cmocka_unit_test(the_crowdsec_startup_removes_one_and_adds_four),
		cmocka_unit_test(crowdsec_answers_that_are_short_say_no_more_than_they_do),
		cmocka_unit_test(stix_gives_the_address_of_an_indicator),
		cmocka_unit_test(misp_gives_nothing_of_an_event_without_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
