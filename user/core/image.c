/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/image.h"

#include "core/classes.h"
#include "core/lengths.h"
#include "core/phases.h"
#include "core/staging.h"

#define NS_PER_SECOND 1000000000

/*
 * The offset between the clocks wanders by microseconds from one reading to
 * the next; ends that differ by this many ticks only are the same.
 */
#define TICK_SLACK 1

/* As installed.next: the chain in the kernel is not one to rely on. */
#define CHAIN_BROKEN UINT32_MAX

struct image {
	struct classes classes;
	struct phases phases;
	struct lengths lengths[2];  /* by family */
	struct staging *staging[2]; /* owned; image_batch() orders it, hence not in the image */
	int64_t offset_ns;
	size_t plans_cut;
};

static struct staging *staging_new(uint8_t family)
{
	struct staging *s = malloc(sizeof(*s));

	if (s)
		staging_init(s, family);
	return s;
}

int image_new(uint32_t phases, struct image **ret)
{
	_cleanup_(image_freep) struct image *im = calloc(1, sizeof(*im));

	if (!im || classes_init(&im->classes) || phases_init(&im->phases, phases))
		return -ENOMEM;
	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		im->staging[family] = staging_new(family);
		if (!im->staging[family])
			return -ENOMEM;
	}
	*ret = take_ptr(im);
	return 0;
}

struct image *image_free(struct image *im)
{
	if (!im)
		return NULL;
	classes_fini(&im->classes);
	phases_fini(&im->phases);
	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		if (im->staging[family])
			staging_fini(im->staging[family]);
		free(im->staging[family]);
	}
	free(im);
	return NULL;
}

void image_set_policies(struct image *im, const struct moat_policy policy[static MOAT_CATEGORIES],
			const uint8_t rank[static MOAT_CATEGORIES])
{
	classes_set_policies(&im->classes, policy, rank);
}

void image_set_clock(struct image *im, int64_t offset_ns)
{
	im->offset_ns = offset_ns;
}

uint32_t image_ticks(const struct image *im, int64_t unix_seconds)
{
	int64_t ns, ticks;

	if (!unix_seconds)
		return MOAT_NEVER;
	if (__builtin_mul_overflow(unix_seconds, NS_PER_SECOND, &ns) ||
	    __builtin_sub_overflow(ns, im->offset_ns, &ns))
		ns = unix_seconds < 0 ? INT64_MIN : INT64_MAX;
	ticks = (ns >> MOAT_TICK_SHIFT) + !!(ns & ((1 << MOAT_TICK_SHIFT) - 1));
	if (ticks < 1)
		return 1;
	return ticks < UINT32_MAX ? ticks : UINT32_MAX;
}

/* ---- what an entry holds in the tables ---- */

/* A class that was adopted out of the kernel's range was not counted. */
static void retire_class(struct image *im, uint32_t class)
{
	if (class < MOAT_CLASSES)
		classes_retire(&im->classes, class);
}

static void retire_chain(struct image *im, const struct installed *was)
{
	retire_class(im, was->class);
	if (was->next == CHAIN_BROKEN)
		return;
	for (uint32_t at = was->next; at; at = im->phases.value[at].next) {
		retire_class(im, im->phases.value[at].class);
		phases_retire(&im->phases, at);
	}
}

static void forget_entry(struct image *im, const struct prefix *source, const struct installed *was)
{
	retire_chain(im, was);
	lengths_remove(&im->lengths[source->family], source->len);
}

/* ---- adopting ---- */

int image_adopt_class(struct image *im, uint32_t class, const struct moat_class *value)
{
	return classes_adopt(&im->classes, class, value->set);
}

void image_adopt_phases(struct image *im, const struct moat_phase *phases)
{
	phases_adopt(&im->phases, phases);
}

