/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A feed's list as a difference: all of it or nothing, and a change log that
 * says what happened and no more.
 */
#include "tests/unit/test_store_lab.h"

/* What next() gives: "+SOURCE" or "-SOURCE", until NULL. */
struct rows {
	const char *const *text;
	size_t at;
	size_t fail_at; /* 0: never */
	int64_t expires_at, review_at;
	const char *basis, *region;
};

static int next_row(void *arg, struct listing_input *ret, bool *ret_remove)
{
	struct rows *rows = arg;
	const char *text = rows->text[rows->at];

	if (rows->fail_at && rows->at == rows->fail_at)
		return -E2BIG;
	if (!text)
		return 0;
	rows->at++;
	*ret_remove = text[0] == '-';
	*ret = (struct listing_input){ .source = text + 1,
				       .category = "botnet",
				       .reference = "SBL1",
				       .expires_at = rows->expires_at,
				       .review_at = rows->review_at,
				       .basis = rows->basis,
				       .region = rows->region,
				       .confidence = 80 };
	return 1;
}

static void rewind_rows(void *arg)
{
	((struct rows *)arg)->at = 0;
}

static int apply(struct lab *lab, struct store *s, struct rows *rows)
{
	const struct actor actor = { "root", "moatctl" };
	struct feed_difference difference = {
		.feed = "drop",
		.next = next_row,
		.rewind = rewind_rows,
		.arg = rows,
		.actor = &actor,
		.now = 1700000000,
		.detail = "drop: a list",
		.state = { .feed = "drop", .entries = 2, .last_good = 1700000000 },
	};

	return store_feed_apply(s, &difference, &lab->why);
}

#define LIST(...) ((struct rows){ .text = (const char *const[]){ __VA_ARGS__, NULL } })

static void a_list_is_added_refreshed_and_ended(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct rows first = LIST("+192.0.2.1", "+192.0.2.2", "+2001:db8::/32");
	struct rows second = LIST("+192.0.2.2", "+192.0.2.3", "-192.0.2.1");
	struct set set = {};
	int64_t seq = 0;

	first.expires_at = 2000000000;
	second.expires_at = 2100000000;
	assert_int_equal(apply(lab, s, &first), 0);
	set_follow(lab, s, &set, &seq);
	set_assert_is_table(lab, &set);
	assert_int_equal(set.count, 3);

	lab_sql(lab, "UPDATE listing SET basis = 'law', created_at = 5 WHERE source = '192.0.2.2'");
	assert_int_equal(apply(lab, s, &second), 0);
	set_follow(lab, s, &set, &seq);
	set_assert_is_table(lab, &set);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing WHERE feed = 'drop'"), 3);
	assert_int_equal(lab_number(lab, "SELECT expires_at FROM listing WHERE source = '192.0.2.2'"
					 " AND basis = 'law' AND created_at = 5 AND confidence = 80"
					 " AND reference = 'SBL1'"),
			 2100000000);
	set_clear(&set);
}

static void the_log_has_each_change_and_audit_one_row(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct rows rows = LIST("+192.0.2.1", "+192.0.2.2", "-198.51.100.1", "-192.0.2.2");

	assert_int_equal(apply(lab, s, &rows), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change WHERE op = 'add'"), 2);
	/* What was not there did not end. */
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change WHERE op = 'remove'"), 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit"), 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE actor = 'root' AND"
					 " origin = 'moatctl' AND verb = 'import' AND"
					 " detail = 'drop: a list' AND at = 1700000000"),
			 1);
}

static void what_a_feed_says_of_all_its_rows_stands_in_each_and_in_the_log(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct rows rows = LIST("+192.0.2.1");
	struct set set = {};
	int64_t seq = 0;

	rows.basis = "contract";
	rows.region = "eu";
	rows.review_at = 1800000000;
	assert_int_equal(apply(lab, s, &rows), 0);
	set_follow(lab, s, &set, &seq);
	assert_string_equal(set.line[0], "192.0.2.1|botnet|drop|never in eu");
	assert_int_equal(lab_number(lab, "SELECT review_at FROM listing WHERE basis = 'contract'"
					 " AND region = 'eu'"),
			 1800000000);

	rows = LIST("+192.0.2.1");
	rows.review_at = 1900000000;
	assert_int_equal(apply(lab, s, &rows), 0);
	set_follow(lab, s, &set, &seq);
	assert_string_equal(set.line[0], "192.0.2.1|botnet|drop|never");
	set_clear(&set);
	assert_int_equal(lab_number(lab, "SELECT review_at FROM listing WHERE basis = 'contract'"
					 " AND region IS NULL"),
			 1800000000);
}

static void triggers_are_on_again_after_a_list(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct rows rows = LIST("+192.0.2.1");

	assert_int_equal(apply(lab, s, &rows), 0);
	assert_int_equal(lab_add(lab, s, "203.0.113.1"), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change"), 2);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE verb = 'add'"), 1);
}

static void a_list_that_breaks_off_leaves_nothing(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct rows before = LIST("+192.0.2.1");
	struct rows broken = LIST("+192.0.2.2", "-192.0.2.1", "+192.0.2.3");

	broken.fail_at = 2;
	assert_int_equal(apply(lab, s, &before), 0);
	assert_int_equal(apply(lab, s, &broken), -E2BIG);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change"), 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit"), 1);
	/* And the connection is as good as before. */
	assert_int_equal(lab_add(lab, s, "203.0.113.1"), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change"), 2);
}

