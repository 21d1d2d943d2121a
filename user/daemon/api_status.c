/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /healthz, /readyz, /metrics and /api/v1/status.
 */
#include <microhttpd.h>
#include <sys/utsname.h>

#include "core/units.h"
#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/api_status.h"
#include "daemon/labels.h"
#include "daemon/metrics.h"
#include "daemon/metrics_events.h"

void api_healthz(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	(void)d;
	(void)rq;
	text_add(&reply->body, "ok\n");
}

void api_metrics(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	(void)rq;
	reply->type = "text/plain; version=0.0.4; charset=utf-8";
	metrics_write(d, &reply->body);
}

/* ---- /readyz: is the filter in force, and all of it ---- */

static void unready_interfaces(struct daemon *d, struct text *out)
{
	struct iface_view view;

	if (!ifaces_count(d->ifaces))
		text_add(out, "no interface is configured\n");
	for (size_t i = 0; i < ifaces_count(d->ifaces); i++) {
		ifaces_view(d->ifaces, i, &view);
		if (view.attachment.mode == ATTACH_NONE)
			text_add(out, "interface %s: not attached: %s\n", view.name,
				 view.by_hand ? "detached by hand" : view.problem ?: "not yet");
	}
}

void api_readyz(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct sync_numbers numbers;

	(void)rq;
	sync_numbers(d->sync, &numbers);
	unready_interfaces(d, &reply->body);
	if (!numbers.started)
		text_add(&reply->body, "database: not in force yet: %s\n",
			 numbers.problem[0] ? numbers.problem : "being read");
	if (numbers.coverage < 1)
		text_add(&reply->body, "coverage: %.6f: %zu sources are not in the kernel\n",
			 numbers.coverage, numbers.refused[MOAT_IPV4] + numbers.refused[MOAT_IPV6]);
	if (daemon_paused(d))
		text_add(&reply->body, "paused: every packet passes\n");
	if (!d->selftest_ok)
		text_add(&reply->body, "self-test: %s\n",
			 d->selftest_problem[0] ? d->selftest_problem : "not run yet");
	if (reply->body.size)
		reply->status = MHD_HTTP_SERVICE_UNAVAILABLE;
	else
		text_add(&reply->body, "ready\n");
}

/* ---- /api/v1/status ---- */

static void emit_problem(struct emit *e, const char *problem)
{
	emit_text(e, "problem", problem && problem[0] ? problem : NULL);
}

static void emit_by_family(struct emit *e, const char *key, const size_t number[static 2])
{
	emit_begin(e, key, '{');
	emit_whole(e, label_family(MOAT_IPV4), (int64_t)number[MOAT_IPV4]);
	emit_whole(e, label_family(MOAT_IPV6), (int64_t)number[MOAT_IPV6]);
	emit_end(e, '}');
}

static void add_degraded(void *arg, const char *what, const char *why, const char *what_to_do)
{
	struct emit *e = arg;

	emit_begin(e, NULL, '{');
	emit_text(e, "what", what);
	emit_text(e, "why", why);
	emit_text(e, "do", what_to_do);
	emit_end(e, '}');
}

void status_emit_paused(struct daemon *d, struct emit *e)
{
	int64_t left = daemon_paused(d);

	if (!left) {
		emit_null(e, "paused");
		return;
	}
	emit_begin(e, "paused", '{');
	if (left > 0)
		emit_whole(e, "seconds_left", left);
	else
		emit_null(e, "seconds_left");
	emit_end(e, '}');
}

void status_emit_interface(struct emit *e, const char *key, const struct iface_view *view)
{
	static const char *const modes[] = {
		[ATTACH_NONE] = NULL,
		[ATTACH_NATIVE] = "native",
		[ATTACH_GENERIC] = "generic",
	};

	emit_begin(e, key, '{');
	emit_text(e, "name", view->name);
	emit_bool(e, "attached", view->attachment.mode != ATTACH_NONE);
	emit_text(e, "mode", modes[view->attachment.mode]);
	emit_bool(e, "fallback", view->attachment.fallback);
	emit_bool(e, "enforce", view->enforce);
	emit_bool(e, "by_hand", view->by_hand);
	emit_bool(e, "replies", view->attachment.replies);
	emit_text(e, "chain", *view->attachment.chain ? view->attachment.chain : NULL);
	emit_whole(e, "ifindex", view->attachment.ifindex);
	emit_problem(e, view->problem);
	emit_end(e, '}');
}

static void emit_interfaces(struct daemon *d, struct emit *e)
{
	struct iface_view view;

	emit_begin(e, "interfaces", '[');
	for (size_t i = 0; i < ifaces_count(d->ifaces); i++) {
		ifaces_view(d->ifaces, i, &view);
		status_emit_interface(e, NULL, &view);
	}
	emit_end(e, ']');
}

static void emit_coverage(const struct sync_numbers *n, struct emit *e)
{
	emit_begin(e, "coverage", '{');
	emit_real(e, "ratio", n->coverage);
	emit_by_family(e, "wanted", n->wanted);
	emit_by_family(e, "installed", n->installed);
	emit_by_family(e, "refused", n->refused);
	emit_end(e, '}');

	emit_begin(e, "refused_rows", '{');
	for (int cause = GATE_PASSED + 1; cause < GATE_CAUSE_MAX; cause++)
		if (n->by_cause[cause])
			emit_whole(e, gate_cause_label(cause), (int64_t)n->by_cause[cause]);
	emit_end(e, '}');

	emit_begin(e, "capacity", '{');
	for (uint32_t family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		emit_begin(e, label_family(family), '{');
		emit_whole(e, "entries", (int64_t)n->entries[family]);
		emit_whole(e, "capacity", (int64_t)n->capacity[family]);
		emit_end(e, '}');
	}
	emit_end(e, '}');
}

