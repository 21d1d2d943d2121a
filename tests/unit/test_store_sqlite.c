// SPDX-License-Identifier: BSD-2-Clause
/*
 * The calls of store.h on a healthy database.
 */
#include "test_store_lab.h"

#define NOW 1700000000

static const struct actor actor = { "uid 1000", "moatctl" };

/* Whole rows, one line each, of what a call gives. */
struct lines {
	char text[4096];
};

static int collect(void *arg, const struct listing *l)
{
	struct lines *lines = arg;
	size_t at = strlen(lines->text);

#define OR_NULL(s) ((s) ? (s) : "-")
	snprintf(lines->text + at, sizeof(lines->text) - at, "%s %s %s %s %s %s %s %s %s %s\n",
		 OR_NULL(l->key.source), OR_NULL(l->key.category), OR_NULL(l->key.feed),
		 OR_NULL(l->key.expires_at), OR_NULL(l->key.confidence), OR_NULL(l->reason),
		 OR_NULL(l->reference), OR_NULL(l->basis), OR_NULL(l->key.region),
		 OR_NULL(l->review_at));
	return 0;
}

static const char *all(struct lab *lab, struct store *s, struct lines *lines)
{
	const struct store_filter filter = { .expired = -1, .now = NOW, .limit = 100 };
	int64_t cursor = -1;

	lines->text[0] = '\0';
	assert_int_equal(store_list(s, &filter, collect, lines, &cursor, &lab->why), 0);
	assert_int_equal(cursor, 0);
	return lines->text;
}

static void what_is_added_is_listed_in_full(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	const struct listing_input rows[] = {
		{ "192.0.2.1", "botnet", "manual", "scan", "CASE-1", "basis", "eu", 2000000000,
		  1900000000, 80 },
		{ "2001:db8::/32", "spam", NULL, NULL, NULL, NULL, NULL, 0, 0, -1 },
	};
	struct lines lines;

	assert_int_equal(store_add(s, &actor, rows, 2, &lab->why), 0);
	assert_string_equal(all(lab, s, &lines),
			    "192.0.2.1 botnet manual 2000000000 80 scan CASE-1 basis eu 1900000000\n"
			    "2001:db8::/32 spam manual - - - - - - -\n");
}

