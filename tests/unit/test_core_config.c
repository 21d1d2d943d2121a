// SPDX-License-Identifier: BSD-2-Clause
/*
 * The configuration: what good files mean, and where bad ones are bad. What
 * categories mean is in test_core_config_policy.c.
 *
 * tests/golden/config holds one file a case: NAME.yaml, and NAME.expect with
 * the message it must give, or "valid".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sys/stat.h>

#include "core/config.h"

#ifndef MOAT_SOURCE_DIR
#define MOAT_SOURCE_DIR "."
#endif
#define GOLDEN	   MOAT_SOURCE_DIR "/tests/golden/config"
#define GOLDEN_MIN 90 /* cases: fewer means that the directory was not found whole */

#define INTERFACES "interfaces: [ { name: eth0 } ]\n"

static struct config *parse(const char *text)
{
	struct config *c = NULL;
	struct problem why = {};

	if (config_parse("test.yaml", text, strlen(text), &c, &why))
		fail_msg("%s", why.text);
	return c;
}

static char *read_file(const char *dir, const char *name, const char *suffix, size_t *ret_size)
{
	_cleanup_fclose_ FILE *f = NULL;
	char *text = calloc(1, CONFIG_FILE_MAX);
	char path[512];

	assert_non_null(text);
	snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	f = fopen(path, "re");
	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	*ret_size = fread(text, 1, CONFIG_FILE_MAX - 1, f);
	return text;
}

static void check_golden(const char *name)
{
	_cleanup_free_ char *yaml = NULL;
	_cleanup_free_ char *expect = NULL;
	_cleanup_(config_freep) struct config *c = NULL;
	struct problem why = { "valid" };
	char file[300];
	size_t size, expect_size;
	int err;

	yaml = read_file(GOLDEN, name, ".yaml", &size);
	expect = read_file(GOLDEN, name, ".expect", &expect_size);
	expect[strcspn(expect, "\n")] = '\0';
	snprintf(file, sizeof(file), "%s.yaml", name);

	err = config_parse(file, yaml, size, &c, &why);
	if (strcmp(why.text, expect))
		fail_msg("%s\n  expected: %s\n  got:      %s", name, expect, why.text);
	assert_int_equal(err, strcmp(expect, "valid") ? -EINVAL : 0);
	assert_int_equal(!c, !!err);
}

static void every_golden_file_gives_its_message(void **state)
{
	DIR *dir = opendir(GOLDEN);
	const struct dirent *entry;
	unsigned int cases = 0;

	(void)state;
	if (!dir)
		fail_msg("%s: %s (run from the top of the tree)", GOLDEN, strerror(errno));
	while ((entry = readdir(dir))) {
		char name[256];
		char *suffix;

		snprintf(name, sizeof(name), "%s", entry->d_name);
		suffix = strstr(name, ".yaml");
		if (!suffix)
			continue;
		*suffix = '\0';
		check_golden(name);
		cases++;
	}
	closedir(dir);
	assert_true(cases >= GOLDEN_MIN);
}

static void what_is_left_out_has_the_promised_default(void **state)
{
	_cleanup_(config_freep) struct config *c = parse(INTERFACES);

	(void)state;
	assert_int_equal(c->interfaces, 1);
	assert_string_equal(c->interface[0].name, "eth0");
	assert_int_equal(c->interface[0].mode, CONFIG_AUTO);
	assert_true(c->interface[0].enforce);
	assert_string_equal(c->database, "sqlite:///var/lib/moat/moat.db");
	assert_int_equal(c->capacity[MOAT_IPV4], 1000000);
	assert_int_equal(c->capacity[MOAT_IPV6], 250000);
	assert_string_equal(c->listen, "127.0.0.1:9911");
	assert_string_equal(c->socket, "/run/moat/moatd.sock");
	assert_string_equal(c->tokens, "/etc/moat/tokens");
	assert_null(c->tls.certificate);
	assert_int_equal(c->http.connections, 256);
	assert_int_equal(c->http.rate, 500);
	assert_false(c->http.insecure);
	assert_string_equal(c->pins, "/sys/fs/bpf/moat");
	assert_int_equal(c->categories, 0);
	assert_int_equal(c->never_blocks, 0);
	assert_int_equal(c->min_prefix[MOAT_IPV4], 8);
	assert_int_equal(c->min_prefix[MOAT_IPV6], 19);
	assert_true(c->drop_reasons == 0);
	assert_false(c->replies);
	assert_true(c->sieve);
	assert_int_equal(config_chain(c), 0);
	assert_int_equal(c->flows, 262144);
	assert_int_equal(c->hits, 65536);
	assert_int_equal(c->events.rate, 10000);
	assert_int_equal(c->events.log_size, 100000000);
	assert_int_equal(c->events.log_keep, 5);
	assert_null(c->events.log);
	assert_null(c->events.sflow_collector);
}

