/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds from one fetch to the next and over restarts: what is asked, what is
 * taken over, what stays. The feeder, the network and sync are fake; the
 * database and the copies on disk are real.
 */
#include "tests/unit/test_store_lab.h"

#include "daemon/feeds_run.h"
#include "tests/unit/fake_daemon.h"
#include "tests/unit/fake_feeder.h"

#define DAY 86400

static struct config_feed config_feed;
static struct feeds_run *feeds;

struct answered {
	unsigned int answers;
	int error;
	struct feed_report report;
	struct problem why;
};

static int setup(void **state)
{
	int err = lab_setup(state);
	struct lab *lab = *state;

	fake_reset();
	memset(&fake_feeder, 0, sizeof(fake_feeder));
	assert_int_equal(loop_new(&fake.daemon.loop), 0);
	fake.store = lab_open(lab);
	fake.config.database = lab->uri;
	config_feed = (struct config_feed){
		.name = "drop",
		.url = (char *)"https://example.net/drop.txt",
		.category = "botnet",
		.every = 1,
		.ttl = DAY,
		.confidence = -1,
		.limits = { 50, 300, 20, { 12, 28 }, 1000, 5000 },
		.parse = { .format = FEED_PLAIN },
	};
	fake.config.feed = &config_feed;
	fake.config.feeds = 1;
	fake.config.limits = config_feed.limits;
	return err;
}

static void start(void)
{
	assert_int_equal(feeds_run_new(&fake.daemon, &feeds), 0);
}

static void stop(void)
{
	feeds = feeds_run_free(feeds);
}

static int teardown(void **state)
{
	stop();
	fake.store = store_free(fake.store);
	loop_free(fake.daemon.loop);
	return lab_teardown(state);
}

static struct feed_view view(void)
{
	struct feed_view found = {};

	if (feeds_run_count(feeds))
		feeds_run_view(feeds, 0, &found);
	return found;
}

/* ---- waiting ---- */

struct wait {
	bool (*holds)(const void *arg);
	const void *arg;
	int64_t deadline;
	bool late;
};

static void look(void *arg)
{
	struct wait *wait = arg;

	wait->late = lab_ms() > wait->deadline;
	if (wait->late || wait->holds(wait->arg))
		loop_stop(fake.daemon.loop);
}

static void wait_until(bool (*holds)(const void *arg), const void *arg)
{
	struct wait wait = { holds, arg, lab_ms() + DEADLINE_MS, false };
	int timer = loop_timer(fake.daemon.loop, 1, 1, look, &wait);

	assert_int_equal(loop_run(fake.daemon.loop), 0);
	loop_timer_remove(fake.daemon.loop, timer);
	assert_false(wait.late);
}

static bool has_state(const void *arg)
{
	struct feed_view v = view();

	return v.state && !v.running && v.state->last_try && !strcmp(v.state->fault, arg);
}

/* Until the last fetch ended with this fault ("": it was good). */
static void wait_fault(const char *fault)
{
	wait_until(has_state, fault);
}

static bool has_fetched(const void *arg)
{
	return fake_feeder.fetches >= *(const unsigned int *)arg && !view().running;
}

static void wait_fetches(unsigned int more)
{
	unsigned int wanted = fake_feeder.fetches + more;

	wait_until(has_fetched, &wanted);
}

static bool has_answer(const void *arg)
{
	return ((const struct answered *)arg)->answers;
}

static void on_answer(void *arg, int error, const struct feed_report *report,
		      const struct problem *why)
{
	struct answered *outcome = arg;

	outcome->answers++;
	outcome->error = error;
	outcome->report = *report;
	outcome->why = *why;
}

static bool knows_states(const void *arg)
{
	struct problem why = {};
	struct feeds_import import = { .feed = ".", .fd = -1 };

	(void)arg;
	/* A name that cannot be is found out before anything else: this asks nothing. */
	return feeds_run_import(feeds, &import, on_answer, NULL, &why) == -EINVAL &&
	       feeds_run_count(feeds);
}

static struct answered import(const char *feed, const char *text, bool dry_run)
{
	struct answered outcome = {};
	struct feeds_import import = { .feed = feed,
				       .format = FEED_PLAIN,
				       .category = "botnet",
				       .dry_run = dry_run,
				       .actor = { "root", "moatctl" } };
	char path[] = "/tmp/moat-import-XXXXXX";
	struct problem why = {};

