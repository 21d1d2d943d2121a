// SPDX-License-Identifier: BSD-2-Clause
#include "core/prefix.h"

/* ::ffff:0:0/96, RFC 4291 2.5.5.2 */
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four decimal octets. Returns what follows them, or NULL. */
static const char *parse_octets(const char *p, uint8_t ret[static 4])
{
	for (int i = 0; i < 4; i++) {
		unsigned int value;

		if (i && *p++ != '.')
			return NULL;
		if (!is_digit(*p) || (*p == '0' && is_digit(p[1])))
			return NULL;
		for (value = 0; is_digit(*p); p++) {
			value = value * 10 + (*p - '0');
			if (value > 255)
				return NULL;
		}
		ret[i] = value;
	}
	return p;
}

/* One to four hexadecimal digits. Returns what follows them, or NULL. */
static const char *parse_group(const char *p, uint8_t ret[static 2])
{
	unsigned int value = 0;
	int digits;

	for (digits = 0; digits < 4 && hex_value(*p) >= 0; digits++)
		value = value << 4 | hex_value(*p++);
	if (!digits)
		return NULL;
	ret[0] = value >> 8;
	ret[1] = value & 0xff;
	return p;
}

/* Moves what is behind "::" (at byte gap) to the end. A "::" that stands for nothing is wrong. */
static bool close_gap(uint8_t addr[static 16], int gap, int end)
{
	if (gap < 0)
		return end == 16;
	if (end == 16)
		return false;
	memmove(addr + 16 - (end - gap), addr + gap, end - gap);
	memset(addr + gap, 0, 16 - end);
	return true;
}

/* The text forms of RFC 4291 2.2. Returns what follows the address, or NULL. */
static const char *parse_groups(const char *p, uint8_t addr[static 16])
{
	int gap = -1;
	int at = 0;

	if (p[0] == ':') {
		if (p[1] != ':')
			return NULL;
		gap = 0;
		p += 2;
	}
	while (gap != at || hex_value(*p) >= 0) { /* "::" may end the address */
		const char *start = p;

		if (at == 16)
			return NULL;
		p = parse_group(p, addr + at);
		if (!p)
			return NULL;
		if (*p == '.') {
			p = at <= 12 ? parse_octets(start, addr + at) : NULL;
			if (!p)
				return NULL;
			at += 4;
			break;
		}
		at += 2;
		if (*p != ':')
			break;
		p++;
		if (*p == ':') {
			if (gap >= 0)
				return NULL;
			gap = at;
			p++;
		}
	}
	return close_gap(addr, gap, at) ? p : NULL;
}

/* The length behind the slash; it ends the text. */
static int parse_length(const char *p, unsigned int max, unsigned int *ret)
{
	unsigned int value = 0;

	if (!is_digit(*p) || (*p == '0' && p[1]))
		return -EINVAL;
	for (; is_digit(*p); p++) {
		if (value <= max)
			value = value * 10 + (*p - '0');
	}
	if (*p)
		return -EINVAL;
	if (value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

static bool looks_like_ipv4(const char *p)
{
	while (is_digit(*p))
		p++;
	return *p == '.';
}

static void unmap(struct prefix *p)
{
	if (p->family != MOAT_IPV6 || p->len < 96 || memcmp(p->addr, mapped, sizeof(mapped)))
		return;
	p->family = MOAT_IPV4;
	p->len -= 96;
	memcpy(p->addr, p->addr + 12, 4);
	memset(p->addr + 4, 0, 12);
}

int prefix_parse(const char *text, struct prefix *ret)
{
	struct prefix p = { .family = looks_like_ipv4(text) ? MOAT_IPV4 : MOAT_IPV6 };
	unsigned int len = prefix_max(p.family);
	struct prefix masked;
	const char *end;
	int err;

	end = p.family == MOAT_IPV4 ? parse_octets(text, p.addr) : parse_groups(text, p.addr);
	if (!end)
		return -EINVAL;
	if (*end == '/') {
		err = parse_length(end + 1, len, &len);
		if (err)
			return err;
	} else if (*end) {
		return -EINVAL;
	}
	p.len = len;

	masked = p;
	prefix_mask(&masked);
	err = memcmp(masked.addr, p.addr, sizeof(p.addr)) ? -EDOM : 0;
	unmap(&masked);
	*ret = masked;
	return err;
}

static char *put_decimal(char *out, unsigned int value)
{
	if (value >= 100)
		*out++ = '0' + value / 100;
	if (value >= 10)
		*out++ = '0' + value / 10 % 10;
	*out++ = '0' + value % 10;
	return out;
}

static char *put_octets(char *out, const uint8_t *addr)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*out++ = '.';
		out = put_decimal(out, addr[i]);
	}
	return out;
}

