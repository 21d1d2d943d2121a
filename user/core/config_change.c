// SPDX-License-Identifier: BSD-2-Clause
#include "core/config_change.h"

#include "core/config_setting.h"

/* ---- two trees ---- */

struct walk {
	void (*fn)(void *arg, const char *key);
	void *arg;
	size_t count;
};

struct path {
	char text[CHANGE_KEY_MAX];
	size_t size;
};

static void path_add(struct path *p, const char *name)
{
	int size = snprintf(p->text + p->size, sizeof(p->text) - p->size, "%s%s",
			    p->size ? "." : "", name);

	p->size += (size_t)size < sizeof(p->text) - p->size ? (size_t)size
							    : sizeof(p->text) - p->size - 1;
}

static void differs(struct walk *w, const struct path *at)
{
	w->count++;
	if (w->fn)
		w->fn(w->arg, at->text);
}

/* How an element of a list is told from others; NULL: by its place alone. */
static const char *name_of(const struct setting *n)
{
	const struct setting *name = n->type == SETTING_MAPPING ? setting_get(n, "name") : NULL;

	return name && name->type == SETTING_TEXT ? name->text : NULL;
}

static bool are_named(const struct setting *list)
{
	for (const struct setting *n = list->first; n; n = n->next)
		if (!name_of(n))
			return false;
	return true;
}

static const struct setting *find_named(const struct setting *list, const char *name)
{
	for (const struct setting *n = list->first; n; n = n->next)
		if (!strcmp(name_of(n), name))
			return n;
	return NULL;
}

static bool same(const struct setting *a, const struct setting *b);

static bool same_children(const struct setting *a, const struct setting *b)
{
	const struct setting *x = a->first, *y = b->first;

	for (; x && y; x = x->next, y = y->next)
		if (!same(x, y))
			return false;
	return !x && !y;
}

static bool same_members(const struct setting *a, const struct setting *b)
{
	if (setting_children(a) != setting_children(b))
		return false;
	for (const struct setting *x = a->first; x; x = x->next) {
		const struct setting *y = setting_get(b, x->key);

		if (!y || !same(x, y))
			return false;
	}
	return true;
}

/* As deep as SETTING_DEPTH_MAX. */
static bool same(const struct setting *a, const struct setting *b)
{
	if (a->type != b->type)
		return false;
	if (a->type == SETTING_TEXT)
		return !strcmp(a->text, b->text);
	return a->type == SETTING_MAPPING ? same_members(a, b) : same_children(a, b);
}

/* What is on one side only; a section (all its feeds, all its categories) by what is in it. */
static void differs_whole(struct walk *w, const struct setting *n, const struct path *at,
			  bool section)
{
	bool mapping = n->type == SETTING_MAPPING;

	if (!section || !n->first || !(mapping || (n->type == SETTING_LIST && are_named(n)))) {
		differs(w, at);
		return;
	}
	for (const struct setting *child = n->first; child; child = child->next) {
		struct path below = *at;

		path_add(&below, mapping ? child->key : name_of(child));
		differs(w, &below);
	}
}

static void compare(struct walk *w, const struct setting *a, const struct setting *b,
		    const struct path *at);

/* One that is on one side only, or on both. */
static void compare_member(struct walk *w, const struct setting *a, const struct setting *b,
			   const struct path *at, const char *name)
{
	struct path below = *at;

	path_add(&below, name);
	if (a && b)
		compare(w, a, b, &below);
	else
		differs_whole(w, a ? a : b, &below, !at->size);
}

static void compare_mappings(struct walk *w, const struct setting *a, const struct setting *b,
			     const struct path *at)
{
	for (const struct setting *x = a->first; x; x = x->next)
		compare_member(w, x, setting_get(b, x->key), at, x->key);
	for (const struct setting *y = b->first; y; y = y->next)
		if (!setting_get(a, y->key))
			compare_member(w, NULL, y, at, y->key);
}

/* Is the order of what is on both sides another one? It decides between feeds, say. */
static bool same_order(const struct setting *a, const struct setting *b)
{
	const struct setting *y = b->first;

	for (const struct setting *x = a->first; x; x = x->next) {
		if (!find_named(b, name_of(x)))
			continue;
		while (y && !find_named(a, name_of(y)))
			y = y->next;
		if (!y || strcmp(name_of(x), name_of(y)) != 0)
			return false;
		y = y->next;
	}
	return true;
}

