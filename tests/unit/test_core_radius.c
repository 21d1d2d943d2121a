/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The blast radius against brute force: every sample against every added
 * source, scopes included; and the bound against what intervals are for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/radius.h"

#define START	 5000
#define NOW	 (START + 100)
#define ROUNDS	 40
#define SAMPLES	 1500
#define PREFIXES 300

enum { BOTNET, SSH, SCRAPER, RESEARCH, CATEGORIES };

static struct moat_ports ssh_ports;
static struct config_category categories[CATEGORIES] = {
	[BOTNET] = { .name = "botnet", .policy = { .action = MOAT_ACTION_DROP } },
	[SSH] = { .name = "ssh",
		  .policy = { .action = MOAT_ACTION_DROP,
			      .flags = MOAT_POLICY_PROTOCOLS | MOAT_POLICY_PORTS,
			      .protocols = { 1ULL << 6 } },
		  .ports = &ssh_ports },
	[SCRAPER] = { .name = "scraper",
		      .policy = { .action = MOAT_ACTION_LIMIT,
				  .flags = MOAT_POLICY_PROTOCOLS,
				  .protocols = { 1ULL << 17 } } },
	[RESEARCH] = { .name = "research", .policy = { .action = MOAT_ACTION_MONITOR } },
};
static struct config config = { .category = categories, .categories = CATEGORIES };

static uint64_t seed = 88172645463325252ULL;

