/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeds_run_state.h"

#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <sys/stat.h>

#include "core/log.h"
#include "core/units.h"
#include "daemon/feeds_asn.h"

#define SUFFIX_NEW "~new" /* of a copy that is not judged yet; no name has a ~ */

static void job_free(struct feed_job *job)
{
	feeder_cancel(job->feeder);
	feed_apply_free(job->apply);
	free(job);
}

static struct daemon *daemon_of(const struct feed_job *job)
{
	return job->feed->all->d;
}

static const struct config_feed *config_of(const struct feed_job *job)
{
	return feeds_config(job->feed->all, job->feed->state.feed);
}

/* ---- what is known of the feed ---- */

static void save_state(struct feed_run *feed)
{
	struct store *store = sync_store(feed->all->d->sync);
	struct problem why = {};

	if (!store || store_read_only(store))
		return;
	if (store_feed_save(store, &feed->state, &why))
		log_debug("table feed: %s", why.text);
}

static void count_cause(struct feed_run *feed, const char *cause)
{
	size_t i;

	for (i = 0; i < feed->causes && strcmp(feed->cause[i].label, cause) != 0; i++)
		;
	if (i == FEEDS_CAUSES_MAX)
		return;
	if (i == feed->causes)
		snprintf(feed->cause[feed->causes++].label, sizeof(feed->cause[i].label), "%s",
			 cause);
	feed->cause[i].count++;
}

static bool is_schedule(const struct feed_job *job)
{
	return job->kind == JOB_FETCH || job->kind == JOB_CONFIRM;
}

/* Said once: again only when something else is wrong. */
static void say_refused(const struct feed_run *feed, const char *cause, const char *detail)
{
	if (!strcmp(feed->state.fault, cause) && !strcmp(feed->state.detail, detail))
		return;
	log_warning("feed '%s': not taken over: %s: %s; %s", feed->state.feed, cause, detail,
		    feed->state.last_good ? "the last good list stays, and ages"
					  : "there is no list of it yet");
}

/* A list that somebody sends is his to mend: only what is fetched puts the feed in trouble. */
static void note_refused(struct feed_job *job, const char *cause, const struct problem *why,
			 int64_t retry_after)
{
	struct feed_run *feed = job->feed;
	const struct config_feed *config = config_of(job);
	int64_t now = feeds_now();

	count_cause(feed, cause);
	if (job->kind == JOB_DISK)
		log_warning("feed '%s': its copy on disk is not taken over: %s: %s",
			    feed->state.feed, cause, why->text);
	if (!is_schedule(job))
		return;
	say_refused(feed, cause, why->text);
	snprintf(feed->state.fault, sizeof(feed->state.fault), "%s", cause);
	snprintf(feed->state.detail, sizeof(feed->state.detail), "%s", why->text);
	feed->state.failures++;
	feed->state.last_try = now;
	if (config)
		feed->next = feeds_next(feed, config, now, retry_after);
	save_state(feed);
}

static void note_good(struct feed_run *feed, const struct feed_state *state)
{
	if (feed->state.fault[0] && !state->fault[0])
		log_notice("feed '%s': good again", feed->state.feed);
	feed->state = *state;
	feed->from_disk = true; /* there is nothing newer on disk */
}

/* By which tables its AS numbers were expanded. Said once that they were not. */
static void note_asns(const struct feed_job *job, const struct feeder_result *result)
{
	const struct feed_summary *summary = &result->summary;
	struct feed_run *feed = job->feed;
	uint64_t before = feed->asns - feed->asns_found;

	feed->tables = job->tables;
	feed->asns = summary->asns;
	feed->asns_found = summary->asns_found;
	feed->asn_prefixes = summary->asn_prefixes;
	if (feed->asns - feed->asns_found == before)
		return;
	if (!feed->tables && feed->asns)
		log_warning("feed '%s': %" PRIu64 " AS numbers of it are not in force: there is no "
			    "asn_table in the configuration",
			    feed->state.feed, feed->asns);
	else if (feed->asns > feed->asns_found)
		log_info("feed '%s': %" PRIu64 " of its %" PRIu64
			 " AS numbers have no prefix in asn_table",
			 feed->state.feed, feed->asns - feed->asns_found, feed->asns);
}