static void every_key_reaches_the_configuration(void **state)
{
	_cleanup_(config_freep) struct config *c = parse(
		"interfaces:\n"
		"  - name: eth0\n"
		"    enforce: false\n"
		"  - { name: eth1.5, mode: generic }\n"
		"  - { name: eth2, mode: native, enforce: on }\n"
		"database: sqlite:///srv/db\n"
		"capacity: { ipv4: 5, ipv6: 100000000 }\n"
		"attach: { chain: libxdp, priority: 7 }\n"
		"sieve: false\n"
		"listen: '[::1]:65535'\n"
		"socket: /tmp/s\n"
		"pins: /sys/fs/bpf/other\n"
		"never_block: [ 203.0.113.0/24, '2001:db8::1' ]\n"
		"guards: { min_prefix_v4: 1, min_prefix_v6: 128 }\n"
		"unjudged: { truncated: drop, vlan_depth: pass, ext_depth: drop }\n"
		"replies: pass\n"
		"flows: 1024\n"
		"hits: 0\n"
		"events: { rate: 7, passes: on, log: /tmp/e, log_size: 2m, log_keep: 0,\n"
		"  sflow: { collector: '192.0.2.1:6343', agent: '2001:db8::2', rate: 9 } }\n");
	char text[PREFIX_TEXT_MAX];

	(void)state;
	assert_int_equal(c->interfaces, 3);
	assert_false(c->interface[0].enforce);
	assert_string_equal(c->interface[1].name, "eth1.5");
	assert_int_equal(c->interface[1].mode, CONFIG_GENERIC);
	assert_true(c->interface[1].enforce);
	assert_int_equal(c->interface[2].mode, CONFIG_NATIVE);
	assert_true(c->interface[2].enforce);
	assert_string_equal(c->database, "sqlite:///srv/db");
	assert_int_equal(c->capacity[MOAT_IPV4], 5);
	assert_int_equal(c->capacity[MOAT_IPV6], 100000000);
	assert_false(c->sieve);
	assert_int_equal(config_chain(c), 7);
	assert_string_equal(c->listen, "[::1]:65535");
	assert_string_equal(c->socket, "/tmp/s");
	assert_string_equal(c->pins, "/sys/fs/bpf/other");
	assert_int_equal(c->never_blocks, 2);
	assert_string_equal(prefix_format(&c->never_block[0], text), "203.0.113.0/24");
	assert_string_equal(prefix_format(&c->never_block[1], text), "2001:db8::1");
	assert_int_equal(c->min_prefix[MOAT_IPV4], 1);
	assert_int_equal(c->min_prefix[MOAT_IPV6], 128);
	assert_true(c->drop_reasons == (1ULL << MOAT_TRUNCATED | 1ULL << MOAT_EXT_DEPTH));
	assert_true(c->replies);
	assert_int_equal(c->flows, 1024);
	assert_int_equal(c->hits, 0);
	assert_int_equal(c->events.rate, 7);
	assert_true(c->events.passes);
	assert_string_equal(c->events.log, "/tmp/e");
	assert_int_equal(c->events.log_size, 2000000);
	assert_int_equal(c->events.log_keep, 0);
	assert_string_equal(c->events.sflow_collector, "192.0.2.1:6343");
	assert_string_equal(c->events.sflow_agent, "2001:db8::2");
	assert_int_equal(c->events.sflow_rate, 9);
}

static void listen_none_switches_the_address_off(void **state)
{
	_cleanup_(config_freep) struct config *c = parse(INTERFACES "listen: none\n");

	(void)state;
	assert_null(c->listen);
}

static void a_failure_leaves_the_result_alone(void **state)
{
	static const char *const bad[] = {
		"interfaces: [ { name: eth0 }, { name: eth0 } ]\n",
		INTERFACES "categories: { a: { action: drop, ports: [1, 2, x] } }\n",
		INTERFACES "never_block: [ 192.0.2.0/24, x ]\n",
		INTERFACES "a: b: c\n",
	};
	struct config *const mine = (struct config *)0x1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct config *c = mine;

		assert_int_equal(config_parse("x", bad[i], strlen(bad[i]), &c, NULL), -EINVAL);
		assert_ptr_equal(c, mine);
	}
}

static void a_text_need_not_end_in_nul(void **state)
{
	_cleanup_free_ char *exact = malloc(strlen(INTERFACES));
	_cleanup_(config_freep) struct config *c = NULL;

	(void)state;
	assert_non_null(exact);
	memcpy(exact, INTERFACES, strlen(INTERFACES));
	assert_int_equal(config_parse("x", exact, strlen(INTERFACES), &c, NULL), 0);
}

