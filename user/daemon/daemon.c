/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/daemon.h"

#include <inttypes.h>
#include <time.h>

#include "core/log.h"
#include "core/units.h"
#include "daemon/audit_chain.h"
#include "daemon/apply.h"
#include "daemon/daemon_never.h"
#include "daemon/discover_watch.h"
#include "daemon/events.h"
#include "daemon/feeds_run.h"
#include "daemon/hits.h"
#include "daemon/replies.h"

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* That it is missing in audit is said in the log. */
void daemon_audit(struct daemon *d, const struct actor *actor, const char *verb, const char *detail)
{
	struct store *store = sync_store(d->sync);
	struct problem why = {};
	int r = -EAGAIN;

	log_notice("%s%s%s: by %s, %s", verb, *detail ? " " : "", detail,
		   actor ? actor->name : "moatd", actor ? actor->origin : "signal");
	if (store)
		r = store_audit(store, actor, time(NULL), verb, detail, &why);
	if (r < 0)
		log_warning("audit: '%s' could not be recorded: %s", verb,
			    store ? why.text : "the database is not open");
}

int daemon_use(struct daemon *d, struct config *config, struct problem *why)
{
	_cleanup_(config_freep) struct config *next = config;
	_cleanup_(never_block_free) struct never_block never = {};
	int r = daemon_never_look(d, next, &never, why);

	r = r ?: sync_reload(d->sync, next, never.prefix, never.count, why);
	if (r < 0)
		return r;
	daemon_never_note(d, &never);
	config_free(d->config);
	d->config = take_ptr(next);
	replies_apply(d);
	hits_apply(d);
	events_reload(d->events);
	if (d->feeds)
		feeds_run_reload(d->feeds);
	return ifaces_reload(d->ifaces, d->config, why);
}

/* What a running daemon cannot change: it would be another one. */
static int daemon_may_reload(const struct config *now, const struct config *next,
			     struct problem *why)
{
	char keys[CONFIG_FIXED_TEXT];

	if (!*config_fixed(now, next, keys))
		return 0;
	return problem_set(why, -EBUSY,
			   "'%s' cannot be changed by a reload: restart moatd "
			   "(the filter stays in force meanwhile)",
			   keys);
}

static int daemon_load(struct daemon *d, struct problem *why)
{
	_cleanup_(config_freep) struct config *next = NULL;
	struct apply_view waiting;
	int r;

	apply_view(d->apply, &waiting);
	if (waiting.waiting)
		return problem_set(why, -EALREADY,
				   "a configuration by %s is not confirmed yet (rolls back in %lld "
				   "s): 'moatctl confirm' or 'moatctl rollback', then reload",
				   waiting.actor, (long long)waiting.seconds_left);
	if (waiting.owed) /* the file still has what was rolled back, or not yet what was kept */
		return problem_set(why, -EALREADY, "the last change is not finished: %s",
				   waiting.problem);
	r = config_load(d->config_path, &next, why);
	r = r ?: daemon_may_reload(d->config, next, why);
	return r ?: daemon_use(d, take_ptr(next), why);
}

int daemon_reload(struct daemon *d, struct problem *why)
{
	int r = daemon_load(d, why);

	if (r < 0) {
		if (d->never)
			daemon_never_apply(d); /* what the look found holds all the same */
		log_error("reload: nothing changed: %s", why->text);
		snprintf(d->reload_problem, sizeof(d->reload_problem), "%s", why->text);
		return r;
	}
	d->reload_problem[0] = '\0';
	daemon_audit(d, &(struct actor){ "moatd", "signal" }, "reload", d->config_path);
	return 0;
}

int daemon_pause(struct daemon *d, const struct actor *actor, int64_t seconds, struct problem *why)
{
	char text[32] = "until resumed";

	if (seconds < 0 || seconds > INT64_MAX / 1000000000LL)
		return problem_set(why, -EINVAL, "pause: %lld s is no duration",
				   (long long)seconds);
	if (seconds)
		units_duration_format(seconds, text);
	tables_pause(d->tables,
		     seconds ? boot_ns() + (uint64_t)seconds * 1000000000ULL : MOAT_PAUSE_FOREVER);
	daemon_audit(d, actor, "pause", text);
	return 0;
}

int daemon_resume(struct daemon *d, const struct actor *actor, struct problem *why)
{
	(void)why;
	tables_pause(d->tables, 0);
	daemon_audit(d, actor, "resume", "");
	return 0;
}

int64_t daemon_paused(const struct daemon *d)
{
	uint64_t until = tables_paused_until(d->tables);
	uint64_t now = boot_ns();

	if (until == MOAT_PAUSE_FOREVER)
		return -1;
	return until > now ? (int64_t)((until - now + 999999999ULL) / 1000000000ULL) : 0;
}

/* ---- what is wrong ---- */