static char *put_group(char *out, unsigned int value)
{
	static const char digit[] = "0123456789abcdef";
	bool started = false;

	for (int shift = 12; shift >= 0; shift -= 4) {
		unsigned int nibble = value >> shift & 0xf;

		started |= nibble || !shift;
		if (started)
			*out++ = digit[nibble];
	}
	return out;
}

/* The longest run of zero groups, the first of equals, at least two (RFC 5952 4.2). */
static void zero_run(const uint16_t group[static 8], int *ret_start, int *ret_length)
{
	*ret_start = -1;
	*ret_length = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && !group[i + n])
			n++;
		if (n > *ret_length) {
			*ret_start = i;
			*ret_length = n;
		}
		i += n;
	}
}

static char *put_groups(char *out, const uint8_t *addr)
{
	uint16_t group[8];
	int start, length;

	for (int i = 0; i < 8; i++)
		group[i] = addr[2 * i] << 8 | addr[2 * i + 1];
	zero_run(group, &start, &length);
	for (int i = 0; i < 8;) {
		if (i == start) {
			*out++ = ':';
			*out++ = ':';
			i += length;
			continue;
		}
		if (i && i != start + length)
			*out++ = ':';
		out = put_group(out, group[i++]);
	}
	return out;
}

static char *put_address(char *out, const struct prefix *p)
{
	return p->family == MOAT_IPV4 ? put_octets(out, p->addr) : put_groups(out, p->addr);
}

const char *prefix_format_cidr(const struct prefix *p, char buf[static PREFIX_TEXT_MAX])
{
	char *out = put_address(buf, p);

	*out++ = '/';
	out = put_decimal(out, p->len);
	*out = '\0';
	return buf;
}

const char *prefix_format(const struct prefix *p, char buf[static PREFIX_TEXT_MAX])
{
	if (!prefix_is_host(p))
		return prefix_format_cidr(p, buf);
	*put_address(buf, p) = '\0';
	return buf;
}

bool prefix_covers(const struct prefix *a, const struct prefix *b)
{
	unsigned int bytes = a->len / 8;
	unsigned int bits = a->len % 8;

	if (a->family != b->family || a->len > b->len || memcmp(a->addr, b->addr, bytes))
		return false;
	return !bits || !((a->addr[bytes] ^ b->addr[bytes]) >> (8 - bits));
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	order = memcmp(a->addr, b->addr, sizeof(a->addr));
	return order ? order : (int)a->len - (int)b->len;
}

void prefix_mask(struct prefix *p)
{
	unsigned int bytes = p->len / 8;

	if (bytes >= sizeof(p->addr))
		return;
	p->addr[bytes] &= 0xff00 >> p->len % 8;
	memset(p->addr + bytes + 1, 0, sizeof(p->addr) - bytes - 1);
}

struct prefix prefix_shorten(const struct prefix *p, uint8_t len)
{
	struct prefix shorter = *p;

	if (len < shorter.len)
		shorter.len = len;
	prefix_mask(&shorter);
	return shorter;
}

struct moat_key4 prefix_key4(const struct prefix *p)
{
	struct moat_key4 key = { .len = p->len };

	memcpy(&key.addr, p->addr, sizeof(key.addr));
	return key;
}

struct moat_key6 prefix_key6(const struct prefix *p)
{
	struct moat_key6 key = { .len = p->len };

	memcpy(key.addr, p->addr, sizeof(key.addr));
	return key;
}

struct prefix prefix_from_key4(const struct moat_key4 *key)
{
	struct prefix p = { .family = MOAT_IPV4, .len = key->len };

	memcpy(p.addr, &key->addr, sizeof(key->addr));
	return p;
}

struct prefix prefix_from_key6(const struct moat_key6 *key)
{
	struct prefix p = { .family = MOAT_IPV6, .len = key->len };

	memcpy(p.addr, key->addr, sizeof(key->addr));
	return p;
}

struct moat_length prefix_length_mask(uint8_t family, uint8_t len)
{
	struct prefix ones = { .family = family, .len = len };
	struct moat_length length = { .len = len };

	memset(ones.addr, 0xff, family == MOAT_IPV4 ? 4 : 16);
	prefix_mask(&ones);
	memcpy(length.mask, ones.addr, sizeof(length.mask));
	return length;
}
