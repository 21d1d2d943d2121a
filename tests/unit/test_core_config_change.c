/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What differs between two configurations, and how one is shown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config_change.h"

#define BASE                                                                                       \
	"interfaces: [ { name: eth0 } ]\n"                                                         \
	"categories: { botnet: { action: drop }, spam: { action: monitor } }\n"                    \
	"never_block: [ 192.0.2.1, 192.0.2.2 ]\n"

#define FEED(name, url)                                                                            \
	"  - { name: " name ", url: \"" url "\", category: botnet, format: plain }\n"

static struct config *parse(const char *text)
{
	struct config *c = NULL;
	struct problem why;

	if (config_parse("test.yaml", text, strlen(text), &c, &why))
		fail_msg("%s", why.text);
	return c;
}

static void expect(const char *was_text, const char *next_text, const char *keys)
{
	_cleanup_(config_freep) struct config *was = parse(was_text);
	_cleanup_(config_freep) struct config *next = parse(next_text);
	char text[CHANGE_TEXT_MAX];

	assert_string_equal(config_changes_text(was, next, text), keys);
}

static void the_same_but_written_otherwise_is_no_change(void **state)
{
	(void)state;
	expect(BASE, BASE, "nothing");
	expect(BASE, "# another comment\n" BASE "\n\n", "nothing");
	expect(BASE,
	       "never_block: [ 192.0.2.1, 192.0.2.2 ]\n"
	       "categories: { spam: { action: monitor }, botnet: { action: drop } }\n"
	       "interfaces:\n  - name: eth0\n",
	       "nothing");
}

static void each_value_that_differs_is_named(void **state)
{
	(void)state;
	expect(BASE,
	       "interfaces: [ { name: eth0, enforce: false } ]\n"
	       "categories: { botnet: { action: tag, mark: 1 }, scan: { action: drop } }\n"
	       "never_block: [ 192.0.2.1 ]\n",
	       "interfaces.eth0.enforce, categories.botnet.action, categories.botnet.mark, "
	       "categories.spam, categories.scan, never_block");
	expect(BASE, BASE "hits: 2048\n", "hits");
	expect(BASE "hits: 2048\n", BASE, "hits");
	expect(BASE, BASE "capacity: { ipv4: 5 }\n", "capacity.ipv4");
}

static void feeds_and_interfaces_are_told_by_name(void **state)
{
	static const char two[] = BASE "feeds:\n" FEED("a", "https://a/x") FEED("b", "https://b/x");

	(void)state;
	expect(BASE, two, "feeds.a, feeds.b");
	expect(two, BASE "feeds:\n" FEED("a", "https://a/y") FEED("c", "https://b/x"),
	       "feeds.a.url, feeds.b, feeds.c");
	expect(two, BASE "feeds:\n" FEED("b", "https://b/x"), "feeds.a");
	/* The order of feeds may decide: a change of it is one. */
	expect(two, BASE "feeds:\n" FEED("b", "https://b/x") FEED("a", "https://a/x"), "feeds");
}

static void many_keys_are_counted(void **state)
{
	_cleanup_(config_freep) struct config *was = parse(BASE);
	struct text text = {};
	struct config *next;
	char keys[CHANGE_TEXT_MAX];

	(void)state;
	text_add(&text, "%sfeeds:\n", BASE);
	for (int i = 0; i < 200; i++)
		text_add(&text,
			 "  - { name: a-feed-with-a-name-%d, url: 'https://a/', category: spam }\n",
			 i);
	next = parse(text.data);
	config_changes_text(was, next, keys);
	assert_true(strlen(keys) < sizeof(keys));
	assert_non_null(strstr(keys, "feeds.a-feed-with-a-name-0, "));
	assert_non_null(strstr(keys, " more keys"));
	assert_int_equal(config_changes(was, next, NULL, NULL), 200);
	config_free(next);
	text_free(&text);
}

static void shows(const char *url, const char *shown)
{
	_cleanup_(config_freep) struct config *c = NULL;
	struct text file = {}, out = {};
	struct emit e = { .out = &out };
	char want[256];

	text_add(&file, "%sfeeds:\n  - { name: a, url: \"%s\", category: spam }\n", BASE, url);
	c = parse(file.data);
	emit_begin(&e, NULL, '{');
	config_emit(c, &e, "settings");
	emit_end(&e, '}');
	snprintf(want, sizeof(want), "\"url\":\"%s\"", shown);
	if (!strstr(out.data, want))
		fail_msg("no %s in %s", want, out.data);
	assert_non_null(strstr(out.data, "\"botnet\":{\"action\":\"drop\"}"));
	assert_non_null(strstr(out.data, "\"never_block\":[\"192.0.2.1\",\"192.0.2.2\"]"));
	text_free(&file);
	text_free(&out);
}

static void addresses_are_shown_without_their_secrets(void **state)
{
	(void)state;
	shows("https://example.net/list.txt", "https://example.net/list.txt");
	shows("https://user:pa@ss@example.net/list", "https://***@example.net/list");
	shows("https://example.net/list?key=s3cret", "https://example.net/list?***");
	shows("https://k@example.net:8080/a/b?c=d#e", "https://***@example.net:8080/a/b?***");
}

static void what_needs_a_restart_is_named(void **state)
{
	_cleanup_(config_freep) struct config *was = parse(BASE);
	_cleanup_(config_freep) struct config *same = parse(BASE "hits: 2048\n");
	_cleanup_(config_freep) struct config *some = parse(
		BASE
		"attach: { chain: libxdp }\ncapacity: { ipv6: 7 }\nlisten: none\npins: /sys/fs/bpf/other\n");
	char keys[CONFIG_FIXED_TEXT];

	(void)state;
	assert_string_equal(config_fixed(was, same, keys), "");
	assert_string_equal(config_fixed(was, some, keys), "attach, capacity, listen, pins");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_but_written_otherwise_is_no_change),
		cmocka_unit_test(each_value_that_differs_is_named),
		cmocka_unit_test(feeds_and_interfaces_are_told_by_name),
		cmocka_unit_test(many_keys_are_counted),
		cmocka_unit_test(addresses_are_shown_without_their_secrets),
		cmocka_unit_test(what_needs_a_restart_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
