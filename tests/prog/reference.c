/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/prog/reference_view.h"

#include <string.h>

static bool is_vlan_type(unsigned int type)
{
	return type == 0x8100 || type == 0x88a8;
}

/* Protocols whose header is an IPv6 extension header (IANA's registry, without ESP). */
static bool is_extension_header(uint8_t protocol)
{
	static const uint8_t all[] = { 0, 43, 44, 51, 60, 135, 139, 140 };

	for (size_t i = 0; i < sizeof(all); i++) {
		if (all[i] == protocol)
			return true;
	}
	return false;
}

/* The transport header begins at offset at. */
static void read_transport(const uint8_t *f, size_t size, size_t at, struct view *v)
{
	v->transport = at;
	switch (v->protocol) {
	case 6:	  /* TCP */
	case 17:  /* UDP */
	case 33:  /* DCCP */
	case 132: /* SCTP */
	case 136: /* UDP-Lite */
		v->has_port = at + 4 <= size;
		if (v->has_port)
			v->port = view_read16(f + at + 2);
		break;
	case 1:	 /* ICMP */
	case 58: /* ICMPv6 */
		v->has_port = at + 2 <= size;
		if (v->has_port)
			v->port = f[at];
		break;
	}
}

void view_read_ipv4(const uint8_t *f, size_t size, struct view *v)
{
	const uint8_t *ip = f + v->ip;
	size_t header;

	if (v->ip + 16 > size) {
		v->early = MOAT_TRUNCATED;
		return;
	}
	if (ip[0] / 16 != 4) {
		v->early = MOAT_BAD_HEADER;
		return;
	}
	v->family = MOAT_IPV4;
	memcpy(v->source, ip + 12, 4);
	v->has_protocol = true;
	v->protocol = ip[9];
	if (v->ip + 20 > size) {
		v->odd = MOAT_TRUNCATED;
		return;
	}
	v->has_destination = true;
	memcpy(v->destination, ip + 16, 4);
	header = (ip[0] % 16) * 4U;
	if (header < 20 || v->ip + header > size) {
		v->odd = MOAT_BAD_HEADER;
		return;
	}
	if (view_read16(ip + 6) % 8192 == 0) /* not a later fragment */
		read_transport(f, size, v->ip + header, v);
}

