// SPDX-License-Identifier: BSD-2-Clause
#include "core/config_policy.h"
#include "core/config_quorum.h"
#include "core/gate.h"
#include "core/units.h"

#define NS_PER_SECOND 1000000000ULL
#define BURST_NS_MAX  (CONFIG_BURST_DAYS * 86400 * NS_PER_SECOND)
#define DSCP_MAX      63
#define PORT_MAX      65535
#define TYPE_MAX      255 /* of ICMP */
#define PROTOCOL_MAX  255

#define ICMP   1
#define ICMPV6 58

/* What people may write where an action stands; to the kernel it is a tag with a flag. */
#define ACTION_SHARED MOAT_ACTION_MAX

/* What a packet's fourth layer offers to a scope. */
enum selector { SELECTS_NOTHING, SELECTS_PORTS, SELECTS_TYPES };

static const struct {
	const char *name;
	uint8_t number; /* IANA */
	enum selector selector;
} protocols[] = {
	{ "tcp", 6, SELECTS_PORTS },	 { "udp", 17, SELECTS_PORTS },
	{ "icmp", ICMP, SELECTS_TYPES }, { "sctp", 132, SELECTS_PORTS },
	{ "dccp", 33, SELECTS_PORTS },	 { "udplite", 136, SELECTS_PORTS },
	{ "gre", 47, SELECTS_NOTHING },	 { "esp", 50, SELECTS_NOTHING },
	{ "ah", 51, SELECTS_NOTHING },
};

static void add_protocol(struct moat_policy *policy, unsigned int number)
{
	policy->flags |= MOAT_POLICY_PROTOCOLS;
	policy->protocols[number >> 6] |= 1ULL << (number & 63);
}

static bool has_protocol(const struct moat_policy *policy, unsigned int number)
{
	return policy->protocols[number >> 6] & (1ULL << (number & 63));
}

static enum selector protocol_selector(unsigned int number)
{
	if (number == ICMPV6)
		return SELECTS_TYPES;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (protocols[i].number == number)
			return protocols[i].selector;
	}
	return SELECTS_NOTHING;
}

static int fail_protocol(const struct setting_file *file, const struct setting *n)
{
	const char *names[ARRAY_SIZE(protocols)];
	char shown[SETTING_SHOWN], known[SETTING_JOINED];

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		names[i] = protocols[i].name;
	return setting_fail(file, n, "protocol: expected %s or 0 to %d, not '%s'",
			    setting_join(names, ARRAY_SIZE(names), ", ", known), PROTOCOL_MAX,
			    setting_shown(n->text, shown));
}

static int read_protocol(const struct setting_file *file, const struct setting *n,
			 struct moat_policy *policy)
{
	uint64_t number = PROTOCOL_MAX + 1;
	const char *text;
	int err;

	err = setting_text(file, n, &text);
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!strcmp(text, protocols[i].name))
			number = protocols[i].number;
	}
	if (number > PROTOCOL_MAX && (units_number(text, &number) || number > PROTOCOL_MAX))
		return fail_protocol(file, n);
	if (number == ICMP || number == ICMPV6) {
		add_protocol(policy, ICMP);
		add_protocol(policy, ICMPV6);
	}
	add_protocol(policy, number);
	return 0;
}

/* A value alone or a list of them. */
static int read_each(const struct setting_file *file, const struct setting *n, void *target,
		     int (*read)(const struct setting_file *file, const struct setting *n,
				 void *target))
{
	if (n->type != SETTING_LIST)
		return read(file, n, target);
	if (!n->first)
		return setting_fail(file, n,
				    "%s: the list is empty; leave the key out to match all",
				    n->name);
	for (const struct setting *item = n->first; item; item = item->next) {
		int err = read(file, item, target);

		if (err)
			return err;
	}
	return 0;
}

static int read_protocol_item(const struct setting_file *file, const struct setting *n,
			      void *target)
{
	return read_protocol(file, n, target);
}

struct port_range {
	struct moat_ports *ports;
	unsigned int min, max; /* what is allowed */
};

