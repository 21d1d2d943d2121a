/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/audit.
 */
#include <microhttpd.h>

#include "core/units.h"
#include "core/when.h"
#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/api_store.h"

#define LIMIT_PRESET 1000
#define LIMIT_MAX    10000

static int show_entry(void *arg, const struct audit_entry *entry)
{
	struct emit *e = arg;

	emit_begin(e, NULL, '{');
	listing_emit_time(e, "at", entry->at);
	emit_text(e, "actor", entry->actor);
	emit_text(e, "origin", entry->origin);
	emit_text(e, "verb", entry->verb);
	emit_text(e, "detail", entry->detail);
	emit_end(e, '}');
	return 0;
}

void api_audit(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	const char *text = http_query(rq, "since");
	struct problem why = {};
	struct store *store;
	int64_t since = 0;
	struct emit e;
	size_t limit;
	int err;

	if (text && when_parse(text, &since)) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "since='%.40s': seconds since 1970 or an RFC 3339 time is expected",
				   text);
		return;
	}
	if (!api_limit(rq, LIMIT_PRESET, LIMIT_MAX, &limit, reply))
		return;
	store = api_store(d, false, reply);
	if (!store)
		return;
	e = http_reply_json(reply);
	emit_begin(&e, NULL, '{');
	emit_begin(&e, "audit", '[');
	err = store_audit_list(store, since, limit, show_entry, &e, &why);
	if (err) {
		http_reply_error(reply, err, &why);
		return;
	}
	emit_end(&e, ']');
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}
