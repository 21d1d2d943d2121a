// SPDX-License-Identifier: BSD-2-Clause
/*
 * Real lists, good and broken: what an independent parser counted in them.
 *
 * They are read from $MOAT_SHARED/data (../shared/data beside the tree); a
 * test whose file is not there says that it was skipped.
 */
#include "core_feed_lab.h"

#define PIECE 16384 /* as a transfer brings them; the slow pieces are for small files */
#define SLOW  (64 << 10)
#define ANY   UINT64_MAX /* nobody counted them */

struct expect {
	const char *file;
	enum feed_format format; /* what it is recognised as */
	uint64_t rows;
	uint64_t v4, v4_inside, v6, v6_inside; /* distinct */
	uint64_t addresses;		       /* IPv4, 0: not counted */
	bool complete;
	bool open; /* the last line has no end: whole only by another proof */
	int64_t timestamp;
};

/* Without the data nothing is tested, and that is said. */
static void need_data(void)
{
	const char *shared = getenv("MOAT_SHARED");
	char path[512];

	snprintf(path, sizeof(path), "%s/data", shared ? shared : "../shared");
	if (access(path, R_OK) == 0)
		return;
	print_message("SKIPPED: no lists in %s; set MOAT_SHARED to the folder that holds data/\n",
		      path);
	skip();
}

static bool read_shared(const char *file, const struct feed_options *o, struct lab *ret)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size;

	bytes = lab_file(file, &size);
	if (!bytes)
		return false;
	*ret = size > SLOW ? lab_bytes(o, bytes, size, PIECE) : lab_sized(o, bytes, size);
	return true;
}

static bool differs(uint64_t count, uint64_t expected)
{
	return expected != ANY && count != expected;
}

static void check(const struct expect *e)
{
	struct feed_options o = { .format = FEED_AUTO, .whole = e->open };
	_cleanup_(lab_done) struct lab l = {};
	struct lab_count v4, v6;

	if (!read_shared(e->file, &o, &l))
		return;
	v4 = lab_count(&l, MOAT_IPV4);
	v6 = lab_count(&l, MOAT_IPV6);
	if (l.err || l.sum.fault || l.sum.format != e->format || l.count != e->rows ||
	    differs(v4.distinct, e->v4) || differs(v4.inside, e->v4_inside) ||
	    differs(v6.distinct, e->v6) || differs(v6.inside, e->v6_inside) ||
	    (e->addresses && v4.addresses != e->addresses) || l.sum.complete != e->complete ||
	    lab_skips(&l) || (e->timestamp && l.sum.timestamp != e->timestamp))
		fail_msg("%s: %s, %s (%s), %zu rows, %llu + %llu distinct, %llu + %llu inside, "
			 "%llu addresses, %llu skipped, complete %d, at %lld",
			 e->file, feed_format_label(l.sum.format), feed_fault_label(l.sum.fault),
			 l.sum.detail, l.count, (unsigned long long)v4.distinct,
			 (unsigned long long)v6.distinct, (unsigned long long)v4.inside,
			 (unsigned long long)v6.inside, (unsigned long long)v4.addresses,
			 (unsigned long long)lab_skips(&l), l.sum.complete,
			 (long long)l.sum.timestamp);
}

static void check_all(const struct expect *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(&list[i]);
}

static void spamhaus_lists_hold_what_was_counted(void **state)
{
	static const struct expect files[] = {
		{ "spamhaus/drop.txt", FEED_SPAMHAUS, 1699, .v4 = 1698, 40, .addresses = 14863616,
		  .complete = true, .timestamp = 1787414205 },
		{ "spamhaus/dropv6.txt", FEED_SPAMHAUS, 78, .v6 = 78, .complete = true },
		{ "spamhaus/edrop-2024-03-10.txt", FEED_SPAMHAUS, 321, .v4 = 321, 2,
		  .addresses = 644352, .complete = true },
		{ "spamhaus/drop_v6-2026-08-22.ipset", FEED_PLAIN, 91, .v6 = 91, .open = true },
	};
	struct feed_options o = { .format = FEED_AUTO };
	_cleanup_(lab_done) struct lab empty = {}, open = {};

	(void)state;
	need_data();
	check_all(files, ARRAY_SIZE(files));
	if (read_shared("spamhaus/edrop-2024-10-18-merged-empty.txt", &o, &empty)) {
		lab_expect_fault(&empty, FEED_GOOD);
		assert_true(empty.sum.complete && empty.sum.may_be_empty && !empty.count);
	}
	if (read_shared("spamhaus/drop_v6-2026-08-22.ipset", &o, &open))
		lab_expect_fault(&open, FEED_FAULT_TRUNCATED);
}

