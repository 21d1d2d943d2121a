/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IPv6 part of the sieve: which region is in force, and the way to the
 * next one.
 *
 *	idle -> clearing -> copying -> idle, with the other region in force
 *
 * The next region is written along with the one in force from the moment
 * copying starts, so that both have all there is when the view is stored.
 */
#include "core/sieve_six_region.h"

/* Of these, for each write while a resize goes on: enough that it ends long before the next. */
#define CLEAR_BUCKETS 16
#define COPY_BUCKETS  16
#define COPY_PREFIXES 6

/* When a grace period pays: for so many freed slots, or for prefixes that wait for one after so many writes. */
#define FREED_MANY   65536U
#define WAITING_MANY 1024U
#define WRITES_MANY  1024U /* when many wait */
#define WRITES_MOST  65536U

#define RETRY_WRITES 4096U /* after there was no memory for another region */

enum resize {
	RESIZE_NOT,
	RESIZE_CLEAR,
	RESIZE_COPY,
};

struct sieve_six {
	const struct sieve_maps *maps; /* not owned */
	struct six_region now;
	struct six_region next;
	enum resize resize;
	uint32_t cursor; /* of clearing, of copying */
	uint32_t top;	 /* highest level that the maps have room for */
	uint32_t dirty;	 /* levels whose elements are not 0 */
	uint32_t stale;	 /* levels that programs may still be reading */
	bool blocked;	 /* a resize waits for a grace period */
	uint64_t sources;
	uint64_t resizes;
	uint32_t writes_since_grace;
	uint32_t writes_until_retry;
};

int six_new(const struct sieve_maps *maps, struct sieve_six **ret)
{
	struct sieve_six *s;

	if (maps->size.buckets < 2U << MOAT_LEVEL_MIN)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->maps = maps;
	s->top = 30 - (uint32_t)__builtin_clz(maps->size.buckets);
	if (s->top > MOAT_LEVEL_MAX)
		s->top = MOAT_LEVEL_MAX;
	s->dirty = 1U << MOAT_LEVEL_MIN;
	if (!region_open(&s->now, maps, MOAT_LEVEL_MIN)) {
		six_free(s);
		return -ENOMEM;
	}
	s->now.read = true;
	publish64(&maps->sieve->buckets, s->now.view);
	*ret = s;
	return 0;
}

struct sieve_six *six_free(struct sieve_six *s)
{
	if (!s)
		return NULL;
	region_close(&s->now);
	region_close(&s->next);
	free(s);
	return NULL;
}

/* ---- resizing ---- */

static uint32_t wanted_level(const struct sieve_six *s)
{
	uint64_t slots = region_slots(&s->now);
	uint32_t level = s->now.level;

	if (s->now.lost) /* only this region still leads to them */
		return level;
	if (s->sources > slots / 2 && level < s->top)
		return level + 1;
	if (s->sources < slots / 8 && level > MOAT_LEVEL_MIN)
		return level - 1;
	return level;
}

static void start_copying(struct sieve_six *s)
{
	s->resize = RESIZE_COPY;
	s->cursor = 0;
	s->now.copied = true;
}

static void start(struct sieve_six *s)
{
	uint32_t level = wanted_level(s);

	s->blocked = level != s->now.level && s->stale >> level & 1;
	if (level == s->now.level || s->blocked)
		return;
	if (s->writes_until_retry) {
		s->writes_until_retry--;
		return;
	}
	if (!region_open(&s->next, s->maps, level)) {
		s->writes_until_retry = RETRY_WRITES;
		return;
	}
	if (s->dirty >> level & 1) {
		s->resize = RESIZE_CLEAR;
		s->cursor = 0;
		return;
	}
	s->dirty |= 1U << level;
	start_copying(s);
}

static void clear_some(struct sieve_six *s)
{
	uint32_t base = region_buckets(&s->next);

	for (int i = 0; i < CLEAR_BUCKETS && s->cursor < base; i++, s->cursor++) {
		memset(&s->maps->buckets[base + s->cursor], 0, sizeof(struct moat_bucket6));
		s->maps->filter[base + s->cursor] = 0;
	}
	if (s->cursor == base)
		start_copying(s);
}

