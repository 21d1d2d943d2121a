// SPDX-License-Identifier: BSD-2-Clause
#include "core/feed_pattern.h"

/* What can only be an address; the value decides its family. */
static const char *const paths[] = {
	"ipv4-addr:value",
	"ipv6-addr:value",
	"network-traffic:src_ref.value",
	"network-traffic:dst_ref.value",
};

struct pattern {
	const char *at, *end;
	unsigned int depth;
	feed_pattern_fn fn; /* NULL: only look whether it counts */
	void *arg;
	int stopped;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == ':' || c == '.';
}

static void blanks(struct pattern *p)
{
	while (p->at < p->end && is_blank(*p->at))
		p->at++;
}

static bool sign(struct pattern *p, char c)
{
	blanks(p);
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

/* A keyword or path that ends here. */
static bool word(struct pattern *p, const char *text)
{
	size_t size = strlen(text);

	blanks(p);
	if ((size_t)(p->end - p->at) < size || memcmp(p->at, text, size))
		return false;
	if (p->at + size < p->end && is_name(p->at[size]))
		return false;
	p->at += size;
	return true;
}

/* 'text', with \' and \\ in it. */
static bool value(struct pattern *p)
{
	char text[FEED_PATTERN_VALUE_MAX];
	size_t size = 0;

	if (!sign(p, '\''))
		return false;
	for (; p->at < p->end && *p->at != '\''; p->at++) {
		if (*p->at == '\\' && ++p->at == p->end)
			return false;
		if (size < sizeof(text))
			text[size] = *p->at;
		size++;
	}
	if (p->at == p->end)
		return false;
	p->at++;
	if (p->fn && !p->stopped)
		p->stopped = p->fn(p->arg, text, size > sizeof(text) ? 0 : size);
	return true;
}

static bool values(struct pattern *p)
{
	if (!sign(p, '('))
		return false;
	do {
		if (!value(p))
			return false;
	} while (sign(p, ','));
	return sign(p, ')');
}

static bool comparison(struct pattern *p)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(paths) && !word(p, paths[i]))
		i++;
	if (i == ARRAY_SIZE(paths))
		return false;
	if (word(p, "IN"))
		return values(p);
	if (word(p, "ISSUBSET"))
		return value(p);
	if (!sign(p, '='))
		return false;
	sign(p, '='); /* "==" is the same */
	return value(p);
}

/* Terms with OR between them; a term is in parentheses, or what one() reads. */
static bool alternatives(struct pattern *p, bool (*one)(struct pattern *))
{
	do {
		if (!sign(p, '(')) {
			if (!one(p))
				return false;
			continue;
		}
		if (++p->depth > FEED_PATTERN_DEPTH_MAX || !alternatives(p, one) || !sign(p, ')'))
			return false;
		p->depth--;
	} while (word(p, "OR"));
	return true;
}

static bool observation(struct pattern *p)
{
	return sign(p, '[') && alternatives(p, comparison) && sign(p, ']');
}

static bool whole(struct pattern *p)
{
	if (!alternatives(p, observation))
		return false;
	blanks(p);
	return p->at == p->end;
}

int feed_pattern_read(const char *text, size_t size, feed_pattern_fn fn, void *arg,
		      enum feed_skip *ret_skip)
{
	struct pattern look = { .at = text, .end = text + size };
	struct pattern take = { .at = text, .end = text + size, .fn = fn, .arg = arg };

	if (!whole(&look)) {
		/* An address with a port must not become one without. */
		*ret_skip = memmem(text, size, "network-traffic:", 16) &&
					    memmem(text, size, "_port", 5)
				    ? FEED_SKIP_PORT
				    : FEED_SKIP_SCOPE;
		return -EINVAL;
	}
	whole(&take);
	return take.stopped;
}
