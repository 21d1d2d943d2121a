/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/classes.h"

int classes_init(struct classes *c)
{
	*c = (struct classes){
		.slot = calloc(MOAT_CLASSES, sizeof(*c->slot)),
		.value = calloc(MOAT_CLASSES, sizeof(*c->value)),
		.bucket = calloc(MOAT_CLASSES, sizeof(*c->bucket)),
		.given = calloc(MOAT_CLASSES, sizeof(*c->given)),
		.doubt = calloc(MOAT_CLASSES, sizeof(*c->doubt)),
		.fresh = calloc(MOAT_CLASSES, sizeof(*c->fresh)),
		.unused = MOAT_CLASS_ALLOW + 1,
		.room = MOAT_CLASSES - 1,
		.end = MOAT_CLASS_ALLOW + 1,
	};
	if (!c->slot || !c->value || !c->bucket || !c->given || !c->doubt || !c->fresh)
		return -ENOMEM;
	for (unsigned int i = 0; i < MOAT_CLASSES; i++)
		c->bucket[i] = CLASS_NONE;
	c->slot[MOAT_CLASS_ALLOW].used = true;
	c->slot[MOAT_CLASS_ALLOW].set = CLASS_ALLOW_SET;
	c->value[MOAT_CLASS_ALLOW].set = CLASS_ALLOW_SET;
	return 0;
}

void classes_fini(struct classes *c)
{
	free(c->slot);
	free(c->value);
	free(c->bucket);
	free(c->given);
	free(c->doubt);
	free(c->fresh);
	*c = (struct classes){};
}

/* ---- what the policies make of a set ---- */

/* What moat sends itself from must be dropped. */
static uint8_t shared_of(const struct classes *c, uint64_t set)
{
	for (uint32_t i = 0; i < c->shareds; i++) {
		if (set >> c->shared[i] & 1 && !(set >> MOAT_CATEGORY_SELFTEST & 1))
			return c->shared[i];
	}
	return 0;
}

static void compile_class(struct classes *c, uint32_t number)
{
	struct moat_class *value = &c->value[number];

	*value = (struct moat_class){ .set = c->slot[number].set };
	if (number == MOAT_CLASS_ALLOW)
		return;
	value->shared = shared_of(c, value->set);
	for (uint32_t i = 0; i < c->orders; i++) {
		uint64_t bit = 1ULL << c->order[i];

		if (!(value->set & bit))
			continue;
		value->order[value->count++] = c->order[i];
		if (!(c->scoped & bit))
			break; /* fits every packet: nothing behind it can decide */
		value->scoped = 1;
	}
}

static bool goes_before(const struct moat_policy *policy, const uint8_t *rank, uint8_t a, uint8_t b)
{
	if (policy[a].action != policy[b].action)
		return policy[a].action > policy[b].action;
	return rank[a] < rank[b];
}

void classes_set_policies(struct classes *c,
			  const struct moat_policy policy[static MOAT_CATEGORIES],
			  const uint8_t rank[static MOAT_CATEGORIES])
{
	c->orders = 0;
	c->shareds = 0;
	c->scoped = 0;
	for (unsigned int category = 0; category < MOAT_CATEGORIES; category++) {
		bool shared = policy[category].flags & MOAT_POLICY_SHARED;
		uint8_t *list = shared ? c->shared : c->order;
		uint32_t *count = shared ? &c->shareds : &c->orders;
		uint32_t at = *count;

		if (category == MOAT_CATEGORY_ALLOW || policy[category].action >= MOAT_ACTION_MAX)
			continue;
		if (policy[category].flags & MOAT_POLICY_PROTOCOLS)
			c->scoped |= 1ULL << category;
		for (; at && goes_before(policy, rank, category, list[at - 1]); at--)
			list[at] = list[at - 1];
		list[at] = category;
		++*count;
	}
	for (uint32_t number = 0; number < c->end; number++) {
		if (c->slot[number].used)
			compile_class(c, number);
	}
}

/* ---- sets and numbers ---- */

static uint32_t *bucket_of(const struct classes *c, uint64_t set)
{
	return &c->bucket[(set * 0x9E3779B97F4A7C15ULL) >> 48]; /* 2^64 / golden ratio */
}

_Static_assert(MOAT_CLASSES == 1 << 16, "a bucket is named by the upper 16 bits of the hash");

uint32_t classes_find(const struct classes *c, uint64_t set)
{
	uint32_t number;

	if (set == CLASS_ALLOW_SET)
		return MOAT_CLASS_ALLOW;
	for (number = *bucket_of(c, set); number != CLASS_NONE; number = c->slot[number].next) {
		if (c->slot[number].set == set)
			break;
	}
	return number;
}

static void take_number(struct classes *c, uint32_t number, uint64_t set)
{
	struct class_slot *slot = &c->slot[number];
	uint32_t *bucket = bucket_of(c, set);

	*slot = (struct class_slot){ .set = set, .used = true, .next = *bucket };
	*bucket = number;
	c->room--;
	if (c->end <= number)
		c->end = number + 1;
	compile_class(c, number);
}

uint32_t classes_add(struct classes *c, uint64_t set)
{
	uint32_t number;

	if (c->givens) {
		number = c->given[--c->givens];
	} else {
		while (c->slot[c->unused].used)
			c->unused++;
		number = c->unused++;
	}
	take_number(c, number, set);
	return number;
}

static void doubt(struct classes *c, uint32_t number)
{
	if (c->slot[number].doubtful)
		return;
	c->slot[number].doubtful = true;
	c->doubt[c->doubts++] = number;
}

int classes_adopt(struct classes *c, uint32_t number, uint64_t set)
{
	if (number >= MOAT_CLASSES)
		return -EINVAL;
	if (c->slot[number].used)
		return 0;
	take_number(c, number, set);
	doubt(c, number);
	return 0;
}

int classes_adopt_hold(struct classes *c, uint32_t number)
{
	int rc = classes_adopt(c, number, 0);

	if (!rc && number != MOAT_CLASS_ALLOW)
		c->slot[number].holds++;
	return rc;
}

void classes_hold(struct classes *c, uint32_t number)
{
	if (number == MOAT_CLASS_ALLOW)
		return;
	if (!c->slot[number].holds++)
		c->fresh[c->freshes++] = number;
}

void classes_retire(struct classes *c, uint32_t number)
{
	if (number == MOAT_CLASS_ALLOW)
		return;
	c->slot[number].retired++;
	doubt(c, number);
}

static void give_number(struct classes *c, uint32_t number)
{
	uint32_t *link = bucket_of(c, c->slot[number].set);

	while (*link != number)
		link = &c->slot[*link].next;
	*link = c->slot[number].next;
	c->slot[number] = (struct class_slot){};
	c->value[number] = (struct moat_class){};
	c->given[c->givens++] = number;
	c->room++;
	while (!c->slot[c->end - 1].used)
		c->end--;
}

void classes_settle(struct classes *c)
{
	for (uint32_t i = 0; i < c->doubts; i++) {
		struct class_slot *slot = &c->slot[c->doubt[i]];

		slot->holds -= slot->retired;
		slot->retired = 0;
		slot->doubtful = false;
		if (!slot->holds)
			give_number(c, c->doubt[i]);
	}
	c->doubts = 0;
	c->freshes = 0;
}

bool classes_frees(const struct classes *c)
{
	for (uint32_t i = 0; i < c->doubts; i++) {
		const struct class_slot *slot = &c->slot[c->doubt[i]];

		if (slot->used && slot->holds == slot->retired)
			return true;
	}
	return false;
}
