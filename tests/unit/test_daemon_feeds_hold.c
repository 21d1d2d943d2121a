/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A feed that is held: who holds and releases it, in which order the database
 * and the filter hear of it, and what a restart finds. The window of samples
 * and the filter are fake, the database is real.
 */
#include "tests/unit/test_store_lab.h"

#include "daemon/feeds_run.h"
#include "tests/unit/fake_daemon.h"
#include "tests/unit/fake_feeder.h"

#define HIT  "198.51.100.1\n" /* sends all that passes */
#define NONE "192.0.2.1\n"

static struct feeds_run *feeds;
static const struct actor root = { "root", "moatctl" };

static int64_t clock_ahead; /* seconds, of the wall clock */

time_t time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += clock_ahead;
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

static struct config_feed config_feed; /* "drop", if a test configures it */

static int setup(void **state)
{
	struct moat_sample sample = { .family = MOAT_IPV4, .chance = 1 };
	int err = lab_setup(state);
	struct lab *lab = *state;

	clock_ahead = 0;
	fake_reset();
	memset(&fake_feeder, 0, sizeof(fake_feeder));
	assert_int_equal(loop_new(&fake.daemon.loop), 0);
	fake.store = lab_open(lab);
	fake.config.database = lab->uri;
	fake.config.limits = (struct config_limits){ 50, 300, 20, { 12, 28 }, 0, 5000 };
	config_feed = (struct config_feed){
		.name = "drop",
		.url = (char *)"https://example.net/drop.txt",
		.category = "botnet",
		.every = 3600,
		.ttl = 86400,
		.confidence = -1,
		.limits = fake.config.limits,
		.parse = { .format = FEED_PLAIN },
	};
	assert_int_equal(window_new(7, &fake.window), 0);
	window_open(fake.window, 0);
	fake.window_now = 100;
	memcpy(sample.source, (uint8_t[]){ 198, 51, 100, 1 }, 4);
	for (int i = 0; i < 300; i++)
		window_add(fake.window, 50, &sample, 1);
	assert_int_equal(feeds_run_new(&fake.daemon, &feeds), 0);
	return err;
}

static int teardown(void **state)
{
	feeds = feeds_run_free(feeds);
	fake.store = store_free(fake.store);
	loop_free(fake.daemon.loop);
	fake.window = window_free(fake.window);
	return lab_teardown(state);
}

/* ---- imports ---- */

struct answered {
	bool there;
	int error;
	struct feed_report report;
};

static void on_answer(void *arg, int error, const struct feed_report *report,
		      const struct problem *why)
{
	struct answered *answered = arg;

	(void)why;
	*answered = (struct answered){ true, error, *report };
	loop_stop(fake.daemon.loop);
}

static struct answered import(const char *text, bool dry_run)
{
	struct feeds_import import = { .feed = "drop",
				       .format = FEED_PLAIN,
				       .category = "botnet",
				       .dry_run = dry_run,
				       .actor = root };
	char path[] = "/tmp/moat-import-XXXXXX";
	struct answered answered = {};
	struct problem why = {};

