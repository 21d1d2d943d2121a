/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another configuration would have done to samples of traffic.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/whatif.h"

#define NOW 1000

/* ---- the lab: listings, traffic, two configurations ---- */

static struct {
	struct whatif_claim claim[16];
	size_t claims;
	struct window *passed, *dropped;
	struct whatif_effect effect;
	char unjudged[WHATIF_TEXT];
} lab;

static void list(const char *source, const char *category, const char *feed)
{
	struct whatif_claim *claim = &lab.claim[lab.claims++];

	*claim = (struct whatif_claim){ .category = category, .feed = feed };
	assert_int_equal(prefix_parse(source, &claim->source), 0);
}

static void each_claim(void *source, const struct prefix *address, whatif_claim_fn fn, void *arg)
{
	(void)source;
	for (size_t i = 0; i < lab.claims; i++)
		if (prefix_covers(&lab.claim[i].source, address))
			fn(arg, &lab.claim[i]);
}

static const char *name_of(void *arg, uint32_t index)
{
	(void)arg;
	return index == 1 ? "eth0" : index == 2 ? "eth1" : NULL;
}

static struct moat_sample packet(const char *source, uint8_t protocol, uint16_t port)
{
	struct moat_sample s = { .protocol = protocol,
				 .port = port,
				 .known = MOAT_SAMPLE_PORT,
				 .family = MOAT_IPV4,
				 .reason = MOAT_CLEAN,
				 .verdict = MOAT_VERDICT_PASS,
				 .reserved = 1 };

	assert_int_equal(inet_pton(AF_INET, source, s.source), 1);
	return s;
}

static void send_sample(struct window *to, const struct moat_sample *sample, int count)
{
	for (int i = 0; i < count; i++)
		window_add(to, NOW - i % 60, sample, 1);
}

static void passes(const char *source, int count)
{
	struct moat_sample s = packet(source, 6, 443);

	send_sample(lab.passed, &s, count);
}

static void drops(const char *source, int count)
{
	struct moat_sample s = packet(source, 6, 443);

	s.verdict = MOAT_VERDICT_DROP;
	s.reason = MOAT_LISTED;
	send_sample(lab.dropped, &s, count);
}

static struct config *parse(const char *text)
{
	_cleanup_free_ char *whole = NULL;
	struct config *c = NULL;
	struct problem why;

	if (asprintf(&whole, "%s%s",
		     strstr(text, "interfaces:") ? "" : "interfaces: [ { name: eth0 } ]\n",
		     text) < 0)
		return NULL;
	if (config_parse("test", whole, strlen(whole), &c, &why))
		fail_msg("%s", why.text);
	return c;
}

static void ask(const char *now_text, const char *next_text)
{
	_cleanup_(config_freep) struct config *now = parse(now_text);
	_cleanup_(config_freep) struct config *next = parse(next_text);
	const struct whatif_question q = {
		.now = now,
		.next = next,
		.claims = each_claim,
		.interface = name_of,
		.passed = lab.passed,
		.dropped = lab.dropped,
		.time = NOW,
	};

	assert_int_equal(whatif_ask(&q, &lab.effect), 0);
	whatif_unjudged(now, next, lab.unjudged);
}

#define assert_share(got, want) assert_float_equal(got, want, 1e-9)

static void expect(double more, double limited, double tagged, double less)
{
	assert_true(lab.effect.judged);
	assert_share(lab.effect.more.share, more);
	assert_share(lab.effect.limited.share, limited);
	assert_share(lab.effect.tagged.share, tagged);
	assert_share(lab.effect.less.share, less);
}

static int setup(void **state)
{
	(void)state;
	memset(&lab, 0, sizeof(lab));
	if (window_new(1, &lab.passed) || window_new(2, &lab.dropped))
		return -1;
	window_open(lab.passed, NOW - 300);
	window_open(lab.dropped, NOW - 300);
	passes("203.0.113.1", 300); /* whom nobody lists */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	window_free(lab.passed);
	window_free(lab.dropped);
	return 0;
}

