/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compressed bytes into bytes, as a stream, with limits: gzip (any number of
 * members) and zstd (any number of frames).
 *
 * A few MiB of memory at most, whatever the data says. What is compressed far
 * more than lists ever are is a bomb and ends it (FEED_RATIO_MAX).
 */
#ifndef CORE_FEED_INFLATE_H
#define CORE_FEED_INFLATE_H

#include "core/base.h"

#define FEED_MAGIC_SIZE 4 /* bytes that tell what it is */

enum feed_packing {
	FEED_PLAIN_BYTES,
	FEED_GZIP,
	FEED_ZSTD,
};

struct feed_inflate;

/* By the first bytes of a file; fewer than FEED_MAGIC_SIZE if it has no more. */
enum feed_packing feed_packing_find(const void *bytes, size_t size);

/* packing is FEED_GZIP or FEED_ZSTD. 0 or -ENOMEM. */
int feed_inflate_new(enum feed_packing packing, struct feed_inflate **ret);
struct feed_inflate *feed_inflate_free(struct feed_inflate *z);

/* Takes what was unpacked. Return non-zero to stop. */
typedef int (*feed_bytes_fn)(void *arg, const char *bytes, size_t size);

/*
 * 0, or
 *   -EBADMSG    the data is damaged, or something else follows it
 *   -EFBIG      a bomb
 *   -ENOMEM
 *   -ECANCELED  fn stopped it
 * after which it takes nothing more.
 */
int feed_inflate_push(struct feed_inflate *z, const void *bytes, size_t size, feed_bytes_fn fn,
		      void *arg);

/* No more bytes come. 0, or -ENODATA: it ended in the middle. */
int feed_inflate_finish(const struct feed_inflate *z);

DEFINE_CLEANUP(struct feed_inflate, feed_inflate_free)

#endif
