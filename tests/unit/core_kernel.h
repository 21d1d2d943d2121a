/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's maps as plain arrays, read as bpf/lookup.h reads them and
 * written step by step in the order that core/image.h documents.
 *
 * kernel_write() calls watch after every step, so that a test can ask for
 * verdicts in between. It fails the test where a step overwrites a class or a
 * phase that an entry still leads to.
 */
#ifndef TESTS_CORE_KERNEL_H
#define TESTS_CORE_KERNEL_H

#include "core/image.h"
#include "tests/unit/core_oracle.h"

#define KERNEL_ENTRIES 2048
#define KERNEL_PHASES  8192
#define NS_PER_SECOND  1000000000LL

struct kernel_entry {
	struct prefix source;
	struct moat_source value;
};

struct kernel {
	struct kernel_entry entry[KERNEL_ENTRIES];
	size_t entries;
	size_t capacity; /* of entry[]; more are refused */
	struct moat_phase phase[KERNEL_PHASES];
	struct moat_class class[MOAT_CLASSES];
	struct moat_lengths lengths[2];
	int64_t offset_ns; /* realtime minus boot clock */
	size_t steps;	   /* written so far */
	size_t crash_at;   /* steps after which nothing is written any more; 0: never */
};

typedef void (*kernel_watch_fn)(void *arg);

/* ---- reading ---- */

static inline bool kernel_looks_up(const struct kernel *k, const struct prefix *source)
{
	const struct moat_lengths *l = &k->lengths[source->family];

	for (unsigned int i = 0; i < l->count; i++) {
		if (l->at[i].len == source->len)
			return true;
	}
	return false;
}

/* The class of the first live phase of an entry, or -1. */
static inline int64_t kernel_class(const struct kernel *k, const struct moat_source *value,
				   int64_t ticks)
{
	uint32_t next = value->next;

	if (value->expires == MOAT_NEVER || ticks < value->expires)
		return value->class;
	for (unsigned int i = 0; i < MOAT_PHASES_MAX && next; i++) {
		const struct moat_phase *phase = &k->phase[next];

		if (phase->expires == MOAT_NEVER || ticks < phase->expires)
			return phase->class;
		next = phase->next;
	}
	return -1;
}

/*
 * The set of categories an address is judged by half a second after a time:
 * ends are whole seconds, rounded up to ticks of 134 ms.
 */
static inline uint64_t kernel_set(const struct kernel *k, const struct prefix *address,
				  int64_t time)
{
	int64_t boot_ns = time * NS_PER_SECOND + NS_PER_SECOND / 2 - k->offset_ns;
	int64_t ticks = boot_ns >> MOAT_TICK_SHIFT;
	int64_t class = -1;
	int longest = -1;

	for (size_t i = 0; i < k->entries; i++) {
		const struct kernel_entry *e = &k->entry[i];
		int64_t live;

		if (e->source.len <= longest || !oracle_covers(&e->source, address) ||
		    !kernel_looks_up(k, &e->source))
			continue;
		live = kernel_class(k, &e->value, ticks);
		if (live < 0)
			continue;
		class = live;
		longest = e->source.len;
	}
	if (class < 0)
		return 0;
	return class == MOAT_CLASS_ALLOW ? ORACLE_ALLOW : k->class[class].set;
}

static inline struct kernel_entry *kernel_find(struct kernel *k, const struct prefix *source)
{
	for (size_t i = 0; i < k->entries; i++) {
		if (oracle_same(&k->entry[i].source, source))
			return &k->entry[i];
	}
	return NULL;
}

/* How many entries or phases lead to a class, or to a phase. */
static inline size_t kernel_uses(const struct kernel *k, uint32_t class, uint32_t phase)
{
	size_t uses = 0;

	for (size_t i = 0; i < k->entries; i++) {
		const struct moat_source *value = &k->entry[i].value;

		uses += value->class == class;
		for (uint32_t at = value->next; at; at = k->phase[at].next)
			uses += k->phase[at].class == class || at == phase;
	}
	return uses;
}

