/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/model.h"

#include "core/model_state.h"

#define EXPIRE_FEW   256 /* claims, and one in EXPIRE_SHARE of all */
#define EXPIRE_SHARE 32

int model_new(struct model **ret)
{
	_cleanup_(model_freep) struct model *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	tree_init(&m->tree[MOAT_IPV4], MOAT_IPV4);
	tree_init(&m->tree[MOAT_IPV6], MOAT_IPV6);
	pool_init(&m->keys, sizeof(struct key));
	claims_init(&m->claims);
	*ret = take_ptr(m);
	return 0;
}

struct model *model_free(struct model *m)
{
	if (!m)
		return NULL;
	tree_fini(&m->tree[MOAT_IPV4]);
	tree_fini(&m->tree[MOAT_IPV6]);
	pool_fini(&m->keys);
	claims_fini(&m->claims);
	quorum_fini(&m->quorum);
	free(m);
	return NULL;
}

static bool is_source(const struct prefix *p)
{
	return p->family <= MOAT_IPV6 && p->len <= prefix_max(p->family);
}

static const struct tree_node *path_end(const struct tree *t, const struct tree_path *path)
{
	return tree_at(t, path->node[path->count - 1]);
}

/* The key of exactly source, or NULL; then the path is not to be used. */
static struct key *find_key(struct model *m, const struct prefix *source,
			    const struct tree_path **path)
{
	struct tree *t;

	if (!is_source(source))
		return NULL;
	t = &m->tree[source->family];
	if (!tree_seek(t, source, path))
		return NULL;
	return model_key(m, path_end(t, *path));
}

/* ---- changes ---- */

int model_set_rules(struct model *m, const struct model_rules *rules)
{
	if (quorum_set_rules(&m->quorum, rules))
		return -ENOMEM;
	m->idle = rules->idle;
	model_touch_all(m);
	return 0;
}

int model_set_group(struct model *m, uint16_t feed, uint32_t group)
{
	int rc = quorum_set_group(&m->quorum, feed, group);

	if (rc > 0 && m->quorum.counted && feed < m->claims.feeds)
		model_touch_all(m);
	return rc < 0 ? rc : 0;
}

uint32_t model_group(const struct model *m, uint16_t feed)
{
	return quorum_group(&m->quorum, feed);
}

/* Room for all that one claim may add, so that nothing fails half way. */
static int reserve(struct model *m, const struct claim *claim)
{
	if (tree_reserve(&m->tree[claim->source.family]) || pool_reserve(&m->keys, 1) ||
	    claims_reserve(&m->claims, claim->feed))
		return -ENOMEM;
	return 0;
}

int model_put(struct model *m, const struct claim *claim)
{
	uint8_t family = claim->source.family;
	const struct tree_path *path;
	struct tree_node *n;
	struct key *key;
	uint32_t found;

	if (!is_source(&claim->source) || claim->category >= MOAT_CATEGORIES)
		return -EINVAL;
	if (reserve(m, claim))
		return -ENOMEM;

	path = tree_insert(&m->tree[family], &claim->source);
	n = tree_at(&m->tree[family], path->node[path->count - 1]);
	if (!n->value)
		n->value = pool_take(&m->keys);
	key = model_key(m, n);

	found = claims_find(&m->claims, key->claims, claim->category, claim->feed);
	if (found && claims_at(&m->claims, found)->expires == claim->expires)
		return 0;
	if (!key->claims)
		m->listed[family]++;
	if (found)
		claims_refresh(&m->claims, found, claim->expires);
	else
		claims_add(&m->claims, &key->claims, claim, path->node[path->count - 1]);
	tree_mark(&m->tree[family], path, TREE_WHOLE);
	return 1;
}

static struct claim claim_of(const struct tree *t, const struct tree_node *n,
			     const struct claim_record *r)
{
	return (struct claim){
		.source = tree_prefix(t, n),
		.category = r->category,
		.feed = r->feed,
		.expires = r->expires,
	};
}

void model_on_drop(struct model *m, void (*fn)(void *arg, const struct claim *claim), void *arg)
{
	m->on_drop = fn;
	m->on_drop_arg = arg;
}

