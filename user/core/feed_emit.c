// SPDX-License-Identifier: BSD-2-Clause
#include <stdarg.h>

#include "core/feed_private.h"
#include "core/range.h"

#define BAD_FREE    2 /* lines that are no entries, whatever the share: a header, a stray word */
#define BAD_PERCENT 1 /* of all that could be entries */

int feed_emit(struct feed_parser *p, struct feed_row *row)
{
	bool asn = row->kind == FEED_ROW_ASN || row->kind == FEED_ROW_ASN_REMOVE;

	if (p->stopped)
		return p->stopped;
	/* The whole address space is never a source: it is what a cut line looks like. */
	if (!asn && !row->source.len) {
		feed_skip(p, FEED_SKIP_LENGTH, row->line);
		return 0;
	}
	p->summary.entries++;
	p->summary.asns += asn;
	p->summary.masked += row->masked;
	p->stopped = p->fn(p->arg, row);
	return p->stopped;
}

void feed_skip(struct feed_parser *p, enum feed_skip skip, uint64_t line)
{
	p->summary.skipped[skip]++;
	if (!p->summary.first_skipped)
		p->summary.first_skipped = line;
}

int feed_fault(struct feed_parser *p, enum feed_fault fault, const char *fmt, ...)
{
	char detail[sizeof(p->summary.detail)];
	va_list args;

	if (p->summary.fault)
		return 0;
	p->summary.fault = fault;
	va_start(args, fmt);
	vsnprintf(detail, sizeof(detail), fmt, args);
	va_end(args);
	feed_text_copy(p->summary.detail, sizeof(p->summary.detail), detail, strlen(detail));
	return 0;
}

void feed_judge_lines(struct feed_parser *p)
{
	const struct feed_summary *sum = &p->summary;
	uint64_t bad = sum->skipped[FEED_SKIP_SYNTAX] + sum->skipped[FEED_SKIP_LENGTH] +
		       sum->skipped[FEED_SKIP_RANGE] + sum->skipped[FEED_SKIP_TOO_LONG];
	uint64_t all = sum->entries;

	for (int i = 0; i < FEED_SKIP_MAX; i++)
		all += sum->skipped[i];
	if ((bad > BAD_FREE || !sum->entries) && bad * 100 > all * BAD_PERCENT)
		feed_fault(p, FEED_FAULT_UNPARSABLE,
			   "%llu of %llu are no entries, the first in line %llu",
			   (unsigned long long)bad, (unsigned long long)all,
			   (unsigned long long)sum->first_skipped);
	if (!sum->entries && !sum->may_be_empty)
		feed_fault(p, FEED_FAULT_NO_ENTRIES, "no entry in %llu lines",
			   (unsigned long long)sum->lines);
}

/* The character at p (RFC 3629); returns its bytes, 0 if it is none. */
static size_t character(const unsigned char *p, size_t size, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t bytes = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t value = bytes == 1 ? p[0] : p[0] & (0x7f >> bytes);

	if (!bytes || bytes > size || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < bytes; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < least[bytes] || (value >= 0xd800 && value < 0xe000) || value > 0x10ffff)
		return 0;
	*ret = value;
	return bytes;
}

/* What moves the cursor of a terminal, turns text round or cannot be seen. */
static bool is_unprintable(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c & 0xfffe) == 0xfffe || (c >= 0xe0000 && c <= 0xe0fff);
}

void feed_text_copy(char *to, size_t room, const char *from, size_t size)
{
	const unsigned char *p = (const unsigned char *)from;
	size_t used = 0;

	while (size && *p) {
		uint32_t c = 0;
		size_t bytes = character(p, size, &c);
		size_t taken = bytes ? bytes : 1;

		if (!bytes || is_unprintable(c)) {
			if (used + 1 >= room)
				break;
			to[used++] = '?';
		} else {
			if (used + bytes >= room)
				break;
			memcpy(to + used, p, bytes);
			used += bytes;
		}
		p += taken;
		size -= taken;
	}
	memset(to + used, 0, room - used);
}

int feed_emit_range(struct feed_parser *p, const struct feed_row *like, const struct prefix *a,
		    const struct prefix *b)
{
	struct range left = { a->family, range_number(a), range_number(b), false };
	struct feed_row row = *like;
	int err = 0;

	if (a->family != b->family || left.first > left.last) {
		feed_skip(p, a->family == b->family ? FEED_SKIP_RANGE : FEED_SKIP_SYNTAX,
			  like->line);
		return 0;
	}
	while (!err && range_take(&left, &row.source))
		err = feed_emit(p, &row);
	return err;
}
