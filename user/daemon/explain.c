/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why an address gets what it gets: the listings, what the model makes of
 * them, what the kernel holds, and what the loaded program really does.
 */
#include <net/if.h>

#include "daemon/daemon.h"
#include "daemon/frame.h"
#include "plane/hits.h"

/* Every spelling a listing that covers the address can have. */
#define SPELLINGS (MOAT_LENGTHS6 + 1)

static int explain_listings(struct daemon *d, const struct prefix *address, store_listing_fn fn,
			    void *arg, struct problem *why)
{
	char text[SPELLINGS][PREFIX_TEXT_MAX];
	const char *spelling[SPELLINGS];
	struct store *store = sync_store(d->sync);
	size_t count = 0;

	if (!store)
		return problem_set(why, -EAGAIN, "the database is not open");
	spelling[count] = prefix_format(address, text[count]);
	count++;
	for (int len = address->len; len >= 0; len--, count++) {
		struct prefix covering = prefix_shorten(address, (uint8_t)len);

		spelling[count] = prefix_format_cidr(&covering, text[count]);
	}
	return store_by_sources(store, spelling, count, fn, arg, why);
}

static bool scope_fits(const struct moat_policy *policy, const struct moat_ports *ports,
		       const struct explain_query *query)
{
	uint16_t port = (uint16_t)(query->port < 0 ? 0 : query->port);

	if (!(policy->flags & MOAT_POLICY_PROTOCOLS))
		return true;
	if (!(policy->protocols[query->protocol / 64] & (1ULL << (query->protocol % 64))))
		return false;
	if (!(policy->flags & MOAT_POLICY_PORTS))
		return true;
	return ports && ports->set[port / 64] & (1ULL << (port % 64));
}

/* The first category of the set that only counts, because feeds in mode monitor list it. */
static void explain_monitored(struct daemon *d, const struct explain_query *query, uint64_t set,
			      struct explanation *ret)
{
	char name[MOAT_CATEGORY_NAME + 1];

	for (size_t i = 0; i < d->config->categories; i++) {
		const struct config_category *category = &d->config->category[i];
		int number;

		snprintf(name, sizeof(name), "%c%s", CATEGORY_MONITORED, category->name);
		number = categories_find(sync_categories(d->sync), name);
		if (number < 0 || !(set & (1ULL << number)) ||
		    category->policy.flags & MOAT_POLICY_SHARED ||
		    !scope_fits(&category->policy, category->ports, query))
			continue;
		ret->model_reason = MOAT_MONITORED;
		ret->model_verdict = MOAT_VERDICT_MONITOR;
		ret->model_category = (uint8_t)number;
		return;
	}
}

/* What the model says must come out for the set, in the words of the program. */
static void explain_model(struct daemon *d, const struct explain_query *query, uint64_t set,
			  bool enforce, struct explanation *ret)
{
	const struct config_category *best = NULL;

	ret->model_verdict = MOAT_VERDICT_PASS;
	ret->model_reason = MOAT_OUT_OF_SCOPE;
	if (set & (1ULL << MOAT_CATEGORY_ALLOW)) {
		ret->model_reason = MOAT_ALLOWED;
		return;
	}
	for (size_t i = 0; i < d->config->categories; i++) {
		const struct config_category *category = &d->config->category[i];
		int number = categories_find(sync_categories(d->sync), category->name);

		if (number < 0 || !(set & (1ULL << number)) ||
		    category->policy.flags & MOAT_POLICY_SHARED ||
		    !scope_fits(&category->policy, category->ports, query))
			continue;
		if (best && category->policy.action <= best->policy.action)
			continue;
		best = category;
		ret->model_category = (uint8_t)number;
	}
	/* The self-test's own category drops too, but comes after all that do. */
	if (set & (1ULL << MOAT_CATEGORY_SELFTEST) &&
	    (!best || best->policy.action < MOAT_ACTION_DROP)) {
		ret->model_reason = MOAT_LISTED;
		ret->model_verdict = enforce ? MOAT_VERDICT_DROP : MOAT_VERDICT_MONITOR;
		ret->model_category = MOAT_CATEGORY_SELFTEST;
		return;
	}
	if (!best) {
		explain_monitored(d, query, set, ret);
		return;
	}
	switch (best->policy.action) {
	case MOAT_ACTION_DROP:
		ret->shared = sync_shared(d->sync, set);
		ret->model_reason = ret->shared ? MOAT_SHARED : MOAT_LISTED;
		ret->model_verdict = ret->shared ? MOAT_VERDICT_TAG : MOAT_VERDICT_DROP;
		break;
	case MOAT_ACTION_LIMIT:
		ret->model_reason = MOAT_WITHIN_LIMIT;
		break;
	case MOAT_ACTION_TAG:
		ret->model_reason = MOAT_TAGGED;
		ret->model_verdict = MOAT_VERDICT_TAG;
		break;
	default:
		ret->model_reason = MOAT_MONITORED;
		ret->model_verdict = MOAT_VERDICT_MONITOR;
	}
	if (!enforce && ret->model_verdict != MOAT_VERDICT_PASS)
		ret->model_verdict = MOAT_VERDICT_MONITOR;
}