void image_adopt_entry(struct image *im, const struct prefix *source,
		       const struct moat_source *value, struct installed *ret)
{
	struct lengths *lengths = &im->lengths[source->family];

	*ret = (struct installed){
		.class = value->class,
		.expires = value->expires,
		.next = value->next,
		.state = INSTALLED_YES,
	};
	classes_adopt_hold(&im->classes, value->class);
	lengths_add(lengths, source->len);
	lengths->in_force[source->len] = true;
	if (!phases_adopt_chain(&im->phases, value->next)) {
		ret->next = CHAIN_BROKEN;
		return;
	}
	for (uint32_t at = ret->next; at; at = im->phases.value[at].next)
		classes_adopt_hold(&im->classes, im->phases.value[at].class);
}

/* ---- staging ---- */

/* How many phases of a plan there is room for, in classes and phases. */
static unsigned int plan_fit(const struct image *im, const struct plan *plan)
{
	uint32_t classes = im->classes.room;
	uint32_t phases = phases_room(&im->phases);
	unsigned int fit;

	for (fit = 0; fit < plan->count; fit++) {
		bool is_new = classes_find(&im->classes, plan->phase[fit].set) == CLASS_NONE;

		if ((fit && !phases--) || (is_new && !classes--))
			break;
	}
	return fit;
}

static bool same_end(uint32_t a, uint32_t b)
{
	if (a == MOAT_NEVER || b == MOAT_NEVER)
		return a == b;
	return (a > b ? a - b : b - a) <= TICK_SLACK;
}

/*
 * How many phases of the plan the kernel has already; 0 if it has others, or
 * fewer than the fit that there is room for.
 */
static unsigned int plan_installed(const struct image *im, const struct plan *plan,
				   unsigned int fit, const struct installed *have)
{
	uint32_t class = have->class, expires = have->expires, next = have->next;

	if (have->state != INSTALLED_YES)
		return 0;
	for (unsigned int i = 0; i < plan->count; i++) {
		if (classes_set(&im->classes, class) != plan->phase[i].set ||
		    !same_end(expires, image_ticks(im, plan->phase[i].until)))
			return 0;
		if (next == CHAIN_BROKEN)
			return 0;
		if (!next)
			return i + 1 >= fit ? i + 1 : 0;
		class = im->phases.value[next].class;
		expires = im->phases.value[next].expires;
		next = im->phases.value[next].next;
	}
	return 0;
}

static uint32_t take_class(struct image *im, uint64_t set)
{
	uint32_t class = classes_find(&im->classes, set);

	if (class == CLASS_NONE)
		class = classes_add(&im->classes, set);
	classes_hold(&im->classes, class);
	return class;
}

/* Takes classes and phases for as much as fits, from the end of the chain to its start. */
static void build_chain(struct image *im, const struct plan *plan, unsigned int fit,
			struct installed *ret)
{
	uint32_t next = 0;

	for (unsigned int i = fit - 1; i; i--) {
		uint32_t phase = phases_take(&im->phases);

		im->phases.value[phase] = (struct moat_phase){
			.class = take_class(im, plan->phase[i].set),
			.expires = image_ticks(im, plan->phase[i].until),
			.next = next,
		};
		next = phase;
	}
	*ret = (struct installed){
		.class = take_class(im, plan->phase[0].set),
		.expires = image_ticks(im, plan->phase[0].until),
		.next = next,
		.state = INSTALLED_YES,
	};
}

/* Room for one put or delete must be reserved. */
static int stage_delete(struct image *im, const struct prefix *source, struct installed *installed,
			uint32_t state)
{
	bool was = installed->state == INSTALLED_YES;

	if (was) {
		staging_delete(im->staging[source->family], source);
		forget_entry(im, source, installed);
	}
	*installed = (struct installed){ .state = state };
	return was;
}

static void stage_put(struct image *im, const struct prefix *source, struct installed *installed,
		      const struct plan *plan, unsigned int fit)
{
	bool is_new = installed->state != INSTALLED_YES;
	struct moat_source value = {};

	if (is_new)
		lengths_add(&im->lengths[source->family], source->len);
	else
		retire_chain(im, installed);
	build_chain(im, plan, fit, installed);

	value.class = installed->class;
	value.expires = installed->expires;
	value.next = installed->next;
	staging_put(im->staging[source->family], source, &value, is_new);
}

