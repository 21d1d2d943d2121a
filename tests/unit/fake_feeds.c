/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_feeds.h"

#include "tests/unit/fake_daemon.h"

struct fake_feeds fake_feeds;

void fake_feeds_reset(void)
{
	memset(&fake_feeds, 0, sizeof(fake_feeds));
	fake.daemon.feeds = (struct feeds_run *)&fake_feeds;
}

static void done(void *arg)
{
	feeds_done_fn fn = fake_feeds.done;

	(void)arg;
	fake_feeds.done = NULL;
	fn(fake_feeds.arg, fake_feeds.done_error, &fake_feeds.report, &fake_feeds.report.why);
}

static int start(feeds_done_fn fn, void *arg, struct problem *why)
{
	if (fake_feeds.start_error)
		return problem_set(why, fake_feeds.start_error, "a list of it is under way");
	fake_feeds.done = fn;
	fake_feeds.arg = arg;
	if (!fake_feeds.hold && loop_timer(fake.daemon.loop, FAKE_DONE_MS, 0, done, NULL) < 0)
		return -ENOMEM;
	return 0;
}

int feeds_run_hold(struct feeds_run *f, const char *name, bool hold, const struct actor *actor,
		   struct problem *why)
{
	(void)f;
	if (fake_feeds.hold_error)
		return problem_set(why, fake_feeds.hold_error, "feed '%s' is not known", name);
	snprintf(fake_feeds.feed, sizeof(fake_feeds.feed), "%s", name);
	snprintf(fake_feeds.actor, sizeof(fake_feeds.actor), "%s", actor->name);
	fake_feeds.state[0].held = hold ? FEED_HELD_BY_HAND : FEED_FREE;
	return 0;
}

int feeds_run_fetch(struct feeds_run *f, const char *name, const struct actor *actor,
		    feeds_done_fn fn, void *arg, struct problem *why)
{
	(void)f;
	fake_feeds.fetches++;
	snprintf(fake_feeds.feed, sizeof(fake_feeds.feed), "%s", name);
	snprintf(fake_feeds.actor, sizeof(fake_feeds.actor), "%s", actor->name);
	return start(fn, arg, why);
}

int feeds_run_import(struct feeds_run *f, struct feeds_import *import, feeds_done_fn fn, void *arg,
		     struct problem *why)
{
	ssize_t n;

	(void)f;
	fake_feeds.imports++;
	fake_feeds.import = *import;
	snprintf(fake_feeds.feed, sizeof(fake_feeds.feed), "%s", import->feed);
	snprintf(fake_feeds.category, sizeof(fake_feeds.category), "%s", import->category ?: "");
	snprintf(fake_feeds.actor, sizeof(fake_feeds.actor), "%s", import->actor.name);
	n = read(import->fd, fake_feeds.file, sizeof(fake_feeds.file));
	fake_feeds.file_size = n > 0 ? (size_t)n : 0;
	fake_feeds.sealed = pwrite(import->fd, "x", 1, 0) < 0 && ftruncate(import->fd, 0) < 0;
	close(import->fd);
	return start(fn, arg, why);
}

size_t feeds_run_count(const struct feeds_run *f)
{
	return f ? fake_feeds.count : 0;
}

void feeds_run_view(const struct feeds_run *f, size_t index, struct feed_view *ret)
{
	(void)f;
	*ret = (struct feed_view){
		.state = &fake_feeds.state[index],
		.config = fake_feeds.config[index].name[0] ? &fake_feeds.config[index] : NULL,
		.held = (enum feed_hold)fake_feeds.state[index].held,
		.held_why = fake_feeds.state[index].held_why,
		.radius = &fake_feeds.radius,
	};
}

void feeds_run_each_refused(const struct feeds_run *f,
			    void (*fn)(void *arg, const char *feed, const char *cause,
				       uint64_t count),
			    void *arg)
{
	if (f && fake_feeds.count)
		fn(arg, fake_feeds.state[0].feed, "shrink", 3);
}

void feeds_run_each_usage(const struct feeds_run *f,
			  void (*fn)(void *arg, const char *feed, uint64_t sent, uint64_t failed),
			  void *arg)
{
	if (f && fake_feeds.count)
		fn(arg, fake_feeds.state[0].feed, 2, 1);
}
