// SPDX-License-Identifier: BSD-2-Clause
/*
 * CSV: quoting by RFC 4180, columns by number, and records that say too
 * little or too much.
 */
#include "core_feed_lab.h"

#include <time.h>

#define RATE_RECORDS 1000000
#define RATE_WANTED  500000 /* records a second, in any build and on any machine */
#define RATE_PIECE   16384

static struct lab parse(struct feed_options *o, const char *text)
{
	o->format = FEED_CSV;
	return lab_text(o, text);
}

static void columns_are_taken_by_their_numbers(void **state)
{
	struct feed_options o = { .csv = { .header = true,
					   .source = 2,
					   .category = 1,
					   .confidence = 3,
					   .expires = 4,
					   .reference = 5,
					   .reason = 6 } };
	_cleanup_(lab_done) struct lab l =
		parse(&o, "category,ip,score,until,case,why\n"
			  "scanner,192.0.2.1,95,1800000000,C-1,\"ssh, telnet\"\n"
			  "bot,2001:db8::/48,87.5,2026-08-22T06:02:32Z,C-2,\n"
			  "bot, 192.0.2.2 ,,2026-08-22 06:02:32,,x,more,and more\n"
			  "bot,192.0.2.3,-,-,-\n");

	(void)state;
	lab_expect_fault(&l, FEED_GOOD);
	assert_int_equal(l.sum.lines, 5);
	assert_int_equal(l.count, 4);
	assert_string_equal(l.rows[0].category, "scanner");
	assert_string_equal(l.rows[0].reason, "ssh, telnet");
	assert_string_equal(l.rows[0].reference, "C-1");
	assert_int_equal(l.rows[0].confidence, 95);
	assert_int_equal(l.rows[0].expires, 1800000000);
	assert_int_equal(l.rows[0].line, 2);
	assert_int_equal(l.rows[1].confidence, 87);
	assert_int_equal(l.rows[1].expires, 1787378552);
	assert_int_equal(l.rows[2].confidence, FEED_NO_CONFIDENCE);
	assert_int_equal(l.rows[2].expires, 1787378552);
	assert_int_equal(l.rows[3].confidence, FEED_NO_CONFIDENCE);
	assert_int_equal(l.rows[3].expires, 0);
}

static void quotes_hold_separators_quotes_and_line_ends(void **state)
{
	struct feed_options o = { .csv = { .source = 1, .reason = 2, .reference = 3 } };
	_cleanup_(lab_done) struct lab l = parse(&o, "\"192.0.2.1\",\"a \"\"quoted\"\" word\",x\n"
						     "192.0.2.2,\"two\r\nlines, and\n\nmore\",y\r\n"
						     "192.0.2.3,\"\",z\n"
						     "192.0.2.4,in\"side,w\n"
						     "192.0.2.5,\"closed\" ,v\n"
						     "192.0.2.6,\"closed\"and more,u\n");
	static const uint32_t lines[] = { 1, 2, 6, 7, 8 };

	(void)state;
	lab_expect_fault(&l, FEED_GOOD);
	assert_int_equal(l.count, 5);
	assert_string_equal(l.rows[0].reason, "a \"quoted\" word");
	assert_string_equal(l.rows[1].reason, "two??lines, and??more");
	assert_string_equal(l.rows[1].reference, "y");
	assert_string_equal(l.rows[2].reason, "");
	assert_string_equal(l.rows[3].reason, "in\"side");
	assert_string_equal(l.rows[4].reason, "closed");
	assert_memory_equal(l.lines, lines, sizeof(lines));
	assert_int_equal(l.sum.lines, 9);
	assert_int_equal(l.sum.skipped[FEED_SKIP_SYNTAX], 1);
}