	import.fd = mkstemp(path);
	assert_true(import.fd >= 0);
	unlink(path);
	assert_int_equal(write(import.fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(lseek(import.fd, 0, SEEK_SET), 0);
	if (feeds_run_import(feeds, &import, on_answer, &answered, &why))
		fail_msg("%s", why.text);
	assert_int_equal(loop_run(fake.daemon.loop), 0);
	assert_true(answered.there);
	return answered;
}

static int hold(const char *feed, bool held)
{
	struct problem why = {};

	return feeds_run_hold(feeds, feed, held, &root, &why);
}

static int64_t held_in_database(const struct lab *lab)
{
	return lab_number(lab, "SELECT held FROM feed WHERE feed = 'drop'");
}

/* ---- tests ---- */

static void the_guard_holds_a_feed_before_its_rows_are_there(void **state)
{
	struct lab *lab = *state;
	struct answered a = import(HIT, false);

	assert_int_equal(a.error, 0);
	assert_int_equal(a.report.hold, FEED_HELD_BY_GUARD);
	assert_string_equal(fake.held, "drop");
	assert_int_equal(held_in_database(lab), FEED_HELD_BY_GUARD);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE verb = 'hold'"), 1);
}

static void a_dry_run_holds_nothing(void **state)
{
	struct lab *lab = *state;
	struct answered a = import(HIT, true);

	assert_int_equal(a.report.hold, FEED_HELD_BY_GUARD);
	assert_string_equal(fake.held, "");
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 0);
}

static void a_list_that_hits_less_releases_it(void **state)
{
	struct lab *lab = *state;
	struct answered a = import(HIT, false);

	a = import(NONE, false);
	assert_int_equal(a.report.hold, FEED_FREE);
	assert_string_equal(fake.held, "");
	assert_int_equal(held_in_database(lab), FEED_FREE);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE verb = 'release'"), 1);
}

static void it_is_released_and_held_by_hand(void **state)
{
	struct lab *lab = *state;

	import(HIT, false);
	assert_int_equal(hold("drop", false), 0);
	assert_string_equal(fake.held, "");
	assert_int_equal(held_in_database(lab), FEED_FREE);
	assert_int_equal(hold("drop", true), 0);
	assert_string_equal(fake.held, "drop");
	assert_int_equal(held_in_database(lab), FEED_HELD_BY_HAND);
	assert_int_equal(import(NONE, false).report.hold, FEED_HELD_BY_HAND);
	assert_string_equal(fake.held, "drop");
	assert_int_equal(hold("nosuch", true), -ENOENT);
}

static void where_the_filter_cannot_hold_nothing_is_written(void **state)
{
	struct lab *lab = *state;
	struct answered a;

	fake.hold_error = -ENOMEM;
	a = import(HIT, false);
	assert_string_equal(a.report.cause, "database");
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM feed WHERE held"), 0);
	fake.hold_error = 0;
	import(NONE, false);
	fake.hold_error = -EIO;
	assert_int_equal(hold("drop", true), -EAGAIN); /* noted, and tried again when all is read */
	assert_int_equal(held_in_database(lab), FEED_HELD_BY_HAND);
}

static void a_new_process_knows_it(void **state)
{
	struct feed_view view;
	struct problem why = {};

	(void)state;
	import(HIT, false);
	feeds = feeds_run_free(feeds);
	assert_int_equal(feeds_run_new(&fake.daemon, &feeds), 0);
	/* Whatever asks first reads what is known. */
	assert_int_equal(feeds_run_fetch(feeds, "drop", &root, on_answer, NULL, &why), -ENOENT);
	assert_int_equal(import(HIT, true).report.hold, FEED_HELD_BY_GUARD);
	feeds_run_view(feeds, 0, &view);
	assert_int_equal(view.state->held, FEED_HELD_BY_GUARD);
	assert_non_null(strstr(view.state->held_why, "would have hit 100"));
}

/* ---- the end of mode monitor ---- */

static struct feed_view view(void)
{
	struct feed_view found = {};

	if (feeds_run_count(feeds))
		feeds_run_view(feeds, 0, &found);
	return found;
}

struct wanted {
	enum feed_hold held;
	int64_t deadline;
};

static void look(void *arg)
{
	const struct wanted *wanted = arg;
	struct feed_view v = view();

	if (v.state && v.state->last_good && !v.running && v.state->held == (uint64_t)wanted->held)
		loop_stop(fake.daemon.loop);
	else if (lab_ms() > wanted->deadline)
		fail_msg("not within %d ms", DEADLINE_MS);
}

static void wait_held(enum feed_hold held)
{
	struct wanted wanted = { held, lab_ms() + DEADLINE_MS };
	int timer = loop_timer(fake.daemon.loop, 1, 1, look, &wanted);

	assert_int_equal(loop_run(fake.daemon.loop), 0);
	loop_timer_remove(fake.daemon.loop, timer);
}

/* A list of a feed that is configured in mode monitor is there. */
static void monitor(const struct lab *lab, const char *list)
{
	struct answered answered = {};
	struct problem why = {};

	config_feed.monitor = true;
	fake.config.feed = &config_feed;
	fake.config.feeds = 1;
	fake_feeder.list = list;
	assert_int_equal(feeds_run_fetch(feeds, "drop", &root, on_answer, &answered, &why), 0);
	assert_int_equal(loop_run(fake.daemon.loop), 0);
	assert_true(answered.report.applied);
	fake_feeder.list = NULL; /* from here on nobody answers */
	wait_held(FEED_HELD_BY_MODE);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 1);
}

