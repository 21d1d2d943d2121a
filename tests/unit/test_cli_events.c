/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tail and capture against a daemon that answers from a script.
 */
#include "tests/unit/cli_lab.h"

#include "cli/sighting.h"

#define STATUS "{\"interfaces\":[{\"name\":\"eth0\"},{\"name\":\"eth1\"}]}"

#define DROPPED                                                                                    \
	"{\"time\":\"2026-11-23T11:00:00.001002Z\",\"iface\":\"eth0\",\"family\":\"ipv4\","        \
	"\"source\":\"198.51.100.7\",\"destination\":\"192.0.2.1\",\"protocol\":\"tcp\","          \
	"\"source_port\":40000,\"destination_port\":22,\"length\":1500,\"verdict\":\"drop\","      \
	"\"reason\":\"listed\",\"category\":\"botnet\",\"bytes\":\"AQIDBAU=\"}\n"
#define TAGGED                                                                                     \
	"{\"time\":\"2026-11-23T11:00:01Z\",\"iface\":\"eth1\",\"family\":\"ipv6\","               \
	"\"source\":\"2001:db8::7\",\"destination\":\"2001:db8::1\",\"protocol\":\"icmpv6\","      \
	"\"type\":128,\"code\":0,\"length\":60,\"verdict\":\"tag\",\"reason\":\"tagged\","         \
	"\"category\":\"scanner\"}\n"
/* Counts are of ever: the second says nothing new. */
#define LOST                                                                                       \
	"{\"lost\":{\"delivered\":9,\"filtered\":5,\"lost\":1000,\"suppressed\":200,"              \
	"\"limited\":30,\"slow\":4}}\n"

#define OVER                                                                                        \
	"moatctl: moatd ended the events: it was stopped or restarted; what was in force stays in " \
	"force\n"

static void tail_has_a_line_a_packet(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, DROPPED "\n" LOST LOST TAGGED);
	run(lab, "tail -n 2 --reason listed --iface eth0 --source 198.51.100.0/24");
	assert_int_equal(lab->code, CLI_DONE);
	assert_string_equal(
		lab->out,
		"TIME (UTC)    IFACE   VERDICT  REASON    CATEGORY    SOURCE                 "
		"DESTINATION            PROTOCOL  LENGTH\n"
		"11:00:00.001  eth0    drop     listed    botnet      198.51.100.7:40000     "
		"192.0.2.1:22           tcp       1500\n"
		"-- 1,234 packets are missing here: more than could be told of --\n"
		"11:00:01.000  eth1    tag      tagged    scanner     2001:db8::7            "
		"2001:db8::1            icmpv6 128  60\n");
	assert_string_equal(lab->err, "");
	assert_string_equal(lab->step[0].request.data,
			    "GET /api/v1/events?reason=listed&iface=eth0&source=198.51.100.0/24\n");
}

static void tail_as_json_is_what_the_daemon_said(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, DROPPED LOST TAGGED TAGGED);
	run(lab, "-o json tail -n 2");
	assert_int_equal(lab->code, CLI_DONE);
	assert_string_equal(lab->out, DROPPED LOST TAGGED);
}

static void a_stream_that_ends_is_no_good_end(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, DROPPED);
	run(lab, "-o json tail");
	assert_int_equal(lab->code, CLI_NO_DAEMON);
	assert_string_equal(lab->out, DROPPED);
	assert_string_equal(lab->err, OVER);
}

static void a_refusal_is_said(void **state)
{
	struct lab *lab = *state;

	script(lab, 503, "{\"detail\":\"too many readers\"}");
	run(lab, "tail");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_string_equal(lab->err, "moatctl: too many readers\n");
}

static void what_is_no_json_ends_it(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, "<html>\n" DROPPED);
	run(lab, "tail");
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_non_null(strstr(lab->err, "what is no JSON"));
}

static void a_line_without_end_is_not_kept(void **state)
{
	struct lab *lab = *state;
	char *line = calloc(1, 100000);

	memset(line, ' ', 99999);
	script(lab, 200, line);
	run(lab, "tail");
	free(line);
	assert_int_equal(lab->code, CLI_REFUSED);
	assert_non_null(strstr(lab->err, "a line of more than"));
}

static void what_cannot_be_meant_is_not_asked(void **state)
{
	static const char *const lines[] = {
		"tail --reason because",
		"tail --verdict perhaps",
		"tail -n 0",
		"tail -n many",
		"tail --for ever",
		"capture",
		"capture -w x --size small",
		"tail eth0",
		"-o json capture -w -",
		"capture -w /nowhere/file",
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		run(lab, lines[i]);
		if (lab->code != CLI_USAGE)
			fail_msg("%s: exit code %d", lines[i], lab->code);
		forget(lab);
	}
}

