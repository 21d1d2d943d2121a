/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/config_feeds.h"
#include "core/config_radius.h"

#include <linux/limits.h>

#include "core/config_crowdsec.h"
#include "core/config_claim.h"
#include "core/config_quorum.h"
#include "core/gate.h"
#include "core/units.h"

#define ALLOW		 "allow" /* the built-in category */
#define COLUMN_MAX	 64
#define TYPES_MAX	 256			  /* bytes of a list of CrowdSec's types */
#define NAME_MAX_MONITOR (MOAT_CATEGORY_NAME - 2) /* its shadow has a longer name */

void feeds_free_settings(struct config *c)
{
	for (size_t i = 0; i < c->feeds; i++) {
		free(c->feed[i].url);
		free(c->feed[i].header_file);
		free(c->feed[i].types);
		free(c->feed[i].mapping);
		claim_free_settings(&c->feed[i]);
		config_crowdsec_free(&c->feed[i].crowdsec);
	}
	free(c->feed);
	c->feed = NULL;
	c->feeds = 0;
}

/* ---- guards ---- */

int feeds_read_percent(const struct setting_file *file, const struct setting *n, uint32_t max,
		       uint32_t *ret)
{
	char shown[SETTING_SHOWN], digits[16];
	const char *text;
	uint64_t number;
	size_t size;
	int err = setting_text(file, n, &text);

	if (err)
		return err;
	size = strlen(text);
	if (size > 1 && size < sizeof(digits) && text[size - 1] == '%') {
		memcpy(digits, text, size - 1);
		digits[size - 1] = '\0';
		if (!units_number(digits, &number) && number && number <= max) {
			*ret = (uint32_t)number;
			return 0;
		}
	}
	return setting_fail(file, n, "%s: expected 1%% to %u%%, not '%s'", n->name, max,
			    setting_shown(text, shown));
}

int feeds_read_limits(const struct setting_file *file, const struct setting *n,
		      struct config_limits *limits)
{
	const struct setting *shrink = setting_get(n, "max_shrink");
	const struct setting *growth = setting_get(n, "max_growth");
	int err = 0;

	if (shrink)
		err = feeds_read_percent(file, shrink, 100, &limits->max_shrink);
	if (!err && growth)
		err = feeds_read_percent(file, growth, CONFIG_GROWTH_MAX, &limits->max_growth);
	return err;
}

/* ---- what a feed is called, and where it is ---- */

static int read_name(const struct setting_file *file, const struct setting *n,
		     const struct config *c, struct config_feed *feed)
{
	char shown[SETTING_SHOWN];
	const char *name;
	int err = setting_text(file, n, &name);

	if (err)
		return err;
	if (!gate_name_ok(name, sizeof(feed->name)) || name[0] == '.')
		return setting_fail(file, n,
				    "name: expected 1 to %zu of A-Z a-z 0-9 - _ . and no dot first, "
				    "not '%s'",
				    sizeof(feed->name) - 1, setting_shown(name, shown));
	if (!strcmp(name, CONFIG_MANUAL))
		return setting_fail(file, n, "name: '%s' is the feed of what people add",
				    CONFIG_MANUAL);
	for (size_t i = 0; i < c->feeds; i++) {
		if (!strcmp(c->feed[i].name, name))
			return setting_fail(file, n, "feed '%s' is there twice", name);
	}
	snprintf(feed->name, sizeof(feed->name), "%s", name);
	return 0;
}

static int read_url(const struct setting_file *file, const struct setting *n,
		    struct config_feed *feed)
{
	static const char *const schemes[] = { "https://", "http://", "file:///" };
	const char *url;
	int err = setting_text(file, n, &url);

	if (err)
		return err;
	if (strlen(url) > FEED_URL_MAX)
		return setting_fail(file, n, "url: longer than %d bytes", FEED_URL_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t size = strlen(schemes[i]);

		if (!strncmp(url, schemes[i], size) && url[size] && !strpbrk(url, " \\"))
			return setting_keep(file, url, &feed->url);
	}
	/* Not what it is: a url may carry a key, and this is for the log and status. */
	return setting_fail(file, n,
			    "url: expected https://, http:// or file:///, without blanks and "
			    "backslashes");
}

