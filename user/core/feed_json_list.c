// SPDX-License-Identifier: BSD-2-Clause
/*
 * Lists of strings for the never-block set: MISP warninglists, and what cloud
 * providers publish about their own networks, each in a shape of its own.
 */
#include "core/feed_json.h"

static int add(struct feed_json *j, const struct json_token *t, const char *reason)
{
	struct feed_summary *summary = &j->p->summary;
	struct feed_json_record where = { .number = ++summary->lines };
	struct feed_row row = feed_json_row(&where);

	if (t->kind != JSON_STRING) {
		feed_skip(j->p, FEED_SKIP_SYNTAX, where.number);
		return 0;
	}
	if (!feed_json_source(j->p, t->text, t->size, where.number, &row))
		return 0;
	feed_text_copy(row.reason, sizeof(row.reason), reason, strlen(reason));
	return feed_emit(j->p, &row);
}

/* ---- MISP warninglists ---- */

enum { LIST, NAME, TYPE };

static const char *const warninglist_keys[] = { "list", "name", "type", NULL };

struct warninglist {
	bool list;
	char type[32];
};

/* The type may stand behind the list, so the entries decide. */
static int warninglist_value(struct feed_json *j, int key, const struct json_token *t)
{
	struct feed_summary *summary = &j->p->summary;
	struct warninglist *w = j->own;

	if (key == LIST) {
		w->list = true;
		if (t->depth != 2 || !j->array[2])
			return 0;
		return add(j, t, "");
	}
	if (t->depth != 1 || t->kind != JSON_STRING)
		return 0;
	if (key == NAME)
		feed_text_copy(summary->title, sizeof(summary->title), t->text, t->size);
	if (key == TYPE)
		feed_text_copy(w->type, sizeof(w->type), t->text, t->size);
	return 0;
}

static int warninglist_finish(struct feed_json *j)
{
	const struct feed_summary *summary = &j->p->summary;
	const struct warninglist *w = j->own;

	if (!w->list)
		return feed_fault(j->p, FEED_FAULT_NO_ENTRIES, "no 'list' with anything in it");
	if (!summary->entries)
		return feed_fault(j->p, FEED_FAULT_NO_ENTRIES,
				  "a list of type '%s': %llu entries, none a network", w->type,
				  (unsigned long long)summary->lines);
	j->p->summary.complete = true;
	return 0;
}

const struct feed_json_shape feed_json_warninglist = {
	.keys = warninglist_keys,
	.text_max = FEED_LINE_MAX,
	.own_size = sizeof(struct warninglist),
	.value = warninglist_value,
	.finish = warninglist_finish,
};

/* ---- cloud providers ---- */

/*        key                    who                 only in the outermost object */
/* clang-format off */
#define CLOUD_KEYS(X)                                                                              \
	X("ip_prefix",                 "AWS",              false)                                  \
	X("ipv6_prefix",               "AWS",              false)                                  \
	X("ipv4Prefix",                "Google",           false)                                  \
	X("ipv6Prefix",                "Google",           false)                                  \
	X("ipv4_cidrs",                "Cloudflare",       false)                                  \
	X("ipv6_cidrs",                "Cloudflare",       false)                                  \
	X("jdcloud_cidrs",             "Cloudflare",       false)                                  \
	X("addresses",                 "Fastly",           true)                                   \
	X("ipv6_addresses",            "Fastly",           true)                                   \
	X("ipRanges",                  "Imperva",          true)                                   \
	X("ipv6Ranges",                "Imperva",          true)                                   \
	X("addressPrefixes",           "Azure",            false)                                  \
	X("ips",                       "Microsoft 365",    false)                                  \
	X("hooks",                     "GitHub",           true)                                   \
	X("web",                       "GitHub",           true)                                   \
	X("api",                       "GitHub",           true)                                   \
	X("git",                       "GitHub",           true)                                   \
	X("github_enterprise_importer", "GitHub",          true)                                   \
	X("packages",                  "GitHub",           true)                                   \
	X("pages",                     "GitHub",           true)                                   \
	X("importer",                  "GitHub",           true)                                   \
	X("actions",                   "GitHub",           true)                                   \
	X("actions_macos",             "GitHub",           true)                                   \
	X("codespaces",                "GitHub",           true)                                   \
	X("copilot",                   "GitHub",           true)                                   \
	X("dependabot",                "GitHub",           true)                                   \
	X("cidr",                      "Oracle, Atlassian", false)                                 \
	X("prefixes_ipv4",             "Datadog",          false)                                  \
	X("prefixes_ipv6",             "Datadog",          false)
/* clang-format on */

static const char *const cloud_keys[] = {
#define X(key, who, outermost) key,
	CLOUD_KEYS(X)
#undef X
		"creationTime",
	"syncToken",
	NULL,
};

static const struct {
	const char *who;
	bool outermost;
} cloud_shape[] = {
#define X(key, who, outermost) { who, outermost },
	CLOUD_KEYS(X)
#undef X
};

enum { CREATION_TIME = ARRAY_SIZE(cloud_shape), SYNC_TOKEN };

/* AWS gives unix seconds, Google the time without its zone, which is UTC. */
static void cloud_time(struct feed_summary *summary, int key, const struct json_token *t)
{
	char text[40];
	int64_t when;

	if (t->size >= sizeof(text) - 1)
		return;
	memcpy(text, t->text, t->size);
	if (key == CREATION_TIME)
		text[t->size] = 'Z';
	if (!feed_json_time(text, t->size + (key == CREATION_TIME), &when))
		summary->timestamp = when;
}

static int cloud_value(struct feed_json *j, int key, const struct json_token *t)
{
	struct feed_summary *summary = &j->p->summary;
	const char *who = "a bare list";
	unsigned int lists = 0;

	if (key == CREATION_TIME || key == SYNC_TOKEN) {
		if (t->kind == JSON_STRING)
			cloud_time(summary, key, t);
		return 0;
	}
	while (lists < t->depth && j->array[t->depth - lists])
		lists++;
	if (key < 0 && (t->depth != 1 || lists != 1))
		return 0;
	if (key >= 0) {
		if (lists > 1 || (cloud_shape[key].outermost && t->depth - lists != 1))
			return 0;
		who = cloud_shape[key].who;
	}
	if (!summary->title[0])
		snprintf(summary->title, sizeof(summary->title), "networks in the shape of %s",
			 who);
	return add(j, t, key < 0 ? "" : cloud_keys[key]);
}

static int cloud_finish(struct feed_json *j)
{
	struct feed_summary *summary = &j->p->summary;

	if (!summary->lines)
		return feed_fault(j->p, FEED_FAULT_NO_ENTRIES,
				  "no key of a provider that moat knows, and no bare list");
	summary->complete = true;
	return 0;
}

const struct feed_json_shape feed_json_cloud = {
	.keys = cloud_keys,
	.text_max = FEED_LINE_MAX,
	.value = cloud_value,
	.finish = cloud_finish,
};
