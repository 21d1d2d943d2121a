/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parsers of the formats share. For feed*.c only.
 *
 * feed.c owns decompression, recognition, limits and the summary; it hands
 * decompressed bytes to the format's parser. A format is a struct feed_reader:
 * push() takes bytes, finish() the end; both call feed_emit() for rows and
 * feed_skip() for what they leave out, and set p->summary.fault.
 *
 * Rules of feed.c:
 *  1. A fault set during push() ends the file: neither push() nor finish() is called again.
 *  2. A byte order mark is gone before the reader; a NUL never reaches the text and CSV readers.
 *
 *	feed.c		bytes to the reader: compression, limits, labels, the summary
 *	feed_recognise.c  which format and reader the first bytes ask for
 *	feed_emit.c	what the readers call: rows, skips, faults, ranges
 *	feed_target.c	one address, prefix, mask or range as lists write them
 *	feed_text.c	line by line: plain, spamhaus text, dshield, firehol, emerging, abuseipdb text, asn text
 *	feed_header.c	what comments tell: title, date, counts
 *	feed_rule.c	lines of access lists and of Snort
 *	feed_csv.c	RFC 4180
 *	feed_json.c	a strict streaming JSON reader (events), in json_read.h
 *	feed_json_*.c	spamhaus NDJSON, abuseipdb, stix/taxii, misp, warninglist, cloud, crowdsec, asn-drop
 */
#ifndef CORE_FEED_PRIVATE_H
#define CORE_FEED_PRIVATE_H

#include "core/feed.h"

struct feed_reader {
	size_t size; /* of the state, zeroed before init */
	int (*init)(struct feed_parser *p, void *state);
	int (*push)(struct feed_parser *p, void *state, const char *bytes, size_t size);
	int (*finish)(struct feed_parser *p, void *state);
	void (*fini)(void *state);
};

extern const struct feed_reader feed_reader_text; /* all line formats; looks at p->format */
extern const struct feed_reader feed_reader_csv;
extern const struct feed_reader feed_reader_json; /* all JSON formats; looks at p->format */

struct feed_parser {
	struct feed_options options;
	enum feed_format format; /* once known */
	struct feed_summary summary;
	feed_row_fn fn;
	void *arg;
	int stopped; /* what fn returned */
	const struct feed_reader *reader;
	void *state;		      /* of the reader */
	struct feed_inflate *inflate; /* NULL: not compressed */
	bool unpacking;		      /* it is known whether the bytes are compressed */
	char head[512];		      /* first bytes, until the format is known */
	size_t heads;
};

/* Counts and passes on. Returns what the caller must return: 0 or p->stopped. */
int feed_emit(struct feed_parser *p, struct feed_row *row);
void feed_skip(struct feed_parser *p, enum feed_skip skip, uint64_t line);
/* The first fault stays. Returns 0 so that a reader can return it. */
_printf_(3, 4) int feed_fault(struct feed_parser *p, enum feed_fault fault, const char *fmt, ...);

/* At the end of a file of lines: nothing in it, or too much that is no entry. */
void feed_judge_lines(struct feed_parser *p);

/* Copies text cut at a character, unprintable bytes as '?'. */
void feed_text_copy(char *to, size_t room, const char *from, size_t size);

/* Emits the prefixes of a range a..b of one family, minimal, in order (at most 62 and 254). */
int feed_emit_range(struct feed_parser *p, const struct feed_row *like, const struct prefix *a,
		    const struct prefix *b);

#endif
