/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/random.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tests/prog/packet.h"

#define SECOND 1000000000ULL /* ns */
#define HOUR   (3600 * SECOND)

/* splitmix64, Steele, Lea, Flood 2014. */
static uint64_t draw(struct random_list *list)
{
	uint64_t z = list->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned int below(struct random_list *list, unsigned int bound)
{
	return (draw(list) >> 32) % bound;
}

static bool percent(struct random_list *list, unsigned int chance)
{
	return below(list, 100) < chance;
}

#define ONE_OF(list, array) (array)[below(list, sizeof(array) / sizeof((array)[0]))]

static const uint8_t protocols[] = {
	PACKET_TCP,	PACKET_TCP,    PACKET_TCP,  PACKET_UDP,	 PACKET_UDP,
	PACKET_ICMP,	PACKET_ICMPV6, PACKET_SCTP, PACKET_DCCP, PACKET_GRE,
	PACKET_UDPLITE, PACKET_ESP,    PACKET_NONE, PACKET_OSPF,
};
static const uint16_t ports[] = { 22, 53, 80, 443, 3389, 8, 128, 0, 255, 65535 };
static const uint16_t client_ports[] = { 0, 40001, 32768, 60999, 32767, 61000, 53 };
static const uint8_t echoes[2][5] = { { 0, 3, 11, 8, 5 }, { 129, 2, 1, 128, 135 } };
static const uint8_t tcp_flags[] = {
	PACKET_SYN,
	PACKET_SYN,
	PACKET_SYN | PACKET_ACK,
	PACKET_ACK,
	PACKET_ACK,
	PACKET_FIN | PACKET_ACK,
	PACKET_RST | PACKET_ACK,
	PACKET_SYN | PACKET_RST,
};

/* ---- lists ---- */

static void random_scope(struct random_list *list, struct reference_policy *p)
{
	if (percent(list, 40))
		return;
	p->protocols = 1 + below(list, 3);
	for (unsigned int i = 0; i < p->protocols; i++)
		p->protocol[i] = ONE_OF(list, protocols);
	if (percent(list, 40))
		return;
	p->ports = 1 + below(list, 4);
	for (unsigned int i = 0; i < p->ports; i++)
		p->port[i] = ONE_OF(list, ports);
}

/*
 * All amounts are whole seconds, bursts half a second more: what drains while
 * a list is in use never decides.
 */
static void random_limit(struct random_list *list, struct reference_policy *p)
{
	p->bits = percent(list, 50);
	p->period = p->bits ? SECOND : HOUR;
	p->burst = p->period * below(list, p->bits ? 4000 : 6) + SECOND / 2;
}

static void random_tag(struct random_list *list, struct reference_policy *p)
{
	p->marks = percent(list, 60);
	p->mark = p->marks ? draw(list) : 0;
	p->has_dscp = percent(list, 60);
	p->dscp = p->has_dscp ? below(list, 64) : 0;
}

/* Addresses that many share: no scope, no action of its own. */
static void random_shared(struct random_list *list, struct reference_policy *p)
{
	*p = (struct reference_policy){ .action = MOAT_ACTION_TAG,
					.rank = p->rank,
					.shared = true };
	random_tag(list, p);
}

/* A category that acts only where feeds agree, and the one that counts below that. */
static void random_quorum(struct random_list *list, unsigned int category, unsigned int number)
{
	struct reference_policy *p = &list->world.policy[category];
	struct reference_policy *counts = &list->world.policy[number];

	if (p->shared || p->action == MOAT_ACTION_MONITOR || p->k_of)
		return;
	p->k_of = 2 + below(list, 2);
	p->below = number;
	*counts = *p;
	counts->action = MOAT_ACTION_MONITOR;
	counts->rank = number;
	counts->marks = counts->has_dscp = false;
	counts->mark = counts->dscp = counts->k_of = counts->below = 0;
}

static void random_sharing(struct random_list *list)
{
	for (unsigned int i = below(list, 3); i; i--)
		random_shared(list, &list->world.policy[1 + below(list, RANDOM_CATEGORIES - 1)]);
	for (unsigned int i = below(list, RANDOM_QUORUMS + 1); i; i--)
		random_quorum(list, 1 + below(list, RANDOM_CATEGORIES - 1),
			      RANDOM_CATEGORIES + i - 1);
}

static void random_policies(struct random_list *list)
{
	struct reference_policy *policy = list->world.policy;

	for (unsigned int c = 1; c < RANDOM_CATEGORIES; c++) {
		struct reference_policy *p = &policy[c];

		p->action = below(list, MOAT_ACTION_MAX);
		p->rank = c;
		random_scope(list, p);
		if (p->action == MOAT_ACTION_LIMIT)
			random_limit(list, p);
		if (p->action == MOAT_ACTION_TAG)
			random_tag(list, p);
	}
	for (unsigned int c = 1; c < RANDOM_CATEGORIES; c++) { /* shuffle the ranks */
		unsigned int other = 1 + below(list, RANDOM_CATEGORIES - 1);
		unsigned int rank = policy[c].rank;

		policy[c].rank = policy[other].rank;
		policy[other].rank = rank;
	}
	random_sharing(list);
}

static unsigned int bits_of(uint8_t family)
{
	return family == MOAT_IPV4 ? 32 : 128;
}

/* Replaces the bits from `from` on. */
static void scramble(struct random_list *list, uint8_t *addr, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++) {
		uint8_t bit = 0x80 >> i % 8;

		addr[i / 8] = percent(list, 50) ? addr[i / 8] | bit : addr[i / 8] & ~bit;
	}
}

