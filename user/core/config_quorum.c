/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_quorum.h"
#include "core/gate.h"
#include "core/model.h"

/* Below the quorum what counts is named behind a mark (CATEGORY_MONITORED). */
#define NAME_MAX_QUORUM (MOAT_CATEGORY_NAME - 2)

int quorum_read_category(const struct setting_file *file, const struct setting *n,
			 struct config_category *category)
{
	const struct setting *k_of = setting_get(n, "k_of");
	uint64_t value = 1;
	int err;

	category->k_of = 1;
	if (!k_of)
		return 0;
	err = setting_number(file, k_of, 1, MODEL_K_MAX, false, &value);
	if (err)
		return err;
	if (category->policy.action == MOAT_ACTION_MONITOR ||
	    category->policy.flags & MOAT_POLICY_SHARED)
		return setting_fail_key(file, k_of,
					"k_of belongs to action drop, limit or tag: below it the "
					"category only monitors");
	if (value > 1 && strlen(category->name) > NAME_MAX_QUORUM)
		return setting_fail_key(file, k_of,
					"k_of takes a category of at most %d characters",
					NAME_MAX_QUORUM);
	category->k_of = (uint8_t)value;
	return 0;
}

int quorum_read_feed(const struct setting_file *file, const struct setting *n,
		     struct config_feed *feed)
{
	const struct setting *trusted = setting_get(n, "trusted");
	const struct setting *group = setting_get(n, "group");
	char shown[SETTING_SHOWN];
	const char *name;
	int err = 0;

	if (trusted)
		err = setting_bool(file, trusted, &feed->trusted);
	if (!err && feed->trusted && feed->monitor)
		return setting_fail_key(file, trusted,
					"trusted: what a feed in mode monitor lists never acts");
	if (err || !group)
		return err;
	err = setting_text(file, group, &name);
	if (err)
		return err;
	if (!gate_name_ok(name, sizeof(feed->group)))
		return setting_fail(file, group,
				    "group: '%s': a name is 1 to %zu letters, digits, ._-",
				    setting_shown(name, shown), sizeof(feed->group) - 1);
	snprintf(feed->group, sizeof(feed->group), "%s", name);
	return 0;
}

int quorum_read_manual(const struct setting_file *file, const struct setting *n, struct config *c)
{
	static const char *const keys[] = { "trusted" };
	const struct setting *trusted;
	int err = setting_expect_mapping(file, n, "{ trusted: false }");

	err = err ?: setting_check_keys(file, n, "manual", keys, ARRAY_SIZE(keys));
	if (err)
		return err;
	trusted = setting_get(n, "trusted");
	return trusted ? setting_bool(file, trusted, &c->manual_trusted) : 0;
}

/* Whether any listing of the category only counts, by what the configuration says. */
static bool is_counted_twice(const struct config *c, const struct config_category *category)
{
	if (category->k_of > 1)
		return true;
	for (size_t i = 0; i < c->feeds; i++) {
		const struct config_feed *feed = &c->feed[i];

		if (!feed->monitor)
			continue;
		if (!strcmp(feed->category, category->name))
			return true;
		for (size_t m = 0; m < feed->mappings; m++)
			if (!strcmp(feed->mapping[m].to, category->name))
				return true;
	}
	return false;
}

int quorum_check_numbers(const struct setting_file *file, const struct setting *n,
			 const struct config *c)
{
	size_t twice = 0;

	for (size_t i = 0; i < c->categories; i++)
		twice += is_counted_twice(c, &c->category[i]);
	if (c->categories + twice <= CONFIG_CATEGORIES_MAX)
		return 0;
	return setting_fail_key(file, setting_get(n, "categories"),
				"%zu categories, %zu of them also to be monitored (k_of, feeds in mode "
				"monitor), are more than %d; take some out",
				c->categories, twice, CONFIG_CATEGORIES_MAX);
}
