/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From plans to what the kernel's maps hold: classes, phases, prefix lengths,
 * entries. Pure; the daemon writes what image_batch() lists and says so with
 * image_done().
 *
 * Order of writing, which keeps every packet on an old or a new verdict:
 *   classes, phases, lengths that were added, puts, deletes, lengths that went;
 * then, once no program can still read them (a grace period), the phases and
 * classes of replaced entries are free again.
 *
 * Within an array the order counts too. Puts stand as they were staged, and
 * model_compile() visits what a prefix covers before the prefix; deletes stand
 * shortest prefix first. So the key that decides for an address changes last
 * if it stays or goes, and first if it is new: no shorter key shows through.
 */
#ifndef CORE_IMAGE_H
#define CORE_IMAGE_H

#include "core/model.h"
#include "core/prefix.h"
#include "moat/policy.h"
#include "moat/source.h"

struct image;

/* phases: entries of moat_phases (entry 0 is never used). */
int image_new(uint32_t phases, struct image **ret);
struct image *image_free(struct image *im);
DEFINE_CLEANUP(struct image, image_free)

/*
 * Policies in force, by category id; rank orders ties (lower first). A
 * category without a policy (policy[c].action is MOAT_ACTION_MAX) never
 * decides. Every class is compiled anew: write all of image_classes() with
 * the policies, into the other bank.
 *
 * A class without any category that can decide gets count 0, and its sources
 * leave the program as MOAT_INTERNAL, passed: put no claims of categories that
 * have no policy, and let the model know what is idle (those of shared
 * addresses: their sources leave as clean).
 */
void image_set_policies(struct image *im, const struct moat_policy policy[static MOAT_CATEGORIES],
			const uint8_t rank[static MOAT_CATEGORIES]);

/* Realtime minus boot clock, ns: how unix seconds become ticks. */
void image_set_clock(struct image *im, int64_t offset_ns);

/* Unix seconds to ticks, rounded up, at least 1; 0 (never) stays 0. */
uint32_t image_ticks(const struct image *im, int64_t unix_seconds);

/* ---- adopting what pinned maps hold, in this order, before anything is staged ---- */

/* Takes a class number for a set as the maps have it. */
int image_adopt_class(struct image *im, uint32_t class, const struct moat_class *value);
/* Takes the phases as the maps have them (array of the size given to image_new). */
void image_adopt_phases(struct image *im, const struct moat_phase *phases);
/*
 * Counts an entry's class, phases and prefix length as in use; sets *ret. An
 * entry whose class was not adopted or whose chain of phases is broken is
 * written anew when it is staged.
 */
void image_adopt_entry(struct image *im, const struct prefix *source,
		       const struct moat_source *value, struct installed *ret);

/* ---- staging ---- */

/*
 * Stages what brings the kernel from *installed to plan, and updates
 * *installed as if it were written. Returns 1 staged, 0 nothing to do,
 * -ENOSPC no class left (*installed becomes INSTALLED_REFUSED, and what the
 * kernel had of the source is staged to go), -ENOMEM (nothing changed).
 *
 * Where phases or the classes of later phases run out, the plan is cut: the
 * source is judged right until the last phase that fitted ends. Staging the
 * same plan again when there is room completes it.
 */
int image_stage(struct image *im, const struct prefix *source, struct installed *installed,
		const struct plan *plan);

/* Stages the removal of an entry the model knows nothing of. */
int image_stage_orphan(struct image *im, const struct prefix *source, const struct installed *was);

/* Undoes the count of a put that the kernel refused; *installed becomes INSTALLED_REFUSED. */
void image_refused(struct image *im, const struct prefix *source, struct installed *installed);

/* What is staged. Arrays belong to the image and live until image_done(). */
struct image_batch {
	size_t classes; /* numbers of new classes; values by image_class() */
	const uint32_t *class;
	size_t phases; /* indices of new phases; values by image_phase() */
	const uint32_t *phase;
	size_t puts[2]; /* by family */
	const struct moat_key4 *put4;
	const struct moat_source *put4_value;
	const struct moat_key6 *put6;
	const struct moat_source *put6_value;
	size_t deletes[2];
	const struct moat_key4 *delete4;
	const struct moat_key6 *delete6;
	bool lengths_added[2];	 /* before the puts: write image_lengths() */
	bool lengths_removed[2]; /* after the deletes: write image_lengths() again */
};

void image_batch(const struct image *im, struct image_batch *ret);
bool image_is_empty(const struct image *im);

/* Lengths to have in force while writing (with_removed) and after. */
void image_lengths(const struct image *im, uint8_t family, bool with_removed,
		   struct moat_lengths *ret);

const struct moat_class *image_class(const struct image *im, uint32_t class);
const struct moat_phase *image_phase(const struct image *im, uint32_t index);
size_t image_classes(const struct image *im); /* one more than the highest in use */

/* Whether image_done() would free what a program may still read: then wait a grace period first. */
bool image_frees(const struct image *im);

/*
 * Everything staged is written, and a grace period has passed: the phases and
 * classes of replaced entries may be used again.
 */
void image_done(struct image *im);

size_t image_entries(const struct image *im, uint8_t family); /* believed installed */
size_t image_phases_used(const struct image *im);
/* How often a source was staged, or found, with later phases left out for want of room. */
size_t image_plans_cut(const struct image *im);

#endif
