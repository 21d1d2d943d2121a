/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DELETE /api/v1/listings: those of one source in the query, or of the many
 * rows of the body.
 */
#include <microhttpd.h>

#include "daemon/api.h"
#include "daemon/api_body.h"
#include "daemon/api_listing.h"
#include "daemon/api_negotiate.h"
#include "daemon/api_store.h"

#define SPELLINGS     3	   /* of one source at most */
#define MISSING_SHOWN 1000 /* rows that ended nothing, named by the answer */

/* ---- one source ---- */

struct ending {
	struct source_spellings source;
	const char *category, *feed; /* NULL: any */
	bool dry_run;
	int64_t now;
	size_t removed;
};

/* Whether it is one of those that a dry run left there. */
static bool would_end(const struct ending *ending, const struct listing *listing)
{
	const struct row *row = &listing->key;

	if ((ending->category && strcmp(row->category ?: "", ending->category) != 0) ||
	    (ending->feed && strcmp(row->feed ?: "", ending->feed) != 0))
		return false;
	for (size_t i = 0; i < ending->source.count; i++)
		if (strcmp(row->source ?: "", ending->source.text[i]) == 0)
			return true;
	return false;
}

static int end_source(struct store *store, const struct http_request *rq, struct ending *ending,
		      struct problem *why)
{
	struct removal removal[SPELLINGS];
	size_t count = ending->source.count;
	int err;

	for (size_t i = 0; i < count; i++)
		removal[i] = (struct removal){ .source = ending->source.text[i],
					       .category = ending->category,
					       .feed = ending->feed };
	err = store_remove(store, &rq->actor, removal, count, ending->dry_run, why);
	for (size_t i = 0; i < count && !err; i++)
		ending->removed += removal[i].removed;
	return err;
}

struct remaining {
	struct daemon *d;
	const struct ending *ending;
	struct emit e;
	uint64_t set; /* categories of what remains */
};

static int show_remaining(void *arg, const struct listing *listing)
{
	struct remaining *r = arg;
	struct listing_fate fate;

	listing_judge(r->d, &listing->key, r->ending->now, &fate);
	if (fate.state != LISTING_LIVE || (r->ending->dry_run && would_end(r->ending, listing)))
		return 0;
	r->set |= 1ULL << fate.claim.category;
	emit_begin(&r->e, NULL, '{');
	emit_text(&r->e, "category", listing->key.category);
	emit_text(&r->e, "feed", listing->key.feed);
	emit_text(&r->e, "source", listing->key.source);
	emit_end(&r->e, '}');
	return 0;
}

/* Whether a category of the set drops or limits packets here. */
static bool set_blocks(const struct daemon *d, uint64_t set)
{
	bool shared = sync_shared(d->sync, set);
	const struct categories *categories = sync_categories(d->sync);
	int id;

	for (size_t i = 0; i < d->config->categories; i++) {
		const struct config_category *c = &d->config->category[i];

		if (c->policy.action != MOAT_ACTION_LIMIT &&
		    (c->policy.action != MOAT_ACTION_DROP || shared))
			continue;
		id = categories_find(categories, c->name);
		if (id >= 0 && set >> id & 1)
			return true;
	}
	return false;
}

static bool is_blocked(const struct daemon *d, const struct prefix *source, int64_t now)
{
	struct plan plan;

	if (!sync_judge(d->sync, source, NULL, &plan))
		return false;
	for (unsigned int i = 0; i < plan.count; i++)
		if (!plan.phase[i].until || plan.phase[i].until > now)
			return set_blocks(d, plan.phase[i].set);
	return false;
}

/* Whether what remains can be told from its categories alone: no feeds have to agree. */
static bool is_plain(const struct daemon *d, uint64_t set)
{
	for (size_t i = 0; i < d->config->categories; i++) {
		int id = categories_find(sync_categories(d->sync), d->config->category[i].name);

		if (id >= 0 && set >> id & 1 && d->config->category[i].k_of > 1)
			return false;
	}
	return true;
}

/* What only would end is in force yet: there the categories of the rest tell. */
static void emit_blocked(struct remaining *r)
{
	const struct ending *ending = r->ending;
	bool allowed = r->set >> MOAT_CATEGORY_ALLOW & 1;

	if (!ending->dry_run)
		emit_bool(&r->e, "blocked",
			  ending->source.known &&
				  is_blocked(r->d, &ending->source.prefix, ending->now));
	else if (allowed || is_plain(r->d, r->set))
		emit_bool(&r->e, "blocked", !allowed && set_blocks(r->d, r->set));
	else
		emit_null(&r->e, "blocked");
}

static int answer_ended(struct daemon *d, struct store *store, const struct ending *ending,
			struct http_reply *reply, struct problem *why)
{
	struct remaining r = { .d = d, .ending = ending, .e = http_reply_json(reply) };
	_cleanup_free_ struct spellings *spellings = malloc(sizeof(*spellings));
	const struct prefix *source = ending->source.known ? &ending->source.prefix : NULL;
	int err = 0;

	if (!spellings)
		return -ENOMEM;
	emit_begin(&r.e, NULL, '{');
	emit_whole(&r.e, "removed", (int64_t)ending->removed);
	emit_begin(&r.e, "remaining", '[');
	if (source) {
		spellings_covering(source, spellings);
		err = store_by_sources(store, spellings->text, spellings->count, show_remaining, &r,
				       why);
	}
	emit_end(&r.e, ']');
	emit_blocked(&r);
	if (ending->dry_run)
		emit_bool(&r.e, "dry_run", true);
	emit_end(&r.e, '}');
	text_add(&reply->body, "\n");
	return err;
}