static int read_format(const struct setting_file *file, const struct setting *n,
		       struct config_feed *feed)
{
	static const char *const labels[] = {
#define X(name, label, text) [FEED_##name] = label,
		FEED_FORMATS(X)
#undef X
	};
	unsigned int format = FEED_AUTO;
	int err = setting_choice(file, n, labels, ARRAY_SIZE(labels), &format);

	feed->parse.format = format;
	return err;
}

/* ---- what its rows mean ---- */

static bool has_category(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->categories; i++)
		if (!strcmp(c->category[i].name, name))
			return true;
	return !strcmp(name, ALLOW);
}

static int read_category(const struct setting_file *file, const struct setting *n,
			 const struct config *c, const struct config_feed *feed,
			 char ret[static MOAT_CATEGORY_NAME])
{
	char shown[SETTING_SHOWN];
	const char *name;
	int err = setting_text(file, n, &name);

	if (err)
		return err;
	if (!has_category(c, name))
		return setting_fail(file, n, "%s: there is no category '%s'", n->name,
				    setting_shown(name, shown));
	if (feed->monitor && !strcmp(name, ALLOW))
		return setting_fail(file, n, "%s: what is allowed cannot be in mode monitor",
				    n->name);
	if (feed->monitor && strlen(name) > NAME_MAX_MONITOR)
		return setting_fail(file, n,
				    "%s: mode monitor takes a category of at most %d characters",
				    n->name, NAME_MAX_MONITOR);
	snprintf(ret, MOAT_CATEGORY_NAME, "%s", name);
	return 0;
}

static int read_mappings(const struct setting_file *file, const struct setting *n,
			 const struct config *c, struct config_feed *feed)
{
	char shown[SETTING_SHOWN];
	int err = setting_expect_mapping(file, n, "{ ssh-bf: bruteforce }");

	if (err)
		return err;
	if (!n->first)
		return setting_fail(file, n,
				    "categories: none is mapped, expected "
				    "{ ssh-bf: bruteforce }");
	feed->mapping = calloc(setting_children(n), sizeof(*feed->mapping));
	if (!feed->mapping)
		return problem_set(file->why, -ENOMEM, "out of memory");
	for (const struct setting *at = n->first; at; at = at->next) {
		struct config_mapping *mapping = &feed->mapping[feed->mappings];

		if (strlen(at->key) >= sizeof(mapping->from))
			return setting_fail_key(file, at,
						"categories: '%s' is longer than %zu bytes",
						setting_shown(at->key, shown),
						sizeof(mapping->from) - 1);
		err = read_category(file, at, c, feed, mapping->to);
		if (err)
			return err;
		snprintf(mapping->from, sizeof(mapping->from), "%s", at->key);
		feed->mappings++;
	}
	return 0;
}

static int read_csv(const struct setting_file *file, const struct setting *n,
		    struct config_feed *feed)
{
	static const char *const keys[] = { "separator", "header",   "source",	   "end",
					    "length",	 "category", "confidence", "expires",
					    "reference", "reason",   "asn" };
	const struct {
		const char *key;
		uint8_t *to;
	} columns[] = {
		{ "source", &feed->parse.csv.source },
		{ "end", &feed->parse.csv.end },
		{ "length", &feed->parse.csv.length },
		{ "category", &feed->parse.csv.category },
		{ "confidence", &feed->parse.csv.confidence },
		{ "expires", &feed->parse.csv.expires },
		{ "reference", &feed->parse.csv.reference },
		{ "reason", &feed->parse.csv.reason },
		{ "asn", &feed->parse.csv.asn },
	};
	const struct setting *separator = setting_get(n, "separator");
	const struct setting *header = setting_get(n, "header");
	const char *text;
	int err = setting_expect_mapping(file, n, "{ source: 1, header: true }");

