/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one gate every writer passes: feed, API, event and plain SQL.
 *
 * Turns a row of the database into a claim, or says why not. What it refuses
 * is listed with the cause, never dropped silently.
 */
#ifndef CORE_GATE_H
#define CORE_GATE_H

#include "core/model.h"
#include "core/region.h"

/*        name              label               one line for humans */
/* clang-format off */
#define GATE_CAUSES(X)                                                                             \
	X(BAD_SOURCE,       "bad_source",       "not an IPv4 or IPv6 address or prefix")           \
	X(HOST_BITS,        "host_bits",        "bits behind the prefix length are set")           \
	X(NOT_CANONICAL,    "not_canonical",    "not how the source is written: lower case, shortened, IPv4 as IPv4") \
	X(PREFIX_FLOOR,     "prefix_floor",     "prefix is shorter than guards allow: min_prefix_v4, min_prefix_v6") \
	X(WIDE,             "wide",             "prefix is shorter than wide_v4 or wide_v6: it needs --force and a ttl") \
	X(NEVER_BLOCK,      "never_block",      "source lies in a never-block prefix")             \
	X(NON_ROUTABLE,     "non_routable",     "private, shared, loopback, link-local or multicast space; guards.non_routable: pass lets it in") \
	X(UNBLOCKABLE,      "unblockable",      "control traffic uses this address; it cannot be blocked") \
	X(UNKNOWN_CATEGORY, "unknown_category", "category is not in the configuration")            \
	X(BAD_NAME,         "bad_name",         "category or feed is empty or not a name")         \
	X(BAD_CONFIDENCE,   "bad_confidence",   "confidence is not a whole number from 0 to 100")  \
	X(BAD_REGION,       "bad_region",       "region is not a list of words: de,eu")                \
	X(BAD_EXPIRY,       "bad_expiry",       "expires_at is not a time in seconds since 1970")  \
	X(HELD,             "held",             "the feed only monitors, and no number is left to count for the category") \
	X(MAP_FULL,         "map_full",         "the kernel map is full: raise capacity")          \
	X(FEEDS_FULL,       "feeds_full",       "no number is left for the feed: too many feeds")          \
	X(CLASSES_FULL,     "classes_full",     "no class is left for this set of categories")
/* clang-format on */

/* clang-format off */
enum gate_cause {
	GATE_PASSED,
#define X(name, label, text) GATE_##name,
	GATE_CAUSES(X)
#undef X
	GATE_CAUSE_MAX,
	/* Not refused: a good row, in force on hosts of other regions only. */
	GATE_ELSEWHERE = GATE_CAUSE_MAX,
};
/* clang-format on */

const char *gate_cause_label(enum gate_cause cause);
const char *gate_cause_text(enum gate_cause cause);

/* Names of categories; index is the id. An unused id has an empty name. */
struct categories {
	char name[MOAT_CATEGORIES][MOAT_CATEGORY_NAME];
};

/* The id, or -ENOENT. */
int categories_find(const struct categories *c, const char *name);

/* Whether name is 1 to room - 1 of [A-Za-z0-9._-]. */
bool gate_name_ok(const char *name, size_t room);

/*
 * What feeds in mode monitor list has a number of its own, so that it only
 * counts. Its name is that of the category behind a mark that no row can have.
 */
#define CATEGORY_MONITORED '~'

/* The name as people know it. */
static inline const char *category_shown(const char *name)
{
	return name[0] == CATEGORY_MONITORED ? name + 1 : name;
}

struct gate {
	const struct categories *categories;
	const struct prefix *never_block; /* masked */
	size_t never_blocks;
	bool never_sorted; /* by gate_sort_never_block(): a check is a binary search, not a scan */
	uint8_t min_prefix[2];	    /* by family; category allow is exempt */
	const char *const *monitor; /* names of the feeds in mode monitor, sorted */
	size_t monitors;
	const uint8_t *monitored; /* by category: the number it has in those; 0: its own */
	const char *const *held;  /* names of the feeds that are held in monitor, sorted */
	size_t helds;
	uint64_t acts; /* bit c: what feeds that only monitor list under c must not be in force */
	uint64_t softens;	     /* bit c: category c never blocks, it only weakens others */
	bool only_routable;	     /* refuses what is not; see gate_is_routable() */
	char (*region)[REGION_WORD]; /* words that this host carries */
	size_t regions;
};

/* Sorts and leaves out prefixes that lie in others. Returns how many are left. */
size_t gate_sort_never_block(struct prefix *never_block, size_t count);

/* A row as any writer may have left it. NULL text is SQL null. */
struct row {
	const char *source, *category, *feed;
	const char *expires_at; /* as text, null: never */
	const char *confidence; /* as text, null: none */
	const char *region;	/* where it is in force, see core/region.h; null: everywhere */
};

/*
 * Fills all of *ret but feed. Category allow passes the prefix floor and the
 * never-block set. 0.0.0.0/32, :: and prefixes inside fe80::/10 are
 * unblockable; /0 is always under the floor. Both hold for allow too. A feed or
 * category name is 1 to 31 (category) or 63 (feed) of [A-Za-z0-9._-]; category
 * selftest is not for rows. expires_at is above 0 and before the year 10000.
 * Never GATE_WIDE: who can insist is asked before a row is written.
 * *ret is filled for GATE_ELSEWHERE, too, which nothing else stands against.
 */
enum gate_cause gate_check(const struct gate *gate, const struct row *row, struct claim *ret);

/* The number that a category has for a feed: what gate_check() fills in. */
uint8_t gate_category(const struct gate *gate, uint8_t category, const char *feed);

/*
 * Whether a packet of the source can have come from beyond this network: false
 * for what overlaps private, shared (CGNAT), loopback, link-local, unique-local
 * and multicast space and 0.0.0.0/8. Addresses for documentation and
 * benchmarks count as routable: to block them hurts nobody.
 */
bool gate_is_routable(const struct prefix *source);

/* What a category does to a source. */
enum gate_role {
	GATE_BLOCKS,
	GATE_PROTECTS, /* allow */
	GATE_SOFTENS, /* shared addresses: listed to spare them, so also where nobody may be blocked */
};

enum gate_role gate_role(const struct gate *gate, uint8_t category);

/* The part of it that judges the source, which has no host bits. */
enum gate_cause gate_check_prefix(const struct gate *gate, const struct prefix *source,
				  enum gate_role role);

#endif
