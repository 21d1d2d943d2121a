/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which prefixes an AS number stands for, by prefix-to-AS tables.
 *
 *	feed_asn_new(&asn)
 *	feed_asn_add(asn, ...)		every entry of a table, in any order
 *	feed_asn_end_table(asn)		and so on for the other tables
 *	feed_asn_ready(asn)
 *	feed_asn_expand(asn, row, ...)	as often as there are rows
 *
 * As in a routing table, the narrowest entry says whose an address is: a
 * prefix of another AS inside one that is listed is not listed with it. Of two
 * entries of the same addresses both count. Several tables add up.
 *
 * Rows come out as the fewest prefixes that cover an AS, in order. Memory is
 * bounded by the limits below, whatever a table says. No I/O; how tables are
 * read is in feed_asn_text.h and in the feeder's child.
 */
#ifndef CORE_FEED_ASN_H
#define CORE_FEED_ASN_H

#include "core/feed.h"
#include "core/range.h"

#define ASN_TABLES_MAX	4
#define ASN_ENTRIES_MAX (2U << 20) /* of one table; the Internet's has 1.2 million */
#define ASN_RANGES_MAX	(4U << 20) /* of all tables, after the narrower ones were cut out */

struct feed_asn;

int feed_asn_new(struct feed_asn **ret);
struct feed_asn *feed_asn_free(struct feed_asn *a);
DEFINE_CLEANUP(struct feed_asn, feed_asn_free)

/*
 * The range first..last, its taken unused, belongs to an AS. AS 0, and the whole of a family (a
 * default route), say nothing and are left out. 0, -ENOMEM, or -EFBIG: too many.
 */
int feed_asn_add(struct feed_asn *a, const struct range *range, uint32_t asn);

/* 0, -ENOMEM, or -EFBIG. */
int feed_asn_end_table(struct feed_asn *a);

/* No more tables come. */
void feed_asn_ready(struct feed_asn *a);

/* Entries that were added, of all tables, by family; for a person. */
uint64_t feed_asn_entries(const struct feed_asn *a, uint8_t family);

/*
 * Calls fn for each prefix of row->asn. row is of kind FEED_ROW_ASN or
 * FEED_ROW_ASN_REMOVE; what comes out adds or removes, and begins its reference
 * with "AS64496". Returns what fn did; *ret_prefixes how often it was called.
 */
int feed_asn_expand(const struct feed_asn *a, const struct feed_row *row, feed_row_fn fn, void *arg,
		    uint64_t *ret_prefixes);

#endif
