/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET and POST /api/v1/config, POST /api/v1/config/confirm and rollback.
 */
#include <microhttpd.h>

#include "core/units.h"
#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/api_status.h"
#include "daemon/apply.h"
#include "daemon/effect.h"

void status_emit_configuration(struct daemon *d, struct emit *e)
{
	struct apply_view view;

	apply_view(d->apply, &view);
	emit_begin(e, "configuration", '{');
	emit_text(e, "path", d->config_path);
	emit_text(e, "state", view.waiting ? "unconfirmed" : "confirmed");
	if (view.waiting)
		emit_whole(e, "seconds_left", view.seconds_left);
	else
		emit_null(e, "seconds_left");
	listing_emit_time(e, "rolls_back_at", view.until);
	emit_text(e, "by", view.waiting ? view.actor : NULL);
	emit_text(e, "changes", *view.keys ? view.keys : NULL);
	emit_text(e, "problem", *view.problem ? view.problem : NULL);
	emit_end(e, '}');
}

/* effect may be NULL. */
static void answer(struct daemon *d, const struct effect *effect, struct http_reply *reply)
{
	struct emit e = http_reply_json(reply);

	emit_begin(&e, NULL, '{');
	status_emit_configuration(d, &e);
	if (effect)
		effect_emit(effect, &e);
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

/* What stands against a configuration here is in conflict with what runs. */
static void refuse(struct http_reply *reply, int error, const struct problem *why)
{
	if (error == -EPERM || error == -EALREADY || error == -ENODATA)
		http_reply_problem(reply, MHD_HTTP_CONFLICT, NULL, "%s", why->text);
	else if (error == -EINVAL)
		http_reply_problem(reply, MHD_HTTP_UNPROCESSABLE_CONTENT, NULL, "%s", why->text);
	else
		http_reply_error(reply, error, why);
}

void api_config_get(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct emit e = http_reply_json(reply);

	(void)rq;
	emit_begin(&e, NULL, '{');
	status_emit_configuration(d, &e);
	config_emit(d->config, &e, "settings");
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

/* 0: at once. False: reply says what is wrong. */
static bool take_seconds(const struct http_request *rq, int64_t *ret, struct http_reply *reply)
{
	const char *text = http_query(rq, "confirm");

	*ret = 0;
	if (!text)
		return true;
	if (!units_duration(text, ret) && *ret <= APPLY_SECONDS_MAX)
		return true;
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
			   "confirm='%.40s': a duration from 1s to 24h is expected", text);
	return false;
}

/* What it would have done; nobody is refused for want of memory to tell. */
static int look_first(struct daemon *d, const struct http_request *rq, struct effect *ret,
		      struct problem *why)
{
	_cleanup_(config_freep) struct config *next = NULL;
	int r = apply_check(d, rq->body, rq->body_size, &next, why);

	if (!r && effect_of(d, next, ret))
		*ret = (struct effect){};
	return r;
}

void api_config_apply(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct problem why = {};
	struct effect effect;
	int64_t seconds;
	bool dry_run;
	int r;

	if (!take_seconds(rq, &seconds, reply) || !api_flag(rq, "dry_run", &dry_run, reply))
		return;
	if (!rq->body_size) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "the body is empty: a whole configuration is expected");
		return;
	}
	r = look_first(d, rq, &effect, &why);
	if (!r && !dry_run)
		r = apply_config(d->apply, rq->body, rq->body_size, seconds, &rq->actor, &why);
	if (r < 0)
		refuse(reply, r, &why);
	else
		answer(d, &effect, reply);
}

void api_config_confirm(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct problem why = {};
	int r = apply_confirm(d->apply, &rq->actor, &why);

	if (r < 0)
		refuse(reply, r, &why);
	else
		answer(d, NULL, reply);
}

void api_config_rollback(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct problem why = {};
	int r = apply_rollback(d->apply, &rq->actor, &why);

	if (r < 0)
		refuse(reply, r, &why);
	else
		answer(d, NULL, reply);
}