/* What is known of the feed once this list is in force. */
static void next_state(const struct feed_job *job, const struct feeder_result *result,
		       const struct feed_report *report, struct feed_state *ret)
{
	const struct config_feed *config = config_of(job);

	*ret = job->feed->state;
	ret->entries = report->entries;
	ret->held = report->hold;
	snprintf(ret->held_why, sizeof(ret->held_why), "%s", report->hold ? report->hold_why : "");
	snprintf(ret->format, sizeof(ret->format), "%s", feed_format_label(report->format));
	if (result->summary.timestamp || result->modified)
		ret->modified = result->summary.timestamp ?: result->modified;
	if (job->fetched > ret->last_good || ret->last_good > feeds_now())
		ret->last_good = job->fetched;
	if (job->kind == JOB_DISK)
		return;
	ret->last_try = job->fetched;
	ret->failures = 0;
	ret->origin = job->kind != JOB_IMPORT && config ? feeds_origin(config) : 0;
	ret->fault[0] = ret->detail[0] = '\0';
	if (job->kind == JOB_CONFIRM)
		return;
	snprintf(ret->etag, sizeof(ret->etag), "%s", result->etag);
	snprintf(ret->last_modified, sizeof(ret->last_modified), "%s", result->last_modified);
}

/* ---- the copy on disk ---- */

static void touch_copy(const struct feed_run *feed)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { .tv_sec = feed->state.last_good } };
	char path[FEEDS_PATH];

	feeds_path(feed, "", path);
	if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) && errno != ENOENT)
		log_warning("feed '%s': '%s': %s", feed->state.feed, path, strerror(errno));
}

static void keep_copy(const struct feed_run *feed)
{
	char from[FEEDS_PATH], to[FEEDS_PATH];

	feeds_path(feed, SUFFIX_NEW, from);
	feeds_path(feed, "", to);
	if (!rename(from, to)) {
		touch_copy(feed);
		return;
	}
	if (errno != ENOENT) /* that it was not written is said by who could not */
		log_warning("feed '%s': '%s': %s", feed->state.feed, to, strerror(errno));
	/* An older list than the one in force would be taken for it. */
	if (unlink(to) && errno != ENOENT)
		log_warning("feed '%s': '%s': %s", feed->state.feed, to, strerror(errno));
}