/* Drops a claim of the key at the end of the path. */
static void drop_claim(struct model *m, uint8_t family, const struct tree_path *path,
		       uint32_t claim)
{
	struct tree *t = &m->tree[family];
	struct key *key = model_key(m, path_end(t, path));

	if (m->on_drop) {
		struct claim gone = claim_of(t, path_end(t, path), claims_at(&m->claims, claim));

		m->on_drop(m->on_drop_arg, &gone);
	}
	claims_remove(&m->claims, &key->claims, claim);
	if (!key->claims) {
		m->listed[family]--;
		model_set_idle(m, family, tree_at(t, path->node[path->count - 1]), false);
	}
	tree_mark(t, path, TREE_WHOLE);
}

static void drop_record(void *arg, uint32_t claim)
{
	struct model *m = arg;
	const struct claim_record *r = claims_at(&m->claims, claim);
	struct tree_path path;

	tree_find_node(&m->tree[r->family], r->node, &path);
	drop_claim(m, r->family, &path, claim);
}

int model_drop(struct model *m, const struct prefix *source, uint8_t category, uint16_t feed)
{
	const struct tree_path *path;
	const struct key *key = find_key(m, source, &path);
	uint32_t claim;

	if (!key)
		return 0;
	claim = claims_find(&m->claims, key->claims, category, feed);
	if (!claim)
		return 0;
	drop_claim(m, source->family, path, claim);
	return 1;
}

size_t model_drop_feed(struct model *m, uint16_t feed)
{
	size_t dropped = 0;

	for (uint32_t claim = 1; claim < m->claims.records.used; claim++) {
		const struct claim_record *r = claims_at(&m->claims, claim);

		if (!r->node || r->feed != feed)
			continue;
		drop_record(m, claim);
		dropped++;
	}
	return dropped;
}

/* One by one each claim costs a logarithm, which for many is more than a sweep over all. */
size_t model_expire(struct model *m, int64_t now)
{
	size_t few = EXPIRE_FEW + m->claims.heap_used / EXPIRE_SHARE;
	size_t dropped = 0;
	uint32_t claim;

	while ((claim = claims_first(&m->claims)) && claims_at(&m->claims, claim)->expires <= now) {
		if (dropped == few)
			return dropped + claims_sweep(&m->claims, now, drop_record, m);
		drop_record(m, claim);
		dropped++;
	}
	return dropped;
}

int64_t model_next_expiry(const struct model *m)
{
	uint32_t claim = claims_first(&m->claims);

	return claim ? claims_at(&m->claims, claim)->expires : 0;
}

void model_touch_all(struct model *m)
{
	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		if (m->tree[family].root)
			tree_at(&m->tree[family], m->tree[family].root)->marks |= TREE_WHOLE;
	}
}

void model_touch(struct model *m, const struct prefix *source)
{
	const struct tree_path *path;

	if (find_key(m, source, &path))
		tree_mark(&m->tree[source->family], path, TREE_SELF);
}

/* ---- questions ---- */

struct installed *model_find(struct model *m, const struct prefix *source)
{
	const struct tree_path *path;
	struct key *key = find_key(m, source, &path);

	return key ? &key->installed : NULL;
}

bool model_judge(const struct model *m, const struct prefix *address, int64_t now,
		 struct prefix *ret_key, struct plan *ret_plan)
{
	const struct tree_node *decides = NULL;
	struct merge all = { .vote = quorum_row(&m->quorum, 0) }, own;
	struct tree_path path;
	int64_t own_end = 0;
	const struct tree *t;
	struct plan plan;

	if (!is_source(address))
		return false;
	t = &m->tree[address->family];
	tree_find(t, address, &path);

	/* Claims of dead keys add nothing, so merging on to the last live one is right. */
	for (unsigned int i = 0; i < path.count; i++) {
		const struct tree_node *n = tree_at(t, path.node[i]);
		const struct key *key = model_key(m, n);
		int64_t end = key ? model_merge(m, key, now, &all) : 0;

		if (end > now) {
			decides = n;
			own_end = end;
			model_copy(m, &own, &all, 1);
		}
	}
	if (!decides)
		return false;
	model_plan(m, &own, own_end, &plan);
	if (!plan.count)
		return false;
	if (ret_key)
		*ret_key = tree_prefix(t, decides);
	if (ret_plan)
		*ret_plan = plan;
	return true;
}

