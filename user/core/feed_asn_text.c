/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/feed_asn_text.h"

#include <inttypes.h>
#include <strings.h>

#include "core/feed_inflate.h"
#include "core/feed_target.h"

#define COLUMNS	    3 /* that matter */
#define KEPT_MAX    1024
#define BAD_FREE    2 /* a header, a stray word */
#define BAD_PERCENT 1

struct feed_asn_text {
	struct feed_asn *asn;
	struct feed_inflate *inflate; /* owned; NULL: not compressed */
	char magic[FEED_MAGIC_SIZE];
	size_t magics;
	bool unpacking; /* it is known whether it is compressed */
	uint64_t bytes, lines, entries, bad, first_bad;
	int error;
	size_t kept;
	char line[KEPT_MAX]; /* that is not whole yet */
};

struct column {
	const char *text;
	size_t size;
};

int feed_asn_text_new(struct feed_asn *a, struct feed_asn_text **ret)
{
	struct feed_asn_text *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->asn = a;
	*ret = t;
	return 0;
}

struct feed_asn_text *feed_asn_text_free(struct feed_asn_text *t)
{
	if (!t)
		return NULL;
	feed_inflate_free(t->inflate);
	free(t);
	return NULL;
}

/* ---- a line ---- */

/* Without blanks and quotes around it. */
static struct column trimmed(const char *text, const char *end)
{
	text = feed_skip_blanks(text, end);
	while (end > text && feed_is_blank(end[-1]))
		end--;
	if (end - text >= 2 && *text == '"' && end[-1] == '"') {
		text++;
		end--;
	}
	return (struct column){ text, (size_t)(end - text) };
}

/* Names behind the third column may hold anything, also separators. */
static size_t split(const char *at, const char *end, struct column ret[static COLUMNS])
{
	char separator = memchr(at, '\t', (size_t)(end - at)) ? '\t' : ',';
	size_t count = 0;

	while (count < COLUMNS) {
		const char *stop = memchr(at, separator, (size_t)(end - at));

		ret[count++] = trimmed(at, stop ? stop : end);
		if (!stop)
			break;
		at = stop + 1;
	}
	return count;
}

