// SPDX-License-Identifier: BSD-2-Clause
/*
 * The strict JSON reader: what is JSON, what is not, and that it does not
 * matter how the bytes were cut.
 *
 * Tokens are written down as text: {} [] for what is nested, k: for a key,
 * "s" for a string, #n for a number, T F N for the words, ~ behind a cut one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/json_read.h"
#include "core/text.h"

#define TEXT_LIMIT 16 /* text_max of these tests */

struct log {
	struct text text;
	int stop_after; /* tokens; 0: never */
	int tokens;
};

/* NUL bytes as "\\0". */
static void note_text(struct log *log, const struct json_token *t)
{
	const char *end = t->text + t->size;

	for (const char *p = t->text; p < end; p++)
		text_add(&log->text, *p ? "%c" : "\\0", *p);
	text_add(&log->text, "%s", t->kind == JSON_STRING ? "\"" : "");
	text_add(&log->text, "%s", t->cut ? "~" : "");
}

static int note(void *arg, const struct json_token *t)
{
	static const char *const plain[] = {
		[JSON_OBJECT] = "{",	[JSON_OBJECT_END] = "}", [JSON_ARRAY] = "[",
		[JSON_ARRAY_END] = "]", [JSON_TRUE] = "T",	 [JSON_FALSE] = "F",
		[JSON_NULL] = "N",
	};
	struct log *log = arg;

	log->tokens++;
	if (log->tokens == log->stop_after)
		return -EPIPE;
	if (t->text) {
		text_add(&log->text, "%s",
			 t->kind == JSON_STRING	  ? "\""
			 : t->kind == JSON_NUMBER ? "#"
						  : "");
		note_text(log, t);
		text_add(&log->text, "%s",
			 t->kind == JSON_KEY	  ? ":"
			 : t->kind == JSON_NUMBER ? " "
						  : "");
	} else {
		text_add(&log->text, "%s", plain[t->kind]);
	}
	return 0;
}

/* Reads in pieces of one size, each in memory of its own, so that ASan sees what looks beyond. */
static int read_pieces(struct json_read *r, const char *bytes, size_t size, size_t piece)
{
	int err = 0;

	for (size_t at = 0; at < size && !err; at += piece) {
		size_t now = size - at < piece ? size - at : piece;
		_cleanup_free_ char *copy = malloc(now);

		assert_non_null(copy);
		memcpy(copy, bytes + at, now);
		err = json_read_push(r, copy, now);
	}
	return err ? err : json_read_finish(r);
}

struct outcome {
	int error;
	uint64_t where;
	char tokens[512];
};

static struct outcome read_bytes(const char *bytes, size_t size, bool lines, size_t piece)
{
	struct log log = {};
	struct json_read r = { .fn = note, .arg = &log, .text_max = TEXT_LIMIT, .lines = lines };
	struct outcome out = {};

	out.error = read_pieces(&r, bytes, size, piece);
	out.where = r.where;
	assert_int_equal(!!out.error, !!r.why);
	assert_false(log.text.failed);
	assert_true(log.text.size < sizeof(out.tokens));
	memcpy(out.tokens, log.text.data ? log.text.data : "", log.text.size);
	json_read_fini(&r);
	text_free(&log.text);
	return out;
}

static struct outcome read_all_ways(const char *bytes, size_t size, bool lines)
{
	struct outcome whole = read_bytes(bytes, size, lines, size ? size : 1);

	for (size_t piece = 1; piece < size; piece++) {
		struct outcome cut = read_bytes(bytes, size, lines, piece);

		if (cut.error != whole.error || cut.where != whole.where ||
		    strcmp(cut.tokens, whole.tokens))
			fail_msg("%.*s: in pieces of %zu: %d at %llu: %s; whole: %d at %llu: %s",
				 (int)size, bytes, piece, cut.error, (unsigned long long)cut.where,
				 cut.tokens, whole.error, (unsigned long long)whole.where,
				 whole.tokens);
	}
	return whole;
}