static void mode_monitor_is_no_hold_that_people_see(void **state)
{
	struct lab *lab = *state;

	monitor(lab, HIT);
	assert_int_equal(view().held, FEED_FREE);
	assert_string_equal(view().held_why, "");
	assert_string_equal(fake.held, "");
	assert_int_equal(held_in_database(lab), FEED_HELD_BY_MODE);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE verb = 'hold'"), 0);
}

static void a_feed_that_leaves_mode_monitor_and_would_hit_much_is_held(void **state)
{
	struct lab *lab = *state;

	monitor(lab, HIT);
	config_feed.monitor = false;
	feeds_run_reload(feeds);
	assert_int_equal(view().held, FEED_HELD_BY_MODE);
	wait_held(FEED_HELD_BY_GUARD);
	assert_string_equal(fake.held, "drop");
	assert_non_null(strstr(view().held_why, "would have hit 100"));
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE verb = 'hold'"), 1);
}

static void one_that_would_hit_nobody_is_put_in_force(void **state)
{
	struct lab *lab = *state;

	monitor(lab, NONE);
	config_feed.monitor = false;
	feeds_run_reload(feeds);
	wait_held(FEED_FREE);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE verb = 'release'"), 1);
}

static void released_by_hand_in_mode_monitor_it_is_still_to_be_judged(void **state)
{
	struct lab *lab = *state;

	monitor(lab, HIT);
	assert_int_equal(hold("drop", true), 0);
	assert_int_equal(view().held, FEED_HELD_BY_HAND);
	assert_int_equal(hold("drop", false), 0);
	assert_int_equal(view().held, FEED_FREE);
	assert_int_equal(held_in_database(lab), FEED_HELD_BY_MODE);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE verb = 'release'"), 1);
	config_feed.monitor = false;
	feeds_run_reload(feeds);
	wait_held(FEED_HELD_BY_GUARD);
}

static void a_feed_that_leaves_the_configuration_stays_in_monitor(void **state)
{
	struct lab *lab = *state;

	monitor(lab, HIT);
	fake.config.feeds = 0;
	feeds_run_reload(feeds);
	assert_int_equal(view().held, FEED_HELD_BY_MODE);
	assert_non_null(strstr(view().held_why, "mode monitor"));
	assert_int_equal(held_in_database(lab), FEED_HELD_BY_MODE);
	assert_int_equal(hold("drop", false), 0);
	assert_int_equal(view().held, FEED_FREE);
}

/* ---- copies that are older than what is in force ---- */

static struct feed_report fetch(void)
{
	struct answered answered = {};
	struct problem why = {};

	fake.config.feed = &config_feed;
	fake.config.feeds = 1;
	assert_int_equal(feeds_run_fetch(feeds, "drop", &root, on_answer, &answered, &why), 0);
	while (!answered.there)
		assert_int_equal(loop_run(fake.daemon.loop), 0);
	return answered.report;
}

static void a_copy_that_could_not_be_replaced_is_not_taken_for_the_list(void **state)
{
	struct lab *lab = *state;
	char copy[160], part[160];

	fake_feeder.etag = "\"one\"";
	fake_feeder.list = NONE;
	assert_true(fetch().applied);
	snprintf(copy, sizeof(copy), "%s/feeds/drop", lab->directory);
	snprintf(part, sizeof(part), "%s/feeds/drop~new", lab->directory);
	assert_int_equal(access(copy, F_OK), 0);
	assert_int_equal(mkdir(part, 0700), 0); /* as where the disk is full */
	fake_feeder.list = NONE "192.0.2.2\n";
	assert_true(fetch().applied);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 2);
	assert_int_not_equal(access(copy, F_OK), 0);
	assert_int_equal(rmdir(part), 0);
}