static void compare_lists(struct walk *w, const struct setting *a, const struct setting *b,
			  const struct path *at)
{
	if (!are_named(a) || !are_named(b) || !same_order(a, b)) {
		if (!same(a, b))
			differs(w, at);
		return;
	}
	for (const struct setting *x = a->first; x; x = x->next)
		compare_member(w, x, find_named(b, name_of(x)), at, name_of(x));
	for (const struct setting *y = b->first; y; y = y->next)
		if (!find_named(a, name_of(y)))
			compare_member(w, NULL, y, at, name_of(y));
}

static void compare(struct walk *w, const struct setting *a, const struct setting *b,
		    const struct path *at)
{
	if (a->type == SETTING_MAPPING && b->type == SETTING_MAPPING)
		compare_mappings(w, a, b, at);
	else if (a->type == SETTING_LIST && b->type == SETTING_LIST)
		compare_lists(w, a, b, at);
	else if (!same(a, b))
		differs(w, at);
}

static int read_tree(const struct config *config, struct setting **ret)
{
	struct setting_file file = { .name = "configuration" };

	return config->text ? setting_parse(&file, config->text, config->size, ret) : 0;
}

ssize_t config_changes(const struct config *was, const struct config *next,
		       void (*fn)(void *arg, const char *key), void *arg)
{
	_cleanup_(setting_freep) struct setting *a = NULL;
	_cleanup_(setting_freep) struct setting *b = NULL;
	struct walk w = { .fn = fn, .arg = arg };
	int r = read_tree(was, &a) ?: read_tree(next, &b);

	if (r)
		return r;
	if (a && b)
		compare(&w, a, b, &(struct path){});
	return (ssize_t)w.count;
}

struct joined {
	char *buf;
	size_t size, keys;
};

#define MORE_ROOM 32 /* " and 65535 more keys" */

static void join_key(void *arg, const char *key)
{
	struct joined *j = arg;
	size_t need = strlen(key) + 2;

	if (j->size + need + MORE_ROOM >= CHANGE_TEXT_MAX)
		return;
	j->size += (size_t)snprintf(j->buf + j->size, CHANGE_TEXT_MAX - j->size, "%s%s",
				    j->size ? ", " : "", key);
	j->keys++;
}

const char *config_changes_text(const struct config *was, const struct config *next,
				char buf[static CHANGE_TEXT_MAX])
{
	struct joined j = { .buf = buf };
	ssize_t count;

	buf[0] = '\0';
	count = config_changes(was, next, join_key, &j);
	if (count < 0)
		snprintf(buf, CHANGE_TEXT_MAX, "unknown: out of memory");
	else if (!count)
		snprintf(buf, CHANGE_TEXT_MAX, "nothing");
	else if ((size_t)count > j.keys)
		snprintf(buf + j.size, CHANGE_TEXT_MAX - j.size, "%s%zd more keys",
			 j.size ? " and " : "", count - (ssize_t)j.keys);
	return buf;
}

/* ---- shown ---- */

#define STARS "***"

/* An address without who asks and what he asks with. */
static void emit_value(struct emit *e, const char *key, const char *value)
{
	const char *host = strstr(value, "://");
	const char *end, *at = NULL;
	_cleanup_(text_free) struct text shown = {};

	if (!host) {
		emit_text(e, key, value);
		return;
	}
	host += strlen("://");
	end = host + strcspn(host, "/?#");
	for (const char *c = host; c < end; c++)
		if (*c == '@')
			at = c; /* the last one: a password may have others */
	text_add(&shown, "%.*s", (int)(host - value), value);
	if (at)
		text_add(&shown, STARS "@");
	host = at ? at + 1 : host;
	text_add(&shown, "%.*s", (int)strcspn(host, "?#"), host);
	if (host[strcspn(host, "?#")])
		text_add(&shown, "?" STARS);
	emit_text(e, key, shown.failed ? STARS : shown.data);
}

static void emit_setting(struct emit *e, const char *key, const struct setting *n)
{
	char open = n->type == SETTING_LIST ? '[' : '{';

	if (n->type == SETTING_TEXT) {
		emit_value(e, key, n->text);
		return;
	}
	emit_begin(e, key, open);
	for (const struct setting *child = n->first; child; child = child->next)
		emit_setting(e, n->type == SETTING_LIST ? NULL : child->key, child);
	emit_end(e, open == '[' ? ']' : '}');
}

void config_emit(const struct config *config, struct emit *e, const char *key)
{
	_cleanup_(setting_freep) struct setting *root = NULL;

	if (read_tree(config, &root) || !root)
		emit_null(e, key);
	else
		emit_setting(e, key, root);
}
