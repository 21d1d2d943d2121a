// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a compressed file, and any bytes compressed here: these must
 * give the rows of the plain ones, and with a byte changed never a good file
 * with other rows.
 */
#include "core_feed_fuzz.h"

#include <zlib.h>
#include <zstd.h>

#define CHOICES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t pack_gzip(const uint8_t *data, size_t size, uint8_t *to, size_t room)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data,
		       .avail_in = size,
		       .next_out = to,
		       .avail_out = room };

	must(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	must(deflate(&z, Z_FINISH) == Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

static size_t pack_zstd(const uint8_t *data, size_t size, uint8_t *to, size_t room)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t packed;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	packed = ZSTD_compress2(c, to, room, data, size);
	ZSTD_freeCCtx(c);
	must(!ZSTD_isError(packed));
	return packed;
}

/* data[0]: what to do, data[1]: pieces, data[2..3]: which byte is changed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed_options o = { .format = FEED_PLAIN, .whole = true };
	struct outcome plain, packed, damaged;
	_cleanup_free_ uint8_t *to = NULL;
	size_t room, used, piece, at;

	if (size < CHOICES)
		return 0;
	piece = 1 + data[1];
	at = data[2] | data[3] << 8;
	plain = run(&o, data + CHOICES, size - CHOICES, 0);
	packed = run(&o, data + CHOICES, size - CHOICES, piece);
	if (!plain.sum.fault || !packed.sum.fault) /* damage is seen sooner or later */
		must_be_same(&plain, &packed);
	if (!(data[0] & 3))
		return 0;

	room = compressBound(size) + ZSTD_compressBound(size) + 64;
	to = malloc(room);
	must(to != NULL);
	used = data[0] & 1 ? pack_gzip(data + CHOICES, size - CHOICES, to, room)
			   : pack_zstd(data + CHOICES, size - CHOICES, to, room);
	packed = run(&o, to, used, piece);
	/* Packed twice it is no list, and what is packed already says otherwise when read alone. */
	if (!plain.sum.fault)
		must(!packed.sum.fault ? packed.rows == plain.rows : packed.rows == 0);
	to[at % used] ^= 1 + data[0] % 255;
	damaged = run(&o, to, used, piece);
	if (!damaged.sum.fault && !packed.sum.fault)
		must(damaged.rows == packed.rows && damaged.hash == packed.hash);
	return 0;
}