/* Extension headers from offset at on; the first is of type next. */
static void read_chain(const uint8_t *f, size_t size, size_t at, uint8_t next, struct view *v)
{
	for (int headers = 0; is_extension_header(next); headers++) {
		uint8_t type = next;

		if (headers == 8) {
			v->odd = MOAT_EXT_DEPTH;
			return;
		}
		if (at + 8 > size) {
			v->odd = MOAT_TRUNCATED;
			return;
		}
		next = f[at];
		if (type == 44 && view_read16(f + at + 2) >= 8) { /* a later fragment */
			v->has_protocol = !is_extension_header(next);
			v->protocol = next;
			return;
		}
		if (type == 44)
			at += 8;
		else if (type == 51)
			at += 8 + f[at + 1] * 4U;
		else
			at += 8 + f[at + 1] * 8U;
		if (at > size) {
			v->odd = MOAT_TRUNCATED;
			break;
		}
	}
	v->has_protocol = !is_extension_header(next);
	v->protocol = next;
	if (v->has_protocol)
		read_transport(f, size, at, v);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

void view_read_ipv6(const uint8_t *f, size_t size, struct view *v)
{
	const uint8_t *ip = f + v->ip;

	if (v->ip + 24 > size) {
		v->early = MOAT_TRUNCATED;
		return;
	}
	if (ip[0] / 16 != 6) {
		v->early = MOAT_BAD_HEADER;
		return;
	}
	v->family = MOAT_IPV6;
	memcpy(v->source, ip + 8, 16);
	if (v->ip + 40 > size) {
		v->odd = MOAT_TRUNCATED;
		return;
	}
	v->has_destination = true;
	memcpy(v->destination, ip + 24, 16);
	read_chain(f, size, v->ip + 40, ip[6], v);
}

void view_read_frame(const uint8_t *f, size_t size, struct view *v)
{
	unsigned int type;

	*v = (struct view){ .family = MOAT_OTHER, .early = MOAT_TRUNCATED, .ip = 14 };
	if (size < 14)
		return;
	type = view_read16(f + 12);
	for (int tags = 0; tags < 3 && is_vlan_type(type); tags++) {
		if (v->ip + 4 > size)
			return;
		type = view_read16(f + v->ip + 2);
		v->ip += 4;
	}
	v->early = 0;
	if (type == 0x0800)
		view_read_ipv4(f, size, v);
	else if (type == 0x86dd)
		view_read_ipv6(f, size, v);
	else
		v->early = is_vlan_type(type) ? MOAT_VLAN_DEPTH : MOAT_NOT_IP;

	if (!v->early && v->family == MOAT_IPV4 && is_zero(v->source, 4))
		v->early = MOAT_CONTROL;
	if (!v->early && v->family == MOAT_IPV6 &&
	    (is_zero(v->source, 16) || (v->source[0] == 0xfe && v->source[1] / 64 == 2)))
		v->early = MOAT_CONTROL;
}

bool reference_source(const uint8_t *frame, size_t size, uint8_t *ret_family, uint8_t ret_addr[16])
{
	struct view v;

	view_read_frame(frame, size, &v);
	if (v.early)
		return false;
	*ret_family = v.family;
	memcpy(ret_addr, v.source, 16);
	return true;
}

bool reference_covers(const uint8_t *prefix, unsigned int len, const uint8_t *addr)
{
	unsigned int whole = len / 8, rest = len % 8;

	if (memcmp(prefix, addr, whole) != 0)
		return false;
	return rest == 0 || prefix[whole] >> (8 - rest) == addr[whole] >> (8 - rest);
}

static bool claim_covers(const struct reference_claim *c, const struct view *v)
{
	return c->family == v->family && reference_covers(c->addr, c->len, v->source);
}

static bool claim_is_live(const struct reference_claim *c, uint64_t now)
{
	return c->expires == 0 || now < c->expires;
}

static bool policy_fits(const struct reference_policy *p, const struct view *v)
{
	bool fits = p->protocols == 0 || !v->has_protocol;

	for (unsigned int i = 0; i < p->protocols; i++)
		fits = fits || p->protocol[i] == v->protocol;
	if (!fits || p->ports == 0 || !v->has_protocol || !v->has_port)
		return fits;
	for (unsigned int i = 0; i < p->ports; i++) {
		if (p->port[i] == v->port)
			return true;
	}
	return false;
}

static bool is_stronger(const struct reference_policy *a, const struct reference_policy *b)
{
	static const int strength[] = {
		[MOAT_ACTION_MONITOR] = 1,
		[MOAT_ACTION_TAG] = 2,
		[MOAT_ACTION_LIMIT] = 3,
		[MOAT_ACTION_DROP] = 4,
	};

	if (a->action != b->action)
		return strength[a->action] > strength[b->action];
	return a->rank < b->rank;
}

/* The first claim of the longest prefix that covers the source and has a live claim. */
static struct reference_claim *bucket_of(struct reference *r, uint64_t now, const struct view *v)
{
	struct reference_claim *longest = NULL;

	for (size_t i = 0; i < r->claims; i++) {
		struct reference_claim *c = &r->claim[i];

		if (claim_covers(c, v) && claim_is_live(c, now) &&
		    (!longest || c->len > longest->len))
			longest = c;
	}
	for (size_t i = 0; longest && i < r->claims; i++) {
		if (claim_covers(&r->claim[i], v) && r->claim[i].len == longest->len)
			return &r->claim[i];
	}
	return longest;
}

/* A leaky bucket: it drains one ns a ns, each packet pours its cost in if that fits. */
static enum moat_reason limit(struct reference *r, const struct reference_policy *p, uint64_t now,
			      const struct view *v, size_t size)
{
	struct reference_claim *bucket = bucket_of(r, now, v);
	uint64_t cost = p->bits ? p->period * size : p->period;
	uint64_t drained = now - bucket->level_at;

	bucket->level = bucket->level > drained ? bucket->level - drained : 0;
	bucket->level_at = now;
	if (bucket->level + cost > p->burst)
		return MOAT_LIMIT;
	bucket->level += cost;
	return MOAT_WITHIN_LIMIT;
}

static enum moat_reason apply(struct reference *r, uint8_t category, uint64_t now,
			      const struct view *v, size_t size)
{
	const struct reference_policy *p = &r->policy[category];

	switch (p->action) {
	case MOAT_ACTION_DROP:
		return MOAT_LISTED;
	case MOAT_ACTION_LIMIT:
		return limit(r, p, now, v, size);
	case MOAT_ACTION_TAG:
		return MOAT_TAGGED;
	default:
		return MOAT_MONITORED;
	}
}

/* Whether enough feeds that do not depend on each other list the source in a category. */
static bool feeds_agree(const struct reference *r, uint64_t now, const struct view *v,
			uint8_t category)
{
	bool lists[256] = { false };
	unsigned int feeds = 0;

	for (size_t i = 0; i < r->claims; i++) {
		const struct reference_claim *c = &r->claim[i];

		if (c->category != category || !claim_covers(c, v) || !claim_is_live(c, now))
			continue;
		if (c->trusted)
			return true;
		lists[c->feed] = true;
	}
	for (unsigned int feed = 0; feed < 256; feed++)
		feeds += lists[feed];
	return feeds >= r->policy[category].k_of;
}

/* The category of the first rank that shares the source; 0: none. */
static uint8_t shared_by(const struct reference *r, uint64_t now, const struct view *v)
{
	uint8_t first = 0;

	for (size_t i = 0; i < r->claims; i++) {
		const struct reference_claim *c = &r->claim[i];

		if (r->policy[c->category].shared && claim_covers(c, v) && claim_is_live(c, now) &&
		    (!first || r->policy[c->category].rank < r->policy[first].rank))
			first = c->category;
	}
	return first;
}

/* The reason of a packet with a source, and the category that decided. */
static enum moat_reason judge_source(struct reference *r, uint64_t now, const struct view *v,
				     size_t size, struct reference_outcome *ret)
{
	bool of_family = false, listed = false, live = false, decided = false;
	enum moat_reason reason;

	for (size_t i = 0; i < r->claims; i++) {
		const struct reference_claim *c = &r->claim[i];
		uint8_t category = c->category;

		if (r->policy[category].shared)
			continue;
		of_family = of_family || c->family == v->family;
		if (!claim_covers(c, v))
			continue;
		listed = true;
		if (!claim_is_live(c, now))
			continue;
		live = true;
		if (category == MOAT_CATEGORY_ALLOW) {
			ret->category = MOAT_CATEGORY_ALLOW;
			return MOAT_ALLOWED;
		}
		if (!feeds_agree(r, now, v, category))
			category = r->policy[category].below;
		if (!policy_fits(&r->policy[category], v))
			continue;
		if (!decided || is_stronger(&r->policy[category], &r->policy[ret->category]))
			ret->category = category;
		decided = true;
	}
	/* An allow that stands later in the list than a decision has returned above. */
	if (decided) {
		reason = apply(r, ret->category, now, v, size);
		ret->tags = reason == MOAT_LISTED ? shared_by(r, now, v) : ret->category;
		return reason == MOAT_LISTED && ret->tags ? MOAT_SHARED : reason;
	}
	if (live)
		return MOAT_OUT_OF_SCOPE;
	if (v->odd)
		return v->odd;
	if (listed)
		return MOAT_EXPIRED;
	return of_family ? MOAT_CLEAN : MOAT_EMPTY;
}

static enum moat_verdict verdict_of(enum moat_reason reason)
{
	switch (reason) {
	case MOAT_LISTED:
	case MOAT_LIMIT:
		return MOAT_VERDICT_DROP;
	case MOAT_TAGGED:
	case MOAT_SHARED:
		return MOAT_VERDICT_TAG;
	case MOAT_MONITORED:
		return MOAT_VERDICT_MONITOR;
	default:
		return MOAT_VERDICT_PASS;
	}
}

/* One's complement sum of 16-bit words, the checksum at offset 10 taken as given. */
static uint32_t sum_words(const uint8_t *header, size_t size, uint16_t checksum)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 2 <= size; i += 2)
		sum += i == 10 ? checksum : view_read16(header + i);
	return sum;
}

