/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeder_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include "daemon/feeder_asn.h"
#include "daemon/feeder_fetch.h"
#include "daemon/feeder_hide.h"
#include "daemon/feeder_sandbox.h"

#define EXIT_LOST 3 /* the parent does not listen, or sent no order */

struct child {
	const struct feeder_order *order;
	struct feed_parser *parser;
	struct feeder_frame *frame; /* with rows behind it */
	struct feed_row *row;
	struct child_asn *asn; /* NULL: AS numbers are not expanded */
	bool keeps;	       /* until a write fails */
};

/* ---- out ---- */

static void write_out(const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t n = write(FEEDER_FD_OUT, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(EXIT_LOST);
		at += n;
		size -= (size_t)n;
	}
}

static void flush_rows(struct child *c)
{
	if (c->frame->count)
		write_out(c->frame, sizeof(*c->frame) + c->frame->count * sizeof(*c->row));
	c->frame->count = 0;
}

static int put_row(void *arg, const struct feed_row *row)
{
	struct child *c = arg;

	c->row[c->frame->count++] = *row;
	if (c->frame->count == FEEDER_BATCH)
		flush_rows(c);
	return 0;
}

static int on_row(void *arg, const struct feed_row *row)
{
	struct child *c = arg;
	bool asn = row->kind == FEED_ROW_ASN || row->kind == FEED_ROW_ASN_REMOVE;

	return asn && c->asn ? child_asn_row(c->asn, row, put_row, c) : put_row(c, row);
}

static void write_end(const struct feeder_end *end)
{
	const struct feeder_frame frame = { FEEDER_FRAME_MAGIC, FEEDER_END, 1 };

	write_out(&frame, sizeof(frame));
	write_out(end, sizeof(*end));
}

/* ---- in ---- */

static bool keep_bytes(const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(FEEDER_FD_KEEP, bytes, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

static int begin(void *arg, bool proven)
{
	struct child *c = arg;
	struct feed_options options = c->order->parse;

	options.types = *c->order->types ? c->order->types : NULL;
	options.whole = options.whole && proven;
	options.expands_asn = c->asn;
	return feed_parser_new(&options, on_row, c, &c->parser);
}

static int take_bytes(void *arg, const void *bytes, size_t size)
{
	struct child *c = arg;

	c->keeps = c->keeps && keep_bytes(bytes, size);
	return feed_parser_push(c->parser, bytes, size);
}

/* ---- the job ---- */

static void read_order(struct feeder_order *order)
{
	ssize_t n = read(FEEDER_FD_ORDER, order, sizeof(*order));

	if (n == sizeof(*order) && order->magic == FEEDER_ORDER_MAGIC &&
	    order->size == sizeof(*order) + sizeof(struct feeder_end))
		return;
	fputs("moatd: " FEEDER_CHILD " is moatd's own business\n", stderr);
	_exit(EXIT_LOST);
}

/* When memory is short, better this process than the one that keeps the filter true. */
static void offer_to_die_first(void)
{
	_cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1000", 4) < 0)
		return; /* a courtesy: limits bound this process anyway */
}

/* Part of it may be a server's words. */
static void copy_printable(char to[static PROBLEM_MAX], const char *from)
{
	for (size_t i = 0; i < PROBLEM_MAX - 1 && from[i]; i++)
		to[i] = from[i] < 0x20 || from[i] > 0x7e ? '?' : from[i];
}

static int fetch_and_parse(struct child *c, struct fetch *fetch, struct feeder_end *end,
			   struct problem *why)
{
	const struct fetch_sink sink = { begin, take_bytes, c };
	int r;

	r = child_asn_prepare(c->order, &c->asn, why);
	r = r ?: sandbox_enter(c->order->parent, c->keeps ? FEED_SIZE_MAX : 0, why);
	r = r ?: fetch_run(fetch, &sink, end, why);
	if (r < 0 || end->not_modified)
		return r;
	r = feed_parser_finish(c->parser, &end->summary);
	if (r == -ENOTSUP && c->asn)
		return child_asn_failed(c->asn, why);
	if (r < 0)
		return problem_set(why, r, "parser: %s", strerror(-r));
	child_asn_count(c->asn, &end->summary);
	return 0;
}

static int run(struct child *c, struct feeder_end *end, struct problem *why)
{
	_cleanup_(fetch_freep) struct fetch *fetch = NULL;
	int r = fetch_prepare(c->order, &fetch, why);

	if (r < 0)
		return r;
	r = fetch_and_parse(c, fetch, end, why);
	fetch_hide(fetch, why->text);
	fetch_hide(fetch, end->summary.detail);
	fetch_hide(fetch, end->summary.title);
	return r;
}

void feeder_child_main(void)
{
	_cleanup_free_ struct feeder_order *order = calloc(1, sizeof(*order));
	struct child c = { .order = order };
	struct feeder_end end = {};
	struct problem why = {};

	c.frame = calloc(1, FEEDER_FRAME_MAX);
	if (!order || !c.frame)
		_exit(EXIT_LOST);
	read_order(order);
	prctl(PR_SET_NAME, "moatd-feeder");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a copy too large is not kept */
	offer_to_die_first();
	*c.frame = (struct feeder_frame){ FEEDER_FRAME_MAGIC, FEEDER_ROWS, 0 };
	c.row = (struct feed_row *)(c.frame + 1);
	c.keeps = order->keep;
	if (run(&c, &end, &why) < 0) {
		memset(&end.summary, 0, sizeof(end.summary));
		end.not_modified = 0;
		copy_printable(end.why, why.text);
	} else {
		end.ok = 1;
	}
	end.kept = c.keeps;
	flush_rows(&c);
	write_end(&end);
	_exit(0);
}

bool feeder_is_child(int argc, char **argv)
{
	return argc == 2 && !strcmp(argv[1], FEEDER_CHILD);
}