/* Of the list that is in force, or -1: moatd may have died before it was put in its place. */
static int open_current(const struct feed_run *feed)
{
	_cleanup_close_ int fd = -1;
	char path[FEEDS_PATH];
	struct stat st;

	feeds_path(feed, "", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 || fstat(fd, &st) || st.st_mtime < feed->state.last_good ? -1 : take_fd(fd);
}

static void drop_new_copy(const struct feed_run *feed)
{
	char path[FEEDS_PATH];

	feeds_path(feed, SUFFIX_NEW, path);
	unlink(path);
}

/* ---- the end of a list ---- */

/* The feed is free for another list before whoever waits hears of this one. */
static void finish(struct feed_job *job, int error, const struct feed_report *report,
		   const struct problem *why)
{
	job->feed->job = NULL;
	if (job->crowdsec)
		crowdsec_end(job->crowdsec, report->applied);
	else if (job->feed->crowdsec && report->applied)
		crowdsec_forget(job->feed->crowdsec);
	if (job->kind == JOB_FETCH)
		drop_new_copy(job->feed);
	if (job->done)
		job->done(job->arg, error, report, why);
	job_free(job);
	malloc_trim(0);
}

static void refuse(struct feed_job *job, const char *cause, const struct feeder_result *result,
		   struct feed_report *report)
{
	if (cause != report->cause)
		snprintf(report->cause, sizeof(report->cause), "%s", cause);
	if (!job->dry_run)
		note_refused(job, report->cause, &report->why, result->retry_after);
	finish(job, 0, report, &report->why);
}

/* An answer of a LAPI may end listings that it does not name, and may not. */
static int judge_answer(struct feed_job *job, struct feed_report *report)
{
	const struct config_feed *config = config_of(job);
	struct feed_run *feed = job->feed;
	size_t kept = 0;
	int err;

	if (!job->crowdsec || !config)
		return 0;
	err = crowdsec_judge(job->crowdsec, job->apply, sync_store(daemon_of(job)->sync), config,
			     feeds_now(), &kept, &report->why);
	if (!kept)
		return err;
	count_cause(feed, feed_guard_label(FEED_GUARD_SHRINK));
	log_warning("feed '%s': the LAPI does not have %zu of its listings any more, max_shrink is "
		    "%u%%: they stay until their own ends; if it is right, end them by 'moatctl "
		    "remove'",
		    feed->state.feed, kept, config->limits.max_shrink);
	return err;
}

static int write_list(struct feed_job *job, const struct feeder_result *result,
		      struct feed_report *report, struct problem *why)
{
	const struct actor actor = { job->actor_name, job->actor_origin };
	struct daemon *d = daemon_of(job);
	struct feed_run *feed = job->feed;
	struct feed_state state;
	int err;

	/* What others wrote while this one was judged need not wait; it is tried again if it fails. */
	sync_follow(d->sync, &(struct problem){});
	next_state(job, result, report, &state);
	/* Held before the first row is there, given free once all of it is the new list. */
	err = report->hold && !(report->hold == FEED_HELD_BY_MODE && report->monitor)
		      ? sync_hold(d->sync, feed->state.feed, true, why)
		      : 0;
	if (err)
		return err;
	err = feed_apply_write(job->apply, sync_store(d->sync), &actor, feeds_now(), &state, report,
			       why);
	if (err) {
		if (!feed->state.held)
			sync_hold(d->sync, feed->state.feed, false, &(struct problem){});
		return err;
	}
	feeds_note_hold(feed, &state, &actor);
	note_good(feed, &state);
	note_asns(job, result);
	feed->refreshed = job->kind == JOB_DISK ? feed->refreshed : job->fetched;
	if (job->kind == JOB_FETCH)
		keep_copy(feed);
	if (job->kind == JOB_CONFIRM)
		touch_copy(feed);
	if (report->adds || report->removes)
		log_info("feed '%s': %zu listings: %zu added, %zu ended, %zu refreshed",
			 feed->state.feed, report->entries, report->adds, report->removes,
			 report->refreshes);
	if (report->adds && report->masked)
		log_warning("feed '%s': %zu entries had host bits, which were masked; 'host_bits: "
			    "refuse' leaves such entries out",
			    feed->state.feed, report->masked);
	err = sync_follow(d->sync, why) < 0 ? -EAGAIN : 0;
	if (!err && !state.held)
		err = sync_hold(d->sync, feed->state.feed, false, why) ? -EAGAIN : 0;
	return err;
}

/* Its size is no question any more; but a table may make another list of the same AS numbers. */
static bool was_judged(const struct feed_job *job, const struct feeder_result *result)
{
	return (job->kind == JOB_DISK || job->kind == JOB_CONFIRM) && !result->summary.asns;
}

static void judge(struct feed_job *job, const struct feeder_result *result)
{
	const struct config_feed *config = config_of(job);
	struct daemon *d = daemon_of(job);
	struct feed_run *feed = job->feed;
	struct feed_report report = {};
	struct problem why = {};
	struct feed_judge judge = {
		.summary = &result->summary,
		.gate = sync_gate(d->sync),
		.store = sync_store(d->sync),
		.now = feeds_now(),
		.known = feed->state.last_good,
		.entries = feed->state.entries,
		.force = job->force,
		.again = was_judged(job, result),
		.stream = job->crowdsec || job->kind == JOB_IMPORT,
		.tables = job->tables,
		.overlaps = job->dry_run || !feed->state.last_good,
		.samples = d->samples,
		.config = d->config,
		.trusted = config && config->trusted,
		.monitor = config && config->monitor,
		.settled = !d->samples || feeds_now() - d->started > FEEDS_SETTLED,
		.held = feed->state.held,
	};
	int err;

	if (!judge.store) {
		problem_set(&report.why, 0, "the database is not open");
		refuse(job, feed_guard_label(FEED_GUARD_DATABASE), result, &report);
		return;
	}
	if (!result->summary.fault && judge_answer(job, &report)) {
		refuse(job, feed_guard_label(FEED_GUARD_DATABASE), result, &report);
		return;
	}
	err = feed_apply_judge(job->apply, &judge, &report);
	if (report.hold && !report.hold_why[0])
		snprintf(report.hold_why, sizeof(report.hold_why), "%.*s",
			 (int)sizeof(report.hold_why) - 1, feed->state.held_why);
	if (!job->dry_run && report.radius.sources)
		feed->radius = report.radius;
	if (err || report.cause[0]) {
		refuse(job, report.cause, result, &report);
		return;
	}
	err = job->dry_run ? 0 : write_list(job, result, &report, &why);
	if (err && !report.applied) {
		report.why = why;
		refuse(job, feed_guard_label(FEED_GUARD_DATABASE), result, &report);
		return;
	}
	finish(job, err, &report, &why);
}

/* The list in force is the current one: its listings live on. */
static void confirm(struct feed_job *job, const struct feeder_result *result)
{
	struct feed_run *feed = job->feed;
	const struct config_feed *config = config_of(job);
	struct feed_report report = { .entries = feed->state.entries, .applied = true };
	struct feed_state state = feed->state;
	struct job_start start = { .kind = JOB_CONFIRM, .fetched = feeds_now(), .format = -1 };
	struct feed_rules rules = {};
	struct problem why = {};

	report.unchanged = feed->state.entries;
	start.fd = open_current(feed);
	if (!config || start.fd < 0 || feed_rules_copy(config, &rules)) {
		if (start.fd >= 0)
			close(start.fd);
		feed->state.etag[0] = feed->state.last_modified[0] = '\0';
		feed->next = feeds_now();
		problem_set(&report.why, 0,
			    "not modified, but its copy on disk is gone: it is fetched anew");
		refuse(job, feed_guard_label(FEED_GUARD_FETCH), result, &report);
		return;
	}
	state.last_good = state.last_try = start.fetched;
	state.failures = 0;
	state.fault[0] = state.detail[0] = '\0';
	if ((!feed->state.held || feed->state.held == FEED_HELD_BY_HAND || config->monitor) &&
	    feed->refreshed && start.fetched - feed->refreshed < config->ttl / FEED_TTL_SLACK &&
	    (!feed->asns || feed->tables == job->tables)) {
		close(start.fd);
		note_good(feed, &state);
		save_state(feed);
		touch_copy(feed);
		finish(job, 0, &report, &why);
	} else {
		start.done = job->done;
		start.arg = job->arg;
		job->done = NULL;
		finish(job, 0, &report, &why);
		if (feed_job_start(feed, &start, &rules, &why)) {
			log_warning("feed '%s': %s", feed->state.feed, why.text);
			if (start.done)
				start.done(start.arg, -EIO, &report, &why);
		}
	}
	feed_rules_free(&rules);
}

/* The program that fetched it is gone when this is called. */
static void on_done(void *arg, const struct feeder_result *result)
{
	struct feed_job *job = arg;
	struct feed_report report = {};

	job->feeder = NULL;
	if (result->not_modified && job->kind == JOB_FETCH) {
		confirm(job, result);
	} else if (!result->ok) {
		report.why = result->why;
		refuse(job, feed_guard_label(FEED_GUARD_FETCH), result, &report);
	} else {
		judge(job, result);
	}
}

static int on_rows(void *arg, const struct feed_row *row, size_t count)
{
	const struct feed_job *job = arg;

	if (job->crowdsec)
		return crowdsec_rows(job->crowdsec, job->apply, row, count);
	return feed_apply_rows(job->apply, row, count);
}

/* ---- the start ---- */

static void describe(const struct feed_run *feed, const struct config_feed *config,
		     const struct job_start *start, char keep[FEEDS_PATH], struct feeder_job *ret)
{
	*ret = (struct feeder_job){ .fd = start->fd };
	if (config)
		ret->parse = config->parse;
	if (start->format >= 0)
		ret->parse.format = (enum feed_format)start->format;
	ret->parse.now = start->fetched;
	ret->parse.whole |= start->force; /* a last line without end: somebody knows better */
	if (start->kind != JOB_FETCH || !config)
		return;
	feeds_path(feed, SUFFIX_NEW, keep);
	ret->url = config->url;
	ret->keep = keep;
	ret->header_file = config->header_file;
	/* A list that is not whole in the database must come whole. */
	if (feed->state.origin == feeds_origin(config) &&
	    feed->state.last_good + config->ttl > start->fetched) {
		ret->etag = feed->state.etag[0] ? feed->state.etag : NULL;
		ret->last_modified = feed->state.last_modified[0] ? feed->state.last_modified
								  : NULL;
	}
}

/* A LAPI is asked for what this moatd does not know yet, and what it answers is no copy to keep. */
static int describe_answer(struct feed_job *job, const struct config_feed *config,
			   char url[FEEDER_URL_MAX], struct feeder_job *ret, struct problem *why)
{
	struct feed_run *feed = job->feed;
	int err;

	if (!feed->crowdsec && crowdsec_new(&feed->crowdsec))
		return problem_set(why, -ENOMEM, "out of memory");
	err = crowdsec_begin(feed->crowdsec, config, job->fetched, url, why);
	if (err)
		return err;
	job->crowdsec = feed->crowdsec;
	ret->url = url;
	ret->keep = ret->etag = ret->last_modified = NULL;
	ret->key_file = config->crowdsec.key_file;
	ret->deadline_ms = crowdsec_asks_all(feed->crowdsec) ? 0 : CROWDSEC_DELTA_MS;
	return 0;
}

int feed_job_start(struct feed_run *feed, const struct job_start *start, struct feed_rules *rules,
		   struct problem *why)
{
	struct daemon *d = feed->all->d;
	struct feed_job *job = calloc(1, sizeof(*job));
	const struct config_feed *config = feeds_config(feed->all, feed->state.feed);
	struct feeder_job what;
	char keep[FEEDS_PATH], url[FEEDER_URL_MAX];
	int err = 0;

	if (!job || feed_apply_new(rules, sync_gate(d->sync), start->fetched, &job->apply)) {
		free(job);
		if (start->fd >= 0)
			close(start->fd);
		return problem_set(why, -ENOMEM, "out of memory");
	}
	job->feed = feed;
	job->kind = start->kind;
	job->fetched = start->fetched;
	job->origin = config ? feeds_origin(config) : 0;
	job->dry_run = start->dry_run;
	job->force = start->force;
	snprintf(job->actor_name, sizeof(job->actor_name), "%s",
		 start->actor && start->actor->name ? start->actor->name : "moatd");
	snprintf(job->actor_origin, sizeof(job->actor_origin), "%s",
		 start->actor && start->actor->origin ? start->actor->origin : "feed");

	describe(feed, config, start, keep, &what);
	if (start->kind == JOB_FETCH && config && config->parse.format == FEED_CROWDSEC)
		err = describe_answer(job, config, url, &what, why);
	feeds_asn_open(d->config, &what);
	job->tables = feeds_asn_stamp(&what);
	err = err ?: feeder_start(d->loop, &what, on_rows, on_done, job, &job->feeder, why);
	feeds_asn_close(&what);
	if (err) {
		job_free(job);
		return err;
	}
	job->done = start->done;
	job->arg = start->arg;
	feed->job = job;
	return 0;
}

void feed_job_cancel(struct feed_run *feed, const char *because)
{
	struct feed_report report = {};
	struct problem why;

	problem_set(&why, -ECANCELED, "%s", because);
	if (feed->job)
		finish(feed->job, -ECANCELED, &report, &why);
}

void feed_job_check(struct feed_run *feed)
{
	const struct config_feed *config = feeds_config(feed->all, feed->state.feed);

	if (!feed->job || feed->job->kind == JOB_IMPORT)
		return;
	if (!config)
		feed_job_cancel(feed, "the feed was removed from the configuration");
	else if (feed->job->origin != feeds_origin(config))
		feed_job_cancel(feed, "the feed has another url or format now");
}