static void records_end_in_lf_crlf_or_cr_and_may_be_remarks(void **state)
{
	struct feed_options o = { .csv = { .source = 1 } };
	static const char *const texts[] = {
		"# a, \"remark\n192.0.2.1,a\n\n192.0.2.2,b\n",
		"# a, \"remark\r\n192.0.2.1,a\r\n\r\n192.0.2.2,b\r\n",
		"# a, \"remark\r192.0.2.1,a\r\r192.0.2.2,b\r",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(lab_done) struct lab l = parse(&o, texts[i]);
		char list[256];

		lab_expect_fault(&l, FEED_GOOD);
		assert_string_equal(lab_list(&l, list, sizeof(list)), "192.0.2.1 192.0.2.2");
		assert_int_equal(l.lines[1], 4);
		assert_int_equal(l.sum.lines, 4);
	}
}

static void a_record_without_a_source_may_name_an_as(void **state)
{
	struct feed_options o = { .csv = { .source = 1, .asn = 2, .reference = 3 } };
	_cleanup_(lab_done) struct lab l =
		parse(&o, "192.0.2.1,64496,a\n,64497,b\n-,AS64498,c\n,x,d\n,0,e\n");

	(void)state;
	assert_int_equal(l.count, 3);
	assert_int_equal(l.rows[0].kind, FEED_ROW_ADD);
	assert_int_equal(l.rows[1].kind, FEED_ROW_ASN);
	assert_int_equal(l.rows[1].asn, 64497);
	assert_string_equal(l.rows[1].reference, "b");
	assert_int_equal(l.rows[2].asn, 64498);
	assert_int_equal(l.sum.asns, 2);
	assert_int_equal(l.sum.skipped[FEED_SKIP_SYNTAX], 2);
}

static void other_separators_are_taken(void **state)
{
	struct feed_options tab = { .csv = { .separator = '\t', .source = 1, .confidence = 2 } };
	struct feed_options semicolon = { .csv = { .separator = ';', .source = 2 } };
	_cleanup_(lab_done) struct lab l = parse(&tab, "192.0.2.1\t10\n192.0.2.2\t3\n");
	_cleanup_(lab_done) struct lab s = parse(&semicolon, "a,b;192.0.2.1;c\n");

	(void)state;
	assert_int_equal(l.count, 2);
	assert_int_equal(l.rows[1].confidence, 3);
	assert_int_equal(s.count, 1);
}

static void a_second_column_may_hold_the_end_the_length_or_the_mask(void **state)
{
	struct feed_options range = { .csv = { .source = 1, .end = 2 } };
	struct feed_options length = { .csv = { .source = 1, .length = 2 } };
	_cleanup_(lab_done) struct lab r =
		parse(&range, "1.0.128.0,1.0.196.255,23969\n2001:db8::,2001:db8::1,1\n"
			      "192.0.2.9,192.0.2.1,x\n192.0.2.9,,x\n192.0.2.9,2001:db8::1,x\n"
			      "192.0.2.0,192.0.3.0/24,x\n192.0.2.0/31,192.0.2.1,x\n");
	_cleanup_(lab_done) struct lab l =
		parse(&length,
		      "192.0.2.0,24\n2001:db8::,32\n192.0.2.0,255.255.255.0\n192.0.2.1,24\n"
		      "192.0.2.0,33\n192.0.2.0,\n192.0.2.0/24,24\n192.0.2.0,0\n");
	char list[512];

	(void)state;
	assert_string_equal(lab_list(&r, list, sizeof(list)),
			    "1.0.128.0/18 1.0.192.0/22 1.0.196.0/24 2001:db8::/127");
	assert_int_equal(r.sum.skipped[FEED_SKIP_RANGE], 1);
	assert_int_equal(r.sum.skipped[FEED_SKIP_SYNTAX], 4);
	assert_string_equal(lab_list(&l, list, sizeof(list)),
			    "192.0.2.0/24 2001:db8::/32 192.0.2.0/24 192.0.2.0/24");
	assert_int_equal(l.rows[3].masked, 1);
	assert_int_equal(l.sum.skipped[FEED_SKIP_SYNTAX], 2);
	assert_int_equal(l.sum.skipped[FEED_SKIP_LENGTH] + l.sum.skipped[FEED_SKIP_HOST_BITS], 2);
}