static void what_did_not_change_is_not_the_older_copy(void **state)
{
	struct timespec past[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = time(NULL) - 100 } };
	struct lab *lab = *state;
	char copy[160];

	fake_feeder.etag = "\"two\"";
	fake_feeder.list = NONE;
	assert_true(fetch().applied);
	/* Killed after the list was written, and before its copy was put in place. */
	snprintf(copy, sizeof(copy), "%s/feeds/drop", lab->directory);
	assert_int_equal(utimensat(AT_FDCWD, copy, past, 0), 0);
	fake_feeder.not_modified = true;
	assert_string_equal(fetch().cause, "fetch");
	fake_feeder.not_modified = false;
	assert_true(fetch().applied);
	assert_string_equal(fake_feeder.if_none_match, ""); /* it is asked for whole */
}

/* ---- clocks ---- */

static void stop_loop(void *arg)
{
	(void)arg;
	loop_stop(fake.daemon.loop);
}

static bool is_near(int64_t a, int64_t b)
{
	return llabs(a - b) < 600;
}

static void wait_next(int64_t about)
{
	int64_t deadline = lab_ms() + DEADLINE_MS;

	while (!is_near(view().next, about)) {
		int timer = loop_timer(fake.daemon.loop, 1, 0, stop_loop, NULL);

		assert_true(lab_ms() < deadline);
		assert_int_equal(loop_run(fake.daemon.loop), 0);
		loop_timer_remove(fake.daemon.loop, timer);
	}
}

static void a_clock_that_is_set_does_not_change_how_long_a_feed_waits(void **state)
{
	monitor(*state, NONE);
	wait_next(time(NULL) + 3600);
	clock_ahead = -365 * 86400; /* it was wrong, and now it is right */
	wait_next(time(NULL) + 3600);
	clock_ahead = 0;
	wait_next(time(NULL) + 3600);
}

/* ---- a list under way, and another configuration ---- */

static void a_list_from_where_the_feed_does_not_come_from_any_more_is_not_taken(void **state)
{
	struct answered answered = {};
	struct lab *lab = *state;
	struct problem why = {};

	fake_feeder.list = NONE;
	fake_feeder.hold = true;
	fake.config.feed = &config_feed;
	fake.config.feeds = 1;
	assert_int_equal(feeds_run_fetch(feeds, "drop", &root, on_answer, &answered, &why), 0);
	feeds_run_reload(feeds);
	assert_false(answered.there); /* nothing changed for it */
	config_feed.url = (char *)"https://example.org/other.txt";
	feeds_run_reload(feeds);
	assert_true(answered.there);
	assert_int_equal(answered.error, -ECANCELED);
	answered.there = false;
	assert_int_equal(feeds_run_fetch(feeds, "drop", &root, on_answer, &answered, &why), 0);
	fake.config.feeds = 0;
	feeds_run_reload(feeds);
	assert_true(answered.there);
	assert_int_equal(fake_feeder.cancelled, 2);
	assert_false(view().running);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(the_guard_holds_a_feed_before_its_rows_are_there),
		T(a_dry_run_holds_nothing),
		T(a_list_that_hits_less_releases_it),
		T(it_is_released_and_held_by_hand),
		T(where_the_filter_cannot_hold_nothing_is_written),
		T(a_new_process_knows_it),
		T(mode_monitor_is_no_hold_that_people_see),
		T(a_feed_that_leaves_mode_monitor_and_would_hit_much_is_held),
		T(one_that_would_hit_nobody_is_put_in_force),
		T(released_by_hand_in_mode_monitor_it_is_still_to_be_judged),
		T(a_feed_that_leaves_the_configuration_stays_in_monitor),
		T(a_copy_that_could_not_be_replaced_is_not_taken_for_the_list),
		T(what_did_not_change_is_not_the_older_copy),
		T(a_clock_that_is_set_does_not_change_how_long_a_feed_waits),
		T(a_list_from_where_the_feed_does_not_come_from_any_more_is_not_taken),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
