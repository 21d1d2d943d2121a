/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/listings.
 */
#include <microhttpd.h>

#include "core/units.h"
#include "core/when.h"
#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/api_store.h"

#define LIMIT_PRESET 1000
#define LIMIT_MAX    10000
#define PAGES_MAX    8 /* looked at for one answer: the rest is for the next cursor */

struct page {
	struct daemon *d;
	struct emit e;
	const struct store_filter *filter; /* of rows that are looked up by their source */
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

static bool is_past(const char *time, int64_t now)
{
	int64_t seconds;

	return time && when_parse_seconds(time, &seconds) == 0 && seconds <= now;
}

/* What the database does for pages. */
static bool filter_passes(const struct store_filter *filter, const struct row *row)
{
	if (filter->category && strcmp(row->category ?: "", filter->category) != 0)
		return false;
	if (filter->feed && strcmp(row->feed ?: "", filter->feed) != 0)
		return false;
	return filter->expired < 0 || is_past(row->expires_at, filter->now) == filter->expired;
}

static int show_row_of_source(void *arg, const struct listing *listing)
{
	struct page *page = arg;

	return filter_passes(page->filter, &listing->key) ? show_row(page, listing) : 0;
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
	const char *source = http_query(rq, "source");
	uint64_t number = 0;

	filter->category = http_query(rq, "category");
	filter->feed = http_query(rq, "feed");
	filter->now = page->now;
	if (cursor && (units_number(cursor, &number) || number > INT64_MAX))
		return bad_param(reply, "cursor", cursor, "what the answer before gave");
	filter->cursor = (int64_t)number;
	if (source && (under || cursor || !*source))
		return bad_param(reply, "source", source,
				 "one source, without 'under' and 'cursor',");
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

/* All of one source; there are few. */
static int collect_source(struct store *store, const char *source, struct page *page,
			  struct problem *why)
{
	struct source_spellings spellings;

	spellings_of(source, &spellings);
	return store_by_sources(store, spellings.text, spellings.count, show_row_of_source, page,
				why);
}

void api_listings_get(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	struct store_filter filter = {};
	struct page page = { .d = d, .now = api_now(), .filter = &filter };
	const char *source = http_query(rq, "source");
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
	err = source ? collect_source(store, source, &page, &why)
		     : collect(store, &page, &filter, &cursor, &why);
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
