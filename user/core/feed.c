// SPDX-License-Identifier: BSD-2-Clause
#include "core/feed.h"

#include "core/feed_inflate.h"
#include "core/feed_private.h"
#include "core/feed_recognise.h"

static const struct {
	const char *label;
	const char *text;
} formats[] = {
#define X(name, label, text) [FEED_##name] = { label, text },
	FEED_FORMATS(X)
#undef X
}, faults[] = {
	[FEED_GOOD] = { "good", "nothing is wrong with it" },
#define X(name, label, text) [FEED_FAULT_##name] = { label, text },
	FEED_FAULTS(X)
#undef X
};

static const char *const skips[] = {
#define X(name, label) [FEED_SKIP_##name] = label,
	FEED_SKIPS(X)
#undef X
};

const char *feed_format_label(enum feed_format format)
{
	return (size_t)format < ARRAY_SIZE(formats) ? formats[format].label : "unknown";
}

int feed_format_find(const char *label)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!strcmp(formats[i].label, label))
			return i;
	}
	return -ENOENT;
}

void feed_formats(struct problem *ret)
{
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(formats) && used < sizeof(ret->text); i++)
		used += (size_t)snprintf(ret->text + used, sizeof(ret->text) - used, " %s",
					 formats[i].label);
}

const char *feed_fault_label(enum feed_fault fault)
{
	return (size_t)fault < ARRAY_SIZE(faults) ? faults[fault].label : "unknown";
}

const char *feed_fault_text(enum feed_fault fault)
{
	return (size_t)fault < ARRAY_SIZE(faults) ? faults[fault].text : "unknown";
}

const char *feed_skip_label(enum feed_skip skip)
{
	return (size_t)skip < ARRAY_SIZE(skips) ? skips[skip] : "unknown";
}

int feed_parser_new(const struct feed_options *options, feed_row_fn fn, void *arg,
		    struct feed_parser **ret)
{
	struct feed_parser *p;

	if ((unsigned int)options->format >= FEED_FORMAT_MAX || !fn ||
	    (options->format == FEED_CSV && !options->csv.source && !options->csv.asn))
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->options = *options;
	p->fn = fn;
	p->arg = arg;
	*ret = p;
	return 0;
}

struct feed_parser *feed_parser_free(struct feed_parser *p)
{
	if (!p)
		return NULL;
	if (p->state && p->reader->fini)
		p->reader->fini(p->state);
	free(p->state);
	feed_inflate_free(p->inflate);
	free(p);
	return NULL;
}

/* What push() returns: whether there is a point in more bytes. */
static int status(const struct feed_parser *p)
{
	if (p->stopped)
		return p->stopped < 0 ? p->stopped : -ECANCELED;
	return p->summary.fault ? -EBADMSG : 0;
}

static void read_bytes(struct feed_parser *p, const char *bytes, size_t size)
{
	const char *nul = p->reader == &feed_reader_json ? NULL : memchr(bytes, '\0', size);
	int err;

	if (nul)
		size = nul - bytes;
	err = size ? p->reader->push(p, p->state, bytes, size) : 0;
	if (err && !p->stopped)
		p->stopped = err;
	if (nul && !status(p))
		feed_fault(p, FEED_FAULT_BINARY, "NUL behind line %llu",
			   (unsigned long long)p->summary.lines);
}

/* The head is full or all there is: what it is gets it, without a byte order mark. */
static void begin_reading(struct feed_parser *p, bool ended)
{
	static const char mark[] = "\xef\xbb\xbf";
	int err;

	if (p->heads >= 3 && !memcmp(p->head, mark, 3)) {
		p->heads -= 3;
		memmove(p->head, p->head + 3, p->heads);
	}
	feed_recognise(p, ended);
	if (status(p))
		return;
	p->summary.format = p->format;
	p->state = calloc(1, p->reader->size);
	err = p->state ? 0 : -ENOMEM;
	if (!err && p->reader->init)
		err = p->reader->init(p, p->state);
	if (err) {
		p->stopped = err;
		return;
	}
	read_bytes(p, p->head, p->heads);
}

/* Decompressed bytes. */
static int take_bytes(void *arg, const char *bytes, size_t size)
{
	struct feed_parser *p = arg;

	if (status(p))
		return status(p);
	if (size > FEED_SIZE_MAX - p->summary.bytes) {
		feed_fault(p, FEED_FAULT_TOO_LARGE, "more than %llu MiB", FEED_SIZE_MAX >> 20);
		return status(p);
	}
	p->summary.bytes += size;
	if (!p->reader) {
		size_t room = sizeof(p->head) - p->heads;
		size_t taken = size < room ? size : room;

		memcpy(p->head + p->heads, bytes, taken);
		p->heads += taken;
		if (p->heads < sizeof(p->head))
			return 0;
		begin_reading(p, false);
		bytes += taken;
		size -= taken;
	}
	if (size && !status(p))
		read_bytes(p, bytes, size);
	return status(p);
}

static void take_packed(struct feed_parser *p, const void *bytes, size_t size)
{
	int err;

	if (!p->inflate) {
		take_bytes(p, bytes, size);
		return;
	}
	err = feed_inflate_push(p->inflate, bytes, size, take_bytes, p);
	if (err == -EBADMSG)
		feed_fault(p, FEED_FAULT_COMPRESSION, "damaged behind byte %llu of its content",
			   (unsigned long long)p->summary.bytes);
	else if (err == -EFBIG)
		feed_fault(p, FEED_FAULT_BOMB, "more than %d times its compressed size",
			   FEED_RATIO_MAX);
	else if (err && err != -ECANCELED)
		p->stopped = err;
}

/* The first bytes are in p->head: compressed or not, they go where they belong. */
static void begin_unpacking(struct feed_parser *p)
{
	enum feed_packing packing = feed_packing_find(p->head, p->heads);
	char magic[FEED_MAGIC_SIZE];
	size_t size = p->heads;
	int err = 0;

	memcpy(magic, p->head, size);
	p->heads = 0;
	p->unpacking = true;
	if (packing != FEED_PLAIN_BYTES)
		err = feed_inflate_new(packing, &p->inflate);
	if (err)
		p->stopped = err;
	else if (size)
		take_packed(p, magic, size);
}

int feed_parser_push(struct feed_parser *p, const void *bytes, size_t size)
{
	const char *at = bytes;

	if (!p->unpacking) {
		size_t room = FEED_MAGIC_SIZE - p->heads;
		size_t taken = size < room ? size : room;

		if (taken)
			memcpy(p->head + p->heads, at, taken);
		p->heads += taken;
		at += taken;
		size -= taken;
		if (p->heads < FEED_MAGIC_SIZE)
			return 0;
		begin_unpacking(p);
	}
	if (size && !status(p))
		take_packed(p, at, size);
	return status(p);
}

static void finish(struct feed_parser *p)
{
	int err;

	if (!p->unpacking)
		begin_unpacking(p);
	if (!status(p) && p->inflate && feed_inflate_finish(p->inflate))
		feed_fault(p, FEED_FAULT_TRUNCATED, "compressed data ends in the middle");
	if (!status(p) && !p->summary.bytes)
		feed_fault(p, FEED_FAULT_EMPTY, "no bytes");
	if (!status(p) && !p->reader)
		begin_reading(p, true);
	if (status(p))
		return;
	err = p->reader->finish ? p->reader->finish(p, p->state) : 0;
	if (err && !p->stopped)
		p->stopped = err;
}

int feed_parser_finish(struct feed_parser *p, struct feed_summary *ret)
{
	finish(p);
	p->summary.format = p->format;
	*ret = p->summary;
	return p->stopped;
}