/* If-Match: what GET says at the same address must still be what the client saw. */
static bool is_as_seen(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	const char *match = http_header(rq, MHD_HTTP_HEADER_IF_MATCH);
	_cleanup_(http_reply_free) struct http_reply seen = {};

	if (!match)
		return true;
	api_listings_get(d, rq, &seen);
	if (!seen.status)
		api_etag_of_body(&seen);
	if (api_etag_named(match, seen.etag))
		return true;
	http_reply_problem(reply, MHD_HTTP_PRECONDITION_FAILED, NULL,
			   "nothing was changed: the listings of the source are no longer what "
			   "If-Match names; look at them again");
	return false;
}

static void remove_source(struct daemon *d, const struct http_request *rq, const char *source,
			  bool dry_run, struct http_reply *reply)
{
	struct ending ending = {
		.category = http_query(rq, "category"),
		.feed = http_query(rq, "feed"),
		.dry_run = dry_run,
		.now = api_now(),
	};
	struct problem why = {};
	struct store *store;
	int err;

	if (!api_in_scope(rq, ending.category, ending.feed, reply))
		return;
	store = api_store(d, true, reply);
	if (!store || !is_as_seen(d, rq, reply))
		return;
	spellings_of(source, &ending.source);
	err = end_source(store, rq, &ending, &why);
	if (!err && !dry_run && !api_follow(d, reply))
		return;
	err = err ?: answer_ended(d, store, &ending, reply, &why);
	if (err)
		http_reply_error(reply, err, &why);
}

/* ---- many ---- */

static bool all_in_scope(const struct http_request *rq, const struct rows *rows,
			 struct http_reply *reply)
{
	for (size_t i = 0; i < rows->count; i++)
		if (!api_in_scope(rq, rows->row[i].category, rows->row[i].feed, reply))
			return false;
	return true;
}

/* What the rows of a body come to: each in all its spellings. */
struct endings {
	const struct rows *rows;
	struct removal *removal; /* owned */
	size_t *first;		 /* owned; removal of each row, and behind the last */
};

static void endings_free(struct endings *e)
{
	free(e->removal);
	free(e->first);
}

static int spell_rows(struct endings *e, struct rows *rows)
{
	size_t at = 0;

	e->rows = rows;
	e->removal = calloc(rows->count + 1, SPELLINGS * sizeof(*e->removal));
	e->first = calloc(rows->count + 1, sizeof(*e->first));
	if (!e->removal || !e->first)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++) {
		const struct listing_input *row = &rows->row[i];
		struct source_spellings spellings;

		spellings_of(row->source, &spellings);
		e->first[i] = at;
		for (size_t j = 0; j < spellings.count; j++) {
			const char *text = spellings.text[j];

			/* The given one is the rows' own, the others go with this function. */
			text = j ? rows_keep(rows, text, strlen(text)) : text;
			if (!text)
				return -ENOMEM;
			e->removal[at++] = (struct removal){ .source = text,
							     .category = row->category,
							     .feed = row->feed };
		}
	}
	e->first[rows->count] = at;
	return 0;
}

static size_t removed_by(const struct endings *e, size_t row)
{
	size_t removed = 0;

	for (size_t i = e->first[row]; i < e->first[row + 1]; i++)
		removed += e->removal[i].removed;
	return removed;
}

static void answer_many(const struct endings *endings, bool dry_run, struct http_reply *reply)
{
	struct emit e = http_reply_json(reply);
	size_t removed = 0, missing = 0, by_row;

	emit_begin(&e, NULL, '{');
	if (dry_run)
		emit_bool(&e, "dry_run", true);
	emit_whole(&e, "rows", (int64_t)endings->rows->count);
	emit_begin(&e, "missing", '[');
	for (size_t i = 0; i < endings->rows->count; i++) {
		by_row = removed_by(endings, i);
		removed += by_row;
		if (by_row || missing++ >= MISSING_SHOWN)
			continue;
		emit_begin(&e, NULL, '{');
		emit_whole(&e, "index", (int64_t)i);
		emit_text(&e, "source", endings->rows->row[i].source);
		emit_end(&e, '}');
	}
	emit_end(&e, ']');
	emit_whole(&e, "removed", (int64_t)removed);
	emit_whole(&e, "not_found", (int64_t)missing);
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

static void remove_rows(struct daemon *d, const struct http_request *rq, bool dry_run,
			struct http_reply *reply)
{
	_cleanup_(endings_free) struct endings endings = {};
	struct rows *rows = api_body_rows(rq, reply);
	struct problem why = {};
	struct store *store;
	int err;

	if (!rows || !all_in_scope(rq, rows, reply))
		return;
	store = api_store(d, true, reply);
	if (!store)
		return;
	err = spell_rows(&endings, rows);
	err = err
		      ?: store_remove(store, &rq->actor, endings.removal,
				      endings.first[rows->count], dry_run, &why);
	if (err)
		http_reply_error(reply, err, &why);
	else if (dry_run || api_follow(d, reply))
		answer_many(&endings, dry_run, reply);
}

void api_listings_remove(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	const char *source = http_query(rq, "source");
	bool has_rows = rq->body_size > 0;
	bool dry_run;

	if (!api_flag(rq, "dry_run", &dry_run, reply))
		return;
	if (source && *source && !has_rows)
		remove_source(d, rq, source, dry_run, reply);
	else if (has_rows && !source && !http_query(rq, "category") && !http_query(rq, "feed") &&
		 !http_header(rq, MHD_HTTP_HEADER_IF_MATCH))
		remove_rows(d, rq, dry_run, reply);
	else
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "either source= is expected, or a body of rows {\"source\": ..., "
				   "\"category\": ..., \"feed\": ...} and nothing else");
}
