/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/ledger.h"

#include <stdlib.h>
#include <time.h>

#include "tests/prog/plane_fixture.h"

#define HOUR_TICKS (3600ULL * 1000000000 >> MOAT_TICK_SHIFT)
#define NOBODY	   UINT32_MAX

/* How an entry's record says what it is. */
enum form {
	FORM_NEVER,	 /* no expiry */
	FORM_HOUR,	 /* one that is far off */
	FORM_PHASE,	 /* ended, and then */
	FORM_HIGH_CLASS, /* a class number that has no room in a slot */
	FORMS,
};

/* Two phases that every world has: what comes after the first one has ended. */
enum { PHASE_DROP = 1, PHASE_TAG = 2 };

#define HIGH_CLASS 40000 /* and the category: that of the same verdict */

/* version << 4 | what it becomes << 2 | what it is. Even versions: nothing is being written. */
#define WORD(version, to, is) ((uint64_t)(version) << 4 | (uint64_t)(to) << 2 | (uint64_t)(is))
#define WORD_IS(word)	      ((enum ledger_state)((word)&3))
#define WORD_TO(word)	      ((enum ledger_state)((word) >> 2 & 3))
#define WORD_VERSION(word)    ((word) >> 4)

struct entry {
	struct prefix source;
	uint64_t word; /* atomic */
};

struct ledger {
	struct tables *tables;
	struct entry *entry;
	size_t count, room;
	uint32_t *bucket; /* NOBODY: free */
	size_t buckets;	  /* a power of two */
	uint32_t hour;	  /* ticks */
	bool used[2][MOAT_LENGTHS6];
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "ledger: %s\n", what);
	abort();
}

static void set_lengths(struct tables *t, uint8_t family)
{
	struct moat_lengths lengths = {};

	for (unsigned int len = prefix_max(family) + 1; len-- > 0;)
		lengths.at[lengths.count++] = prefix_length_mask(family, (uint8_t)len);
	must(!tables_set_lengths(t, family, &lengths), "lengths");
}

static void set_class(struct tables *t, uint32_t class, uint8_t category)
{
	const struct moat_class value = { .set = 1ULL << category,
					  .count = 1,
					  .order = { category } };

	must(!tables_set_class(t, class, &value), "class");
}

struct ledger *ledger_new(struct tables *tables, size_t room)
{
	const struct moat_phase drop = { .class = CATEGORY_DROP };
	const struct moat_phase tag = { .class = CATEGORY_TAG };
	struct ledger *l = calloc(1, sizeof(*l));
	struct timespec now;

	must(l, "memory");
	l->tables = tables;
	l->room = room;
	for (l->buckets = 64; l->buckets < 2 * room;)
		l->buckets *= 2;
	l->entry = calloc(room, sizeof(*l->entry));
	l->bucket = malloc(l->buckets * sizeof(*l->bucket));
	must(l->entry && l->bucket, "memory");
	memset(l->bucket, 0xff, l->buckets * sizeof(*l->bucket));

	clock_gettime(CLOCK_BOOTTIME, &now);
	l->hour = (uint32_t)(((uint64_t)now.tv_sec * 1000000000 >> MOAT_TICK_SHIFT) + HOUR_TICKS);
	set_lengths(tables, MOAT_IPV4);
	set_lengths(tables, MOAT_IPV6);
	must(!tables_set_phase(tables, PHASE_DROP, &drop) &&
		     !tables_set_phase(tables, PHASE_TAG, &tag),
	     "phases");
	set_class(tables, HIGH_CLASS + CATEGORY_DROP, CATEGORY_DROP);
	set_class(tables, HIGH_CLASS + CATEGORY_TAG, CATEGORY_TAG);
	return l;
}

struct ledger *ledger_free(struct ledger *l)
{
	if (!l)
		return NULL;
	free(l->entry);
	free(l->bucket);
	free(l);
	return NULL;
}