static void a_new_database_is_not_for_everybody(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = NULL;
	mode_t mask = umask(0);
	struct stat st;

	s = lab_open(lab);
	umask(mask);
	assert_int_equal(stat(lab->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void a_refresh_changes_all_but_created_at(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct listing_input row = { "192.0.2.1", "botnet", "manual", "old", NULL,
				     NULL,	  NULL,	    5,	      6,     1 };
	struct lines lines;

	assert_int_equal(store_add(s, &actor, &row, 1, &lab->why), 0);
	lab_sql(lab, "UPDATE listing SET created_at = 7");
	row = (struct listing_input){ "192.0.2.1", "botnet", "manual", "new", "ref",
				      NULL,	   NULL,     0,	       0,     -1 };
	assert_int_equal(store_add(s, &actor, &row, 1, &lab->why), 0);
	assert_string_equal(all(lab, s, &lines), "192.0.2.1 botnet manual - - new ref - - -\n");
	assert_int_equal(lab_number(lab, "SELECT created_at FROM listing"), 7);
}

static void an_add_is_all_or_nothing(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	const struct listing_input rows[] = {
		{ .source = "192.0.2.1", .category = "botnet", .confidence = -1 },
		{ .source = NULL, .category = "botnet", .confidence = -1 },
	};
	int64_t head = -1;

	assert_int_equal(store_add(s, &actor, rows, 2, &lab->why), -EINVAL);
	assert_non_null(strstr(lab->why.text, "NOT NULL"));
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 0);
	assert_int_equal(store_head(s, &head, &lab->why), 0);
	assert_int_equal(head, 0);
	assert_int_equal(store_add(s, &actor, rows, 1, &lab->why), 0);
}

static void a_remove_takes_what_matches_and_counts_it(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	size_t removed = 99;
	struct lines lines;

	lab_sql(lab, "INSERT INTO listing (source, category, feed) VALUES ('a', 'x', 'f'),"
		     " ('a', 'y', 'f'), ('a', 'x', 'g'), ('a', 'y', 'g'), ('b', 'x', 'f')");
	assert_int_equal(lab_remove(lab, s, &actor, (struct removal){ "a", "x", "f", 0 }, &removed),
			 0);
	assert_int_equal(removed, 1);
	assert_int_equal(lab_remove(lab, s, &actor, (struct removal){ "a", "x", "f", 0 }, &removed),
			 0);
	assert_int_equal(removed, 0);
	assert_int_equal(lab_remove(lab, s, &actor, (struct removal){ "a", NULL, "g", 0 },
				    &removed),
			 0);
	assert_int_equal(removed, 2);
	assert_string_equal(all(lab, s, &lines), "a y f - - - - - - -\nb x f - - - - - - -\n");
	assert_int_equal(lab_remove(lab, s, &actor, (struct removal){ "a", NULL, NULL, 0 },
				    &removed),
			 0);
	assert_int_equal(removed, 1);
}

static void the_same_listing_twice_is_no_second_change(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct listing_input rows[] = {
		{ "192.0.2.1", "botnet", "manual", "r", NULL, "b", NULL, 5, 6, 1 },
		{ .source = "192.0.2.2", .category = "botnet", .confidence = -1 },
	};
	int64_t head = -1, again = -1;

	assert_int_equal(store_add(s, &actor, rows, 2, &lab->why), 0);
	assert_int_equal(store_added(s), 2);
	assert_int_equal(store_head(s, &head, &lab->why), 0);
	assert_int_equal(store_add(s, &actor, rows, 2, &lab->why), 0);
	assert_int_equal(store_added(s), 0);
	assert_int_equal(store_head(s, &again, &lab->why), 0);
	assert_int_equal(head, again);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit"), 2);
	rows[0].basis = NULL; /* one that says something else is one */
	assert_int_equal(store_add(s, &actor, rows, 2, &lab->why), 0);
	assert_int_equal(store_added(s), 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit"), 3);
}

static void many_are_removed_all_or_none_and_counted_each(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct removal removals[] = { { "a", "x", NULL, 9 },
				      { "none", NULL, NULL, 9 },
				      { "b", NULL, NULL, 9 } };
	int64_t head = -1;

	lab_sql(lab, "INSERT INTO listing (source, category, feed) VALUES ('a', 'x', 'f'),"
		     " ('a', 'y', 'f'), ('a', 'x', 'g'), ('b', 'x', 'f')");
	assert_int_equal(store_remove(s, &actor, removals, 3, true, &lab->why), 0);
	assert_int_equal(removals[0].removed, 2);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 4);
	assert_int_equal(store_head(s, &head, &lab->why), 0);
	assert_int_equal(head, 4);
	assert_int_equal(store_remove(s, &actor, removals, 3, false, &lab->why), 0);
	assert_int_equal(removals[0].removed, 2);
	assert_int_equal(removals[1].removed, 0);
	assert_int_equal(removals[2].removed, 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 1);
}

static void listings_are_found_by_the_spellings_of_covering_prefixes(void **state)
{
	static const char *const spellings[] = { "192.0.2.1", "192.0.2.1/32", "192.0.2.0/24",
						 "none" };
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct lines lines = { "" };

	lab_sql(lab,
		"INSERT INTO listing (source, category, reason) VALUES ('192.0.2.0/24', 'b', 'r'),"
		" ('192.0.2.1', 'c', NULL), ('192.0.2.1', 'a', 'q'), ('192.0.2.2', 'a', NULL)");
	assert_int_equal(store_by_sources(s, spellings, ARRAY_SIZE(spellings), collect, &lines,
					  &lab->why),
			 0);
	assert_string_equal(lines.text,
			    "192.0.2.1 a manual - - q - - - -\n192.0.2.1 c manual - - - - - - -\n"
			    "192.0.2.0/24 b manual - - r - - - -\n");
}

/* ---- pages ---- */

static size_t count_page(struct lab *lab, struct store *s, struct store_filter *filter)
{
	size_t count = 0;

	assert_int_equal(store_list(s, filter, count_listing, &count, &filter->cursor, &lab->why),
			 0);
	return count;
}

static void pages_end_with_cursor_0_also_when_the_last_is_full(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct store_filter filter = { .expired = -1, .limit = 4 };

	for (int i = 0; i < 8; i++) {
		char source[32];

		snprintf(source, sizeof(source), "192.0.2.%d", i);
		assert_int_equal(lab_add(lab, s, source), 0);
	}
	assert_int_equal(count_page(lab, s, &filter), 4);
	assert_int_equal(filter.cursor, 4);
	assert_int_equal(count_page(lab, s, &filter), 4);
	assert_int_equal(filter.cursor, 0);
}

static void a_list_is_filtered_by_category_feed_and_expiry(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct store_filter live = { .now = 100, .limit = 10 };
	struct store_filter expired = { .expired = 1, .now = 100, .limit = 10 };
	struct store_filter named = { .expired = -1, .category = "x", .feed = "f", .limit = 10 };

	lab_sql(lab, "INSERT INTO listing (source, category, feed, expires_at) VALUES"
		     " ('a', 'x', 'f', 99), ('b', 'x', 'f', 100), ('c', 'x', 'g', 101),"
		     " ('d', 'y', 'f', NULL), ('e', 'y', 'f', 'soon')");
	assert_int_equal(count_page(lab, s, &live), 3);
	assert_int_equal(count_page(lab, s, &expired), 2);
	assert_int_equal(count_page(lab, s, &named), 2);
}

static void one_call_looks_at_a_bounded_number_of_rows(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct store_filter filter = { .expired = -1, .category = "y", .limit = 10 };
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		 " INSERT INTO listing (source, category) SELECT i, 'x' FROM n;"
		 " INSERT INTO listing (source, category) VALUES ('last', 'y')",
		 STORE_SCAN_MAX);
	lab_sql(lab, sql);
	assert_int_equal(count_page(lab, s, &filter), 0);
	assert_int_equal(filter.cursor, STORE_SCAN_MAX);
	assert_int_equal(count_page(lab, s, &filter), 1);
	assert_int_equal(filter.cursor, 0);
}

/* ---- nonsense in rows ---- */

static const char *source_of(struct lab *lab, struct store *s, const char *sql_value)
{
	static char line[STORE_TEXT_MAX * 2];
	struct set set = {};
	char sql[512];
	int64_t seq;

	snprintf(sql, sizeof(sql),
		 "DELETE FROM listing; INSERT INTO listing"
		 " (source, category, confidence, expires_at) VALUES (%s, 'c', 'high', x'01')",
		 sql_value);
	lab_sql(lab, sql);
	assert_int_equal(store_snapshot(s, set_collect, &set, &seq, &lab->why), 0);
	assert_int_equal(set.count, 1);
	snprintf(line, sizeof(line), "%s", set.line[0]);
	set_clear(&set);
	assert_non_null(strstr(line, "|c|manual|x'01'"));
	*strchr(line, '|') = '\0';
	return line;
}

static void nonsense_comes_out_as_text_that_fails_the_gate(void **state)
{
	static const struct {
		const char *sql, *text;
	} rows[] = {
		{ "'192.0.2.1'", "192.0.2.1" },
		{ "''", "" },
		{ "17", "17" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "1.5", "1.5" },
		{ "x''", "x''" },
		{ "x'3139322e302e322e31'", "x'3139322e302e322e31'" }, /* blob of 192.0.2.1 */
		{ "'192.0.2.1' || char(0) || 'x'", "192.0.2.1?x" },
		{ "char(0)", "?" },
		{ "'gr\xc3\xbc\xc3\x9f'", "gr\xc3\xbc\xc3\x9f" },
		{ "'\xf0\x9f\x98\x80'", "\xf0\x9f\x98\x80" },
		{ "CAST(x'61ff62' AS TEXT)", "a?b" },
		{ "CAST(x'c080' AS TEXT)", "??" },	 /* overlong NUL */
		{ "CAST(x'eda080' AS TEXT)", "???" },	 /* surrogate */
		{ "CAST(x'f4908080' AS TEXT)", "????" }, /* above U+10FFFF */
		{ "CAST(x'6162c3' AS TEXT)", "ab?" },	 /* cut sequence */
	};
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(source_of(lab, s, rows[i].sql), rows[i].text);
}

static void huge_text_comes_out_cut_and_marked(void **state)
{
	static const struct {
		const char *sql;
		size_t length;
	} rows[] = {
		{ "printf('%.*c', 1024, 'a')", STORE_TEXT_MAX },
		{ "printf('%.*c', 1025, 'a')", STORE_TEXT_MAX + 3 },
		{ "printf('%.*c', 3000000, 'a')", STORE_TEXT_MAX + 3 },
		{ "'192.0.2.1' || printf('%.*c', 3000, ' ')", STORE_TEXT_MAX + 3 },
		{ "zeroblob(3000000)", STORE_TEXT_MAX + 3 - 2 },
		{ "printf('%.*c', 1023, 'a') || '\xc3\xbc'", STORE_TEXT_MAX - 1 + 3 },
	};
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *text = source_of(lab, s, rows[i].sql);

		assert_int_equal(strlen(text), rows[i].length);
		if (strlen(text) > STORE_TEXT_MAX - 10 && i)
			assert_string_equal(text + strlen(text) - 3, "...");
	}
}