static void firehol_lists_hold_what_was_counted_and_what_their_headers_say(void **state)
{
	static const struct expect files[] = {
		{ "firehol/firehol_level1.netset", FEED_FIREHOL, 4631, .v4 = 4631,
		  .addresses = 611209217, .complete = true, .timestamp = 1787378552 },
		{ "firehol/firehol_level2.day1.netset", FEED_FIREHOL, 16227, .v4 = 16227,
		  .addresses = 33855, .complete = true },
		{ "firehol/firehol_level2.netset", FEED_FIREHOL, 17924, .v4 = 17924,
		  .addresses = 34772, .complete = true },
		{ "firehol/firehol_level3.netset", FEED_FIREHOL, 12917, .v4 = 12917,
		  .addresses = 34665, .complete = true },
		{ "firehol/firehol_abusers_30d.netset.gz", FEED_FIREHOL, 147665, .v4 = 147665,
		  .addresses = 154312, .complete = true },
		{ "firehol/blocklist_de.ipset.gz", FEED_FIREHOL, 24880, .v4 = 24880,
		  .addresses = 24880, .complete = true },
		{ "firehol/blocklist_de_sip.ipset", FEED_FIREHOL, 53, .v4 = 53, .complete = true },
		{ "firehol/tor_exits.ipset", FEED_FIREHOL, 1370, .v4 = 1370, .complete = true },
		{ "firehol/et_compromised.ipset", FEED_FIREHOL, 539, .v4 = 539, .complete = true },
		{ "firehol/et_block.netset", FEED_FIREHOL, 1624, .v4 = 1624, .addresses = 14868741,
		  .complete = true },
		{ "firehol/spamhaus_drop.netset", FEED_FIREHOL, 1599, .v4 = 1599,
		  .addresses = 14863616, .complete = true },
		{ "firehol/feodo.ipset", FEED_FIREHOL, 1, .v4 = 1, .complete = true },
		/* Stale, by their own dates: 9 April and 6 December 2024. */
		{ "firehol/spamhaus_edrop.netset", FEED_FIREHOL, 336, .v4 = 336,
		  .addresses = 731392, .complete = true, .timestamp = 1712682485 },
		{ "firehol/iblocklist_cidr_report_bogons.netset", FEED_FIREHOL, 18, .v4 = 18,
		  .addresses = 588514808, .complete = true, .timestamp = 1733485492 },
	};

	(void)state;
	need_data();
	check_all(files, ARRAY_SIZE(files));
}

static void plain_lists_hold_what_was_counted(void **state)
{
	static const struct expect files[] = {
		{ "bogons/fullbogons-ipv4.txt", FEED_PLAIN, 703, 703, ANY, .addresses = 596184064,
		  .timestamp = 1710089701 },
		{ "large/ipsum.txt.gz", FEED_PLAIN, 120430, .v4 = 120430, .timestamp = 1787360429 },
		{ "large/data-shield-critical.txt.gz", FEED_PLAIN, 100243, .v4 = 100243 },
		{ "ipv6/x4b-datacenter-ipv6.txt.gz", FEED_PLAIN, 8752, .v6 = 8752, ANY },
		{ "never-block/bgptools-anycast-v4.txt", FEED_PLAIN, 4152, 4152, ANY,
		  .open = false },
		{ "never-block/bgptools-anycast-v6.txt", FEED_PLAIN, 1611, .v6 = 1611, ANY },
		{ "geo/geofeed-advin.csv", FEED_PLAIN, 41, 27, ANY, 14, ANY, .open = false },
		{ "geo/geofeed-atomic-postal.csv", FEED_PLAIN, 16, 14, ANY, 2, ANY, .open = false },
		{ "geo/geofeed-ipc-crlf.csv", FEED_PLAIN, 6, 6, ANY, .open = true },
	};
	struct feed_options o = { .format = FEED_AUTO };
	_cleanup_(lab_done) struct lab l = {};

	(void)state;
	need_data();
	check_all(files, ARRAY_SIZE(files));
	if (read_shared("ipv6/x4b-datacenter-ipv6.txt.gz", &o, &l))
		assert_int_equal(lab_count(&l, MOAT_IPV6).lengths, 34);
}