struct degraded {
	void (*fn)(void *arg, const char *what, const char *why, const char *what_to_do);
	void *arg;
	size_t count;
};

static void degraded_add(struct degraded *out, const char *what, const char *why,
			 const char *what_to_do)
{
	out->count++;
	if (out->fn)
		out->fn(out->arg, what, why, what_to_do);
}

static void degraded_ifaces(struct daemon *d, struct degraded *out)
{
	for (size_t n = 0; n < ifaces_count(d->ifaces); n++) {
		struct iface_view view;
		char what[64];

		ifaces_view(d->ifaces, n, &view);
		snprintf(what, sizeof(what), "interface %s", view.name);
		if (view.problem)
			degraded_add(out, what, view.problem,
				     view.by_hand ? "'moatctl attach' it when it is wanted again"
						  : "see 'ip link'; it is tried again by itself");
	}
}

static void degraded_sync(struct daemon *d, struct degraded *out)
{
	struct sync_numbers n;
	char why[160];

	sync_numbers(d->sync, &n);
	if (!n.started)
		degraded_add(out, "database", *n.problem ? n.problem : "not read yet",
			     "the set in force stays; make the database readable, it is tried again "
			     "by itself");
	else if (*n.problem)
		degraded_add(out, "database", n.problem,
			     "the set in force stays; changes wait until the database answers");
	if (n.started && n.coverage < 1) {
		snprintf(why, sizeof(why), "%zu of %zu sources are in force (%.3f %%)",
			 n.installed[0] + n.installed[1], n.wanted[0] + n.wanted[1],
			 n.coverage * 100);
		degraded_add(out, "coverage", why,
			     "raise capacity and restart moatd, or end listings; "
			     "'moatctl list' and table refused name those left out");
	}
	if (n.plans_cut_now)
		degraded_add(out, "phases", "some sources forget later expiries if moatd stops",
			     "raise capacity and restart moatd");
}

static void degraded_held(struct daemon *d, struct degraded *out)
{
	for (size_t i = 0; i < feeds_run_count(d->feeds); i++) {
		struct feed_view view;
		char what[80], why[sizeof(view.state->held_why) + 48], to_do[160];

		feeds_run_view(d->feeds, i, &view);
		if (!view.held)
			continue;
		snprintf(what, sizeof(what), "feed %s", view.state->feed);
		snprintf(why, sizeof(why), "held in monitor, its listings only count: %s",
			 view.held_why);
		snprintf(to_do, sizeof(to_do), "'moatctl feeds release %s' puts them in force%s",
			 view.state->feed,
			 view.held == FEED_HELD_BY_HAND ? ""
			 : view.config			? "; so does the next list that hits less"
							: "; else they end with their ttl");
		degraded_add(out, what, why, to_do);
	}
}

static void degraded_asns(const struct feed_view *view, struct degraded *out)
{
	char what[80], why[80];

	if (!view->config || view->tables || !view->asns)
		return;
	snprintf(what, sizeof(what), "feed %s", view->state->feed);
	snprintf(why, sizeof(why), "%" PRIu64 " AS numbers of its list are not in force",
		 view->asns);
	degraded_add(out, what, why, "add an asn_table to the configuration and reload");
}

/* A LAPI whose database fails looks like one that was emptied. */
static void degraded_kept(const struct feed_view *view, struct degraded *out)
{
	char what[80], why[160];

	if (!view->config || !view->kept)
		return;
	snprintf(what, sizeof(what), "feed %s", view->state->feed);
	snprintf(why, sizeof(why),
		 "the LAPI did not have %zu of its listings in two answers, more than max_shrink: they "
		 "stay until their own ends",
		 view->kept);
	degraded_add(out, what, why,
		     "see 'cscli decisions list'; if they are to end, 'moatctl remove' them; it is "
		     "asked for all within the hour");
}

static void degraded_feed(const struct feed_view *view, struct degraded *out)
{
	const struct feed_state *state = view->state;
	char what[80], why[sizeof(state->detail) + 64], to_do[200], age[32];

	snprintf(what, sizeof(what), "feed %s", state->feed);
	if (state->last_good)
		snprintf(why, sizeof(why), "%s: %s (age of its last good list: %s)", state->fault,
			 state->detail,
			 units_duration_format(time(NULL) - state->last_good + 1, age));
	else
		snprintf(why, sizeof(why), "%s: %s", state->fault, state->detail);
	snprintf(to_do, sizeof(to_do),
		 "%s; it is tried again by itself, or by 'moatctl feeds fetch %s'",
		 state->last_good ? "its listings stay until their ttl ends"
				  : "nothing of it is in force: correct what it says",
		 state->feed);
	degraded_add(out, what, why, to_do);
}