static void records_that_cannot_be_meant_are_left_out(void **state)
{
	struct feed_options o = { .csv = { .source = 1, .confidence = 2, .expires = 3 } };
	static const struct {
		const char *record;
		enum feed_skip skip;
	} rows[] = {
		{ "host.example,1,", FEED_SKIP_SCOPE },
		{ "192.0.2.1:80,1,", FEED_SKIP_PORT },
		{ "192.0.2.1 192.0.2.2,1,", FEED_SKIP_SYNTAX },
		{ "010.1.2.3,1,", FEED_SKIP_SYNTAX },
		{ ",1,", FEED_SKIP_SYNTAX },
		{ "192.0.2.0/33,1,", FEED_SKIP_LENGTH },
		{ "192.0.2.1,101,", FEED_SKIP_SYNTAX },
		{ "192.0.2.1,high,", FEED_SKIP_SYNTAX },
		{ "192.0.2.1,1,tomorrow", FEED_SKIP_SYNTAX },
		{ "\"192.0.2.1\"x,1,", FEED_SKIP_SYNTAX },
		{ "\"192.0.2.1\n\",1,", FEED_SKIP_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128];

		snprintf(text, sizeof(text), "%s\n", rows[i].record);
		_cleanup_(lab_done) struct lab l = parse(&o, text);
		if (l.count || lab_skips(&l) != 1 || l.sum.skipped[rows[i].skip] != 1)
			fail_msg("'%s' is not left out as '%s'", rows[i].record,
				 feed_skip_label(rows[i].skip));
	}
}

static void a_record_longer_than_the_limit_is_left_out_and_the_rest_is_read(void **state)
{
	struct feed_options o = { .format = FEED_CSV, .csv = { .source = 1, .reason = 2 } };
	char text[2 * FEED_LINE_MAX];

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t size = FEED_LINE_MAX + over;

		memset(text, 'x', sizeof(text));
		memcpy(text, "192.0.2.1,", 10);
		size += snprintf(text + size, 64, "\n192.0.2.2,y\n");
		_cleanup_(lab_done) struct lab l = lab_sized(&o, text, size);
		lab_expect_fault(&l, FEED_GOOD);
		assert_int_equal(l.count, 2 - over);
		assert_int_equal(l.sum.skipped[FEED_SKIP_TOO_LONG], over);
	}
}

static void columns_beyond_the_last_that_has_a_number_do_no_harm(void **state)
{
	struct feed_options o = { .format = FEED_CSV, .csv = { .source = 255, .reason = 254 } };
	char text[FEED_LINE_MAX];
	size_t size;

	(void)state;
	memset(text, ',', sizeof(text));
	size = 254 + snprintf(text + 254, 64, "192.0.2.1,,,192.0.2.2,\n");
	_cleanup_(lab_done) struct lab l = lab_sized(&o, text, size);
	lab_expect_fault(&l, FEED_GOOD);
	assert_int_equal(l.count, 1);
}

static void quotes_that_do_not_close_condemn_the_file(void **state)
{
	struct feed_options o = { .format = FEED_CSV, .csv = { .source = 1 } };
	char text[2 * FEED_LINE_MAX];

	(void)state;
	_cleanup_(lab_done) struct lab l = parse(&o, "192.0.2.1,\"a\n192.0.2.2,b\n");
	lab_expect_fault(&l, FEED_FAULT_SYNTAX);
	assert_int_equal(l.count, 0);

	memset(text, '\n', sizeof(text));
	memcpy(text, "192.0.2.1\n\"", 11);
	_cleanup_(lab_done) struct lab far = lab_sized(&o, text, sizeof(text));
	lab_expect_fault(&far, FEED_FAULT_SYNTAX);
	assert_int_equal(far.count, 1);
}

