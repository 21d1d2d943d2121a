/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feed files into rows of fixed size.
 *
 * A parser is pushed the bytes of one fetch as they come and calls back for
 * each row; at the end it says what it saw, whether the file proved complete,
 * and, if it is not to be trusted, why. It does no I/O, allocates a bounded
 * amount, and never crashes, whatever the bytes: it runs in a child without
 * rights, in unit tests and in fuzzers.
 *
 * What a row means (category, expiry, guards) is decided behind it, by the
 * daemon; the parser only says what stands in the file.
 */
#ifndef CORE_FEED_H
#define CORE_FEED_H

#include "core/prefix.h"
#include "core/problem.h"

#define FEED_LINE_MAX	   4096		  /* bytes of a line of text; a longer one is rejected */
#define FEED_SIZE_MAX	   (512ULL << 20) /* bytes after decompression */
#define FEED_RATIO_MAX	   200		  /* decompressed by compressed, after the first MiB */
#define FEED_OBJECT_MAX	   (4U << 20)	  /* bytes of one JSON object that must be held whole */
#define FEED_DEPTH_MAX	   64		  /* nesting of JSON */
#define FEED_NO_CONFIDENCE 255

/*        name         label          what it is */
/* clang-format off */
#define FEED_FORMATS(X)                                                                            \
	X(AUTO,        "auto",        "recognised by its first bytes")                             \
	X(PLAIN,       "plain",       "an address, prefix, range or mask a line; comments")        \
	X(SPAMHAUS,    "spamhaus",    "DROP lists: text with '; EOF', or NDJSON with metadata")    \
	X(DSHIELD,     "dshield",     "block.txt: start, end, length, ... by tabs")                \
	X(FIREHOL,     "firehol",     "netset and ipset with their header")                        \
	X(EMERGING,    "emerging",    "Emerging Threats: plain, ipset and PIX lines")              \
	X(ABUSEIPDB,   "abuseipdb",   "blacklist of API v2, JSON or text")                         \
	X(CSV,         "csv",         "columns as configured, RFC 4180")                           \
	X(STIX,        "stix",        "STIX 2.1 bundles, TAXII 2.1 envelopes")                     \
	X(MISP,        "misp",        "MISP events and attributes")                                \
	X(WARNINGLIST, "warninglist", "MISP warninglists (never-block)")                           \
	X(CLOUD,       "cloud",       "JSON of AWS, Google, Cloudflare, Fastly, ... (never-block)")\
	X(CROWDSEC,    "crowdsec",    "decision stream of a CrowdSec LAPI")                        \
	X(ASN,         "asn",         "AS numbers: text, or Spamhaus ASN-DROP")                    \
	X(TAXII,       "taxii",       "a TAXII 2.1 collection, all its pages")
/* clang-format on */

/* clang-format off */
enum feed_format {
#define X(name, label, text) FEED_##name,
	FEED_FORMATS(X)
#undef X
	FEED_FORMAT_MAX,
};
/* clang-format on */

/* Why a file as a whole is not to be trusted.
 *
 *        name         label           one line for humans */
/* clang-format off */
#define FEED_FAULTS(X)                                                                             \
	X(EMPTY,       "empty",        "no bytes at all")                                          \
	X(NO_ENTRIES,  "no_entries",   "nothing in it is an entry")                                \
	X(ERROR_PAGE,  "error_page",   "an error page or message instead of a list")               \
	X(TRUNCATED,   "truncated",    "ends in the middle, or without its end marker")            \
	X(MISMATCH,    "mismatch",     "its own count or size says otherwise")                     \
	X(UNPARSABLE,  "unparsable",   "too many of its lines are no entries")                     \
	X(BINARY,      "binary",       "holds NUL bytes: not a text list")                         \
	X(SYNTAX,      "syntax",       "not well-formed JSON or CSV")                              \
	X(TOO_LARGE,   "too_large",    "larger than moat accepts")                                 \
	X(BOMB,        "bomb",         "compressed far more than lists are")                       \
	X(COMPRESSION, "compression",  "compressed data is damaged")                               \
	X(UNKNOWN,     "unknown",      "no format is recognised; name it")
/* clang-format on */

/* clang-format off */
enum feed_fault {
	FEED_GOOD,
#define X(name, label, text) FEED_FAULT_##name,
	FEED_FAULTS(X)
#undef X
	FEED_FAULT_MAX,
};
/* clang-format on */

/* Why one line or object was left out.
 *
 *        name          label            */