static void a_list_that_breaks_off_among_what_is_new_leaves_nothing(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct rows broken = LIST("+192.0.2.1", "+192.0.2.2", "+192.0.2.3");

	broken.fail_at = 2;
	assert_int_equal(apply(lab, s, &broken), -E2BIG);
	assert_non_null(strstr(lab->why.text, "feed 'drop'"));
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM change"), 0);
	broken.fail_at = 0;
	assert_int_equal(apply(lab, s, &broken), 0);
	assert_int_equal(lab_number(lab, "SELECT max(seq) FROM change"), 3);
}

static void a_row_to_add_behind_one_to_end_is_an_error(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct rows rows = LIST("+192.0.2.1", "-192.0.2.1", "+192.0.2.2");

	assert_int_equal(apply(lab, s, &rows), -EINVAL);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 0);
}

static void rows_of_other_feeds_are_not_touched(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct rows add = LIST("+192.0.2.1"), end = LIST("-192.0.2.1");

	assert_int_equal(lab_add(lab, s, "192.0.2.1"), 0);
	assert_int_equal(apply(lab, s, &add), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 2);
	assert_int_equal(apply(lab, s, &end), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing WHERE feed = 'manual'"), 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 1);
}

static int take_state(void *arg, const struct feed_state *state)
{
	*(struct feed_state *)arg = *state;
	return 0;
}

/* Which confidences the log hands out behind seq. */
static int note_confidence(void *arg, const struct change *change)
{
	char *text = arg;
	size_t used = strlen(text);

	snprintf(text + used, 64 - used, "%s ", change->row.confidence ?: "-");
	return 0;
}

static void a_bad_confidence_behind_a_list_is_seen(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct rows rows = LIST("+192.0.2.1", "+192.0.2.2");
	char text[64] = "";
	int64_t seq = 0;

	assert_int_equal(lab_add(lab, s, "203.0.113.1"), 0);
	lab_sql(lab, "UPDATE listing SET confidence = 200");
	assert_int_equal(apply(lab, s, &rows), 0);
	lab_sql(lab, "UPDATE listing SET confidence = 300 WHERE source = '192.0.2.2'");
	assert_int_equal(store_changes(s, 0, 100, note_confidence, text, &seq, &lab->why), 0);
	assert_string_equal(text, "- 200 80 80 300 ");
}

static void what_is_known_of_a_feed_survives(void **state)
{
	struct lab *lab = *state;
	struct feed_state saved = { .feed = "drop",
				    .last_good = 1,
				    .last_try = 2,
				    .modified = 3,
				    .entries = 4,
				    .failures = 5,
				    .origin = UINT64_MAX - 6,
				    .format = "plain",
				    .etag = "\"a\"",
				    .last_modified = "Mon",
				    .fault = "shrink",
				    .detail = "it shrank" };
	struct feed_state found = {};
	struct store *s = lab_open(lab);

	assert_int_equal(store_feed_states(s, take_state, &found, &lab->why), 0);
	assert_string_equal(found.feed, ""); /* no table, no state */
	assert_int_equal(store_feed_save(s, &saved, &lab->why), 0);
	store_free(s);
	s = lab_open(lab);
	assert_int_equal(store_feed_states(s, take_state, &found, &lab->why), 0);
	assert_memory_equal(&found, &saved, sizeof(found));
	store_free(s);
}

static void a_change_of_the_schema_by_others_is_still_noticed(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct feed_state known = { .feed = "drop" };
	int64_t seq = 0;
	size_t changes = 0;

	lab_sql(lab, "CREATE TABLE other (x)");
	assert_int_equal(store_feed_save(s, &known, &lab->why), 0);
	assert_int_equal(store_changes(s, 0, 10, count_change, &changes, &seq, &lab->why), -ESTALE);
}

static void rows_are_given_by_feed_or_all(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct rows rows = LIST("+192.0.2.1", "+192.0.2.2");
	size_t own = 0, all = 0;

	assert_int_equal(apply(lab, s, &rows), 0);
	assert_int_equal(lab_add(lab, s, "203.0.113.1"), 0);
	assert_int_equal(store_feed_rows(s, "drop", count_listing, &own, &lab->why), 0);
	assert_int_equal(store_feed_rows(s, NULL, count_listing, &all, &lab->why), 0);
	assert_int_equal(own, 2);
	assert_int_equal(all, 3);
}

static void a_list_waits_for_a_locked_database_no_longer_than_others(void **state)
{
	struct lab *lab = *state;
	_cleanup_(store_freep) struct store *s = lab_open(lab);
	struct client c = client_start(lab->path);
	struct rows rows = LIST("+192.0.2.1");

	client_run(&c, "BEGIN IMMEDIATE;");
	assert_int_equal(apply(lab, s, &rows), -EBUSY);
	client_run(&c, "ROLLBACK;");
	assert_int_equal(apply(lab, s, &rows), 0);
	client_end(&c);
}

#define with_store(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_store(a_list_is_added_refreshed_and_ended),
		with_store(the_log_has_each_change_and_audit_one_row),
		with_store(what_a_feed_says_of_all_its_rows_stands_in_each_and_in_the_log),
		with_store(triggers_are_on_again_after_a_list),
		with_store(a_list_that_breaks_off_leaves_nothing),
		with_store(a_list_that_breaks_off_among_what_is_new_leaves_nothing),
		with_store(a_row_to_add_behind_one_to_end_is_an_error),
		with_store(rows_of_other_feeds_are_not_touched),
		with_store(a_bad_confidence_behind_a_list_is_seen),
		with_store(what_is_known_of_a_feed_survives),
		with_store(a_change_of_the_schema_by_others_is_still_noticed),
		with_store(rows_are_given_by_feed_or_all),
		with_store(a_list_waits_for_a_locked_database_no_longer_than_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
