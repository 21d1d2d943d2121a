// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <linux/limits.h>

#include "core/config.h"
#include "core/config_asn.h"
#include "core/config_attach.h"
#include "core/config_events.h"
#include "core/config_feeds.h"
#include "core/config_hits.h"
#include "core/config_http.h"
#include "core/config_policy.h"
#include "core/config_radius.h"
#include "core/config_quorum.h"
#include "core/config_region.h"
#include "core/config_replies.h"
#include "core/config_setting.h"
#include "core/config_user.h"
#include "core/units.h"

#define SOCKET_PATH_MAX 107  /* sun_path of unix(7), less the NUL */
#define PINS_PATH_MAX	3072 /* leaves room below PATH_MAX for what is pinned in it */
#define LISTEN_MAX	64   /* characters */

#define SQLITE "sqlite:///"

struct config *config_free(struct config *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->categories; i++)
		free(c->category[i].ports);
	free(c->category);
	feeds_free_settings(c);
	asn_free_settings(c);
	events_free_settings(&c->events);
	free(c->text);
	http_free_settings(c);
	free(c->interface);
	free(c->database);
	free(c->listen);
	free(c->socket);
	free(c->pins);
	free(c->user);
	free(c->never_block);
	free(c->region);
	free(c);
	return NULL;
}

static struct config *config_defaults(void)
{
	_cleanup_(config_freep) struct config *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->database = strdup("sqlite:///var/lib/moat/moat.db");
	c->listen = strdup("127.0.0.1:9911");
	c->socket = strdup(CONFIG_SOCKET);
	c->pins = strdup("/sys/fs/bpf/moat");
	c->capacity[MOAT_IPV4] = 1000000;
	c->capacity[MOAT_IPV6] = 250000;
	c->attach.priority = CONFIG_ATTACH_PRIORITY;
	c->sieve = true;
	c->manual_trusted = true;
	c->flows = 262144;
	c->hits = 65536;
	events_default_settings(&c->events);
	c->min_prefix[MOAT_IPV4] = 8;
	c->min_prefix[MOAT_IPV6] = 19;
	c->sampling = true;
	c->limits = (struct config_limits){
		.max_shrink = 50,
		.max_growth = 300,
		.max_share = 20,
		.wide = { 12, 28 },
		.radius_sources = CONFIG_RADIUS_SOURCES,
		.radius_budget = CONFIG_RADIUS_BUDGET,
	};
	if (!http_default_settings(c) || !c->database || !c->listen || !c->socket || !c->pins)
		return NULL;
	return take_ptr(c);
}

/* ---- interfaces ---- */

/* What the kernel takes as a name (dev_valid_name). */
static bool is_interface_name(const char *name)
{
	if (strlen(name) >= sizeof(((struct config_interface *)0)->name))
		return false;
	return name[0] && strcmp(name, ".") && strcmp(name, "..") && !strpbrk(name, "/: ");
}

static int read_interface_name(const struct setting_file *file, const struct setting *n,
			       const struct config *c, struct config_interface *interface)
{
	const struct setting *name_node = setting_get(n, "name");
	char shown[SETTING_SHOWN];
	const char *name;
	int err;

	if (!name_node)
		return setting_fail(file, n, "an interface needs a name, such as { name: eth0 }");
	err = setting_text(file, name_node, &name);
	if (err)
		return err;
	if (!is_interface_name(name))
		return setting_fail(file, name_node,
				    "name: '%s' cannot be the name of an interface",
				    setting_shown(name, shown));
	for (size_t i = 0; i < c->interfaces; i++) {
		if (!strcmp(c->interface[i].name, name))
			return setting_fail(file, name_node, "interface '%s' is there twice",
					    setting_shown(name, shown));
	}
	snprintf(interface->name, sizeof(interface->name), "%s", name);
	return 0;
}

static int read_interface(const struct setting_file *file, const struct setting *n,
			  const struct config *c, struct config_interface *interface)
{
	static const char *const keys[] = { "name", "mode", "enforce" };
	static const char *const modes[] = {
		[CONFIG_AUTO] = "auto", [CONFIG_NATIVE] = "native", [CONFIG_GENERIC] = "generic"
	};
	const struct setting *mode_node = setting_get(n, "mode");
	const struct setting *enforce = setting_get(n, "enforce");
	unsigned int mode = CONFIG_AUTO;
	int err;

	interface->enforce = true;
	err = setting_expect_mapping(file, n, "{ name: eth0 }");
	if (!err)
		err = setting_check_keys(file, n, "an interface", keys, ARRAY_SIZE(keys));
	if (!err)
		err = read_interface_name(file, n, c, interface);
	if (!err && mode_node)
		err = setting_choice(file, mode_node, modes, ARRAY_SIZE(modes), &mode);
	if (!err && enforce)
		err = setting_bool(file, enforce, &interface->enforce);
	interface->mode = mode;
	return err;
}

