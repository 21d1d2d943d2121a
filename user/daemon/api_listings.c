/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET and DELETE /api/v1/listings.
 */
#include <microhttpd.h>

#include "core/units.h"
#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/api_store.h"

#define LIMIT_PRESET 1000
#define LIMIT_MAX    10000
#define PAGES_MAX    8 /* looked at for one answer: the rest is for the next cursor */

/* ---- GET ---- */

struct page {
	struct daemon *d;
	struct emit e;
	bool has_under;
	struct prefix under;
	int64_t now;
	size_t matched;
};

static bool is_under(const struct page *page, const char *source)
{
	struct prefix p;
	int err;

	if (!page->has_under)
		return true;
	err = source ? prefix_parse(source, &p) : -EINVAL;
	return (err == 0 || err == -EDOM) && prefix_covers(&page->under, &p);
}

static int show_row(void *arg, const struct listing *listing)
{
	struct page *page = arg;
	struct listing_fate fate;

	if (!is_under(page, listing->key.source))
		return 0;
	listing_judge(page->d, &listing->key, page->now, &fate);
	listing_emit(&page->e, listing, &fate);
	page->matched++;
	return 0;
}

static bool bad_param(struct http_reply *reply, const char *key, const char *value,
		      const char *expected)
{
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL, "%s='%.80s': %s is expected", key,
			   value, expected);
	return false;
}

static bool take_expired(const struct http_request *rq, int *ret, struct http_reply *reply)
{
	const char *text = http_query(rq, "expired");

	*ret = 0;
	if (!text || strcmp(text, "0") == 0)
		return true;
	*ret = strcmp(text, "both") == 0 ? -1 : 1;
	if (*ret == -1 || strcmp(text, "1") == 0)
		return true;
	return bad_param(reply, "expired", text, "0, 1 or both");
}

static bool take_review(const struct http_request *rq, bool *ret, struct http_reply *reply)
{
	const char *text = http_query(rq, "review");

	*ret = text != NULL;
	return !text || strcmp(text, "due") == 0 || bad_param(reply, "review", text, "due");
}

static bool take_filter(const struct http_request *rq, struct page *page,
			struct store_filter *filter, struct http_reply *reply)
{
	const char *under = http_query(rq, "under");
	const char *cursor = http_query(rq, "cursor");
	uint64_t number = 0;

	filter->category = http_query(rq, "category");
	filter->feed = http_query(rq, "feed");
	filter->now = page->now;
	if (cursor && (units_number(cursor, &number) || number > INT64_MAX))
		return bad_param(reply, "cursor", cursor, "what the answer before gave");
	filter->cursor = (int64_t)number;
	page->has_under = under != NULL;
	if (under && prefix_parse(under, &page->under))
		return bad_param(reply, "under", under, "an address or a prefix without host bits");
	return take_expired(rq, &filter->expired, reply) &&
	       take_review(rq, &filter->review_due, reply) &&
	       api_limit(rq, LIMIT_PRESET, LIMIT_MAX, &filter->limit, reply);
}

/*
 * A page that "under" thins out is filled up, but not without end: the loop
 * has packets to care for. Fewer rows than limit with a cursor means go on.
 */
static int collect(struct store *store, struct page *page, struct store_filter *filter,
		   int64_t *ret_cursor, struct problem *why)
{
	size_t limit = filter->limit;
	int err;

	for (int i = 0; i < PAGES_MAX; i++) {
		filter->limit = limit - page->matched;
		err = store_list(store, filter, show_row, page, ret_cursor, why);
		if (err)
			return err;
		if (!*ret_cursor || page->matched * 2 >= limit)
			return 0;
		filter->cursor = *ret_cursor;
	}
	return 0;
}

void api_listings_get(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct page page = { .d = d, .now = api_now() };
	struct store_filter filter = {};
	struct problem why = {};
	struct store *store;
	int64_t cursor = 0;
	int err;

	if (!take_filter(rq, &page, &filter, reply))
		return;
	store = api_store(d, false, reply);
	if (!store)
		return;
	page.e = http_reply_json(reply);
	emit_begin(&page.e, NULL, '{');
	emit_begin(&page.e, "listings", '[');
	err = collect(store, &page, &filter, &cursor, &why);
	if (err) {
		http_reply_error(reply, err, &why);
		return;
	}
	emit_end(&page.e, ']');
	if (cursor)
		emit_whole(&page.e, "cursor", cursor);
	else
		emit_null(&page.e, "cursor");
	emit_end(&page.e, '}');
	text_add(&reply->body, "\n");
}

/* ---- DELETE ---- */

/* As it was given, which removes what the gate refused, and as it is written canonically. */
static int remove_spellings(struct store *store, const struct http_request *rq, const char *source,
			    const struct prefix *prefix, size_t *ret_removed, struct problem *why)
{
	char canonical[PREFIX_TEXT_MAX], cidr[PREFIX_TEXT_MAX];
	const char *spelling[3] = { source, NULL, NULL };
	size_t removed;
	int err;

	*ret_removed = 0;
	if (prefix) {
		spelling[1] = prefix_format(prefix, canonical);
		spelling[2] = prefix_format_cidr(prefix, cidr);
	}
	for (size_t i = 0; i < ARRAY_SIZE(spelling) && spelling[i]; i++) {
		if (i > 0 && strcmp(spelling[i], spelling[0]) == 0)
			continue;
		if (i > 1 && strcmp(spelling[i], spelling[1]) == 0)
			continue;
		removed = 0;
		err = store_remove(store, &rq->actor, spelling[i], http_query(rq, "category"),
				   http_query(rq, "feed"), &removed, why);
		if (err)
			return err;
		*ret_removed += removed;
	}
	return 0;
}