uint16_t reference_checksum(const uint8_t *header, size_t size)
{
	return (65535 - sum_words(header, size, 0) % 65535) % 65535;
}

/*
 * A right checksum is right afterwards, summed anew. A wrong one stays as
 * wrong as it was: the filter must not repair what the stack would refuse.
 */
static void set_dscp4(uint8_t *ip, size_t room, uint8_t dscp)
{
	size_t size = (ip[0] % 16) * 4U;
	uint16_t was, checksum;
	uint32_t error;

	if (room < 20)
		return;
	if (size < 20 || size > room)
		size = 20;
	was = view_read16(ip + 10);
	error = sum_words(ip, size, was) % 65535;
	ip[1] = dscp * 4U + ip[1] % 4;
	checksum = (reference_checksum(ip, size) + error) % 65535;
	ip[10] = checksum / 256;
	ip[11] = checksum % 256;
}

static void set_dscp6(uint8_t *ip, uint8_t dscp)
{
	unsigned int first = view_read16(ip);
	unsigned int class = first / 16 % 256;

	class = dscp * 4U + class % 4;
	first = first / 4096 * 4096 + class * 16 + first % 16;
	ip[0] = first / 256;
	ip[1] = first % 256;
}

static void tag(const struct reference *r, const struct view *v, uint8_t *frame, size_t size,
		struct reference_outcome *ret)
{
	const struct reference_policy *p = &r->policy[ret->tags];

