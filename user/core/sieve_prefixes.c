// SPDX-License-Identifier: BSD-2-Clause
#include "core/sieve_prefixes.h"

#define BITS_FIRST 9 /* log2 of the slots of the smallest table */
#define BITS_MAX   31
#define NO_SLOT	   UINT64_MAX

static uint64_t room_of(const struct prefix_set *s)
{
	return s->shift == 64 ? 0 : 1ULL << (64 - s->shift);
}

static uint32_t word_of(uint32_t number, uint32_t len)
{
	return number << 5 | len;
}

/* Two rounds: neighbouring addresses, which lists are full of, must not stand in runs. */
static uint64_t index_of(const struct prefix_set *s, uint32_t addr, uint32_t len)
{
	uint64_t hash = ((uint64_t)len << 32 | addr) * s->key[0];

	return (hash ^ hash >> 32) * s->key[1] >> s->shift;
}

void prefix_set_init(struct prefix_set *s, const uint64_t key[static 2])
{
	*s = (struct prefix_set){ .shift = 64 };
	s->key[0] = (key[0] ^ 0x9E3779B97F4A7C15) | 1; /* good ones also without any key */
	s->key[1] = (key[1] ^ 0xC2B2AE3D27D4EB4F) | 1;
}

void prefix_set_fini(struct prefix_set *s)
{
	free(s->slots);
	*s = (struct prefix_set){ .shift = 64 };
}

static void place(struct prefix_set *s, struct prefix_slot slot)
{
	uint64_t mask = room_of(s) - 1;
	uint64_t at = index_of(s, slot.addr, slot.word & 31);

	while (s->slots[at].word)
		at = (at + 1) & mask;
	s->slots[at] = slot;
}

static int resize(struct prefix_set *s, uint32_t bits)
{
	_cleanup_free_ struct prefix_slot *old = NULL;
	uint64_t room = room_of(s);
	struct prefix_slot *slots;

	if (bits > BITS_MAX)
		return -ENOMEM;
	slots = calloc(1ULL << bits, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	old = s->slots;
	s->slots = slots;
	s->shift = 64 - bits;
	for (uint64_t i = 0; i < room; i++) {
		if (old[i].word)
			place(s, old[i]);
	}
	return 0;
}

int prefix_set_reserve(struct prefix_set *s)
{
	uint64_t room = room_of(s);

	if (s->used < room / 4 * 3)
		return 0;
	return resize(s, room ? 64 - s->shift + 1 : BITS_FIRST);
}

void prefix_set_add(struct prefix_set *s, uint32_t addr, uint32_t len, uint32_t number)
{
	place(s, (struct prefix_slot){ addr, word_of(number, len) });
	s->used++;
	s->lengths |= 1U << len;
	s->count[len]++;
}

/* Where a prefix stands, or NO_SLOT. */
static uint64_t search(const struct prefix_set *s, uint64_t at, uint32_t addr, uint32_t len)
{
	uint64_t mask = room_of(s) - 1;

	for (; s->slots[at].word; at = (at + 1) & mask) {
		if (s->slots[at].addr == addr && (s->slots[at].word & 31) == len)
			return at;
	}
	return NO_SLOT;
}

uint32_t prefix_set_find(const struct prefix_set *s, uint32_t addr, uint32_t len)
{
	uint64_t at;

	if (!s->count[len])
		return 0;
	at = search(s, index_of(s, addr, len), addr, len);
	return at == NO_SLOT ? 0 : s->slots[at].word >> 5;
}

/* Slots behind a hole move into it where they may, so that no search ends too early. */
static void close_hole(struct prefix_set *s, uint64_t hole)
{
	uint64_t mask = room_of(s) - 1;

	for (uint64_t at = (hole + 1) & mask; s->slots[at].word; at = (at + 1) & mask) {
		uint64_t home = index_of(s, s->slots[at].addr, s->slots[at].word & 31);

		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		s->slots[hole] = s->slots[at];
		hole = at;
	}
	s->slots[hole] = (struct prefix_slot){};
}

uint32_t prefix_set_remove(struct prefix_set *s, uint32_t addr, uint32_t len)
{
	uint32_t number;
	uint64_t at;

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
	if (s->used < room_of(s) / 8 && 64 - s->shift > BITS_FIRST)
		(void)resize(s, 64 - s->shift - 1);
	return number;
}

uint32_t prefix_set_cover(const struct prefix_set *s, uint32_t addr, uint32_t len)
{
	uint32_t shorter = s->lengths & ((1U << len) - 1);
	uint64_t at[PREFIX_SET_LENGTHS];

	/* All slots at once: a search one after the other would wait for memory at each. */
	for (uint32_t left = shorter; left; left &= left - 1) {
		uint32_t l = __builtin_ctz(left);

		at[l] = index_of(s, addr & ~(UINT32_MAX >> l), l);
		__builtin_prefetch(&s->slots[at[l]]);
	}
	while (shorter) {
		uint32_t l = 31 - __builtin_clz(shorter);
		uint64_t found = search(s, at[l], addr & ~(UINT32_MAX >> l), l);

		if (found != NO_SLOT)
			return s->slots[found].word >> 5;
		shorter &= ~(1U << l);
	}
	return 0;
}

size_t prefix_set_memory(const struct prefix_set *s)
{
	return room_of(s) * sizeof(*s->slots);
}

uint64_t prefix_set_memory_of(uint64_t prefixes)
{
	uint64_t room = 1ULL << BITS_FIRST;

	while (room / 4 * 3 < prefixes && room < 1ULL << BITS_MAX)
		room *= 2;
	return (room + room / 2) * sizeof(struct prefix_slot);
}