static const struct {
	const char *json, *tokens;
} good[] = {
	{ "{}", "{}" },
	{ "[]", "[]" },
	{ " \t\r\n[ ] \n", "[]" },
	{ "null", "N" },
	{ "true", "T" },
	{ "false", "F" },
	{ "0", "#0 " },
	{ "-0", "#-0 " },
	{ "-0.0e-0", "#-0.0e-0 " },
	{ "10.250", "#10.250 " },
	{ "1E+9", "#1E+9 " },
	{ "[1,-2,3.5]", "[#1 #-2 #3.5 ]" },
	{ "[1 ]", "[#1 ]" },
	{ "\"\"", "\"\"" },
	{ "\"plain text\"", "\"plain text\"" },
	{ "\"\x7f\"", "\"\x7f\"" },
	{ "{\"a\":1,\"b\":[true,null],\"\":{}}", "{a:#1 b:[TN]:{}}" },
	{ "{ \"a\" : 1 , \"b\" : 2 }", "{a:#1 b:#2 }" },
	{ "{\"a\":1,\"a\":2}", "{a:#1 a:#2 }" }, /* double keys: who reads must look */
	{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\"\\/\b\f\n\r\t\"" },
	{ "\"\\u0041\\u00e9\\u20AC\"", "\"A\xc3\xa9\xe2\x82\xac\"" },
	{ "\"\\uD83D\\uDE00\"", "\"\xf0\x9f\x98\x80\"" },
	{ "\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"" },
	{ "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
	{ "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"",
	  "\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\"" },
	{ "\"0123456789abcdef\"", "\"0123456789abcdef\"" },
	{ "\"0123456789abcdefg\"", "\"0123456789abcdef\"~" },
	{ "\"0123456789abcd\xe2\x82\xac\"", "\"0123456789abcd\"~" },
	{ "\"0123456789abc\xe2\x82\xac!\"", "\"0123456789abc\xe2\x82\xac\"~" },
	{ "\"0123456789abc\\ud83d\\ude00\"", "\"0123456789abc\"~" },
	{ "\"0123456789abcd\\u20ac and on\"", "\"0123456789abcd\"~" },
	{ "12345678901234567890", "#1234567890123456~ " },
	{ "{\"0123456789abcdefg\":1}", "{0123456789abcdef~:#1 }" },
	{ "\xef\xbb\xbf[]", "[]" },
};

static void json_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct outcome out = read_all_ways(good[i].json, strlen(good[i].json), false);

		if (out.error)
			fail_msg("%s: %d at %llu", good[i].json, out.error,
				 (unsigned long long)out.where);
		assert_string_equal(out.tokens, good[i].tokens);
	}
}

static const struct {
	const char *json;
	int where;
} bad[] = {
	/* What lax readers take. */
	{ "{\"a\":12abc}", 7 },
	{ "{\"a\":nope}", 6 },
	{ "{\"a\":-}", 6 },
	{ "{\"a\":01}", 6 },
	{ "{\"a\":tru}", 8 },
	{ "{\"a\":1 \"b\":2}", 7 },
	{ "{\"a\":1,}", 7 },
	{ "{,}", 1 },
	{ "[1,,2]", 3 },
	{ "{\"a\"}", 4 },
	{ "{\"a\":}", 5 },
	{ "{\"a\" \"b\"}", 5 },
	{ "{\"a\":1:2}", 6 },
	{ "{} {}", 3 },
	{ "1 2", 2 },
	{ "\"\\ud800\"", 7 },
	{ "\"\\ud800x\"", 7 },
	{ "\"\\ud800\\n\"", 8 },
	{ "\"\\ud800\\u0041\"", 12 },
	{ "\"\\ud800\\ud800\"", 12 },
	{ "\"\\udc00\"", 6 },
	{ "\"\xff\"", 1 },
	{ "\"\x80\"", 1 },
	{ "\"\xc0\x80\"", 1 },	       /* overlong */
	{ "\"\xe0\x9f\xbf\"", 2 },     /* overlong */
	{ "\"\xf0\x8f\xbf\xbf\"", 2 }, /* overlong */
	{ "\"\xed\xa0\x80\"", 2 },     /* a surrogate */
	{ "\"\xf4\x90\x80\x80\"", 2 }, /* beyond U+10FFFF */
	{ "\"\xe2\x82\"", 3 },
	{ "\"\xc3 \"", 2 },
	{ "\"a\nb\"", 2 },
	{ "\"tab\there\"", 4 },
	{ "\"long enough for words \x1f\"", 23 },
	{ "\"long enough for words \xff\"", 23 },
	{ "[1,]", 3 },
	{ "[,1]", 1 },
	{ "[1}", 2 },
	{ "{\"a\":1]", 6 },
	{ "]", 0 },
	{ "}", 0 },
	{ "[]]", 2 },
	{ "{a:1}", 1 },
	{ "{'a':1}", 1 },
	{ "{1:2}", 1 },
	{ "'a'", 0 },
	{ "+1", 0 },
	{ ".5", 0 },
	{ "[1.]", 3 },
	{ "[1.e5]", 3 },
	{ "[1e]", 3 },
	{ "[1e+]", 4 },
	{ "[-a]", 2 },
	{ "[- 1]", 2 },
	{ "[00]", 2 },
	{ "[0x10]", 2 },
	{ "NaN", 0 },
	{ "[Infinity]", 1 },
	{ "[-Infinity]", 2 },
	{ "True", 0 },
	{ "[truely]", 5 },
	{ "[nul]", 4 },
	{ "\"\\x41\"", 2 },
	{ "\"\\u12g4\"", 5 },
	{ "\"\\u 123\"", 3 },
	{ "\"\\U0041\"", 2 },
	{ "// x\n[]", 0 },
	{ "[1 /* x */]", 3 },
	{ "[1]#", 3 },
	{ "\f[]", 0 },
	{ "\xc2\xa0[]", 0 },
	{ "\xef\xbb[]", 2 },
	{ "\xef\xbb\xbf\xef\xbb\xbf[]", 3 },
	{ "error code: 502", 0 },
	{ "<html>", 0 },
};