static inline size_t kernel_phases(const struct kernel *k)
{
	size_t phases = 0;

	for (size_t i = 0; i < k->entries; i++) {
		for (uint32_t at = k->entry[i].value.next; at; at = k->phase[at].next)
			phases++;
	}
	return phases;
}

/* ---- writing ---- */

#define KERNEL_NOTHING UINT32_MAX /* neither a class nor a phase */

/* One more step: whether it happens. */
static inline bool kernel_step(struct kernel *k)
{
	return !k->crash_at || k->steps++ < k->crash_at;
}

static inline bool kernel_put(struct kernel *k, const struct prefix *source,
			      const struct moat_source *value)
{
	struct kernel_entry *e = kernel_find(k, source);

	if (!e && k->entries == k->capacity)
		return false;
	if (!e)
		e = &k->entry[k->entries++];
	*e = (struct kernel_entry){ .source = *source, .value = *value };
	return true;
}

static inline void kernel_delete(struct kernel *k, const struct prefix *source)
{
	struct kernel_entry *e = kernel_find(k, source);

	if (e)
		*e = k->entry[--k->entries];
}

static inline void kernel_write_classes(struct kernel *k, const struct image *im,
					const struct image_batch *b)
{
	for (size_t i = 0; i < b->classes && kernel_step(k); i++) {
		assert_int_equal(kernel_uses(k, b->class[i], KERNEL_NOTHING), 0);
		k->class[b->class[i]] = *image_class(im, b->class[i]);
	}
	for (size_t i = 0; i < b->phases && kernel_step(k); i++) {
		assert_int_equal(kernel_uses(k, KERNEL_NOTHING, b->phase[i]), 0);
		k->phase[b->phase[i]] = *image_phase(im, b->phase[i]);
	}
}

static inline void kernel_write_lengths(struct kernel *k, const struct image *im,
					const bool changed[2], bool with_removed)
{
	for (unsigned int family = 0; family < 2; family++) {
		if (changed[family] && kernel_step(k))
			image_lengths(im, family, with_removed, &k->lengths[family]);
	}
}

/* Refused puts go back to the image. */
static inline void kernel_write_puts(struct kernel *k, struct image *im, struct model *m,
				     const struct image_batch *b, unsigned int family,
				     kernel_watch_fn watch, void *arg)
{
	for (size_t i = 0; i < b->puts[family] && kernel_step(k); i++) {
		struct prefix source = family == MOAT_IPV4 ? prefix_from_key4(&b->put4[i])
							   : prefix_from_key6(&b->put6[i]);

		if (!kernel_put(k, &source,
				family == MOAT_IPV4 ? &b->put4_value[i] : &b->put6_value[i]))
			image_refused(im, &source, model_find(m, &source));
		watch(arg);
	}
}

static inline void kernel_write(struct kernel *k, struct image *im, struct model *m,
				kernel_watch_fn watch, void *arg)
{
	struct image_batch b;

	image_batch(im, &b);
	assert_int_equal(image_is_empty(im),
			 !b.classes && !b.phases && !b.puts[0] && !b.puts[1] && !b.deletes[0] &&
				 !b.deletes[1] && !b.lengths_added[0] && !b.lengths_added[1] &&
				 !b.lengths_removed[0] && !b.lengths_removed[1]);
	kernel_write_classes(k, im, &b);
	watch(arg);
	kernel_write_lengths(k, im, b.lengths_added, true);
	watch(arg);
	kernel_write_puts(k, im, m, &b, MOAT_IPV4, watch, arg);
	kernel_write_puts(k, im, m, &b, MOAT_IPV6, watch, arg);
	for (size_t i = 0; i < b.deletes[MOAT_IPV4] && kernel_step(k); i++) {
		struct prefix source = prefix_from_key4(&b.delete4[i]);

		kernel_delete(k, &source);
		watch(arg);
	}
	for (size_t i = 0; i < b.deletes[MOAT_IPV6] && kernel_step(k); i++) {
		struct prefix source = prefix_from_key6(&b.delete6[i]);

		kernel_delete(k, &source);
		watch(arg);
	}
	kernel_write_lengths(k, im, b.lengths_removed, false);
	watch(arg);
}

#endif
