/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/audit/verify, POST /api/v1/audit/accept.
 */
#include <microhttpd.h>

#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/api_store.h"
#include "daemon/audit_chain.h"
#include "daemon/http_later.h"

static void emit_fault(struct emit *e, const struct audit_walk *walk)
{
	struct problem text;

	if (!walk->fault) {
		emit_null(e, "fault");
		return;
	}
	audit_fault_describe(walk->fault, walk->fault_entry, walk->faults, &text);
	emit_begin(e, "fault", '{');
	emit_text(e, "kind", audit_fault_label(walk->fault));
	emit_whole(e, "entry", walk->fault_entry);
	emit_whole(e, "faults", walk->faults);
	emit_text(e, "text", text.text);
	emit_end(e, '}');
}

static void emit_walk(struct emit *e, const struct audit_walk *walk, int64_t accepted)
{
	emit_begin(e, NULL, '{');
	emit_bool(e, "whole", walk->fault == AUDIT_WHOLE);
	emit_whole(e, "entries", walk->entries);
	emit_whole(e, "unsealed", walk->unsealed);
	emit_text(e, "head", walk->at.hash);
	emit_whole(e, "head_entry", walk->at.entry);
	listing_emit_time(e, "from", walk->entries ? walk->first : 0);
	listing_emit_time(e, "to", walk->entries ? walk->last : 0);
	emit_whole(e, "accepted_entry", accepted);
	if (walk->found)
		emit_whole(e, "found_entry", walk->found);
	else
		emit_null(e, "found_entry");
	emit_fault(e, walk);
	emit_end(e, '}');
}

/* Who waits for a proof. */
struct waiting {
	struct http_later *later;
	int64_t accepted; /* entry that the proof begins after */
};

static void on_proved(void *arg, int error, const struct audit_walk *walk,
		      const struct problem *why)
{
	struct http_reply reply = {};
	struct waiting *w = arg;
	struct emit e;

	if (error) {
		http_reply_error(&reply, error, why);
	} else {
		e = http_reply_json(&reply);
		emit_walk(&e, walk, w->accepted);
		text_add(&reply.body, "\n");
	}
	http_later_send(w->later, &reply);
	http_reply_free(&reply);
	free(w);
}

static bool can_audit(struct daemon *d, bool to_write, struct http_reply *reply)
{
	if (!api_store(d, to_write, reply))
		return false;
	if (d->audit)
		return true;
	http_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, "moatd starts or stops");
	return false;
}

void api_audit_verify(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	const char *head = http_query(rq, "head");
	_cleanup_free_ struct waiting *w = NULL;
	struct audit_view view;
	struct problem why = {};
	int err;

	if (head && !chain_text_ok(head)) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "head='%.80s': 64 digits of 0-9 a-f are expected, as an earlier "
				   "proof gave them",
				   head);
		return;
	}
	if (!can_audit(d, false, reply))
		return;
	w = calloc(1, sizeof(*w));
	if (w)
		w->later = http_later(rq);
	if (!w || !w->later) {
		http_reply_error(reply, -ENOMEM, &(struct problem){ "the proof" });
		return;
	}
	audit_chain_view(d->audit, &view);
	w->accepted = view.from.entry;
	err = audit_chain_prove(d->audit, head, on_proved, w, &why);
	if (err)
		on_proved(w, err, NULL, &why);
	take_ptr(w);
}

void api_audit_accept(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct audit_view view;
	struct problem why = {};
	struct emit e;
	int err;

	if (!can_audit(d, true, reply))
		return;
	err = audit_chain_accept(d->audit, &rq->actor, &why);
	if (err) {
		http_reply_error(reply, err, &why);
		return;
	}
	audit_chain_view(d->audit, &view);
	e = http_reply_json(reply);
	emit_begin(&e, NULL, '{');
	emit_whole(&e, "accepted_entry", view.from.entry);
	emit_text(&e, "head", view.from.hash);
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}
