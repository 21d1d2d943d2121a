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

static void answer(struct daemon *d, struct http_reply *reply)
{
	struct emit e = http_reply_json(reply);

	emit_begin(&e, NULL, '{');
	status_emit_configuration(d, &e);
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

void api_config_apply(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct problem why = {};
	int64_t seconds;
	int r;

	if (!take_seconds(rq, &seconds, reply))
		return;
	if (!rq->body_size) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "the body is empty: a whole configuration is expected");
		return;
	}
	r = apply_config(d->apply, rq->body, rq->body_size, seconds, &rq->actor, &why);
	if (r < 0)
		refuse(reply, r, &why);
	else
		answer(d, reply);
}

void api_config_confirm(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct problem why = {};
	int r = apply_confirm(d->apply, &rq->actor, &why);

	if (r < 0)
		refuse(reply, r, &why);
	else
		answer(d, reply);
}

void api_config_rollback(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct problem why = {};
	int r = apply_rollback(d->apply, &rq->actor, &why);

	if (r < 0)
		refuse(reply, r, &why);
	else
		answer(d, reply);
}
