/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a model is made of. For model.c and compile.c only.
 *
 * A node of a tree is a key or glue; a key has a list of claims. A key whose
 * list has become empty is kept, marked, until compile has told the visitor.
 */
#ifndef CORE_MODEL_STATE_H
#define CORE_MODEL_STATE_H

#include "core/claims.h"
#include "core/model.h"
#include "core/plan.h"
#include "core/quorum.h"
#include "core/tree.h"

struct key {
	uint32_t claims; /* list; 0: to be forgotten once it is not installed */
	struct installed installed;
};

struct model {
	struct tree tree[2]; /* by family */
	struct pool keys;    /* values of the nodes of both */
	struct claims claims;
	struct quorum quorum;
	uint64_t idle;					       /* of struct model_rules */
	size_t listed[2];				       /* keys with a claim, by family */
	size_t idlers[2];				       /* of these, nodes marked as idle */
	void (*on_drop)(void *arg, const struct claim *claim); /* or NULL */
	void *on_drop_arg;
};

static inline struct key *model_key(const struct model *m, const struct tree_node *n)
{
	return n->value ? pool_at(&m->keys, n->value) : NULL;
}

/* *to becomes what *from is; its votes are kept in that row. */
static inline void model_copy(const struct model *m, struct merge *to, const struct merge *from,
			      unsigned int row)
{
	merge_copy(to, from);
	to->vote = quorum_row(&m->quorum, row);
	if (from->voted)
		quorum_copy(&m->quorum, to, from);
}

/* Adds the claims of a key to a merge. Returns when the last of them ends, 0 if there is none. */
int64_t model_merge(const struct model *m, const struct key *key, int64_t now, struct merge *all);

/* The plan of a key (see merge_plan()); what is merged is not to be merged any further. */
void model_plan(const struct model *m, struct merge *all, int64_t own_end, struct plan *ret);

/* Whether a key has claims, but only such that need no entry. */
void model_set_idle(struct model *m, uint8_t family, struct tree_node *n, bool idle);

#endif