/* "22" or "1000-2000". */
static int parse_range(const char *text, uint64_t *ret_low, uint64_t *ret_high)
{
	const char *dash = strchr(text, '-');
	char low[8]; /* the longest number is 65535 */

	if (!dash) {
		if (units_number(text, ret_low))
			return -EINVAL;
		*ret_high = *ret_low;
		return 0;
	}
	if (dash - text >= (ptrdiff_t)sizeof(low))
		return -EINVAL;
	memcpy(low, text, dash - text);
	low[dash - text] = '\0';
	return units_number(low, ret_low) || units_number(dash + 1, ret_high) ? -EINVAL : 0;
}

static int read_range(const struct setting_file *file, const struct setting *n, void *target)
{
	const struct port_range *range = target;
	char shown[SETTING_SHOWN];
	uint64_t low, high;
	const char *text;
	int err;

	err = setting_text(file, n, &text);
	if (err)
		return err;
	if (parse_range(text, &low, &high) || low < range->min || high > range->max || low > high)
		return setting_fail(file, n,
				    "%s: '%s' is no number from %u to %u, nor a range such as 8-15",
				    n->name, setting_shown(text, shown), range->min, range->max);
	for (; low <= high; low++)
		range->ports->set[low >> 6] |= 1ULL << (low & 63);
	return 0;
}

/*
 * What ports select with these protocols. Every protocol must offer the same:
 * one without ports would match whole, behind the back of who wrote the list.
 */
static int scope_selector(const struct setting_file *file, const struct setting *ports,
			  struct moat_policy *policy, enum selector *ret)
{
	enum selector selector = SELECTS_NOTHING;

	if (!(policy->flags & MOAT_POLICY_PROTOCOLS)) {
		for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
			if (protocols[i].selector == SELECTS_PORTS)
				add_protocol(policy, protocols[i].number);
		}
	}
	for (unsigned int number = 0; number <= PROTOCOL_MAX; number++) {
		enum selector its = protocol_selector(number);

		if (!has_protocol(policy, number))
			continue;
		if (its == SELECTS_NOTHING)
			return setting_fail_key(
				file, ports,
				"%s need tcp, udp, sctp, dccp, udplite or icmp, not protocol %u",
				ports->key, number);
		if (selector != SELECTS_NOTHING && its != selector)
			return setting_fail_key(
				file, ports,
				"%s of icmp and of others do not mix: make two categories",
				ports->key);
		selector = its;
	}
	*ret = selector;
	return 0;
}

static int read_scope(const struct setting_file *file, const struct setting *n,
		      struct config_category *category)
{
	const struct setting *protocol = setting_get(n, "protocol");
	const struct setting *ports = setting_get(n, "ports");
	const struct setting *types = setting_get(n, "types");
	enum selector selector = SELECTS_NOTHING;
	struct port_range range;
	int err;

	if (protocol) {
		err = read_each(file, protocol, &category->policy, read_protocol_item);
		if (err)
			return err;
	}
	if (ports && types)
		return setting_fail_key(file, types, "types and ports are the same; keep one");
	if (types && !has_protocol(&category->policy, ICMP))
		return setting_fail_key(file, types, "types need protocol icmp");
	ports = ports ?: types;
	if (!ports)
		return 0;
	err = scope_selector(file, ports, &category->policy, &selector);
	if (err)
		return err;

	category->ports = calloc(1, sizeof(*category->ports));
	if (!category->ports)
		return problem_set(file->why, -ENOMEM, "out of memory");
	category->policy.flags |= MOAT_POLICY_PORTS;
	range = (struct port_range){
		.ports = category->ports,
		.min = selector == SELECTS_TYPES ? 0 : 1,
		.max = selector == SELECTS_TYPES ? TYPE_MAX : PORT_MAX,
	};
	return read_each(file, ports, &range, read_range);
}

static int read_tag(const struct setting_file *file, const struct setting *n,
		    struct moat_policy *policy)
{
	const struct setting *mark = setting_get(n, "mark");
	const struct setting *dscp = setting_get(n, "dscp");
	uint64_t value;
	int err;

