// SPDX-License-Identifier: BSD-2-Clause
/*
 * CSV by RFC 4180, with what real tables add: other separators, comment lines
 * that begin with '#', and lines that end in LF or CR.
 */
#include <strings.h>

#include "core/feed_private.h"
#include "core/feed_target.h"
#include "core/when.h"

#define COLUMNS_MAX 255 /* that can be named: their numbers are bytes */

enum csv_where {
	BEGIN,	/* of a record */
	FIELD,	/* of a field */
	PLAIN,	/* inside one without quotes */
	QUOTED, /* inside quotes */
	QUOTE,	/* behind a quote inside quotes: the end, or half of a doubled one */
	COMMENT,
};

struct csv_state {
	enum csv_where where;
	char separator;
	bool header; /* the next record names the columns */
	bool after_cr;
	bool bad;	     /* text stands behind a closing quote */
	uint64_t line;	     /* lines that ended */
	uint64_t begun;	     /* the line in which the record began */
	size_t taken;	     /* bytes of the record */
	unsigned int fields; /* that ended */
	size_t used;
	uint16_t at[COLUMNS_MAX + 1];
	char text[FEED_LINE_MAX]; /* of the record, without quotes and separators */
};

struct field {
	const char *text;
	size_t size;
};

static int init(struct feed_parser *p, void *state)
{
	struct csv_state *s = state;

	s->separator = p->options.csv.separator ? p->options.csv.separator : ',';
	s->header = p->options.csv.header;
	return 0;
}

/* Column number from 1, without blanks around it; empty if the record has no such column. */
static struct field column(const struct csv_state *s, unsigned int number)
{
	struct field f = { .text = s->text };
	const char *end;

	if (!number || number > s->fields)
		return f;
	end = s->text + s->at[number];
	f.text = feed_skip_blanks(s->text + s->at[number - 1], end);
	while (end > f.text && feed_is_blank(end[-1]))
		end--;
	f.size = end - f.text;
	return f;
}

static bool says_nothing(struct field f)
{
	return !f.size || (f.size == 1 && *f.text == '-');
}

/* 0..100, a fraction is cut off. */
static bool read_confidence(struct field f, uint8_t *ret)
{
	const char *dot = memchr(f.text, '.', f.size);
	uint64_t value;

	if (says_nothing(f))
		return true;
	if (!feed_number(f.text, dot ? (size_t)(dot - f.text) : f.size, 100, &value))
		return false;
	*ret = value;
	return true;
}

/* Unix seconds or RFC 3339; "2026-08-22 15:56:45" is UTC. */
static bool read_expires(struct field f, int64_t *ret)
{
	char text[48];

	if (says_nothing(f))
		return true;
	if (f.size + 2 > sizeof(text))
		return false;
	memcpy(text, f.text, f.size);
	text[f.size] = '\0';
	if (when_parse(text, ret) == 0)
		return true;
	text[f.size] = 'Z';
	text[f.size + 1] = '\0';
	return when_parse(text, ret) == 0;
}

/* The source, and what other columns say of its size. */
static bool read_target(const struct feed_parser *p, const struct csv_state *s,
			struct feed_target *ret, enum feed_skip *ret_skip)
{
	struct field source = column(s, p->options.csv.source);
	struct field last = column(s, p->options.csv.end);
	struct field length = column(s, p->options.csv.length);
	struct feed_target other;
	struct prefix masked;
	uint64_t bits;

	if (!feed_target_field(source.text, source.size, ret, ret_skip))
		return false;
	*ret_skip = FEED_SKIP_SYNTAX;
	if (p->options.csv.end) {
		if (!ret->bare || !feed_target_field(last.text, last.size, &other, ret_skip))
			return false;
		*ret_skip = FEED_SKIP_SYNTAX;
		ret->last = other.first;
		ret->range = true;
		return other.bare;
	}
	if (!p->options.csv.length)
		return true;
	if (!ret->bare)
		return false;
	if (memchr(length.text, '.', length.size))
		return feed_target_mask(ret, length.text, length.text + length.size, ret_skip) &&
		       !ret->bare;
	if (!feed_number(length.text, length.size, UINT8_MAX, &bits))
		return false;
	*ret_skip = FEED_SKIP_LENGTH;
	if (bits > prefix_max(ret->first.family))
		return false;
	masked = prefix_shorten(&ret->first, bits);
	ret->host_bits = memcmp(masked.addr, ret->first.addr, sizeof(masked.addr)) != 0;
	ret->first = masked;
	return true;
}

/* A record whose source is an AS: "64496", "AS64496". */
static bool read_asn(const struct feed_parser *p, const struct csv_state *s, struct feed_row *row)
{
	struct field asn = column(s, p->options.csv.asn);
	uint64_t number;

	if (asn.size > 2 && !strncasecmp(asn.text, "AS", 2)) {
		asn.text += 2;
		asn.size -= 2;
	}
	if (!feed_number(asn.text, asn.size, UINT32_MAX, &number) || !number)
		return false;
	row->kind = FEED_ROW_ASN;
	row->asn = (uint32_t)number;
	return true;
}