static int check_change(void *arg, const struct change *change)
{
	const char *const *want = arg;

	assert_string_equal(change->op, want[0]);
	assert_string_equal(change->row.source, want[1]);
	if (want[2])
		assert_string_equal(change->row.confidence, want[2]);
	else
		assert_null(change->row.confidence);
	assert_in_range(change->at, NOW, NOW * 2LL);
	return 0;
}

static void a_change_carries_the_confidence_the_listing_had_then(void **state)
{
	const char *bad[] = { "add", "192.0.2.1", "high" };
	const char *good[] = { "add", "192.0.2.1", "70" };
	const char *none[] = { "add", "192.0.2.1", NULL };
	const char *gone[] = { "remove", "192.0.2.1", NULL };
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	int64_t seq = 0;

	lab_sql(lab, "INSERT INTO listing (source, category, confidence) VALUES"
		     " ('192.0.2.1', 'c', 'high');"
		     "UPDATE listing SET confidence = 70; UPDATE listing SET confidence = NULL;"
		     "DELETE FROM listing");
	assert_int_equal(store_changes(s, 0, 1, check_change, bad, &seq, &lab->why), 0);
	assert_int_equal(store_changes(s, 1, 1, check_change, good, &seq, &lab->why), 0);
	assert_int_equal(store_changes(s, 2, 1, check_change, none, &seq, &lab->why), 0);
	assert_int_equal(store_changes(s, 3, 1, check_change, gone, &seq, &lab->why), 0);
	assert_int_equal(seq, 4);
}

