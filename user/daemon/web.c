/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/web.h"

#include <zlib.h>

#include "daemon/web_files.h"

#define GZIP_WINDOW (16 + MAX_WBITS) /* zlib.h: a gzip header, the largest window */

static const struct web_file files[] = {
#define X(number, name, type, hash, plain)                                                         \
	{ name, type, hash, web_bytes_##number, sizeof(web_bytes_##number), plain },
	WEB_FILES(X)
#undef X
};

const struct web_file *web_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	return NULL;
}

void web_inflate(const struct web_file *file, struct text *out)
{
	char *plain = malloc(file->plain + 1);
	z_stream z = {
		.next_in = (z_const Bytef *)file->bytes,
		.avail_in = (uInt)file->size,
		.next_out = (Bytef *)plain,
		.avail_out = (uInt)file->plain,
	};

	text_free(out);
	*out = (struct text){ .failed = true };
	if (!plain || inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
		free(plain);
		return;
	}
	if (inflate(&z, Z_FINISH) == Z_STREAM_END && !z.avail_out) {
		plain[file->plain] = '\0';
		*out = (struct text){ .data = take_ptr(plain),
				      .size = file->plain,
				      .room = file->plain + 1 };
	}
	inflateEnd(&z);
	free(plain);
}