	if (p->has_dscp && v->family == MOAT_IPV4)
		set_dscp4(frame + v->ip, size - v->ip, p->dscp);
	if (p->has_dscp && v->family == MOAT_IPV6)
		set_dscp6(frame + v->ip, p->dscp);
	if (p->marks && r->no_metadata) {
		ret->reason = MOAT_TAG_FAILED;
		ret->verdict = MOAT_VERDICT_PASS;
		return;
	}
	ret->marked = p->marks;
	ret->mark = p->marks ? p->mark : 0;
}

void reference_judge(struct reference *r, uint64_t now, uint8_t *frame, size_t size,
		     struct reference_outcome *ret)
{
	bool paused = now < r->paused_until || r->paused_until == REFERENCE_FOREVER;
	struct view v;

	view_read_frame(frame, size, &v);
	*ret = (struct reference_outcome){ .family = v.family };
	if (v.early)
		ret->reason = v.early;
	else if (paused)
		ret->reason = MOAT_PAUSED;
	else
		ret->reason = judge_source(r, now, &v, size, ret);
	if (r->replies && (ret->reason == MOAT_LISTED || ret->reason == MOAT_LIMIT) &&
	    reference_is_reply(r, now, frame, size, &v))
		ret->reason = MOAT_REPLY;

	ret->verdict = verdict_of(ret->reason);
	if (ret->reason >= MOAT_POLICY_REASONS && !paused && r->drop_reasons >> ret->reason & 1)
		ret->verdict = MOAT_VERDICT_DROP;
	if (!r->enforce && (ret->verdict == MOAT_VERDICT_DROP || ret->verdict == MOAT_VERDICT_TAG))
		ret->verdict = MOAT_VERDICT_MONITOR;
	if (ret->verdict == MOAT_VERDICT_TAG)
		tag(r, &v, frame, size, ret);
}
