/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the feeds of a good configuration mean. Where bad ones are bad is in
 * tests/golden/config.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config.h"

#define HEAD                                                                                       \
	"interfaces: [ { name: eth0 } ]\n"                                                         \
	"categories: { botnet: { action: drop }, tor: { action: monitor } }\n"

static struct config *parse(const char *text)
{
	struct config *c = NULL;
	struct problem why = {};

	if (config_parse("test.yaml", text, strlen(text), &c, &why))
		fail_msg("%s", why.text);
	return c;
}

static void a_feed_that_says_little_has_the_promised_defaults(void **state)
{
	_cleanup_(config_freep) struct config *c = parse(
		HEAD "feeds: [ { name: drop, url: 'https://example.net/d', category: botnet } ]\n");
	const struct config_feed *feed = c->feed;

	(void)state;
	assert_int_equal(c->feeds, 1);
	assert_string_equal(feed->name, "drop");
	assert_string_equal(feed->url, "https://example.net/d");
	assert_string_equal(feed->category, "botnet");
	assert_int_equal(feed->parse.format, FEED_AUTO);
	assert_false(feed->parse.refuse_host_bits);
	assert_null(feed->parse.types);
	assert_int_equal(feed->mappings, 0);
	assert_int_equal(feed->every, 12 * 3600);
	assert_int_equal(feed->ttl, 3 * 86400);
	assert_false(feed->monitor);
	assert_int_equal(feed->confidence, -1);
	assert_int_equal(feed->min_entries, 0);
	assert_false(feed->allow_empty);
	assert_int_equal(feed->limits.max_shrink, 50);
	assert_int_equal(feed->limits.max_growth, 300);
	assert_int_equal(feed->limits.max_share, 20);
	assert_int_equal(feed->limits.wide[MOAT_IPV4], 12);
	assert_int_equal(feed->limits.wide[MOAT_IPV6], 28);
}

static void a_feed_has_all_that_it_says(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(HEAD "feeds:\n"
			   "  - name: partner\n"
			   "    url: file:///list.csv\n"
			   "    format: csv\n"
			   "    csv: { separator: tab, header: true, source: 2, confidence: 9 }\n"
			   "    category: tor\n"
			   "    categories: { c2: botnet, exit node: tor }\n"
			   "    every: 90s\n"
			   "    ttl: 2h\n"
			   "    mode: monitor\n"
			   "    confidence: 0\n"
			   "    min_entries: 10\n"
			   "    allow_empty: true\n"
			   "    max_shrink: 80%\n"
			   "    host_bits: refuse\n"
			   "    header_file: /etc/moat/secret\n");
	const struct config_feed *feed = c->feed;

	(void)state;
	assert_int_equal(feed->parse.format, FEED_CSV);
	assert_int_equal(feed->parse.csv.separator, '\t');
	assert_true(feed->parse.csv.header);
	assert_int_equal(feed->parse.csv.source, 2);
	assert_int_equal(feed->parse.csv.confidence, 9);
	assert_int_equal(feed->parse.csv.end, 0);
	assert_true(feed->parse.refuse_host_bits);
	assert_int_equal(feed->mappings, 2);
	assert_string_equal(feed->mapping[1].from, "exit node");
	assert_string_equal(feed->mapping[1].to, "tor");
	assert_int_equal(feed->every, 90);
	assert_int_equal(feed->ttl, 7200);
	assert_true(feed->monitor);
	assert_int_equal(feed->confidence, 0);
	assert_int_equal(feed->min_entries, 10);
	assert_true(feed->allow_empty);
	assert_int_equal(feed->limits.max_shrink, 80);
	assert_int_equal(feed->limits.max_growth, 300);
	assert_string_equal(feed->header_file, "/etc/moat/secret");
}

static void guards_hold_for_every_feed_wherever_they_stand(void **state)
{
	_cleanup_(config_freep) struct config *c = parse(
		"interfaces: [ { name: eth0 } ]\n"
		"feeds:\n"
		"  - { name: a, url: 'https://example.net/a', category: botnet }\n"
		"  - { name: b, url: 'https://example.net/b', category: botnet, max_shrink: 10% }\n"
		"guards: { max_shrink: 30%, max_growth: 200%, max_share_v4: 5%, wide_v4: 16 }\n"
		"categories: { botnet: { action: drop } }\n");

	(void)state;
	assert_int_equal(c->feed[0].limits.max_shrink, 30);
	assert_int_equal(c->feed[1].limits.max_shrink, 10);
	assert_int_equal(c->feed[1].limits.max_growth, 200);
	assert_int_equal(c->feed[1].limits.max_share, 5);
	assert_int_equal(c->feed[1].limits.wide[MOAT_IPV4], 16);
	assert_int_equal(c->feed[1].limits.wide[MOAT_IPV6], 28);
}

