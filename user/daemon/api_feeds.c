/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/feeds, POST feeds/NAME/fetch, import, hold and release. Fetch and
 * import answer when the list is in force, held, or refused.
 */
#include <fcntl.h>
#include <microhttpd.h>

#include "core/units.h"
#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/feeds_run.h"
#include "daemon/http_later.h"

/* ---- GET ---- */

/* A url may carry a key behind '?' or before '@': that is nobody's business. */
static void emit_url(struct emit *e, const char *url)
{
	const char *host = strstr(url, "://");
	const char *at, *path;
	char shown[256];

	if (!host)
		return;
	host += strlen("://");
	path = host + strcspn(host, "/?#");
	at = memrchr(host, '@', (size_t)(path - host));
	snprintf(shown, sizeof(shown), "%.*s%.*s", (int)(host - url), url,
		 (int)strcspn(at ? at + 1 : host, "?#"), at ? at + 1 : host);
	emit_text(e, "url", shown);
}

static const char *state_of(const struct feed_view *view)
{
	if (view->state->fault[0])
		return "trouble";
	if (view->held)
		return "held";
	if (!view->config && view->state->origin)
		return "removed"; /* from the configuration: what it lists ends with its ttl */
	return view->state->last_good ? "ok" : "new";
}

static void emit_duration(struct emit *e, const char *key, int64_t seconds)
{
	char text[32];

	emit_text(e, key, units_duration_format(seconds, text));
}

static void emit_feed(struct emit *e, const struct feed_view *view)
{
	const struct feed_state *state = view->state;
	const struct config_feed *config = view->config;

	emit_begin(e, NULL, '{');
	emit_text(e, "name", state->feed);
	emit_text(e, "state", state_of(view));
	emit_bool(e, "configured", config);
	if (config) {
		emit_url(e, config->url);
		emit_text(e, "category", config->category[0] ? config->category : NULL);
		emit_text(e, "mode", config->monitor ? "monitor" : "enforce");
		emit_duration(e, "every", config->every);
		emit_duration(e, "ttl", config->ttl);
	}
	emit_text(e, "format", state->format[0] ? state->format : NULL);
	emit_whole(e, "entries", (int64_t)state->entries);
	if (view->asns)
		feed_report_emit_asns(e, view->asns, view->asns_found, view->asn_prefixes,
				      view->tables);
	listing_emit_time(e, "last_good", state->last_good);
	listing_emit_time(e, "last_try", state->last_try);
	listing_emit_time(e, "modified", state->modified);
	listing_emit_time(e, "next", view->next);
	emit_bool(e, "running", view->running);
	emit_whole(e, "failures", (int64_t)state->failures);
	emit_text(e, "cause", state->fault[0] ? state->fault : NULL);
	emit_text(e, "why", state->fault[0] ? state->detail : NULL);
	if (view->kept)
		emit_whole(e, "kept", (int64_t)view->kept);
	emit_text(e, "held", feed_hold_label(view->held));
	emit_text(e, "held_why", view->held ? view->held_why : NULL);
	feed_radius_emit(e, view->radius);
	emit_end(e, '}');
}

void api_feeds(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct emit e = http_reply_json(reply);
	struct feed_view view;

	(void)rq;
	emit_begin(&e, NULL, '{');
	emit_begin(&e, "feeds", '[');
	for (size_t i = 0; i < feeds_run_count(d->feeds); i++) {
		feeds_run_view(d->feeds, i, &view);
		emit_feed(&e, &view);
	}
	emit_end(&e, ']');
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

/* ---- POST ---- */

/* Who waits for a list. */
struct waiting {
	struct http_later *later;
	bool dry_run;
	char feed[CONFIG_FEED_NAME];
};

static void answer_refused(const struct waiting *w, const struct feed_report *report,
			   struct http_reply *reply)
{
	const struct http_problem about = { .cause = report->cause };

	http_reply_problem(reply, MHD_HTTP_CONFLICT, &about,
			   "feed '%s' is not taken over, nothing was changed: %s: %s", w->feed,
			   report->cause, report->why.text);
}

static void answer_report(const struct waiting *w, const struct feed_report *report,
			  struct http_reply *reply)
{
	struct emit e = http_reply_json(reply);

	emit_begin(&e, NULL, '{');
	emit_text(&e, "feed", w->feed);
	emit_bool(&e, "dry_run", w->dry_run);
	feed_report_emit(&e, report);
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

static void on_done(void *arg, int error, const struct feed_report *report,
		    const struct problem *why)
{
	struct http_reply reply = {};
	struct waiting *w = arg;

	if (error && report->applied)
		http_reply_problem(&reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
				   "written to the database, but not in force yet: %s; moatd keeps "
				   "trying",
				   why->text);
	else if (error)
		http_reply_error(&reply, error, why);
	else if (report->cause[0] && !w->dry_run)
		answer_refused(w, report, &reply);
	else
		answer_report(w, report, &reply);
	http_later_send(w->later, &reply);
	http_reply_free(&reply);
	free(w);
}

static struct waiting *wait_for_list(const struct http_request *rq, bool dry_run)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (w)
		w->later = http_later(rq);
	if (!w || !w->later) {
		free(w);
		return NULL;
	}
	w->dry_run = dry_run;
	memcpy(w->feed, rq->name,
	       sizeof(w->feed) < sizeof(rq->name) ? sizeof(w->feed) : sizeof(rq->name));
	return w;
}

static void out_of_memory(struct http_reply *reply)
{
	http_reply_error(reply, -ENOMEM, &(struct problem){ "the list" });
}

/* It did not even begin. */
static void answer_failed(struct waiting *w, int error, const struct problem *why)
{
	struct http_reply reply = {};

	http_reply_error(&reply, error, why);
	http_later_send(w->later, &reply);
	http_reply_free(&reply);
	free(w);
}

static bool has_feeds(const struct daemon *d, struct http_reply *reply)
{
	if (d->feeds)
		return true;
	http_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, "moatd is stopping");
	return false;
}

