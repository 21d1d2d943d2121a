/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prefix-to-AS tables in text, plain or compressed, line by line:
 *
 *	1.0.0.0/24<TAB>13335			pyasn's .dat; comments begin with ';' or '#'
 *	1.0.0.0,1.0.0.255,13335,"CLOUDFLARENET"	IPtoASN and sapics CSV, also by tabs
 *
 * Each line says which of the two it is, in either family. More than one line
 * in a hundred that is neither makes the table unusable: it is another file,
 * or a broken one.
 */
#ifndef CORE_FEED_ASN_TEXT_H
#define CORE_FEED_ASN_TEXT_H

#include "core/feed_asn.h"

struct feed_asn_text;

/* a stays the caller's. */
int feed_asn_text_new(struct feed_asn *a, struct feed_asn_text **ret);
struct feed_asn_text *feed_asn_text_free(struct feed_asn_text *t);
DEFINE_CLEANUP(struct feed_asn_text, feed_asn_text_free)

/* Bytes as they come. 0, or negative: no more are wanted, feed_asn_text_finish() says why. */
int feed_asn_text_push(struct feed_asn_text *t, const void *bytes, size_t size);

/* The file ended. 0, or negative with why. */
int feed_asn_text_finish(struct feed_asn_text *t, struct problem *why);

#endif
