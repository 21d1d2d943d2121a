// SPDX-License-Identifier: BSD-2-Clause
#include "tools/bench/churn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base.h"
#include "tools/bench/probe.h"
#include "tools/bench/sources.h"

#define BATCH	    200U /* changes at once: the sender, who shares the CPU, waits for them */
#define NS_PER_S    1000000000ULL
#define WRONG_SHOWN 10
#define AHEAD	    50 /* part of the rate that is tried beyond it: a late wake-up must not lose any */

/* IPv4 prefixes that come and go: 10.0.0.0/24 and so on, or the first part of it. */
#define PREFIX_NET  0x0A000000U
#define PREFIX_LEN  24U
#define PREFIX_LENS 7U /* 24..30 */
#define PREFIXES    (CHURN_SOURCES / 10)

_Static_assert(CHURN_SOURCES % 10 == 0 && PREFIXES <= 65536, "the prefixes lie in 10.0.0.0/8");

enum kind { KIND_HOST4, KIND_PREFIX4, KIND_SOURCE6 };

struct slot {
	struct moat_key6 key; /* IPv4 in addr[0] */
	uint32_t batch;	      /* that touched it last, from 1; 0: none */
	bool listed;
};

/* Sorted, to look addresses up: host order. */
struct host {
	uint32_t addr;
	uint32_t slot; /* that it belongs to; SLOT_BASE: it is always listed */
};
#define SLOT_BASE UINT32_MAX

struct changes {
	struct moat_key4 key4[BATCH];
	struct moat_key6 key6[BATCH];
	uint32_t count[2]; /* by family */
};

struct churn {
	struct filter *filter;
	uint32_t base;
	struct host *hosts; /* owned; base + CHURN_SOURCES of room */
	size_t host_count;
	uint64_t state; /* of the random numbers */
	uint32_t batch;
	struct slot slot[CHURN_SOURCES];
	struct changes put, delete;
};

static enum kind kind_of(uint32_t slot)
{
	switch (slot % 10) {
	case 0:
		return KIND_PREFIX4;
	case 1:
	case 2:
		return KIND_SOURCE6;
	}
	return KIND_HOST4;
}

static uint8_t family_of(uint32_t slot)
{
	return kind_of(slot) == KIND_SOURCE6 ? MOAT_IPV6 : MOAT_IPV4;
}

static struct moat_key6 make_key(const struct churn *c, uint32_t slot)
{
	uint32_t n = slot / 10;

	if (kind_of(slot) == KIND_PREFIX4)
		return (struct moat_key6){ PREFIX_LEN + n % PREFIX_LENS,
					   { htonl(PREFIX_NET + (n << 8)) } };
	return family_of(slot) == MOAT_IPV6 ? sources_key(MOAT_IPV6, slot)
					    : sources_key(MOAT_IPV4, c->base + slot);
}

