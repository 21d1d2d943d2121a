/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TAXII 2.1 collection, page by page, as one envelope of all its objects.
 *
 * Always the whole collection, and never by added_after alone: what was
 * revoked or removed over there must not live on here. A page that fails
 * makes the whole fetch fail. What servers leave to good will is bounded:
 * pages, bytes, and that no page is asked for twice.
 */
#include "core/feed_taxii.h"
#include "daemon/feeder_fetch_private.h"

#define PAGE_FIRST (256U << 10) /* bytes of room */

struct pages {
	struct fetch *fetch;
	const struct fetch_sink *out;
	char *bytes; /* of the page; owned */
	size_t size, room;
	unsigned int number;
	bool any;	 /* an object was given */
	uint64_t *asked; /* hashes of what the pages were asked by; owned */
};

static void pages_done(struct pages *p)
{
	free(p->bytes);
	free(p->asked);
}

bool fetch_is_taxii(const struct feeder_order *order)
{
	size_t path = strcspn(order->url, "?#");
	static const char end[] = "/objects";
	const char *collections = strstr(order->url, "/collections/");

	if (order->input || strncmp(order->url, "http", 4) != 0)
		return false;
	if (order->parse.format == FEED_TAXII)
		return true;
	if (order->parse.format != FEED_STIX && order->parse.format != FEED_AUTO)
		return false;
	if (path && order->url[path - 1] == '/')
		path--;
	return collections && collections < order->url + path && path > sizeof(end) &&
	       !memcmp(order->url + path - (sizeof(end) - 1), end, sizeof(end) - 1);
}

/* ---- a page ---- */

static int page_begin(void *arg, bool proven)
{
	(void)arg;
	(void)proven;
	return 0;
}

/* Non-zero ends the transfer; p->size then says why. */
static int page_bytes(void *arg, const void *bytes, size_t size)
{
	struct pages *p = arg;
	size_t room = p->room ? p->room : PAGE_FIRST;
	char *grown;

	if (size > TAXII_PAGE_MAX - p->size) {
		p->size = TAXII_PAGE_MAX + 1;
		return 1;
	}
	while (room < p->size + size)
		room *= 2;
	if (room != p->room) {
		grown = realloc(p->bytes, room);
		if (!grown) {
			p->size = TAXII_PAGE_MAX + 1;
			return 1;
		}
		p->bytes = grown;
		p->room = room;
	}
	memcpy(p->bytes + p->size, bytes, size);
	p->size += size;
	return 0;
}

/* FNV-1a, 64 bits: who makes two collide ends nobody's fetch but his own. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

/* The url of a page: the order's own, and what the page before said. */
static int set_url(struct pages *p, const char *key, const char *value, struct problem *why)
{
	struct fetch *f = p->fetch;
	CURLU *url = curl_url();
	char *escaped = curl_easy_escape(NULL, value, 0); /* not as a form: " " is "%20" */
	char *query = NULL, *text = NULL;
	bool good = url && curl_url_set(url, CURLUPART_URL, f->order->url, 0) == CURLUE_OK;

	if (good && *value)
		good = escaped && asprintf(&query, "%s=%s", key, escaped) >= 0 &&
		       curl_url_set(url, CURLUPART_QUERY, query, CURLU_APPENDQUERY) == CURLUE_OK;
	good = good && curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK;
	if (good) {
		free(f->url);
		f->url = strdup(text);
	}
	curl_free(escaped);
	curl_free(text);
	free(query);
	curl_url_cleanup(url);
	return good && f->url ? 0 : problem_set(why, -ENOMEM, "the url of a page cannot be made");
}

static int fetch_page(struct pages *p, struct problem *why)
{
	struct problem inner = {};
	int r;

	p->size = 0;
	p->fetch->begun = p->fetch->enough = false;
	p->fetch->date_added_last[0] = '\0';
	r = fetch_run_http(p->fetch, &inner);
	if (p->size > TAXII_PAGE_MAX)
		r = problem_set(&inner, -EFBIG, "%s: larger than %u MB, or out of memory",
				p->fetch->host, TAXII_PAGE_MAX >> 20);
	if (r < 0 && p->number == 1)
		*why = inner;
	else if (r < 0)
		problem_set(why, r, "page %u: %.400s", p->number, inner.text);
	return r;
}

/* ---- all of them ---- */

static bool give(struct pages *p, const char *bytes, size_t size)
{
	p->fetch->enough = p->out->bytes(p->out->arg, bytes, size) != 0;
	return !p->fetch->enough;
}

static bool give_objects(struct pages *p, const struct taxii_page *page)
{
	bool comma = p->any && page->end > page->begin;

	if (page->end == page->begin)
		return true;
	p->any = true;
	return (!comma || give(p, ",", 1)) &&
	       give(p, p->bytes + page->begin, page->end - page->begin);
}

/* Where the next page is. 0, or negative with why. */
static int set_next(struct pages *p, const struct taxii_page *page, struct problem *why)
{
	const char *date = p->fetch->date_added_last;
	const char *key = page->next[0] ? "next" : "added_after";
	const char *value = page->next[0] ? page->next : date;
	uint64_t asked = hash(value) ^ (page->next[0] != 0);

	if (!*value)
		return problem_set(why, -EPROTO,
				   "page %u: there is more, and it says neither 'next' nor "
				   "X-TAXII-Date-Added-Last: the collection cannot be read whole",
				   p->number);
	for (unsigned int i = 0; i < p->number - 1; i++)
		if (p->asked[i] == asked)
			return problem_set(why, -ELOOP,
					   "page %u: it points to a page that was read before: the "
					   "server goes round in circles",
					   p->number);
	if (p->number == TAXII_PAGES_MAX)
		return problem_set(why, -EFBIG,
				   "more than %d pages: let the server send more of them at once "
				   "(?limit=...), or less (?match[type]=indicator)",
				   TAXII_PAGES_MAX);
	p->asked[p->number - 1] = asked;
	return set_url(p, key, value, why);
}

static int read_pages(struct pages *p, struct problem *why)
{
	struct taxii_page page = { .more = true };
	int r = set_url(p, "", "", why);

	while (!r && page.more) {
		struct problem inner = {};

		p->number++;
		r = fetch_page(p, why);
		if (r)
			return r;
		r = taxii_page_read(p->bytes ?: "", p->size, &page, &inner);
		if (r)
			return problem_set(why, r, "%s: page %u: %.400s", p->fetch->host, p->number,
					   inner.text);
		if (!give_objects(p, &page))
			return 0;
		if (page.more)
			r = set_next(p, &page, why);
	}
	if (!r)
		give(p, TAXII_END, sizeof(TAXII_END) - 1);
	return r;
}

int fetch_run_taxii(struct fetch *f, struct problem *why)
{
	_cleanup_(pages_done) struct pages p = { .fetch = f, .out = f->sink };
	const struct fetch_sink sink = { page_begin, page_bytes, &p };
	int r;

	p.asked = calloc(TAXII_PAGES_MAX, sizeof(*p.asked));
	r = p.asked ? f->sink->begin(f->sink->arg, true) : -ENOMEM;
	if (r < 0)
		return problem_set(why, r, "parser: %s", strerror(-r));
	f->sink = &sink;
	r = give(&p, TAXII_BEGIN, sizeof(TAXII_BEGIN) - 1) ? read_pages(&p, why) : 0;
	f->sink = p.out;
	f->begun = true;
	/* That one page is the same says nothing about the others. */
	f->end->etag[0] = f->end->last_modified[0] = '\0';
	return r;
}
