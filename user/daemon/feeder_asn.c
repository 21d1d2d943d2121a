/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/feeder_asn.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include "core/feed_asn_text.h"
#include "daemon/feeder_mmdb.h"

#define READ_SIZE (256 << 10)

struct child_asn {
	const struct feeder_order *order;
	size_t tables;
	int fd[ASN_TABLES_MAX];	   /* owned; negative: as text from the descriptor itself */
	int error[ASN_TABLES_MAX]; /* negative: what is wrong with it already */
	struct feed_asn *asn;	   /* NULL until it is needed; owned */
	struct problem why;	   /* of -ENOTSUP */
	uint64_t rows, found, prefixes, passed;
};

struct child_asn *child_asn_free(struct child_asn *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->tables; i++)
		base_closep(&c->fd[i]);
	feed_asn_free(c->asn);
	free(c);
	return NULL;
}

/* ---- before the sandbox ---- */

/* A file that another user than its owner may open by /proc/self/fd. */
static int copy_file(int from, off_t size)
{
	_cleanup_close_ int to = memfd_create("moat-asn-table", MFD_CLOEXEC);
	_cleanup_free_ char *buffer = malloc(READ_SIZE);
	off_t at = 0;

	if (to < 0)
		return -errno;
	if (!buffer)
		return -ENOMEM;
	while (at < size) {
		ssize_t n = pread(from, buffer, READ_SIZE, at);

		if (n < 0)
			return -errno;
		if (!n)
			break;
		if (write(to, buffer, (size_t)n) != n)
			return errno ? -errno : -ENOSPC;
		at += n;
	}
	return take_fd(to);
}

static void prepare_table(struct child_asn *c, size_t i)
{
	int fd = FEEDER_FD_TABLE + (int)i;
	struct stat st;

	c->fd[i] = -1;
	c->error[i] = c->order->table[i].error;
	if (c->error[i])
		return;
	if (fstat(fd, &st) < 0) {
		c->error[i] = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		c->error[i] = -EINVAL;
	} else if (mmdb_recognise(fd, st.st_size)) {
		c->fd[i] = st.st_size > CHILD_ASN_BYTES_MAX ? -EFBIG : copy_file(fd, st.st_size);
		c->error[i] = c->fd[i] < 0 ? c->fd[i] : 0;
	}
}

int child_asn_prepare(const struct feeder_order *order, struct child_asn **ret, struct problem *why)
{
	struct child_asn *c;

	if (!order->tables)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return problem_set(why, -ENOMEM, "out of memory");
	c->order = order;
	c->tables = order->tables < ASN_TABLES_MAX ? order->tables : ASN_TABLES_MAX;
	for (size_t i = 0; i < c->tables; i++)
		prepare_table(c, i);
	*ret = c;
	return 0;
}

/* ---- tables ---- */

static int read_text(int fd, struct feed_asn *asn, struct problem *why)
{
	_cleanup_(feed_asn_text_freep) struct feed_asn_text *text = NULL;
	_cleanup_free_ char *buffer = malloc(READ_SIZE);
	off_t at = 0;

	if (!buffer || feed_asn_text_new(asn, &text))
		return problem_set(why, -ENOMEM, "out of memory");
	for (;;) {
		ssize_t n = pread(fd, buffer, READ_SIZE, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return problem_set(why, -errno, "%s", strerror(errno));
		if (!n || feed_asn_text_push(text, buffer, (size_t)n))
			break;
		at += n;
	}
	return feed_asn_text_finish(text, why);
}

static int read_table(struct child_asn *c, size_t i, struct problem *why)
{
	int r;

	if (c->error[i] == -EFBIG)
		return problem_set(why, -EFBIG, "larger than %lld MB", CHILD_ASN_BYTES_MAX >> 20);
	if (c->error[i])
		return problem_set(why, c->error[i], "%s", strerror(-c->error[i]));
	r = c->fd[i] >= 0 ? mmdb_read(c->fd[i], c->asn, why)
			  : read_text(FEEDER_FD_TABLE + (int)i, c->asn, why);
	if (r < 0)
		return r;
	r = feed_asn_end_table(c->asn);
	if (r == -EFBIG)
		return problem_set(why, r, "its entries overlap to more than %u ranges",
				   ASN_RANGES_MAX);
	return r < 0 ? problem_set(why, r, "%s", strerror(-r)) : 0;
}

static int read_tables(struct child_asn *c)
{
	struct problem why = {};

	if (feed_asn_new(&c->asn))
		return problem_set(&c->why, -ENOMEM, "out of memory");
	for (size_t i = 0; i < c->tables; i++) {
		int r = read_table(c, i, &why);

		if (r < 0)
			return problem_set(&c->why, r,
					   "the list names AS numbers, and asn_table '%s' cannot be "
					   "used: %s",
					   c->order->table[i].path, why.text);
	}
	feed_asn_ready(c->asn);
	return 0;
}

/* ---- rows ---- */

int child_asn_row(struct child_asn *c, const struct feed_row *row, feed_row_fn fn, void *arg)
{
	uint64_t prefixes = 0;
	int r = c->asn ? 0 : read_tables(c);

	if (r < 0 || c->why.text[0])
		return -ENOTSUP;
	r = feed_asn_expand(c->asn, row, fn, arg, &prefixes);
	c->rows++;
	c->prefixes += prefixes;
	c->found += prefixes != 0;
	if (r || prefixes || row->kind != FEED_ROW_ASN)
		return r;
	c->passed++;
	return fn(arg, row);
}

int child_asn_failed(const struct child_asn *c, struct problem *why)
{
	return problem_set(why, -ENOTSUP, "%s", c->why.text);
}

void child_asn_count(const struct child_asn *c, struct feed_summary *summary)
{
	if (!c)
		return;
	summary->entries += c->prefixes + c->passed - c->rows;
	summary->asns_found = c->found;
	summary->asn_prefixes = c->prefixes;
}
