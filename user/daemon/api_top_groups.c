/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hits of listed sources, added up by prefix and by feed.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "daemon/api_hits.h"
#include "daemon/api_top.h"
#include "daemon/feeds.h"
#include "plane/hits.h"

#define PREFIXES_MAX 65536 /* told apart; what comes beyond is only counted */
#define SLOTS	     (2 * PREFIXES_MAX)
#define SOURCES_MAX  4096 /* of which is asked what feeds list them */
#define GROUP_V4     24
#define GROUP_V6     48

/* What several sources sent. */
struct sum {
	struct moat_hit hit;
	uint64_t sources; /* 0: nothing yet */
};

static void sum_add(struct sum *sum, const struct moat_hit *hit)
{
	struct moat_hit *all = &sum->hit;

	all->packets += hit->packets;
	all->bytes += hit->bytes;
	all->sampled |= hit->sampled;
	if (!sum->sources || hit->first < all->first)
		all->first = hit->first;
	if (hit->last > all->last)
		all->last = hit->last;
	sum->sources++;
}

static int compare_sums(const void *a, const void *b)
{
	const struct sum *left = a, *right = b;

	if (left->hit.packets != right->hit.packets)
		return left->hit.packets < right->hit.packets ? 1 : -1;
	return (left->sources < right->sources) - (left->sources > right->sources);
}

static void failed(struct http_reply *reply, int err)
{
	struct problem why = {};

	problem_set(&why, err, "the hits cannot be read: %s", strerror(-err));
	http_reply_error(reply, err, &why);
}

/* The members that every group has, and those of what was left out. */
static void emit_sum(struct emit *e, const struct sum *sum)
{
	emit_whole(e, "sources", (int64_t)sum->sources);
	hits_emit(e, &sum->hit);
}

static void emit_left_out(struct emit *e, const struct sum *sum)
{
	emit_begin(e, "left_out", '{');
	emit_whole(e, "sources", (int64_t)sum->sources);
	emit_whole(e, "hits", (int64_t)sum->hit.packets);
	emit_end(e, '}');
}

/* ---- by prefix ---- */

struct prefix_group {
	struct sum sum; /* first: compare_sums() */
	struct prefix prefix;
};

struct prefixes {
	uint32_t seen_since;
	size_t count;
	struct sum left_out;
	struct prefix_group *slot; /* SLOTS, open addressing */
};

/* What a source lies in. */
static struct prefix group_of(const struct prefix *source)
{
	uint8_t len = source->family == MOAT_IPV4 ? GROUP_V4 : GROUP_V6;
	struct prefix group = *source;

	if (group.len > len) {
		group.len = len;
		prefix_mask(&group);
	}
	return group;
}

static int add_to_prefix(void *arg, const struct prefix *source, const struct moat_hit *hit)
{
	struct prefixes *p = arg;
	struct prefix prefix = group_of(source);
	size_t at = XXH3_64bits(&prefix.addr, sizeof(prefix.addr)) % SLOTS;

	if (hit->last < p->seen_since)
		return 0;
	while (p->slot[at].sum.sources && prefix_compare(&p->slot[at].prefix, &prefix) != 0)
		at = (at + 1) % SLOTS;
	if (!p->slot[at].sum.sources) {
		if (p->count == PREFIXES_MAX) {
			sum_add(&p->left_out, hit);
			return 0;
		}
		p->count++;
		p->slot[at].prefix = prefix;
	}
	sum_add(&p->slot[at].sum, hit);
	return 0;
}

