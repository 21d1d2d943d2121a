/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/selftest.h"
#include "daemon/sync_private.h"

#define CATEGORY_ALLOW_NAME    "allow"
#define CATEGORY_SELFTEST_NAME "selftest"
#define NAME_MAX_HELD	       (MOAT_CATEGORY_NAME - 2) /* that has room for the mark */

static void ruleset_builtin(struct ruleset *r)
{
	memcpy(r->categories.name[MOAT_CATEGORY_ALLOW], CATEGORY_ALLOW_NAME,
	       sizeof(CATEGORY_ALLOW_NAME));
	for (size_t c = 0; c < MOAT_CATEGORIES; c++)
		r->policy[c].action = MOAT_ACTION_MAX; /* never decides */
	r->policy[MOAT_CATEGORY_SELFTEST] = (struct moat_policy){ .action = MOAT_ACTION_DROP };
	r->rank[MOAT_CATEGORY_SELFTEST] = UINT8_MAX;
}

/* Which numbers the maps use, by name; unnamed ones are free. */
static int ruleset_adopt(const struct tables *tables, struct categories *used)
{
	for (uint8_t c = 1; c < MOAT_CATEGORY_SELFTEST; c++) {
		int r = tables_get_name(tables, c, used->name[c]);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The number the maps have for a name, else one they do not use. */
static int ruleset_number(const struct ruleset *r, const struct categories *used, const char *name)
{
	for (int c = 1; c < MOAT_CATEGORY_SELFTEST; c++)
		if (!strcmp(used->name[c], name))
			return c;
	for (int c = 1; c < MOAT_CATEGORY_SELFTEST; c++)
		if (!*used->name[c] && !*r->categories.name[c])
			return c;
	return -ENOSPC;
}

static int ruleset_categories(struct ruleset *r, const struct config *config,
			      const struct categories *used, struct problem *why)
{
	for (size_t i = 0; i < config->categories; i++) {
		const struct config_category *category = &config->category[i];
		int c = ruleset_number(r, used, category->name);

		if (c < 0)
			return problem_set(why, c,
					   "category '%s': no number is left: take it out and reload, "
					   "which frees the numbers of categories that were removed, "
					   "then put it in again",
					   category->name);
		snprintf(r->categories.name[c], MOAT_CATEGORY_NAME, "%s", category->name);
		r->policy[c] = category->policy;
		r->rank[c] = (uint8_t)i;
		if (!category->ports)
			continue;
		r->ports[c] = malloc(sizeof(*r->ports[c]));
		if (!r->ports[c])
			return problem_set(why, -ENOMEM, "out of memory");
		*r->ports[c] = *category->ports;
	}
	for (int c = 1; c < MOAT_CATEGORY_SELFTEST; c++)
		if (*used->name[c] && !*r->categories.name[c])
			r->policy[c] = (struct moat_policy){ .action = MOAT_ACTION_MONITOR };
	return 0;
}

/* ---- feeds in mode monitor: the same scopes, but nothing is done ---- */

static int ruleset_monitored(struct ruleset *r, const struct categories *used, const char *name,
			     size_t categories, struct problem *why)
{
	int real = categories_find(&r->categories, name), c;
	char text[MOAT_CATEGORY_NAME];

	if (real <= MOAT_CATEGORY_ALLOW || r->monitored[real])
		return 0;
	snprintf(text, sizeof(text), "%c%.*s", CATEGORY_MONITORED, MOAT_CATEGORY_NAME - 2, name);
	c = ruleset_number(r, used, text);
	if (c < 0)
		return problem_set(why, c,
				   "category '%s': no number is left for what only monitors "
				   "(feeds in mode monitor, k_of)",
				   name);
	memcpy(r->categories.name[c], text, sizeof(text));
	r->policy[c] = r->policy[real];
	/* What shares an address does not even count. */
	r->policy[c].action = r->policy[real].flags & MOAT_POLICY_SHARED ? MOAT_ACTION_MAX
									 : MOAT_ACTION_MONITOR;
	r->policy[c].flags &= MOAT_POLICY_PROTOCOLS | MOAT_POLICY_PORTS;
	r->rank[c] = (uint8_t)(categories + r->rank[real]); /* behind what monitors by itself */
	r->monitored[real] = (uint8_t)c;
	if (!r->ports[real])
		return 0;
	r->ports[c] = malloc(sizeof(*r->ports[c]));
	if (!r->ports[c])
		return problem_set(why, -ENOMEM, "out of memory");
	*r->ports[c] = *r->ports[real];
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int ruleset_monitors(struct ruleset *r, const struct config *config,
			    const struct categories *used, struct problem *why)
{
	int error = 0;

	r->monitor = calloc(config->feeds + 1, sizeof(*r->monitor));
	if (!r->monitor)
		return problem_set(why, -ENOMEM, "out of memory");
	for (size_t i = 0; i < config->feeds && !error; i++) {
		const struct config_feed *feed = &config->feed[i];

		if (!feed->monitor)
			continue;
		r->monitor[r->monitors] = strdup(feed->name);
		if (!r->monitor[r->monitors++])
			return problem_set(why, -ENOMEM, "out of memory");
		error = ruleset_monitored(r, used, feed->category, config->categories, why);
		for (size_t m = 0; m < feed->mappings && !error; m++)
			error = ruleset_monitored(r, used, feed->mapping[m].to, config->categories,
						  why);
	}
	qsort(r->monitor, r->monitors, sizeof(*r->monitor), compare_texts);
	return error;
}

/* Every category that acts gets a number for what only counts, while numbers last. */
static int ruleset_monitor_all(struct ruleset *r, const struct categories *used,
			       struct problem *why)
{
	size_t categories = 0;

	for (int c = 1; c < MOAT_CATEGORY_SELFTEST; c++)
		categories += *r->categories.name[c] &&
			      *r->categories.name[c] != CATEGORY_MONITORED;
	for (int c = 1; c < MOAT_CATEGORY_SELFTEST; c++) {
		const char *name = r->categories.name[c];
		int error;

		if (!*name || *name == CATEGORY_MONITORED || strlen(name) > NAME_MAX_HELD ||
		    r->policy[c].action == MOAT_ACTION_MONITOR)
			continue;
		error = ruleset_monitored(r, used, name, categories, why);
		if (error == -ENOSPC)
			break;
		if (error < 0)
			return error;
		if (r->model.idle & 1ULL << c)
			r->model.idle |= 1ULL << r->monitored[c];
	}
	return 0;
}

int ruleset_hold(struct ruleset *r, const struct tables *tables, struct problem *why)
{
	struct categories used = {};
	int error = ruleset_adopt(tables, &used);

	if (error < 0)
		return problem_set(why, error, "map '%s': cannot be read: %s", MOAT_MAP_NAMES,
				   strerror(-error));
	return ruleset_monitor_all(r, &used, why);
}

/* ---- what the model has to know of categories ---- */

static int ruleset_model(struct ruleset *r, const struct config *config,
			 const struct categories *used, struct problem *why)
{
	for (size_t i = 0; i < config->categories; i++) {
		const struct config_category *category = &config->category[i];
		int c = categories_find(&r->categories, category->name);
		int error;

		if (category->k_of > 1) {
			error = ruleset_monitored(r, used, category->name, config->categories, why);
			if (error < 0)
				return error;
			r->quorums = true;
			r->model.k_of[c] = category->k_of;
			r->model.below[c] = r->monitored[c];
		}
		if (!(category->policy.flags & MOAT_POLICY_SHARED))
			continue;
		r->model.idle |= 1ULL << c;
		if (r->monitored[c])
			r->model.idle |= 1ULL << r->monitored[c];
	}
	return ruleset_voters(r, config) < 0 ? problem_set(why, -ENOMEM, "out of memory") : 0;
}

static int compare_prefix(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

/* What the gate asks. */
static int ruleset_guards(struct ruleset *r, const struct config *config,
			  const struct prefix *never, size_t nevers)
{
	r->never = malloc((nevers ? nevers : 1) * sizeof(*r->never));
	r->region = calloc(config->regions + 1, sizeof(*r->region));
	if (!r->never || !r->region)
		return -ENOMEM;
	if (nevers)
		memcpy(r->never, never, nevers * sizeof(*never));
	r->nevers = gate_sort_never_block(r->never, nevers);
	if (config->regions)
		memcpy(r->region, config->region, config->regions * sizeof(*r->region));
	r->regions = config->regions;
	r->only_routable = !config->non_routable;
	memcpy(r->min_prefix, config->min_prefix, sizeof(r->min_prefix));
	return 0;
}

int ruleset_new(const struct config *config, const struct prefix *never, size_t nevers,
		const struct tables *tables, struct ruleset **ret, struct problem *why)
{
	_cleanup_(ruleset_freep) struct ruleset *r = calloc(1, sizeof(*r));
	struct categories used = {};
	int error;

	if (!r)
		return problem_set(why, -ENOMEM, "out of memory");
	ruleset_builtin(r);
	error = ruleset_adopt(tables, &used);
	if (error < 0)
		return problem_set(why, error, "map '%s': cannot be read: %s", MOAT_MAP_NAMES,
				   strerror(-error));
	error = ruleset_categories(r, config, &used, why);
	error = error ?: ruleset_monitors(r, config, &used, why);
	error = error ?: ruleset_model(r, config, &used, why);
	/* SQL may list anything under the name of such a feed. */
	if (!error && r->monitors)
		error = ruleset_monitor_all(r, &used, why);
	if (error < 0)
		return error;

	if (ruleset_guards(r, config, never, nevers))
		return problem_set(why, -ENOMEM, "out of memory");
	memcpy(r->capacity, config->capacity, sizeof(r->capacity));
	*ret = take_ptr(r);
	return 0;
}

struct ruleset *ruleset_free(struct ruleset *r)
{
	if (!r)
		return NULL;
	for (size_t c = 0; c < MOAT_CATEGORIES; c++)
		free(r->ports[c]);
	for (size_t i = 0; i < r->monitors; i++)
		free((char *)r->monitor[i]);
	free(r->monitor);
	ruleset_free_voters(r);
	free(r->never);
	free(r->region);
	free(r);
	return NULL;
}

void sync_use_gate(struct sync *s)
{
	s->gate = (struct gate){
		.categories = &s->rules->categories,
		.never_block = s->rules->never,
		.never_blocks = s->rules->nevers,
		.never_sorted = true,
		.min_prefix = { s->rules->min_prefix[0], s->rules->min_prefix[1] },
		.monitor = s->rules->monitor,
		.monitors = s->rules->monitors,
		.monitored = s->rules->monitored,
		.held = (const char *const *)s->held,
		.helds = s->helds,
		.only_routable = s->rules->only_routable,
		.region = s->rules->region,
		.regions = s->rules->regions,
	};
	for (int c = 1; c < MOAT_CATEGORIES; c++) {
		if (s->rules->policy[c].action != MOAT_ACTION_MONITOR)
			s->gate.acts |= 1ULL << c;
		if (s->rules->policy[c].flags & MOAT_POLICY_SHARED)
			s->gate.softens |= 1ULL << c | 1ULL << s->rules->monitored[c];
	}
	s->gate.softens &=
		~(1ULL << MOAT_CATEGORY_ALLOW); /* a category without a number of its own */
}

static const struct moat_class *class_of(void *arg, uint32_t number)
{
	return image_class(arg, number);
}

static int sync_write_rules(struct sync *s, const struct ruleset *rules)
{
	const struct moat_ports *ports[MOAT_CATEGORIES];
	int r;

	for (uint8_t c = 0; c < MOAT_CATEGORIES; c++)
		ports[c] = rules->ports[c];
	r = tables_set_policies(s->tables, rules->policy, ports, class_of, s->image,
				image_classes(s->image));
	for (uint8_t c = 0; c < MOAT_CATEGORIES && !r; c++)
		if (*rules->categories.name[c])
			r = tables_set_name(s->tables, c, rules->categories.name[c]);
	return r ?: tables_set_name(s->tables, MOAT_CATEGORY_SELFTEST, CATEGORY_SELFTEST_NAME);
}

int sync_swap_rules(struct sync *s, struct ruleset *rules)
{
	if (s->rules != rules)
		ruleset_free(s->rules);
	s->rules = rules;
	sync_use_gate(s);
	if (sync_use_quorum(s) < 0)
		s->sound = s->started = false; /* a new model gets the rules */
	return 0;
}

int sync_set_rules(struct sync *s, struct ruleset *rules, struct problem *why)
{
	int r;

	image_set_policies(s->image, rules->policy, rules->rank);
	r = sync_write_rules(s, rules);
	if (r < 0) {
		/* Which of the two are in force is not known: reading anew writes the old. */
		image_set_policies(s->image, s->rules->policy, s->rules->rank);
		s->sound = s->started = false;
		return problem_set(why, r, "map '%s': cannot be written: %s", MOAT_MAP_POLICIES,
				   strerror(-r));
	}
	return sync_swap_rules(s, rules);
}

bool sync_is_builtin(const struct sync *s, const struct prefix *source)
{
	struct prefix selftest = selftest_source(source->family);

	return !prefix_compare(source, &selftest) ||
	       bsearch(source, s->rules->never, s->rules->nevers, sizeof(*s->rules->never),
		       compare_prefix);
}

int sync_put_builtin(struct sync *s, struct problem *why)
{
	int r = 0;

	model_drop_feed(s->model, SYNC_FEED_NEVER_BLOCK);
	for (size_t i = 0; i < s->rules->nevers && r >= 0; i++)
		r = model_put(s->model, &(struct claim){ .source = s->rules->never[i],
							 .category = MOAT_CATEGORY_ALLOW,
							 .feed = SYNC_FEED_NEVER_BLOCK });
	for (int family = 0; family < 2 && r >= 0; family++) {
		struct claim claim = { .category = MOAT_CATEGORY_SELFTEST,
				       .feed = SYNC_FEED_SELFTEST };

		claim.source = selftest_source((uint8_t)family);
		r = model_put(s->model, &claim);
	}
	return r < 0 ? problem_set(why, r, "out of memory") : 0;
}
