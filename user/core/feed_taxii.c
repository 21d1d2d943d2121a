/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/feed_taxii.h"

#include "core/feed.h"
#include "core/json_read.h"

enum key { OTHER, OBJECTS, MORE, NEXT };

struct reading {
	struct taxii_page *page;
	size_t at; /* of the byte that is read */
	enum key key;
	bool envelope, keyed, listed, twice, too_long;
	char title[96]; /* of an error message */
	bool titled;
};

static bool is(const struct json_token *t, const char *text)
{
	return t->size == strlen(text) && !memcmp(t->text, text, t->size);
}

static void take_key(struct reading *r, const struct json_token *t)
{
	r->keyed = true;
	r->titled = is(t, "title") || is(t, "description");
	r->key = is(t, "objects") ? OBJECTS : is(t, "more") ? MORE : is(t, "next") ? NEXT : OTHER;
}

static void take_text(struct reading *r, const struct json_token *t)
{
	if (r->titled && !r->title[0])
		snprintf(r->title, sizeof(r->title), "%.*s",
			 (int)(t->size < sizeof(r->title) ? t->size : sizeof(r->title)), t->text);
	if (r->key != NEXT)
		return;
	r->too_long = t->cut || t->size >= sizeof(r->page->next) || memchr(t->text, 0, t->size);
	if (!r->too_long) {
		memset(r->page->next, 0, sizeof(r->page->next));
		memcpy(r->page->next, t->text, t->size);
	}
}

static int on_token(void *arg, const struct json_token *t)
{
	struct reading *r = arg;

	if (!t->depth)
		r->envelope |= t->kind == JSON_OBJECT;
	if (t->depth != 1)
		return 0;
	if (t->kind == JSON_KEY) {
		take_key(r, t);
	} else if (t->kind == JSON_ARRAY && r->key == OBJECTS) {
		r->twice |= r->listed;
		r->listed = true;
		r->page->begin = r->at + 1;
	} else if (t->kind == JSON_ARRAY_END && r->key == OBJECTS) {
		r->page->end = r->at;
	} else if (t->kind == JSON_STRING) {
		take_text(r, t);
	} else if (r->key == MORE) {
		r->page->more = t->kind == JSON_TRUE;
	}
	return 0;
}

/* Blanks are no object. */
static void trim(const char *bytes, struct taxii_page *page)
{
	while (page->begin < page->end && strchr(" \t\r\n", bytes[page->begin]))
		page->begin++;
	while (page->end > page->begin && strchr(" \t\r\n", bytes[page->end - 1]))
		page->end--;
}

static int judge(const struct reading *r, struct problem *why)
{
	if (!r->envelope ||
	    (r->keyed && !r->listed && (r->titled || r->title[0] || !r->page->more)))
		return problem_set(why, -EBADMSG,
				   "it is no TAXII envelope%s%s: url must be that of a collection's "
				   "objects, .../collections/ID/objects/",
				   r->title[0] ? ", but says " : "", r->title);
	if (r->twice)
		return problem_set(why, -EBADMSG, "it has 'objects' twice");
	if (r->too_long)
		return problem_set(why, -EBADMSG, "its 'next' is longer than %d bytes",
				   TAXII_NEXT_MAX - 1);
	return 0;
}

int taxii_page_read(const char *bytes, size_t size, struct taxii_page *ret, struct problem *why)
{
	struct taxii_page page = {};
	struct reading r = { .page = &page };
	struct json_read json = { .fn = on_token, .arg = &r, .text_max = TAXII_NEXT_MAX };
	int err = 0;

	/* Byte by byte, so that it is known where a token ends. */
	for (r.at = 0; r.at < size && !err; r.at++)
		err = json_read_push(&json, bytes + r.at, 1);
	err = err ?: json_read_finish(&json);
	if (err == -ENOMEM)
		problem_set(why, err, "out of memory");
	else if (err)
		problem_set(why, -EBADMSG, "byte %llu of it is not JSON: %s",
			    (unsigned long long)json.where, json.why ?: "it is cut");
	json_read_fini(&json);
	err = err == -ENOMEM ? err : err ? -EBADMSG : judge(&r, why);
	if (err)
		return err;
	trim(bytes, &page);
	*ret = page;
	return 0;
}
