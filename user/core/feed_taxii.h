/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One page of a TAXII 2.1 collection: an envelope of STIX objects, and where
 * the next page is. Pages are put together to one envelope, which the STIX
 * parser reads: versions of an indicator may be on different pages.
 *
 *	{"more":true,"next":"20","objects":[ ... ]}
 */
#ifndef CORE_FEED_TAXII_H
#define CORE_FEED_TAXII_H

#include "core/base.h"
#include "core/problem.h"

#define TAXII_PAGE_MAX	(64U << 20) /* bytes */
#define TAXII_PAGES_MAX 10000
#define TAXII_NEXT_MAX	1024 /* bytes of what the server wants to be asked for, with NUL */

/* What the pages become: the first of these, objects with commas between, the second. */
#define TAXII_BEGIN "{\"more\":false,\"objects\":["
#define TAXII_END   "]}\n"

struct taxii_page {
	size_t begin, end; /* of the objects in the page's bytes, without brackets; equal: none */
	bool more;
	char next[TAXII_NEXT_MAX]; /* "": it does not say */
};

/* 0, or -EBADMSG with why: no envelope. */
int taxii_page_read(const char *bytes, size_t size, struct taxii_page *ret, struct problem *why);

#endif