static int read_interfaces(const struct setting_file *file, const struct setting *n,
			   struct config *c)
{
	int err;

	err = setting_expect_list(file, n, "[ { name: eth0 } ]");
	if (err)
		return err;
	if (!n->first)
		return setting_fail(file, n,
				    "interfaces: at least one is needed, such as { name: eth0 }");
	c->interface = calloc(setting_children(n), sizeof(*c->interface));
	if (!c->interface)
		return problem_set(file->why, -ENOMEM, "out of memory");
	for (const struct setting *child = n->first; child; child = child->next) {
		err = read_interface(file, child, c, &c->interface[c->interfaces]);
		if (err)
			return err;
		c->interfaces++;
	}
	return 0;
}

/* ---- places ---- */

static int read_database(const struct setting_file *file, const struct setting *n, struct config *c)
{
	char shown[SETTING_SHOWN];
	const char *uri;
	int err;

	err = setting_text(file, n, &uri);
	if (err)
		return err;
	if (!strncmp(uri, "postgres", strlen("postgres")))
		return setting_fail(file, n, "database: this version supports sqlite:///PATH only");
	if (strncmp(uri, SQLITE, strlen(SQLITE)) || !uri[strlen(SQLITE)] ||
	    uri[strlen(uri) - 1] == '/' || strlen(uri) >= PATH_MAX)
		return setting_fail(file, n, "database: expected sqlite:///ABSOLUTE/PATH, not '%s'",
				    setting_shown(uri, shown));
	return setting_keep(file, uri, &c->database);
}

static int parse_port(const char *text)
{
	uint64_t port;

	return units_number(text, &port) || !port || port > UINT16_MAX ? -EINVAL : 0;
}

/* ADDRESS:PORT or [ADDRESS]:PORT. */
int config_check_endpoint(const char *text)
{
	char address[LISTEN_MAX];
	const char *colon = strrchr(text, ':');
	struct prefix host;
	size_t size;

	if (!colon || strchr(text, '/') || parse_port(colon + 1))
		return -EINVAL;
	size = colon - text;
	if (size < 2 || size >= sizeof(address))
		return -EINVAL;
	if (text[0] == '[') {
		if (text[size - 1] != ']')
			return -EINVAL;
		memcpy(address, text + 1, size - 2);
		address[size - 2] = '\0';
		return !strchr(address, ':') ? -EINVAL : prefix_parse(address, &host);
	}
	memcpy(address, text, size);
	address[size] = '\0';
	return strchr(address, ':') ? -EINVAL : prefix_parse(address, &host);
}

static int read_listen(const struct setting_file *file, const struct setting *n, struct config *c)
{
	char shown[SETTING_SHOWN];
	const char *text;
	int err;

	err = setting_text(file, n, &text);
	if (err)
		return err;
	if (!strcmp(text, "none")) {
		free(c->listen);
		c->listen = NULL;
		return 0;
	}
	if (config_check_endpoint(text))
		return setting_fail(file, n, "listen: expected ADDRESS:PORT or none, not '%s'",
				    setting_shown(text, shown));
	return setting_keep(file, text, &c->listen);
}

static int read_socket(const struct setting_file *file, const struct setting *n, struct config *c)
{
	return setting_path(file, n, SOCKET_PATH_MAX, &c->socket);
}

static int read_pins(const struct setting_file *file, const struct setting *n, struct config *c)
{
	return setting_path(file, n, PINS_PATH_MAX, &c->pins);
}

/* ---- numbers ---- */

static int read_capacity(const struct setting_file *file, const struct setting *n, struct config *c)
{
	static const char *const keys[] = { [MOAT_IPV4] = "ipv4", [MOAT_IPV6] = "ipv6" };
	int err;

	err = setting_expect_mapping(file, n, "{ ipv4: 1000000, ipv6: 250000 }");
	if (!err)
		err = setting_check_keys(file, n, "capacity", keys, ARRAY_SIZE(keys));
	for (size_t i = 0; !err && i < ARRAY_SIZE(keys); i++) {
		const struct setting *at = setting_get(n, keys[i]);
		uint64_t value = c->capacity[i];

		if (at)
			err = setting_number(file, at, 1, CONFIG_CAPACITY_MAX, false, &value);
		c->capacity[i] = value;
	}
	return err;
}

static int read_sieve(const struct setting_file *file, const struct setting *n, struct config *c)
{
	return setting_bool(file, n, &c->sieve);
}

static int read_never_block(const struct setting_file *file, const struct setting *n,
			    struct config *c)
{
	char shown[SETTING_SHOWN], masked[PREFIX_TEXT_MAX];
	int err;