static int stop(void *arg, const struct change *change)
{
	(void)arg;
	(void)change;
	return 77;
}

static int stop_listing(void *arg, const struct listing *listing)
{
	(void)arg;
	(void)listing;
	return 78;
}

static void a_callback_stops_the_reading(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	const struct store_filter filter = { .expired = -1, .limit = 10 };
	const char *const source = "192.0.2.1";
	int64_t out = -5;

	assert_int_equal(lab_add(lab, s, source), 0);
	assert_int_equal(store_changes(s, 0, 10, stop, NULL, &out, &lab->why), 77);
	assert_int_equal(store_snapshot(s, stop_listing, NULL, &out, &lab->why), 78);
	assert_int_equal(store_list(s, &filter, stop_listing, NULL, &out, &lab->why), 78);
	assert_int_equal(store_by_sources(s, &source, 1, stop_listing, NULL, &lab->why), 78);
	assert_int_equal(out, -5);
	assert_int_equal(lab_add(lab, s, "192.0.2.2"), 0);
}

/* ---- the log's ends ---- */

static void add_five(struct lab *lab, struct store *s)
{
	static const char *const sources[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4",
					       "192.0.2.5" };

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		assert_int_equal(lab_add(lab, s, sources[i]), 0);
}

static void a_log_that_was_pruned_behind_the_follower_is_stale(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	size_t count = 0;
	int64_t seq = 0, head = 0;

	add_five(lab, s);
	assert_int_equal(store_prune(s, 3, INT64_MAX, 100, &lab->why), 3);
	assert_int_equal(store_changes(s, 2, 10, count_change, &count, &seq, &lab->why), -ESTALE);
	assert_int_equal(store_changes(s, 3, 10, count_change, &count, &seq, &lab->why), 0);
	assert_int_equal(count, 2);
	assert_int_equal(seq, 5);

	assert_int_equal(store_prune(s, 5, INT64_MAX, 100, &lab->why), 2);
	assert_int_equal(store_head(s, &head, &lab->why), 0);
	assert_int_equal(head, 5); /* an empty log keeps its place */
	assert_int_equal(store_changes(s, 4, 10, count_change, &count, &seq, &lab->why), -ESTALE);
	assert_int_equal(store_changes(s, 6, 10, count_change, &count, &seq, &lab->why), -ESTALE);
	assert_int_equal(store_changes(s, 5, 10, count_change, &count, &seq, &lab->why), 0);
	assert_int_equal(lab_add(lab, s, "192.0.2.6"), 0);
	assert_int_equal(lab_number(lab, "SELECT max(seq) FROM change"), 6);
}