	wait_until(knows_states, NULL);
	import.fd = mkstemp(path);
	assert_true(import.fd >= 0);
	unlink(path);
	assert_int_equal(write(import.fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(lseek(import.fd, 0, SEEK_SET), 0);
	if (feeds_run_import(feeds, &import, on_answer, &outcome, &why))
		fail_msg("%s", why.text);
	wait_until(has_answer, &outcome);
	return outcome;
}

static int64_t rows(const struct lab *lab)
{
	return lab_number(lab, "SELECT count(*) FROM listing WHERE feed = 'drop'");
}

static void assert_copy(const struct lab *lab, const char *wanted)
{
	char path[160], text[256] = "";
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/feeds/drop", lab->directory);
	f = fopen(path, "re");
	if (!wanted) {
		assert_null(f);
		return;
	}
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	assert_string_equal(text, wanted);
}

/* A new process, which finds the database and the disk as they are. */
static void restart(void)
{
	stop();
	start();
}

#define TEN                                                                                        \
	"192.0.2.1\n192.0.2.2\n192.0.2.3\n192.0.2.4\n192.0.2.5\n"                                  \
	"192.0.2.6\n192.0.2.7\n192.0.2.8\n192.0.2.9\n192.0.2.10\n"

/* ---- the network ---- */

static void a_feed_that_is_due_is_fetched_and_kept(void **state)
{
	struct lab *lab = *state;

	fake_feeder.list = TEN;
	start();
	wait_fault("");
	assert_int_equal(rows(lab), 10);
	assert_copy(lab, TEN);
	assert_string_equal(fake_feeder.url, "https://example.net/drop.txt");
	assert_int_equal(view().state->entries, 10);
	assert_true(fake.follows > 0);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE actor = 'moatd' AND"
					 " origin = 'feed' AND verb = 'import'"),
			 1);
}

static void a_feed_is_asked_whether_it_changed(void **state)
{
	struct lab *lab = *state;

	fake_feeder.list = TEN;
	fake_feeder.etag = "\"one\"";
	start();
	wait_fault("");
	assert_string_equal(fake_feeder.if_none_match, "");
	fake_feeder.not_modified = true;
	wait_fetches(1);
	assert_string_equal(fake_feeder.if_none_match, "\"one\"");
	assert_string_equal(view().state->fault, "");
	assert_int_equal(rows(lab), 10);
}

static void a_list_that_did_not_change_lives_on(void **state)
{
	struct lab *lab = *state;

	fake_feeder.list = TEN;
	fake_feeder.etag = "\"one\"";
	start();
	wait_fault("");
	/* Half of its life is over: all that happens is that the server says "the same". */
	lab_sql(lab, "UPDATE listing SET expires_at = expires_at - 43200");
	fake_feeder.not_modified = true;
	restart();
	wait_fetches(1);
	wait_fetches(1);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing"
					 " WHERE expires_at > unixepoch() + 86000"),
			 10);
}

static void without_its_copy_a_list_comes_whole(void **state)
{
	struct lab *lab = *state;
	char path[160];

	fake_feeder.list = TEN;
	fake_feeder.etag = "\"one\"";
	start();
	wait_fault("");
	snprintf(path, sizeof(path), "%s/feeds/drop", lab->directory);
	assert_int_equal(unlink(path), 0);
	fake_feeder.not_modified = true;
	wait_fault("fetch");
	fake_feeder.not_modified = false;
	wait_fault("");
	assert_string_equal(fake_feeder.if_none_match, "");
	assert_copy(lab, TEN);
}

static void another_url_is_not_asked_whether_the_first_changed(void **state)
{
	(void)state;
	fake_feeder.list = TEN;
	fake_feeder.etag = "\"one\"";
	start();
	wait_fault("");
	config_feed.url = (char *)"https://example.org/other.txt";
	feeds_run_reload(feeds);
	wait_fetches(1);
	assert_string_equal(fake_feeder.url, "https://example.org/other.txt");
	assert_string_equal(fake_feeder.if_none_match, "");
}

static void another_url_is_not_waited_for(void **state)
{
	(void)state;
	fake_feeder.list = TEN;
	start();
	wait_fault("");
	config_feed.every = DAY / 2;
	wait_fetches(1); /* the next is half a day away */
	config_feed.url = (char *)"https://example.org/other.txt";
	feeds_run_reload(feeds);
	wait_fetches(1);
	assert_string_equal(fake_feeder.url, "https://example.org/other.txt");
}

/* ---- what is not to be believed ---- */

static void count_refused(void *arg, const char *feed, const char *cause, uint64_t count)
{
	assert_string_equal(feed, "drop");
	if (!strcmp(cause, "shrink"))
		*(uint64_t *)arg += count;
}

