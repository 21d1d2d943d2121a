/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_crowdsec.h"

#include <linux/limits.h>

#include "core/gate.h"
#include "core/units.h"

void config_crowdsec_free(struct config_crowdsec *c)
{
	free(c->key_file);
	free(c->origins);
	free(c->containing);
	free(c->not_containing);
	*c = (struct config_crowdsec){};
}

/* What may stand in a query as it is; a comma would part two words. */
static bool is_word(const char *text)
{
	return *text && !text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					   "0123456789-_.:/")];
}

/* A list of words, as the LAPI takes it: "crowdsec,cscli". */
static int read_words(const struct setting_file *file, const struct setting *n, char **ret)
{
	char words[CROWDSEC_WORDS_MAX] = "", shown[SETTING_SHOWN];
	int err = setting_expect_list(file, n, "[ crowdsec, cscli ]");

	for (const struct setting *at = err ? NULL : n->first; at && !err; at = at->next) {
		size_t used = strlen(words);
		const char *word;

		err = setting_text(file, at, &word);
		if (err)
			break;
		if (!is_word(word) || used + strlen(word) + 2 > sizeof(words))
			return setting_fail(file, at,
					    "%s: expected A-Z a-z 0-9 - _ . : / and at most %zu "
					    "bytes in all, not '%s'",
					    n->name, sizeof(words) - 1, setting_shown(word, shown));
		snprintf(words + used, sizeof(words) - used, "%s%s", used ? "," : "", word);
	}
	return err || !words[0] ? err : setting_keep(file, words, ret);
}

static int read_usage(const struct setting_file *file, const struct setting *n,
		      struct config_feed *feed)
{
	char shown[SETTING_SHOWN];
	const char *text;
	int err = setting_text(file, n, &text);

	if (err)
		return err;
	if (!strcmp(text, "none") || !strcmp(text, "0") || !strcmp(text, "0s")) {
		feed->crowdsec.usage = 0;
		return 0;
	}
	if (units_duration(text, &feed->crowdsec.usage) ||
	    feed->crowdsec.usage < CROWDSEC_USAGE_MIN)
		return setting_fail(file, n,
				    "usage_metrics: expected a duration of %ds or more, or none, "
				    "not '%s'",
				    CROWDSEC_USAGE_MIN, setting_shown(text, shown));
	return 0;
}

/* Whoever maps a type wants its decisions; ban is wanted wherever there is a category for it. */
static int default_types(const struct setting_file *file, struct config_feed *feed)
{
	char types[CROWDSEC_TYPES_MAX] = "";

	if (feed->types || !feed->mappings)
		return 0;
	if (feed->category[0])
		snprintf(types, sizeof(types), "ban");
	for (size_t i = 0; i < feed->mappings; i++) {
		const char *type = feed->mapping[i].from;
		size_t used = strlen(types);

		if (!gate_name_ok(type, sizeof(feed->mapping[i].from)) ||
		    (feed->category[0] && !strcmp(type, "ban")) ||
		    used + strlen(type) + 2 > sizeof(types))
			continue;
		snprintf(types + used, sizeof(types) - used, "%s%s", used ? "," : "", type);
	}
	if (!types[0])
		return 0;
	feed->parse.types = NULL;
	if (setting_keep(file, types, &feed->types))
		return -ENOMEM;
	feed->parse.types = feed->types;
	return 0;
}

static int refuse_keys(const struct setting_file *file, const struct setting *n)
{
	static const char *const keys[] = { CONFIG_CROWDSEC_KEYS };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct setting *at = setting_get(n, keys[i]);

		if (at)
			return setting_fail_key(file, at,
						"%s: only a feed of format crowdsec has it",
						keys[i]);
	}
	return 0;
}

static int read_filters(const struct setting_file *file, const struct setting *n,
			struct config_crowdsec *to)
{
	const struct {
		const char *key;
		char **to;
	} lists[] = {
		{ "origins", &to->origins },
		{ "scenarios_containing", &to->containing },
		{ "scenarios_not_containing", &to->not_containing },
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lists) && !err; i++) {
		const struct setting *at = setting_get(n, lists[i].key);

		if (at)
			err = read_words(file, at, lists[i].to);
	}
	return err;
}

int config_crowdsec_read(const struct setting_file *file, const struct setting *n,
			 struct config_feed *feed)
{
	const struct setting *key_file = setting_get(n, "api_key_file");
	const struct setting *usage = setting_get(n, "usage_metrics");
	int err = 0;

	if (feed->parse.format != FEED_CROWDSEC)
		return refuse_keys(file, n);
	feed->crowdsec.usage = CROWDSEC_USAGE;
	feed->every = CROWDSEC_EVERY;
	if (key_file)
		err = setting_path(file, key_file, PATH_MAX - 1, &feed->crowdsec.key_file);
	err = err ?: read_filters(file, n, &feed->crowdsec);
	if (!err && usage)
		err = read_usage(file, usage, feed);
	return err ?: default_types(file, feed);
}
