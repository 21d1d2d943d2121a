// SPDX-License-Identifier: BSD-2-Clause
#include "core/feed_inflate.h"

#include <limits.h>
#include <zlib.h>
#include <zstd.h>

#include "core/feed.h"

#define OUT_SIZE    65536
#define RATIO_FROM  (1ULL << 20) /* bytes out that any file may have */
#define GZIP_WINDOW (15 + 16)	 /* the largest, and a gzip header is required */
#define ZSTD_WINDOW 23		 /* 8 MiB, what RFC 8878 asks every decoder to hold */

struct feed_inflate {
	enum feed_packing packing;
	z_stream gzip;
	bool gzip_begun;
	ZSTD_DCtx *zstd;
	bool between; /* a member or frame ended, nothing of another was seen */
	bool padded;  /* zeros follow the last member; only more of them may */
	int error;
	uint64_t in, out;
	char bytes[OUT_SIZE];
};

enum feed_packing feed_packing_find(const void *bytes, size_t size)
{
	const uint8_t *b = bytes;

	if (size >= 2 && b[0] == 0x1f && b[1] == 0x8b)
		return FEED_GZIP;
	if (size < FEED_MAGIC_SIZE)
		return FEED_PLAIN_BYTES;
	if (b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd)
		return FEED_ZSTD;
	/* A frame to skip, as parallel compressors write first. */
	if ((b[0] & 0xf0) == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18)
		return FEED_ZSTD;
	return FEED_PLAIN_BYTES;
}

int feed_inflate_new(enum feed_packing packing, struct feed_inflate **ret)
{
	_cleanup_(feed_inflate_freep) struct feed_inflate *z = calloc(1, sizeof(*z));

	if (!z)
		return -ENOMEM;
	z->packing = packing;
	if (packing == FEED_GZIP) {
		if (inflateInit2(&z->gzip, GZIP_WINDOW) != Z_OK)
			return -ENOMEM;
		z->gzip_begun = true;
	} else {
		z->zstd = ZSTD_createDCtx();
		if (!z->zstd ||
		    ZSTD_isError(ZSTD_DCtx_setParameter(z->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW)))
			return -ENOMEM;
	}
	*ret = take_ptr(z);
	return 0;
}

struct feed_inflate *feed_inflate_free(struct feed_inflate *z)
{
	if (!z)
		return NULL;
	if (z->gzip_begun)
		inflateEnd(&z->gzip);
	ZSTD_freeDCtx(z->zstd);
	free(z);
	return NULL;
}

/* One step: takes from bytes, fills z->bytes. Zeros may pad the end of a gzip file (tape blocks). */
static int step_gzip(struct feed_inflate *z, const uint8_t *bytes, size_t size, size_t *ret_taken,
		     size_t *ret_made)
{
	int err;

	*ret_taken = *ret_made = 0;
	if (z->between && *bytes == 0) {
		z->padded = true;
		*ret_taken = 1;
		return 0;
	}
	if (z->padded)
		return -EBADMSG;
	if (z->between && inflateReset(&z->gzip) != Z_OK)
		return -EBADMSG;
	z->between = false;
	z->gzip.next_in = (Bytef *)(uintptr_t)bytes;
	z->gzip.avail_in = size < UINT_MAX ? size : UINT_MAX;
	z->gzip.next_out = (Bytef *)z->bytes;
	z->gzip.avail_out = OUT_SIZE;
	err = inflate(&z->gzip, Z_NO_FLUSH);
	*ret_taken = (const uint8_t *)z->gzip.next_in - bytes;
	*ret_made = OUT_SIZE - z->gzip.avail_out;
	if (err == Z_STREAM_END)
		z->between = true;
	if (err == Z_MEM_ERROR)
		return -ENOMEM;
	return err == Z_OK || err == Z_STREAM_END || err == Z_BUF_ERROR ? 0 : -EBADMSG;
}

static int step_zstd(struct feed_inflate *z, const uint8_t *bytes, size_t size, size_t *ret_taken,
		     size_t *ret_made)
{
	ZSTD_inBuffer in = { .src = bytes, .size = size };
	ZSTD_outBuffer out = { .dst = z->bytes, .size = OUT_SIZE };
	size_t more = ZSTD_decompressStream(z->zstd, &out, &in);

	*ret_taken = in.pos;
	*ret_made = out.pos;
	if (ZSTD_isError(more))
		return -EBADMSG;
	z->between = more == 0;
	return 0;
}

static int check_ratio(const struct feed_inflate *z)
{
	return z->out > RATIO_FROM && z->out / FEED_RATIO_MAX > z->in ? -EFBIG : 0;
}

/* Until all is taken and nothing is held back. */
static int unpack(struct feed_inflate *z, const uint8_t *bytes, size_t size, feed_bytes_fn fn,
		  void *arg)
{
	bool full = false;

	while (size || full) {
		size_t taken, made;
		int err;

		err = z->packing == FEED_GZIP ? step_gzip(z, bytes, size, &taken, &made)
					      : step_zstd(z, bytes, size, &taken, &made);
		z->in += taken;
		z->out += made;
		bytes += taken;
		size -= taken;
		full = made == OUT_SIZE && !z->between;
		if (made && fn(arg, z->bytes, made))
			return -ECANCELED;
		err = err ? err : check_ratio(z);
		if (!err && size && !taken && !made) /* no library does that; nothing may loop */
			err = -EBADMSG;
		if (err)
			return err;
	}
	return 0;
}

int feed_inflate_push(struct feed_inflate *z, const void *bytes, size_t size, feed_bytes_fn fn,
		      void *arg)
{
	if (!z->error)
		z->error = unpack(z, bytes, size, fn, arg);
	return z->error;
}

int feed_inflate_finish(const struct feed_inflate *z)
{
	if (z->error)
		return z->error;
	return z->between ? 0 : -ENODATA;
}