static void what_is_not_json_is_refused_where_it_goes_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct outcome out = read_all_ways(bad[i].json, strlen(bad[i].json), false);

		if (out.error != -EBADMSG || out.where != (uint64_t)bad[i].where)
			fail_msg("%s: %d at %llu, not at %d", bad[i].json, out.error,
				 (unsigned long long)out.where, bad[i].where);
	}
}

static void a_nul_byte_is_refused_anywhere(void **state)
{
	(void)state;
	assert_int_equal(read_all_ways("[\0]", 3, false).error, -EBADMSG);
	assert_int_equal(read_all_ways("\"a\0b\"", 5, false).error, -EBADMSG);
	assert_int_equal(read_all_ways("[]\0", 3, false).error, -EBADMSG);
	assert_int_equal(read_all_ways("\"\\\0\"", 4, false).error, -EBADMSG);
}

static void an_escaped_nul_is_part_of_the_string(void **state)
{
	struct outcome out = read_all_ways("\"a\\u0000b\"", 10, false);

	(void)state;
	assert_int_equal(out.error, 0);
	assert_string_equal(out.tokens, "\"a\\0b\"");
}

static void what_ends_too_early_is_told_from_what_is_wrong(void **state)
{
	static const char whole[] =
		"{\"k\":[1.5e3,\"\\u00e9\xc3\xa9\\ud83d\\ude00\",true,{\"x\":null}]}";

	(void)state;
	for (size_t size = 0; size < sizeof(whole) - 1; size++) {
		struct outcome out = read_all_ways(whole, size, false);

		if (out.error != -ENODATA)
			fail_msg("the first %zu bytes: %d", size, out.error);
		assert_int_equal(out.where, size);
	}
	assert_int_equal(read_all_ways(whole, sizeof(whole) - 1, false).error, 0);
	assert_int_equal(read_all_ways(" \n", 2, false).error, -ENODATA);
	assert_int_equal(read_all_ways("-", 1, false).error, -ENODATA);
	assert_int_equal(read_all_ways("1.", 2, false).error, -ENODATA);
}

static const struct {
	const char *text, *tokens;
	int error;
} lines[] = {
	{ "", "", 0 },
	{ "\n\n", "", 0 },
	{ "{}\n{}\n", "{}{}", 0 },
	{ "{}\r\n{}\r\n", "{}{}", 0 },
	{ "1\n2", "#1 #2 ", 0 },
	{ "\n{\"a\":1}\n\n[2]", "{a:#1 }[#2 ]", 0 },
	{ "{}{}", "{}", -EBADMSG },
	{ "{},\n{}", "{}", -EBADMSG },
	{ "{\n}", "{", -EBADMSG },
	{ "{\"a\":\n1}", "{a:", -EBADMSG },
	{ "{}\n{\"a\"", "{}{a:", -ENODATA },
	{ "{}\n]", "{}", -EBADMSG },
};

static void lines_hold_one_value_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct outcome out = read_all_ways(lines[i].text, strlen(lines[i].text), true);

		if (out.error != lines[i].error)
			fail_msg("%s: %d", lines[i].text, out.error);
		assert_string_equal(out.tokens, lines[i].tokens);
	}
}

static int note_line(void *arg, const struct json_token *t)
{
	struct json_read *r = arg;
	static const uint64_t starts[] = { 0, 4, 8 };

	if (t->kind == JSON_NUMBER) {
		assert_in_range(r->line, 0, 2);
		assert_int_equal(r->line_start, starts[r->line]);
	}
	return 0;
}

static void the_start_of_a_line_is_known(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 12; piece++) {
		struct json_read r = { .fn = note_line, .arg = &r, .text_max = 16, .lines = true };

		assert_int_equal(read_pieces(&r, "100\n[2]\n3 ", 10, piece), 0);
		json_read_fini(&r);
	}
}

