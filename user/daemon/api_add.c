/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POST /api/v1/listings, and what adds listings otherwise: through the gate, into the database, into the kernel,
 * and only then the answer. With dry_run as far as the database, and whom the
 * rows would hit.
 */
#include <inttypes.h>
#include <microhttpd.h>

#include "core/region.h"
#include "daemon/api_add.h"
#include "daemon/api_body.h"
#include "daemon/api_listing.h"
#include "daemon/api_radius.h"
#include "daemon/api_store.h"
#include "daemon/feed_report.h"

#define REFUSED_SHOWN 1000 /* results=refused: rows that the answer names */

struct addition {
	struct rows *rows;	   /* of the request */
	struct claim *claim;	   /* of each row */
	enum gate_cause *cause;	   /* of each row */
	struct listing_input *add; /* those that passed */
	size_t adds;
	struct add_how how;
	size_t changed; /* rows that were not there, or said something else */
	int64_t now;
};

static void addition_free(struct addition *a)
{
	free(a->claim);
	free(a->cause);
	free(a->add);
}

/* What a person can do about a refusal, after its text. */
static void describe_refusal(struct daemon *d, enum gate_cause cause, struct problem *ret)
{
	struct problem known;

	ret->text[0] = '\0';
	if (cause == GATE_NEVER_BLOCK)
		problem_set(ret, 0, "; take it out of 'never_block' if it is to be blocked");
	if (cause != GATE_UNKNOWN_CATEGORY)
		return;
	listing_known_categories(sync_categories(d->sync), &known);
	problem_set(ret, 0, "; there are:%s", known.text);
}

static void refuse(struct daemon *d, const struct addition *a, size_t index,
		   struct http_reply *reply)
{
	const struct listing_input *row = &a->rows->row[index];
	enum gate_cause cause = a->cause[index];
	const struct http_problem about = {
		.cause = gate_cause_label(cause),
		.source = row->source,
		.has_index = a->rows->array,
		.index = index,
	};
	struct problem advice;

	describe_refusal(d, cause, &advice);
	http_reply_problem(reply, MHD_HTTP_CONFLICT, &about,
			   "%.80s (%.40s) is refused by guard %s: %s%s%s", row->source,
			   row->category, gate_cause_label(cause), gate_cause_text(cause),
			   advice.text, a->rows->array ? "; no row of the request was added" : "");
}

/* One that is no list is the gate's to judge. */
static int canonical_region(struct addition *a, struct listing_input *row)
{
	char text[REGION_TEXT];

	if (!row->region || region_canonical(row->region, text) || strcmp(text, row->region) == 0)
		return 0;
	row->region = text[0] ? rows_keep(a->rows, text, strlen(text)) : NULL;
	return row->region || !text[0] ? 0 : -ENOMEM;
}

/* What is in force elsewhere only is as good as any other row. */
static bool is_refused(enum gate_cause cause)
{
	return cause != GATE_PASSED && cause != GATE_ELSEWHERE;
}

/* Puts the canonical spelling in place of what was sent. */
static int canonical(struct addition *a, size_t index)
{
	char text[PREFIX_TEXT_MAX];
	struct listing_input *row = &a->rows->row[index];

	prefix_format(&a->claim[index].source, text);
	if (strcmp(text, row->source) != 0) {
		row->source = rows_keep(a->rows, text, strlen(text));
		if (!row->source)
			return -ENOMEM;
	}
	return canonical_region(a, row);
}

/* One that covers so much is added on purpose, and ends by itself. */
static bool is_too_wide(struct daemon *d, const struct addition *a, const struct listing_input *row,
			const struct claim *claim)
{
	const struct prefix *source = &claim->source;

	return gate_role(sync_gate(d->sync), claim->category) == GATE_BLOCKS &&
	       source->len < d->config->limits.wide[source->family] &&
	       !(a->how.force && row->expires_at);
}

static enum gate_cause judge_row(struct daemon *d, const struct listing_input *input,
				 struct claim *ret)
{
	char expires[32], confidence[16], source[PREFIX_TEXT_MAX];
	struct row row = {
		.source = input->source,
		.category = input->category,
		.feed = input->feed,
		.region = input->region,
	};
	struct prefix p;

	/* Any spelling is welcome here: canonical() replaces it before it is written. */
	if (prefix_parse(input->source, &p) == 0)
		row.source = prefix_format(&p, source);

	if (input->expires_at) {
		snprintf(expires, sizeof(expires), "%" PRId64, input->expires_at);
		row.expires_at = expires;
	}
	if (input->confidence >= 0) {
		snprintf(confidence, sizeof(confidence), "%d", input->confidence);
		row.confidence = confidence;
	}
	return gate_check(sync_gate(d->sync), &row, ret);
}

/* Every row through the gate before one is written. False: reply says why not. */
static bool judge_rows(struct daemon *d, const struct http_request *rq, struct addition *a,
		       struct http_reply *reply)
{
	size_t count = a->rows->count;