static int read_record(struct feed_parser *p, struct csv_state *s)
{
	struct feed_row row = { .kind = FEED_ROW_ADD,
				.confidence = FEED_NO_CONFIDENCE,
				.line = s->begun < UINT32_MAX ? s->begun : UINT32_MAX };
	struct field reference = column(s, p->options.csv.reference);
	struct field reason = column(s, p->options.csv.reason);
	struct field category = column(s, p->options.csv.category);
	enum feed_skip why = FEED_SKIP_SYNTAX;
	struct feed_target target;
	bool good;

	if (s->fields == 1 && !column(s, 1).size) /* an empty line */
		return 0;
	if (s->header) {
		s->header = false;
		return 0;
	}
	if (p->options.csv.asn && says_nothing(column(s, p->options.csv.source)))
		good = read_asn(p, s, &row);
	else
		good = read_target(p, s, &target, &why);
	if (s->bad || !good) {
		feed_skip(p, why, row.line);
		return 0;
	}
	if (!read_confidence(column(s, p->options.csv.confidence), &row.confidence) ||
	    !read_expires(column(s, p->options.csv.expires), &row.expires)) {
		feed_skip(p, FEED_SKIP_SYNTAX, row.line);
		return 0;
	}
	feed_text_copy(row.category, sizeof(row.category), category.text, category.size);
	feed_text_copy(row.reference, sizeof(row.reference), reference.text, reference.size);
	feed_text_copy(row.reason, sizeof(row.reason), reason.text, reason.size);
	return row.kind == FEED_ROW_ASN ? feed_emit(p, &row) : feed_target_emit(p, &row, &target);
}

static void end_field(struct csv_state *s)
{
	if (s->fields < COLUMNS_MAX)
		s->at[++s->fields] = s->used;
}

static void begin_record(struct csv_state *s)
{
	s->where = BEGIN;
	s->begun = s->line + 1;
	s->taken = s->used = s->fields = 0;
	s->bad = false;
}

static int end_record(struct feed_parser *p, struct csv_state *s)
{
	int err = 0;

	end_field(s);
	if (s->taken > FEED_LINE_MAX)
		feed_skip(p, FEED_SKIP_TOO_LONG, s->begun);
	else if (s->where != COMMENT)
		err = read_record(p, s);
	begin_record(s);
	return err;
}

static void end_line(struct feed_parser *p, struct csv_state *s)
{
	s->line++;
	p->summary.lines++;
}

/* Text beyond the columns that can be named is counted, not kept. */
static void put(struct csv_state *s, char c)
{
	if (s->used < sizeof(s->text) && s->fields < COLUMNS_MAX)
		s->text[s->used++] = c;
}

/* A byte that is no end of a line, or one inside quotes. */
static void take(struct feed_parser *p, struct csv_state *s, char c)
{
	s->taken++;
	switch (s->where) {
	case BEGIN:
	case FIELD:
		if (s->where == BEGIN && c == '#') {
			s->where = COMMENT;
			s->taken = 0;
			return;
		}
		if (c == '"') {
			s->where = QUOTED;
			return;
		}
		s->where = PLAIN;
		break;
	case QUOTED:
		if (c == '"')
			s->where = QUOTE;
		else
			put(s, c);
		if (s->taken > FEED_LINE_MAX)
			feed_fault(p, FEED_FAULT_SYNTAX,
				   "quotes do not close in the record of line %llu",
				   (unsigned long long)s->begun);
		return;
	case QUOTE:
		if (c == '"') {
			put(s, c);
			s->where = QUOTED;
			return;
		}
		s->bad |= c != s->separator && !feed_is_blank(c);
		s->where = PLAIN;
		break;
	case COMMENT:
		s->taken = 0;
		return;
	case PLAIN:
		break;
	}
	if (c == s->separator) {
		end_field(s);
		s->where = FIELD;
	} else {
		put(s, c);
	}
}

static int push(struct feed_parser *p, void *state, const char *bytes, size_t size)
{
	struct csv_state *s = state;
	int err = 0;

	if (!s->begun)
		begin_record(s);
	for (const char *end = bytes + size; bytes < end && !err && !p->summary.fault; bytes++) {
		char c = *bytes;
		bool second = s->after_cr && c == '\n';

		s->after_cr = c == '\r';
		if (s->where == QUOTED) {
			take(p, s, c);
			if ((c == '\n' || c == '\r') && !second)
				end_line(p, s);
		} else if (c != '\n' && c != '\r') {
			take(p, s, c);
		} else if (!second) {
			end_line(p, s);
			err = end_record(p, s);
		}
	}
	return err;
}

static int finish(struct feed_parser *p, void *state)
{
	struct csv_state *s = state;
	bool open = s->where != BEGIN;
	int err = 0;

	if (s->where == QUOTED)
		return feed_fault(p, FEED_FAULT_SYNTAX,
				  "quotes do not close in the record of line %llu",
				  (unsigned long long)s->begun);
	if (open && !p->options.whole)
		return feed_fault(
			p, FEED_FAULT_TRUNCATED,
			"line %llu, the last, has no end: it may be cut; --force takes it as whole",
			(unsigned long long)s->line + 1);
	if (open) {
		end_line(p, s);
		err = end_record(p, s);
	}
	if (!err)
		feed_judge_lines(p);
	return err;
}

const struct feed_reader feed_reader_csv = {
	.size = sizeof(struct csv_state),
	.init = init,
	.push = push,
	.finish = finish,
};
