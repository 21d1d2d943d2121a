/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/discover.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/gate.h"
#include "daemon/discover_resolver.h"
#include "daemon/discover_route.h"

static const char *const kinds[] = {
#define X(name, label, several) [DISCOVER_##name] = several,
	DISCOVER_LIST(X)
#undef X
};

/* ---- prefixes of one kind ---- */

void finds_free(struct finds *f)
{
	free(f->prefix);
	*f = (struct finds){};
}

static int compare_prefix(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

void finds_sort(struct finds *f)
{
	size_t kept = 0;

	if (f->count)
		qsort(f->prefix, f->count, sizeof(*f->prefix), compare_prefix);
	for (size_t i = 0; i < f->count; i++)
		if (!kept || prefix_compare(&f->prefix[kept - 1], &f->prefix[i]) != 0)
			f->prefix[kept++] = f->prefix[i];
	f->count = kept;
}

bool finds_has(const struct finds *f, const struct prefix *p)
{
	return f->count && bsearch(p, f->prefix, f->count, sizeof(*f->prefix), compare_prefix);
}

/* A table of a million routes names few gateways: duplicates go before it grows. */
static int finds_grow(struct finds *f)
{
	struct prefix *grown;
	size_t room;

	finds_sort(f);
	if (f->count > DISCOVER_MAX)
		return -E2BIG;
	if (f->room && f->count <= f->room / 2)
		return 0;
	room = f->room ? f->room * 2 : 64;
	grown = reallocarray(f->prefix, room, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	f->prefix = grown;
	f->room = room;
	return 0;
}

void finds_add(struct finds *f, const struct prefix *p)
{
	if (!f->error && f->count == f->room)
		f->error = finds_grow(f);
	if (!f->error)
		f->prefix[f->count++] = *p;
}

static bool from_outside4(const uint8_t *address)
{
	static const uint8_t any[4];

	return memcmp(address, any, sizeof(any)) != 0 && address[0] != IN_LOOPBACKNET;
}

static bool from_outside6(const void *address)
{
	struct in6_addr v6;

	memcpy(&v6, address, sizeof(v6));
	return !IN6_IS_ADDR_UNSPECIFIED(&v6) && !IN6_IS_ADDR_LOOPBACK(&v6) &&
	       !IN6_IS_ADDR_LINKLOCAL(&v6);
}

void finds_add_address(struct finds *f, int family, const void *address, size_t size)
{
	struct prefix p = { .family = family == AF_INET ? MOAT_IPV4 : MOAT_IPV6 };

	if (family == AF_INET ? size != 4 || !from_outside4(address)
			      : family != AF_INET6 || size != 16 || !from_outside6(address))
		return;
	p.len = (uint8_t)prefix_max(p.family);
	memcpy(p.addr, address, size);
	finds_add(f, &p);
}

/* ---- looking ---- */

void discover_own(struct finds *f)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;

		if (!at->ifa_addr)
			continue;
		if (at->ifa_addr->sa_family == AF_INET) {
			memcpy(&v4, at->ifa_addr, sizeof(v4));
			finds_add_address(f, AF_INET, &v4.sin_addr, sizeof(v4.sin_addr));
		} else if (at->ifa_addr->sa_family == AF_INET6) {
			memcpy(&v6, at->ifa_addr, sizeof(v6));
			finds_add_address(f, AF_INET6, &v6.sin6_addr, sizeof(v6.sin6_addr));
		}
	}
	freeifaddrs(all);
}

/* ---- the set ---- */

void never_block_free(struct never_block *n)
{
	free(n->prefix);
	*n = (struct never_block){};
}

static int join(const struct finds *found, const struct config *config, struct finds *all,
		struct never_counts *counts)
{
	for (int kind = 0; kind < DISCOVER_CONFIGURED; kind++) {
		for (size_t i = 0; i < found[kind].count; i++)
			finds_add(all, &found[kind].prefix[i]);
		counts->kind[kind] = found[kind].count;
		if (found[kind].error)
			return found[kind].error;
	}
	for (size_t i = 0; i < config->never_blocks; i++)
		finds_add(all, &config->never_block[i]);
	counts->kind[DISCOVER_CONFIGURED] = config->never_blocks;
	if (all->error)
		return all->error;
	all->count = gate_sort_never_block(all->prefix, all->count);
	counts->prefixes = all->count;
	return all->count > DISCOVER_MAX ? -E2BIG : 0;
}

int discover_join(const struct finds found[static DISCOVER_CONFIGURED], const struct config *config,
		  struct never_block *ret, struct problem *why)
{
	struct never_counts counts = {};
	struct finds all = {};
	int err = join(found, config, &all, &counts);

	if (err) {
		finds_free(&all);
		return problem_set(why, err, "never_block: %s",
				   err == -E2BIG ? "too many prefixes" : "out of memory");
	}
	*ret = (struct never_block){ all.prefix, all.count, counts };
	return 0;
}

int discover_never_block(const struct config *config, struct never_block *ret, struct problem *why)
{
	struct finds found[DISCOVER_CONFIGURED] = {};
	int err;

	discover_own(&found[DISCOVER_OWN]);
	discover_gateways(&found[DISCOVER_GATEWAY]);
	discover_resolvers(&found[DISCOVER_RESOLVER]);
	for (int kind = 0; kind < DISCOVER_CONFIGURED; kind++)
		finds_sort(&found[kind]);
	err = discover_join(found, config, ret, why);
	for (int kind = 0; kind < DISCOVER_CONFIGURED; kind++)
		finds_free(&found[kind]);
	return err;
}

const char *discover_text(const struct never_counts *counts, char ret[static DISCOVER_TEXT])
{
	size_t used = (size_t)snprintf(ret, DISCOVER_TEXT, "%zu prefixes", counts->prefixes);

	for (int kind = 0; kind < DISCOVER_KINDS && used < DISCOVER_TEXT; kind++)
		used += (size_t)snprintf(ret + used, DISCOVER_TEXT - used, "%s %s %zu",
					 kind ? "," : ":", kinds[kind], counts->kind[kind]);
	return ret;
}
