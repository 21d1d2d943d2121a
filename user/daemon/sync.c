/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sync.h"

#include <time.h>

#include "core/log.h"
#include "daemon/sync_private.h"

#define CLOCK_STEP_NS 1000000000LL /* of the wall clock that makes expiries be written anew */
#define RETRY_NS      1000000000LL /* between tries while something fails, */
#define RETRY_SHARE   3		   /* and as many times what a try takes */
#define REREAD_NS     (300 * 1000000000LL)
#define CHANGE_KEEP_S (7 * 86400) /* how long the change log reaches back, */
#define CHANGE_KEEP   5000000	  /* and how many rows */
#define CHANGE_PRUNE  20000	  /* rows of it deleted at a time */

int64_t sync_realtime(void)
{
	return time(NULL);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int64_t sync_monotonic(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t sync_clock_offset(void)
{
	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
}

int sync_new(const struct config *config, const struct prefix *never, size_t nevers,
	     struct tables *tables, struct sync **ret, struct problem *why)
{
	_cleanup_(sync_freep) struct sync *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return problem_set(why, -ENOMEM, "out of memory");
	s->tables = tables;
	s->behind_since = sync_monotonic();
	s->uri = strdup(config->database);
	r = s->uri ? sync_make_model(s) : -ENOMEM;
	if (r < 0)
		return problem_set(why, r, "out of memory");

	r = ruleset_new(config, never, nevers, tables, &s->rules, why);
	if (r < 0)
		return r;
	sync_use_gate(s);
	r = sync_use_quorum(s);
	if (r < 0)
		return problem_set(why, r, "out of memory");
	*ret = take_ptr(s);
	return 0;
}

struct sync *sync_free(struct sync *s)
{
	if (!s)
		return NULL;
	model_free(s->model);
	image_free(s->image);
	refusals_free(s->refusals);
	elsewhere_free(s->elsewhere);
	feeds_free(s->feeds);
	ruleset_free(s->rules);
	sync_free_holds(s);
	store_free(s->store);
	free(s->full[MOAT_IPV4]);
	free(s->full[MOAT_IPV6]);
	free(s->uri);
	free(s);
	return NULL;
}

/* Keeps the first cause in sight, and since when. */
static int sync_failed(struct sync *s, int error, const struct problem *why)
{
	if (strcmp(s->problem, why->text) != 0)
		log_warning("%s", why->text);
	snprintf(s->problem, sizeof(s->problem), "%s", why->text);
	s->retry_at = sync_monotonic();
	if (!s->behind_since)
		s->behind_since = s->retry_at;
	s->retry_at += RETRY_NS + RETRY_SHARE * (s->retry_at - s->began);
	return error;
}

static void sync_succeeded(struct sync *s)
{
	if (*s->problem)
		log_notice("database '%s': in step again", s->uri);
	s->problem[0] = '\0';
	s->behind_since = 0;
	s->retry_at = 0;
	s->seq_database = s->seq;
	s->last_success = sync_realtime();
}

int sync_start(struct sync *s, struct problem *why)
{
	int64_t now = sync_realtime();
	int r = 0;

	s->began = sync_monotonic();
	if (!s->store)
		r = store_open(s->uri, &s->store, why);
	r = r ?: sync_read_holds(s, why);
	r = r ?: sync_load(s, now, why);
	if (r < 0)
		return sync_failed(s, r, why);
	if (store_read_only(s->store))
		log_warning("database '%s': read-only; refusals are not recorded in it", s->uri);
	sync_save_refusals(s, now);
	s->reread = false;
	s->reread_at = sync_monotonic() + REREAD_NS;
	s->started = true;
	sync_succeeded(s);
	return 0;
}

/* ---- following ---- */

struct follow {
	struct sync *s;
	int64_t now;
	struct problem *why;
	size_t applied; /* changes that the model has */
};

static int follow_change(void *arg, const struct change *change)
{
	struct follow *follow = arg;
	struct sync *s = follow->s;
	int r;

	follow->applied++;
	if (!strcmp(change->op, "remove")) {
		s->removes += (uint64_t)sync_forget_row(s, &change->row);
		return 0;
	}
	r = sync_take_row(s, &change->row, follow->now, follow->why);
	s->adds += r > 0;
	s->refreshes += r == 0;
	return r < 0 ? r : 0;
}

static void sync_measure(struct sync *s, int64_t since, size_t changes)
{
	double seconds = (double)(sync_monotonic() - since) / 1e9;
	size_t bucket = 0;

	while (bucket < SYNC_LATENCY_BUCKETS && seconds > sync_latency_bound[bucket])
		bucket++;
	s->latency_count[bucket] += changes;
	s->latency_sum += seconds * (double)changes;
}

static bool sync_clock_stepped(const struct sync *s)
{
	return llabs(sync_clock_offset() - s->clock_offset) >= CLOCK_STEP_NS;
}

/*
 * The wall clock was set: what expires is written anew, by the new relation.
 * What has expired and has not now is in the database only.
 */
static void sync_follow_clock(struct sync *s)
{
	int64_t offset = sync_clock_offset();

	if (!sync_clock_stepped(s))
		return;
	log_notice("clock: stepped by %.1f s; expiries are adjusted",
		   (double)(offset - s->clock_offset) / 1e9);
	s->reread |= offset < s->clock_offset;
	s->clock_offset = offset;
	image_set_clock(s->image, offset);
	model_touch_all(s->model);
}

/* One batch of the log: what may go on without a look at anything else. */
static int sync_follow_log(struct sync *s, struct follow *follow)
{
	int64_t since = s->behind_since ?: sync_monotonic();
	int r = store_changes(s->store, s->seq, SYNC_CHANGES, follow_change, follow,
			      &s->seq_database, follow->why);

	s->expires += r < 0 ? 0 : model_expire(s->model, follow->now);
	r = r < 0 ? r : sync_write(s, follow->now, follow->why);
	if (r < 0)
		return r;
	s->seq = s->seq_database;
	if (follow->applied)
		sync_measure(s, since, follow->applied);
	return 0;
}

/* After an error: what can be done without the database is done, the rest is tried again. */
static ssize_t sync_follow_failed(struct sync *s, const struct follow *follow, int error)
{
	if (error != -ESTALE && s->sound && !follow->applied) {
		s->expires += model_expire(s->model, follow->now);
		if (sync_write(s, follow->now, NULL) < 0)
			s->started = false;
		return sync_failed(s, error, follow->why);
	}
	s->started = false; /* maps and model may disagree now, or the log does not reach back */
	if (error != -ESTALE)
		return sync_failed(s, error, follow->why);
	log_notice("database '%s': reading it anew: %s", s->uri, follow->why->text);
	return sync_start(s, follow->why);
}

/* Numbers of feeds are given back by reading anew, which need not be soon. */
static bool sync_wants_reread(const struct sync *s)
{
	return s->reread || (refusals_by_cause(s->refusals, GATE_FEEDS_FULL) &&
			     sync_monotonic() >= s->reread_at);
}

ssize_t sync_follow_batch(struct sync *s, struct problem *why)
{
	struct follow follow = { .s = s, .now = sync_realtime(), .why = why };
	int r;

	s->began = sync_monotonic();
	s->started &= !sync_wants_reread(s);
	if (!s->started)
		return sync_start(s, why);
	sync_follow_clock(s);
	r = sync_follow_log(s, &follow);
	if (r < 0)
		return sync_follow_failed(s, &follow, r);
	if (follow.applied < SYNC_CHANGES) {
		sync_save_refusals(s, follow.now);
		sync_succeeded(s);
	} else if (!s->behind_since) {
		s->behind_since = sync_monotonic();
	}
	return (ssize_t)follow.applied;
}

ssize_t sync_follow(struct sync *s, struct problem *why)
{
	ssize_t applied = 0, batch;

	do {
		batch = sync_follow_batch(s, why);
		applied += batch;
	} while (batch == SYNC_CHANGES);
	return batch < 0 ? batch : applied;
}

static bool sync_due(const struct sync *s)
{
	int64_t now = sync_monotonic();

	if (!s->started || *s->problem)
		return now >= s->retry_at;
	return sync_clock_stepped(s) || sync_wants_reread(s) || (s->full_at && now >= s->full_at) ||
	       (s->save_at && now >= s->save_at) || (s->mend_at && now >= s->mend_at);
}

int64_t sync_next(const struct sync *s)
{
	if (sync_due(s))
		return 1;
	return s->started ? model_next_expiry(s->model) : 0;
}

/* Keeps the change log from growing for ever. */
void sync_prune(struct sync *s)
{
	struct problem why = {};
	int64_t before = sync_realtime() - CHANGE_KEEP_S;

	if (!s->started || !s->store || store_read_only(s->store))
		return;
	if (store_prune(s->store, s->seq, before, CHANGE_PRUNE, &why) < 0 ||
	    store_prune(s->store, s->seq - CHANGE_KEEP, INT64_MAX, CHANGE_PRUNE, &why) < 0)
		log_debug("table change: %s; trying again later", why.text);
}

int sync_reload(struct sync *s, const struct config *config, const struct prefix *never,
		size_t nevers, struct problem *why)
{
	struct ruleset *rules;
	int r = ruleset_new(config, never, nevers, s->tables, &rules, why);

	if (r < 0)
		return r;
	r = sync_use_holds(s, rules, why);
	if (r < 0) {
		ruleset_free(rules);
		return r;
	}
	/* Without the classes the maps hold, no policy can be written that fits them. */
	r = s->sound ? sync_set_rules(s, rules, why) : sync_swap_rules(s, rules);
	if (r < 0) {
		ruleset_free(rules);
		return r;
	}
	/*
	 * The gate has changed: rows it refused may pass now, and the other way
	 * round. A database that cannot be read now is read when it can be; what
	 * must never be blocked does not wait for that.
	 */
	s->started = false;
	if (sync_start(s, why) < 0 && s->sound && !sync_put_builtin(s, why))
		sync_write(s, sync_realtime(), NULL);
	return 0;
}

struct store *sync_store(struct sync *s)
{
	return s->store;
}

const struct categories *sync_categories(const struct sync *s)
{
	return &s->rules->categories;
}

const struct gate *sync_gate(const struct sync *s)
{
	return &s->gate;
}

bool sync_judge(const struct sync *s, const struct prefix *address, struct prefix *ret_key,
		struct plan *ret_plan)
{
	return model_judge(s->model, address, sync_realtime(), ret_key, ret_plan);
}

struct find_cause {
	const struct sync *s;
	const struct prefix *source;
	enum gate_cause cause;
};

static void find_cause(void *arg, const struct claim *claim)
{
	struct find_cause *find = arg;
	char text[PREFIX_TEXT_MAX];
	enum gate_cause cause;

	if (prefix_compare(&claim->source, find->source) != 0)
		return;
	cause = refusals_find(find->s->refusals, sync_claim_text(find->s, claim, text),
			      category_shown(find->s->rules->categories.name[claim->category]),
			      feeds_name(find->s->feeds, claim->feed));
	if (sync_cause_is_room(cause))
		find->cause = cause;
}

enum gate_cause sync_refused(const struct sync *s, const struct prefix *source)
{
	const struct installed *installed = model_find(s->model, source);
	struct find_cause find = { .s = s, .source = source, .cause = GATE_MAP_FULL };

	if (!installed || installed->state != INSTALLED_REFUSED)
		return GATE_PASSED;
	model_covering(s->model, source, find_cause, &find);
	return find.cause;
}