static void routing_tables_hold_what_was_counted(void **state)
{
	static const struct expect files[] = {
		/* Every line of it ends in CRLF. */
		{ "routing/bart-prefixes.txt.gz", FEED_PLAIN, 901899 + 160147, 901899, 457209,
		  160147, 91091, 3062451734, .open = false },
		{ "routing/pyasn-ipasn6_20151101.dat.gz", FEED_PLAIN, 606138 + 27693, 606138, ANY,
		  27693, ANY, .open = false },
	};

	(void)state;
	need_data();
	check_all(files, ARRAY_SIZE(files));
}

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static void two_days_of_a_list_differ_as_was_counted(void **state)
{
	struct feed_options o = { .format = FEED_FIREHOL };
	_cleanup_(lab_done) struct lab day1 = {}, day2 = {};
	size_t i = 0, j = 0, same = 0, added = 0, removed = 0;

	(void)state;
	need_data();
	if (!read_shared("firehol/firehol_level2.day1.netset", &o, &day1) ||
	    !read_shared("firehol/firehol_level2.netset", &o, &day2))
		return;
	qsort(day1.sources, day1.count, sizeof(*day1.sources), compare_prefixes);
	qsort(day2.sources, day2.count, sizeof(*day2.sources), compare_prefixes);
	while (i < day1.count || j < day2.count) {
		int order = i == day1.count   ? 1
			    : j == day2.count ? -1
					      : prefix_compare(&day1.sources[i], &day2.sources[j]);

		same += !order;
		removed += order < 0;
		added += order > 0;
		i += order <= 0;
		j += order >= 0;
	}
	assert_int_equal(added, 6836);
	assert_int_equal(removed, 5139);
	assert_int_equal(same, 11088);
}

static void two_publishers_of_one_list_cover_the_same_addresses(void **state)
{
	struct feed_options o = { .format = FEED_AUTO };
	_cleanup_(lab_done) struct lab text = {}, merged = {}, both = {};

	(void)state;
	need_data();
	if (!read_shared("spamhaus/drop.txt", &o, &text) ||
	    !read_shared("firehol/spamhaus_drop.netset", &o, &merged))
		return;
	both.count = text.count + merged.count;
	both.sources = calloc(both.count, sizeof(*both.sources));
	assert_non_null(both.sources);
	memcpy(both.sources, text.sources, text.count * sizeof(*text.sources));
	memcpy(both.sources + text.count, merged.sources, merged.count * sizeof(*merged.sources));
	assert_int_equal(lab_count(&text, MOAT_IPV4).addresses, 14863616);
	assert_int_equal(lab_count(&merged, MOAT_IPV4).addresses, 14863616);
	assert_int_equal(lab_count(&both, MOAT_IPV4).addresses, 14863616);
}

/* Rows of one line, and numbers in a column that are not the same. */
struct ranges {
	uint64_t rows, lines;
	uint32_t line, of_line, most;
	uint32_t *numbers;
	size_t count;
	uint64_t scored; /* confidence of 2 or more */
};

static int range_row(void *arg, const struct feed_row *row)
{
	struct ranges *r = arg;

	r->of_line = row->line == r->line ? r->of_line + 1 : 1;
	r->lines += row->line != r->line;
	r->line = row->line;
	r->rows++;
	if (r->of_line > r->most)
		r->most = r->of_line;
	r->scored += row->confidence >= 2 && row->confidence != FEED_NO_CONFIDENCE;
	if (r->numbers)
		r->numbers[r->count++] = strtoul(row->reference, NULL, 10);
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool read_table(const char *file, const struct feed_options *o, struct ranges *r)
{
	_cleanup_(feed_parser_freep) struct feed_parser *p = NULL;
	_cleanup_free_ char *bytes = NULL;
	struct feed_summary sum;
	size_t size;

	bytes = lab_file(file, &size);
	if (!bytes)
		return false;
	assert_int_equal(feed_parser_new(o, range_row, r, &p), 0);
	assert_int_equal(feed_parser_push(p, bytes, size), 0);
	assert_int_equal(feed_parser_finish(p, &sum), 0);
	assert_int_equal(sum.fault, FEED_GOOD);
	assert_int_equal(sum.first_skipped, 0);
	assert_int_equal(sum.entries, r->rows);
	return true;
}

static void tables_of_ranges_become_as_many_prefixes_as_was_counted(void **state)
{
	static const struct {
		const char *file;
		uint64_t ranges, rows, most, asns;
	} files[] = {
		{ "routing/asn-ipv4-ranges.csv.gz", 411961, 564580, 16, 84159 },
		{ "routing/asn-ipv6-ranges.csv.gz", 103197, 167903, 96, 52521 },
	};
	struct feed_options o = { .format = FEED_CSV,
				  .csv = { .source = 1, .end = 2, .reference = 3 } };

	(void)state;
	need_data();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ uint32_t *numbers = calloc(1000000, sizeof(*numbers));
		struct ranges r = { .numbers = numbers };
		uint64_t asns = 0;

		if (!read_table(files[i].file, &o, &r))
			continue;
		assert_int_equal(r.lines, files[i].ranges);
		assert_int_equal(r.rows, files[i].rows);
		assert_int_equal(r.most, files[i].most);
		qsort(numbers, r.count, sizeof(*numbers), compare_numbers);
		for (size_t n = 0; n < r.count; n++)
			asns += !n || numbers[n] != numbers[n - 1];
		assert_int_equal(asns, files[i].asns);
	}
}

