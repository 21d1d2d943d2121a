/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/log.h"
#include "daemon/feeds_run_state.h"

#define WHY_MODE                                                                                   \
	"it was in mode monitor when they came, and whom they would hit was not judged since"

enum feed_hold feeds_held(const struct feed_run *feed)
{
	const struct config_feed *config = feeds_config(feed->all, feed->state.feed);
	bool by_mode = feed->state.held == FEED_HELD_BY_MODE;

	return by_mode && config && config->monitor ? FEED_FREE : (enum feed_hold)feed->state.held;
}

const char *feeds_held_why(const struct feed_run *feed)
{
	enum feed_hold held = feeds_held(feed);

	return !held ? "" : held == FEED_HELD_BY_MODE ? WHY_MODE : feed->state.held_why;
}

bool feeds_is_unjudged(const struct feed_run *feed, const struct config_feed *config)
{
	return feed->state.held == FEED_HELD_BY_MODE && config && !config->monitor;
}

/* By a guard or by hand: something that people are told. */
static bool is_hold(const struct feed_state *state)
{
	return state->held && state->held != FEED_HELD_BY_MODE;
}

static void audit(const struct feed_run *feed, const struct feed_state *next,
		  const struct actor *actor)
{
	struct store *store = sync_store(feed->all->d->sync);
	struct problem why = {};
	char detail[sizeof(next->feed) + sizeof(next->held_why) + 4];

	snprintf(detail, sizeof(detail), "%s%s%s", next->feed, next->held_why[0] ? ": " : "",
		 next->held_why);
	if (store_audit(store, actor, feeds_now(), is_hold(next) ? "hold" : "release", detail,
			&why))
		log_warning("audit: '%s' could not be recorded: %s", detail, why.text);
}

void feeds_note_hold(const struct feed_run *feed, const struct feed_state *next,
		     const struct actor *actor)
{
	if (feed->state.held == next->held || (is_hold(&feed->state) && is_hold(next)) ||
	    (next->held == FEED_HELD_BY_MODE && !is_hold(&feed->state)))
		return;
	if (next->held == FEED_HELD_BY_MODE)
		log_notice("feed '%s': released, but in mode monitor: its listings only count",
			   next->feed);
	else if (next->held)
		log_warning("feed '%s': held in monitor, its listings only count: %s; "
			    "'moatctl feeds release %s' puts them in force",
			    next->feed, next->held_why, next->feed);
	else
		log_notice("feed '%s': released, its listings are in force", next->feed);
	audit(feed, next, actor);
}

int feeds_run_hold(struct feeds_run *f, const char *name, bool hold, const struct actor *actor,
		   struct problem *why)
{
	struct feed_run *feed = feeds_find_run(f, name);
	struct store *store = sync_store(f->d->sync);
	const struct config_feed *config;
	struct feed_state next;
	int err;

	if (!feed)
		return problem_set(why, -ENOENT, "feed '%.64s' is not known; see 'moatctl feeds'",
				   name);
	if (!store || !f->known)
		return problem_set(why, -EAGAIN, "the database was not read yet: try again");
	next = feed->state;
	config = feeds_config(f, name);
	next.held = hold			? FEED_HELD_BY_HAND
		    : config && config->monitor ? FEED_HELD_BY_MODE
						: FEED_FREE;
	next.held_why[0] = '\0';
	if (hold)
		snprintf(next.held_why, sizeof(next.held_why), "by hand (%.64s)", actor->name);
	err = store_feed_save(store, &next, why);
	if (err)
		return err;
	feeds_note_hold(feed, &next, actor);
	feed->state = next;
	return sync_hold(f->d->sync, name, hold, why) ? -EAGAIN : 0;
}
