// SPDX-License-Identifier: BSD-2-Clause
#include "core/feed_target.h"

#include <strings.h>

#include "core/feed_private.h"

#define TOKEN_MAX 128 /* two IPv6 addresses with zones and a dash are shorter */

/* A short prefix with host bits set is a cut one; shorter than these nothing is masked. */
#define MASKED_MIN_V4 8
#define MASKED_MIN_V6 19

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

bool feed_number(const char *text, size_t size, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!size)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!is_digit(text[i]) || value > (max - (text[i] - '0')) / 10)
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*ret = value;
	return true;
}

/* Bytes up to a separator, quote, comment or the end. */
static size_t token_size(const char *text, const char *end)
{
	static const bool ends[256] = { [' '] = true,  ['\t'] = true, ['\v'] = true, ['\f'] = true,
					[','] = true,  [';'] = true,  ['#'] = true,  ['"'] = true,
					['\''] = true, ['\n'] = true, ['\r'] = true };
	const char *p;

	for (p = text; p < end && !ends[(unsigned char)*p]; p++) {
		/* "//" begins a comment, but not in "http://". */
		if (*p == '/' && end - p > 1 && p[1] == '/' && (p == text || p[-1] != ':'))
			break;
	}
	return p - text;
}

/* prefix_parse() for text that does not end in NUL. */
static int parse(const char *text, size_t size, struct prefix *ret)
{
	char copy[TOKEN_MAX];

	if (!size || size >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	return prefix_parse(copy, ret);
}

static bool parse_address(const char *text, size_t size, struct prefix *ret)
{
	return !memchr(text, '/', size) && parse(text, size, ret) == 0;
}

/* Names and other things that are understood, but no source. */
static enum feed_skip classify(const char *text, size_t size)
{
	const char *dot = memrchr(text, '.', size);
	uint64_t number;

	if (memmem(text, size, "://", 3) || memchr(text, '@', size))
		return FEED_SKIP_SCOPE;
	if (size > 2 && !strncasecmp(text, "AS", 2) &&
	    feed_number(text + 2, size - 2, UINT32_MAX, &number))
		return FEED_SKIP_SCOPE;
	/* No top-level domain begins with a digit, but what inet_aton() takes does. */
	if (!dot || dot + 1 == text + size || !is_letter(dot[1]))
		return FEED_SKIP_SYNTAX;
	for (size_t i = 0; i < size; i++) {
		if (!is_letter(text[i]) && !is_digit(text[i]) && !strchr(".-_*", text[i]))
			return FEED_SKIP_SYNTAX;
	}
	return FEED_SKIP_SCOPE;
}

/* Length of a netmask, -1: its ones are not together. */
static int mask_length(const struct prefix *mask)
{
	uint32_t m = (uint32_t)mask->addr[0] << 24 | mask->addr[1] << 16 | mask->addr[2] << 8 |
		     mask->addr[3];
	uint32_t hosts = ~m;

	return hosts & (hosts + 1) ? -1 : __builtin_popcount(m);
}

static bool apply_mask(struct feed_target *t, const struct prefix *mask, enum feed_skip *ret_skip)
{
	int len = mask_length(mask);
	struct prefix masked = t->first;

	if (len <= 0) {
		*ret_skip = FEED_SKIP_LENGTH;
		return false;
	}
	masked.len = len;
	prefix_mask(&masked);
	t->host_bits = memcmp(masked.addr, t->first.addr, sizeof(masked.addr)) != 0;
	t->first = masked;
	t->bare = false;
	return true;
}

bool feed_target_mask(struct feed_target *t, const char *column, const char *end,
		      enum feed_skip *ret_skip)
{
	struct prefix other;

	if (column < end && (*column == '"' || *column == '\''))
		column++;
	if (!parse_address(column, token_size(column, end), &other))
		return true;
	if (t->first.family == MOAT_IPV4 && other.family == MOAT_IPV4 &&
	    (other.addr[0] == 0xff || other.addr[0] == 0))
		return apply_mask(t, &other, ret_skip);
	*ret_skip = FEED_SKIP_SYNTAX;
	return false;
}

static bool read_range(const char *text, size_t size, const char *dash, struct feed_target *ret)
{
	ret->range = true;
	return parse_address(text, dash - text, &ret->first) &&
	       parse_address(dash + 1, size - (dash + 1 - text), &ret->last);
}

/* "fe80::1%eth0", "fe80::1%eth0/64": the zone means nothing elsewhere. */
static int parse_zoned(const char *text, size_t size, const char *zone, struct prefix *ret)
{
	const char *slash = memchr(zone, '/', size - (zone - text));
	char copy[TOKEN_MAX];
	size_t head = zone - text;
	size_t tail = slash ? size - (slash - text) : 0;

	if (head + tail >= sizeof(copy) || !memchr(text, ':', head))
		return -EINVAL;
	memcpy(copy, text, head);
	if (tail)
		memcpy(copy + head, slash, tail);
	return parse(copy, head + tail, ret);
}

/* What prefix_parse() did not take: text up to stop is an address in front of something. */
static bool read_odd(const char *text, size_t size, struct feed_target *ret,
		     enum feed_skip *ret_skip)
{
	const char *stop = memchr(text, '-', size);
	struct prefix mask;

	*ret_skip = FEED_SKIP_SYNTAX;
	if (stop && parse_address(text, stop - text, &ret->first))
		return read_range(text, size, stop, ret);
	stop = memchr(text, '/', size);
	if (stop && parse_address(text, stop - text, &ret->first)) {
		stop++;
		return parse_address(stop, size - (stop - text), &mask) &&
		       ret->first.family == MOAT_IPV4 && mask.family == MOAT_IPV4 &&
		       apply_mask(ret, &mask, ret_skip);
	}
	stop = memchr(text, '|', size);
	if (!stop)
		stop = memchr(text, ':', size);
	if (stop && parse_address(text, stop - text, &ret->first)) {
		if ((size_t)(stop + 1 - text) < size && is_digit(stop[1]))
			*ret_skip = FEED_SKIP_PORT;
		return false;
	}
	*ret_skip = classify(text, size);
	return false;
}

/* "[2001:db8::1]", and with a port. Moves *at behind it. */
static bool read_bracketed(const char **at, const char *end, struct feed_target *ret,
			   enum feed_skip *ret_skip)
{
	const char *text = *at + 1;
	size_t size = token_size(text, end);
	const char *close = memchr(text, ']', size);

	*at = text + size;
	*ret_skip = FEED_SKIP_SYNTAX;
	if (!close || !parse_address(text, close - text, &ret->first))
		return false;
	if (close + 1 == *at)
		return true;
	if (close[1] == ':')
		*ret_skip = FEED_SKIP_PORT;
	return false;
}

/* " - 192.0.2.9" behind an address. False: a second end is there and is none. */
static bool read_second_end(const char **at, const char *end, struct feed_target *t,
			    enum feed_skip *ret_skip)
{
	const char *p = feed_skip_blanks(*at, end);
	size_t size;

	if (p == end || *p != '-')
		return true;
	p = feed_skip_blanks(p + 1, end);
	size = token_size(p, end);
	if (parse_address(p, size, &t->last)) {
		t->range = true;
		t->bare = false;
		*at = p + size;
		return true;
	}
	/* "192.0.2.1 - a remark" is one address, "192.0.2.1 - 192.0.2" half a range. */
	*ret_skip = FEED_SKIP_SYNTAX;
	return size && !is_digit(*p) && !memchr(p, ':', size);
}

static bool read_plain(const char **at, const char *end, struct feed_target *ret,
		       enum feed_skip *ret_skip)
{
	const char *text = *at;
	size_t size = token_size(text, end);
	const char *zone;
	int err;

	if (size > 1 && text[size - 1] == '-') /* "192.0.2.1- 192.0.2.9" */
		size--;
	*at = text + size;
	err = parse(text, size, &ret->first);
	zone = err == -EINVAL && size < TOKEN_MAX ? memchr(text, '%', size) : NULL;
	if (zone)
		err = parse_zoned(text, size, zone, &ret->first);
	if (err == -ERANGE) {
		*ret_skip = FEED_SKIP_LENGTH;
		return false;
	}
	if (err == -EINVAL)
		return read_odd(text, size, ret, ret_skip);
	ret->host_bits = err == -EDOM;
	if (!memchr(text, '/', size)) {
		ret->bare = true;
		return read_second_end(at, end, ret, ret_skip);
	}
	return true;
}

bool feed_target_read(const char **at, const char *end, struct feed_target *ret,
		      enum feed_skip *ret_skip)
{
	char quote = **at == '"' || **at == '\'' ? **at : '\0';
	bool good;

	*ret = (struct feed_target){};
	if (quote)
		*at = feed_skip_blanks(*at + 1, end);
	if (*at < end && **at == '[')
		good = read_bracketed(at, end, ret, ret_skip);
	else
		good = read_plain(at, end, ret, ret_skip);
	if (quote && *at < end && **at == quote)
		(*at)++;
	return good;
}

bool feed_target_field(const char *field, size_t size, struct feed_target *ret,
		       enum feed_skip *ret_skip)
{
	const char *end = field + size;
	const char *at = feed_skip_blanks(field, end);

	*ret_skip = FEED_SKIP_SYNTAX;
	if (memchr(field, '\0', size)) /* prefix_parse() would not see what is behind it */
		return false;
	if (at == end || !feed_target_read(&at, end, ret, ret_skip))
		return false;
	*ret_skip = FEED_SKIP_SYNTAX;
	return feed_skip_blanks(at, end) == end;
}

bool feed_target_refused(const struct feed_parser *p, const struct feed_target *t)
{
	unsigned int floor = t->first.family == MOAT_IPV4 ? MASKED_MIN_V4 : MASKED_MIN_V6;

	return t->host_bits && (p->options.refuse_host_bits || t->first.len < floor);
}

int feed_target_emit(struct feed_parser *p, struct feed_row *row, const struct feed_target *t)
{
	if (t->range)
		return feed_emit_range(p, row, &t->first, &t->last);
	if (feed_target_refused(p, t)) {
		feed_skip(p, FEED_SKIP_HOST_BITS, row->line);
		return 0;
	}
	row->source = t->first;
	row->masked = t->host_bits;
	return feed_emit(p, row);
}

uint64_t feed_target_addresses(const struct feed_target *t)
{
	uint64_t first = 0, last = 0;

	if (t->first.family != MOAT_IPV4)
		return 0;
	if (!t->range)
		return 1ULL << (32 - t->first.len);
	for (int i = 0; i < 4; i++) {
		first = first << 8 | t->first.addr[i];
		last = last << 8 | t->last.addr[i];
	}
	return last < first ? 0 : last - first + 1;
}