	if (!err)
		err = setting_check_keys(file, n, "csv", keys, ARRAY_SIZE(keys));
	for (size_t i = 0; !err && i < ARRAY_SIZE(columns); i++) {
		const struct setting *at = setting_get(n, columns[i].key);
		uint64_t number = 0;

		if (at)
			err = setting_number(file, at, 1, COLUMN_MAX, false, &number);
		*columns[i].to = (uint8_t)number;
	}
	if (!err && header)
		err = setting_bool(file, header, &feed->parse.csv.header);
	if (!err && separator) {
		err = setting_text(file, separator, &text);
		if (!err && strcmp(text, "tab") && (text[1] || strchr("\"#", text[0])))
			err = setting_fail(file, separator,
					   "separator: expected one character, or tab");
		if (!err)
			feed->parse.csv.separator = text[1] ? '\t' : text[0];
	}
	if (!err && !feed->parse.csv.source && !feed->parse.csv.asn)
		err = setting_fail(file, n, "csv: source is missing: the number of its column");
	return err;
}

/* A list of decision types, as the parser takes it: "ban,captcha". */
static int read_types(const struct setting_file *file, const struct setting *n,
		      struct config_feed *feed)
{
	char types[TYPES_MAX] = "";
	int err = setting_expect_list(file, n, "[ ban ]");

	for (const struct setting *at = err ? NULL : n->first; at && !err; at = at->next) {
		size_t used = strlen(types);
		const char *type;

		err = setting_text(file, at, &type);
		if (!err && (!gate_name_ok(type, 32) || used + strlen(type) + 2 > sizeof(types)))
			err = setting_fail(file, at, "types: expected names such as ban");
		if (!err)
			snprintf(types + used, sizeof(types) - used, "%s%s", used ? "," : "", type);
	}
	if (err || !types[0])
		return err;
	err = setting_keep(file, types, &feed->types);
	feed->parse.types = feed->types;
	return err;
}

/* ---- when, and how much of it is believed ---- */

static int read_duration(const struct setting_file *file, const struct setting *n, int64_t *ret)
{
	char shown[SETTING_SHOWN];
	const char *text;
	int err = setting_text(file, n, &text);

	if (!err && units_duration(text, ret))
		err = setting_fail(file, n,
				   "%s: expected a duration (90s, 15m, 12h, 30d), not '%s'",
				   n->name, setting_shown(text, shown));
	return err;
}

static int read_times(const struct setting_file *file, const struct setting *n,
		      struct config_feed *feed)
{
	const struct setting *every = setting_get(n, "every");
	const struct setting *ttl = setting_get(n, "ttl");
	const struct setting *linger = setting_get(n, "linger");
	int err = 0;

	if (linger)
		err = read_duration(file, linger, &feed->linger);
	if (!err && every)
		err = read_duration(file, every, &feed->every);
	if (!err && ttl)
		err = read_duration(file, ttl, &feed->ttl);
	if (!err && feed->ttl <= feed->every)
		err = setting_fail(file, ttl ?: every,
				   "%s: ttl must be longer than every, or listings end between two "
				   "fetches",
				   ttl ? "ttl" : "every");
	return err;
}

static int read_trust(const struct setting_file *file, const struct setting *n,
		      struct config_feed *feed)
{
	static const char *const host_bits[] = { "mask", "refuse" };
	const struct setting *at;
	unsigned int choice = 0;
	uint64_t number;
	int err = 0;

	at = setting_get(n, "confidence");
	if (at) {
		err = setting_number(file, at, 0, 100, false, &number);
		feed->confidence = err ? -1 : (int)number;
	}
	at = setting_get(n, "min_entries");
	if (!err && at)
		err = setting_number(file, at, 0, UINT32_MAX, false, &feed->min_entries);
	at = setting_get(n, "allow_empty");
	if (!err && at)
		err = setting_bool(file, at, &feed->allow_empty);
	at = setting_get(n, "host_bits");
	if (!err && at)
		err = setting_choice(file, at, host_bits, ARRAY_SIZE(host_bits), &choice);
	feed->parse.refuse_host_bits = choice == 1;
	err = err ?: radius_read_limits(file, n, &feed->limits);
	return err ?: feeds_read_limits(file, n, &feed->limits);
}

/* ---- one feed ---- */

static int read_places(const struct setting_file *file, const struct setting *n,
		       const struct config *c, struct config_feed *feed)
{
	const struct setting *name = setting_get(n, "name");
	const struct setting *url = setting_get(n, "url");
	const struct setting *format = setting_get(n, "format");
	const struct setting *header_file = setting_get(n, "header_file");
	int err;

	if (!name)
		return setting_fail(file, n, "a feed needs a name");
	err = read_name(file, name, c, feed);
	if (!err && !url)
		return setting_fail(file, n, "feed '%s' needs a url", feed->name);
	err = err ?: read_url(file, url, feed);
	if (!err && format)
		err = read_format(file, format, feed);
	if (!err && header_file)
		err = setting_path(file, header_file, PATH_MAX - 1, &feed->header_file);
	return err;
}