	err = setting_expect_list(file, n, "[ 203.0.113.0/24 ]");
	if (err || !n->first)
		return err;
	c->never_block = calloc(setting_children(n), sizeof(*c->never_block));
	if (!c->never_block)
		return problem_set(file->why, -ENOMEM, "out of memory");
	for (const struct setting *child = n->first; child; child = child->next) {
		struct prefix *prefix = &c->never_block[c->never_blocks];
		const char *text;

		err = setting_text(file, child, &text);
		if (err)
			return err;
		err = prefix_parse(text, prefix);
		if (err == -EDOM)
			return setting_fail(file, child,
					    "never_block: '%s' has host bits; is it %s?",
					    setting_shown(text, shown),
					    prefix_format_cidr(prefix, masked));
		if (err)
			return setting_fail(file, child,
					    "never_block: '%s' is not an address or prefix",
					    setting_shown(text, shown));
		c->never_blocks++;
	}
	return 0;
}

static int read_guards(const struct setting_file *file, const struct setting *n, struct config *c)
{
	static const char *const keys[] = { "min_prefix_v4", "min_prefix_v6", "wide_v4",
					    "wide_v6",	     "max_shrink",    "max_growth",
					    "max_share_v4",  "non_routable",  "radius_sources",
					    "radius_budget" };
	static const char *const choices[] = { "refuse", "pass" };
	const struct {
		const char *key;
		uint8_t *to;
		uint8_t family;
	} lengths[] = {
		{ "min_prefix_v4", &c->min_prefix[MOAT_IPV4], MOAT_IPV4 },
		{ "min_prefix_v6", &c->min_prefix[MOAT_IPV6], MOAT_IPV6 },
		{ "wide_v4", &c->limits.wide[MOAT_IPV4], MOAT_IPV4 },
		{ "wide_v6", &c->limits.wide[MOAT_IPV6], MOAT_IPV6 },
	};
	const struct setting *share = setting_get(n, "max_share_v4");
	const struct setting *non_routable = setting_get(n, "non_routable");
	unsigned int choice = 0;
	int err;

	err = setting_expect_mapping(file, n, "{ min_prefix_v4: 8, max_shrink: 50% }");
	if (!err)
		err = setting_check_keys(file, n, "guards", keys, ARRAY_SIZE(keys));
	for (size_t i = 0; !err && i < ARRAY_SIZE(lengths); i++) {
		const struct setting *at = setting_get(n, lengths[i].key);
		uint64_t value = *lengths[i].to;

		if (at)
			err = setting_number(file, at, 1, prefix_max(lengths[i].family), false,
					     &value);
		*lengths[i].to = value;
	}
	if (!err && share)
		err = feeds_read_percent(file, share, 100, &c->limits.max_share);
	err = err ?: radius_read_limits(file, n, &c->limits);
	if (!err && non_routable)
		err = setting_choice(file, non_routable, choices, ARRAY_SIZE(choices), &choice);
	c->non_routable = choice == 1;
	return err ?: feeds_read_limits(file, n, &c->limits);
}

static int read_unjudged(const struct setting_file *file, const struct setting *n, struct config *c)
{
	static const char *const labels[] = {
#define X(name, verdict, label, text) [MOAT_##name] = label,
		MOAT_REASONS_PLAIN(X)
#undef X
	};
	static const enum moat_reason reasons[] = { MOAT_TRUNCATED, MOAT_BAD_HEADER,
						    MOAT_VLAN_DEPTH, MOAT_EXT_DEPTH };
	static const char *const choices[] = { "pass", "drop" };
	const char *keys[ARRAY_SIZE(reasons)];
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		keys[i] = labels[reasons[i]];
	err = setting_expect_mapping(file, n, "{ truncated: drop }");
	if (!err)
		err = setting_check_keys(file, n, "unjudged", keys, ARRAY_SIZE(keys));
	for (size_t i = 0; !err && i < ARRAY_SIZE(keys); i++) {
		const struct setting *at = setting_get(n, keys[i]);
		unsigned int choice = 0;

		if (at)
			err = setting_choice(file, at, choices, ARRAY_SIZE(choices), &choice);
		if (choice)
			c->drop_reasons |= 1ULL << reasons[i];
	}
	return err;
}

/* ---- the whole ---- */

