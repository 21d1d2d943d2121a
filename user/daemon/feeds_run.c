/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeds_run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "core/log.h"
#include "daemon/feed_schedule.h"
#include "daemon/feeds_run_state.h"

#define TICK_MS		  200
#define SQLITE_URI	  "sqlite://"
#define CLOCK_STEP	  5  /* seconds */
#define FEEDS_JUDGE_AGAIN 30 /* seconds between tries to judge what came in mode monitor */

int64_t feeds_now(void)
{
	return time(NULL);
}

const struct config_feed *feeds_config(const struct feeds_run *f, const char *name)
{
	const struct config *config = f->d->config;

	for (size_t i = 0; i < config->feeds; i++)
		if (!strcmp(config->feed[i].name, name))
			return &config->feed[i];
	return NULL;
}

void feeds_path(const struct feed_run *feed, const char *suffix, char ret[static FEEDS_PATH])
{
	snprintf(ret, FEEDS_PATH, "%s/%s%s", feed->all->dir, feed->state.feed, suffix);
}

static struct feed_timing timing(const struct feed_run *feed, const struct config_feed *config)
{
	char host[64] = "";

	gethostname(host, sizeof(host) - 1);
	return (struct feed_timing){
		.every = config->every,
		.seed = feed_schedule_seed(feed->state.feed, host),
		.attempt = feed->attempts,
		.failures = feed->state.failures < UINT_MAX ? (unsigned int)feed->state.failures
							    : UINT_MAX,
		.retry_cap = config->parse.format == FEED_CROWDSEC ? CROWDSEC_RETRY_CAP : 0,
	};
}

int64_t feeds_next(const struct feed_run *feed, const struct config_feed *config, int64_t now,
		   int64_t retry_after)
{
	struct feed_timing t = timing(feed, config);

	t.retry_after = retry_after;
	return now + feed_schedule_next(&t);
}

static int64_t first(const struct feed_run *feed, const struct config_feed *config, int64_t now)
{
	struct feed_timing t = timing(feed, config);

	return now + feed_schedule_first(&t, feed->state.last_try, now);
}

uint64_t feeds_origin(const struct config_feed *config)
{
	return feed_schedule_seed(config->url, feed_format_label(config->parse.format));
}

/* ---- which there are ---- */

struct feed_run *feeds_find_run(const struct feeds_run *f, const char *name)
{
	for (size_t i = 0; i < f->feeds; i++)
		if (!strcmp(f->feed[i]->state.feed, name))
			return f->feed[i];
	return NULL;
}

/* Finds or makes. NULL: out of memory. */
static struct feed_run *get(struct feeds_run *f, const char *name)
{
	struct feed_run *feed = feeds_find_run(f, name);
	struct feed_run **grown;

	if (feed)
		return feed;
	grown = reallocarray(f->feed, f->feeds + 1, sizeof(struct feed_run *));
	if (!grown)
		return NULL;
	f->feed = grown;
	feed = calloc(1, sizeof(*feed));
	if (!feed)
		return NULL;
	feed->all = f;
	snprintf(feed->state.feed, sizeof(feed->state.feed), "%s", name);
	f->feed[f->feeds++] = feed;
	return feed;
}

static int take_state(void *arg, const struct feed_state *state)
{
	struct feeds_run *f = arg;
	struct feed_run *feed;

	if (!gate_name_ok(state->feed, CONFIG_FEED_NAME))
		return 0;
	feed = get(f, state->feed);
	if (!feed)
		return -ENOMEM;
	feed->state = *state;
	return 0;
}

/* What the last process knew. A feed it has tried is not asked again at once. */
static bool know_states(struct feeds_run *f)
{
	struct store *store = sync_store(f->d->sync);
	struct problem why = {};

	if (f->known)
		return true;
	if (!store)
		return false;
	if (store_feed_states(store, take_state, f, &why)) {
		log_debug("table feed: %s; trying again", why.text);
		return false;
	}
	f->known = true;
	feeds_run_reload(f);
	return true;
}

/* What was imported by hand is not fetched, and has no origin. */
static void say_removed(struct feed_run *feed)
{
	if (feed->state.origin && !feed->removed)
		log_notice("feed '%s': not in the configuration any more: it is not fetched, and its "
			   "%llu listings end with their ttl",
			   feed->state.feed, (unsigned long long)feed->state.entries);
	feed->removed = true;
	feed->next = 0;
}