static uint32_t *place(const struct ledger *l, const struct prefix *source)
{
	uint64_t hash = source->family * 131U + source->len;
	uint32_t *at;

	for (size_t i = 0; i < sizeof(source->addr); i++)
		hash = (hash ^ source->addr[i]) * 0x100000001B3ULL; /* FNV-1a */
	hash ^= hash >> 32;
	for (;; hash++) {
		at = &l->bucket[hash & (l->buckets - 1)];
		if (*at == NOBODY || !prefix_compare(&l->entry[*at].source, source))
			return at;
	}
}

uint32_t ledger_add(struct ledger *l, struct prefix source)
{
	uint32_t *at;

	prefix_mask(&source);
	at = place(l, &source);
	if (*at != NOBODY)
		return *at;
	must(l->count < l->room, "room");
	l->entry[l->count].source = source;
	l->used[source.family][source.len] = true;
	*at = (uint32_t)l->count++;
	return *at;
}

size_t ledger_count(const struct ledger *l)
{
	return l->count;
}

const struct prefix *ledger_source(const struct ledger *l, uint32_t number)
{
	return &l->entry[number].source;
}

enum ledger_state ledger_state(const struct ledger *l, uint32_t number)
{
	return WORD_IS(__atomic_load_n(&l->entry[number].word, __ATOMIC_ACQUIRE));
}

/* ---- writing ---- */

struct batch {
	struct moat_key4 *put4, *delete4;
	struct moat_key6 *put6, *delete6;
	struct moat_source *value4, *value6;
	int16_t *done;
	size_t puts[2], deletes[2];
};

static void batch_make(struct batch *b, size_t count)
{
	*b = (struct batch){
		.put4 = calloc(count, sizeof(*b->put4)),
		.delete4 = calloc(count, sizeof(*b->delete4)),
		.put6 = calloc(count, sizeof(*b->put6)),
		.delete6 = calloc(count, sizeof(*b->delete6)),
		.value4 = calloc(count, sizeof(*b->value4)),
		.value6 = calloc(count, sizeof(*b->value6)),
		.done = calloc(count, sizeof(*b->done)),
	};
	must(b->put4 && b->delete4 && b->put6 && b->delete6 && b->value4 && b->value6 && b->done,
	     "memory");
}

static void batch_free(struct batch *b)
{
	free(b->put4);
	free(b->delete4);
	free(b->put6);
	free(b->delete6);
	free(b->value4);
	free(b->value6);
	free(b->done);
}

static struct moat_source value_of(const struct ledger *l, uint32_t number, enum ledger_state state)
{
	uint32_t class = state == LEDGER_TAGGED ? CATEGORY_TAG : CATEGORY_DROP;
	uint32_t other = state == LEDGER_TAGGED ? CATEGORY_DROP : CATEGORY_TAG;

	if (state == LEDGER_ENDED)
		return (struct moat_source){ .class = class, .expires = 1 };
	switch ((enum form)(number % FORMS)) {
	case FORM_HOUR:
		return (struct moat_source){ .class = class, .expires = l->hour };
	case FORM_PHASE:
		return (struct moat_source){ .class = other,
					     .expires = 1,
					     .next = state == LEDGER_TAGGED ? PHASE_TAG
									    : PHASE_DROP };
	case FORM_HIGH_CLASS:
		return (struct moat_source){ .class = HIGH_CLASS + class };
	case FORM_NEVER:
	case FORMS:
		break;
	}
	return (struct moat_source){ .class = class };
}

static void stage_put(const struct ledger *l, struct batch *b, uint32_t number,
		      enum ledger_state to)
{
	const struct prefix *source = &l->entry[number].source;
	size_t at = b->puts[source->family]++;

	if (source->family == MOAT_IPV4) {
		b->put4[at] = prefix_key4(source);
		b->value4[at] = value_of(l, number, to);
	} else {
		b->put6[at] = prefix_key6(source);
		b->value6[at] = value_of(l, number, to);
	}
}

static void stage_delete(const struct ledger *l, struct batch *b, uint32_t number)
{
	const struct prefix *source = &l->entry[number].source;
	size_t at = b->deletes[source->family]++;

	if (source->family == MOAT_IPV4)
		b->delete4[at] = prefix_key4(source);
	else
		b->delete6[at] = prefix_key6(source);
}