	a->claim = calloc(count + 1, sizeof(*a->claim));
	a->cause = calloc(count + 1, sizeof(*a->cause));
	a->add = calloc(count + 1, sizeof(*a->add));
	if (!a->claim || !a->cause || !a->add) {
		http_reply_error(reply, -ENOMEM, &(struct problem){ "listings" });
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!api_in_scope(rq, a->rows->row[i].category, a->rows->row[i].feed, reply))
			return false;
		a->cause[i] = judge_row(d, &a->rows->row[i], &a->claim[i]);
		if (!is_refused(a->cause[i]) && is_too_wide(d, a, &a->rows->row[i], &a->claim[i]))
			a->cause[i] = GATE_WIDE;
		if (is_refused(a->cause[i])) {
			if (a->how.skip)
				continue;
			refuse(d, a, i, reply);
			return false;
		}
		if (canonical(a, i)) {
			http_reply_error(reply, -ENOMEM, &(struct problem){ "listings" });
			return false;
		}
		a->add[a->adds++] = a->rows->row[i];
	}
	return true;
}

static void emit_row(struct emit *e, const struct addition *a, size_t index,
		     const struct listing_fate *fate)
{
	const struct listing_input *row = &a->rows->row[index];

	emit_begin(e, NULL, '{');
	if (a->how.refused_only)
		emit_whole(e, "index", (int64_t)index);
	emit_text(e, "source", row->source);
	emit_text(e, "category", row->category);
	emit_text(e, "feed", row->feed);
	listing_emit_fate(e, fate);
	listing_emit_why(e, row->region, fate);
	emit_end(e, '}');
}

/* The member "listings"; returns how many are refused, for whatever reason. */
static size_t emit_rows(struct daemon *d, struct emit *e, const struct addition *a)
{
	struct listing_fate fate;
	size_t refused = 0;

	emit_begin(e, "listings", '[');
	for (size_t i = 0; i < a->rows->count; i++) {
		listing_judge_cause(d, a->cause[i], &a->claim[i], a->now, &fate);
		refused += fate.state == LISTING_REFUSED;
		if (!a->how.refused_only ||
		    (fate.state == LISTING_REFUSED && refused <= REFUSED_SHOWN))
			emit_row(e, a, i, &fate);
	}
	emit_end(e, ']');
	return refused;
}

static void emit_radius(struct daemon *d, struct emit *e, const struct addition *a)
{
	struct radius_estimate estimate = {};

	if (api_radius(d, a->add, a->adds, &estimate)) {
		emit_null(e, "radius");
		return;
	}
	feed_radius_emit(e, &estimate);
	emit_bool(e, "over_budget", radius_is_over(&estimate, &d->config->limits));
}

static void answer(struct daemon *d, const struct addition *a, struct http_reply *reply)
{
	struct emit e = http_reply_json(reply);
	size_t refused;

	emit_begin(&e, NULL, '{');
	emit_whole(&e, "added", (int64_t)a->adds);
	if (a->how.dry_run) {
		emit_bool(&e, "dry_run", true);
		emit_radius(d, &e, a);
	} else {
		emit_whole(&e, "changed", (int64_t)a->changed);
	}
	refused = emit_rows(d, &e, a);
	emit_whole(&e, "refused", (int64_t)refused);
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

/* A parameter with two words, the first of which is the preset. False: reply says so. */
static bool take_choice(const struct http_request *rq, const char *key, const char *preset,
			const char *other, bool *ret, struct http_reply *reply)
{
	const char *text = http_query(rq, key);

	*ret = text && strcmp(text, other) == 0;
	if (!text || *ret || strcmp(text, preset) == 0)
		return true;
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL, "%s='%.40s': %s or %s is expected",
			   key, text, preset, other);
	return false;
}

static bool take_query(const struct http_request *rq, struct add_how *how, struct http_reply *reply)
{
	return take_choice(rq, "refused", "fail", "skip", &how->skip, reply) &&
	       take_choice(rq, "results", "all", "refused", &how->refused_only, reply) &&
	       api_flag(rq, "force", &how->force, reply) &&
	       api_flag(rq, "dry_run", &how->dry_run, reply);
}

/* Into the database and into force. False: reply says why not. */
static bool put_in_force(struct daemon *d, const struct http_request *rq, struct addition *a,
			 struct http_reply *reply)
{
	struct store *store = api_store(d, true, reply);
	struct problem why = {};
	int err;

	if (!store)
		return false;
	err = a->adds ? store_add(store, &rq->actor, a->add, a->adds, &why) : 0;
	if (err) {
		http_reply_error(reply, err, &why);
		return false;
	}
	a->changed = a->adds ? store_added(store) : 0;
	return api_follow(d, reply);
}

void api_add_rows(struct daemon *d, const struct http_request *rq, struct rows *rows,
		  const struct add_how *how, struct http_reply *reply, ssize_t *ret_added)
{
	_cleanup_(
		addition_free) struct addition a = { .rows = rows, .how = *how, .now = api_now() };

	*ret_added = -1;
	if (!judge_rows(d, rq, &a, reply))
		return;
	if (!how->dry_run && (!api_within_radius(d, a.add, a.adds, how->force, reply) ||
			      !put_in_force(d, rq, &a, reply)))
		return;
	*ret_added = (ssize_t)a.adds;
	answer(d, &a, reply);
}

void api_listings_add(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct add_how how;
	struct rows *rows;
	ssize_t added;

	if (!take_query(rq, &how, reply))
		return;
	rows = api_body_rows(rq, reply);
	if (rows)
		api_add_rows(d, rq, rows, &how, reply, &added);
}
