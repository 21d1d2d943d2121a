/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the comments of a list tell about it: its name, its date, and for
 * FireHOL how many addresses it holds.
 *
 * A list is cut into lines by feed_text.c, which hands the text of each
 * comment here. The first of a kind counts.
 */
#ifndef CORE_FEED_HEADER_H
#define CORE_FEED_HEADER_H

#include "core/feed.h"

struct feed_header {
	char title[64];
	int64_t timestamp;  /* unix seconds, 0: not seen */
	bool has_addresses; /* "Entries : 3911 subnets, 611209217 unique IPs" */
	uint64_t addresses;
};

/* text is a comment without its mark. */
void feed_header_read(struct feed_header *h, const char *text, size_t size);

/*
 * "Sat, 22 Aug 2026 15:56:45 GMT", "Sat Aug 22 06:02:32 UTC 2026", with
 * +hhmm, "2026-08-22T06:02:32Z", seconds since 1970 in front of anything.
 * No zone is UTC. 0 or -EINVAL.
 */
int feed_date_parse(const char *text, size_t size, int64_t *ret_unix_seconds);

#endif
