/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/model_state.h"

struct compile {
	struct model *model;
	struct tree *tree;
	int64_t now;
	model_visit_fn visit;
	void *arg;
	ssize_t visits;
};

int64_t model_merge(const struct model *m, const struct key *key, int64_t now, struct merge *all)
{
	int64_t last = 0;

	for (uint32_t at = key->claims; at;) {
		const struct claim_record *r = claims_at(&m->claims, at);
		int64_t end = plan_end(r->expires);

		merge_add(all, r->category, end, now);
		if (end > last)
			last = end;
		at = r->next;
	}
	return last;
}

/* above: what all covering prefixes say. */
static void plan_key(const struct compile *c, const struct key *key, const struct merge *above,
		     struct plan *ret)
{
	struct merge all;
	int64_t end;

	merge_copy(&all, above);
	end = model_merge(c->model, key, c->now, &all);
	if (end <= c->now)
		end = 0;
	merge_plan(&all, end, ret);
}

static int visit_key(struct compile *c, struct tree_node *n, struct key *key,
		     const struct merge *above)
{
	struct prefix source = tree_prefix(c->tree, n);
	struct plan plan;
	int rc;

	plan_key(c, key, above, &plan);
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
	struct merge all;
	int rc = 0;

	if (key && key->claims) {
		merge_copy(&all, above);
		model_merge(c->model, key, c->now, &all);
		above = &all;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(n->child) && rc >= 0; i++) {
		if (n->child[i])
			rc = compile_node(c, &n->child[i], above);
	}
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