struct idle_at {
	const struct model *m;
	int64_t now;
	uint64_t set;
};

static void note_idle(void *arg, const struct claim *claim)
{
	struct idle_at *at = arg;

	if (plan_end(claim->expires) > at->now)
		at->set |= 1ULL << claim->category & at->m->idle;
}

uint64_t model_idle(const struct model *m, const struct prefix *address, int64_t now)
{
	struct idle_at at = { .m = m, .now = now };

	model_covering(m, address, note_idle, &at);
	return at.set;
}

static void each_claim(const struct model *m, const struct tree *t, const struct tree_node *n,
		       void (*fn)(void *arg, const struct claim *claim), void *arg)
{
	const struct key *key = model_key(m, n);

	for (uint32_t at = key ? key->claims : 0; at;) {
		const struct claim_record *r = claims_at(&m->claims, at);
		struct claim claim = claim_of(t, n, r);

		fn(arg, &claim);
		at = r->next;
	}
}

void model_covering(const struct model *m, const struct prefix *source,
		    void (*fn)(void *arg, const struct claim *claim), void *arg)
{
	struct tree_path path;
	const struct tree *t;

	if (!is_source(source))
		return;
	t = &m->tree[source->family];
	tree_find(t, source, &path);
	for (unsigned int i = 0; i < path.count; i++) {
		each_claim(m, t, tree_at(t, path.node[i]), fn, arg);
	}
}

/* Depth is that of the tree: bounded by TREE_DEPTH. */
static void each_within(const struct model *m, const struct tree *t, uint32_t node,
			void (*fn)(void *arg, const struct claim *claim), void *arg)
{
	const struct tree_node *n = tree_at(t, node);

	each_claim(m, t, n, fn, arg);
	for (unsigned int i = 0; i < ARRAY_SIZE(n->child); i++) {
		if (n->child[i])
			each_within(m, t, n->child[i], fn, arg);
	}
}

void model_within(const struct model *m, const struct prefix *source,
		  void (*fn)(void *arg, const struct claim *claim), void *arg)
{
	const struct tree *t;
	uint32_t node;

	if (!is_source(source))
		return;
	t = &m->tree[source->family];
	node = tree_top(t, source);
	if (node)
		each_within(m, t, node, fn, arg);
}

/* Depth is that of the tree: bounded by TREE_DEPTH. */
static void each_node(struct model *m, const struct tree *t, uint32_t node,
		      void (*fn)(void *arg, const struct prefix *source,
				 struct installed *installed),
		      void *arg)
{
	const struct tree_node *n = tree_at(t, node);
	struct key *key = model_key(m, n);

	if (key) {
		struct prefix source = tree_prefix(t, n);

		fn(arg, &source, &key->installed);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(n->child); i++) {
		if (n->child[i])
			each_node(m, t, n->child[i], fn, arg);
	}
}

void model_each(struct model *m,
		void (*fn)(void *arg, const struct prefix *source, struct installed *installed),
		void *arg)
{
	for (unsigned int family = MOAT_IPV4; family <= MOAT_IPV6; family++) {
		if (m->tree[family].root)
			each_node(m, &m->tree[family], m->tree[family].root, fn, arg);
	}
}

size_t model_keys(const struct model *m, uint8_t family)
{
	return family <= MOAT_IPV6 ? m->listed[family] - m->idlers[family] : 0;
}

size_t model_claims(const struct model *m, uint16_t feed, uint8_t category)
{
	if (feed >= m->claims.feeds || category >= MOAT_CATEGORIES)
		return 0;
	return m->claims.count[feed][category];
}

size_t model_feeds(const struct model *m)
{
	return m->claims.feeds;
}

size_t model_memory(const struct model *m)
{
	return sizeof(*m) + pool_memory(&m->tree[MOAT_IPV4].nodes) +
	       pool_memory(&m->tree[MOAT_IPV6].nodes) + pool_memory(&m->keys) +
	       claims_memory(&m->claims) + quorum_memory(&m->quorum);
}
