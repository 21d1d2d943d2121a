/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listings in memory, by source, with all their owners, and what they mean.
 *
 * Who uses it: the daemon puts and drops claims as the change log says, then
 * compiles: for each source whose meaning may have changed, the visitor gets
 * its plan. Pure: no I/O, no clock (time is a parameter), no libbpf.
 *
 * Invariants:
 *  1. A source is a key while it has at least one claim.
 *  2. The plan of a key says what every claim on it and on all prefixes that
 *     cover it means together, so that the longest match alone decides.
 *  3. model_compile() visits every key whose plan changed since it was last
 *     visited, and possibly others. Time alone changes no plan until
 *     model_expire() has dropped the claims that ended.
 *  4. A Patricia tree a family; memory at most 130 bytes a claim on distinct
 *     hosts (measured by tests/unit).
 *  5. Puts, drops and finds in the order of prefix_compare() cost a few steps
 *     each; in any other order a way from the root, through memory that is in
 *     no cache once there are millions of sources (core/prefix_sort.h helps).
 */
#ifndef CORE_MODEL_H
#define CORE_MODEL_H

#include "core/prefix.h"
#include "moat/policy.h"

struct model;

/* One claim of a listing: what the kernel needs of a row of the database. */
struct claim {
	struct prefix source; /* canonical: no host bits */
	uint8_t category;     /* id, MOAT_CATEGORY_ALLOW included */
	uint16_t feed;	      /* id */
	int64_t expires;      /* seconds since 1970; 0: never */
};

/* Source, category and feed identify a claim. */

/*
 * What a source goes through: at each time before phase[i].until (and from
 * phase[i-1].until on) its set of categories is phase[i].set. until grows;
 * the last until is when the source's own claims have all ended, 0 for never,
 * or before that when nothing but idle categories is left (struct model_rules).
 * Adjacent phases differ. While allow is live the set is allow alone.
 * count 0: nothing to install: no live claim, or only idle categories.
 */
struct plan {
	unsigned int count;
	struct {
		uint64_t set; /* bit c: category c */
		int64_t until;
	} phase[MOAT_PHASES_MAX];
};

/* What the daemon believes the kernel holds of a key; the model only keeps it. */
enum installed_state {
	INSTALLED_NOT,	   /* not in the kernel */
	INSTALLED_YES,	   /* in the kernel with the values below */
	INSTALLED_REFUSED, /* wanted, but the kernel or the tables had no room */
};

struct installed {
	uint32_t class;
	uint32_t expires;
	uint32_t next;
	uint32_t state; /* enum installed_state */
};

/* Feeds that a category may ask for at most. */
#define MODEL_K_MAX 8

/* What is special about categories; all zero: nothing. */
struct model_rules {
	/*
	 * Where above 1 (at most MODEL_K_MAX, never for allow): the category is
	 * in the set of a source only while that many independent feeds claim it.
	 * Claims of them stand for the category below[c] all the time.
	 */
	uint8_t k_of[MOAT_CATEGORIES];
	uint8_t below[MOAT_CATEGORIES];
	uint64_t idle; /* bit c: never acts by itself; phases of nothing else are left out */
};

/* The group of feeds that need no others. */
#define MODEL_TRUSTED UINT32_MAX

int model_new(struct model **ret);
struct model *model_free(struct model *m); /* takes NULL, returns NULL */
DEFINE_CLEANUP(struct model, model_free)

/* Both mark what they change. 0, or -ENOMEM and nothing changed. */
int model_set_rules(struct model *m, const struct model_rules *rules);
/* Feeds of one group count once. A feed nobody told of is the group of its own number. */
int model_set_group(struct model *m, uint16_t feed, uint32_t group);
uint32_t model_group(const struct model *m, uint16_t feed);

/*
 * Adds or refreshes. Returns 1 if something changed, 0 if it was there just so,
 * -ENOMEM (nothing changed), or -EINVAL for what is no prefix or category.
 */
int model_put(struct model *m, const struct claim *claim);

/* Removes. Returns 1, or 0 if there was no such claim. */
int model_drop(struct model *m, const struct prefix *source, uint8_t category, uint16_t feed);

/* Drops every claim of a feed (for lists that are replaced whole). Returns how many. */
size_t model_drop_feed(struct model *m, uint16_t feed);

/* Drops claims with 0 < expires <= now. Returns how many. */
size_t model_expire(struct model *m, int64_t now);

/*
 * fn hears of every claim that is dropped, by whichever call, while it is still
 * there. It asks the model nothing.
 */
void model_on_drop(struct model *m, void (*fn)(void *arg, const struct claim *claim), void *arg);

/* When the next claim expires, 0 for none. May be early, never late. */
int64_t model_next_expiry(const struct model *m);

/* Marks everything as changed: every key is visited by the next compile. */
void model_touch_all(struct model *m);

/* Marks one key as changed. */
void model_touch(struct model *m, const struct prefix *source);

/*
 * Visits changed keys, each once, what a prefix covers before the prefix.
 * plan->count 0: remove; the node is forgotten once *installed is
 * INSTALLED_NOT after the visit. The visitor must not change the model. A
 * negative return stops the compile; that key and what was not visited stay
 * changed, so compiling again continues. Returns visits made, or that error.
 */
typedef int (*model_visit_fn)(void *arg, const struct prefix *source, struct installed *installed,
			      const struct plan *plan);
ssize_t model_compile(struct model *m, int64_t now, model_visit_fn visit, void *arg);

/*
 * The kernel-side state of a key, or NULL. Valid until the model changes. A key
 * whose claims are all gone is found until compile has forgotten it.
 */
struct installed *model_find(struct model *m, const struct prefix *source);

/*
 * What an address (a host prefix) must get: the longest key that covers it and
 * has a live plan at now. Returns false if none. ret_key and ret_plan may be NULL.
 */
bool model_judge(const struct model *m, const struct prefix *address, int64_t now,
		 struct prefix *ret_key, struct plan *ret_plan);

/* Calls fn for every claim on source and on what covers it, shortest prefix first. */
void model_covering(const struct model *m, const struct prefix *source,
		    void (*fn)(void *arg, const struct claim *claim), void *arg);

/*
 * Calls fn for every claim on source and on what lies in it. fn must not
 * change the model.
 */
void model_within(const struct model *m, const struct prefix *source,
		  void (*fn)(void *arg, const struct claim *claim), void *arg);

/* Calls fn for every key that model_find() finds, covering prefixes first. */
void model_each(struct model *m,
		void (*fn)(void *arg, const struct prefix *source, struct installed *installed),
		void *arg);

/*
 * The idle categories that are claimed for an address at now. For one that
 * model_judge() knows nothing of they are all there is.
 */
uint64_t model_idle(const struct model *m, const struct prefix *address, int64_t now);

/*
 * Numbers. keys: sources with at least one claim, but for those which the last
 * compile found to have only idle categories; claims by feed and category.
 */
size_t model_keys(const struct model *m, uint8_t family);
size_t model_claims(const struct model *m, uint16_t feed, uint8_t category);
size_t model_feeds(const struct model *m);  /* one more than the highest feed id seen */
size_t model_memory(const struct model *m); /* bytes allocated */

#endif