/* "64496", "AS64496" */
static bool read_number(struct column c, uint32_t *ret)
{
	uint64_t number;

	if (c.size > 2 && !strncasecmp(c.text, "AS", 2)) {
		c.text += 2;
		c.size -= 2;
	}
	if (!feed_number(c.text, c.size, UINT32_MAX, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool read_address(struct column c, struct feed_target *ret)
{
	enum feed_skip why;

	return feed_target_field(c.text, c.size, ret, &why) && !ret->range && !ret->host_bits;
}

/* "prefix, AS" or "first, last, AS" */
static bool read_entry(const struct column *c, size_t count, struct range *ret, uint32_t *ret_asn)
{
	struct feed_target first, last;
	bool prefix = memchr(c[0].text, '/', c[0].size);

	if (count < (prefix ? 2 : 3) || !read_number(c[prefix ? 1 : 2], ret_asn) ||
	    !read_address(c[0], &first))
		return false;
	last = first;
	if (!prefix && (!read_address(c[1], &last) || !first.bare || !last.bare ||
			first.first.family != last.first.family))
		return false;
	*ret = (struct range){ first.first.family, range_number(&first.first),
			       range_last(&last.first), false };
	return ret->first <= ret->last;
}

static void read_line(struct feed_asn_text *t, const char *at, size_t size)
{
	const char *end = at + size;
	struct column column[COLUMNS];
	struct range range;
	uint32_t asn;

	t->lines++;
	if (end > at && end[-1] == '\r')
		end--;
	at = feed_skip_blanks(at, end);
	if (at == end || feed_is_comment(at, end))
		return;
	if (!read_entry(column, split(at, end, column), &range, &asn)) {
		t->bad++;
		t->first_bad = t->first_bad ?: t->lines;
		return;
	}
	t->entries++;
	t->error = feed_asn_add(t->asn, &range, asn);
}

/* ---- bytes ---- */

/* What is too long holds a name; its first bytes say all that counts. */
static void keep(struct feed_asn_text *t, const char *bytes, size_t size)
{
	size_t room = sizeof(t->line) - t->kept;

	if (size > room)
		size = room;
	memcpy(t->line + t->kept, bytes, size);
	t->kept += size;
}

static int take_bytes(void *arg, const char *bytes, size_t size)
{
	struct feed_asn_text *t = arg;
	const char *end = bytes + size;

	if (size > FEED_SIZE_MAX - t->bytes)
		t->error = -E2BIG;
	t->bytes += size;
	while (bytes < end && !t->error) {
		const char *lf = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *stop = lf ? lf : end;

		if (!lf || t->kept) {
			keep(t, bytes, (size_t)(stop - bytes));
			if (lf)
				read_line(t, t->line, t->kept);
			t->kept = lf ? 0 : t->kept;
		} else {
			read_line(t, bytes, (size_t)(stop - bytes));
		}
		bytes = stop + !!lf;
	}
	return t->error;
}

static void take_packed(struct feed_asn_text *t, const char *bytes, size_t size)
{
	int err;

	if (!t->inflate) {
		take_bytes(t, bytes, size);
		return;
	}
	err = feed_inflate_push(t->inflate, bytes, size, take_bytes, t);
	if (err && !t->error)
		t->error = err == -EFBIG ? -E2BIG : err; /* a bomb */
}

static void begin_unpacking(struct feed_asn_text *t)
{
	enum feed_packing packing = feed_packing_find(t->magic, t->magics);

	t->unpacking = true;
	if (packing != FEED_PLAIN_BYTES)
		t->error = feed_inflate_new(packing, &t->inflate);
	if (!t->error)
		take_packed(t, t->magic, t->magics);
}

int feed_asn_text_push(struct feed_asn_text *t, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (!t->unpacking && size) {
		t->magic[t->magics++] = *at++;
		size--;
		if (t->magics == sizeof(t->magic))
			begin_unpacking(t);
	}
	if (size && !t->error)
		take_packed(t, at, size);
	return t->error;
}

static int explain(const struct feed_asn_text *t, struct problem *why)
{
	switch (t->error) {
	case -EFBIG:
		return problem_set(why, -EFBIG, "more than %u entries", ASN_ENTRIES_MAX);
	case -E2BIG:
		return problem_set(why, -E2BIG,
				   "larger than %llu MB, or compressed more than %d times",
				   FEED_SIZE_MAX >> 20, FEED_RATIO_MAX);
	case -EBADMSG:
		return problem_set(why, -EBADMSG, "its compressed data is damaged behind line %llu",
				   (unsigned long long)t->lines);
	default:
		return problem_set(why, t->error, "%s", strerror(-t->error));
	}
}

int feed_asn_text_finish(struct feed_asn_text *t, struct problem *why)
{
	if (!t->unpacking && !t->error)
		begin_unpacking(t);
	if (!t->error && t->inflate && feed_inflate_finish(t->inflate))
		return problem_set(why, -ENODATA, "its compressed data ends in the middle");
	if (!t->error && t->kept)
		read_line(t, t->line, t->kept);
	if (t->error)
		return explain(t, why);
	if ((t->bad > BAD_FREE || !t->entries) &&
	    t->bad * 100 > (t->bad + t->entries) * BAD_PERCENT)
		return problem_set(why, -EBADMSG,
				   "%" PRIu64 " of %" PRIu64
				   " lines are neither 'prefix, AS' nor 'first, last, AS', "
				   "the first is line %" PRIu64,
				   t->bad, t->bad + t->entries, t->first_bad);
	if (!t->entries)
		return problem_set(why, -ENODATA, "it has no entry");
	return 0;
}