static void emit_sieve(const struct tables *tables, struct emit *e)
{
	struct tables_sieve_state state;
	const struct sieve_numbers *n = &state.numbers;

	tables_sieve_state(tables, &state);
	emit_begin(e, "sieve", '{');
	emit_bool(e, "on", state.on);
	emit_bool(e, "wanted", state.wanted);
	emit_problem(e, state.why);
	emit_whole(e, "memory_bytes", (int64_t)state.memory);
	emit_whole(e, "hosts", (int64_t)n->hosts);
	emit_whole(e, "host_slots", (int64_t)n->host_slots);
	emit_whole(e, "prefixes", (int64_t)n->prefixes);
	emit_whole(e, "nodes", (int64_t)n->nodes);
	emit_whole(e, "node_room", (int64_t)n->node_room);
	emit_whole(e, "sources6", (int64_t)n->sources6);
	emit_whole(e, "slots6", (int64_t)n->slots6);
	emit_whole(e, "asked", (int64_t)n->asked);
	emit_bool(e, "resizing", n->resizing);
	emit_whole(e, "resizes", (int64_t)n->resizes);
	emit_end(e, '}');
}

/* What a listing may be filed under, and what that does. */
static void emit_categories(struct daemon *d, struct emit *e)
{
	const struct config *config = d->config;

	emit_begin(e, "categories", '[');
	for (size_t i = 0; i < config->categories; i++) {
		const struct moat_policy *policy = &config->category[i].policy;

		emit_begin(e, NULL, '{');
		emit_text(e, "name", config->category[i].name);
		emit_text(e, "action",
			  policy->flags & MOAT_POLICY_SHARED ? MOAT_SHARED_LABEL
							     : label_action(policy->action));
		emit_end(e, '}');
	}
	emit_end(e, ']');
}

static void emit_never_block(const struct never_counts *counts, struct emit *e)
{
	emit_begin(e, "never_block", '{');
	emit_whole(e, "prefixes", (int64_t)counts->prefixes);
	for (uint32_t kind = 0; kind < DISCOVER_KINDS; kind++)
		emit_whole(e, label_never_block(kind), (int64_t)counts->kind[kind]);
	emit_end(e, '}');
}

static void emit_sync(const struct sync_numbers *n, struct emit *e)
{
	emit_begin(e, "sync", '{');
	emit_bool(e, "started", n->started);
	emit_whole(e, "seq_database", n->seq_database);
	emit_whole(e, "seq_kernel", n->seq_kernel);
	emit_real(e, "lag_seconds", n->lag);
	listing_emit_time(e, "last_success", n->last_success);
	emit_problem(e, n->problem);
	emit_end(e, '}');
}

static void add_lack(void *arg, const char *what, const char *without)
{
	struct emit *e = arg;

	emit_begin(e, NULL, '{');
	emit_text(e, "what", what);
	emit_text(e, "without", without);
	emit_end(e, '}');
}

/* What this kernel cannot do is no trouble of today: it is told, not counted as degraded. */
static void emit_kernel(struct emit *e)
{
	struct utsname name = {};

	uname(&name);
	emit_begin(e, "kernel", '{');
	emit_text(e, "release", name.release);
	emit_begin(e, "lacks", '[');
	program_lacks(add_lack, e);
	emit_end(e, ']');
	emit_end(e, '}');
}

static void emit_review(struct store *store, struct emit *e)
{
	size_t due = 0;

	if (store && store_review_due(store, api_now(), &due, NULL) == 0)
		emit_whole(e, "review_due", (int64_t)due);
	else
		emit_null(e, "review_due");
}

static void emit_host(struct emit *e)
{
	struct utsname name = {};

	uname(&name);
	emit_text(e, "host", name.nodename);
}

void api_status(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct store *store = sync_store(d->sync);
	struct emit e = http_reply_json(reply);
	struct sync_numbers n;

	(void)rq;
	sync_numbers(d->sync, &n);
	emit_begin(&e, NULL, '{');
	emit_text(&e, "version", MOAT_VERSION);
	emit_host(&e);
	listing_emit_time(&e, "started_at", d->started);
	emit_text(&e, "state", daemon_degraded(d, NULL, NULL) ? "degraded" : "ok");
	status_emit_paused(d, &e);
	emit_begin(&e, "degraded", '[');
	daemon_degraded(d, add_degraded, &e);
	emit_end(&e, ']');
	status_emit_configuration(d, &e);
	emit_categories(d, &e);
	emit_interfaces(d, &e);
	status_emit_events(d, &e);
	emit_coverage(&n, &e);
	emit_whole(&e, "elsewhere", (int64_t)n.elsewhere);
	emit_sieve(d->tables, &e);
	emit_never_block(&d->never_block, &e);
	emit_sync(&n, &e);
	emit_review(store, &e);
	emit_begin(&e, "selftest", '{');
	emit_bool(&e, "ok", d->selftest_ok);
	emit_problem(&e, d->selftest_problem);
	emit_end(&e, '}');
	emit_kernel(&e);
	emit_begin(&e, "database", '{');
	emit_text(&e, "uri", d->config->database);
	emit_bool(&e, "open", store != NULL);
	emit_bool(&e, "read_only", store && store_read_only(store));
	emit_end(&e, '}');
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}