static void degraded_feeds(struct daemon *d, struct degraded *out)
{
	for (size_t i = 0; i < feeds_run_count(d->feeds); i++) {
		struct feed_view view;

		feeds_run_view(d->feeds, i, &view);
		degraded_asns(&view, out);
		degraded_kept(&view, out);
		if (view.config && view.state->fault[0])
			degraded_feed(&view, out);
	}
}

static void degraded_audit(struct daemon *d, struct degraded *out)
{
	struct audit_view view;

	audit_chain_view(d->audit, &view);
	if (*view.broken)
		degraded_add(out, "audit", view.broken,
			     "'moatctl audit --verify' says more; put a backup back, or take it as it "
			     "is by 'moatctl audit --accept'");
	if (*view.waiting)
		degraded_add(out, "audit", view.waiting,
			     "entries wait to be sealed; it is tried again by itself");
}

static void degraded_apply(struct daemon *d, struct degraded *out)
{
	struct apply_view view;
	char why[CHANGE_TEXT_MAX + PROBLEM_MAX];

	apply_view(d->apply, &view);
	if (view.waiting) {
		snprintf(why, sizeof(why), "unconfirmed, by %s, rolls back in %lld s: %s",
			 view.actor, (long long)view.seconds_left, view.keys);
		degraded_add(out, "configuration", why,
			     "'moatctl confirm' keeps it, 'moatctl rollback' ends it now");
	}
	if (*view.problem)
		degraded_add(out, view.waiting ? "rollback" : "configuration", view.problem,
			     "correct that; it is tried again by itself");
}

static void degraded_http(struct daemon *d, struct degraded *out)
{
	if (*d->tokens_problem)
		degraded_add(out, "tokens", d->tokens_problem,
			     "correct the file, it is read again by itself; moatctl works meanwhile");
	if (*d->tls_problem)
		degraded_add(out, "tls", d->tls_problem,
			     "put a certificate and its key in place, they are taken by themselves");
	if (*d->clear_problem)
		degraded_add(out, "listen", d->clear_problem,
			     "configure tls, or listen on loopback, or say http: { insecure: true }");
}

static void degraded_events(struct daemon *d, struct degraded *out)
{
	struct events_numbers n;
	char why[160];

	events_numbers(d->events, &n);
	if (*d->events_problem)
		degraded_add(out, "events", d->events_problem,
			     "the filter acts all the same, only packets cannot be watched; put it "
			     "right, then restart");
	if (*n.problem)
		degraded_add(out, "events", n.problem, "it is tried again by itself");
	if (!n.lost_at || time(NULL) - n.lost_at >= EVENTS_LOST_SHOWN)
		return;
	snprintf(why, sizeof(why), "%" PRIu64 " were lost, the last within the minute", n.lost);
	degraded_add(out, "events", why,
		     "the filter acts all the same; lower the rate of events, or of who reads them");
}

size_t daemon_degraded(struct daemon *d,
		       void (*fn)(void *arg, const char *what, const char *why,
				  const char *what_to_do),
		       void *arg)
{
	struct degraded out = { .fn = fn, .arg = arg };
	struct store *store = sync_store(d->sync);

	degraded_ifaces(d, &out);
	degraded_sync(d, &out);
	degraded_feeds(d, &out);
	degraded_audit(d, &out);
	degraded_events(d, &out);
	degraded_held(d, &out);
	degraded_apply(d, &out);
	if (store && store_read_only(store))
		degraded_add(&out, "database",
			     "read-only: moatctl cannot write, refusals are not recorded",
			     "give moatd write permission to the file and its directory, then restart");
	if (daemon_paused(d))
		degraded_add(&out, "paused", "every packet passes", "'moatctl resume' ends it");
	if (!d->selftest_ok)
		degraded_add(&out, "self-test",
			     *d->selftest_problem ? d->selftest_problem : "not run yet",
			     "'moatctl explain' a listed address; restart moatd to reconcile");
	if (*d->never_problem)
		degraded_add(&out, "never-block", d->never_problem,
			     "it is tried again when the host changes, or by a reload");
	if (d->never && *discover_watch_problem(d->never))
		degraded_add(&out, "never-block", discover_watch_problem(d->never),
			     "reload moatd after a change of them; raise what is said to be short");
	if (*d->pins_problem)
		degraded_add(&out, "pins", d->pins_problem,
			     "the filter is in force, but would end with moatd; make room for the pins, "
			     "they are made again by themselves");
	if (*d->replies_problem)
		degraded_add(&out, "replies", d->replies_problem,
			     "listed sources are dropped as with 'replies: judge'; put it right, "
			     "then reload");
	if (*d->hits_problem)
		degraded_add(&out, "hits", d->hits_problem,
			     "the filter acts all the same, only who hits it is not noted; "
			     "put it right, then reload");
	degraded_http(d, &out);
	if (*d->reload_problem)
		degraded_add(
			&out, "configuration", d->reload_problem,
			"the configuration before it stays in force; correct the file, reload again");
	return out.count;
}
