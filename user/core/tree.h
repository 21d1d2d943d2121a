/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Patricia tree (path-compressed binary trie) of prefixes of one family, on
 * an index pool.
 *
 * Who uses it: the model. A node with a value is a key; one without (glue)
 * only joins two subtrees. Removing is compile's business, which walks the
 * tree anyway: it unlinks with tree_prune().
 *
 * Each node carries marks of what is to be compiled:
 *	TREE_SELF   this key
 *	TREE_WHOLE  this key and everything below
 *	TREE_BELOW  something below has a mark
 *
 * Invariants:
 *  1. A node's prefix covers those of its children; the bit behind it chooses.
 *  2. A node above a marked one has TREE_BELOW or TREE_WHOLE, up to the root.
 *  3. No path is longer than the family has prefix lengths.
 */
#ifndef CORE_TREE_H
#define CORE_TREE_H

#include "core/pool.h"
#include "core/prefix.h"

#define TREE_SELF  1
#define TREE_WHOLE 2
#define TREE_BELOW 4

#define TREE_DEPTH MOAT_LENGTHS6

struct tree_node {
	uint32_t child[2];
	uint32_t value; /* 0: glue */
	uint8_t len;
	uint8_t marks;
	uint8_t idle; /* of a key: the owner's */
	uint8_t reserved;
	uint32_t addr[]; /* host order: 1 word for IPv4, 4 for IPv6 */
};

/* The nodes from the root down that cover a prefix, shortest first. */
struct tree_path {
	unsigned int count;
	uint32_t node[TREE_DEPTH];
};

struct tree {
	struct pool nodes;
	uint32_t root;
	uint8_t family;
	uint8_t words;	       /* of an address */
	struct tree_path last; /* where the next search begins, from its end upwards */
};

void tree_init(struct tree *t, uint8_t family);
void tree_fini(struct tree *t);

static inline struct tree_node *tree_at(const struct tree *t, uint32_t node)
{
	return pool_at(&t->nodes, node);
}

struct prefix tree_prefix(const struct tree *t, const struct tree_node *n);

/* The path to the node of exactly p, or false; then the path covers p as far as there are nodes. */
bool tree_find(const struct tree *t, const struct prefix *p, struct tree_path *ret_path);

/*
 * The same, from where the last tree_seek() or tree_insert() ended: in the
 * order of prefix_compare() a search costs a few steps, not a way from the
 * root. *ret_path lives until the next of them, or tree_prune().
 */
bool tree_seek(struct tree *t, const struct prefix *p, const struct tree_path **ret_path);

/* The shortest node that lies in a prefix, and has all others that do below it; 0: none does. */
uint32_t tree_top(const struct tree *t, const struct prefix *p);

/* The path to a node that is in the tree. */
void tree_find_node(const struct tree *t, uint32_t node, struct tree_path *ret_path);

/* Room for one tree_insert(). 0 or -ENOMEM. */
int tree_reserve(struct tree *t);

/*
 * The path to the node of p, which is made if missing; then the caller marks
 * it, for what now lies below may have marks (invariant 2). Begins as
 * tree_seek() does, and its path lives as long.
 */
const struct tree_path *tree_insert(struct tree *t, const struct prefix *p);

/* Marks the end of the path, and for the way there TREE_BELOW. */
void tree_mark(struct tree *t, const struct tree_path *path, uint8_t mark);

/* Takes out the node that *link names, if it is glue with fewer than two children. */
void tree_prune(struct tree *t, uint32_t *link);

#endif
