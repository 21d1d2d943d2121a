/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/window.h"

struct kept {
	struct moat_sample sample;
	double weight;
};

struct slot {
	int64_t period;	       /* now / WINDOW_SLOT of its samples */
	unsigned int halvings; /* one of 2^halvings is taken */
	size_t count;
	struct kept *kept; /* owned: WINDOW_SLOT_MAX of them; NULL: not used yet */
};

struct window {
	uint64_t random;
	bool open;
	int64_t since;
	struct slot slot[WINDOW_SLOTS];
};

int window_new(uint64_t seed, struct window **ret)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->random = seed ? seed : 1;
	*ret = w;
	return 0;
}

struct window *window_free(struct window *w)
{
	if (!w)
		return NULL;
	for (size_t i = 0; i < WINDOW_SLOTS; i++)
		free(w->slot[i].kept);
	free(w);
	return NULL;
}

void window_open(struct window *w, int64_t now)
{
	if (w->open)
		return;
	w->open = true;
	w->since = now;
}

void window_close(struct window *w)
{
	w->open = false;
	for (size_t i = 0; i < WINDOW_SLOTS; i++)
		w->slot[i].count = 0;
}

/* xorshift64*, Vigna 2016. */
static uint64_t next_random(struct window *w)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return w->random * 0x2545F4914F6CDD1DULL;
}

static void halve(struct window *w, struct slot *slot)
{
	size_t left = 0;

	for (size_t i = 0; i < slot->count; i++) {
		if (next_random(w) >> 63)
			continue;
		slot->kept[left] = slot->kept[i];
		slot->kept[left++].weight *= 2;
	}
	slot->count = left;
	slot->halvings++;
}

static bool is_live(const struct slot *slot, int64_t now)
{
	return slot->count && slot->period > now / WINDOW_SLOT - WINDOW_SLOTS;
}

static struct slot *slot_of(struct window *w, int64_t now)
{
	int64_t period = now / WINDOW_SLOT;
	struct slot *slot = &w->slot[period % WINDOW_SLOTS];

	if (!slot->kept)
		slot->kept = calloc(WINDOW_SLOT_MAX, sizeof(*slot->kept));
	if (!slot->kept)
		return NULL;
	if (slot->period != period) {
		slot->period = period;
		slot->halvings = 0;
		slot->count = 0;
	}
	return slot;
}

void window_add(struct window *w, int64_t now, const struct moat_sample *sample, double weight)
{
	struct slot *slot = now >= 0 ? slot_of(w, now) : NULL;

	if (!slot)
		return;
	while (slot->count == WINDOW_SLOT_MAX && slot->halvings < 63)
		halve(w, slot);
	if (slot->count == WINDOW_SLOT_MAX || next_random(w) & ((1ULL << slot->halvings) - 1)
								       << (63 - slot->halvings))
		return;
	slot->kept[slot->count++] = (struct kept){
		.sample = *sample,
		.weight = weight * (double)(1ULL << slot->halvings),
	};
}

void window_numbers(const struct window *w, int64_t now, struct window_numbers *ret)
{
	int64_t seconds = w->open && now > w->since ? now - w->since : 0;

	*ret = (struct window_numbers){
		.seconds = seconds < WINDOW_SECONDS ? seconds : WINDOW_SECONDS,
	};
	for (size_t i = 0; i < WINDOW_SLOTS; i++)
		if (is_live(&w->slot[i], now))
			ret->samples += w->slot[i].count;
}

void window_each(const struct window *w, int64_t now, window_fn fn, void *arg)
{
	for (size_t i = 0; i < WINDOW_SLOTS; i++)
		for (size_t k = 0; is_live(&w->slot[i], now) && k < w->slot[i].count; k++)
			fn(arg, &w->slot[i].kept[k].sample, w->slot[i].kept[k].weight);
}