static void what_passes_is_asked_for(void **state)
{
	static const char *const lines[][2] = {
		{ "tail -n 1 --passes --rate 50", "?rate=50&passes=1\n" },
		{ "tail -n 1 --verdict drop,pass", "?verdict=drop%2Cpass\n" },
		{ "tail -n 1 --verdict drop", "?verdict=drop\n" },
	};
	struct lab *lab = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		script(lab, 200, DROPPED);
		run(lab, lines[i][0]);
		assert_non_null(strstr(lab->step[0].request.data, lines[i][1]));
		forget(lab);
	}
}

/* ---- capture ---- */

static char *path_of(const struct lab *lab)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/file", lab->dir);
	return path;
}

static void run_capture(struct lab *lab, const char *options)
{
	char line[256];

	snprintf(line, sizeof(line), "capture -w %s %s", path_of(lab), options);
	run(lab, line);
}

struct block {
	uint32_t type, size;
	const uint8_t *at;
};

/* The file's bytes, owned, and its blocks. */
static uint8_t *read_blocks(const struct lab *lab, struct block *blocks, size_t room, size_t *ret)
{
	FILE *f = fopen(path_of(lab), "re");
	uint8_t *bytes = calloc(1, 65536);
	size_t size, at = 0;

	assert_non_null(f);
	size = fread(bytes, 1, 65536, f);
	fclose(f);
	unlink(path_of(lab));
	for (*ret = 0; at < size; ++*ret) {
		struct block *b = &blocks[*ret];

		assert_true(*ret < room);
		b->at = bytes + at;
		memcpy(&b->type, bytes + at, 4);
		memcpy(&b->size, bytes + at + 4, 4);
		assert_true(b->size >= 12 && b->size <= size - at);
		at += b->size;
	}
	return bytes;
}

static bool holds(const struct block *b, const char *text)
{
	return memmem(b->at, b->size, text, strlen(text));
}

static void a_capture_is_whole(void **state)
{
	static const uint32_t types[] = { 0x0A0D0D0A, 1, 1, 6, 6, 5, 5 };
	struct lab *lab = *state;
	struct block blocks[16];
	uint8_t *bytes;
	size_t count;

	script(lab, 200, STATUS);
	script(lab, 200, DROPPED LOST TAGGED DROPPED);
	run_capture(lab, "-n 2 --category botnet");
	assert_string_equal(lab->step[1].request.data,
			    "GET /api/v1/events?category=botnet&bytes=1\n");
	assert_int_equal(lab->code, CLI_DONE);
	assert_string_equal(lab->out, "");
	assert_non_null(strstr(lab->err, "2 packets captured, 1,234 lost; "));
	bytes = read_blocks(lab, blocks, ARRAY_SIZE(blocks), &count);
	assert_int_equal(count, ARRAY_SIZE(types));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(blocks[i].type, types[i]);
	assert_true(holds(&blocks[1], "eth0"));
	assert_true(holds(&blocks[2], "eth1"));
	assert_memory_equal(blocks[3].at + 28, "\1\2\3\4\5", 5);
	assert_true(holds(&blocks[3],
			  "moat: drop, reason listed, category botnet (source is listed, "
			  "action drop)"));
	assert_true(holds(&blocks[4], "moat: tag, reason tagged, category scanner ("));
	/* What is missing stands before the packet that came after it: option 4, 8 bytes. */
	assert_memory_equal(blocks[4].at + blocks[4].size - 36, "\4\0\10\0\xd2\4\0\0\0\0\0\0", 12);
	free(bytes);
}

static void an_interface_that_comes_later_is_named_before_its_packet(void **state)
{
	struct lab *lab = *state;
	struct block blocks[16];
	uint8_t *bytes;
	size_t count;

	script(lab, 200, "{\"interfaces\":[{\"name\":\"eth0\"}]}");
	script(lab, 200, TAGGED);
	run_capture(lab, "-n 1");
	bytes = read_blocks(lab, blocks, ARRAY_SIZE(blocks), &count);
	assert_int_equal(count, 6);
	assert_true(blocks[2].type == 1 && holds(&blocks[2], "eth1"));
	assert_int_equal(blocks[3].type, 6);
	assert_int_equal(blocks[3].at[8], 1);
	free(bytes);
}