	if (!mark && !dscp)
		return setting_fail_key(file, n,
					"category '%s': action %s needs mark, dscp or both", n->key,
					policy->flags & MOAT_POLICY_SHARED ? MOAT_SHARED_LABEL
									   : "tag");
	if (dscp) {
		err = setting_number(file, dscp, 0, DSCP_MAX, true, &value);
		if (err)
			return err;
		policy->dscp = value;
		policy->flags |= MOAT_POLICY_DSCP;
	}
	if (!mark)
		return 0;
	err = setting_number(file, mark, 0, UINT32_MAX, true, &value);
	if (err)
		return err;
	if (!value && !dscp)
		return setting_fail(file, mark, "mark: 0 is no mark, and there is no dscp either");
	policy->mark = value;
	if (value)
		policy->flags |= MOAT_POLICY_MARK;
	return 0;
}

/* ns of credit for so many packets or bytes; more than BURST_NS_MAX if it does not fit. */
static uint64_t burst_ns(const struct rate *rate, uint64_t cost, uint64_t count)
{
	unsigned __int128 ns = rate->bits
				       ? (unsigned __int128)count * 8 * NS_PER_SECOND / rate->value
				       : (unsigned __int128)count * cost;

	return ns > BURST_NS_MAX ? BURST_NS_MAX + 1 : ns;
}

static int read_burst(const struct setting_file *file, const struct setting *n,
		      const struct rate *rate, struct moat_policy *policy)
{
	uint64_t least = rate->bits ? CONFIG_BURST_BYTES : 1;
	char shown[SETTING_SHOWN];
	const char *text;
	uint64_t count;
	int err;

	err = setting_text(file, n, &text);
	if (err)
		return err;
	if (units_count(text, &count))
		return setting_fail(file, n, "burst: '%s' is not a number of %s such as 200 or 64k",
				    setting_shown(text, shown), rate->bits ? "bytes" : "packets");
	if (count < least)
		return setting_fail(file, n,
				    "burst: less than %llu bytes never lets a full frame through",
				    (unsigned long long)least);
	policy->burst = burst_ns(rate, policy->cost, count);
	if (policy->burst > BURST_NS_MAX)
		return setting_fail(file, n,
				    "burst: takes more than %d days to refill at this rate",
				    CONFIG_BURST_DAYS);
	return 0;
}

static int read_limit(const struct setting_file *file, const struct setting *n,
		      struct moat_policy *policy)
{
	const struct setting *rate_node = setting_get(n, "rate");
	const struct setting *burst = setting_get(n, "burst");
	char shown[SETTING_SHOWN];
	struct rate rate;
	const char *text;
	int err;

	if (!rate_node)
		return setting_fail_key(file, n,
					"category '%s': action limit needs rate, such as 100pps",
					n->key);
	err = setting_text(file, rate_node, &text);
	if (err)
		return err;
	if (units_rate(text, &rate))
		return setting_fail(file, rate_node,
				    "rate: '%s' is no rate from 1pps to 1gpps or 1kbps to 1000gbps",
				    setting_shown(text, shown));
	if (rate.bits) {
		policy->flags |= MOAT_POLICY_BITS;
		policy->cost = (8 * NS_PER_SECOND << 20) / rate.value;
	} else {
		policy->cost = NS_PER_SECOND / rate.value;
	}
	if (burst)
		return read_burst(file, burst, &rate, policy);

	policy->burst = rate.bits ? NS_PER_SECOND : rate.value * policy->cost;
	if (rate.bits && policy->burst < burst_ns(&rate, policy->cost, CONFIG_BURST_BYTES))
		policy->burst = burst_ns(&rate, policy->cost, CONFIG_BURST_BYTES);
	return 0;
}

