// SPDX-License-Identifier: BSD-2-Clause
#include <strings.h>

#include "core/feed_header.h"
#include "core/feed_private.h"
#include "core/feed_rule.h"
#include "core/feed_target.h"

#define DSHIELD_COLUMNS 7

struct text_state {
	struct feed_header header;
	uint64_t number;    /* of the line that is read */
	uint64_t addresses; /* IPv4, summed over the rows of a FireHOL list */
	bool end_marker;    /* "; EOF" was the last that said something */
	bool after_cr;	    /* a line ended in CR: LF right behind it belongs to it */
	bool too_long;	    /* its kept bytes are full */
	size_t kept;
	char line[FEED_LINE_MAX]; /* of a line that is not whole yet */
};

static void new_row(const struct text_state *s, struct feed_row *row)
{
	*row = (struct feed_row){ .kind = FEED_ROW_ADD,
				  .confidence = FEED_NO_CONFIDENCE,
				  .line = s->number < UINT32_MAX ? s->number : UINT32_MAX };
}

static void comment_line(struct text_state *s, const char *text, const char *end)
{
	const char *p = feed_skip_blanks(text + 1, end);

	while (end > p && feed_is_blank(end[-1]))
		end--;
	if (*text == ';' && end - p == 3 && !memcmp(p, "EOF", 3))
		s->end_marker = true;
	else
		feed_header_read(&s->header, text, end - text);
}

/* "; SBL256894" of Spamhaus is a reference, any other remark behind an entry its reason. */
static void read_remark(const struct feed_parser *p, struct feed_row *row, const char *at,
			const char *end)
{
	const char *mark = at;
	bool spamhaus = p->format == FEED_SPAMHAUS;

	if (!feed_is_comment(at, end))
		mark = memchr(at, '#', end - at);
	if (!mark)
		return;
	while (mark < end && (feed_is_comment(mark, end) || feed_is_blank(*mark) || *mark == '/'))
		mark++;
	while (end > mark && feed_is_blank(end[-1]))
		end--;
	if (spamhaus)
		feed_text_copy(row->reference, sizeof(row->reference), mark, end - mark);
	else
		feed_text_copy(row->reason, sizeof(row->reason), mark, end - mark);
}

/* "AS64496" among addresses; "as.example" is a name. */
static bool is_asn(const char *at, const char *end)
{
	return end - at > 2 && !strncasecmp(at, "AS", 2) && at[2] >= '0' && at[2] <= '9';
}

/* "AS64496 ; remark", with or without the letters. */
static int asn_line(struct feed_parser *p, struct text_state *s, const char *at, const char *end)
{
	struct feed_row row;
	uint64_t number;
	size_t size = 0;

	new_row(s, &row);
	if (end - at > 3 && !strncasecmp(at, "ASN", 3))
		at += 3;
	else if (end - at > 2 && !strncasecmp(at, "AS", 2))
		at += 2;
	while (at + size < end && !feed_is_blank(at[size]) && !strchr(",;#", at[size]))
		size++;
	if (!feed_number(at, size, UINT32_MAX, &number) || !number) {
		feed_skip(p, FEED_SKIP_SYNTAX, row.line);
		return 0;
	}
	row.kind = FEED_ROW_ASN;
	row.asn = number;
	read_remark(p, &row, feed_skip_blanks(at + size, end), end);
	return feed_emit(p, &row);
}

static int target_line(struct feed_parser *p, struct text_state *s, const char *at, const char *end)
{
	char c = *at | 0x20;
	struct feed_target target;
	enum feed_skip why;
	struct feed_row row;
	int err;

	new_row(s, &row);
	if (c == 'i' && end - at >= 2 && (at[1] | 0x20) == 'p' &&
	    (end - at == 2 || feed_is_blank(at[2]))) { /* "IP 192.0.2.1"; alone: a column's name */
		at = feed_skip_blanks(at + 2, end);
		if (at == end)
			return 0;
	} else if (c >= 'a' && c <= 'z') {
		bool known;

		if (p->options.expands_asn && is_asn(at, end))
			return asn_line(p, s, at, end);
		err = feed_rule_line(p, &row, at, end, &known);
		if (err || known)
			return err;
	}
	if (!feed_target_read(&at, end, &target, &why)) {
		feed_skip(p, why, row.line);
		return 0;
	}
	if (at < end) {
		const char *next = at;

		while (next < end && (feed_is_blank(*next) || *next == ',' || *next == ';'))
			next++;
		if (target.bare && next < end && !feed_target_mask(&target, next, end, &why)) {
			feed_skip(p, why, row.line);
			return 0;
		}
		read_remark(p, &row, feed_skip_blanks(at, end), end);
	}
	if (p->format == FEED_FIREHOL)
		s->addresses += feed_target_addresses(&target);
	return feed_target_emit(p, &row, &target);
}

