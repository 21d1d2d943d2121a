/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must never be blocked on this host, found by looking: its own
 * addresses, its gateways and its name servers; and what the configuration
 * adds.
 *
 *	discover.c		looks once; puts what was found together
 *	discover_route.[ch]	gateways, in the messages of rtnetlink(7)
 *	discover_resolver.[ch]	name servers, and which files say so
 *	discover_watch.[ch]	notices when something of it changes
 */
#ifndef DAEMON_DISCOVER_H
#define DAEMON_DISCOVER_H

#include "core/config.h"

#define DISCOVER_MAX 65536 /* prefixes, configured ones included */

/*        name        label         several of them */
/* clang-format off */
#define DISCOVER_LIST(X)                                                                           \
	X(OWN,        "own",        "own")                                                         \
	X(GATEWAY,    "gateway",    "gateways")                                                    \
	X(RESOLVER,   "resolver",   "resolvers")                                                   \
	X(CONFIGURED, "configured", "configured")

enum discover_kind {
#define X(name, label, several) DISCOVER_##name,
	DISCOVER_LIST(X)
#undef X
	DISCOVER_KINDS,
};
/* clang-format on */

/* Prefixes of one kind. All zero: none yet. */
struct finds {
	struct prefix *prefix; /* owned */
	size_t count, room;
	int error; /* sticks; what did not fit is missing */
};

void finds_free(struct finds *f);
void finds_add(struct finds *f, const struct prefix *p);
/* Sorts, and leaves one of what is there twice. */
void finds_sort(struct finds *f);
/* f is sorted. */
bool finds_has(const struct finds *f, const struct prefix *p);

/* An address of the kernel's or a file's. Leaves out what no packet from outside can have. */
void finds_add_address(struct finds *f, int family, const void *address, size_t size);

/* How many there are, for status. A prefix may be of several kinds. */
struct never_counts {
	size_t prefixes; /* none in another */
	size_t kind[DISCOVER_KINDS];
};

/* The set in force: sorted by gate_sort_never_block(). */
struct never_block {
	struct prefix *prefix; /* owned */
	size_t count;
	struct never_counts counts;
};

void never_block_free(struct never_block *n);

/* Own addresses. */
void discover_own(struct finds *f);

/* Puts together what was found of each kind before CONFIGURED, and the configuration. */
int discover_join(const struct finds found[static DISCOVER_CONFIGURED], const struct config *config,
		  struct never_block *ret, struct problem *why);

/* Looks at everything now. What cannot be read is left out. */
int discover_never_block(const struct config *config, struct never_block *ret, struct problem *why);

/* "12 prefixes: own 5, gateways 2, resolvers 2, configured 3" */
#define DISCOVER_TEXT 160
const char *discover_text(const struct never_counts *counts, char ret[static DISCOVER_TEXT]);

#endif
