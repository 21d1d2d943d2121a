// SPDX-License-Identifier: BSD-2-Clause
#include "core/gate.h"
#include "core/units.h"

#define FEED_NAME      64	       /* with the terminating NUL */
#define EXPIRES_MAX    253402300799ULL /* the end of year 9999; what is above was milliseconds */
#define CONFIDENCE_MAX 100

/* clang-format off */
static const struct {
	const char *label;
	const char *text;
} causes[] = {
	[GATE_PASSED] = { "passed", "in force" },
	[GATE_ELSEWHERE] = { "elsewhere", "in force in other regions only" },
#define X(name, label, text) [GATE_##name] = { label, text },
	GATE_CAUSES(X)
#undef X
};
/* clang-format on */

const char *gate_cause_label(enum gate_cause cause)
{
	return (size_t)cause < ARRAY_SIZE(causes) ? causes[cause].label : "unknown";
}

const char *gate_cause_text(enum gate_cause cause)
{
	return (size_t)cause < ARRAY_SIZE(causes) ? causes[cause].text : "unknown cause";
}

int categories_find(const struct categories *c, const char *name)
{
	if (!name[0])
		return -ENOENT;
	for (int i = 0; i < MOAT_CATEGORIES; i++) {
		if (c->name[i][0] == name[0] && !strcmp(c->name[i], name))
			return i;
	}
	return -ENOENT;
}

bool gate_name_ok(const char *name, size_t room)
{
	size_t size = 0;

	for (; name[size]; size++) {
		char c = name[size];
		bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';

		if (!fits || size + 1 >= room)
			return false;
	}
	return size > 0;
}

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

size_t gate_sort_never_block(struct prefix *never_block, size_t count)
{
	size_t kept = 0;

	if (!count)
		return 0;
	qsort(never_block, count, sizeof(*never_block), compare_prefixes);
	for (size_t i = 0; i < count; i++) {
		if (!kept || !prefix_covers(&never_block[kept - 1], &never_block[i]))
			never_block[kept++] = never_block[i];
	}
	return kept;
}

