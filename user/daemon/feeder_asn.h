/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AS numbers of a list into prefixes, in the feeder's child: it reads the
 * tables whose descriptors the daemon handed over, when the first AS number
 * comes and not before.
 *
 * A table that cannot be read makes the whole fetch fail: half of an expansion
 * would be taken for a list that shrank.
 */
#ifndef DAEMON_FEEDER_ASN_H
#define DAEMON_FEEDER_ASN_H

#include "daemon/feeder_wire.h"

#define CHILD_ASN_BYTES_MAX (256LL << 20) /* of an mmdb */

struct child_asn;

/*
 * Before the sandbox: looks whether a table is an mmdb, which libmaxminddb opens
 * by a name, and gives it one; nothing is parsed. *ret is NULL without tables.
 */
int child_asn_prepare(const struct feeder_order *order, struct child_asn **ret,
		      struct problem *why);
struct child_asn *child_asn_free(struct child_asn *c);
DEFINE_CLEANUP(struct child_asn, child_asn_free)

/* Gives what a row of an AS number comes to; the row itself, if no table has it. -ENOTSUP: failed. */
int child_asn_row(struct child_asn *c, const struct feed_row *row, feed_row_fn fn, void *arg);

/* Fills why of -ENOTSUP. Returns it. */
int child_asn_failed(const struct child_asn *c, struct problem *why);

/* Puts what came of AS numbers into the parser's summary. c may be NULL. */
void child_asn_count(const struct child_asn *c, struct feed_summary *summary);

#endif
