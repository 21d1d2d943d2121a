/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/model_state.h"

struct compile {
	struct model *model;
	struct tree *tree;
	int64_t now;
	model_visit_fn visit;
	void *arg;
	ssize_t visits;
	unsigned int row; /* of the votes above (quorum.h) */
};

int64_t model_merge(const struct model *m, const struct key *key, int64_t now, struct merge *all)
{
	int64_t last = 0;

	for (uint32_t at = key->claims; at;) {
		const struct claim_record *r = claims_at(&m->claims, at);
		int64_t end = plan_end(r->expires);

		if (m->quorum.counted >> r->category & 1)
			quorum_add(&m->quorum, all, r->category, quorum_group(&m->quorum, r->feed),
				   end, now);
		else
			merge_add(all, r->category, end, now);
		if (end > last)
			last = end;
		at = r->next;
	}
	return last;
}

void model_plan(const struct model *m, struct merge *all, int64_t own_end, struct plan *ret)
{
	if (all->voted)
		quorum_decide(&m->quorum, all);
	merge_plan(all, own_end, ret);
	plan_trim(ret, m->idle);
}

void model_set_idle(struct model *m, uint8_t family, struct tree_node *n, bool idle)
{
	m->idlers[family] += (size_t)idle - (size_t)n->idle;
	n->idle = idle;
}

/* above: what all covering prefixes say. Returns when the claims of the key end, 0: they have. */
static int64_t plan_key(const struct compile *c, const struct key *key, const struct merge *above,
			struct plan *ret)
{
	struct merge all;
	int64_t end;

	model_copy(c->model, &all, above, c->row + 1);
	end = model_merge(c->model, key, c->now, &all);
	if (end <= c->now)
		end = 0;
	model_plan(c->model, &all, end, ret);
	return end;
}

static int visit_key(struct compile *c, struct tree_node *n, struct key *key,
		     const struct merge *above)
{
	struct prefix source = tree_prefix(c->tree, n);
	struct plan plan;
	int64_t end;
	int rc;

	end = plan_key(c, key, above, &plan);
	model_set_idle(c->model, c->tree->family, n, end && !plan.count);
	rc = c->visit(c->arg, &source, &key->installed, &plan);
	if (rc < 0)
		return rc;
	c->visits++;
	return 0;
}

/* Hands the mark of a whole subtree one step down, so that a compile can stop anywhere. */
static void spread_marks(struct compile *c, struct tree_node *n)
{
	if (!(n->marks & TREE_WHOLE))
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(n->child); i++) {
		if (n->child[i])
			tree_at(c->tree, n->child[i])->marks |= TREE_WHOLE;
	}
	n->marks = TREE_SELF | TREE_BELOW;
}

static int compile_node(struct compile *c, uint32_t *link, const struct merge *above);

static int compile_children(struct compile *c, struct tree_node *n, const struct key *key,
			    const struct merge *above)
{
	unsigned int row = c->row;
	struct merge all;
	int rc = 0;

	if (key && key->claims) {
		model_copy(c->model, &all, above, ++c->row);
		model_merge(c->model, key, c->now, &all);
		above = &all;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(n->child) && rc >= 0; i++) {
		if (n->child[i])
			rc = compile_node(c, &n->child[i], above);
	}
	c->row = row;
	return rc;
}

/*
 * Visits what is marked in a subtree, what a prefix covers before the prefix,
 * and forgets keys of no use. The depth of the recursion is that of the tree,
 * bounded by TREE_DEPTH.
 */
static int compile_node(struct compile *c, uint32_t *link, const struct merge *above)
{
	struct tree_node *n = tree_at(c->tree, *link);
	struct key *key = model_key(c->model, n);
	int rc;

	if (!n->marks)
		return 0;
	spread_marks(c, n);
	if (n->marks & TREE_BELOW && (n->child[0] || n->child[1])) {
		rc = compile_children(c, n, key, above);
		if (rc < 0)
			return rc;
	}
	if (n->marks & TREE_SELF && key) {
		rc = visit_key(c, n, key, above);
		if (rc < 0)
			return rc;
		if (!key->claims && key->installed.state == INSTALLED_NOT) {
			pool_give(&c->model->keys, n->value);
			n->value = 0;
		}
	}
	n->marks = 0;
	tree_prune(c->tree, link);
	return 0;
}

ssize_t model_compile(struct model *m, int64_t now, model_visit_fn visit, void *arg)
{
	const struct merge nothing = {};
	struct compile c = { .model = m, .now = now, .visit = visit, .arg = arg };

	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		int rc;

		c.tree = &m->tree[family];
		if (!c.tree->root)
			continue;
		rc = compile_node(&c, &c.tree->root, &nothing);
		if (rc < 0)
			return rc;
	}
	return c.visits;
}