static int by_addr(const void *a, const void *b)
{
	const struct host *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static uint32_t addr4(const struct moat_key6 *key)
{
	return ntohl(key->addr[0]);
}

/* IPv4 lengths of what is listed and what comes: 32 and those of the prefixes, longest first. */
static const struct moat_lengths *lengths4(void)
{
	static struct moat_lengths ret;

	ret = *sources_lengths(MOAT_IPV4);
	for (uint32_t len = PREFIX_LEN + PREFIX_LENS - 1; len >= PREFIX_LEN; len--)
		ret.at[ret.count++] = (struct moat_length){ len, { htonl(~(UINT32_MAX >> len)) } };
	return &ret;
}

int churn_open(struct filter *f, uint32_t base, struct churn **ret)
{
	struct churn *c = calloc(1, sizeof(*c));
	int r;

	if (c)
		c->hosts = calloc((size_t)base + CHURN_SOURCES, sizeof(*c->hosts));
	if (!c || !c->hosts) {
		churn_free(c);
		return -ENOMEM;
	}
	c->filter = f;
	c->base = base;
	c->state = 0xC4A26E;
	for (uint32_t i = 0; i < base; i++) {
		struct moat_key6 key = sources_key(MOAT_IPV4, i);

		c->hosts[c->host_count++] = (struct host){ addr4(&key), SLOT_BASE };
	}
	for (uint32_t i = 0; i < CHURN_SOURCES; i++) {
		c->slot[i].key = make_key(c, i);
		if (kind_of(i) == KIND_HOST4)
			c->hosts[c->host_count++] = (struct host){ addr4(&c->slot[i].key), i };
	}
	qsort(c->hosts, c->host_count, sizeof(*c->hosts), by_addr);
	r = filter_set_lengths(f, MOAT_IPV4, lengths4());
	r = r ?: filter_set_lengths(f, MOAT_IPV6, sources_lengths(MOAT_IPV6));
	if (r) {
		churn_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct churn *churn_free(struct churn *c)
{
	if (c)
		free(c->hosts);
	free(c);
	return NULL;
}

/* ---- changes ---- */

static void add(struct changes *to, uint8_t family, const struct moat_key6 *key)
{
	uint32_t at = to->count[family]++;

	if (family == MOAT_IPV4)
		to->key4[at] = (struct moat_key4){ key->len, key->addr[0] };
	else
		to->key6[at] = *key;
}

/* What comes is written before what goes. */
static int apply(struct churn *c)
{
	int r = 0;

	r = filter_put(c->filter, MOAT_IPV4, c->put.key4, c->put.count[MOAT_IPV4]);
	r = r ?: filter_put(c->filter, MOAT_IPV6, c->put.key6, c->put.count[MOAT_IPV6]);
	r = r ?: filter_delete(c->filter, MOAT_IPV4, c->delete.key4, c->delete.count[MOAT_IPV4]);
	return r ?: filter_delete(c->filter, MOAT_IPV6, c->delete.key6, c->delete.count[MOAT_IPV6]);
}

/* Every source once at most in a batch, so that their order does not matter. */
static int change_batch(struct churn *c)
{
	memset(c->put.count, 0, sizeof(c->put.count));
	memset(c->delete.count, 0, sizeof(c->delete.count));
	c->batch++;
	for (uint32_t i = 0; i < BATCH;) {
		uint32_t at = sources_random(&c->state) % CHURN_SOURCES;
		struct slot *slot = &c->slot[at];

		if (slot->batch == c->batch)
			continue;
		slot->batch = c->batch;
		slot->listed = !slot->listed;
		add(slot->listed ? &c->put : &c->delete, family_of(at), &slot->key);
		i++;
	}
	return apply(c);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void wait_until(uint64_t ns)
{
	struct timespec at = { .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

int churn_run(struct churn *c, uint32_t per_second, uint32_t seconds, double *ret_rate)
{
	uint64_t begin = now_ns(), end = begin + seconds * NS_PER_S;
	uint64_t changes = 0;
	int r = 0;

	while (!r && now_ns() < end) {
		r = change_batch(c);
		changes += BATCH;
		wait_until(begin + changes * NS_PER_S / (per_second + per_second / AHEAD));
	}
	*ret_rate = (double)changes * NS_PER_S / (now_ns() - begin);
	return r;
}

/* ---- verdicts ---- */

static bool host_listed(const struct churn *c, uint32_t addr)
{
	struct host wanted = { .addr = addr };
	const struct host *host =
		bsearch(&wanted, c->hosts, c->host_count, sizeof(*c->hosts), by_addr);

	return host && (host->slot == SLOT_BASE || c->slot[host->slot].listed);
}

static bool prefix_listed(const struct churn *c, uint32_t addr)
{
	uint32_t n = (addr - PREFIX_NET) >> 8;
	const struct slot *slot;

	if (addr < PREFIX_NET || n >= PREFIXES)
		return false;
	slot = &c->slot[n * 10];
	return slot->listed && !((addr ^ addr4(&slot->key)) & ~(UINT32_MAX >> slot->key.len));
}

static void ask(const struct churn *c, uint8_t family, const uint32_t *address, bool wanted,
		struct churn_verdicts *ret)
{
	bool got = probe_drops(c->filter->program, family == MOAT_IPV4 ? 4 : 6,
			       (const uint8_t *)address);
	char text[INET6_ADDRSTRLEN];

	ret->asked++;
	if (got == wanted || ret->wrong++ >= WRONG_SHOWN)
		return;
	inet_ntop(family == MOAT_IPV4 ? AF_INET : AF_INET6, address, text, sizeof(text));
	fprintf(stderr, "churn: %s: %s, but it is %slisted\n", text, got ? "dropped" : "passed",
		wanted ? "" : "not ");
}

static void ask4(const struct churn *c, uint32_t addr, struct churn_verdicts *ret)
{
	uint32_t address = htonl(addr);

	ask(c, MOAT_IPV4, &address, host_listed(c, addr) || prefix_listed(c, addr), ret);
}

/* First and last address of an IPv6 source; no other shares its /32. */
static void ask6(const struct churn *c, const struct slot *slot, struct churn_verdicts *ret)
{
	uint32_t last[4];

	for (uint32_t i = 0; i < 4; i++) {
		uint32_t bits = slot->key.len > i * 32 ? slot->key.len - i * 32 : 0;

		last[i] = slot->key.addr[i] | (bits >= 32 ? 0 : htonl(UINT32_MAX >> bits));
	}
	ask(c, MOAT_IPV6, slot->key.addr, slot->listed, ret);
	ask(c, MOAT_IPV6, last, slot->listed, ret);
}

int churn_check(const struct churn *c, struct churn_verdicts *ret)
{
	*ret = (struct churn_verdicts){};
	for (uint32_t i = 0; i < CHURN_SOURCES; i++) {
		const struct slot *slot = &c->slot[i];
		uint32_t first = addr4(&slot->key);

		if (!slot->batch)
			continue;
		if (kind_of(i) == KIND_SOURCE6) {
			ask6(c, slot, ret);
			continue;
		}
		ask4(c, first, ret);
		if (kind_of(i) == KIND_HOST4)
			continue;
		ask4(c, first - 1, ret);
		ask4(c, first + (UINT32_MAX >> slot->key.len), ret);
		ask4(c, first + (UINT32_MAX >> slot->key.len) + 1, ret);
	}
	for (uint32_t i = 0; i < c->base; i++) {
		struct moat_key6 key = sources_key(MOAT_IPV4, i);

		ask4(c, addr4(&key), ret);
	}
	return ret->wrong ? -EBADMSG : 0;
}