static void scores_of_a_list_are_read_as_columns(void **state)
{
	struct feed_options o = { .format = FEED_CSV,
				  .csv = { .separator = '\t', .source = 1, .confidence = 2 } };
	struct ranges r = {};

	(void)state;
	need_data();
	if (!read_table("large/ipsum.txt.gz", &o, &r))
		return;
	assert_int_equal(r.rows, 120430);
	assert_int_equal(r.scored, 30773);
}

static void every_faulty_file_is_refused_with_its_own_reason(void **state)
{
	static const struct {
		const char *file;
		enum feed_format format;
		enum feed_fault fault;
		size_t rows;
	} files[] = {
		{ "faults/drop.txt.cloudflare-500", FEED_SPAMHAUS, FEED_FAULT_ERROR_PAGE, 0 },
		{ "faults/drop.txt.cloudflare-502", FEED_SPAMHAUS, FEED_FAULT_ERROR_PAGE, 0 },
		{ "faults/drop.txt.http500-json-body", FEED_SPAMHAUS, FEED_FAULT_ERROR_PAGE, 0 },
		{ "faults/asn_drop.txt.zero-bytes", FEED_ASN, FEED_FAULT_EMPTY, 0 },
		{ "faults/derived-drop.txt.truncated-midline", FEED_SPAMHAUS, FEED_FAULT_TRUNCATED,
		  850 },
		{ "faults/derived-drop_v4.json.truncated-no-metadata", FEED_SPAMHAUS,
		  FEED_FAULT_TRUNCATED, 979 },
	};

	(void)state;
	need_data();
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct feed_options named = { .format = files[i].format };
		struct feed_options any = { .format = FEED_AUTO };
		struct feed_options whole = { .format = FEED_AUTO, .whole = true };
		_cleanup_(lab_done) struct lab a = {}, b = {}, c = {};

		if (!read_shared(files[i].file, &named, &a) ||
		    !read_shared(files[i].file, &any, &b) ||
		    !read_shared(files[i].file, &whole, &c))
			continue;
		print_message("%s: %s: %s\n", files[i].file, feed_fault_label(a.sum.fault),
			      a.sum.detail);
		lab_expect_fault(&a, files[i].fault);
		lab_expect_fault(&b, files[i].fault);
		lab_expect_fault(&c, files[i].fault); /* a mirror served all that it had */
		assert_int_equal(a.count, files[i].rows);
		assert_int_equal(b.count, files[i].rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spamhaus_lists_hold_what_was_counted),
		cmocka_unit_test(firehol_lists_hold_what_was_counted_and_what_their_headers_say),
		cmocka_unit_test(plain_lists_hold_what_was_counted),
		cmocka_unit_test(routing_tables_hold_what_was_counted),
		cmocka_unit_test(two_days_of_a_list_differ_as_was_counted),
		cmocka_unit_test(two_publishers_of_one_list_cover_the_same_addresses),
		cmocka_unit_test(tables_of_ranges_become_as_many_prefixes_as_was_counted),
		cmocka_unit_test(scores_of_a_list_are_read_as_columns),
		cmocka_unit_test(every_faulty_file_is_refused_with_its_own_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