/* A column of DShield, empty if the list has nothing to say there. */
static void append_column(char *to, size_t room, const char *text, size_t size)
{
	size_t used = strlen(to);

	if (!size || *text == '-' || *text == '>' || (size == 4 && !strncasecmp(text, "None", 4)))
		return;
	if (used && used + 1 < room)
		to[used++] = ' ';
	feed_text_copy(to + used, room - used, text, size);
}

/* Start, end, length, targets, name, country, e-mail: the first column alone would be one address. */
static int dshield_line(struct feed_parser *p, struct text_state *s, const char *at,
			const char *end)
{
	const char *column[DSHIELD_COLUMNS] = {};
	size_t size[DSHIELD_COLUMNS] = {};
	struct feed_target first, last;
	enum feed_skip why = FEED_SKIP_SYNTAX;
	struct feed_row row;
	uint64_t length;

	new_row(s, &row);
	if (end - at > 6 && !strncasecmp(at, "start\t", 6)) /* the names of the columns */
		return 0;
	for (int i = 0; i < DSHIELD_COLUMNS && at; i++) {
		const char *tab = memchr(at, '\t', end - at);

		column[i] = at;
		size[i] = (tab ? tab : end) - at;
		at = tab ? tab + 1 : NULL;
	}
	if (!column[2] || !feed_target_field(column[0], size[0], &first, &why) ||
	    !feed_target_field(column[1], size[1], &last, &why) || !first.bare || !last.bare ||
	    first.first.family != last.first.family) {
		feed_skip(p, why, row.line);
		return 0;
	}
	first.last = last.first;
	first.range = true;
	/* What a cut or shifted line cannot have: a length that says the same as the two addresses. */
	if (!feed_number(column[2], size[2], 32, &length) ||
	    feed_target_addresses(&first) != 1ULL << (32 - length)) {
		feed_skip(p, FEED_SKIP_LENGTH, row.line);
		return 0;
	}
	append_column(row.reason, sizeof(row.reason), column[4], size[4]);
	append_column(row.reason, sizeof(row.reason), column[5], size[5]);
	return feed_target_emit(p, &row, &first);
}

/* One line without its end. */
static int read_line(struct feed_parser *p, struct text_state *s, const char *text, size_t size)
{
	static const char mark[] = "\xef\xbb\xbf"; /* inside: lists were joined */
	const char *end = text + size;

	s->number++;
	p->summary.lines++;
	if (size > FEED_LINE_MAX) {
		feed_skip(p, FEED_SKIP_TOO_LONG, s->number);
		return 0;
	}
	if (size >= 3 && !memcmp(text, mark, 3))
		text += 3;
	text = feed_skip_blanks(text, end);
	if (text == end)
		return 0;
	if (feed_is_comment(text, end)) {
		comment_line(s, text, end);
		return 0;
	}
	s->end_marker = false;
	if (p->format == FEED_DSHIELD)
		return dshield_line(p, s, text, end);
	if (p->format == FEED_ASN)
		return asn_line(p, s, text, end);
	return target_line(p, s, text, end);
}

static void keep(struct text_state *s, const char *text, size_t size)
{
	size_t room = sizeof(s->line) - s->kept;

	if (size > room) {
		s->too_long = true;
		size = room;
	}
	memcpy(s->line + s->kept, text, size);
	s->kept += size;
}

/* A line ends here; its beginning may have been kept. */
static int end_line(struct feed_parser *p, struct text_state *s, const char *text, size_t size)
{
	int err;

	if (!s->kept)
		return read_line(p, s, text, size);
	keep(s, text, size);
	err = read_line(p, s, s->line, s->too_long ? FEED_LINE_MAX + 1 : s->kept);
	s->kept = 0;
	s->too_long = false;
	return err;
}

