/* SPDX-License-Identifier: BSD-2-Clause */
#include <time.h>

#include "daemon/counters.h"
#include "daemon/rates_state.h"

#define MS	 1000
#define SPAN_MAX 60 /* seconds between looks; after a longer time nothing is known of them */

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * MS + now.tv_nsec / 1000000;
}

/* ---- series ---- */

static bool is_series(const struct series *s, const char *iface, const struct counter *counter,
		      const char *category)
{
	return !s->rest && s->verdict == counter->verdict && s->reason == counter->reason &&
	       !strcmp(s->iface, iface) && !strcmp(s->category, category);
}

static struct series *series_add(struct rates *r, const struct series *like)
{
	struct series *s = &r->series[r->count];
	int history = history_series(r->history);

	if (history < 0)
		return NULL;
	*s = *like;
	s->history = history;
	r->count++;
	return s;
}

static struct series *series_rest(struct rates *r, uint32_t verdict)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->series[i].rest && r->series[i].verdict == verdict)
			return &r->series[i];
	return series_add(r, &(struct series){ .verdict = verdict, .rest = true });
}

/* Found, or made if need be. NULL: out of memory. */
static struct series *series_of(struct rates *r, const char *iface, const struct counter *counter,
				const char *category)
{
	struct series like = { .verdict = counter->verdict, .reason = counter->reason };
	size_t rests = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (is_series(&r->series[i], iface, counter, category))
			return &r->series[i];
		rests += r->series[i].rest;
	}
	if (r->count - rests == RATES_SERIES_MAX)
		return series_rest(r, counter->verdict);
	snprintf(like.iface, sizeof(like.iface), "%s", iface);
	snprintf(like.category, sizeof(like.category), "%s", category);
	return series_add(r, &like);
}

/* ---- a look ---- */

/* Found by name, made if need be. NULL: out of memory. */
static struct seen *seen_of(struct rates *r, const char *iface)
{
	struct seen *grown;