static void the_radius_has_a_budget_in_millionths_a_feed_may_have_its_own(void **state)
{
	_cleanup_(config_freep) struct config *c = parse(
		"interfaces: [ { name: eth0 } ]\n"
		"feeds:\n"
		"  - { name: a, url: 'https://example.net/a', category: botnet }\n"
		"  - { name: b, url: 'https://example.net/b', category: botnet, radius_budget: 0.0375% }\n"
		"guards: { radius_sources: 50, radius_budget: 2.5% }\n"
		"sampling: off\n"
		"categories: { botnet: { action: drop } }\n");
	_cleanup_(config_freep) struct config *plain = parse("interfaces: [ { name: eth0 } ]\n");

	(void)state;
	assert_int_equal(c->feed[0].limits.radius_sources, 50);
	assert_int_equal(c->feed[0].limits.radius_budget, 25000);
	assert_int_equal(c->feed[1].limits.radius_sources, 50);
	assert_int_equal(c->feed[1].limits.radius_budget, 375);
	assert_false(c->sampling);
	assert_int_equal(plain->limits.radius_sources, 1000);
	assert_int_equal(plain->limits.radius_budget, 5000);
	assert_true(plain->sampling);
}

static void types_of_decisions_reach_the_parser(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(HEAD "feeds: [ { name: lapi, url: 'http://127.0.0.1:8080/', format: crowdsec,"
			   " types: [ ban, captcha ], category: botnet } ]\n");

	(void)state;
	assert_string_equal(c->feed[0].parse.types, "ban,captcha");
}

static void a_stream_of_decisions_has_defaults_of_its_own(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(HEAD "feeds: [ { name: lapi, url: 'http://127.0.0.1:8080/', format: crowdsec,"
			   " api_key_file: /etc/moat/lapi.key, category: botnet } ]\n");

	(void)state;
	assert_int_equal(c->feed[0].every, 10);
	assert_int_equal(c->feed[0].crowdsec.usage, 1800);
	assert_string_equal(c->feed[0].crowdsec.key_file, "/etc/moat/lapi.key");
	assert_null(c->feed[0].parse.types); /* ban */
	assert_null(c->feed[0].crowdsec.origins);
}

static void types_that_are_mapped_are_wanted(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(HEAD "feeds:\n"
			   "  - { name: a, url: 'http://127.0.0.1:8080/', format: crowdsec,"
			   " categories: { captcha: tor, throttle: tor }, every: 5s,"
			   " usage_metrics: none, origins: [ cscli, lists ] }\n"
			   "  - { name: b, url: 'http://127.0.0.1:8080/', format: crowdsec,"
			   " category: botnet, categories: { captcha: tor } }\n");

	(void)state;
	assert_string_equal(c->feed[0].parse.types, "captcha,throttle");
	assert_string_equal(c->feed[0].crowdsec.origins, "cscli,lists");
	assert_int_equal(c->feed[0].every, 5);
	assert_int_equal(c->feed[0].crowdsec.usage, 0);
	assert_string_equal(c->feed[1].parse.types, "ban,captcha");
}

static void an_allow_list_is_a_feed(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse("interfaces: [ { name: eth0 } ]\n"
		      "feeds: [ { name: w, url: 'https://example.net/w', category: allow } ]\n");

	(void)state;
	assert_string_equal(c->feed[0].category, "allow");
}

static void feeds_say_whose_word_counts_how(void **state)
{
	_cleanup_(config_freep) struct config *c =
		parse(HEAD "manual: { trusted: false }\n"
			   "feeds:\n"
			   "  - { name: a, url: 'file:///a', category: botnet, group: abuse.ch }\n"
			   "  - { name: b, url: 'file:///b', category: botnet, group: abuse.ch }\n"
			   "  - { name: c, url: 'file:///c', category: botnet, trusted: true }\n");

	(void)state;
	assert_false(c->manual_trusted);
	assert_string_equal(c->feed[0].group, "abuse.ch");
	assert_string_equal(c->feed[1].group, "abuse.ch");
	assert_string_equal(c->feed[2].group, "");
	assert_false(c->feed[0].trusted);
	assert_true(c->feed[2].trusted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(feeds_say_whose_word_counts_how),
		cmocka_unit_test(a_feed_that_says_little_has_the_promised_defaults),
		cmocka_unit_test(a_feed_has_all_that_it_says),
		cmocka_unit_test(guards_hold_for_every_feed_wherever_they_stand),
		cmocka_unit_test(the_radius_has_a_budget_in_millionths_a_feed_may_have_its_own),
		cmocka_unit_test(types_of_decisions_reach_the_parser),
		cmocka_unit_test(a_stream_of_decisions_has_defaults_of_its_own),
		cmocka_unit_test(types_that_are_mapped_are_wanted),
		cmocka_unit_test(an_allow_list_is_a_feed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