static void explain_kernel(struct daemon *d, struct explanation *ret)
{
	struct moat_class class;

	if (tables_get(d->tables, &ret->key, &ret->value) < 0)
		return;
	ret->in_kernel = true;
	ret->has_hit = !tables_hit(d->tables, &ret->key, &ret->hit);
	if (ret->value.class == MOAT_CLASS_ALLOW)
		ret->kernel_set = 1ULL << MOAT_CATEGORY_ALLOW;
	else if (!tables_get_class(d->tables, ret->value.class, &class))
		ret->kernel_set = class.set;
}

/* Limit has state: within and over its rate are both what the model says. */
static bool explain_same(const struct explanation *e)
{
	bool limit = e->model_reason == MOAT_WITHIN_LIMIT;

	if (limit && (e->outcome.reason == MOAT_LIMIT || e->outcome.reason == MOAT_WITHIN_LIMIT))
		return true;
	return e->outcome.reason == e->model_reason && e->outcome.verdict == e->model_verdict &&
	       (!moat_reason_has_category(e->model_reason) ||
		e->outcome.category == e->model_category);
}

/* Control traffic, an empty family and a pause come before any listing. */
static void explain_before_listings(struct daemon *d, const struct explain_query *query,
				    struct explanation *ret)
{
	static const uint8_t zero[16];
	const uint8_t *addr = query->address.addr;
	bool v6 = query->address.family == MOAT_IPV6;
	bool linklocal = v6 && addr[0] == 0xFE && (addr[1] & 0xC0) == 0x80;

	if (linklocal || !memcmp(addr, zero, sizeof(zero)))
		ret->model_reason = MOAT_CONTROL;
	else if (daemon_paused(d))
		ret->model_reason = MOAT_PAUSED;
	else
		return;
	ret->model_verdict = MOAT_VERDICT_PASS;
	ret->model_category = 0;
}

static int explain_settings(struct daemon *d, const struct explain_query *query, bool *ret_enforce,
			    struct problem *why)
{
	struct iface_view view;
	ssize_t at;

	*ret_enforce = true;
	if (!query->iface)
		return 0;
	at = ifaces_find(d->ifaces, query->iface);
	if (at < 0)
		return problem_set(why, -ENODEV, "interface '%.32s' is not one of moat's",
				   query->iface);
	ifaces_view(d->ifaces, (size_t)at, &view);
	*ret_enforce = view.enforce;
	return 0;
}

static int explain_probe(struct daemon *d, const struct explain_query *query, bool enforce,
			 struct explanation *ret, struct problem *why)
{
	uint8_t frame[FRAME_ROOM];
	uint32_t size = frame_make(frame, &query->address, query->protocol,
				   (uint16_t)(query->port < 0 ? 0 : query->port));

	program_set_iface(d->probe, enforce, d->config->drop_reasons);
	return program_probe(d->probe, frame, &size, sizeof(frame), &ret->outcome, why);
}

int daemon_explain(struct daemon *d, const struct explain_query *query, store_listing_fn fn,
		   void *arg, struct explanation *ret, struct problem *why)
{
	bool enforce;
	int r = explain_settings(d, query, &enforce, why);

	*ret = (struct explanation){ .model_reason = MOAT_CLEAN };
	/* A database that does not answer is no reason to say nothing of the kernel. */
	if (!r && fn && explain_listings(d, &query->address, fn, arg, &ret->listings_problem) < 0)
		ret->listings_lost = true;
	r = r ?: explain_probe(d, query, enforce, ret, why);
	if (r < 0)
		return r;

	ret->listed = sync_judge(d->sync, &query->address, &ret->key, &ret->plan);
	if (ret->listed) {
		enum gate_cause refused = sync_refused(d->sync, &ret->key);

		ret->refused = refused ? gate_cause_text(refused) : NULL;
		explain_model(d, query, ret->plan.phase[0].set, enforce, ret);
		explain_kernel(d, ret);
	}
	explain_before_listings(d, query, ret);
	/* Sources whose listings ended, and families without any, are clean to the model. */
	if (!ret->listed && ret->model_reason == MOAT_CLEAN &&
	    (ret->outcome.reason == MOAT_EXPIRED || ret->outcome.reason == MOAT_EMPTY))
		ret->model_reason = ret->outcome.reason;
	ret->differ = !explain_same(ret);
	return 0;
}
