/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/crowdsec.h"

#include <inttypes.h>

#include "core/log.h"
#include "core/when.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define TOUCHED_FIRST 64

struct crowdsec {
	struct crowdsec_table *table; /* owned; what the last answers told; NULL: none yet */
	struct crowdsec_table *next;  /* owned; of a full answer that is under way */
	const char *why;	      /* a full answer is to be asked for; NULL: a delta will do */
	const char *said; /* why one was, as logged last; NULL: the last answer was good */
	bool full;	  /* the answer under way */
	bool doubted;	  /* the last full answer lacked what is in force: the next one decides */
	bool lacks;	  /* the one under way does */
	size_t kept;	  /* listings that two full answers lacked, and that are too many to end */
	int64_t full_at;  /* when a full answer was last taken over */
	int64_t last;	  /* when an answer was last asked for that was taken over */
	int64_t asked;	  /* the one under way */
	uint64_t configured;	/* hash of what a delta depends on */
	struct prefix *touched; /* owned; sources that a delta names, or a full answer as deleted */
	size_t touches, room;
	struct crowdsec_counts counts;
};

int crowdsec_new(struct crowdsec **ret)
{
	struct crowdsec *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->why = "it was not asked before";
	*ret = c;
	return 0;
}

struct crowdsec *crowdsec_free(struct crowdsec *c)
{
	if (!c)
		return NULL;
	crowdsec_table_free(c->table);
	crowdsec_table_free(c->next);
	free(c->touched);
	free(c);
	return NULL;
}

bool crowdsec_asks_all(const struct crowdsec *c)
{
	return c->full;
}

const struct crowdsec_table *crowdsec_table(const struct crowdsec *c)
{
	return c->table;
}

size_t crowdsec_kept(const struct crowdsec *c)
{
	return c->kept;
}

void crowdsec_counts(const struct crowdsec *c, struct crowdsec_counts *ret)
{
	*ret = c->counts;
}

/* ---- the question ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? XXH3_64bits_withSeed(text, strlen(text) + 1, hash) : hash + 1;
}

/* Another answer to any of these, and a delta would not be one to what is in force. */
static uint64_t hash_config(const struct config_feed *config)
{
	uint64_t hash = hash_text(0, config->url);

	hash = hash_text(hash, config->types);
	hash = hash_text(hash, config->category);
	hash = hash_text(hash, config->crowdsec.origins);
	hash = hash_text(hash, config->crowdsec.containing);
	hash = hash_text(hash, config->crowdsec.not_containing);
	for (size_t i = 0; i < config->mappings; i++) {
		hash = hash_text(hash, config->mapping[i].from);
		hash = hash_text(hash, config->mapping[i].to);
	}
	return hash;
}

static const char *why_full(const struct crowdsec *c, const struct config_feed *config, int64_t now)
{
	int64_t polls = config->every * CROWDSEC_GAP_POLLS;

	if (c->why)
		return c->why;
	if (hash_config(config) != c->configured)
		return "its configuration is another one";
	if (now < c->last || now - c->last > (polls > CROWDSEC_GAP ? polls : CROWDSEC_GAP))
		return "the last answer is long ago";
	if (c->kept && now - c->full_at >= CROWDSEC_KEPT_AGAIN)
		return "listings are kept that it did not have";
	return NULL;
}

int crowdsec_begin(struct crowdsec *c, const struct config_feed *config, int64_t now,
		   char url[static FEEDER_URL_MAX], struct problem *why)
{
	const char *because = why_full(c, config, now);

	c->next = crowdsec_table_free(c->next);
	c->full = because;
	c->lacks = false;
	c->touches = 0;
	c->asked = now;
	if (hash_config(config) != c->configured)
		c->doubted = false;
	c->configured = hash_config(config);
	if (crowdsec_stream_url(config, c->full, url))
		return problem_set(why, -EINVAL, "feed '%s': its url is too long with its filters",
				   config->name);
	if (!c->full)
		return 0;
	if (because != c->said)
		log_info("feed '%s': asks for all decisions: %s", config->name, because);
	c->said = because;
	if (crowdsec_table_new(&c->next))
		return problem_set(why, -ENOMEM, "out of memory");
	return 0;
}

/* ---- the answer ---- */