/* Disjoint and sorted: if any covers source, it is the last that does not sort behind it. */
static bool never_block_sorted(const struct gate *gate, const struct prefix *source)
{
	size_t low = 0, high = gate->never_blocks;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (prefix_compare(&gate->never_block[middle], source) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && prefix_covers(&gate->never_block[low - 1], source);
}

static bool is_never_block(const struct gate *gate, const struct prefix *source)
{
	if (gate->never_sorted)
		return never_block_sorted(gate, source);
	for (size_t i = 0; i < gate->never_blocks; i++) {
		if (prefix_covers(&gate->never_block[i], source))
			return true;
	}
	return false;
}

/* RFC 6890 and its successors, by family. */
static const struct prefix not_routable[] = {
	{ MOAT_IPV4, 8, { 0 } },
	{ MOAT_IPV4, 8, { 10 } },
	{ MOAT_IPV4, 10, { 100, 64 } },
	{ MOAT_IPV4, 8, { 127 } },
	{ MOAT_IPV4, 16, { 169, 254 } },
	{ MOAT_IPV4, 12, { 172, 16 } },
	{ MOAT_IPV4, 16, { 192, 168 } },
	{ MOAT_IPV4, 3, { 224 } }, /* multicast, reserved, broadcast */
	{ MOAT_IPV6, 96, { 0 } },  /* unspecified, loopback, IPv4-compatible */
	{ MOAT_IPV6, 7, { 0xfc } },
	{ MOAT_IPV6, 9, { 0xfe, 0x80 } }, /* link-local, and once site-local */
	{ MOAT_IPV6, 8, { 0xff } },
};

bool gate_is_routable(const struct prefix *source)
{
	for (size_t i = 0; i < ARRAY_SIZE(not_routable); i++)
		if (prefix_covers(&not_routable[i], source) ||
		    prefix_covers(source, &not_routable[i]))
			return false;
	return true;
}

/* What the data plane passes before it looks at any list (bpf/parse.h). */
static bool is_unblockable(const struct prefix *source)
{
	static const struct prefix link_local = { MOAT_IPV6, 10, { 0xfe, 0x80 } };
	static const uint8_t unspecified[16];

	if (prefix_is_host(source) && !memcmp(source->addr, unspecified, sizeof(unspecified)))
		return true;
	return prefix_covers(&link_local, source);
}

/*
 * Whether text is how prefix_format() or prefix_format_cidr() would write it.
 * Rows are told apart by their text: were two spellings of one source let in,
 * ending one row would end the other's claim. The parser leaves IPv4 one
 * spelling, but for the one inside IPv6.
 */
static bool is_canonical(const char *text, const struct prefix *source)
{
	char canonical[PREFIX_TEXT_MAX];

	if (source->family == MOAT_IPV4)
		return !strchr(text, ':');
	return !strcmp(text, prefix_format(source, canonical)) ||
	       !strcmp(text, prefix_format_cidr(source, canonical));
}

enum gate_role gate_role(const struct gate *gate, uint8_t category)
{
	if (category == MOAT_CATEGORY_ALLOW)
		return GATE_PROTECTS;
	return gate->softens & (1ULL << category) ? GATE_SOFTENS : GATE_BLOCKS;
}

enum gate_cause gate_check_prefix(const struct gate *gate, const struct prefix *source,
				  enum gate_role role)
{
	if (is_unblockable(source))
		return GATE_UNBLOCKABLE;
	if (!source->len ||
	    (role != GATE_PROTECTS && source->len < gate->min_prefix[source->family]))
		return GATE_PREFIX_FLOOR;
	if (role == GATE_BLOCKS && is_never_block(gate, source))
		return GATE_NEVER_BLOCK;
	if (role == GATE_BLOCKS && gate->only_routable && !gate_is_routable(source))
		return GATE_NON_ROUTABLE;
	return GATE_PASSED;
}

static enum gate_cause check_source(const struct gate *gate, const char *text, enum gate_role role,
				    struct prefix *ret)
{
	int err = text ? prefix_parse(text, ret) : -EINVAL;

	if (err)
		return err == -EDOM ? GATE_HOST_BITS : GATE_BAD_SOURCE;
	if (!is_canonical(text, ret))
		return GATE_NOT_CANONICAL;
	return gate_check_prefix(gate, ret, role);
}

static enum gate_cause check_names(const struct gate *gate, const struct row *row, uint8_t *ret)
{
	int category;

	if (!row->category || !gate_name_ok(row->category, MOAT_CATEGORY_NAME) || !row->feed ||
	    !gate_name_ok(row->feed, FEED_NAME))
		return GATE_BAD_NAME;
	category = categories_find(gate->categories, row->category);
	if (category < 0 || category == MOAT_CATEGORY_SELFTEST)
		return GATE_UNKNOWN_CATEGORY;
	*ret = category;
	return GATE_PASSED;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

static bool is_named(const char *feed, const char *const *names, size_t count)
{
	return count && bsearch(feed, names, count, sizeof(*names), compare_names);
}

static bool only_counts(const struct gate *gate, const char *feed)
{
	return is_named(feed, gate->monitor, gate->monitors) ||
	       is_named(feed, gate->held, gate->helds);
}

uint8_t gate_category(const struct gate *gate, uint8_t category, const char *feed)
{
	if ((!gate->monitors && !gate->helds) || !gate->monitored[category])
		return category;
	return only_counts(gate, feed) ? gate->monitored[category] : category;
}

enum gate_cause gate_check(const struct gate *gate, const struct row *row, struct claim *ret)
{
	struct claim claim = {};
	enum gate_cause cause;
	uint64_t number;
	int here;

	cause = check_names(gate, row, &claim.category);
	if (cause)
		return cause;
	cause = check_source(gate, row->source, gate_role(gate, claim.category), &claim.source);
	if (cause)
		return cause;
	if (row->confidence && (units_number(row->confidence, &number) || number > CONFIDENCE_MAX))
		return GATE_BAD_CONFIDENCE;
	if (row->expires_at) {
		/* 0 would mean never to those behind the gate, and 1970 to who wrote it. */
		if (units_number(row->expires_at, &number) || !number || number > EXPIRES_MAX)
			return GATE_BAD_EXPIRY;
		claim.expires = number;
	}
	here = region_fits(row->region, gate->region, gate->regions);
	if (here < 0)
		return GATE_BAD_REGION;
	if (here && gate->acts & (1ULL << claim.category) && !gate->monitored[claim.category] &&
	    only_counts(gate, row->feed))
		return GATE_HELD;
	claim.category = gate_category(gate, claim.category, row->feed);
	claim.feed = ret->feed;
	*ret = claim;
	return here ? GATE_PASSED : GATE_ELSEWHERE;
}