void api_feed_fetch(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct problem why = {};
	struct waiting *w;
	int err;

	if (!has_feeds(d, reply))
		return;
	w = wait_for_list(rq, false);
	if (!w) {
		out_of_memory(reply);
		return;
	}
	err = feeds_run_fetch(d->feeds, rq->name, &rq->actor, on_done, w, &why);
	if (err)
		answer_failed(w, err, &why);
}

static void hold(struct daemon *d, const struct http_request *rq, bool held,
		 struct http_reply *reply)
{
	struct problem why = {};
	struct emit e;
	int err;

	if (!has_feeds(d, reply))
		return;
	err = feeds_run_hold(d->feeds, rq->name, held, &rq->actor, &why);
	if (err) {
		http_reply_error(reply, err, &why);
		return;
	}
	e = http_reply_json(reply);
	emit_begin(&e, NULL, '{');
	emit_text(&e, "feed", rq->name);
	emit_text(&e, "held", held ? feed_hold_label(FEED_HELD_BY_HAND) : NULL);
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

void api_feed_hold(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	hold(d, rq, true, reply);
}

void api_feed_release(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	hold(d, rq, false, reply);
}

static bool take_import(struct daemon *d, const struct http_request *rq, struct feeds_import *ret,
			struct http_reply *reply)
{
	const char *format = http_query(rq, "format");
	const char *ttl = http_query(rq, "ttl");
	struct problem known;

	*ret = (struct feeds_import){
		.feed = rq->name,
		.fd = -1,
		.format = -1,
		.category = http_query(rq, "category"),
		.actor = rq->actor,
	};
	if (format) {
		ret->format = feed_format_find(format);
		if (ret->format < 0) {
			feed_formats(&known);
			http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
					   "format='%.40s': there is no such format; there are:%s",
					   format, known.text);
			return false;
		}
	}
	if (ret->category && (categories_find(sync_categories(d->sync), ret->category) < 0 ||
			      !gate_name_ok(ret->category, MOAT_CATEGORY_NAME))) {
		listing_known_categories(sync_categories(d->sync), &known);
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "category='%.40s': there is no such category; there are:%s",
				   ret->category, known.text);
		return false;
	}
	if (ttl && units_duration(ttl, &ret->ttl)) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "ttl='%.40s': a duration (15m, 12h, 30d) is expected", ttl);
		return false;
	}
	return api_flag(rq, "dry_run", &ret->dry_run, reply) &&
	       api_flag(rq, "force", &ret->force, reply);
}

void api_feed_import(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct feeds_import import;
	struct problem why = {};
	struct waiting *w;
	int err;

	if (!has_feeds(d, reply) || !take_import(d, rq, &import, reply))
		return;
	import.fd = fcntl(rq->body_fd, F_DUPFD_CLOEXEC, 3);
	if (import.fd < 0) {
		http_reply_error(reply, -errno, &(struct problem){ "the file" });
		return;
	}
	w = wait_for_list(rq, import.dry_run);
	if (!w) {
		close(import.fd);
		out_of_memory(reply);
		return;
	}
	err = feeds_run_import(d->feeds, &import, on_done, w, &why);
	if (err)
		answer_failed(w, err, &why);
}