static void a_refused_list_changes_nothing_and_says_why(void **state)
{
	struct lab *lab = *state;
	uint64_t refused = 0;

	fake_feeder.list = TEN;
	start();
	wait_fault("");
	fake_feeder.list = "192.0.2.1\n";
	fake_feeder.etag = "\"bad\"";
	wait_fault("shrink");
	assert_int_equal(rows(lab), 10);
	assert_copy(lab, TEN);
	assert_int_equal(view().state->entries, 10);
	assert_string_equal(view().state->etag, ""); /* or a 304 would bless it */
	assert_non_null(strstr(view().state->detail, "1 entries after 10"));
	feeds_run_each_refused(feeds, count_refused, &refused);
	assert_true(refused >= 1);
	assert_int_equal(lab_number(lab, "SELECT failures FROM feed"),
			 (int64_t)view().state->failures);

	fake_feeder.list = TEN;
	wait_fault("");
	assert_int_equal(view().state->failures, 0);
}

static void a_server_that_is_gone_is_trouble_and_no_more(void **state)
{
	struct lab *lab = *state;

	fake_feeder.list = TEN;
	start();
	wait_fault("");
	fake_feeder.list = NULL;
	wait_fault("fetch");
	assert_string_equal(view().state->detail, "nobody answers");
	assert_int_equal(rows(lab), 10);
}

static void a_server_that_asks_for_time_gets_it(void **state)
{
	int64_t now = time(NULL);

	(void)state;
	fake_feeder.retry_after = 7200;
	start();
	wait_fault("fetch");
	assert_in_range(view().next, now + 7200, now + 8000);
}

/* ---- restarts ---- */

static void a_lost_database_is_filled_from_disk_without_the_network(void **state)
{
	struct lab *lab = *state;

	fake_feeder.list = TEN;
	start();
	wait_fault("");
	stop();
	fake.store = store_free(fake.store);
	unlink(lab->path);
	fake.store = lab_open(lab);
	fake_feeder.list = NULL;
	fake_feeder.files = 0;
	start();
	wait_fault("fetch");
	assert_int_equal(fake_feeder.files, 1);
	assert_int_equal(rows(lab), 10);
}

static void what_is_known_of_a_feed_survives_a_restart(void **state)
{
	int64_t now = time(NULL);
	unsigned int fetches;

	(void)state;
	config_feed.every = 3600;
	fake_feeder.list = TEN;
	fake_feeder.etag = "\"one\"";
	start();
	wait_until(knows_states, NULL);
	{
		struct answered outcome = {};
		struct problem why = {};

		assert_int_equal(feeds_run_fetch(feeds, "drop",
						 &(struct actor){ "root", "moatctl" }, on_answer,
						 &outcome, &why),
				 0);
		wait_until(has_answer, &outcome);
	}
	fetches = fake_feeder.fetches;
	restart();
	wait_until(knows_states, NULL);
	assert_int_equal(view().state->entries, 10);
	assert_string_equal(view().state->etag, "\"one\"");
	assert_in_range(view().next, now + 3600, now + 3700);
	assert_int_equal(fake_feeder.fetches, fetches);
}

static void a_restart_without_news_writes_nothing(void **state)
{
	struct lab *lab = *state;
	int64_t changes;

	fake_feeder.list = TEN;
	start();
	wait_fault("");
	changes = lab_number(lab, "SELECT max(seq) FROM change");
	restart();
	wait_fetches(1);
	assert_int_equal(lab_number(lab, "SELECT max(seq) FROM change"), changes);
}

static void a_copy_is_not_read_after_a_newer_answer(void **state)
{
	struct answered outcome = {};
	struct problem why = {};

	(void)state;
	fake_feeder.list = TEN;
	fake_feeder.etag = "\"one\"";
	start();
	wait_fault("");
	fake_feeder.not_modified = true;
	fake_feeder.files = 0;
	restart();
	/* And somebody asks before moatd comes to it. */
	assert_int_equal(feeds_run_fetch(feeds, "drop", NULL, on_answer, &outcome, &why), 0);
	wait_until(has_answer, &outcome);
	assert_int_equal(fake_feeder.files, 1); /* what did not change is read from the copy */
	wait_fetches(1);
	assert_int_equal(fake_feeder.files, 1);
}

/* ---- imports ---- */

static void an_import_makes_a_feed_of_its_own(void **state)
{
	struct lab *lab = *state;
	struct answered outcome;

	fake_feeder.hold = false;
	start();
	outcome = import("mine", "192.0.2.1\n192.0.2.2\n", true);
	assert_int_equal(outcome.report.adds, 2);
	assert_false(outcome.report.applied);
	outcome = import("mine", "192.0.2.1\n192.0.2.2\n", false);
	if (!outcome.report.applied)
		fail_msg("%s: %s", outcome.report.cause, outcome.report.why.text);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM listing WHERE feed = 'mine' AND"
					 " expires_at IS NULL"),
			 2);
	assert_int_equal(lab_number(lab, "SELECT count(*) FROM audit WHERE actor = 'root' AND"
					 " origin = 'moatctl'"),
			 1);
}