static uint32_t any(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

static struct window *open_window(void)
{
	struct window *w = NULL;

	ssh_ports.set[0] = 1ULL << 22;
	assert_int_equal(window_new(1, &w), 0);
	window_open(w, START);
	return w;
}

static struct radius *new_radius(void)
{
	struct radius *r = NULL;

	assert_int_equal(radius_new(&config, &r), 0);
	return r;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void add(struct radius *r, const char *category, const char *source)
{
	struct prefix p = prefix(source);

	assert_int_equal(radius_add(r, category, &p), 0);
}

static struct moat_sample sample_of(const char *source)
{
	struct prefix p = prefix(source);
	struct moat_sample sample = { .family = p.family, .chance = 1 };

	memcpy(sample.source, p.addr, sizeof(sample.source));
	return sample;
}

static void pass(struct window *w, const char *source, size_t times, double weight)
{
	struct moat_sample sample = sample_of(source);

	for (size_t i = 0; i < times; i++)
		window_add(w, START + 50, &sample, weight);
}

static struct radius_estimate estimate(struct radius *r, const struct window *w)
{
	struct radius_estimate e = {};

	assert_int_equal(radius_estimate(r, w, NOW, &e), 0);
	return e;
}

/* ---- by brute force ---- */

struct added {
	struct prefix source;
	int category;
};

static bool fits(int category, const struct moat_sample *s)
{
	if (category == SSH)
		return s->known == MOAT_SAMPLE_SOURCE ||
		       (s->protocol == 6 && (s->known == MOAT_SAMPLE_PROTOCOL || s->port == 22));
	if (category == SCRAPER)
		return s->known == MOAT_SAMPLE_SOURCE || s->protocol == 17;
	return category == BOTNET;
}

static bool would_hit(const struct added *added, size_t count, const struct moat_sample *s)
{
	struct prefix host = { .family = s->family, .len = s->family == MOAT_IPV4 ? 32 : 128 };

	memcpy(host.addr, s->source, s->family == MOAT_IPV4 ? 4 : 16);
	for (size_t i = 0; i < count && s->reason != MOAT_ALLOWED; i++)
		if (fits(added[i].category, s) && prefix_covers(&added[i].source, &host))
			return true;
	return false;
}

/* In a small space, so that many meet: 10.0.0.0/20 and 2001:db8::/116. */
static struct prefix any_prefix(void)
{
	struct prefix p = { .family = (uint8_t)any(2) };

	if (p.family == MOAT_IPV4) {
		p.len = (uint8_t)(26 + any(7));
		p.addr[0] = 10;
		p.addr[2] = (uint8_t)any(16);
		p.addr[3] = (uint8_t)any(256);
	} else {
		p.len = (uint8_t)(120 + any(9));
		p.addr[0] = 0x20;
		p.addr[1] = 1;
		p.addr[14] = (uint8_t)any(16);
		p.addr[15] = (uint8_t)any(256);
	}
	prefix_mask(&p);
	return p;
}

static struct moat_sample any_sample(void)
{
	static const uint8_t protocols[] = { 6, 17, 1 };
	struct prefix host = any_prefix();
	struct moat_sample sample = {
		.family = host.family,
		.chance = 1,
		.protocol = protocols[any(3)],
		.port = any(2) ? 22 : 443,
		.known = (uint8_t)any(3),
		.reason = any(10) ? MOAT_CLEAN : MOAT_ALLOWED,
	};

	host.addr[host.family == MOAT_IPV4 ? 3 : 15] = (uint8_t)any(256);
	memcpy(sample.source, host.addr, sizeof(sample.source));
	return sample;
}

static void the_share_is_that_of_brute_force(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		_cleanup_(window_freep) struct window *w = open_window();
		_cleanup_(radius_freep) struct radius *r = new_radius();
		struct added added[PREFIXES];
		double all = 0, hit = 0;
		size_t acting = 0;
		struct radius_estimate e;

		for (size_t i = 0; i < PREFIXES; i++) {
			added[i] = (struct added){ any_prefix(), (int)any(CATEGORIES) };
			acting += added[i].category != RESEARCH;
			assert_int_equal(radius_add(r, categories[added[i].category].name,
						    &added[i].source),
					 0);
		}
		for (size_t i = 0; i < SAMPLES; i++) {
			struct moat_sample sample = any_sample();
			double weight = 1 + any(5);

			all += weight;
			hit += would_hit(added, PREFIXES, &sample) ? weight : 0;
			window_add(w, START + any(100), &sample, weight);
		}
		e = estimate(r, w);
		assert_true(e.judged);
		assert_int_equal(e.samples, SAMPLES);
		assert_int_equal(e.sources, acting);
		assert_float_equal(e.share, hit / all, 1e-9);
		assert_true(e.at_most > e.share && e.at_most < e.share + 0.06);
	}
}

/* ---- cases ---- */

static void few_samples_or_a_short_time_are_no_traffic_to_judge_by(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();
	_cleanup_(radius_freep) struct radius *r = new_radius();
	char text[RADIUS_TEXT];
	struct radius_estimate e;

	(void)state;
	add(r, "botnet", "192.0.2.1");
	pass(w, "192.0.2.1", RADIUS_SAMPLES_MIN - 1, 1);
	e = estimate(r, w);
	assert_false(e.judged);
	assert_int_equal(e.sources, 1);
	assert_string_equal(radius_text(&e, text), "no traffic to judge by");
	pass(w, "192.0.2.1", 1, 1);
	assert_true(estimate(r, w).judged);
	assert_int_equal(radius_estimate(r, w, START + RADIUS_SECONDS_MIN - 1, &e), 0);
	assert_false(e.judged);
	assert_int_equal(radius_estimate(r, NULL, NOW, &e), 0);
	assert_false(e.judged);
}

static void the_text_says_share_bound_time_and_samples(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();
	_cleanup_(radius_freep) struct radius *r = new_radius();
	char text[RADIUS_TEXT];
	struct radius_estimate e;

	(void)state;
	add(r, "botnet", "192.0.2.1");
	pass(w, "192.0.2.1", 20, 1);
	pass(w, "192.0.2.2", 780, 1);
	e = estimate(r, w);
	assert_string_equal(radius_text(&e, text),
			    "would have hit 2.50 % (at most 3.83 %) of what passed in the last "
			    "100 s, 800 samples");
	e.seconds = 600;
	e.share = 0;
	assert_non_null(strstr(radius_text(&e, text), "hit 0 %"));
	assert_non_null(strstr(text, "last 10 min"));
}

static void the_sources_with_the_largest_share_are_named_first(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();
	_cleanup_(radius_freep) struct radius *r = new_radius();
	struct radius_estimate e;
	char text[PREFIX_TEXT_MAX];

	(void)state;
	add(r, "botnet", "192.0.2.0/24");
	for (int i = 1; i <= 8; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i);
		pass(w, text, (size_t)i, i == 3 ? 100 : 1);
	}
	pass(w, "198.51.100.1", 300, 1);
	e = estimate(r, w);
	assert_int_equal(e.hit_sources, 8);
	assert_int_equal(e.tops, RADIUS_TOP);
	assert_string_equal(prefix_format(&e.top[0].source, text), "192.0.2.3");
	assert_float_equal(e.top[0].share, 300.0 / (300 + 33 + 300), 1e-9);
	assert_string_equal(prefix_format(&e.top[1].source, text), "192.0.2.8");
}