static void pruning_takes_old_changes_from_the_old_end_only(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	int64_t now;

	add_five(lab, s);
	now = lab_number(lab, "SELECT min(at) FROM change");
	assert_int_equal(store_prune(s, 5, now, 100, &lab->why), 0);
	assert_int_equal(store_prune(s, 5, INT64_MAX, 2, &lab->why), 2);
	assert_int_equal(store_prune(s, 4, INT64_MAX, 2, &lab->why), 2);
	assert_int_equal(store_prune(s, 4, INT64_MAX, 2, &lab->why), 0);
	assert_int_equal(lab_number(lab, "SELECT min(seq) FROM change"), 5);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM writer"), 0);
}

/* ---- refused ---- */

static void refusals_are_reset_updated_and_removed(void **state)
{
	const struct refusal first[] = { { "a", "x", "f", "bad_source" },
					 { "b", "x", "f", "map_full" } };
	const struct refusal again[] = { { "a", "x", "f", "host_bits" },
					 { "b", "x", "f", NULL },
					 { NULL, "x", "f", "bad_source" },
					 { "c", "x", "f", NULL } };
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);

	lab_sql(lab, "INSERT INTO refused VALUES ('old', '', '', '', 0)");
	assert_int_equal(store_refused_reset(s, first, 2, NOW, &lab->why), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM refused"), 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(store_refused_update(s, again, 4, NOW + 1, &lab->why), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM refused"), 2);
	assert_int_equal(lab_number(lab, "SELECT at FROM refused WHERE source = 'a' AND"
					 " cause = 'host_bits'"),
			 NOW + 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM refused WHERE source IS NULL"), 1);
	assert_int_equal(store_refused_reset(s, NULL, 0, NOW, &lab->why), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM refused"), 0);
}

/* ---- audit ---- */

static int collect_audit(void *arg, const struct audit_entry *entry)
{
	struct lines *lines = arg;
	size_t at = strlen(lines->text);

	snprintf(lines->text + at, sizeof(lines->text) - at, "%s %s: %s %s\n", entry->actor,
		 entry->origin, entry->verb, entry->detail);
	return 0;
}

static void audit_says_who_changed_what(void **state)
{
	const struct listing_input row = { .source = "192.0.2.1",
					   .category = "botnet",
					   .expires_at = 2000000000,
					   .confidence = -1 };
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct lines lines = { "" };
	size_t removed;

	assert_int_equal(store_add(s, &actor, &row, 1, &lab->why), 0);
	lab_sql(lab, "UPDATE listing SET category = 'spam'");
	assert_int_equal(store_add(s, NULL, &row, 1, &lab->why), 0);
	assert_int_equal(lab_remove(lab, s, &actor,
				    (struct removal){ "192.0.2.1", "spam", NULL, 0 }, &removed),
			 0);
	assert_int_equal(store_audit_list(s, 0, 100, collect_audit, &lines, &lab->why), 0);
	assert_string_equal(
		lines.text,
		"uid 1000 moatctl: add 192.0.2.1 botnet manual until 2000000000\n"
		"sql sql: update 192.0.2.1 botnet manual -> 192.0.2.1 spam manual until 2000000000\n"
		"sql sql: add 192.0.2.1 botnet manual until 2000000000\n"
		"uid 1000 moatctl: remove 192.0.2.1 spam manual until 2000000000\n");
}

static void audit_lists_the_newest_oldest_first(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct lines lines = { "" };
	char detail[16];

	for (int i = 1; i <= 5; i++) {
		snprintf(detail, sizeof(detail), "%d", i);
		assert_int_equal(store_audit(s, &actor, NOW + i, "pause", detail, &lab->why), 0);
	}
	assert_int_equal(store_audit_list(s, NOW + 2, 3, collect_audit, &lines, &lab->why), 0);
	assert_string_equal(lines.text, "uid 1000 moatctl: pause 3\nuid 1000 moatctl: pause 4\n"
					"uid 1000 moatctl: pause 5\n");
	lines.text[0] = '\0';
	assert_int_equal(store_audit_list(s, NOW + 5, 3, collect_audit, &lines, &lab->why), 0);
	assert_string_equal(lines.text, "uid 1000 moatctl: pause 5\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_added_is_listed_in_full),
		TEST(a_new_database_is_not_for_everybody),
		TEST(a_refresh_changes_all_but_created_at),
		TEST(an_add_is_all_or_nothing),
		TEST(a_remove_takes_what_matches_and_counts_it),
		TEST(the_same_listing_twice_is_no_second_change),
		TEST(many_are_removed_all_or_none_and_counted_each),
		TEST(listings_are_found_by_the_spellings_of_covering_prefixes),
		TEST(pages_end_with_cursor_0_also_when_the_last_is_full),
		TEST(a_list_is_filtered_by_category_feed_and_expiry),
		TEST(one_call_looks_at_a_bounded_number_of_rows),
		TEST(nonsense_comes_out_as_text_that_fails_the_gate),
		TEST(huge_text_comes_out_cut_and_marked),
		TEST(a_change_carries_the_confidence_the_listing_had_then),
		TEST(a_callback_stops_the_reading),
		TEST(a_log_that_was_pruned_behind_the_follower_is_stale),
		TEST(pruning_takes_old_changes_from_the_old_end_only),
		TEST(refusals_are_reset_updated_and_removed),
		TEST(audit_says_who_changed_what),
		TEST(audit_lists_the_newest_oldest_first),
	};

	return cmocka_run_group_tests_name("store: sqlite", tests, NULL, NULL);
}