static void nesting_ends_at_its_limit(void **state)
{
	char deep[2 * JSON_DEPTH_MAX + 3];

	(void)state;
	memset(deep, '[', JSON_DEPTH_MAX + 1);
	memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_int_equal(read_bytes(deep + 1, 2 * JSON_DEPTH_MAX, false, 1000).error, 0);
	assert_int_equal(read_bytes(deep, 2 * JSON_DEPTH_MAX + 2, false, 1000).error, -EBADMSG);
	assert_int_equal(read_bytes(deep, 2 * JSON_DEPTH_MAX + 2, false, 1000).where,
			 JSON_DEPTH_MAX);
}

static void arrays_and_objects_are_told_apart_at_every_depth(void **state)
{
	char deep[8 * JSON_DEPTH_MAX] = "", *p = deep;

	(void)state;
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		p += snprintf(p, deep + sizeof(deep) - p, i % 3 ? "{\"k\":" : "[");
	p += snprintf(p, deep + sizeof(deep) - p, "0");
	for (int i = JSON_DEPTH_MAX; i--;)
		p += snprintf(p, deep + sizeof(deep) - p, i % 3 ? "}" : "]");
	assert_int_equal(read_bytes(deep, strlen(deep), false, 7).error, 0);
	p[-1] = '}';
	assert_int_equal(read_bytes(deep, strlen(deep), false, 7).error, -EBADMSG);
}

static void memory_is_bounded_by_the_longest_text(void **state)
{
	struct log log = {};
	struct json_read r = { .fn = note, .arg = &log, .text_max = TEXT_LIMIT };

	(void)state;
	assert_int_equal(json_read_push(&r, "\"", 1), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(json_read_push(&r, "0123456789\\n", 12), 0);
	assert_true(r.room <= 4096);
	assert_int_equal(json_read_push(&r, "\"", 1), 0);
	assert_int_equal(json_read_finish(&r), 0);
	assert_string_equal(log.text.data, "\"0123456789\n01234\"~");
	json_read_fini(&r);
	text_free(&log.text);
}

static void the_receiver_stops_the_reader_and_it_stays_stopped(void **state)
{
	static const char json[] = "{\"a\":[1,\"x\",true],\"b\":{}}";
	int tokens = 11;

	(void)state;
	for (int stop = 1; stop <= tokens; stop++) {
		struct log log = { .stop_after = stop };
		struct json_read r = { .fn = note, .arg = &log, .text_max = TEXT_LIMIT };

		assert_int_equal(json_read_push(&r, json, sizeof(json) - 1), -EPIPE);
		assert_int_equal(log.tokens, stop);
		assert_int_equal(json_read_push(&r, "]", 1), -EPIPE);
		assert_int_equal(json_read_finish(&r), -EPIPE);
		assert_null(r.why);
		assert_int_equal(log.tokens, stop);
		json_read_fini(&r);
		text_free(&log.text);
	}
}

static void whole_numbers_are_read_within_64_bits(void **state)
{
	static const char *const none[] = { "",	   "-",	 "1.0", "1e3", "9223372036854775808",
					    "0x1", " 1", "1 ",	"--1", "-9223372036854775809",
					    "+1" };
	int64_t value = 5;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		assert_int_equal(json_integer(none[i], strlen(none[i]), &value), -EINVAL);
		assert_int_equal(value, 5);
	}
	assert_int_equal(json_integer("9223372036854775807", 19, &value), 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(json_integer("-9223372036854775808", 20, &value), 0);
	assert_true(value == INT64_MIN);
	assert_int_equal(json_integer("-0", 2, &value), 0);
	assert_int_equal(value, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_read),
		cmocka_unit_test(what_is_not_json_is_refused_where_it_goes_wrong),
		cmocka_unit_test(a_nul_byte_is_refused_anywhere),
		cmocka_unit_test(an_escaped_nul_is_part_of_the_string),
		cmocka_unit_test(what_ends_too_early_is_told_from_what_is_wrong),
		cmocka_unit_test(lines_hold_one_value_each),
		cmocka_unit_test(the_start_of_a_line_is_known),
		cmocka_unit_test(nesting_ends_at_its_limit),
		cmocka_unit_test(arrays_and_objects_are_told_apart_at_every_depth),
		cmocka_unit_test(memory_is_bounded_by_the_longest_text),
		cmocka_unit_test(the_receiver_stops_the_reader_and_it_stays_stopped),
		cmocka_unit_test(whole_numbers_are_read_within_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
