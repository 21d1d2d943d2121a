/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feeds that are held in monitor: their listings are in the database and in the
 * maps, but only count, as those of a feed in mode monitor. Which feeds are held
 * stands in table feed and is read before the listings. What a feed lists in mode
 * monitor is held by that mode when the configuration changes: it may be another
 * mode then, or not know the feed any more.
 */
#include "core/log.h"
#include "daemon/sync_private.h"

static int compare_held(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool sync_held(const struct sync *s, const char *feed)
{
	return s->helds && bsearch(&feed, s->held, s->helds, sizeof(*s->held), compare_held);
}

void sync_free_holds(struct sync *s)
{
	for (size_t i = 0; i < s->helds; i++)
		free(s->held[i]);
	free(s->held);
	s->held = NULL;
	s->helds = 0;
}

static int add_name(struct sync *s, const char *feed)
{
	char **grown = reallocarray(s->held, s->helds + 1, sizeof(char *));
	char *copy = strdup(feed);

	if (grown)
		s->held = grown;
	if (!grown || !copy) {
		free(copy);
		return -ENOMEM;
	}
	s->held[s->helds++] = copy;
	qsort(s->held, s->helds, sizeof(*s->held), compare_held);
	return 0;
}

static void drop_name(struct sync *s, const char *feed)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->helds; i++) {
		if (!strcmp(s->held[i], feed))
			free(s->held[i]);
		else
			s->held[kept++] = s->held[i];
	}
	s->helds = kept;
}

/* ---- at start ---- */

/* What is in mode monitor only counts by that; the hold is for when the mode is over. */
static bool is_monitored(const struct sync *s, const char *feed)
{
	return s->rules->monitors && bsearch(&feed, s->rules->monitor, s->rules->monitors,
					     sizeof(*s->rules->monitor), compare_held);
}

static int take_state(void *arg, const struct feed_state *state)
{
	struct sync *s = arg;

	if (!state->held || sync_held(s, state->feed) ||
	    (state->held == FEED_HELD_BY_MODE && is_monitored(s, state->feed)))
		return 0;
	return add_name(s, state->feed);
}

int sync_read_holds(struct sync *s, struct problem *why)
{
	struct sync before = *s;
	int r;

	s->held = NULL;
	s->helds = 0;
	r = store_feed_states(s->store, take_state, s, why);
	if (r) {
		sync_free_holds(s);
		s->held = before.held;
		s->helds = before.helds;
		return r;
	}
	sync_free_holds(&before);
	return sync_use_holds(s, s->rules, why);
}

int sync_use_holds(struct sync *s, struct ruleset *rules, struct problem *why)
{
	int r = s->helds ? ruleset_hold(rules, s->tables, why) : 0;

	if (!r && rules == s->rules)
		sync_use_gate(s);
	return r;
}

/* ---- later ---- */

struct again {
	struct sync *s;
	int64_t now;
	struct problem *why;
	size_t rows;
};

static int take_again(void *arg, const struct listing *listing)
{
	struct again *again = arg;
	int r = sync_take_row(again->s, &listing->key, again->now, again->why);

	again->rows++;
	return r < 0 ? r : 0;
}

/* The feed's rows through the gate as it is now. What fails leaves all to be read anew. */
static int take_feed_again(struct sync *s, const char *feed, struct problem *why)
{
	struct again again = { .s = s, .now = sync_realtime(), .why = why };
	int r;

	s->began = sync_monotonic();
	for (int cidr = 0; cidr < 2; cidr++) {
		int number = feeds_find(s->feeds, feed, cidr);

		if (number >= 0)
			model_drop_feed(s->model, (uint16_t)number);
	}
	r = store_feed_rows(s->store, feed, take_again, &again, why);
	r = r ?: sync_write(s, again.now, why);
	if (r < 0) {
		s->reread = true;
		return r;
	}
	log_debug("feed '%s': %zu listings taken again in %.0f ms", feed, again.rows,
		  (double)(sync_monotonic() - s->began) / 1e6);
	return 0;
}

int sync_hold(struct sync *s, const char *feed, bool hold, struct problem *why)
{
	int r = 0;

	if (sync_held(s, feed) == hold)
		return 0;
	if (!s->store || !s->started || !s->sound)
		return problem_set(why, -EAGAIN, "the database was not read yet: try again");
	if (hold) {
		r = add_name(s, feed) ? problem_set(why, -ENOMEM, "out of memory")
				      : ruleset_hold(s->rules, s->tables, why);
		r = r ?: sync_set_rules(s, s->rules, why);
		if (r)
			drop_name(s, feed);
	} else {
		drop_name(s, feed);
	}
	sync_use_gate(s);
	return r ?: take_feed_again(s, feed, why);
}