/* ---- sentences ---- */

#define MONITOR "categories: { scan: { action: monitor } }\n"
#define DROP	"categories: { scan: { action: drop } }\n"

static void a_category_that_comes_to_drop_hits_those_who_passed(void **state)
{
	(void)state;
	list("198.51.100.0/24", "scan", "manual");
	passes("198.51.100.7", 60);
	passes("198.51.100.8", 40);
	ask(MONITOR, DROP);
	expect(0.25, 0, 0, 0);
	assert_string_equal(lab.effect.more.category[0].name, "scan");
	assert_share(lab.effect.more.category[0].share, 0.25);
	assert_int_equal(lab.effect.more.tops, 2);
	assert_share(lab.effect.more.top[0].share, 0.15);
	assert_int_equal(lab.effect.more.top[0].source.addr[3], 7);
	assert_true(lab.effect.more.at_least > 0.2 && lab.effect.more.at_least < 0.25);
	assert_true(lab.effect.more.at_most < 0.3 && lab.effect.more.at_most > 0.25);
	ask(MONITOR, MONITOR);
	expect(0, 0, 0, 0);
	assert_true(lab.effect.more.at_most > 0 && lab.effect.more.at_most < 0.02);
	assert_share(lab.effect.more.at_least, 0);
}

static void a_category_that_stops_to_drop_lets_them_pass(void **state)
{
	(void)state;
	list("198.51.100.7", "scan", "manual");
	list("198.51.100.8", "scan", "manual");
	list("198.51.100.8", "botnet", "manual");
	drops("198.51.100.7", 100);
	drops("198.51.100.8", 300);
	ask("categories: { scan: { action: drop }, botnet: { action: drop } }",
	    "categories: { scan: { action: monitor }, botnet: { action: drop } }");
	expect(0, 0, 0, 0.25);
	assert_string_equal(lab.effect.less.category[0].name, "scan");
}

static void a_scope_counts(void **state)
{
	struct moat_sample fragment = packet("198.51.100.7", 6, 0);
	struct moat_sample udp = packet("198.51.100.7", 17, 22);
	struct moat_sample ssh = packet("198.51.100.7", 6, 22);

	(void)state;
	fragment.known = MOAT_SAMPLE_PROTOCOL;
	list("198.51.100.7", "scan", "manual");
	send_sample(lab.passed, &ssh, 50);
	send_sample(lab.passed, &udp, 50);
	send_sample(lab.passed, &fragment, 50);
	passes("198.51.100.7", 50); /* to 443 */
	ask(MONITOR, "categories: { scan: { action: drop, protocol: tcp, ports: [ 22 ] } }");
	expect(0.2, 0, 0, 0); /* ssh and the fragment, of 500 */
}

static void allow_and_never_block_win(void **state)
{
	(void)state;
	list("198.51.100.0/24", "scan", "manual");
	list("198.51.100.7", "allow", "manual");
	passes("198.51.100.7", 50);
	passes("198.51.100.8", 50);
	ask(MONITOR, DROP "never_block: [ 198.51.100.8 ]");
	expect(0, 0, 0, 0);
	ask(MONITOR, DROP);
	expect(0.125, 0, 0, 0);
	/* What is taken out of never_block is protected no more; what was found on the host is. */
	lab.claims = 1;
	list("198.51.100.8", "allow", "");
	lab.claim[1].never = true;
	ask(DROP "never_block: [ 198.51.100.8 ]", DROP);
	expect(0.125, 0, 0, 0);
	ask(DROP, DROP "never_block: [ 198.51.100.7 ]");
	expect(0, 0, 0, 0);
}

