/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/staging.h"

#include "core/pool.h"

#define KEY_WORDS_MAX (sizeof(struct moat_key6) / sizeof(uint32_t))
#define WITHDRAWN     UINT32_MAX /* as the length of a delete */
#define SEEN_FIRST    1024
#define KEEP_ROOM     65536 /* entries of arrays kept for the next batch */

_Static_assert(offsetof(struct moat_key4, len) == 0 && offsetof(struct moat_key6, len) == 0,
	       "the first word of a key is its length");

void staging_init(struct staging *s, uint8_t family)
{
	size_t size = family == MOAT_IPV4 ? sizeof(struct moat_key4) : sizeof(struct moat_key6);

	*s = (struct staging){ .words = size / sizeof(uint32_t) };
}

void staging_fini(struct staging *s)
{
	free(s->put);
	free(s->value);
	free(s->delete);
	free(s->seen);
	*s = (struct staging){ .words = s->words };
}

static void key_from_prefix(const struct staging *s, const struct prefix *source, uint32_t *ret)
{
	if (s->words == KEY_WORDS_MAX) {
		struct moat_key6 key = prefix_key6(source);

		memcpy(ret, &key, sizeof(key));
	} else {
		struct moat_key4 key = prefix_key4(source);

		memcpy(ret, &key, sizeof(key));
	}
}

static uint32_t *delete_at(const struct staging *s, uint32_t index)
{
	return s->delete + (size_t)index * s->words;
}

/* ---- which keys have a delete staged ---- */

static uint32_t hash(const struct staging *s, const uint32_t *key)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->words; i++)
		sum = (sum ^ key[i]) * 0x9E3779B97F4A7C15ULL; /* 2^64 / golden ratio */
	return sum >> 32;
}

/* The place of a key, or the empty one where it belongs. */
static uint32_t *seen_place(const struct staging *s, const uint32_t *key)
{
	uint32_t mask = s->seen_room - 1;
	uint32_t at = hash(s, key) & mask;

	while (s->seen[at] && memcmp(delete_at(s, s->seen[at] - 1), key, s->words * sizeof(*key)))
		at = (at + 1) & mask;
	return &s->seen[at];
}

/* At most half full once one more delete is in it. */
static int seen_reserve(struct staging *s)
{
	uint64_t room = s->seen_room ? s->seen_room : SEEN_FIRST;
	uint32_t *table;

	while (room < 2 * ((uint64_t)s->deletes + 1))
		room *= 2;
	if (room == s->seen_room)
		return 0;
	if (room > UINT32_MAX)
		return -ENOMEM;
	table = calloc(room, sizeof(*table));
	if (!table)
		return -ENOMEM;
	free(s->seen);
	s->seen = table;
	s->seen_room = room;
	s->seen_count = 0;
	return 0;
}

/* Puts what was deleted since the last time into the table. */
static void seen_update(struct staging *s)
{
	for (; s->seen_count < s->deletes; s->seen_count++) {
		const uint32_t *key = delete_at(s, s->seen_count);

		if (key[0] != WITHDRAWN)
			*seen_place(s, key) = s->seen_count + 1;
	}
}

static void withdraw_delete(struct staging *s, const uint32_t *key)
{
	uint32_t place;

	seen_update(s);
	place = *seen_place(s, key);
	if (!place)
		return;
	/* The table finds it no more: no key has such a length. */
	delete_at(s, place - 1)[0] = WITHDRAWN;
	s->withdrawn++;
}

/* ---- staging ---- */

static int reserve_words(uint32_t **array, uint32_t *room, uint32_t count, uint32_t words)
{
	void *items = *array;
	int rc = pool_grow(&items, room, (uint64_t)count + 1, words * sizeof(uint32_t));

	*array = items;
	return rc;
}

int staging_reserve(struct staging *s)
{
	void *values = s->value;
	int rc;

	rc = pool_grow(&values, &s->value_room, (uint64_t)s->puts + 1, sizeof(*s->value));
	s->value = values;
	if (rc || reserve_words(&s->put, &s->put_room, s->puts, s->words) ||
	    reserve_words(&s->delete, &s->delete_room, s->deletes, s->words))
		return -ENOMEM;
	return s->deletes ? seen_reserve(s) : 0;
}

void staging_put(struct staging *s, const struct prefix *source, const struct moat_source *value,
		 bool is_new)
{
	uint32_t key[KEY_WORDS_MAX];

	key_from_prefix(s, source, key);
	if (is_new && s->deletes)
		withdraw_delete(s, key);
	memcpy(s->put + (size_t)s->puts * s->words, key, s->words * sizeof(*key));
	s->value[s->puts++] = *value;
}

void staging_delete(struct staging *s, const struct prefix *source)
{
	uint32_t *key = delete_at(s, s->deletes);

	key_from_prefix(s, source, key);
	if (s->deletes && key[0] < delete_at(s, s->deletes - 1)[0])
		s->disordered = true;
	s->deletes++;
}

/* Sorts the deletes by their length, in place: each key moves at most once. */
static void sort_deletes(struct staging *s)
{
	uint32_t next[MOAT_LENGTHS6] = {}, end[MOAT_LENGTHS6];
	uint32_t sum = 0;

	for (uint32_t i = 0; i < s->deletes; i++)
		next[delete_at(s, i)[0]]++;
	for (uint32_t len = 0; len < MOAT_LENGTHS6; len++) {
		uint32_t count = next[len];

		next[len] = sum;
		sum += count;
		end[len] = sum;
	}
	for (uint32_t len = 0; len < MOAT_LENGTHS6; len++) {
		while (next[len] < end[len]) {
			uint32_t *key = delete_at(s, next[len]);
			uint32_t *to = delete_at(s, next[key[0]]++);
			uint32_t moved[KEY_WORDS_MAX];

			if (to == key)
				continue;
			memcpy(moved, key, s->words * sizeof(*key));
			memcpy(key, to, s->words * sizeof(*key));
			memcpy(to, moved, s->words * sizeof(*key));
		}
	}
}

static void compact_deletes(struct staging *s)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->deletes; i++) {
		const uint32_t *key = delete_at(s, i);

		if (key[0] != WITHDRAWN)
			memmove(delete_at(s, kept++), key, s->words * sizeof(*key));
	}
	s->deletes = kept;
	s->withdrawn = 0;
}

void staging_order(struct staging *s)
{
	if (!s->withdrawn && !s->disordered)
		return;
	compact_deletes(s);
	sort_deletes(s);
	s->disordered = false;
	s->seen_count = 0;
	if (s->seen)
		memset(s->seen, 0, (size_t)s->seen_room * sizeof(*s->seen));
}

void staging_clear(struct staging *s)
{
	s->puts = 0;
	s->deletes = 0;
	s->withdrawn = 0;
	s->disordered = false;
	if (s->put_room > KEEP_ROOM || s->delete_room > KEEP_ROOM) {
		staging_fini(s);
	} else if (s->seen_count) {
		memset(s->seen, 0, (size_t)s->seen_room * sizeof(*s->seen));
		s->seen_count = 0;
	}
}
