/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tree.h"

#include <arpa/inet.h>

/* A prefix as nodes have it. */
struct tree_key {
	uint32_t addr[4];
	unsigned int len;
};

void tree_init(struct tree *t, uint8_t family)
{
	*t = (struct tree){ .family = family, .words = family == MOAT_IPV4 ? 1 : 4 };
	pool_init(&t->nodes, sizeof(struct tree_node) + t->words * sizeof(uint32_t));
}

void tree_fini(struct tree *t)
{
	pool_fini(&t->nodes);
	t->root = 0;
}

struct prefix tree_prefix(const struct tree *t, const struct tree_node *n)
{
	struct prefix p = { .family = t->family, .len = n->len };

	for (unsigned int i = 0; i < t->words; i++) {
		uint32_t word = htonl(n->addr[i]);

		memcpy(p.addr + 4 * i, &word, sizeof(word));
	}
	return p;
}

static void key_mask(struct tree_key *key)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(key->addr); i++) {
		if (key->len <= 32 * i)
			key->addr[i] = 0;
		else if (key->len < 32 * (i + 1))
			key->addr[i] &= ~0U << (32 * (i + 1) - key->len);
	}
}

static struct tree_key key_from_prefix(const struct tree *t, const struct prefix *p)
{
	struct tree_key key = { .len = p->len };

	for (unsigned int i = 0; i < t->words; i++) {
		uint32_t word;

		memcpy(&word, p->addr + 4 * i, sizeof(word));
		key.addr[i] = ntohl(word);
	}
	key_mask(&key);
	return key;
}

static struct tree_key key_from_node(const struct tree *t, const struct tree_node *n)
{
	struct tree_key key = { .len = n->len };

	memcpy(key.addr, n->addr, t->words * sizeof(n->addr[0]));
	return key;
}

static unsigned int bit_at(const uint32_t *addr, unsigned int at)
{
	return addr[at / 32] >> (31 - at % 32) & 1;
}

/* How many leading bits node and key share, at most both lengths. */
static unsigned int common_bits(const struct tree_node *n, const struct tree_key *key)
{
	unsigned int limit = n->len < key->len ? n->len : key->len;

	for (unsigned int at = 0; at < limit; at += 32) {
		uint32_t differ = n->addr[at / 32] ^ key->addr[at / 32];

		if (differ) {
			unsigned int common = at + __builtin_clz(differ);

			return common < limit ? common : limit;
		}
	}
	return limit;
}

/* Whether a node covers more than the key. */
static bool covers(const struct tree_node *n, const struct tree_key *key)
{
	return n->len < key->len && common_bits(n, key) == n->len;
}

/*
 * Follows the key down from the end of the path while nodes cover it, and adds
 * them to the path. Returns the link where the way ends: to a node that does
 * not cover the key (ret_common tells how far they agree), to nothing, or, if
 * the key is there, to its node.
 */
static uint32_t *descend(struct tree *t, const struct tree_key *key, struct tree_path *path,
			 unsigned int *ret_common)
{
	unsigned int count = path->count;
	uint32_t *link = &t->root;

	if (count) {
		struct tree_node *above = tree_at(t, path->node[count - 1]);

		link = &above->child[bit_at(key->addr, above->len)];
	}
	while (*link) {
		struct tree_node *n = tree_at(t, *link);
		unsigned int common = common_bits(n, key);

		*ret_common = common;
		if (common < n->len)
			break;
		path->node[count++] = *link;
		if (n->len == key->len)
			break;
		link = &n->child[bit_at(key->addr, n->len)];
	}
	path->count = count;
	return link;
}

/* The same from where the last search ended. */
static uint32_t *descend_on(struct tree *t, const struct tree_key *key, unsigned int *ret_common)
{
	struct tree_path *path = &t->last;

	while (path->count && !covers(tree_at(t, path->node[path->count - 1]), key))
		path->count--;
	return descend(t, key, path, ret_common);
}