/* What it has no memory for would be lost with the other region. */
static void give_up(struct sieve_six *s)
{
	region_close(&s->next);
	s->now.copied = false;
	s->resize = RESIZE_NOT;
	s->writes_until_retry = RETRY_WRITES;
}

static void finish(struct sieve_six *s)
{
	s->next.read = true;
	publish64(&s->maps->sieve->buckets, s->next.view);
	s->stale |= 1U << s->now.level;
	region_close(&s->now);
	s->now = s->next;
	s->next = (struct six_region){ 0 };
	s->resize = RESIZE_NOT;
	s->resizes++;
}

static void copy_some(struct sieve_six *s)
{
	int copied = 0;

	for (int i = 0;
	     i < COPY_BUCKETS && copied < COPY_PREFIXES && s->cursor < region_buckets(&s->now); i++)
		copied += region_copy_bucket(&s->next, &s->now, s->cursor++);
	if (s->cursor < region_buckets(&s->now))
		return;
	region_copy_spilled(&s->next, &s->now);
	if (s->next.lost)
		give_up(s);
	else
		finish(s);
}

static void resize_some(struct sieve_six *s)
{
	switch (s->resize) {
	case RESIZE_NOT:
		start(s);
		break;
	case RESIZE_CLEAR:
		clear_some(s);
		break;
	case RESIZE_COPY:
		copy_some(s);
		break;
	}
	s->writes_since_grace++;
}

/* ---- coming and going ---- */

static struct six_key key_of(const struct sieve_six *s, const struct prefix *source)
{
	__be32 word[4];

	memcpy(word, source->addr, sizeof(word));
	return six_key_of(s->maps->sieve, moat_half(word[0], word[1]), moat_half(word[2], word[3]),
			  source->len);
}

void six_put(struct sieve_six *s, const struct prefix *source, uint32_t class, uint32_t expires)
{
	struct six_key key = key_of(s, source);
	union moat_meta meta = { .expires = expires,
				 .class = (uint16_t) class,
				 .mark = MOAT_MARK(key.len, key.hash) };

	s->sources += region_put(&s->now, &key, meta.word);
	if (s->resize == RESIZE_COPY)
		region_put(&s->next, &key, meta.word);
	resize_some(s);
}

void six_delete(struct sieve_six *s, const struct prefix *source)
{
	struct six_key key = key_of(s, source);

	s->sources -= region_delete(&s->now, &key);
	if (s->resize == RESIZE_COPY)
		region_delete(&s->next, &key);
	resize_some(s);
}

void six_hint(const struct sieve_six *s, const struct prefix *source)
{
	struct six_key key = key_of(s, source);

	region_prefetch(&s->now, &key);
	if (s->resize == RESIZE_COPY)
		region_prefetch(&s->next, &key);
}

bool six_wants_grace(const struct sieve_six *s)
{
	uint32_t writes = s->now.waiting >= WAITING_MANY ? WRITES_MANY : WRITES_MOST;

	return s->blocked || s->now.freed_count >= FREED_MANY ||
	       (s->now.waiting && s->now.freed_count && s->writes_since_grace >= writes);
}

void six_grace(struct sieve_six *s)
{
	region_grace(&s->now);
	s->stale = 0;
	s->blocked = false;
	s->writes_since_grace = 0;
}

void six_numbers(const struct sieve_six *s, struct sieve_numbers *ret)
{
	ret->sources6 += s->sources;
	ret->slots6 += region_slots(&s->now);
	ret->asked += s->now.waiting + s->now.lost;
	ret->resizes += s->resizes;
	ret->resizing |= s->resize != RESIZE_NOT;
}

/* Both regions of a resize between the two highest levels. */
uint64_t six_memory_beside(const struct sieve_size *size)
{
	return region_memory(size->buckets / 2) + region_memory(size->buckets / 4);
}