static int touch(struct crowdsec *c, const struct prefix *source)
{
	if (c->touches == c->room) {
		size_t room = c->room ? c->room * 2 : TOUCHED_FIRST;
		struct prefix *grown = reallocarray(c->touched, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		c->touched = grown;
		c->room = room;
	}
	c->touched[c->touches++] = *source;
	return 0;
}

/*
 * Rows to remove come first. Of a delta what is added waits for
 * crowdsec_judge(), which knows what other decisions its source has.
 */
static int take_row(struct crowdsec *c, struct feed_apply *apply, const struct feed_row *row)
{
	struct crowdsec_table *table = c->full ? c->next : c->table;
	int err = 0;

	if (row->kind == FEED_ROW_ADD)
		err = crowdsec_table_add(table, row);
	else if (row->kind == FEED_ROW_REMOVE)
		crowdsec_table_remove(table, row);
	if (!err && (c->full ? row->kind == FEED_ROW_REMOVE : row->kind != FEED_ROW_ASN))
		err = touch(c, &row->source);
	if (err || (!c->full && row->kind == FEED_ROW_ADD))
		return err;
	return feed_apply_rows(apply, row, 1);
}

int crowdsec_rows(struct crowdsec *c, struct feed_apply *apply, const struct feed_row *row,
		  size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = take_row(c, apply, &row[i]);
	return err;
}

static int give_row(void *arg, const struct feed_row *row)
{
	return feed_apply_rows(arg, row, 1);
}

/* What is in force of a source decides, not what the delta names of it. */
static int give_touched(struct crowdsec *c, struct feed_apply *apply)
{
	int err = 0;

	for (size_t i = 0; i < c->touches && !err; i++)
		err = crowdsec_table_each(c->table, &c->touched[i], give_row, apply);
	return err;
}

/* ---- a full answer against what is in force ---- */

struct reconcile {
	const struct crowdsec *c;
	struct feed_apply *apply;
	int64_t now;
	bool end; /* else only count */
	size_t live, missing;
	const char *category; /* of the listing at hand */
};

/* Whether a decision stands behind the listing: then it stops, with 1. */
static int backs_listing(void *arg, const struct feed_row *row)
{
	const struct reconcile *r = arg;
	const char *category = feed_apply_category(r->apply, row->category);

	return category && !strcmp(category, r->category);
}

static bool is_live(const struct listing *listing, int64_t now)
{
	int64_t expires = 0;

	if (!listing->key.expires_at)
		return true;
	return !when_parse_seconds(listing->key.expires_at, &expires) &&
	       expires > now + FEED_END_SLACK;
}

static int compare_sources(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

static bool is_touched(const struct crowdsec *c, const struct prefix *source)
{
	return c->touches &&
	       bsearch(source, c->touched, c->touches, sizeof(*source), compare_sources);
}

static int reconcile_row(void *arg, const struct listing *listing)
{
	struct reconcile *r = arg;
	struct prefix source;

	if (!listing->key.source || !listing->key.category || !is_live(listing, r->now) ||
	    prefix_parse(listing->key.source, &source))
		return 0;
	r->live++;
	if (is_touched(r->c, &source)) /* named as deleted: that is no hole in the answer */
		return 0;
	r->category = listing->key.category;
	if (crowdsec_table_each(r->c->next, &source, backs_listing, r) ||
	    (r->c->doubted && crowdsec_table_each(r->c->table, &source, backs_listing, r)))
		return 0;
	r->missing++;
	return r->end ? feed_apply_end(r->apply, listing->key.source, listing->key.category) : 0;
}

static int reconcile(struct crowdsec *c, struct reconcile *r, struct store *store,
		     const struct config_feed *config, size_t *ret_kept, struct problem *why)
{
	int err;

	if (c->touches)
		qsort(c->touched, c->touches, sizeof(*c->touched), compare_sources);
	err = store_feed_rows(store, config->name, reconcile_row, r, why);
	if (!err && (c->doubted || !r->missing))
		c->kept = 0;
	if (err || !r->missing)
		return err;
	if (!c->doubted) {
		c->lacks = true;
		log_info("feed '%s': the answer lacks %zu of %zu listings: asked again before any "
			 "of them ends",
			 config->name, r->missing, r->live);
		return 0;
	}
	if (r->missing * 100 > r->live * config->limits.max_shrink) {
		*ret_kept = c->kept = r->missing;
		return 0;
	}
	r->live = r->missing = 0;
	r->end = true;
	return store_feed_rows(store, config->name, reconcile_row, r, why);
}

int crowdsec_judge(struct crowdsec *c, struct feed_apply *apply, struct store *store,
		   const struct config_feed *config, int64_t now, size_t *ret_kept,
		   struct problem *why)
{
	struct reconcile r = { .c = c, .apply = apply, .now = now };
	int err;

	*ret_kept = 0;
	if (c->full)
		return reconcile(c, &r, store, config, ret_kept, why);
	err = give_touched(c, apply);
	return err ? problem_set(why, err, "too many decisions, or out of memory") : 0;
}

void crowdsec_forget(struct crowdsec *c)
{
	c->why = "a file was imported into it";
}

void crowdsec_end(struct crowdsec *c, bool applied)
{
	c->touches = 0;
	if (!applied) {
		c->next = crowdsec_table_free(c->next);
		c->why = "the last answer was lost";
		c->doubted = false;
		c->counts.lost++;
		return;
	}
	c->last = c->asked;
	c->said = NULL;
	if (!c->full) {
		c->counts.deltas++;
		return;
	}
	c->counts.full++;
	c->full_at = c->last;
	crowdsec_table_free(c->table);
	c->table = take_ptr(c->next);
	c->doubted = c->lacks;
	c->why = c->lacks ? "the last one lacked what is in force" : NULL;
}
