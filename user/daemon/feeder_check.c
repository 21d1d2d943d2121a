/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/emit.h"
#include "core/when.h"
#include "daemon/feeder_wire.h"

#define RETRY_AFTER_MAX (366 * 86400LL)

/* What moves a terminal's cursor, turns text round or cannot be seen. */
static bool is_unprintable(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

static uint32_t character(const char *text, size_t bytes)
{
	const unsigned char *u = (const unsigned char *)text;
	uint32_t c = bytes == 1 ? u[0] : u[0] & (0x7fU >> bytes);

	for (size_t i = 1; i < bytes; i++)
		c = c << 6 | (u[i] & 0x3f);
	return c;
}

/* Ends within its room, and is printable UTF-8 until there. */
static bool is_text(const char *text, size_t room)
{
	size_t bytes;

	if (!memchr(text, '\0', room))
		return false;
	for (; *text; text += bytes) {
		bytes = emit_utf8(text);
		if (!bytes || is_unprintable(character(text, bytes)))
			return false;
	}
	return true;
}

/* It goes into a request's header again. */
static bool is_tag(const char *text, size_t room)
{
	if (!memchr(text, '\0', room))
		return false;
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

/* A byte that is neither makes the bool undefined to read. */
static bool is_bool(const bool *value)
{
	unsigned char byte;

	memcpy(&byte, value, sizeof(byte));
	return byte <= 1;
}

static bool is_time(int64_t seconds)
{
	return seconds >= 0 && seconds <= WHEN_MAX;
}

size_t feeder_check_frame(const struct feeder_frame *frame)
{
	if (frame->magic != FEEDER_FRAME_MAGIC)
		return 0;
	if (frame->kind == FEEDER_ROWS && frame->count >= 1 && frame->count <= FEEDER_BATCH)
		return frame->count * sizeof(struct feed_row);
	if (frame->kind == FEEDER_END && frame->count == 1)
		return sizeof(struct feeder_end);
	return 0;
}

static bool is_source(const struct prefix *p)
{
	struct prefix masked = *p;

	if ((p->family != MOAT_IPV4 && p->family != MOAT_IPV6) || p->len > prefix_max(p->family))
		return false;
	if (p->family == MOAT_IPV4)
		memset(masked.addr + 4, 0, sizeof(masked.addr) - 4);
	prefix_mask(&masked);
	return !memcmp(masked.addr, p->addr, sizeof(p->addr));
}

const char *feeder_check_row(const struct feed_row *row)
{
	if (row->kind > FEED_ROW_ASN || row->scope >= FEED_SCOPE_MAX || row->masked > 1)
		return "kind";
	if (!is_source(&row->source))
		return "source";
	if (row->kind == FEED_ROW_ASN ? !row->asn : !row->source.len)
		return "source";
	if (row->confidence > 100 && row->confidence != FEED_NO_CONFIDENCE)
		return "confidence";
	if (!is_time(row->expires))
		return "expiry";
	if (!is_text(row->category, sizeof(row->category)) ||
	    !is_text(row->reference, sizeof(row->reference)) ||
	    !is_text(row->reason, sizeof(row->reason)))
		return "text";
	return NULL;
}

static const char *check_summary(const struct feed_summary *s, uint64_t rows)
{
	if ((unsigned int)s->format >= FEED_FORMAT_MAX || (unsigned int)s->fault >= FEED_FAULT_MAX)
		return "format or fault";
	if (s->entries != rows || s->masked > rows)
		return "count of entries";
	if (!is_text(s->detail, sizeof(s->detail)) || !is_text(s->title, sizeof(s->title)))
		return "text of the summary";
	if (!is_bool(&s->complete) || !is_bool(&s->may_be_empty) || !is_time(s->timestamp))
		return "summary";
	return NULL;
}

const char *feeder_check_end(const struct feeder_end *end, uint64_t rows)
{
	bool good_status = !end->http_status || end->http_status / 100 == 2;

	if (end->ok > 1 || end->not_modified > 1 || end->kept > 1 || end->reserved)
		return "flags";
	if (end->http_status && (end->http_status < 100 || end->http_status > 599))
		return "status";
	if (!is_time(end->modified) || end->retry_after < 0 || end->retry_after > RETRY_AFTER_MAX)
		return "time";
	if (!is_tag(end->etag, sizeof(end->etag)) ||
	    !is_tag(end->last_modified, sizeof(end->last_modified)))
		return "tag";
	if (!is_text(end->why, sizeof(end->why)) || (!end->ok && !*end->why))
		return "reason";
	if (end->not_modified && (!end->ok || end->http_status != 304 || rows))
		return "status";
	if (end->ok && !end->not_modified && !good_status)
		return "status";
	return end->ok && !end->not_modified ? check_summary(&end->summary, rows) : NULL;
}
