/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * POST /api/v1/listings: through the gate, into the database, into the kernel,
 * and only then the answer.
 */
#include <inttypes.h>
#include <microhttpd.h>

#include "core/region.h"
#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/api_radius.h"
#include "daemon/api_rows.h"
#include "daemon/api_store.h"
#include "daemon/feed_report.h"

struct addition {
	struct rows rows;
	struct claim *claim;	   /* of each row */
	enum gate_cause *cause;	   /* of each row */
	struct listing_input *add; /* those that passed */
	size_t adds;
	bool skip;  /* what is refused is left out instead of failing the rest */
	bool force; /* guards that may be overruled are */
	bool dry_run;
	int64_t now;
};

static void addition_free(struct addition *a)
{
	rows_free(&a->rows);
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
	const struct listing_input *row = &a->rows.row[index];
	enum gate_cause cause = a->cause[index];
	const struct http_problem about = {
		.cause = gate_cause_label(cause),
		.source = row->source,
		.has_index = a->rows.array,
		.index = index,
	};
	struct problem advice;

	describe_refusal(d, cause, &advice);
	http_reply_problem(reply, MHD_HTTP_CONFLICT, &about,
			   "%.80s (%.40s) is refused by guard %s: %s%s%s", row->source,
			   row->category, gate_cause_label(cause), gate_cause_text(cause),
			   advice.text, a->rows.array ? "; no row of the request was added" : "");
}

/* One that is no list is the gate's to judge. */
static int canonical_region(struct addition *a, struct listing_input *row)
{
	char text[REGION_TEXT];

	if (!row->region || region_canonical(row->region, text) || strcmp(text, row->region) == 0)
		return 0;
	row->region = text[0] ? rows_keep(&a->rows, text) : NULL;
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
	struct listing_input *row = &a->rows.row[index];

	prefix_format(&a->claim[index].source, text);
	if (strcmp(text, row->source) != 0) {
		row->source = rows_keep(&a->rows, text);
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
	       !(a->force && row->expires_at);
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
	size_t count = a->rows.count;

	a->claim = calloc(count + 1, sizeof(*a->claim));
	a->cause = calloc(count + 1, sizeof(*a->cause));
	a->add = calloc(count + 1, sizeof(*a->add));
	if (!a->claim || !a->cause || !a->add) {
		http_reply_error(reply, -ENOMEM, &(struct problem){ "listings" });
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!api_in_scope(rq, a->rows.row[i].category, a->rows.row[i].feed, reply))
			return false;
		a->cause[i] = judge_row(d, &a->rows.row[i], &a->claim[i]);
		if (!is_refused(a->cause[i]) && is_too_wide(d, a, &a->rows.row[i], &a->claim[i]))
			a->cause[i] = GATE_WIDE;
		if (is_refused(a->cause[i])) {
			if (a->skip)
				continue;
			refuse(d, a, i, reply);
			return false;
		}
		if (canonical(a, i)) {
			http_reply_error(reply, -ENOMEM, &(struct problem){ "listings" });
			return false;
		}
		a->add[a->adds++] = a->rows.row[i];
	}
	return true;
}

/* radius: of a dry run, which adds nothing; else NULL. */
static void answer(struct daemon *d, const struct addition *a, const struct radius_estimate *radius,
		   struct http_reply *reply)
{
	struct emit e = http_reply_json(reply);
	struct listing_fate fate;

	emit_begin(&e, NULL, '{');
	emit_whole(&e, "added", (int64_t)a->adds);
	if (radius) {
		emit_bool(&e, "dry_run", true);
		feed_radius_emit(&e, radius);
		emit_bool(&e, "over_budget", radius_is_over(radius, &d->config->limits));
	}
	emit_begin(&e, "listings", '[');
	for (size_t i = 0; i < a->rows.count; i++) {
		listing_judge_cause(d, a->cause[i], &a->claim[i], a->now, &fate);
		emit_begin(&e, NULL, '{');
		emit_text(&e, "source", a->rows.row[i].source);
		emit_text(&e, "category", a->rows.row[i].category);
		emit_text(&e, "feed", a->rows.row[i].feed);
		listing_emit_fate(&e, &fate);
		listing_emit_why(&e, a->rows.row[i].region, &fate);
		emit_end(&e, '}');
	}
	emit_end(&e, ']');
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

static bool take_mode(const struct http_request *rq, bool *ret_skip, struct http_reply *reply)
{
	const char *mode = http_query(rq, "refused");

	*ret_skip = mode && strcmp(mode, "skip") == 0;
	if (!mode || *ret_skip || strcmp(mode, "fail") == 0)
		return true;
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
			   "refused='%.40s': fail or skip is expected", mode);
	return false;
}

/* What the rows would do; nothing is written. */
static void rehearse(struct daemon *d, const struct addition *a, struct http_reply *reply)
{
	struct radius_estimate radius = {};
	int err = api_radius(d, a->add, a->adds, &radius);

	if (err)
		http_reply_error(reply, err, &(struct problem){ "listings" });
	else
		answer(d, a, &radius, reply);
}

void api_listings_add(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	_cleanup_(addition_free) struct addition a = { .now = api_now() };
	struct problem why = {};
	struct store *store;
	int err;

	if (!take_mode(rq, &a.skip, reply) || !api_flag(rq, "force", &a.force, reply) ||
	    !api_flag(rq, "dry_run", &a.dry_run, reply))
		return;
	err = rows_parse(rq->body, rq->body_size, a.now, &a.rows, &why);
	if (err == -E2BIG) {
		http_reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, NULL, "%s", why.text);
		return;
	}
	if (err) {
		http_reply_error(reply, err, &why);
		return;
	}
	if (!judge_rows(d, rq, &a, reply))
		return;
	if (a.dry_run) {
		rehearse(d, &a, reply);
		return;
	}
	if (!api_within_radius(d, a.add, a.adds, a.force, reply))
		return;
	store = api_store(d, true, reply);
	if (!store)
		return;
	err = a.adds ? store_add(store, &rq->actor, a.add, a.adds, &why) : 0;
	if (err) {
		http_reply_error(reply, err, &why);
		return;
	}
	if (api_follow(d, reply))
		answer(d, &a, NULL, reply);
}
