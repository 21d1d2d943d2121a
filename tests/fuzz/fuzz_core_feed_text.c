// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a list of lines. The first byte chooses the format and the
 * options, the second the size of the pieces, which must make no difference.
 */
#include "core_feed_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum feed_format formats[] = {
	FEED_PLAIN,    FEED_SPAMHAUS,  FEED_DSHIELD, FEED_FIREHOL,
	FEED_EMERGING, FEED_ABUSEIPDB, FEED_ASN,     FEED_AUTO,
};

static bool may_be_json(const uint8_t *data, size_t size)
{
	return memchr(data, '{', size) || memchr(data, '[', size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed_options o = { .now = 1787378552 };
	struct outcome whole, pieces;
	size_t piece;

	if (size < 2)
		return 0;
	o.format = formats[data[0] % ARRAY_SIZE(formats)];
	o.refuse_host_bits = data[0] & 0x40;
	o.whole = data[0] & 0x20;
	piece = 1 + data[1] % 64;
	data += 2;
	size -= 2;
	if (o.format != FEED_PLAIN && may_be_json(data, size < 512 ? size : 512))
		o.format = FEED_PLAIN; /* JSON has its own fuzzer */
	whole = run(&o, data, size, 0);
	pieces = run(&o, data, size, piece);
	must_be_same(&whole, &pieces);
	return 0;
}