static void a_bad_import_is_not_the_feeds_trouble(void **state)
{
	struct lab *lab = *state;
	struct answered outcome;

	fake_feeder.list = TEN;
	config_feed.every = 3600;
	start();
	import("drop", TEN, false);
	outcome = import("drop", "192.0.2.1\n", false);
	assert_string_equal(outcome.report.cause, "shrink");
	assert_string_equal(view().state->fault, "");
	assert_int_equal(rows(lab), 10);
}

static void an_imported_list_is_not_replaced_by_the_copy_on_disk(void **state)
{
	struct lab *lab = *state;
	struct timespec past[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = time(NULL) - 100 } };
	char path[160];

	fake_feeder.list = TEN;
	start();
	wait_fault("");
	config_feed.every = 3600;
	import("drop", TEN "192.0.2.11\n", false);
	/* The copy is older, as it is when there was time between the two. */
	snprintf(path, sizeof(path), "%s/feeds/drop", lab->directory);
	assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
	fake_feeder.files = 0;
	restart();
	wait_until(knows_states, NULL);
	assert_int_equal(fake_feeder.files, 0);
	assert_int_equal(rows(lab), 11);
}

static void names_that_are_not_for_lists_are_refused(void **state)
{
	static const char *const names[] = { "manual", "../x", ".", "", "a b", "a/b" };

	(void)state;
	start();
	wait_until(knows_states, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct feeds_import import = { .feed = names[i], .fd = dup(0) };
		struct problem why = {};

		assert_int_equal(feeds_run_import(feeds, &import, on_answer, NULL, &why), -EINVAL);
		assert_int_equal(import.fd, -1);
	}
}

static void a_feed_is_busy_with_one_list_at_a_time(void **state)
{
	struct answered outcome = {};
	struct problem why = {};

	(void)state;
	fake_feeder.hold = true;
	config_feed.every = 3600;
	start();
	wait_until(knows_states, NULL);
	assert_int_equal(feeds_run_fetch(feeds, "nosuch", NULL, on_answer, &outcome, &why),
			 -ENOENT);
	assert_int_equal(feeds_run_fetch(feeds, "drop", NULL, on_answer, &outcome, &why), 0);
	assert_int_equal(feeds_run_fetch(feeds, "drop", NULL, on_answer, &outcome, &why), -EBUSY);
	assert_int_equal(outcome.answers, 0);
	stop();
	assert_int_equal(fake_feeder.cancelled, 1);
	assert_int_equal(outcome.answers, 1);
	assert_int_equal(outcome.error, -ECANCELED);
}

static void nothing_happens_before_the_database_was_read(void **state)
{
	struct problem why = {};
	struct store *store = fake.store;

	(void)state;
	fake.store = NULL;
	fake.numbers.started = false;
	start();
	assert_int_equal(feeds_run_fetch(feeds, "drop", NULL, on_answer, NULL, &why), -EAGAIN);
	fake.store = store;
	fake.numbers.started = true;
	fake_feeder.list = TEN;
	wait_fault("");
}

#define with_feeds(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_feeds(a_feed_that_is_due_is_fetched_and_kept),
		with_feeds(a_feed_is_asked_whether_it_changed),
		with_feeds(a_list_that_did_not_change_lives_on),
		with_feeds(without_its_copy_a_list_comes_whole),
		with_feeds(another_url_is_not_asked_whether_the_first_changed),
		with_feeds(another_url_is_not_waited_for),
		with_feeds(a_refused_list_changes_nothing_and_says_why),
		with_feeds(a_server_that_is_gone_is_trouble_and_no_more),
		with_feeds(a_server_that_asks_for_time_gets_it),
		with_feeds(a_lost_database_is_filled_from_disk_without_the_network),
		with_feeds(what_is_known_of_a_feed_survives_a_restart),
		with_feeds(a_restart_without_news_writes_nothing),
		with_feeds(an_import_makes_a_feed_of_its_own),
		with_feeds(a_bad_import_is_not_the_feeds_trouble),
		with_feeds(a_copy_is_not_read_after_a_newer_answer),
		with_feeds(an_imported_list_is_not_replaced_by_the_copy_on_disk),
		with_feeds(names_that_are_not_for_lists_are_refused),
		with_feeds(a_feed_is_busy_with_one_list_at_a_time),
		with_feeds(nothing_happens_before_the_database_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
