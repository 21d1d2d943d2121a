// SPDX-License-Identifier: BSD-2-Clause
#include "core/sieve_prefixes.h"

#define ROOM_FIRST 512U
#define ROOM_MOST  (1U << 31)
#define NO_SLOT	   UINT32_MAX

static uint32_t word_of(uint32_t number, uint32_t len)
{
	return number << 5 | len;
}

/* Two rounds: neighbouring addresses, which lists are full of, must not stand in runs. */
static uint32_t index_of(const struct prefix_set *s, uint32_t addr, uint32_t len)
{
	uint64_t hash = ((uint64_t)len << 32 | addr) * s->key[0];

	hash = (hash ^ hash >> 32) * s->key[1];
	return (hash >> 32) * s->room >> 32;
}

static uint32_t next(const struct prefix_set *s, uint32_t at)
{
	return at + 1 == s->room ? 0 : at + 1;
}

static uint32_t distance(const struct prefix_set *s, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + (s->room - from);
}

void prefix_set_init(struct prefix_set *s, const uint64_t key[static 2])
{
	*s = (struct prefix_set){ 0 };
	s->key[0] = (key[0] ^ 0x9E3779B97F4A7C15) | 1; /* good ones also without any key */
	s->key[1] = (key[1] ^ 0xC2B2AE3D27D4EB4F) | 1;
}

void prefix_set_fini(struct prefix_set *s)
{
	free(s->slots);
	*s = (struct prefix_set){ 0 };
}

static void place(struct prefix_set *s, struct prefix_slot slot)
{
	uint32_t at = index_of(s, slot.addr, slot.word & 31);

	while (s->slots[at].word)
		at = next(s, at);
	s->slots[at] = slot;
}

static int resize(struct prefix_set *s, uint32_t room)
{
	_cleanup_free_ struct prefix_slot *old = NULL;
	struct prefix_slot *slots = calloc(room, sizeof(*slots));
	uint32_t old_room = s->room;

	if (!slots)
		return -ENOMEM;
	old = s->slots;
	s->slots = slots;
	s->room = room;
	for (uint32_t i = 0; i < old_room; i++) {
		if (old[i].word)
			place(s, old[i]);
	}
	return 0;
}

static bool is_full(uint32_t room, uint64_t used)
{
	return used >= room / 4 * 3;
}

static uint32_t larger(uint32_t room)
{
	return room ? room + room / 4 : ROOM_FIRST;
}

int prefix_set_reserve(struct prefix_set *s)
{
	if (!is_full(s->room, s->used))
		return 0;
	return s->room < ROOM_MOST ? resize(s, larger(s->room)) : -ENOMEM;
}

void prefix_set_add(struct prefix_set *s, uint32_t addr, uint32_t len, uint32_t number)
{
	place(s, (struct prefix_slot){ addr, word_of(number, len) });
	s->used++;
	s->lengths |= 1U << len;
	s->count[len]++;
}

/* Where a prefix stands, or NO_SLOT. */
static uint32_t search(const struct prefix_set *s, uint32_t at, uint32_t addr, uint32_t len)
{
	for (; s->slots[at].word; at = next(s, at)) {
		if (s->slots[at].addr == addr && (s->slots[at].word & 31) == len)
			return at;
	}
	return NO_SLOT;
}

uint32_t prefix_set_find(const struct prefix_set *s, uint32_t addr, uint32_t len)
{
	uint32_t at;

	if (!s->count[len])
		return 0;
	at = search(s, index_of(s, addr, len), addr, len);
	return at == NO_SLOT ? 0 : s->slots[at].word >> 5;
}

/* Slots behind a hole move into it where they may, so that no search ends too early. */
static void close_hole(struct prefix_set *s, uint32_t hole)
{
	for (uint32_t at = next(s, hole); s->slots[at].word; at = next(s, at)) {
		uint32_t home = index_of(s, s->slots[at].addr, s->slots[at].word & 31);

		if (distance(s, home, at) < distance(s, hole, at))
			continue;
		s->slots[hole] = s->slots[at];
		hole = at;
	}
	s->slots[hole] = (struct prefix_slot){ 0 };
}

uint32_t prefix_set_remove(struct prefix_set *s, uint32_t addr, uint32_t len)
{
	uint32_t number;
	uint32_t at;

	if (!s->count[len])
		return 0;
	at = search(s, index_of(s, addr, len), addr, len);
	if (at == NO_SLOT)
		return 0;
	number = s->slots[at].word >> 5;
	close_hole(s, at);
	s->used--;
	if (!--s->count[len])
		s->lengths &= ~(1U << len);
	/* Without memory for a smaller table the large one stays. */
	if (s->used < s->room / 4 && s->room / 2 >= ROOM_FIRST)
		(void)resize(s, s->room / 2);
	return number;
}

uint32_t prefix_set_cover(const struct prefix_set *s, uint32_t addr, uint32_t len)
{
	uint32_t shorter = s->lengths & ((1U << len) - 1);
	uint32_t at[PREFIX_SET_LENGTHS];

	/* All slots at once: a search one after the other would wait for memory at each. */
	for (uint32_t left = shorter; left; left &= left - 1) {
		uint32_t l = __builtin_ctz(left);

		at[l] = index_of(s, addr & ~(UINT32_MAX >> l), l);
		__builtin_prefetch(&s->slots[at[l]]);
	}
	while (shorter) {
		uint32_t l = 31 - __builtin_clz(shorter);
		uint32_t found = search(s, at[l], addr & ~(UINT32_MAX >> l), l);

		if (found != NO_SLOT)
			return s->slots[found].word >> 5;
		shorter &= ~(1U << l);
	}
	return 0;
}

uint64_t prefix_set_memory_of(uint64_t prefixes)
{
	uint32_t room = ROOM_FIRST, old = 0;

	while (is_full(room, prefixes) && room < ROOM_MOST) {
		old = room;
		room = larger(room);
	}
	return ((uint64_t)room + old) * sizeof(struct prefix_slot);
}
