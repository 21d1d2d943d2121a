// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as each of the JSON feeds. What comes out keeps the promises of
 * core/feed.h, and is the same when the bytes come in pieces.
 *
 * The first byte chooses format and options, the second the size of the pieces.
 */
#include "core/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum feed_format formats[] = {
	FEED_SPAMHAUS, FEED_ASN,   FEED_ABUSEIPDB, FEED_STIX,
	FEED_MISP,     FEED_CLOUD, FEED_CROWDSEC,  FEED_WARNINGLIST,
};

#define FORMATS	     8
#define REFUSE_HOSTS 0x08
#define MORE_TYPES   0x10
#define STOP	     0x20
#define AUTO	     0x40

#define STOP_AFTER 3

struct result {
	uint64_t hash, rows;
	uint64_t removed, added;
	enum feed_format format; /* as told */
	bool stop, refuse_hosts;
};

static void check(bool good)
{
	if (!good)
		abort();
}

/* Ends in NUL, zeroes behind it, nothing that a terminal would act upon. */
static void check_text(const char *text, size_t room)
{
	size_t size = strnlen(text, room);

	check(size < room);
	for (size_t i = 0; i < size; i++)
		check((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
	for (size_t i = size; i < room; i++)
		check(!text[i]);
}

static void check_source(const struct feed_row *row)
{
	struct prefix masked = row->source;
	struct feed_row none = {};

	if (row->kind == FEED_ROW_ASN) {
		check(!memcmp(&row->source, &none.source, sizeof(none.source)) && row->asn);
		return;
	}
	check(!row->asn);
	check(row->source.family == MOAT_IPV4 || row->source.family == MOAT_IPV6);
	check(row->source.len > 0 && row->source.len <= prefix_max(row->source.family));
	prefix_mask(&masked);
	check(!prefix_compare(&masked, &row->source));
}

static int on_row(void *arg, const struct feed_row *row)
{
	struct result *r = arg;

	check_source(row);
	check_text(row->category, sizeof(row->category));
	check_text(row->reference, sizeof(row->reference));
	check_text(row->reason, sizeof(row->reason));
	check(row->confidence <= 100 || row->confidence == FEED_NO_CONFIDENCE);
	check(row->masked <= 1 && row->scope < FEED_SCOPE_MAX && row->line &&
	      row->kind <= FEED_ROW_ASN);
	check(!row->masked || !r->refuse_hosts);
	r->added += row->kind == FEED_ROW_ADD;
	r->removed += row->kind == FEED_ROW_REMOVE;
	if (row->kind == FEED_ROW_REMOVE)
		check((r->format == FEED_CROWDSEC || r->format == FEED_AUTO) && !r->added);
	if (r->format == FEED_CROWDSEC && row->kind == FEED_ROW_ADD)
		check(row->expires > 0);
	for (size_t i = 0; i < sizeof(*row); i++)
		r->hash = (r->hash ^ ((const uint8_t *)row)[i]) * 0x100000001b3;
	return ++r->rows == STOP_AFTER && r->stop ? -EPIPE : 0;
}

static void check_summary(const struct feed_summary *s, const struct result *r)
{
	uint64_t skipped = 0;

	for (int i = 0; i < FEED_SKIP_MAX; i++)
		skipped += s->skipped[i];
	check(s->entries == r->rows);
	check(!skipped == !s->first_skipped);
	check(s->masked <= s->entries);
	check(s->fault < FEED_FAULT_MAX && !s->fault == !s->detail[0]);
	check(s->fault || r->rows || s->may_be_empty || (r->stop && r->rows));
	check(s->timestamp >= 0);
	check_text(s->detail, sizeof(s->detail));
	check_text(s->title, sizeof(s->title));
}

static struct result parse(const struct feed_options *options, const uint8_t *data, size_t size,
			   size_t piece, bool stop, struct feed_summary *ret)
{
	_cleanup_(feed_parser_freep) struct feed_parser *p = NULL;
	struct result r = {
		.format = options->format,
		.stop = stop,
		.refuse_hosts = options->refuse_host_bits,
	};
	int err;

	check(feed_parser_new(options, on_row, &r, &p) == 0);
	for (size_t at = 0; at < size; at += piece) {
		size_t now = size - at < piece ? size - at : piece;
		_cleanup_free_ char *copy = malloc(now);

		check(copy != NULL);
		memcpy(copy, data + at, now);
		if (feed_parser_push(p, copy, now))
			break;
	}
	err = feed_parser_finish(p, ret);
	check(err == 0 || (err == -EPIPE && stop && r.rows == STOP_AFTER));
	if (!err)
		check_summary(ret, &r);
	return r;
}

static bool looks_like_json(const uint8_t *data, size_t size)
{
	size_t i = 0;

	while (i < size && strchr("\t\r\n ", data[i]) && data[i])
		i++;
	return i == size || data[i] == '{' || data[i] == '[';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed_summary whole, again;
	struct feed_options options = {};
	struct result one, two;
	bool stop;

	if (size < 2)
		return 0;
	/* Lists of lines and compressed data have fuzzers of their own. */
	if (!looks_like_json(data + 2, size - 2))
		return 0;
	options.format = *data & AUTO ? FEED_AUTO : formats[*data % FORMATS];
	options.refuse_host_bits = *data & REFUSE_HOSTS;
	options.types = *data & MORE_TYPES ? "ban,captcha" : NULL;
	options.now = 1787400000;
	stop = *data & STOP;
	one = parse(&options, data + 2, size - 2, size, stop, &whole);
	two = parse(&options, data + 2, size - 2, data[1] + 1, stop, &again);
	if (whole.fault)
		again.bytes = whole.bytes; /* how much was seen when the fault was */
	/* After a stop nothing is said of the file. */
	check((stop && one.rows == STOP_AFTER) || !memcmp(&whole, &again, sizeof(whole)));
	check(one.hash == two.hash && one.rows == two.rows);
	return 0;
}