/* The bytes of one LF, or of the rest that has none: CR ends lines as well. */
static int push_segment(struct feed_parser *p, struct text_state *s, const char *text, size_t size,
			bool lf)
{
	const char *end = text + size;
	const char *cr;
	int err;

	while (text < end && (cr = memchr(text, '\r', end - text))) {
		err = end_line(p, s, text, cr - text);
		if (err)
			return err;
		text = cr + 1;
		s->after_cr = true;
		if (text < end)
			s->after_cr = false;
	}
	if (text < end)
		s->after_cr = false;
	if (!lf) {
		keep(s, text, end - text);
		return 0;
	}
	if (s->after_cr) {
		s->after_cr = false;
		return 0;
	}
	return end_line(p, s, text, end - text);
}

static int push(struct feed_parser *p, void *state, const char *bytes, size_t size)
{
	const char *end = bytes + size;

	while (bytes < end) {
		const char *lf = memchr(bytes, '\n', end - bytes);
		const char *stop = lf ? lf : end;
		int err = push_segment(p, state, bytes, stop - bytes, lf != NULL);

		if (err)
			return err;
		bytes = stop + !!lf;
	}
	return 0;
}

/*
 * The last line has no end: it may be cut, and what is left of an address or
 * a length can be another one. Only the list's own proof lets it pass.
 */
static int finish_open_line(struct feed_parser *p, struct text_state *s)
{
	const char *end = s->line + s->kept;
	const char *text = feed_skip_blanks(s->line, end);

	if (text == end)
		return 0;
	if (p->options.whole || p->format == FEED_FIREHOL)
		return end_line(p, s, "", 0);
	if (feed_is_comment(text, end)) {
		comment_line(s, text, end);
		if (s->end_marker)
			return 0;
	}
	feed_fault(p, FEED_FAULT_TRUNCATED,
		   "line %llu, the last, has no end: it may be cut; --force takes it as whole",
		   (unsigned long long)s->number + 1);
	return 0;
}

/* Not because of what was left out. */
static bool is_empty(const struct feed_parser *p)
{
	return !p->summary.entries && !p->summary.first_skipped;
}

/* The sum may be more than the header says if lines overlap, never less. */
static void judge_firehol(struct feed_parser *p, const struct text_state *s, bool open)
{
	const struct feed_header *h = &s->header;

	p->summary.complete = h->has_addresses && s->addresses == h->addresses;
	p->summary.may_be_empty = p->summary.complete && is_empty(p);
	if (h->has_addresses && s->addresses < h->addresses)
		feed_fault(p, open ? FEED_FAULT_TRUNCATED : FEED_FAULT_MISMATCH,
			   "its header says %llu addresses, its lines hold %llu",
			   (unsigned long long)h->addresses, (unsigned long long)s->addresses);
	if (open && !p->summary.complete && !p->options.whole)
		feed_fault(p, FEED_FAULT_TRUNCATED, "the last line has no end: it may be cut");
}

static int finish(struct feed_parser *p, void *state)
{
	struct text_state *s = state;
	bool open = s->kept != 0;
	int err = finish_open_line(p, s);

	if (err)
		return err;
	p->summary.timestamp = s->header.timestamp;
	memcpy(p->summary.title, s->header.title, sizeof(p->summary.title));
	if (p->format == FEED_ASN)
		p->summary.complete = s->end_marker;
	if (p->format == FEED_SPAMHAUS) {
		p->summary.complete = s->end_marker;
		p->summary.may_be_empty = s->end_marker && s->header.title[0] && is_empty(p);
		if (!s->end_marker)
			feed_fault(p, FEED_FAULT_TRUNCATED, "no '; EOF' behind line %llu, the last",
				   (unsigned long long)s->number + open);
	}
	if (p->format == FEED_FIREHOL)
		judge_firehol(p, s, open);
	feed_judge_lines(p);
	return 0;
}

const struct feed_reader feed_reader_text = {
	.size = sizeof(struct text_state),
	.push = push,
	.finish = finish,
};