void top_by_prefix(struct daemon *d, const struct top_request *rq, struct http_reply *reply)
{
	_cleanup_free_ struct prefix_group *slot = calloc(SLOTS, sizeof(*slot));
	struct prefixes p = { .seen_since = rq->seen_since, .slot = slot };
	char text[PREFIX_TEXT_MAX];
	struct emit e;
	int err = slot ? tables_each_hit(d->tables, add_to_prefix, &p) : -ENOMEM;

	if (err) {
		failed(reply, err);
		return;
	}
	qsort(slot, SLOTS, sizeof(*slot), compare_sums);
	e = http_reply_json(reply);
	emit_begin(&e, NULL, '{');
	emit_text(&e, "by", "prefix");
	emit_whole(&e, "capacity", tables_hits(d->tables));
	emit_begin(&e, "prefixes", '[');
	for (size_t i = 0; i < p.count && i < rq->limit; i++) {
		emit_begin(&e, NULL, '{');
		emit_text(&e, "prefix", prefix_format(&slot[i].prefix, text));
		emit_sum(&e, &slot[i].sum);
		emit_end(&e, '}');
	}
	emit_end(&e, ']');
	emit_left_out(&e, &p.left_out);
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

/* ---- by feed ---- */

struct active {
	struct prefix source;
	struct moat_hit hit;
};

/* The most active sources, as a heap with the least active on top. */
struct actives {
	uint32_t seen_since;
	struct sum left_out;
	size_t count;
	struct active at[SOURCES_MAX];
};

static void sift(struct actives *a, size_t at)
{
	for (;;) {
		size_t least = at, child = 2 * at + 1;

		for (size_t c = child; c < child + 2 && c < a->count; c++)
			if (a->at[c].hit.packets < a->at[least].hit.packets)
				least = c;
		if (least == at)
			return;

		struct active kept = a->at[at];

		a->at[at] = a->at[least];
		a->at[least] = kept;
		at = least;
	}
}

static int take_active(void *arg, const struct prefix *source, const struct moat_hit *hit)
{
	struct actives *a = arg;

	if (hit->last < a->seen_since)
		return 0;
	if (a->count < SOURCES_MAX) {
		a->at[a->count++] = (struct active){ *source, *hit };
		for (size_t i = a->count == SOURCES_MAX ? SOURCES_MAX / 2 : 0; i-- > 0;)
			sift(a, i);
		return 0;
	}
	if (hit->packets <= a->at[0].hit.packets) {
		sum_add(&a->left_out, hit);
		return 0;
	}
	sum_add(&a->left_out, &a->at[0].hit);
	a->at[0] = (struct active){ *source, *hit };
	sift(a, 0);
	return 0;
}

struct feed_group {
	struct sum sum; /* first: compare_sums() */
	const char *name;
	const struct active *last; /* that was added: a feed may list a source twice */
};

struct feed_groups {
	const struct active *source; /* at hand */
	size_t count;
	struct feed_group *group; /* by the number of the feed; FEEDS_MAX + 1 */
};

static void add_to_feed(void *arg, uint16_t feed, const char *name)
{
	struct feed_groups *f = arg;
	struct feed_group *group = &f->group[feed];

	if (group->last == f->source)
		return;
	f->count += !group->name;
	group->name = name;
	group->last = f->source;
	sum_add(&group->sum, &f->source->hit);
}

static void emit_feeds(struct emit *e, const struct feed_groups *f, size_t limit)
{
	emit_begin(e, "feeds", '[');
	for (size_t i = 0; i < f->count && i < limit; i++) {
		emit_begin(e, NULL, '{');
		emit_text(e, "feed", f->group[i].name);
		emit_sum(e, &f->group[i].sum);
		emit_end(e, '}');
	}
	emit_end(e, ']');
}

void top_by_feed(struct daemon *d, const struct top_request *rq, struct http_reply *reply)
{
	_cleanup_free_ struct actives *active = calloc(1, sizeof(*active));
	_cleanup_free_ struct feed_group *group = calloc(FEEDS_MAX + 1, sizeof(*group));
	struct feed_groups f = { .group = group };
	struct emit e;
	int err = -ENOMEM;

	if (active && group) {
		active->seen_since = rq->seen_since;
		err = tables_each_hit(d->tables, take_active, active);
	}
	if (err) {
		failed(reply, err);
		return;
	}
	for (size_t i = 0; i < active->count; i++) {
		f.source = &active->at[i];
		sync_each_owner(d->sync, &f.source->source, add_to_feed, &f);
	}
	qsort(group, FEEDS_MAX + 1, sizeof(*group), compare_sums);
	e = http_reply_json(reply);
	emit_begin(&e, NULL, '{');
	emit_text(&e, "by", "feed");
	emit_whole(&e, "capacity", tables_hits(d->tables));
	emit_feeds(&e, &f, rq->limit);
	emit_left_out(&e, &active->left_out);
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}
