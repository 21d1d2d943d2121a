/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 and IPv6 prefixes: a host is a /32 or /128.
 *
 * Pure values, network order, no ownership. The parser is moat's own and
 * strict: what inet_aton() would take for octal, hex or a short form is an
 * error here, because a blocklist that is misread blocks the wrong people.
 */
#ifndef CORE_PREFIX_H
#define CORE_PREFIX_H

#include "core/base.h"
#include "moat/reason.h"
#include "moat/source.h"

struct prefix {
	uint8_t family;	  /* MOAT_IPV4 or MOAT_IPV6 */
	uint8_t len;	  /* 0..32, 0..128 */
	uint8_t addr[16]; /* network order; IPv4 in the first 4 bytes, the rest 0 */
};

#define PREFIX_TEXT_MAX 50 /* longest text with NUL */

/*
 * Reads "192.0.2.0/24", "192.0.2.1", "2001:db8::/32", "2001:db8::1" (any
 * RFC 4291 spelling, no zone). IPv4-mapped IPv6 becomes IPv4 (::ffff:0:0/96
 * and longer). Returns 0, or
 *   -EINVAL  not an address or prefix
 *   -ERANGE  prefix length out of range
 *   -EDOM    bits behind the prefix length are set; *ret is the masked prefix
 */
int prefix_parse(const char *text, struct prefix *ret);

/* Canonical text (RFC 5952 for IPv6); a host without its length. Returns buf. */
const char *prefix_format(const struct prefix *p, char buf[static PREFIX_TEXT_MAX]);

/* The same, always with "/len". */
const char *prefix_format_cidr(const struct prefix *p, char buf[static PREFIX_TEXT_MAX]);

static inline unsigned int prefix_max(uint8_t family)
{
	return family == MOAT_IPV4 ? 32 : 128;
}

static inline bool prefix_is_host(const struct prefix *p)
{
	return p->len == prefix_max(p->family);
}

/* Whether every address of b is in a (equal prefixes included). */
bool prefix_covers(const struct prefix *a, const struct prefix *b);

/* Total order: family, address, length; a covering prefix before what it covers. */
int prefix_compare(const struct prefix *a, const struct prefix *b);

/* Clears the bits behind p->len. */
void prefix_mask(struct prefix *p);

/* The prefix of length len (at most p->len) that covers p. */
struct prefix prefix_shorten(const struct prefix *p, uint8_t len);

/* Keys of the kernel's maps. */
struct moat_key4 prefix_key4(const struct prefix *p);
struct moat_key6 prefix_key6(const struct prefix *p);
struct prefix prefix_from_key4(const struct moat_key4 *key);
struct prefix prefix_from_key6(const struct moat_key6 *key);

/* The mask of a length as struct moat_length carries it. */
struct moat_length prefix_length_mask(uint8_t family, uint8_t len);

#endif