static unsigned int random_length(struct random_list *list, uint8_t family)
{
	static const uint8_t usual[2][5] = { { 32, 32, 24, 16, 8 }, { 128, 64, 56, 48, 32 } };

	if (percent(list, 50))
		return ONE_OF(list, usual[family]);
	return below(list, bits_of(family) + 1);
}

static uint64_t random_expiry(struct random_list *list, uint64_t now)
{
	uint64_t seconds = now / SECOND;

	if (percent(list, 55))
		return 0;
	if (percent(list, 50))
		return (seconds + 100 + below(list, 100)) * SECOND;
	return (seconds - 2 - below(list, seconds < 70 ? 1 : 60)) * SECOND;
}

static void random_claim(struct random_list *list, uint8_t family, uint64_t now,
			 struct reference_claim *c)
{
	unsigned int bits = bits_of(family);

	c->family = family;
	c->len = random_length(list, family);
	memcpy(c->addr, ONE_OF(list, list->root[family]), sizeof(c->addr));
	if (percent(list, 30))
		scramble(list, c->addr, below(list, bits), bits);
	for (unsigned int i = c->len; i < 128; i++)
		c->addr[i / 8] &= ~(0x80 >> i % 8);
	c->category = percent(list, 8) ? 0 : 1 + below(list, RANDOM_CATEGORIES - 1);
	c->feed = below(list, RANDOM_FEEDS);
	c->trusted = percent(list, 5);
	c->expires = random_expiry(list, now);
	c->level = 0;
	c->level_at = 0;
}

static void random_switches(struct random_list *list, uint64_t now)
{
	struct reference *w = &list->world;

	w->enforce = percent(list, 85);
	w->replies = percent(list, 60);
	if (percent(list, 30))
		w->drop_reasons = draw(list);
	if (percent(list, 10))
		w->paused_until = now - SECOND;
	else if (percent(list, 4))
		w->paused_until = REFERENCE_FOREVER;
	else if (percent(list, 4))
		w->paused_until = now + 100 * SECOND;
}

void random_list(struct random_list *list, uint64_t seed, uint64_t now)
{
	unsigned int claims;
	int only;

	memset(list, 0, sizeof(*list));
	list->state = seed;
	for (int i = 0; i < RANDOM_ROOTS; i++) {
		scramble(list, list->root[MOAT_IPV4][i], 0, 32);
		scramble(list, list->root[MOAT_IPV6][i], 0, 128);
		list->root[MOAT_IPV6][i][0] = percent(list, 90) ? 0x20 : 0xfe;
	}
	random_policies(list);
	random_switches(list, now);

	claims = percent(list, 4) ? 0 : below(list, RANDOM_CLAIMS + 1);
	only = percent(list, 90) ? -1 : (int)below(list, 2);
	for (unsigned int i = 0; i < claims; i++) {
		uint8_t family = only < 0 ? below(list, 2) : (unsigned int)only;

		random_claim(list, family, now, &list->claim[i]);
	}
	list->world.claim = list->claim;
	list->world.claims = claims;
}

