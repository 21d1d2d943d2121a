/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decisions of a LAPI that are in force, as its stream told them.
 *
 * A listing is of a source and a category; several decisions may stand behind
 * it: a ban and a captcha of one address, an address and a range of one
 * address. When one of them ends, this says what the others leave.
 *
 * A decision is known by source, type and scope; of several such the
 * longest-lived counts, for it is the only one that the stream names. Rows are
 * those of core/feed.h: category is the type.
 *
 * Who uses it: crowdsec.c. Memory: 107 bytes a decision at most,
 * CROWDSEC_DECISIONS_MAX of them; of texts that do not fit, the reason is left out.
 */
#ifndef DAEMON_CROWDSEC_TABLE_H
#define DAEMON_CROWDSEC_TABLE_H

#include "core/feed.h"

#define CROWDSEC_DECISIONS_MAX 4000000

struct crowdsec_table;

int crowdsec_table_new(struct crowdsec_table **ret);
struct crowdsec_table *crowdsec_table_free(struct crowdsec_table *t);
DEFINE_CLEANUP(struct crowdsec_table, crowdsec_table_free)

/* 0, -E2BIG, -ENOSPC: too many types, -ENOMEM. */
int crowdsec_table_add(struct crowdsec_table *t, const struct feed_row *row);
void crowdsec_table_remove(struct crowdsec_table *t, const struct feed_row *row);

size_t crowdsec_table_count(const struct crowdsec_table *t);

/* The decisions of just this source, as rows to add. fn returns non-zero to stop; so does this. */
typedef int (*crowdsec_row_fn)(void *arg, const struct feed_row *row);
int crowdsec_table_each(const struct crowdsec_table *t, const struct prefix *source,
			crowdsec_row_fn fn, void *arg);

/* How many are in force for each reason ("" for none), by family: IPv4, IPv6. 0 or -ENOMEM. */
typedef void (*crowdsec_reason_fn)(void *arg, const char *reason, const uint64_t count[2]);
int crowdsec_table_reasons(const struct crowdsec_table *t, int64_t now, crowdsec_reason_fn fn,
			   void *arg);

#endif