static void batch_write(struct ledger *l, const struct batch *b)
{
	struct tables *t = l->tables;

	must(!tables_put4(t, b->put4, b->value4, b->puts[MOAT_IPV4], b->done) &&
		     !tables_put6(t, b->put6, b->value6, b->puts[MOAT_IPV6], b->done) &&
		     !tables_delete4(t, b->delete4, b->deletes[MOAT_IPV4]) &&
		     !tables_delete6(t, b->delete6, b->deletes[MOAT_IPV6]),
	     "the tables take what is written");
}

void ledger_write(struct ledger *l, const uint32_t *number, const enum ledger_state *to,
		  size_t count)
{
	struct batch b;

	batch_make(&b, count ?: 1);
	for (size_t i = 0; i < count; i++) {
		uint64_t *word = &l->entry[number[i]].word;

		if (to[i] == LEDGER_ABSENT)
			stage_delete(l, &b, number[i]);
		else
			stage_put(l, &b, number[i], to[i]);
		__atomic_store_n(word, WORD(WORD_VERSION(*word) + 1, to[i], WORD_IS(*word)),
				 __ATOMIC_SEQ_CST);
	}
	batch_write(l, &b);
	for (size_t i = 0; i < count; i++) {
		uint64_t *word = &l->entry[number[i]].word;

		__atomic_store_n(word, WORD(WORD_VERSION(*word) + 1, to[i], to[i]),
				 __ATOMIC_SEQ_CST);
	}
	batch_free(&b);
}

void ledger_write_all(struct ledger *l, enum ledger_state (*to)(uint32_t number))
{
	_cleanup_free_ enum ledger_state *states = calloc(l->count ?: 1, sizeof(*states));
	_cleanup_free_ uint32_t *numbers = calloc(l->count ?: 1, sizeof(*numbers));

	must(states && numbers, "memory");
	for (uint32_t i = 0; i < l->count; i++) {
		numbers[i] = i;
		states[i] = to(i);
	}
	ledger_write(l, numbers, states, l->count);
}

/* ---- asking ---- */

void ledger_chain(const struct ledger *l, const struct prefix *address, struct ledger_chain *ret)
{
	uint32_t number[LEDGER_CHAIN];
	uint32_t count = 0;

	for (unsigned int len = prefix_max(address->family) + 1; len-- > 0;) {
		struct prefix source = *address;
		uint32_t at;

		if (!l->used[address->family][len])
			continue;
		source.len = (uint8_t)len;
		prefix_mask(&source);
		at = *place(l, &source);
		if (at != NOBODY)
			number[count++] = at;
	}
	*ret = (struct ledger_chain){
		.address = *address,
		.count = count,
		.number = malloc((count ?: 1) * sizeof(*ret->number)),
	};
	must(ret->number, "memory");
	memcpy(ret->number, number, count * sizeof(*number));
}

void ledger_look(const struct ledger *l, const struct ledger_chain *chain, struct ledger_view *ret)
{
	for (uint32_t i = 0; i < chain->count; i++)
		ret->word[i] = __atomic_load_n(&l->entry[chain->number[i]].word, __ATOMIC_SEQ_CST);
}

/* The states a source may have been seen in, as bits. */
static unsigned int seen(uint64_t before, uint64_t after)
{
	unsigned int first = 1U << WORD_IS(before) | 1U << WORD_TO(before);
	unsigned int last = 1U << WORD_IS(after) | 1U << WORD_TO(after);

	if (WORD_VERSION(after) - WORD_VERSION(before) <= 2)
		return first | last;
	return (1U << LEDGER_STATES) - 1;
}

unsigned int ledger_allows(const struct ledger_chain *chain, const struct ledger_view *before,
			   const struct ledger_view *after, bool *ret_steady)
{
	const unsigned int none = 1U << LEDGER_ABSENT | 1U << LEDGER_ENDED;
	unsigned int allowed = 0;

	*ret_steady = true;
	for (uint32_t i = 0; i < chain->count; i++) {
		unsigned int states = seen(before->word[i], after->word[i]);

		*ret_steady &= !(states & (states - 1));
		allowed |= states & ~none;
		if (!(states & none))
			return allowed;
	}
	return allowed | 1U << LEDGER_ABSENT;
}