static void a_daemon_that_ends_leaves_a_whole_file(void **state)
{
	struct lab *lab = *state;
	struct block blocks[16];
	uint8_t *bytes;
	size_t count;

	script(lab, 200, STATUS);
	script(lab, 200, DROPPED);
	run_capture(lab, "");
	assert_int_equal(lab->code, CLI_NO_DAEMON);
	assert_non_null(strstr(lab->err, "1 packet captured, 0 lost"));
	bytes = read_blocks(lab, blocks, ARRAY_SIZE(blocks), &count);
	assert_int_equal(count, 6);
	assert_int_equal(blocks[5].type, 5);
	free(bytes);
}

static void the_size_of_a_capture_is_bounded(void **state)
{
	struct lab *lab = *state;
	struct block blocks[16];
	uint8_t *bytes;
	size_t count;

	script(lab, 200, STATUS);
	script(lab, 200, DROPPED DROPPED DROPPED DROPPED);
	run_capture(lab, "--size 400");
	assert_int_equal(lab->code, CLI_DONE);
	bytes = read_blocks(lab, blocks, ARRAY_SIZE(blocks), &count);
	assert_true(count >= 6 && count < 9);
	free(bytes);
}

static void an_unknown_interface_is_refused(void **state)
{
	struct lab *lab = *state;

	script(lab, 200, STATUS);
	run_capture(lab, "--iface eth9");
	unlink(path_of(lab));
	assert_int_equal(lab->code, CLI_USAGE);
	assert_non_null(strstr(lab->err, "no such interface"));
}

static void a_summary_as_json_is_json(void **state)
{
	struct lab *lab = *state;
	json_t *json;

	script(lab, 200, STATUS);
	script(lab, 200, DROPPED);
	run_capture(lab, "-n 1 -o json");
	unlink(path_of(lab));
	json = json_loads(lab->out, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(json, "packets")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "lost")), 0);
	json_decref(json);
}

/* ---- what is read ---- */

static void times_are_read_to_the_nanosecond(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} times[] = {
		{ "\"1970-01-01T00:00:01Z\"", 1000000000 },
		{ "\"1970-01-01T00:00:01.5Z\"", 1500000000 },
		{ "\"1970-01-01T00:00:01.000000001Z\"", 1000000001 },
		{ "\"1970-01-01T00:00:01.0000000019Z\"", 1000000001 },
		{ "\"2026-11-23T11:00:00.001002Z\"", 1795431600001002000 },
		{ "2.25", 2250000000 },
		{ "\"yesterday\"", 0 },
		{ "null", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		json_t *json = json_loads(times[i].text, JSON_DECODE_ANY, NULL);

		assert_int_equal(sighting_time(json), times[i].ns);
		json_decref(json);
	}
}

static void bytes_are_read_as_far_as_they_are_base64(void **state)
{
	static const struct {
		const char *text, *bytes;
		size_t size;
	} texts[] = {
		{ "", "", 0 },		 { "AA==", "\0", 1 },	    { "AQI=", "\1\2", 2 },
		{ "AQID", "\1\2\3", 3 }, { "/+8=", "\xff\xef", 2 }, { "AQ*D", "\1", 1 },
		{ "A", "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json_t *json = json_pack("{s:s,s:s}", "verdict", "drop", "bytes", texts[i].text);
		struct sighting seen;

		assert_true(sighting_read(json, &seen));
		assert_int_equal(seen.size, texts[i].size);
		assert_memory_equal(seen.bytes, texts[i].bytes, seen.size);
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_lab(tail_has_a_line_a_packet),
		with_lab(tail_as_json_is_what_the_daemon_said),
		with_lab(a_stream_that_ends_is_no_good_end),
		with_lab(a_refusal_is_said),
		with_lab(what_is_no_json_ends_it),
		with_lab(a_line_without_end_is_not_kept),
		with_lab(what_cannot_be_meant_is_not_asked),
		with_lab(what_passes_is_asked_for),
		with_lab(a_capture_is_whole),
		with_lab(an_interface_that_comes_later_is_named_before_its_packet),
		with_lab(a_daemon_that_ends_leaves_a_whole_file),
		with_lab(the_size_of_a_capture_is_bounded),
		with_lab(an_unknown_interface_is_refused),
		with_lab(a_summary_as_json_is_json),
		cmocka_unit_test(times_are_read_to_the_nanosecond),
		cmocka_unit_test(bytes_are_read_as_far_as_they_are_base64),
	};

	return cmocka_run_group_tests_name("cli events", tests, NULL, NULL);
}