int image_stage(struct image *im, const struct prefix *source, struct installed *installed,
		const struct plan *plan)
{
	unsigned int fit = plan_fit(im, plan);
	unsigned int have = fit ? plan_installed(im, plan, fit, installed) : 0;

	im->plans_cut += have && have < plan->count;
	if (have)
		return 0;
	if (staging_reserve(im->staging[source->family]))
		return -ENOMEM;
	if (!plan->count)
		return stage_delete(im, source, installed, INSTALLED_NOT);
	if (!fit) {
		stage_delete(im, source, installed, INSTALLED_REFUSED);
		return -ENOSPC;
	}
	stage_put(im, source, installed, plan, fit);
	im->plans_cut += fit < plan->count;
	return 1;
}

int image_stage_orphan(struct image *im, const struct prefix *source, const struct installed *was)
{
	struct installed installed = *was;

	if (staging_reserve(im->staging[source->family]))
		return -ENOMEM;
	return stage_delete(im, source, &installed, INSTALLED_NOT);
}

void image_refused(struct image *im, const struct prefix *source, struct installed *installed)
{
	if (installed->state == INSTALLED_YES) {
		forget_entry(im, source, installed);
		im->lengths[source->family].refused[source->len] = true;
	}
	*installed = (struct installed){ .state = INSTALLED_REFUSED };
}

/* ---- what is staged ---- */

void image_batch(const struct image *im, struct image_batch *ret)
{
	struct staging *s4 = im->staging[MOAT_IPV4];
	struct staging *s6 = im->staging[MOAT_IPV6];

	staging_order(s4);
	staging_order(s6);
	*ret = (struct image_batch){
		.classes = im->classes.freshes,
		.class = im->classes.fresh,
		.phases = im->phases.freshes,
		.phase = im->phases.fresh,
		.puts = { s4->puts, s6->puts },
		.put4 = (const struct moat_key4 *)s4->put,
		.put4_value = s4->value,
		.put6 = (const struct moat_key6 *)s6->put,
		.put6_value = s6->value,
		.deletes = { s4->deletes, s6->deletes },
		.delete4 = (const struct moat_key4 *)s4->delete,
		.delete6 = (const struct moat_key6 *)s6->delete,
	};
	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		ret->lengths_added[family] = lengths_added(&im->lengths[family]);
		ret->lengths_removed[family] = lengths_removed(&im->lengths[family]);
	}
}

bool image_is_empty(const struct image *im)
{
	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		if (!staging_is_empty(im->staging[family]) || lengths_added(&im->lengths[family]) ||
		    lengths_removed(&im->lengths[family]))
			return false;
	}
	return !im->classes.freshes && !im->phases.freshes;
}

void image_lengths(const struct image *im, uint8_t family, bool with_removed,
		   struct moat_lengths *ret)
{
	lengths_fill(&im->lengths[family], family, with_removed, ret);
}

const struct moat_class *image_class(const struct image *im, uint32_t class)
{
	return &im->classes.value[class];
}

const struct moat_phase *image_phase(const struct image *im, uint32_t index)
{
	return &im->phases.value[index];
}

size_t image_classes(const struct image *im)
{
	return im->classes.end;
}

bool image_frees(const struct image *im)
{
	return im->phases.retired || classes_frees(&im->classes);
}

void image_done(struct image *im)
{
	classes_settle(&im->classes);
	phases_settle(&im->phases);
	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		staging_clear(im->staging[family]);
		lengths_settle(&im->lengths[family]);
	}
}

size_t image_entries(const struct image *im, uint8_t family)
{
	return im->lengths[family].entries;
}

size_t image_phases_used(const struct image *im)
{
	return im->phases.used;
}

size_t image_plans_cut(const struct image *im)
{
	return im->plans_cut;
}
