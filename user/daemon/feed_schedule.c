/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feed_schedule.h"

#define FNV_START 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t every_of(const struct feed_timing *t)
{
	return least(most(t->every, FEED_EVERY_MIN), FEED_EVERY_MAX);
}

/* The finalizer of splitmix64: neighbours in, unrelated bits out. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* 0..range */
static int64_t jitter(const struct feed_timing *t, int64_t range)
{
	return (int64_t)(mix(t->seed ^ mix(t->attempt)) % ((uint64_t)range + 1));
}

static int64_t retry_delay(const struct feed_timing *t, int64_t every)
{
	int64_t delay = least(every, FEED_RETRY_FIRST);
	int64_t cap = t->retry_cap > 0 ? t->retry_cap : FEED_RETRY_CAP;

	if (every < FEED_RETRY_OFTEN)
		cap = least(cap, every * FEED_RETRY_TIMES);
	cap = most(every, cap);
	for (unsigned int i = 1; i < t->failures && delay < cap; i++)
		delay *= 2;
	return least(delay, cap);
}

int64_t feed_schedule_next(const struct feed_timing *t)
{
	int64_t every = every_of(t);
	int64_t delay = t->failures ? retry_delay(t, every) : every;

	delay = most(delay, least(t->retry_after, FEED_RETRY_AFTER_MAX));
	return delay + jitter(t, delay / FEED_JITTER_PART);
}

int64_t feed_schedule_first(const struct feed_timing *t, int64_t last, int64_t now)
{
	int64_t every = every_of(t);
	int64_t spread = jitter(t, least(FEED_START_SPREAD, every / FEED_JITTER_PART));

	if (last <= 0 || last > now || now - last >= every)
		return 1 + spread;
	return most(every - (now - last), 1) + spread;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	/* The NUL too: "ab", "c" is not "a", "bc". */
	do
		hash = (hash ^ (unsigned char)*text) * FNV_PRIME;
	while (*text++);
	return hash;
}

uint64_t feed_schedule_seed(const char *feed, const char *host)
{
	return mix(hash_text(hash_text(FNV_START, feed), host));
}