/* Keys that mean something with some actions only. */
static int check_belongs(const struct setting_file *file, const struct setting *n,
			 unsigned int action)
{
	static const struct {
		const char *key;
		unsigned int actions; /* bits */
		const char *label;
	} belongs[] = {
		{ "rate", 1U << MOAT_ACTION_LIMIT, "limit" },
		{ "burst", 1U << MOAT_ACTION_LIMIT, "limit" },
		{ "mark", 1U << MOAT_ACTION_TAG | 1U << ACTION_SHARED, "tag" },
		{ "dscp", 1U << MOAT_ACTION_TAG | 1U << ACTION_SHARED, "tag" },
		{ "protocol", ~(1U << ACTION_SHARED), NULL },
		{ "ports", ~(1U << ACTION_SHARED), NULL },
		{ "types", ~(1U << ACTION_SHARED), NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(belongs); i++) {
		const struct setting *at = setting_get(n, belongs[i].key);

		if (!at || belongs[i].actions >> action & 1)
			continue;
		if (belongs[i].label)
			return setting_fail_key(file, at, "%s belongs to action %s", belongs[i].key,
						belongs[i].label);
		return setting_fail_key(file, at,
					"%s: action " MOAT_SHARED_LABEL
					" has no scope: it goes with whatever would drop",
					belongs[i].key);
	}
	return 0;
}

static int read_action(const struct setting_file *file, const struct setting *n, unsigned int *ret)
{
	static const char *const labels[] = {
#define X(name, label) [MOAT_ACTION_##name] = label,
		MOAT_ACTIONS(X)
#undef X
			[ACTION_SHARED] = MOAT_SHARED_LABEL,
	};
	const struct setting *action = setting_get(n, "action");

	if (!action)
		return setting_fail_key(file, n,
					"category '%s' needs an action, such as action: drop",
					n->key);
	return setting_choice(file, action, labels, ARRAY_SIZE(labels), ret);
}

static int check_name(const struct setting_file *file, const struct setting *n, size_t index)
{
	char shown[SETTING_SHOWN];

	if (index >= CONFIG_CATEGORIES_MAX)
		return setting_fail_key(file, n, "more than %d categories", CONFIG_CATEGORIES_MAX);
	if (!gate_name_ok(n->key, MOAT_CATEGORY_NAME))
		return setting_fail_key(file, n,
					"category '%s': a name is 1 to %d letters, digits, ._-",
					setting_shown(n->key, shown), MOAT_CATEGORY_NAME - 1);
	if (!strcmp(n->key, "allow") || !strcmp(n->key, "selftest"))
		return setting_fail_key(file, n, "category '%s' is built in; choose another name",
					n->key);
	return 0;
}

static int read_category(const struct setting_file *file, const struct setting *n,
			 struct config_category *category)
{
	static const char *const keys[] = { "action", "protocol", "ports", "types", "rate",
					    "burst",  "mark",	  "dscp",  "k_of" };
	unsigned int action = 0;
	int err;

	err = setting_expect_mapping(file, n, "{ action: drop }");
	if (!err)
		err = setting_check_keys(file, n, "a category", keys, ARRAY_SIZE(keys));
	if (!err)
		err = read_action(file, n, &action);
	if (!err)
		err = check_belongs(file, n, action);
	if (!err)
		err = read_scope(file, n, category);
	if (err)
		return err;

	if (action == ACTION_SHARED) {
		category->policy.flags |= MOAT_POLICY_SHARED;
		action = MOAT_ACTION_TAG;
	}
	category->policy.action = action;
	if (action == MOAT_ACTION_LIMIT)
		err = read_limit(file, n, &category->policy);
	if (action == MOAT_ACTION_TAG)
		err = read_tag(file, n, &category->policy);
	return err ?: quorum_read_category(file, n, category);
}

int policy_read_categories(const struct setting_file *file, const struct setting *n,
			   struct config *c)
{
	size_t count;
	int err;

	err = setting_expect_mapping(file, n, "{ botnet: { action: drop } }");
	if (err)
		return err;
	count = setting_children(n);
	if (!count)
		return 0;
	c->category = calloc(count, sizeof(*c->category));
	if (!c->category)
		return problem_set(file->why, -ENOMEM, "out of memory");
	for (const struct setting *child = n->first; child; child = child->next) {
		struct config_category *category = &c->category[c->categories];

		err = check_name(file, child, c->categories);
		if (err)
			return err;
		snprintf(category->name, sizeof(category->name), "%s", child->key);
		c->categories++; /* what it owns is freed from here on */
		err = read_category(file, child, category);
		if (err)
			return err;
	}
	return 0;
}