static void what_only_counts_or_protects_hits_nobody(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();
	_cleanup_(radius_freep) struct radius *r = new_radius();

	(void)state;
	add(r, "research", "192.0.2.1");
	add(r, "allow", "192.0.2.1");
	add(r, "nosuch", "192.0.2.1");
	pass(w, "192.0.2.1", 300, 1);
	assert_int_equal(radius_sources(r), 0);
	assert_float_equal(estimate(r, w).share, 0, 0);
}

static void one_feed_of_two_hits_those_only_whom_another_lists(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();
	_cleanup_(radius_freep) struct radius *r = new_radius();
	struct moat_sample listed = sample_of("192.0.2.2");

	(void)state;
	listed.verdict = MOAT_VERDICT_MONITOR;
	listed.reason = MOAT_MONITORED;
	categories[BOTNET].k_of = 2;
	add(r, "botnet", "192.0.2.0/24");
	pass(w, "192.0.2.1", 300, 1);
	for (int i = 0; i < 100; i++)
		window_add(w, START + 50, &listed, 1);
	assert_float_equal(estimate(r, w).share, 0.25, 1e-9);
	radius_trust(r); /* who is believed alone hits all */
	assert_float_equal(estimate(r, w).share, 1, 1e-9);
	categories[BOTNET].k_of = 1;
}

static void a_list_of_shared_addresses_hits_nobody(void **state)
{
	_cleanup_(window_freep) struct window *w = open_window();
	_cleanup_(radius_freep) struct radius *r = NULL;

	(void)state;
	categories[BOTNET].policy.flags = MOAT_POLICY_SHARED;
	r = new_radius();
	add(r, "botnet", "192.0.2.1");
	assert_int_equal(radius_sources(r), 0);
	categories[BOTNET].policy.flags = 0;
}

static void a_guard_looks_at_more_than_so_many_sources_only(void **state)
{
	struct config_limits limits = { .radius_sources = 2, .radius_budget = 5000 };
	struct radius_estimate e = { .sources = 3, .judged = true, .share = 0.0051 };

	(void)state;
	assert_true(radius_is_over(&e, &limits));
	e.share = 0.005;
	assert_false(radius_is_over(&e, &limits));
	e.share = 1;
	e.sources = 2;
	assert_false(radius_is_over(&e, &limits));
	e.sources = 3;
	e.judged = false;
	assert_false(radius_is_over(&e, &limits));
}

static void the_bound_is_wilson_s(void **state)
{
	(void)state;
	/* Worked by hand from the formula, Wilson 1927, z = 1.959964. */
	assert_float_equal(radius_wilson(0, 200), 0.018845, 1e-5);
	assert_float_equal(radius_wilson(0.5, 100), 0.596168, 1e-5);
	assert_float_equal(radius_wilson(0.01, 10000), 0.012145, 1e-5);
	assert_float_equal(radius_wilson(1, 50), 1, 1e-9);
	assert_float_equal(radius_wilson(0.5, 0), 1, 1e-9);
}

/* The true share lies above the bound of one draw in forty, about. */
static void the_bound_holds_as_often_as_it_says(void **state)
{
	size_t broken = 0, draws = 4000;

	(void)state;
	for (size_t draw = 0; draw < draws; draw++) {
		size_t hit = 0, n = 400;

		for (size_t i = 0; i < n; i++)
			hit += any(1000) < 50;
		broken += radius_wilson((double)hit / (double)n, (double)n) < 0.05;
	}
	assert_true(broken < draws * 5 / 100);
	assert_true(broken > draws / 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_share_is_that_of_brute_force),
		cmocka_unit_test(few_samples_or_a_short_time_are_no_traffic_to_judge_by),
		cmocka_unit_test(the_text_says_share_bound_time_and_samples),
		cmocka_unit_test(the_sources_with_the_largest_share_are_named_first),
		cmocka_unit_test(what_only_counts_or_protects_hits_nobody),
		cmocka_unit_test(one_feed_of_two_hits_those_only_whom_another_lists),
		cmocka_unit_test(a_list_of_shared_addresses_hits_nobody),
		cmocka_unit_test(a_guard_looks_at_more_than_so_many_sources_only),
		cmocka_unit_test(the_bound_is_wilson_s),
		cmocka_unit_test(the_bound_holds_as_often_as_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
