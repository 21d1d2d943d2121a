/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows that cannot be given yet, because what stands further down in the file
 * comes first (CrowdSec's deletions) or replaces them (STIX versions). Packed
 * into one piece of memory, which the owner of struct feed_held frees.
 */
#ifndef CORE_FEED_HELD_H
#define CORE_FEED_HELD_H

#include "core/feed.h"

#define FEED_HELD_MAX (128U << 20) /* bytes; a row takes about 100 */

struct feed_held {
	char *bytes; /* owned */
	size_t size, room;
};

/* 0, -ENOMEM, or -EFBIG: more than FEED_HELD_MAX. tag is the caller's. */
int feed_held_add(struct feed_held *h, const struct feed_row *row, uint32_t tag);

/* Takes out in the order of adding; *at begins as 0. Whether there was one more. */
bool feed_held_next(const struct feed_held *h, size_t *at, struct feed_row *row, uint32_t *tag);

void feed_held_free(struct feed_held *h);

#endif
