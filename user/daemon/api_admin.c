/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POST /api/v1/pause, resume, interfaces/NAME/attach, confirm and detach.
 */
#include <jansson.h>
#include <microhttpd.h>

#include "core/log.h"
#include "core/units.h"
#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/api_status.h"
#include "daemon/apply.h"
#include "daemon/trial.h"

#define PAUSE_BODY_MAX 1024

static bool bad_pause(struct http_reply *reply, const char *what)
{
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
			   "%s; nothing, {} or {\"for\": \"5m\"} is expected", what);
	return false;
}

/* 0: until resumed. False: reply says why not. */
static bool take_duration(const struct http_request *rq, int64_t *ret, struct http_reply *reply)
{
	json_auto_t *body = NULL;
	json_error_t error;
	struct problem what;
	const char *text;
	json_t *value;

	*ret = 0;
	if (!rq->body_size)
		return true;
	if (rq->body_size > PAUSE_BODY_MAX)
		return bad_pause(reply, "the body is too long");
	body = json_loadb(rq->body, rq->body_size, JSON_REJECT_DUPLICATES, &error);
	if (!body) {
		problem_set(&what, 0, "line %d, column %d: %s", error.line, error.column,
			    error.text);
		return bad_pause(reply, what.text);
	}
	if (!json_is_object(body))
		return bad_pause(reply, "not an object");
	value = json_object_get(body, "for");
	if (json_object_size(body) != (value ? 1 : 0))
		return bad_pause(reply, "unknown member");
	if (!value || json_is_null(value))
		return true;
	text = json_string_value(value);
	if (!text || units_duration(text, ret))
		return bad_pause(reply, "\"for\" is not a duration");
	return true;
}

static void answer_paused(struct daemon *d, struct http_reply *reply)
{
	struct emit e = http_reply_json(reply);

	emit_begin(&e, NULL, '{');
	status_emit_paused(d, &e);
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

void api_pause(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct problem why = {};
	int64_t seconds;
	int err;

	if (!take_duration(rq, &seconds, reply))
		return;
	err = daemon_pause(d, &rq->actor, seconds, &why);
	if (err)
		http_reply_error(reply, err, &why);
	else
		answer_paused(d, reply);
}

void api_resume(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct problem why = {};
	int err = daemon_resume(d, &rq->actor, &why);

	if (err)
		http_reply_error(reply, err, &why);
	else
		answer_paused(d, reply);
}

/* What was done stands even where it cannot be written down; then the log has it. */
static void audit(struct daemon *d, const struct http_request *rq, const char *verb)
{
	struct store *store = sync_store(d->sync);
	struct problem why = { "the database is not open" };
	int err = -ENOENT;

	if (store)
		err = store_audit(store, &rq->actor, api_now(), verb, rq->name, &why);
	if (err)
		log_warning("interface '%s': %s by %s is not in the audit table: %s", rq->name,
			    verb, rq->actor.name, why.text);
}

/* Index of the interface that is asked for, or -ENOENT with a reply. */
static ssize_t find_interface(struct daemon *d, const struct http_request *rq,
			      struct http_reply *reply)
{
	ssize_t index = ifaces_find(d->ifaces, rq->name);

	if (index < 0)
		http_reply_problem(reply, MHD_HTTP_NOT_FOUND, NULL,
				   "interface '%s' is not in the configuration: add it under "
				   "'interfaces' and reload moatd",
				   rq->name);
	return index;
}

static void answer_interface(struct daemon *d, size_t index, struct http_reply *reply)
{
	struct iface_view view;
	struct emit e;

	ifaces_view(d->ifaces, index, &view);
	e = http_reply_json(reply);
	emit_begin(&e, NULL, '{');
	status_emit_interface(&e, "interface", &view);
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

/* 0: for good. False: reply says what is wrong. */
static bool take_seconds(const struct http_request *rq, int64_t *ret, struct http_reply *reply)
{
	const char *text = http_query(rq, "confirm");

	*ret = 0;
	if (!text || (!units_duration(text, ret) && *ret <= APPLY_SECONDS_MAX))
		return true;
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
			   "confirm='%.40s': a duration from 1s to 24h is expected", text);
	return false;
}

void api_attach(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	ssize_t index = find_interface(d, rq, reply);
	struct problem why = {};
	int64_t seconds;
	int err;

	if (index < 0 || !take_seconds(rq, &seconds, reply))
		return;
	if (seconds) {
		err = trials_attach(d->trials, rq->name, seconds, &rq->actor, &why);
	} else {
		trials_forget(d->trials, rq->name);
		err = ifaces_attach(d->ifaces, rq->name, &why);
	}
	if (err) {
		http_reply_error(reply, err, &why);
		return;
	}
	if (!seconds)
		audit(d, rq, "attach");
	answer_interface(d, (size_t)index, reply);
}

void api_attach_confirm(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	ssize_t index = find_interface(d, rq, reply);
	struct problem why = {};
	int err;

	if (index < 0)
		return;
	err = trials_confirm(d->trials, rq->name, &rq->actor, &why);
	if (err == -ENODATA)
		http_reply_problem(reply, MHD_HTTP_CONFLICT, NULL, "%s", why.text);
	else if (err)
		http_reply_error(reply, err, &why);
	else
		answer_interface(d, (size_t)index, reply);
}

void api_detach(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	ssize_t index = find_interface(d, rq, reply);
	struct problem why = {};
	int err;

	if (index < 0)
		return;
	err = ifaces_detach(d->ifaces, rq->name, &why);
	if (err) {
		http_reply_error(reply, err, &why);
		return;
	}
	trials_forget(d->trials, rq->name);
	audit(d, rq, "detach");
	answer_interface(d, (size_t)index, reply);
}