void random_forget_limits(struct random_list *list)
{
	for (unsigned int c = 1; c < RANDOM_CATEGORIES; c++) {
		struct reference_policy *p = &list->world.policy[c];

		if (p->action != MOAT_ACTION_LIMIT)
			continue;
		p->bits = false;
		p->period = percent(list, 50) ? HOUR : 0;
		p->burst = SECOND;
	}
}

static void remove_claim(struct random_list *list, size_t at)
{
	list->world.claims--;
	list->claim[at] = list->claim[list->world.claims];
}

void random_change(struct random_list *list, uint64_t now)
{
	struct reference *w = &list->world;

	for (unsigned int i = 1 + below(list, 4); i; i--) {
		unsigned int at = below(list, RANDOM_CLAIMS);

		if (at >= w->claims && w->claims < RANDOM_CLAIMS)
			random_claim(list, below(list, 2), now, &list->claim[w->claims++]);
		else if (w->claims && percent(list, 50))
			remove_claim(list, at % w->claims);
		else if (w->claims)
			random_claim(list, below(list, 2), now, &list->claim[at % w->claims]);
	}
}

/* ---- packets ---- */

/* Mostly inside a listed prefix, else near it, at a root, anywhere, or of control traffic. */
static void random_source(struct random_list *list, uint8_t *family, uint8_t addr[16])
{
	const struct reference_claim *c;
	unsigned int bits;

	*family = below(list, 2);
	memcpy(addr, ONE_OF(list, list->root[*family]), 16);
	if (percent(list, 4)) {
		memset(addr, 0, 16);
		addr[0] = percent(list, 50) ? 0xfe : 0;
		addr[1] = addr[0] ? 0x80 | below(list, 128) : 0;
		return;
	}
	if (!list->world.claims || percent(list, 15))
		return;
	c = &list->claim[below(list, list->world.claims)];
	*family = c->family;
	bits = bits_of(c->family);
	memcpy(addr, c->addr, 16);
	scramble(list, addr, percent(list, 10) ? 0 : c->len, bits);
	if (c->len && percent(list, 10)) {
		unsigned int flip = below(list, c->len);

		addr[flip / 8] ^= 0x80 >> flip % 8;
	}
}

static void random_tags(struct random_list *list, struct packet *p)
{
	static const uint8_t counts[] = { 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 5 };
	unsigned int count = ONE_OF(list, counts);

	for (unsigned int i = 0; i < count; i++)
		p->tag[i] = percent(list, 50) ? 0x8100 : 0x88a8;
	if (percent(list, 2))
		p->type = percent(list, 50) ? 0x0806 : draw(list);
}

static void random_ext(struct random_list *list, struct packet *p)
{
	static const uint8_t types[] = {
		PACKET_HOPOPTS, PACKET_ROUTING,	 PACKET_FRAGMENT, PACKET_AH,	PACKET_DSTOPTS,
		PACKET_DSTOPTS, PACKET_MOBILITY, PACKET_HIP,	  PACKET_SHIM6, PACKET_FRAGMENT,
	};
	static const uint8_t counts[] = { 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 7, 8, 9, 10 };

	p->exts = ONE_OF(list, counts);
	for (unsigned int i = 0; i < p->exts; i++) {
		p->ext[i] = (struct packet_ext){
			.type = ONE_OF(list, types),
			.units = percent(list, 70) ? 0 : below(list, 5),
			.reserved = percent(list, 80) ? 0 : below(list, 256),
			.more = percent(list, 50),
			.offset = percent(list, 75) ? 0 : below(list, 8192),
			.bare = percent(list, 3),
		};
		if (p->ext[i].bare)
			p->ext[i].units = below(list, 256);
	}
}