static void feeds_must_agree(void **state)
{
	static const char feeds[] =
		"feeds:\n"
		"  - { name: a, url: 'https://a/', category: scan }\n"
		"  - { name: b, url: 'https://b/', category: scan }\n"
		"  - { name: c, url: 'https://c/', category: scan, group: g }\n"
		"  - { name: d, url: 'https://d/', category: scan, group: g }\n"
		"  - { name: m, url: 'https://m/', category: scan, mode: monitor }\n"
		"  - { name: t, url: 'https://t/', category: scan, trusted: true }\n";
	static const struct {
		const char *feed[3];
		double share;
	} cases[] = { { { "a" }, 0 },
		      { { "a", "b" }, 0.25 },
		      { { "c", "d" }, 0 },
		      { { "a", "m" }, 0 },
		      { { "m", "a", "b" }, 0.25 },
		      { { "m", "t" }, 0.25 },
		      { { "c", "d", "b" }, 0.25 } };
	char now[1024], next[1024];

	(void)state;
	snprintf(now, sizeof(now), MONITOR "%s", feeds);
	snprintf(next, sizeof(next), "categories: { scan: { action: drop, k_of: 2 } }\n%s", feeds);
	passes("198.51.100.7", 100);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		lab.claims = 0;
		for (size_t n = 0; n < ARRAY_SIZE(cases[i].feed) && cases[i].feed[n]; n++)
			list("198.51.100.7", "scan", cases[i].feed[n]);
		ask(now, next);
		if (lab.effect.more.share < cases[i].share - 1e-9 ||
		    lab.effect.more.share > cases[i].share + 1e-9)
			fail_msg("case %zu: %f", i, lab.effect.more.share);
	}
}

static void a_feed_that_only_monitors_hits_nobody_until_it_does(void **state)
{
	(void)state;
	list("198.51.100.7", "scan", "a");
	passes("198.51.100.7", 100);
	ask(DROP "feeds: [ { name: a, url: 'https://a/', category: scan, mode: monitor } ]",
	    DROP "feeds: [ { name: a, url: 'https://a/', category: scan } ]");
	expect(0.25, 0, 0, 0);
	lab.claim[0].held = true;
	ask(DROP "feeds: [ { name: a, url: 'https://a/', category: scan, mode: monitor } ]",
	    DROP "feeds: [ { name: a, url: 'https://a/', category: scan } ]");
	expect(0, 0, 0, 0);
}

static void tags_limits_and_shared_addresses_have_shares_of_their_own(void **state)
{
	(void)state;
	list("198.51.100.7", "scan", "manual");
	passes("198.51.100.7", 100);
	ask(MONITOR, "categories: { scan: { action: tag, mark: 1 } }");
	expect(0, 0, 0.25, 0);
	ask("categories: { scan: { action: tag, mark: 1 } }",
	    "categories: { scan: { action: tag, mark: 2 } }");
	expect(0, 0, 0.25, 0);
	ask(MONITOR, "categories: { scan: { action: limit, rate: 10pps } }");
	expect(0, 0.25, 0, 0);
	list("198.51.100.7", "cgnat", "manual");
	ask("categories: { scan: { action: monitor }, cgnat: { action: shared, mark: 7 } }",
	    "categories: { scan: { action: drop }, cgnat: { action: shared, mark: 7 } }");
	expect(0, 0, 0.25, 0);
}

static void an_interface_that_comes_to_enforce_is_judged_by_itself(void **state)
{
	struct moat_sample counted = packet("198.51.100.7", 6, 443);
	struct moat_sample other = packet("198.51.100.7", 6, 443);

	(void)state;
	counted.verdict = other.verdict = MOAT_VERDICT_MONITOR;
	counted.reason = other.reason = MOAT_LISTED;
	other.reserved = 2;
	list("198.51.100.7", "scan", "manual");
	send_sample(lab.passed, &counted, 100);
	send_sample(lab.passed, &other, 100);
	ask("interfaces: [ { name: eth0, enforce: false }, { name: eth1, enforce: false } ]\n" DROP,
	    "interfaces: [ { name: eth0 }, { name: eth1, enforce: false } ]\n" DROP);
	expect(0.2, 0, 0, 0);
}