void feeds_run_reload(struct feeds_run *f)
{
	const struct config *config = f->d->config;
	int64_t now = feeds_now();

	for (size_t i = 0; i < f->feeds; i++) {
		feed_job_check(f->feed[i]);
		if (!feeds_config(f, f->feed[i]->state.feed))
			say_removed(f->feed[i]);
	}
	for (size_t i = 0; i < config->feeds; i++) {
		struct feed_run *feed = get(f, config->feed[i].name);
		int64_t next = feed ? first(feed, &config->feed[i], now) : 0;

		if (!feed)
			continue;
		feed->removed = false;
		feed->judged = 0;
		/* Another list is not waited for as long as another look at this one. */
		if (feed->state.origin && feed->state.origin != feeds_origin(&config->feed[i]))
			next = now + 1;
		if (!feed->next || next < feed->next)
			feed->next = next;
	}
}

/* ---- when ---- */

static size_t running(const struct feeds_run *f, bool imports)
{
	size_t count = 0;

	for (size_t i = 0; i < f->feeds; i++)
		if (f->feed[i]->job)
			count += (f->feed[i]->job->kind == JOB_IMPORT) == imports;
	return count;
}

/* The copy on disk, if it is the list that was last in force and has not aged out. */
static int open_copy(const struct feed_run *feed, const struct config_feed *config,
		     int64_t *ret_fetched)
{
	_cleanup_close_ int fd = -1;
	char path[FEEDS_PATH];
	struct stat st;

	feeds_path(feed, "", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -ENOENT;
	if (feed->state.origin && feed->state.origin != feeds_origin(config))
		return -ESTALE;
	if (st.st_mtime < feed->state.last_good || st.st_mtime + config->ttl <= feeds_now())
		return -ESTALE;
	*ret_fetched = st.st_mtime;
	return take_fd(fd);
}

static void start_from_disk(struct feed_run *feed, const struct config_feed *config)
{
	struct job_start start = { .kind = JOB_DISK, .format = -1 };
	struct feed_rules rules = {};
	struct problem why = {};

	feed->from_disk = true;
	if (config->parse.format == FEED_CROWDSEC)
		return; /* what is in the database is newer than any answer */
	start.fd = open_copy(feed, config, &start.fetched);
	if (start.fd < 0 || feed_rules_copy(config, &rules))
		return;
	if (start.fetched > feeds_now())
		start.fetched = feeds_now();
	if (feed_job_start(feed, &start, &rules, &why))
		log_warning("feed '%s': its copy on disk: %s", feed->state.feed, why.text);
	feed_rules_free(&rules);
}

/*
 * Mode monitor is over: what is listed is judged like a first list, from its
 * copy, until there was traffic to judge it by. A LAPI's next answer does that.
 */
static void judge_anew(struct feed_run *feed, const struct config_feed *config, int64_t now)
{
	if (!feeds_is_unjudged(feed, config) || feed->job ||
	    (feed->judged && llabs(now - feed->judged) < FEEDS_JUDGE_AGAIN))
		return;
	feed->judged = now;
	start_from_disk(feed, config);
	if (!feed->job && !feed->state.failures)
		feed->next = now;
}

static int start_fetch(struct feed_run *feed, const struct config_feed *config,
		       struct job_start *start, struct problem *why)
{
	struct feed_rules rules = {};
	int err = feed_rules_copy(config, &rules);

	start->kind = JOB_FETCH;
	start->fd = -1;
	start->format = -1;
	start->fetched = feeds_now();
	feed->next = feeds_next(feed, config, start->fetched, 0);
	feed->attempts++;
	err = err ?: feed_job_start(feed, start, &rules, why);
	feed_rules_free(&rules);
	return err;
}

/* A LAPI is told what became of its decisions. */
static void tell_usage(struct feed_run *feed, const struct config_feed *config, int64_t now)
{
	if (!config || config->parse.format != FEED_CROWDSEC || !feed->crowdsec)
		return;
	if (!feed->usage && crowdsec_usage_new(feed->all->d, &feed->usage))
		return; /* out of memory: the next turn tries again */
	crowdsec_usage_tick(feed->usage, config, crowdsec_table(feed->crowdsec),
			    feed->state.last_good, now);
}

/* When a feed is due is a time of the wall clock; how long it waits is not its business. */
static void follow_clock(struct feeds_run *f, int64_t now)
{
	struct timespec boot;
	int64_t offset, step;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	offset = now - boot.tv_sec;
	step = f->clock_offset ? offset - f->clock_offset : 0;
	if (llabs(step) < CLOCK_STEP && f->clock_offset)
		return; /* also the little that a clock is slewed by: not lost, but collected */
	f->clock_offset = offset;
	for (size_t i = 0; i < f->feeds; i++)
		if (f->feed[i]->next)
			f->feed[i]->next += step;
}

static void tick(void *arg)
{
	struct feeds_run *f = arg;
	int64_t now = feeds_now();
	struct sync_numbers numbers;
	bool waits = false;

	follow_clock(f, now);
	sync_numbers(f->d->sync, &numbers);
	if (!numbers.started || !know_states(f))
		return;
	for (size_t i = 0; i < f->feeds; i++) {
		struct feed_run *feed = f->feed[i];
		const struct config_feed *config = feeds_config(f, feed->state.feed);

		if (config && !feed->from_disk && !feed->job &&
		    running(f, false) < FEEDS_FETCHES_MAX)
			start_from_disk(feed, config);
		else if (config && running(f, false) < FEEDS_FETCHES_MAX)
			judge_anew(feed, config, now);
		tell_usage(feed, config, now);
		waits |= config && (!feed->from_disk || (feed->job && feed->job->kind == JOB_DISK));
	}
	for (size_t i = 0; i < f->feeds && !waits; i++) {
		struct feed_run *feed = f->feed[i];
		const struct config_feed *config = feeds_config(f, feed->state.feed);
		struct job_start start = {};
		struct problem why = {};

		if (!config || feed->job || !feed->next || feed->next > now ||
		    running(f, false) >= FEEDS_FETCHES_MAX)
			continue;
		if (start_fetch(feed, config, &start, &why))
			log_warning("feed '%s': cannot be fetched: %s", feed->state.feed, why.text);
	}
}

/* ---- from outside ---- */

static int not_yet(struct problem *why)
{
	return problem_set(why, -EAGAIN, "the database was not read yet: try again");
}

static int busy(const char *name, struct problem *why)
{
	return problem_set(why, -EBUSY, "feed '%s': a list of it is under way", name);
}

int feeds_run_fetch(struct feeds_run *f, const char *name, const struct actor *actor,
		    feeds_done_fn done, void *arg, struct problem *why)
{
	const struct config_feed *config = feeds_config(f, name);
	struct job_start start = { .actor = actor, .done = done, .arg = arg };
	struct feed_run *feed;

	if (!config)
		return problem_set(why, -ENOENT,
				   "feed '%.64s' is not in the configuration: add it under 'feeds'",
				   name);
	if (!know_states(f))
		return not_yet(why);
	feed = get(f, name);
	if (!feed)
		return problem_set(why, -ENOMEM, "out of memory");
	if (feed->job)
		return busy(name, why);
	return start_fetch(feed, config, &start, why);
}

static int import_rules(const struct config_feed *config, const struct feeds_import *import,
			const struct config *defaults, struct feed_rules *ret)
{
	int err = config ? feed_rules_copy(config, ret) : 0;

	if (err)
		return err;
	if (!config) {
		ret->confidence = -1;
		ret->limits = defaults->limits;
		snprintf(ret->feed, sizeof(ret->feed), "%s", import->feed);
	}
	if (import->category) {
		snprintf(ret->category, sizeof(ret->category), "%s", import->category);
		ret->mappings = 0;
	}
	if (import->ttl)
		ret->ttl = import->ttl;
	return 0;
}

static int start_import(struct feeds_run *f, struct feeds_import *import, feeds_done_fn done,
			void *arg, struct problem *why)
{
	struct job_start start = {
		.kind = JOB_IMPORT,
		.fd = import->fd,
		.fetched = feeds_now(),
		.format = import->format,
		.dry_run = import->dry_run,
		.force = import->force,
		.actor = &import->actor,
		.done = done,
		.arg = arg,
	};
	struct feed_run *feed = get(f, import->feed);
	struct feed_rules rules = {};
	int err;

	if (!feed || import_rules(feeds_config(f, import->feed), import, f->d->config, &rules))
		return problem_set(why, -ENOMEM, "out of memory");
	if (feed->job) {
		feed_rules_free(&rules);
		return busy(import->feed, why);
	}
	import->fd = -1;
	err = feed_job_start(feed, &start, &rules, why);
	feed_rules_free(&rules);
	return err;
}

int feeds_run_import(struct feeds_run *f, struct feeds_import *import, feeds_done_fn done,
		     void *arg, struct problem *why)
{
	int err = 0;

	if (!gate_name_ok(import->feed, CONFIG_FEED_NAME) || import->feed[0] == '.')
		err = problem_set(why, -EINVAL, "'%.64s' is not the name of a feed", import->feed);
	else if (!strcmp(import->feed, CONFIG_MANUAL))
		err = problem_set(why, -EINVAL,
				  "feed '%s' is what people add one by one; an import would end what "
				  "is not in the file: name another feed",
				  CONFIG_MANUAL);
	else if (!know_states(f))
		err = not_yet(why);
	else if (running(f, true) >= FEEDS_IMPORTS_MAX)
		err = problem_set(why, -EBUSY, "%d files are being taken in: try again",
				  FEEDS_IMPORTS_MAX);
	err = err ?: start_import(f, import, done, arg, why);
	if (import->fd >= 0) /* nobody took it */
		close(take_fd(import->fd));
	return err;
}

void feeds_run_each_usage(const struct feeds_run *f,
			  void (*fn)(void *arg, const char *feed, uint64_t sent, uint64_t failed),
			  void *arg)
{
	for (size_t i = 0; f && i < f->feeds; i++) {
		struct crowdsec_usage_numbers numbers;

		if (!f->feed[i]->usage)
			continue;
		crowdsec_usage_numbers(f->feed[i]->usage, &numbers);
		fn(arg, f->feed[i]->state.feed, numbers.sent, numbers.failed);
	}
}

size_t feeds_run_count(const struct feeds_run *f)
{
	return f ? f->feeds : 0;
}

void feeds_run_view(const struct feeds_run *f, size_t index, struct feed_view *ret)
{
	const struct feed_run *feed = f->feed[index];

	*ret = (struct feed_view){
		.state = &feed->state,
		.config = feeds_config(f, feed->state.feed),
		.next = feed->next,
		.running = feed->job,
		.held = feeds_held(feed),
		.held_why = feeds_held_why(feed),
		.kept = feed->crowdsec ? crowdsec_kept(feed->crowdsec) : 0,
		.radius = &feed->radius,
		.asns = feed->asns,
		.asns_found = feed->asns_found,
		.asn_prefixes = feed->asn_prefixes,
		.tables = feed->tables,
	};
}

void feeds_run_each_refused(const struct feeds_run *f,
			    void (*fn)(void *arg, const char *feed, const char *cause,
				       uint64_t count),
			    void *arg)
{
	for (size_t i = 0; f && i < f->feeds; i++)
		for (size_t c = 0; c < f->feed[i]->causes; c++)
			fn(arg, f->feed[i]->state.feed, f->feed[i]->cause[c].label,
			   f->feed[i]->cause[c].count);
}

/* ---- the whole ---- */

/* Beside the database; without it feeds are fetched all the same, but not kept. */
static void make_directory(struct feeds_run *f)
{
	const char *path = f->d->config->database + strlen(SQLITE_URI);
	const char *slash = strrchr(path, '/');

	snprintf(f->dir, sizeof(f->dir), "%.*s/" FEEDS_DIR, (int)(slash - path), path);
	if (mkdir(f->dir, 0700) && errno != EEXIST)
		log_warning("directory '%s': cannot be made: %s; lists of feeds are not kept on disk",
			    f->dir, strerror(errno));
}

int feeds_run_new(struct daemon *d, struct feeds_run **ret)
{
	_cleanup_(feeds_run_freep) struct feeds_run *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->d = d;
	make_directory(f);
	follow_clock(f, feeds_now());
	f->tick = loop_timer(d->loop, TICK_MS, TICK_MS, tick, f);
	if (f->tick < 0)
		return f->tick;
	*ret = take_ptr(f);
	return 0;
}

struct feeds_run *feeds_run_free(struct feeds_run *f)
{
	if (!f)
		return NULL;
	if (f->tick > 0)
		loop_timer_remove(f->d->loop, f->tick);
	for (size_t i = 0; i < f->feeds; i++) {
		feed_job_cancel(f->feed[i], "moatd is stopping");
		crowdsec_usage_free(f->feed[i]->usage);
		crowdsec_free(f->feed[i]->crowdsec);
		free(f->feed[i]);
	}
	free(f->feed);
	free(f);
	return NULL;
}