static const struct {
	const char *key;
	int (*read)(const struct setting_file *file, const struct setting *n, struct config *c);
} sections[] = {
	{ "interfaces", read_interfaces },
	{ "attach", attach_read_settings },
	{ "database", read_database },
	{ "capacity", read_capacity },
	{ "sieve", read_sieve },
	{ "listen", read_listen },
	{ "tokens", http_read_tokens },
	{ "tls", http_read_tls },
	{ "http", http_read_limits },
	{ "socket", read_socket },
	{ "pins", read_pins },
	{ "categories", policy_read_categories },
	{ "never_block", read_never_block },
	{ "guards", read_guards },
	{ "region", region_read_settings },
	{ "unjudged", read_unjudged },
	{ "sampling", radius_read_sampling },
	{ "manual", quorum_read_manual },
	{ "replies", replies_read_settings },
	{ "flows", replies_read_flows },
	{ "hits", hits_read_settings },
	{ "events", events_read_settings },
	{ "asn_table", asn_read_settings },
	{ "user", user_read_settings },
	{ "feeds", NULL }, /* last: names categories and guards */
};

static int read_section(const struct setting_file *file, const struct setting *n, struct config *c)
{
	const char *known[ARRAY_SIZE(sections)];

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (!strcmp(n->key, sections[i].key))
			return sections[i].read ? sections[i].read(file, n, c) : 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		known[i] = sections[i].key;
	return setting_refuse_key(file, n, "the configuration", known, ARRAY_SIZE(known));
}

int config_parse(const char *file, const char *text, size_t size, struct config **ret,
		 struct problem *why)
{
	_cleanup_(config_freep) struct config *c = config_defaults();
	_cleanup_(setting_freep) struct setting *root = NULL;
	struct setting_file at_file = { .name = file, .why = why };
	static const struct setting start = { .line = 1, .column = 1 };
	int err;

	if (!c)
		return problem_set(why, -ENOMEM, "out of memory");
	if (size > CONFIG_FILE_MAX)
		return setting_fail(&at_file, &start, "the file is larger than %d bytes",
				    CONFIG_FILE_MAX);
	err = setting_parse(&at_file, text, size, &root);
	if (err)
		return err;
	if (root && (root->type != SETTING_TEXT || root->text[0])) {
		err = setting_expect_mapping(&at_file, root, "interfaces: [ { name: eth0 } ]");
		for (const struct setting *n = root->first; !err && n; n = n->next)
			err = read_section(&at_file, n, c);
		if (!err && setting_get(root, "feeds"))
			err = feeds_read_settings(&at_file, setting_get(root, "feeds"), c);
		err = err ?: quorum_check_numbers(&at_file, root, c);
		err = err ?: attach_check_user(&at_file, root, c);
		if (err)
			return err;
	}
	if (!c->interfaces)
		return setting_fail(&at_file, root ? root : &start,
				    "interfaces is missing; add interfaces: [ { name: eth0 } ]");
	c->text = malloc(size + 1);
	if (!c->text)
		return problem_set(why, -ENOMEM, "out of memory");
	memcpy(c->text, text, size);
	c->text[size] = '\0';
	c->size = size;
	*ret = take_ptr(c);
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

const char *config_fixed(const struct config *now, const struct config *next,
			 char buf[static CONFIG_FIXED_TEXT])
{
	const struct {
		const char *key;
		bool same;
	} keys[] = {
		{ "attach", config_chain(now) == config_chain(next) },
		{ "database", same_text(now->database, next->database) },
		{ "capacity", !memcmp(now->capacity, next->capacity, sizeof(now->capacity)) },
		{ "sieve", now->sieve == next->sieve },
		{ "listen", same_text(now->listen, next->listen) },
		{ "socket", same_text(now->socket, next->socket) },
		{ "pins", same_text(now->pins, next->pins) },
		{ "user", same_text(now->user, next->user) },
	};
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!keys[i].same && used < CONFIG_FIXED_TEXT)
			used += (size_t)snprintf(buf + used, CONFIG_FIXED_TEXT - used, "%s%s",
						 used ? ", " : "", keys[i].key);
	return buf;
}

/* At most one byte more than is allowed, so that config_parse() sees that it is too much. */
static ssize_t read_whole(int fd, char *text)
{
	size_t size = 0;
	ssize_t n;

	do {
		n = read(fd, text + size, CONFIG_FILE_MAX + 1 - size);
		if (n > 0)
			size += n;
	} while ((n > 0 && size <= CONFIG_FILE_MAX) || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : (ssize_t)size;
}

int config_load(const char *path, struct config **ret, struct problem *why)
{
	_cleanup_free_ char *text = malloc(CONFIG_FILE_MAX + 1);
	_cleanup_close_ int fd = -1;
	ssize_t size;

	if (!text)
		return problem_set(why, -ENOMEM, "out of memory");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return problem_set(why, -errno, "configuration '%s': cannot be opened: %s%s", path,
				   strerror(errno),
				   errno == ENOENT ? "; say which one with -c FILE" : "");
	size = read_whole(fd, text);
	if (size < 0)
		return problem_set(why, size, "configuration '%s': cannot be read: %s", path,
				   strerror(-size));
	return config_parse(path, text, size, ret, why);
}