static bool path_ends_at(const struct tree *t, const struct tree_path *path, unsigned int len)
{
	return path->count && tree_at(t, path->node[path->count - 1])->len == len;
}

bool tree_find(const struct tree *t, const struct prefix *p, struct tree_path *ret_path)
{
	struct tree_key key = key_from_prefix(t, p);
	unsigned int common;

	ret_path->count = 0;
	descend((struct tree *)t, &key, ret_path, &common); /* writes to the path only */
	return path_ends_at(t, ret_path, key.len);
}

bool tree_seek(struct tree *t, const struct prefix *p, const struct tree_path **ret_path)
{
	struct tree_key key = key_from_prefix(t, p);
	unsigned int common;

	descend_on(t, &key, &common);
	*ret_path = &t->last;
	return path_ends_at(t, &t->last, key.len);
}

uint32_t tree_top(const struct tree *t, const struct prefix *p)
{
	struct tree_key key = key_from_prefix(t, p);
	struct tree_path path = { .count = 0 };
	unsigned int common = 0;
	uint32_t node = *descend((struct tree *)t, &key, &path, &common);

	return node && common == key.len ? node : 0;
}

void tree_find_node(const struct tree *t, uint32_t node, struct tree_path *ret_path)
{
	struct tree_key key = key_from_node(t, tree_at(t, node));
	unsigned int common;

	ret_path->count = 0;
	descend((struct tree *)t, &key, ret_path, &common);
}

int tree_reserve(struct tree *t)
{
	return pool_reserve(&t->nodes, 2);
}

static uint32_t node_new(struct tree *t, const struct tree_key *key)
{
	uint32_t node = pool_take(&t->nodes);
	struct tree_node *n = tree_at(t, node);

	n->len = key->len;
	memcpy(n->addr, key->addr, t->words * sizeof(n->addr[0]));
	return node;
}

/* Puts a new node above the one that *link names. */
static void insert_above(struct tree *t, uint32_t *link, uint32_t node)
{
	struct tree_node *n = tree_at(t, node);
	const struct tree_node *below = tree_at(t, *link);

	n->child[bit_at(below->addr, n->len)] = *link;
	*link = node;
}

const struct tree_path *tree_insert(struct tree *t, const struct prefix *p)
{
	struct tree_key key = key_from_prefix(t, p);
	struct tree_path *path = &t->last;
	unsigned int common = 0;
	uint32_t *link = descend_on(t, &key, &common);
	uint32_t node;

	if (path_ends_at(t, path, key.len))
		return path;
	node = node_new(t, &key);
	if (!*link) {
		*link = node;
	} else if (common == key.len) {
		insert_above(t, link, node);
	} else {
		struct tree_key shared = { .len = common };
		struct tree_node *glue;

		memcpy(shared.addr, key.addr, sizeof(shared.addr));
		key_mask(&shared);
		insert_above(t, link, node_new(t, &shared));
		glue = tree_at(t, *link);
		glue->child[bit_at(key.addr, common)] = node;
		path->node[path->count++] = *link;
	}
	path->node[path->count++] = node;
	return path;
}

void tree_mark(struct tree *t, const struct tree_path *path, uint8_t mark)
{
	unsigned int at = path->count;

	if (!at)
		return;
	tree_at(t, path->node[--at])->marks |= mark;
	while (at) {
		struct tree_node *n = tree_at(t, path->node[--at]);

		if (n->marks & (TREE_BELOW | TREE_WHOLE))
			break; /* then those above it have a mark, too */
		n->marks |= TREE_BELOW;
	}
}

void tree_prune(struct tree *t, uint32_t *link)
{
	uint32_t node = *link;
	const struct tree_node *n = tree_at(t, node);

	if (n->value || (n->child[0] && n->child[1]))
		return;
	*link = n->child[0] ? n->child[0] : n->child[1];
	pool_give(&t->nodes, node);
	t->last.count = 0; /* it may have been on that path */
}