static void a_last_record_without_end_needs_another_proof(void **state)
{
	struct feed_options o = { .csv = { .source = 1 } };
	struct feed_options whole = { .whole = true, .csv = { .source = 1 } };
	static const char text[] = "192.0.2.1,a\n192.0.2.2,b";
	_cleanup_(lab_done) struct lab cut = parse(&o, text);
	_cleanup_(lab_done) struct lab proved = parse(&whole, text);
	_cleanup_(lab_done) struct lab quoted = parse(&whole, "\"192.0.2.1\",\"b\"");

	(void)state;
	lab_expect_fault(&cut, FEED_FAULT_TRUNCATED);
	assert_int_equal(cut.count, 1);
	lab_expect_fault(&proved, FEED_GOOD);
	assert_int_equal(proved.count, 2);
	lab_expect_fault(&quoted, FEED_GOOD);
	assert_int_equal(quoted.count, 1);
}

static void columns_of_something_else_condemn_the_file(void **state)
{
	struct feed_options o = { .csv = { .source = 2 } };
	_cleanup_(lab_done) struct lab names =
		parse(&o, "192.0.2.1,a.example\n192.0.2.2,b.example\n");
	_cleanup_(lab_done) struct lab words = parse(&o, "192.0.2.1,a\n192.0.2.2,b\n192.0.2.3\n");
	_cleanup_(lab_done) struct lab none = parse(&o, "# nothing\n");

	(void)state;
	lab_expect_fault(&names, FEED_FAULT_NO_ENTRIES);
	lab_expect_fault(&words, FEED_FAULT_UNPARSABLE);
	lab_expect_fault(&none, FEED_FAULT_NO_ENTRIES);
}

static int ignore_row(void *arg, const struct feed_row *row)
{
	(void)arg;
	(void)row;
	return 0;
}

static void tables_are_read_at_hundreds_of_thousands_of_records_a_second(void **state)
{
	struct feed_options o = { .format = FEED_CSV, .csv = { .source = 1, .confidence = 3 } };
	_cleanup_free_ char *text = malloc((size_t)RATE_RECORDS * 48);
	_cleanup_(feed_parser_freep) struct feed_parser *p = NULL;
	struct timespec begin, end;
	struct feed_summary sum;
	size_t size = 0;
	double seconds;

	(void)state;
	for (uint32_t i = 0; i < RATE_RECORDS; i++)
		size += snprintf(text + size, 48, "10.%u.%u.%u,\"a scanner\",%u\n", i >> 16,
				 i >> 8 & 255, i & 255, i % 101);
	assert_int_equal(feed_parser_new(&o, ignore_row, NULL, &p), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (size_t at = 0; at < size; at += RATE_PIECE)
		feed_parser_push(p, text + at, size - at < RATE_PIECE ? size - at : RATE_PIECE);
	assert_int_equal(feed_parser_finish(p, &sum), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	seconds = (end.tv_sec - begin.tv_sec) + (end.tv_nsec - begin.tv_nsec) / 1e9;
	print_message("CSV: %.1f M records/s\n", RATE_RECORDS / seconds / 1e6);
	assert_int_equal(sum.entries, RATE_RECORDS);
	assert_true(RATE_RECORDS / seconds >= RATE_WANTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_taken_by_their_numbers),
		cmocka_unit_test(quotes_hold_separators_quotes_and_line_ends),
		cmocka_unit_test(records_end_in_lf_crlf_or_cr_and_may_be_remarks),
		cmocka_unit_test(a_record_without_a_source_may_name_an_as),
		cmocka_unit_test(other_separators_are_taken),
		cmocka_unit_test(a_second_column_may_hold_the_end_the_length_or_the_mask),
		cmocka_unit_test(records_that_cannot_be_meant_are_left_out),
		cmocka_unit_test(a_record_longer_than_the_limit_is_left_out_and_the_rest_is_read),
		cmocka_unit_test(columns_beyond_the_last_that_has_a_number_do_no_harm),
		cmocka_unit_test(quotes_that_do_not_close_condemn_the_file),
		cmocka_unit_test(a_last_record_without_end_needs_another_proof),
		cmocka_unit_test(columns_of_something_else_condemn_the_file),
		cmocka_unit_test(tables_are_read_at_hundreds_of_thousands_of_records_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