static void names_in_messages_carry_no_control_characters(void **state)
{
	struct config *c = NULL;
	struct problem why;

	(void)state;
	assert_int_equal(config_parse("evil\033[2J\n.yaml", "\342\200\256: 1\n", 7, &c, &why),
			 -EINVAL);
	assert_non_null(
		strstr(why.text, "evil\\x1b[2J\\x0a.yaml:1:1: unknown key '\\xe2\\x80\\xae'"));
}

static void control_characters_by_yaml_escapes_are_refused(void **state)
{
	static const char *const bad[] = { "\\0", "\\e", "\\x7f", "\\x9b", "\\N", "\\u0085", "\\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct config *c = NULL;
		struct problem why;
		char text[128];

		snprintf(text, sizeof(text), "interfaces: [ { name: \"a%sb\" } ]\n", bad[i]);
		assert_int_equal(config_parse("x", text, strlen(text), &c, &why), -EINVAL);
		assert_string_equal(why.text, "x:1:23: control character or line break in a value");
	}
}

/* ---- files ---- */

struct scratch {
	char dir[32];
	char path[64];
};

static int make_scratch(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	strncpy(s->dir, "/tmp/moat-config-XXXXXX", sizeof(s->dir) - 1);
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/moat.yaml", s->dir);
	*state = s;
	return 0;
}

static int remove_scratch(void **state)
{
	struct scratch *s = *state;

	unlink(s->path);
	rmdir(s->dir);
	free(s);
	return 0;
}

static void write_file(const char *path, const char *text, size_t blanks)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	assert_non_null(f);
	for (size_t i = 0; i < blanks; i++)
		fputc('\n', f);
	fputs(text, f);
}

static void a_file_is_loaded(void **state)
{
	const struct scratch *s = *state;
	_cleanup_(config_freep) struct config *c = NULL;
	struct problem why;

	write_file(s->path, INTERFACES, 0);
	assert_int_equal(config_load(s->path, &c, &why), 0);
	assert_string_equal(c->interface[0].name, "eth0");
}

static void an_error_in_a_file_begins_with_its_path(void **state)
{
	const struct scratch *s = *state;
	struct config *c = NULL;
	struct problem why;
	char expect[128];

	write_file(s->path, INTERFACES "listen: 9911\n", 0);
	snprintf(expect, sizeof(expect), "%s:2:9: ", s->path);
	assert_int_equal(config_load(s->path, &c, &why), -EINVAL);
	assert_memory_equal(why.text, expect, strlen(expect));
}

static void a_missing_file_says_what_to_do(void **state)
{
	const struct scratch *s = *state;
	struct config *c = NULL;
	struct problem why;

	assert_int_equal(config_load(s->path, &c, &why), -ENOENT);
	assert_non_null(strstr(why.text, s->path));
	assert_non_null(strstr(why.text, "No such file or directory"));
	assert_non_null(strstr(why.text, "-c FILE"));
	assert_null(c);
}

static void a_directory_is_no_configuration(void **state)
{
	const struct scratch *s = *state;
	struct config *c = NULL;
	struct problem why;

	assert_int_equal(config_load(s->dir, &c, &why), -EISDIR);
	assert_non_null(strstr(why.text, "Is a directory"));
}

static void a_file_over_the_limit_is_refused_and_one_at_it_is_not(void **state)
{
	const struct scratch *s = *state;
	struct config *c = NULL;
	struct problem why;

	write_file(s->path, INTERFACES, CONFIG_FILE_MAX - strlen(INTERFACES));
	assert_int_equal(config_load(s->path, &c, &why), 0);
	c = config_free(c);
	write_file(s->path, INTERFACES, CONFIG_FILE_MAX + 1 - strlen(INTERFACES));
	assert_int_equal(config_load(s->path, &c, &why), -EINVAL);
	assert_non_null(strstr(why.text, "larger than 1048576 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_golden_file_gives_its_message),
		cmocka_unit_test(what_is_left_out_has_the_promised_default),
		cmocka_unit_test(every_key_reaches_the_configuration),
		cmocka_unit_test(listen_none_switches_the_address_off),
		cmocka_unit_test(a_failure_leaves_the_result_alone),
		cmocka_unit_test(a_text_need_not_end_in_nul),
		cmocka_unit_test(names_in_messages_carry_no_control_characters),
		cmocka_unit_test(control_characters_by_yaml_escapes_are_refused),
		cmocka_unit_test_setup_teardown(a_file_is_loaded, make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(an_error_in_a_file_begins_with_its_path,
						make_scratch, remove_scratch),
		cmocka_unit_test_setup_teardown(a_missing_file_says_what_to_do, make_scratch,
						remove_scratch),
		cmocka_unit_test_setup_teardown(a_directory_is_no_configuration, make_scratch,
						remove_scratch),
		cmocka_unit_test_setup_teardown(a_file_over_the_limit_is_refused_and_one_at_it_is_not,
						make_scratch, remove_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