static int read_meaning(const struct setting_file *file, const struct setting *n,
			const struct config *c, struct config_feed *feed)
{
	static const char *const modes[] = { "enforce", "monitor" };
	const struct setting *mode = setting_get(n, "mode");
	const struct setting *category = setting_get(n, "category");
	const struct setting *categories = setting_get(n, "categories");
	const struct setting *csv = setting_get(n, "csv");
	const struct setting *types = setting_get(n, "types");
	unsigned int choice = 0;
	int err = 0;

	if (mode)
		err = setting_choice(file, mode, modes, ARRAY_SIZE(modes), &choice);
	feed->monitor = choice == 1;
	if (!err && !category && !categories)
		return setting_fail(file, n,
				    "feed '%s' needs a category, or categories that map its own",
				    feed->name);
	if (!err && category)
		err = read_category(file, category, c, feed, feed->category);
	if (!err && categories)
		err = read_mappings(file, categories, c, feed);
	if (!err && csv && feed->parse.format != FEED_CSV)
		return setting_fail_key(file, csv, "csv: only a feed of format csv has columns");
	if (!err && !csv && feed->parse.format == FEED_CSV)
		return setting_fail(file, n,
				    "feed '%s' of format csv needs columns: csv: { source: 1 }",
				    feed->name);
	if (!err && csv)
		err = read_csv(file, csv, feed);
	if (!err && types && feed->parse.format != FEED_CROWDSEC)
		return setting_fail_key(file, types,
					"types: only a feed of format crowdsec has them");
	if (!err && types)
		err = read_types(file, types, feed);
	return err;
}

static int read_feed(const struct setting_file *file, const struct setting *n,
		     const struct config *c, struct config_feed *feed)
{
	static const char *const keys[] = {
		"name",
		"url",
		"format",
		"category",
		"categories",
		"every",
		"ttl",
		"mode",
		"confidence",
		"min_entries",
		"allow_empty",
		"max_shrink",
		"max_growth",
		"host_bits",
		"header_file",
		"csv",
		"types",
		"basis",
		"region",
		"review",
		"radius_sources",
		"radius_budget",
		"linger",
		"group",
		"trusted",
		CONFIG_CROWDSEC_KEYS,
	};
	int err = setting_expect_mapping(file, n,
					 "{ name: drop, url: https://..., category: botnet }");

	feed->every = FEED_EVERY;
	feed->ttl = FEED_TTL;
	feed->confidence = -1;
	feed->limits = c->limits;
	if (!err)
		err = setting_check_keys(file, n, "a feed", keys, ARRAY_SIZE(keys));
	err = err ?: read_places(file, n, c, feed);
	err = err ?: read_meaning(file, n, c, feed);
	err = err ?: config_crowdsec_read(file, n, feed);
	err = err ?: read_times(file, n, feed);
	err = err ?: quorum_read_feed(file, n, feed);
	err = err ?: read_trust(file, n, feed);
	return err ?: claim_read_settings(file, n, feed);
}

int feeds_read_settings(const struct setting_file *file, const struct setting *n, struct config *c)
{
	int err = setting_expect_list(file, n,
				      "[ { name: drop, url: https://..., category: botnet } ]");

	if (err || !n->first)
		return err;
	if (setting_children(n) > CONFIG_FEEDS_MAX)
		return setting_fail(file, n, "feeds: more than %d", CONFIG_FEEDS_MAX);
	c->feed = calloc(setting_children(n), sizeof(*c->feed));
	if (!c->feed)
		return problem_set(file->why, -ENOMEM, "out of memory");
	for (const struct setting *at = n->first; at; at = at->next) {
		struct config_feed feed = {};

		err = read_feed(file, at, c, &feed);
		c->feed[c->feeds++] = feed; /* also a half-read one: freed with the rest */
		if (err)
			return err;
	}
	return 0;
}
