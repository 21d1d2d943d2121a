/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/explain.
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <time.h>

#include "core/units.h"
#include "daemon/api.h"
#include "daemon/api_hits.h"
#include "daemon/api_listing.h"
#include "daemon/labels.h"
#include "daemon/protocols.h"
#include "moat/stats.h"
#include "plane/hits.h"

#define NS_PER_SECOND 1000000000ULL

struct explain {
	struct daemon *d;
	struct emit e;
	int64_t now;
};

static int show_listing(void *arg, const struct listing *listing)
{
	struct explain *x = arg;
	struct listing_fate fate;

	listing_judge(x->d, &listing->key, x->now, &fate);
	listing_emit(&x->e, listing, &fate);
	return 0;
}

static const char *category_name(const struct daemon *d, uint32_t reason, uint8_t category)
{
	const struct categories *categories = sync_categories(d->sync);

	if (!moat_reason_has_category(reason) || !categories->name[category][0])
		return NULL;
	return category_shown(categories->name[category]);
}

static void emit_decides(struct explain *x, const struct explanation *found)
{
	char source[PREFIX_TEXT_MAX];
	unsigned int phase = 0;

	if (!found->listed) {
		emit_null(&x->e, "decides");
		return;
	}
	while (phase + 1 < found->plan.count && found->plan.phase[phase].until &&
	       found->plan.phase[phase].until <= x->now)
		phase++;
	emit_begin(&x->e, "decides", '{');
	emit_text(&x->e, "source", prefix_format(&found->key, source));
	listing_emit_set(&x->e, "categories", sync_categories(x->d->sync),
			 found->plan.phase[phase].set);
	listing_emit_time(&x->e, "until", found->plan.phase[phase].until);
	emit_end(&x->e, '}');
}

/* monitored: whatever the category does, here it only counts. */
static void emit_action(struct emit *e, const struct moat_policy *policy, bool monitored)
{
	if (monitored) {
		emit_text(e, "action", label_action(MOAT_ACTION_MONITOR));
		return;
	}
	emit_text(e, "action",
		  policy->flags & MOAT_POLICY_SHARED ? MOAT_SHARED_LABEL
						     : label_action(policy->action));
	if (policy->action == MOAT_ACTION_LIMIT && policy->cost) {
		/* cost is ns a packet, or 2^-20 ns a byte (moat/policy.h). */
		if (policy->flags & MOAT_POLICY_BITS)
			emit_whole(e, "bits_per_second",
				   (int64_t)((8 * NS_PER_SECOND << 20) / policy->cost));
		else
			emit_whole(e, "packets_per_second",
				   (int64_t)(NS_PER_SECOND / policy->cost));
	}
	if (policy->flags & MOAT_POLICY_MARK)
		emit_whole(e, "mark", policy->mark);
	if (policy->flags & MOAT_POLICY_DSCP)
		emit_whole(e, "dscp", policy->dscp);
}

/* What the configuration says of the category that decided. */
static void emit_policy(struct explain *x, const struct explanation *found)
{
	const char *name = category_name(x->d, found->model_reason, found->model_category);
	const struct categories *categories = sync_categories(x->d->sync);
	const struct config *config = x->d->config;
	bool monitored = found->model_verdict == MOAT_VERDICT_MONITOR &&
			 categories->name[found->model_category][0] == CATEGORY_MONITORED;
	struct text scope = {};

	if (found->model_reason == MOAT_ALLOWED) {
		emit_begin(&x->e, "policy", '{');
		emit_text(&x->e, "category", categories->name[MOAT_CATEGORY_ALLOW]);
		emit_text(&x->e, "action", "allow");
		emit_text(&x->e, "scope", "any protocol");
		emit_end(&x->e, '}');
		return;
	}
	/* In place of a drop it is the shared category that says what is done. */
	if (found->shared)
		name = categories->name[found->shared];
	for (size_t i = 0; name && i < config->categories; i++) {
		if (strcmp(config->category[i].name, name) != 0)
			continue;
		scope_write(&config->category[i], &scope);
		emit_begin(&x->e, "policy", '{');
		emit_text(&x->e, "category", name);
		emit_action(&x->e, &config->category[i].policy, monitored);
		emit_text(&x->e, "scope", scope.failed ? NULL : scope.data);
		emit_end(&x->e, '}');
		text_free(&scope);
		return;
	}
	emit_null(&x->e, "policy");
}

/* How many sets of categories the kernel takes the source through by itself. */
static int64_t count_phases(const struct daemon *d, const struct moat_source *value)
{
	const struct moat_phase *phase = tables_phase_array(d->tables);
	uint32_t phases = tables_phases(d->tables);
	uint32_t next = value->next;
	int64_t count = 1;

	while (phase && next && next < phases && count < MOAT_PHASES_MAX) {
		next = phase[next].next;
		count++;
	}
	return count;
}

static int64_t boot_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * (int64_t)NS_PER_SECOND + ts.tv_nsec;
}

