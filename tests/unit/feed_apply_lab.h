/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of feed_apply share: the bytes of a list through the real
 * parser, the guards and a real database, and what came of it.
 *
 *	WITH_STORE;
 *	struct feed_report r = take_text(lab, s, plain(.ttl = HOUR), "192.0.2.1\n");
 */
#ifndef TESTS_FEED_APPLY_LAB_H
#define TESTS_FEED_APPLY_LAB_H

#include "tests/unit/test_store_lab.h"

#include "daemon/feed_apply.h"

#define NOW  1800000000
#define HOUR 3600
#define DAY  (24 * HOUR)

static struct categories categories = { .name = { "allow", "botnet", "spam" } };
static struct prefix never[2]; /* 10.0.0.0/8, 203.0.113.0/24 */

static inline struct gate gate_of_tests(void)
{
	prefix_parse("10.0.0.0/8", &never[0]);
	prefix_parse("203.0.113.0/24", &never[1]);
	return (struct gate){ .categories = &categories,
			      .never_block = never,
			      .never_blocks = ARRAY_SIZE(never),
			      .never_sorted = true,
			      .min_prefix = { 8, 19 } };
}

/* What a test says of a list, beyond its bytes. Zero: feed "drop", botnet, ttl of a day. */
struct list {
	const char *feed, *category;
	const struct config_mapping *mapping;
	size_t mappings;
	enum feed_format format;
	int64_t now;	 /* 0: NOW */
	int64_t fetched; /* 0: now */
	int64_t linger;	 /* 0: none */
	int64_t ttl;	 /* 0: a day; -1: none */
	uint64_t known;	 /* entries of the last good list; 0: not known */
	uint64_t min_entries;
	bool allow_empty, force, overlaps, again, dry_run;
	const char *basis, *region;
	int64_t review;
	uint32_t max_growth;	     /* percent; 0: 300 */
	const struct config *config; /* NULL: the blast radius is not asked */
	bool monitor, settled;
	enum feed_hold held;
};

static inline int give_row(void *arg, const struct feed_row *row)
{
	return feed_apply_rows(arg, row, 1);
}

static inline struct feed_summary parse(struct feed_apply *a, const struct list *list,
					const char *bytes, size_t size)
{
	struct feed_options options = { .format = list->format, .now = list->now ?: NOW };
	struct feed_parser *p = NULL;
	struct feed_summary summary = {};

	assert_int_equal(feed_parser_new(&options, give_row, a, &p), 0);
	feed_parser_push(p, bytes, size);
	feed_parser_finish(p, &summary);
	feed_parser_free(p);
	return summary;
}

static inline struct feed_rules rules_of(const struct list *list)
{
	struct feed_rules rules = { .linger = list->linger,
				    .ttl = list->ttl < 0 ? 0 : list->ttl ?: DAY,
				    .confidence = -1,
				    .min_entries = list->min_entries,
				    .allow_empty = list->allow_empty,
				    .mappings = list->mappings,
				    .basis = list->basis ? strdup(list->basis) : NULL,
				    .region = list->region ? strdup(list->region) : NULL,
				    .review = list->review,
				    .limits = { 50, 300, 20, { 12, 28 }, 1000, 5000 } };

	if (list->max_growth)
		rules.limits.max_growth = list->max_growth;
	snprintf(rules.feed, sizeof(rules.feed), "%s", list->feed ?: "drop");
	snprintf(rules.category, sizeof(rules.category), "%s", list->category ?: "botnet");
	rules.mapping = calloc(list->mappings + 1, sizeof(*rules.mapping));
	assert_non_null(rules.mapping);
	if (list->mappings)
		memcpy(rules.mapping, list->mapping, list->mappings * sizeof(*rules.mapping));
	return rules;
}

/* Takes the list over if nothing stands against it. */
static inline struct feed_report take(struct lab *lab, struct store *s, const struct list *list,
				      const char *bytes, size_t size)
{
	struct gate gate = gate_of_tests();
	struct feed_rules rules = rules_of(list);
	int64_t now = list->now ?: NOW;
	_cleanup_(feed_apply_freep) struct feed_apply *a = NULL;
	struct feed_state state = { .last_good = now };
	struct feed_report report = {};
	struct feed_summary summary;
	struct feed_judge judge = {
		.summary = &summary,
		.gate = &gate,
		.store = s,
		.now = now,
		.known = list->known,
		.entries = list->known,
		.force = list->force,
		.again = list->again,
		.stream = list->format == FEED_CROWDSEC,
		.overlaps = list->overlaps,
		.config = list->config,
		.monitor = list->monitor,
		.settled = list->settled,
		.held = list->held,
	};

	snprintf(state.feed, sizeof(state.feed), "%s", rules.feed);
	assert_int_equal(feed_apply_new(&rules, &gate, list->fetched ?: now, &a), 0);
	summary = parse(a, list, bytes, size);
	feed_apply_judge(a, &judge, &report);
	if (report.cause[0] || list->dry_run)
		return report;
	if (feed_apply_write(a, s, NULL, now, &state, &report, &lab->why))
		fail_msg("%s", lab->why.text);
	return report;
}

static inline struct feed_report take_text(struct lab *lab, struct store *s, struct list list,
					   const char *text)
{
	return take(lab, s, &list, text, strlen(text));
}

static inline int64_t rows(const struct lab *lab)
{
	return lab_number(lab, "SELECT count(*) FROM listing");
}

#define WITH_STORE                                                                                 \
	struct lab *lab = *state;                                                                  \
	_cleanup_(store_freep) struct store *s = lab_open(lab)

#define plain(...) ((struct list){ .format = FEED_PLAIN, __VA_ARGS__ })

static inline void assert_counts(const struct feed_report *r, size_t adds, size_t removes,
				 size_t unchanged)
{
	assert_int_equal(r->adds, adds);
	assert_int_equal(r->removes, removes);
	assert_int_equal(r->unchanged, unchanged);
}

#define with_store(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)

#endif