/* clang-format off */
#define FEED_SKIPS(X)                                                                              \
	X(SYNTAX,       "syntax")        /* not an address, range, object ... */                   \
	X(LENGTH,       "length")        /* prefix length or mask out of range */                  \
	X(HOST_BITS,    "host_bits")     /* refused where the feed says so */                      \
	X(RANGE,        "range")         /* ends before it begins */                               \
	X(PORT,         "port")          /* names a port: must not be widened to all */            \
	X(SCOPE,        "scope")         /* host name, URL, country, ...: not a source */          \
	X(TOO_LONG,     "too_long")      /* the line, or a value of an object */                   \
	X(UNWANTED,     "unwanted")      /* by its own flags or the options: captcha, revoked */
/* clang-format on */

/* clang-format off */
enum feed_skip {
#define X(name, label) FEED_SKIP_##name,
	FEED_SKIPS(X)
#undef X
	FEED_SKIP_MAX,
};
/* clang-format on */

enum feed_row_kind {
	FEED_ROW_ADD,
	FEED_ROW_REMOVE,     /* CrowdSec: the decision ended */
	FEED_ROW_ASN,	     /* asn instead of source */
	FEED_ROW_ASN_REMOVE, /* likewise; only with options.expands_asn, and never through a pipe */
};

/* What a decision of CrowdSec says that its value is: each scope has decisions of its own. */
enum feed_scope {
	FEED_SCOPE_NONE, /* the format has no scopes */
	FEED_SCOPE_IP,
	FEED_SCOPE_RANGE,
	FEED_SCOPE_AS,
	FEED_SCOPE_MAX,
};

/* Goes through a pipe as it is: no pointers, zeroed padding, text ends in NUL and is printable UTF-8. */
struct feed_row {
	struct prefix source; /* host bits are 0 */
	uint8_t kind;	      /* enum feed_row_kind */
	uint8_t confidence;   /* 0..100, or FEED_NO_CONFIDENCE */
	uint8_t masked;	      /* host bits were set and were cleared */
	uint8_t scope;	      /* enum feed_scope */
	uint32_t asn;
	uint32_t line;	 /* where it stood, from 1; JSON: number of the object */
	int64_t expires; /* unix seconds as the feed says, 0: it does not */
	char category[32];
	char reference[48];
	char reason[64];
};

struct feed_options {
	enum feed_format format;
	bool refuse_host_bits; /* else they are cleared and row.masked is set */
	bool whole;	       /* all bytes are known to come: the last line needs no newline */
	int64_t now;	       /* for durations */
	/* csv: numbers of columns from 1, 0: none */
	struct {
		char separator; /* 0: comma */
		bool header;	/* the first line names the columns */
		uint8_t source, end, length, category, confidence, expires, reference, reason;
		uint8_t asn; /* of rows without a source */
	} csv;
	/* crowdsec: decision types that count, as "ban,captcha"; NULL: ban */
	const char *types;
	bool expands_asn; /* there is a table: AS numbers also where a format has them beside sources */
};

struct feed_summary {
	enum feed_format format; /* what it took the file for */
	enum feed_fault fault;
	char detail[160]; /* of the fault, for a person; printable */
	uint64_t bytes;	  /* decompressed */
	uint64_t lines;	  /* or objects */
	uint64_t entries; /* rows given */
	uint64_t skipped[FEED_SKIP_MAX];
	uint64_t first_skipped; /* its line, 0: none */
	uint64_t masked;
	uint64_t asns;	       /* AS numbers that it names */
	uint64_t asns_found;   /* of these, in a table; filled by who expands them */
	uint64_t asn_prefixes; /* entries that came of these */
	bool complete;	       /* the format has a proof of completeness and the file gave it */
	bool may_be_empty;     /* header and end marker are there, the list is empty on purpose */
	int64_t timestamp;     /* of the content, unix seconds, 0: it does not say */
	char title[64];	       /* what the file calls itself */
};

/* Return non-zero to stop; finish then returns that. */
typedef int (*feed_row_fn)(void *arg, const struct feed_row *row);

struct feed_parser;

int feed_parser_new(const struct feed_options *options, feed_row_fn fn, void *arg,
		    struct feed_parser **ret);
struct feed_parser *feed_parser_free(struct feed_parser *p);
DEFINE_CLEANUP(struct feed_parser, feed_parser_free)

/* Bytes as they come, plain, gzip or zstd (recognised by magic). 0, or negative: stop feeding. */
int feed_parser_push(struct feed_parser *p, const void *bytes, size_t size);

/* The file ended. Fills ret; returns 0, also for a faulty file (see ret->fault), or what fn returned. */
int feed_parser_finish(struct feed_parser *p, struct feed_summary *ret);

const char *feed_format_label(enum feed_format format);
int feed_format_find(const char *label); /* or -ENOENT */
void feed_formats(struct problem *ret);	 /* " auto plain spamhaus": the labels there are */
const char *feed_fault_label(enum feed_fault fault);
const char *feed_fault_text(enum feed_fault fault);
const char *feed_skip_label(enum feed_skip skip);

#endif