static void emit_kernel(struct explain *x, const struct explanation *found)
{
	char source[PREFIX_TEXT_MAX];
	int64_t left;

	if (!found->in_kernel) {
		emit_null(&x->e, "kernel");
		return;
	}
	left = ((int64_t)found->value.expires << MOAT_TICK_SHIFT) - boot_ns();
	/* To the nearest: a fresh listing of 3d says 3d. */
	left = (left + (int64_t)NS_PER_SECOND / 2) / (int64_t)NS_PER_SECOND;
	emit_begin(&x->e, "kernel", '{');
	emit_text(&x->e, "source", prefix_format(&found->key, source));
	listing_emit_set(&x->e, "categories", sync_categories(x->d->sync), found->kernel_set);
	if (found->value.expires == MOAT_NEVER)
		emit_null(&x->e, "expires_in_seconds");
	else
		emit_whole(&x->e, "expires_in_seconds", left);
	emit_whole(&x->e, "phases", count_phases(x->d, &found->value));
	if (tables_hits(x->d->tables))
		hits_emit(&x->e, found->has_hit ? &found->hit : NULL);
	else
		emit_null(&x->e, "hits");
	emit_end(&x->e, '}');
}

static void emit_query(struct explain *x, const struct explain_query *query)
{
	char protocol[16];

	emit_begin(&x->e, "packet", '{');
	emit_text(&x->e, "protocol", protocol_format(query->protocol, protocol));
	if (query->port >= 0)
		emit_whole(&x->e, "port", query->port);
	else
		emit_null(&x->e, "port");
	emit_text(&x->e, "interface", query->iface);
	emit_end(&x->e, '}');
}

static void emit_verdicts(struct explain *x, const struct explanation *found)
{
	const struct outcome *outcome = &found->outcome;

	emit_text(&x->e, "verdict", label_verdict(outcome->verdict));
	emit_text(&x->e, "reason", label_reason(outcome->reason));
	emit_text(&x->e, "reason_text", label_reason_text(outcome->reason));
	emit_text(&x->e, "category", category_name(x->d, outcome->reason, outcome->category));
	emit_begin(&x->e, "model", '{');
	emit_text(&x->e, "verdict", label_verdict(found->model_verdict));
	emit_text(&x->e, "reason", label_reason(found->model_reason));
	emit_text(&x->e, "category",
		  category_name(x->d, found->model_reason, found->model_category));
	emit_end(&x->e, '}');
	emit_bool(&x->e, "differ", found->differ);
	emit_bool(&x->e, "replies_pass", tables_flows(x->d->tables) > 0);
	emit_text(&x->e, "refused", found->refused);
	emit_text(&x->e, "listings_problem",
		  found->listings_lost ? found->listings_problem.text : NULL);
}

static void emit_quorum(void *arg, const struct sync_quorum *quorum)
{
	struct explain *x = arg;

	emit_begin(&x->e, NULL, '{');
	emit_text(&x->e, "category", sync_categories(x->d->sync)->name[quorum->category]);
	emit_whole(&x->e, "need", quorum->need);
	emit_whole(&x->e, "have", quorum->have);
	emit_bool(&x->e, "trusted", quorum->trusted);
	emit_bool(&x->e, "acts", quorum->acts);
	emit_begin(&x->e, "feeds", '[');
	for (size_t i = 0; i < quorum->feeds; i++)
		emit_text(&x->e, NULL, quorum->feed[i]);
	emit_end(&x->e, ']');
	emit_end(&x->e, '}');
}

static void emit_sharing(struct explain *x, const struct explain_query *query)
{
	emit_begin(&x->e, "quorums", '[');
	sync_each_quorum(x->d->sync, &query->address, emit_quorum, x);
	emit_end(&x->e, ']');
	listing_emit_set(&x->e, "shared", sync_categories(x->d->sync),
			 sync_sharing(x->d->sync, &query->address));
}

static bool take_query(const struct http_request *rq, struct explain_query *query,
		       struct http_reply *reply)
{
	const char *address = http_query(rq, "address");
	const char *protocol = http_query(rq, "proto");
	const char *port = http_query(rq, "port");
	uint64_t number;

	*query = (struct explain_query){ .protocol = IPPROTO_TCP, .port = -1 };
	query->iface = http_query(rq, "iface");
	if (!address || prefix_parse(address, &query->address) ||
	    !prefix_is_host(&query->address)) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "address='%.80s': one IPv4 or IPv6 address is expected",
				   address ? address : "");
		return false;
	}
	if (protocol && protocol_parse(protocol, &query->protocol)) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "proto='%.40s': tcp, udp, icmp, ... or a number up to 255 is "
				   "expected",
				   protocol);
		return false;
	}
	if (port && (units_number(port, &number) || number > UINT16_MAX)) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "port='%.40s': a number up to 65535 is expected", port);
		return false;
	}
	if (port)
		query->port = (int)number;
	return true;
}

void api_explain(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct explain x = { .d = d, .now = api_now() };
	_cleanup_free_ struct explanation *found = calloc(1, sizeof(*found));
	char address[PREFIX_TEXT_MAX];
	struct explain_query query;
	struct problem why = {};
	int err;

	if (!take_query(rq, &query, reply))
		return;
	x.e = http_reply_json(reply);
	emit_begin(&x.e, NULL, '{');
	emit_text(&x.e, "address", prefix_format(&query.address, address));
	emit_query(&x, &query);
	emit_begin(&x.e, "listings", '[');
	/* Without a database the kernel still answers; that is when it is asked. */
	err = found ? daemon_explain(d, &query, sync_store(d->sync) ? show_listing : NULL, &x,
				     found, &why)
		    : -ENOMEM;
	if (err) {
		http_reply_error(reply, err, &why);
		return;
	}
	emit_end(&x.e, ']');
	emit_decides(&x, found);
	emit_policy(&x, found);
	emit_kernel(&x, found);
	emit_verdicts(&x, found);
	emit_sharing(&x, &query);
	emit_end(&x.e, '}');
	text_add(&reply->body, "\n");
}