struct remaining {
	struct daemon *d;
	struct emit e;
	int64_t now;
};

static int show_remaining(void *arg, const struct listing *listing)
{
	struct remaining *r = arg;
	struct listing_fate fate;

	listing_judge(r->d, &listing->key, r->now, &fate);
	if (fate.state != LISTING_LIVE)
		return 0;
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

static int answer_removed(struct daemon *d, struct store *store, size_t removed,
			  const struct prefix *prefix, struct http_reply *reply,
			  struct problem *why)
{
	struct remaining r = { .d = d, .e = http_reply_json(reply), .now = api_now() };
	_cleanup_free_ struct spellings *spellings = malloc(sizeof(*spellings));
	int err = 0;

	if (!spellings)
		return -ENOMEM;
	emit_begin(&r.e, NULL, '{');
	emit_whole(&r.e, "removed", (int64_t)removed);
	emit_begin(&r.e, "remaining", '[');
	if (prefix) {
		spellings_covering(prefix, spellings);
		err = store_by_sources(store, spellings->text, spellings->count, show_remaining, &r,
				       why);
	}
	emit_end(&r.e, ']');
	emit_bool(&r.e, "blocked", prefix && is_blocked(d, prefix, r.now));
	emit_end(&r.e, '}');
	text_add(&reply->body, "\n");
	return err;
}

/* ---- DELETE that only says what it would do ---- */

struct rehearsal {
	struct remaining remaining;
	const char *category, *feed; /* NULL: any */
	const struct prefix *prefix;
	size_t removed;
	uint64_t set; /* categories of what would remain */
};

static bool would_go(const struct rehearsal *r, const struct row *row)
{
	struct prefix source;

	return prefix_parse(row->source, &source) == 0 && prefix_compare(&source, r->prefix) == 0 &&
	       (!r->category || strcmp(r->category, row->category) == 0) &&
	       (!r->feed || strcmp(r->feed, row->feed) == 0);
}

static int rehearse_row(void *arg, const struct listing *listing)
{
	struct rehearsal *r = arg;
	struct listing_fate fate;

	if (would_go(r, &listing->key)) {
		r->removed++;
		return 0;
	}
	listing_judge(r->remaining.d, &listing->key, r->remaining.now, &fate);
	if (fate.state == LISTING_LIVE)
		r->set |= 1ULL << fate.claim.category;
	return show_remaining(&r->remaining, listing);
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

static int rehearse(struct daemon *d, const struct http_request *rq, struct store *store,
		    const struct prefix *prefix, struct http_reply *reply, struct problem *why)
{
	struct rehearsal r = {
		.remaining = { .d = d, .e = http_reply_json(reply), .now = api_now() },
		.category = http_query(rq, "category"),
		.feed = http_query(rq, "feed"),
		.prefix = prefix,
	};
	_cleanup_free_ struct spellings *spellings = malloc(sizeof(*spellings));
	struct emit *e = &r.remaining.e;
	bool allowed;
	int err;

	if (!spellings)
		return -ENOMEM;
	spellings_covering(prefix, spellings);
	emit_begin(e, NULL, '{');
	emit_bool(e, "dry_run", true);
	emit_begin(e, "remaining", '[');
	err = store_by_sources(store, spellings->text, spellings->count, rehearse_row, &r, why);
	emit_end(e, ']');
	emit_whole(e, "removed", (int64_t)r.removed);
	allowed = r.set >> MOAT_CATEGORY_ALLOW & 1;
	if (is_plain(d, r.set) || allowed)
		emit_bool(e, "blocked", !allowed && set_blocks(d, r.set));
	else
		emit_null(e, "blocked");
	emit_end(e, '}');
	text_add(&reply->body, "\n");
	return err;
}

void api_listings_remove(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	const char *source = http_query(rq, "source");
	struct prefix prefix, *known = NULL;
	struct problem why = {};
	struct store *store;
	bool dry_run;
	size_t removed;
	int err;

	if (!api_flag(rq, "dry_run", &dry_run, reply))
		return;
	if (!source || !*source) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL, "source= is missing");
		return;
	}
	if (!api_in_scope(rq, http_query(rq, "category"), http_query(rq, "feed"), reply))
		return;
	store = api_store(d, true, reply);
	if (!store)
		return;
	if (prefix_parse(source, &prefix) == 0)
		known = &prefix;
	if (dry_run && !known) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "source='%.80s': an address or a prefix is expected", source);
		return;
	}
	if (dry_run) {
		err = rehearse(d, rq, store, known, reply, &why);
		if (err)
			http_reply_error(reply, err, &why);
		return;
	}
	err = remove_spellings(store, rq, source, known, &removed, &why);
	if (err) {
		http_reply_error(reply, err, &why);
		return;
	}
	if (!api_follow(d, reply))
		return;
	err = answer_removed(d, store, removed, known, reply, &why);
	if (err)
		http_reply_error(reply, err, &why);
}