static void random_ip4(struct random_list *list, struct packet *p)
{
	if (percent(list, 20))
		p->options = 4 * below(list, 11);
	p->option = ONE_OF(list, ports);
	if (percent(list, 10))
		p->offset = below(list, 8192);
	p->more = percent(list, 10);
	if (percent(list, 4))
		p->ihl = 1 + below(list, 15);
	if (percent(list, 5))
		p->wrong = draw(list);
}

static size_t mutate(struct random_list *list, uint8_t *frame, size_t size)
{
	if (percent(list, 15)) {
		for (unsigned int i = 1 + below(list, 4); i; i--)
			frame[12 + below(list, size < 92 ? size - 12 : 80)] = draw(list);
	}
	if (percent(list, 20))
		size = 14 + below(list, size - 13);
	return size;
}

static const char *const here[2] = { "203.0.113.1", "2001:db8:ffff::1" };

/* What makes a packet an answer, a question, or an error about one. */
static void random_exchange(struct random_list *list, uint8_t family, struct packet *p)
{
	static const uint8_t icmp[2] = { PACKET_ICMP, PACKET_ICMPV6 };
	static const uint8_t quoted[] = { PACKET_TCP, PACKET_UDP };

	p->from = percent(list, 50) ? ONE_OF(list, ports) : ONE_OF(list, client_ports);
	if (percent(list, 50) && (p->protocol == PACKET_TCP || p->protocol == PACKET_UDP))
		p->port = ONE_OF(list, client_ports) ?: 40000;
	p->flags = ONE_OF(list, tcp_flags);
	if (p->protocol != icmp[family] || percent(list, 30))
		return;
	p->port = ONE_OF(list, echoes[family]);
	if (percent(list, 50))
		return;
	list->quoted = (struct packet){
		.source = here[family],
		.destination = list->source,
		.protocol = ONE_OF(list, quoted),
		.port = ONE_OF(list, ports),
		.from = ONE_OF(list, client_ports),
		.options = family == MOAT_IPV4 && percent(list, 20) ? 8 : 0,
	};
	if (percent(list, 20)) {
		list->quoted.protocol = icmp[family];
		list->quoted.port = family == MOAT_IPV4 ? 8 : 128;
	}
	p->quoted = &list->quoted;
}

size_t random_packet(struct random_list *list, uint8_t frame[static RANDOM_FRAME])
{
	struct packet p = { .source = list->source };
	uint8_t family, addr[16];

	random_source(list, &family, addr);
	if (!inet_ntop(family == MOAT_IPV4 ? AF_INET : AF_INET6, addr, list->source,
		       sizeof(list->source)))
		abort();
	random_tags(list, &p);
	if (family == MOAT_IPV4)
		random_ip4(list, &p);
	else
		random_ext(list, &p);
	if (percent(list, 2))
		p.version = 1 + below(list, 15);
	p.field = draw(list);
	p.protocol = percent(list, 95) ? ONE_OF(list, protocols) : below(list, 256);
	p.headless = percent(list, 5);
	p.port = percent(list, 90) ? ONE_OF(list, ports) : below(list, 65536);
	p.payload = percent(list, 95) ? below(list, 40) : below(list, 1400);
	p.fill = ONE_OF(list, ports);
	random_exchange(list, family, &p);
	list->packet = p;
	return mutate(list, frame, packet_build(&p, frame));
}

size_t random_leaving(struct random_list *list, uint8_t frame[static RANDOM_FRAME])
{
	const struct packet *p = &list->packet;
	bool ip6 = strchr(list->source, ':');
	struct packet leaving = p->quoted ? *p->quoted : *p;

	if (!p->quoted) {
		leaving.source = here[ip6];
		leaving.destination = list->source;
		leaving.version = leaving.ihl = 0;
		leaving.exts = percent(list, 80) ? 0 : leaving.exts;
		leaving.offset = percent(list, 80) ? 0 : leaving.offset;
		leaving.port = p->from ?: 40000;
		leaving.from = p->port;
	}
	if (!p->quoted && (p->protocol == PACKET_ICMP || p->protocol == PACKET_ICMPV6)) {
		leaving.port = percent(list, 80) ? (ip6 ? 128 : 8) : p->port;
		leaving.from = p->from;
	}
	leaving.flags = ONE_OF(list, tcp_flags);
	return mutate(list, frame, packet_build(&leaving, frame));
}