static void what_cannot_be_read_and_replies_are_judged(void **state)
{
	struct moat_sample cut = packet("203.0.113.9", 6, 0);
	struct moat_sample reply = packet("198.51.100.7", 6, 40000);

	(void)state;
	cut.reason = MOAT_TRUNCATED;
	reply.reason = MOAT_REPLY;
	list("198.51.100.7", "scan", "manual");
	send_sample(lab.passed, &cut, 50);
	send_sample(lab.passed, &reply, 50);
	ask(DROP "replies: pass\n", DROP "replies: pass\nunjudged: { truncated: drop }\n");
	expect(0.125, 0, 0, 0);
	ask(DROP "replies: pass\n", DROP);
	expect(0.125, 0, 0, 0);
}

static void who_was_listed_since_is_not_laid_to_the_configuration(void **state)
{
	(void)state;
	passes("198.51.100.7", 100); /* then: */
	list("198.51.100.7", "scan", "manual");
	ask(DROP, DROP "hits: 0\n");
	expect(0, 0, 0, 0);
}

static void too_few_samples_are_no_judgement(void **state)
{
	(void)state;
	window_close(lab.passed);
	window_open(lab.passed, NOW);
	list("198.51.100.7", "scan", "manual");
	passes("198.51.100.7", 100);
	drops("198.51.100.7", 100);
	ask(MONITOR, DROP);
	assert_false(lab.effect.judged);
	assert_false(lab.effect.judged_drops);
	assert_int_equal(lab.effect.passed, 100);
	window_free(lab.passed);
	lab.passed = NULL;
	ask(MONITOR, DROP);
	assert_int_equal(lab.effect.passed, 0);
}

static void what_is_not_judged_is_named(void **state)
{
	(void)state;
	ask(DROP, MONITOR);
	assert_string_equal(lab.unjudged, "");
	ask(DROP, DROP "region: [ de ]\nguards: { min_prefix_v4: 9 }\nreplies: pass\n"
		       "feeds: [ { name: a, url: 'https://a/', category: scan } ]\n");
	assert_string_equal(lab.unjudged, "listings of new feeds, region, guards, replies");
	ask("categories: { scan: { action: limit, rate: 1pps } }",
	    "categories: { scan: { action: limit, rate: 2pps }, spam: { action: drop } }");
	assert_string_equal(lab.unjudged, "listings of new categories, the rate of limits");
}

static void the_largest_sources_come_first(void **state)
{
	char source[32];

	(void)state;
	list("198.51.100.0/24", "scan", "manual");
	for (int i = 1; i <= 9; i++) {
		snprintf(source, sizeof(source), "198.51.100.%d", i);
		passes(source, i % 5 * 10 + i);
	}
	ask(MONITOR, DROP);
	assert_int_equal(lab.effect.more.tops, WHATIF_TOP);
	for (size_t i = 1; i < WHATIF_TOP; i++)
		assert_true(lab.effect.more.top[i - 1].share >= lab.effect.more.top[i].share);
	assert_int_equal(lab.effect.more.top[0].source.addr[3], 9);
	assert_int_equal(lab.effect.more.top[1].source.addr[3], 4);
}

#define WITH_LAB(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_LAB(a_category_that_comes_to_drop_hits_those_who_passed),
		WITH_LAB(a_category_that_stops_to_drop_lets_them_pass),
		WITH_LAB(a_scope_counts),
		WITH_LAB(allow_and_never_block_win),
		WITH_LAB(feeds_must_agree),
		WITH_LAB(a_feed_that_only_monitors_hits_nobody_until_it_does),
		WITH_LAB(tags_limits_and_shared_addresses_have_shares_of_their_own),
		WITH_LAB(an_interface_that_comes_to_enforce_is_judged_by_itself),
		WITH_LAB(what_cannot_be_read_and_replies_are_judged),
		WITH_LAB(who_was_listed_since_is_not_laid_to_the_configuration),
		WITH_LAB(too_few_samples_are_no_judgement),
		WITH_LAB(what_is_not_judged_is_named),
		WITH_LAB(the_largest_sources_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