	for (size_t i = 0; i < r->interfaces; i++)
		if (!strcmp(r->seen[i].iface, iface))
			return &r->seen[i];
	grown = reallocarray(r->seen, r->interfaces + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	r->seen = grown;
	grown = &r->seen[r->interfaces++];
	*grown = (struct seen){};
	snprintf(grown->iface, sizeof(grown->iface), "%s", iface);
	return grown;
}

/* Counters that are less than they were have begun anew. */
static uint64_t more(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

static void differ(const struct moat_stats *now, const struct moat_stats *before,
		   struct moat_stats *ret)
{
	for (size_t i = 0; i < MOAT_CELLS; i++) {
		ret[i].packets = more(now[i].packets, before[i].packets);
		ret[i].bytes = more(now[i].bytes, before[i].bytes);
	}
}

static void add_up(struct rates *r, const char *iface, const struct categories *categories,
		   const struct moat_stats *all, const struct moat_stats *news)
{
	for (size_t i = 0; i < MOAT_CELLS; i++) {
		struct counter counter = counter_of(i);
		struct series *s;

		if (!all[i].packets && !news[i].packets)
			continue;
		s = series_of(r, iface, &counter, counter_category(categories, &counter));
		if (!s)
			continue;
		s->packets += all[i].packets;
		s->bytes += all[i].bytes;
		s->new_packets += news[i].packets;
		s->new_bytes += news[i].bytes;
	}
}

/* What an interface had when it was first seen came before, and is nobody's rate. */
static void look_at(struct rates *r, const struct iface_view *view,
		    const struct categories *categories)
{
	struct moat_stats *now = counters_read(view);
	_cleanup_free_ struct moat_stats *news = calloc(MOAT_CELLS, sizeof(*news));
	_cleanup_free_ struct moat_stats *all = calloc(MOAT_CELLS, sizeof(*all));
	struct seen *seen = seen_of(r, view->name);

	if (seen)
		seen->there = true;
	if (!now || !news || !all || !seen) {
		free(now);
		return;
	}
	if (seen->cells)
		differ(now, seen->cells, news);
	memcpy(all, now, MOAT_CELLS * sizeof(*all));
	free(seen->cells);
	seen->cells = now;
	counters_join_monitored(categories, all);
	counters_join_monitored(categories, news);
	add_up(r, view->name, categories, all, news);
}

static void forget_interfaces(struct rates *r)
{
	for (size_t i = r->interfaces; i-- > 0;) {
		if (r->seen[i].there)
			continue;
		free(r->seen[i].cells);
		r->seen[i] = r->seen[--r->interfaces];
	}
}

static void look_at_all(struct rates *r)
{
	struct categories categories;
	struct iface_view view;

	counters_categories(r->d, &categories);
	for (size_t i = 0; i < r->count; i++) {
		struct series *s = &r->series[i];

		s->packets = s->bytes = s->new_packets = s->new_bytes = 0;
	}
	for (size_t i = 0; i < r->interfaces; i++)
		r->seen[i].there = false;
	for (size_t i = 0; i < ifaces_count(r->d->ifaces); i++) {
		ifaces_view(r->d->ifaces, i, &view);
		look_at(r, &view, &categories);
	}
	forget_interfaces(r);
}

/* The wall clock may be set; as long as it is not, a second keeps its name. */
static void set_clock(struct rates *r, int64_t boot_ms)
{
	int64_t off = clock_ms(CLOCK_REALTIME) - boot_ms - r->to_unix * MS;

	if (off <= -MS || off >= MS)
		r->to_unix += off / MS;
}

static void tell(const struct rates *r)
{
	struct text live = {};

	if (!r->on_look)
		return;
	rates_live(r, &live);
	if (!live.failed)
		r->on_look(r->arg, &live);
	text_free(&live);
}

void rates_look(struct rates *r, int64_t boot_ms)
{
	int64_t second = boot_ms / MS, over = second - r->second;
	bool first = r->second < 0;

	if (!first && over <= 0)
		return;
	look_at_all(r);
	set_clock(r, boot_ms);
	r->span = first || over > SPAN_MAX ? 0 : (unsigned int)over;
	if (first)
		r->first = second;
	if (r->span) {
		history_open(r->history, r->second, r->span);
		for (size_t i = 0; i < r->count; i++)
			if (r->series[i].new_packets)
				history_add(r->history, r->series[i].history,
					    (double)r->series[i].new_packets,
					    (double)r->series[i].new_bytes);
	}
	r->second = second;
	tell(r);
}

static void on_timer(void *arg)
{
	struct rates *r = arg;

	rates_look(r, clock_ms(CLOCK_BOOTTIME));
	/* Soon after the next one begins: a look a second, and each in another. */
	loop_timer_set(r->d->loop, r->timer, MS - clock_ms(CLOCK_BOOTTIME) % MS);
}

/* ---- the whole ---- */

int rates_new(struct daemon *d, struct rates **ret)
{
	_cleanup_(rates_freep) struct rates *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->d = d;
	r->second = -1;
	err = history_new(&r->history);
	if (err)
		return err;
	*ret = take_ptr(r);
	return 0;
}

int rates_start(struct rates *r)
{
	r->timer = loop_timer(r->d->loop, 0, MS, on_timer, r);
	return r->timer < 0 ? r->timer : 0;
}

struct rates *rates_free(struct rates *r)
{
	if (!r)
		return NULL;
	if (r->timer > 0)
		loop_timer_remove(r->d->loop, r->timer);
	for (size_t i = 0; i < r->interfaces; i++)
		free(r->seen[i].cells);
	for (size_t i = 0; i < RATES_CACHE; i++)
		text_free(&r->answer[i].text);
	free(r->seen);
	history_free(r->history);
	free(r);
	return NULL;
}

void rates_on_look(struct rates *r, void (*fn)(void *arg, const struct text *live), void *arg)
{
	r->on_look = fn;
	r->arg = arg;
}
