/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another never-block set, in force without a look at anything it does not
 * concern: claims inside what is new become refusals, refusals inside what is
 * gone are read again from the database.
 */
#include "daemon/sync_private.h"

#include "core/log.h"

struct claims_found {
	const struct sync *s;
	struct claim *claim; /* owned */
	size_t count, room;
	int error;
};

static void find_claim(void *arg, const struct claim *claim)
{
	struct claims_found *found = arg;

	if (found->error || claim->feed <= SYNC_FEED_SELFTEST ||
	    gate_role(&found->s->gate, claim->category) != GATE_BLOCKS)
		return;
	if (found->count == found->room) {
		size_t room = found->room ? found->room * 2 : 16;
		struct claim *grown = reallocarray(found->claim, room, sizeof(*grown));

		if (!grown) {
			found->error = -ENOMEM;
			return;
		}
		found->claim = grown;
		found->room = room;
	}
	found->claim[found->count++] = *claim;
}

static int refuse_claim(struct sync *s, const struct claim *claim)
{
	char text[PREFIX_TEXT_MAX];
	const char *category = category_shown(s->rules->categories.name[claim->category]);
	const char *feed = feeds_name(s->feeds, claim->feed);

	model_drop(s->model, &claim->source, claim->category, claim->feed);
	return refusals_set(s->refusals, sync_claim_text(s, claim, text), category, feed,
			    GATE_NEVER_BLOCK);
}

/* What is listed inside is refused from now on. */
static int protect(struct sync *s, const struct prefix *source)
{
	struct claims_found found = { .s = s };
	int r = model_put(s->model, &(struct claim){ .source = *source,
						     .category = MOAT_CATEGORY_ALLOW,
						     .feed = SYNC_FEED_NEVER_BLOCK });

	if (r >= 0) {
		model_within(s->model, source, find_claim, &found);
		r = found.error;
	}
	for (size_t i = 0; i < found.count && r >= 0; i++)
		r = refuse_claim(s, &found.claim[i]);
	free(found.claim);
	return r < 0 ? r : 0;
}

/* ---- what is gone ---- */

struct readmit {
	struct sync *s;
	const char **source; /* owned, with the texts */
	size_t count, room;
	int64_t now;
	struct problem *why;
};

static void readmit_free(struct readmit *m)
{
	for (size_t i = 0; i < m->count; i++)
		free((char *)m->source[i]);
	free(m->source);
}

/* The rows that the new set has nothing against. */
static int readmit_find(void *arg, const struct refusal *refusal)
{
	struct readmit *m = arg;
	struct prefix source;

	if (strcmp(refusal->cause, gate_cause_label(GATE_NEVER_BLOCK)) != 0 ||
	    prefix_parse(refusal->source, &source) ||
	    gate_check_prefix(&m->s->gate, &source, GATE_BLOCKS) == GATE_NEVER_BLOCK)
		return 0;
	if (m->count == m->room) {
		size_t room = m->room ? m->room * 2 : 16;
		const char **grown = reallocarray(m->source, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		m->source = grown;
		m->room = room;
	}
	m->source[m->count] = strdup(refusal->source);
	return m->source[m->count++] ? 0 : -ENOMEM;
}

static int readmit_row(void *arg, const struct listing *listing)
{
	struct readmit *m = arg;
	int r = sync_take_row(m->s, &listing->key, m->now, m->why);

	return r < 0 ? r : 0;
}

/* A row says more than its refusal: when it ends, and where it is in force. */
static int readmit(struct sync *s, int64_t now)
{
	struct problem why = {};
	_cleanup_(readmit_free) struct readmit m = { .s = s, .now = now, .why = &why };
	int r;

	if (!refusals_by_cause(s->refusals, GATE_NEVER_BLOCK))
		return 0;
	r = refusals_each(s->refusals, readmit_find, &m);
	if (!r && m.count)
		r = s->store ? store_by_sources(s->store, m.source, m.count, readmit_row, &m, &why)
			     : -EAGAIN;
	if (r < 0)
		log_info("database '%s': %s; it is read anew", s->uri,
			 *why.text ? why.text : strerror(-r));
	return r;
}

/* ---- the difference ---- */

/* Both are sorted. Returns 1 if they differ, 0, or negative errno. */
static int apply_difference(struct sync *s, const struct prefix *old, size_t olds, bool *ret_gone)
{
	const struct prefix *new = s->rules->never;
	size_t i = 0, j = 0;
	int differs = 0, r = 0;

	while (r >= 0 && (i < olds || j < s->rules->nevers)) {
		int order = i == olds		    ? 1
			    : j == s->rules->nevers ? -1
						    : prefix_compare(&old[i], &new[j]);

		differs |= order != 0;
		if (order < 0) {
			model_drop(s->model, &old[i], MOAT_CATEGORY_ALLOW, SYNC_FEED_NEVER_BLOCK);
			*ret_gone = true;
		} else if (order > 0) {
			r = protect(s, &new[j]);
		}
		i += order <= 0;
		j += order >= 0;
	}
	return r < 0 ? r : differs;
}

static int change_model(struct sync *s, const struct prefix *old, size_t olds, int64_t now,
			struct problem *why)
{
	bool gone = false;
	int differs = apply_difference(s, old, olds, &gone);

	if (differs < 0) {
		s->reread = true;
		return problem_set(why, differs, "never_block: out of memory");
	}
	if (gone && s->started && readmit(s, now) < 0)
		s->reread = true;
	return differs;
}

int sync_set_never(struct sync *s, const struct prefix *never, size_t nevers, struct problem *why)
{
	int64_t now = sync_realtime();
	_cleanup_free_ struct prefix *old = s->rules->never;
	struct prefix *copy = malloc((nevers ? nevers : 1) * sizeof(*copy));
	size_t olds = s->rules->nevers;
	int r;

	if (!copy) {
		take_ptr(old); /* stays */
		return problem_set(why, -ENOMEM, "never_block: out of memory");
	}
	if (nevers)
		memcpy(copy, never, nevers * sizeof(*copy));
	s->rules->never = copy;
	s->rules->nevers = gate_sort_never_block(copy, nevers);
	sync_use_gate(s);
	if (!s->sound) /* what is read next is read by this set */
		return 0;
	r = change_model(s, old, olds, now, why);
	if (r <= 0)
		return r;
	r = sync_write(s, now, why);
	if (r < 0) {
		s->started = false;
		return r;
	}
	sync_save_refusals(s, now);
	return 1;
}
