/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET /api/v1/top: which way of adding up; the most active of the listed sources.
 */
#include "daemon/api_hits.h"

#include <microhttpd.h>
#include <time.h>

#include "core/units.h"
#include "daemon/api.h"
#include "daemon/api_listing.h"
#include "daemon/api_store.h"
#include "daemon/api_top.h"
#include "moat/source.h"
#include "plane/hits.h"

#define LIMIT_PRESET  20
#define LIMIT_MAX     1000
#define NS_PER_SECOND 1000000000LL

/* ---- one source ---- */

/* Unix seconds of a tick of the boot clock. */
static int64_t tick_time(uint32_t tick)
{
	struct timespec boot;
	int64_t since;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	since = boot.tv_sec * NS_PER_SECOND + boot.tv_nsec - ((int64_t)tick << MOAT_TICK_SHIFT);
	return api_now() - since / NS_PER_SECOND;
}

static int64_t whole(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

void hits_emit(struct emit *e, const struct moat_hit *hit)
{
	emit_whole(e, "hits", hit ? whole(hit->packets) : 0);
	emit_bool(e, "hits_exact", hit && !hit->sampled);
	emit_whole(e, "bytes", hit ? whole(hit->bytes) : 0);
	listing_emit_time(e, "first_seen", hit ? tick_time(hit->first) : 0);
	listing_emit_time(e, "last_seen", hit ? tick_time(hit->last) : 0);
}

/* ---- the most active ---- */

struct place {
	struct prefix source;
	struct moat_hit hit;
	uint64_t set; /* its categories */
};

/* Places are in order, the first has the most hits. */
struct top {
	struct daemon *d;
	uint32_t seen_since;
	size_t limit, count;
	struct place place[LIMIT_MAX];
};

/* Whether the source is still a key of its own; then *ret_set is what it stands for. */
static bool is_listed(const struct daemon *d, const struct prefix *source, uint64_t *ret_set)
{
	struct prefix key;
	struct plan plan;

	if (!sync_judge(d->sync, source, &key, &plan) || prefix_compare(&key, source) != 0)
		return false;
	*ret_set = plan.phase[0].set;
	return true;
}

static int consider(void *arg, const struct prefix *source, const struct moat_hit *hit)
{
	struct top *top = arg;
	size_t at = top->count;
	uint64_t set;

	if (hit->last < top->seen_since)
		return 0;
	if (at == top->limit && hit->packets <= top->place[at - 1].hit.packets)
		return 0;
	if (!is_listed(top->d, source, &set))
		return 0;
	if (at == top->limit)
		at--;
	else
		top->count++;
	for (; at && top->place[at - 1].hit.packets < hit->packets; at--)
		top->place[at] = top->place[at - 1];
	top->place[at] = (struct place){ *source, *hit, set };
	return 0;
}

static void emit_place(struct emit *e, const struct daemon *d, const struct place *place)
{
	char source[PREFIX_TEXT_MAX];

	emit_begin(e, NULL, '{');
	emit_text(e, "source", prefix_format(&place->source, source));
	hits_emit(e, &place->hit);
	listing_emit_set(e, "categories", sync_categories(d->sync), place->set);
	emit_end(e, '}');
}

void top_by_source(struct daemon *d, const struct top_request *rq, struct http_reply *reply)
{
	_cleanup_free_ struct top *top = calloc(1, sizeof(*top));
	struct problem why = {};
	struct emit e;
	int err;

	if (!top) {
		http_reply_error(reply, -ENOMEM, &why);
		return;
	}
	top->d = d;
	top->limit = rq->limit;
	top->seen_since = rq->seen_since;
	err = tables_each_hit(d->tables, consider, top);
	if (err) {
		problem_set(&why, err, "the hits cannot be read: %s", strerror(-err));
		http_reply_error(reply, err, &why);
		return;
	}
	e = http_reply_json(reply);
	emit_begin(&e, NULL, '{');
	emit_text(&e, "by", "source");
	emit_whole(&e, "capacity", tables_hits(d->tables));
	emit_begin(&e, "sources", '[');
	for (size_t i = 0; i < top->count; i++)
		emit_place(&e, d, &top->place[i]);
	emit_end(&e, ']');
	emit_end(&e, '}');
	text_add(&reply->body, "\n");
}

/* ---- by what ---- */

/* seen=60s: the tick of then. */
static bool read_seen(const struct http_request *rq, uint32_t *ret, struct http_reply *reply)
{
	const char *seen = http_query(rq, "seen");
	struct timespec boot;
	int64_t seconds;

	*ret = 0;
	if (!seen)
		return true;
	if (units_duration(seen, &seconds)) {
		http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
				   "seen='%.40s': a duration (60s, 10m, 1h) is expected", seen);
		return false;
	}
	clock_gettime(CLOCK_BOOTTIME, &boot);
	if (boot.tv_sec > seconds)
		*ret = (uint32_t)((uint64_t)(boot.tv_sec - seconds) * NS_PER_SECOND >>
				  MOAT_TICK_SHIFT);
	return true;
}

void api_top(struct daemon *d, const struct http_request *rq, struct http_reply *reply)
{
	static const struct {
		const char *by;
		void (*answer)(struct daemon *d, const struct top_request *rq,
			       struct http_reply *reply);
	} ways[] = {
		{ "source", top_by_source },
		{ "prefix", top_by_prefix },
		{ "feed", top_by_feed },
		{ "category", top_by_category },
	};
	const char *by = http_query(rq, "by") ?: "source";
	struct top_request top;

	if (!api_limit(rq, LIMIT_PRESET, LIMIT_MAX, &top.limit, reply) ||
	    !read_seen(rq, &top.seen_since, reply))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (strcmp(ways[i].by, by) == 0) {
			ways[i].answer(d, &top, reply);
			return;
		}
	}
	http_reply_problem(reply, MHD_HTTP_BAD_REQUEST, NULL,
			   "by='%.40s': source, prefix, feed or category is expected", by);
}
