// SPDX-License-Identifier: BSD-2-Clause
/*
 * How fast lists are parsed on one core, by CPU time, without a child:
 *
 *	control,parse_plain,<lines>,<seconds>,<per_second>,<rss_mb>
 *	control,parse_ndjson,<objects>,...	objects of Spamhaus' DROP
 *	control,parse_asn_table,<entries>,...	until every AS can be expanded
 *
 * The best of ROUNDS is printed; the machine may have other things to do.
 *
 *	parse [LINES]
 */
#include <sys/resource.h>
#include <time.h>

#include "core/feed_asn_text.h"
#include "core/units.h"

#define LINES  2000000
#define ROUNDS 3
#define PIECE  (256U << 10) /* as the child reads them */
#define ROOM   96	    /* bytes of a line at most */

struct text {
	char *bytes; /* owned */
	size_t size;
};

/* The same bits each time, without zeros in front: addresses as lists have them. */
static uint32_t scatter(uint32_t i)
{
	return i * 2654435761U;
}

static void address(uint32_t i, char to[static 16])
{
	uint32_t a = scatter(i);

	snprintf(to, 16, "%u.%u.%u.%u", 1 + (a >> 24) % 223, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static void add_plain(struct text *t, uint32_t i)
{
	char text[16];

	address(i, text);
	t->size += (size_t)snprintf(t->bytes + t->size, ROOM, "%s\n", text);
}

static void add_object(struct text *t, uint32_t i)
{
	uint32_t a = scatter(i);

	t->size += (size_t)
		snprintf(t->bytes + t->size, ROOM,
			 "{\"cidr\":\"%u.%u.%u.0/24\",\"sblid\":\"SBL%u\",\"rir\":\"arin\"}\n",
			 1 + (a >> 24) % 223, a >> 16 & 255, a >> 8 & 255, i % 1000000);
}

static void add_entry(struct text *t, uint32_t i)
{
	uint32_t a = i * 1024;

	t->size += (size_t)snprintf(t->bytes + t->size, ROOM, "%u.%u.%u.0/22\t%u\n", a >> 24,
				    a >> 16 & 255, a >> 8 & 255, 1 + scatter(i) % 80000);
}

/* NULL in bytes: out of memory. */
static struct text make(uint32_t lines, void (*add)(struct text *t, uint32_t i))
{
	struct text t = { .bytes = malloc((size_t)(lines + 1) * ROOM) };

	for (uint32_t i = 0; t.bytes && i < lines; i++)
		add(&t, i);
	if (t.bytes && add == add_object)
		t.size += (size_t)snprintf(t.bytes + t.size, ROOM,
					   "{\"type\":\"metadata\",\"size\":%zu,\"records\":%u}\n",
					   t.size, lines);
	return t;
}

static int ignore_row(void *arg, const struct feed_row *row)
{
	(void)row;
	++*(uint64_t *)arg;
	return 0;
}

static bool parse_list(const struct text *t, enum feed_format format, uint32_t lines)
{
	const struct feed_options options = { .format = format, .whole = true, .now = 1787378552 };
	_cleanup_(feed_parser_freep) struct feed_parser *p = NULL;
	struct feed_summary summary = {};
	uint64_t rows = 0;

	if (feed_parser_new(&options, ignore_row, &rows, &p))
		return false;
	for (size_t at = 0; at < t->size; at += PIECE)
		if (feed_parser_push(p, t->bytes + at, t->size - at < PIECE ? t->size - at : PIECE))
			return false;
	return !feed_parser_finish(p, &summary) && !summary.fault && rows == lines;
}

static bool parse_table(const struct text *t, enum feed_format format, uint32_t lines)
{
	_cleanup_(feed_asn_freep) struct feed_asn *asn = NULL;
	_cleanup_(feed_asn_text_freep) struct feed_asn_text *text = NULL;
	struct problem why = {};

	(void)format;
	if (feed_asn_new(&asn) || feed_asn_text_new(asn, &text))
		return false;
	for (size_t at = 0; at < t->size; at += PIECE)
		if (feed_asn_text_push(text, t->bytes + at,
				       t->size - at < PIECE ? t->size - at : PIECE))
			return false;
	if (feed_asn_text_finish(text, &why) || feed_asn_end_table(asn))
		return false;
	feed_asn_ready(asn);
	return feed_asn_entries(asn, MOAT_IPV4) == lines;
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const struct {
	const char *name;
	void (*add)(struct text *t, uint32_t i);
	bool (*parse)(const struct text *t, enum feed_format format, uint32_t lines);
	enum feed_format format;
} what[] = {
	{ "parse_plain", add_plain, parse_list, FEED_PLAIN },
	{ "parse_ndjson", add_object, parse_list, FEED_SPAMHAUS },
	{ "parse_asn_table", add_entry, parse_table, FEED_AUTO },
};

static bool measure(size_t w, uint32_t lines)
{
	struct text text = make(lines, what[w].add);
	_cleanup_free_ char *owned = text.bytes;
	struct rusage usage = {};
	double best = 0;

	if (!text.bytes)
		return false;
	for (int round = 0; round < ROUNDS; round++) {
		double begin = cpu_seconds(), seconds;

		if (!what[w].parse(&text, what[w].format, lines))
			return false;
		seconds = cpu_seconds() - begin;
		if (!round || seconds < best)
			best = seconds;
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("control,%s,%u,%.3f,%.0f,%ld\n", what[w].name, lines, best, lines / best,
	       usage.ru_maxrss / 1024);
	return true;
}

int main(int argc, char **argv)
{
	uint64_t lines = LINES;

	if (argc > 2 ||
	    (argc == 2 && (units_number(argv[1], &lines) || !lines || lines > ASN_ENTRIES_MAX))) {
		fprintf(stderr, "usage: parse [LINES], at most %u\n", ASN_ENTRIES_MAX);
		return 2;
	}
	for (size_t w = 0; w < ARRAY_SIZE(what); w++)
		if (!measure(w, (uint32_t)lines)) {
			fprintf(stderr, "parse: %s: not all was read\n", what[w].name);
			return 1;
		}
	return 0;
}
