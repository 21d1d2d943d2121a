// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as CSV. The first bytes choose the size of the pieces, which must
 * make no difference, the options and the columns.
 */
#include "core_feed_fuzz.h"

#define CHOICES 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char separators[] = { 0, ';', '\t', '|' };
	struct feed_options o = { .format = FEED_CSV };
	struct outcome whole, pieces;
	size_t piece;

	if (size < CHOICES)
		return 0;
	piece = 1 + data[0] % 64;
	o.refuse_host_bits = data[1] & 0x40;
	o.whole = data[1] & 0x20;
	o.csv.header = data[1] & 0x10;
	o.csv.separator = separators[data[1] % sizeof(separators)];
	o.csv.source = data[2] % 8 ? data[2] % 8 : 255;
	o.csv.end = data[3] % 8;
	o.csv.length = data[4] % 8;
	o.csv.category = data[5] % 8;
	o.csv.confidence = data[6] % 8;
	o.csv.expires = data[7] % 8;
	o.csv.reference = data[8] % 8;
	o.csv.reason = data[9];
	data += CHOICES;
	size -= CHOICES;
	whole = run(&o, data, size, 0);
	pieces = run(&o, data, size, piece);
	must_be_same(&whole, &pieces);
	return 0;
}
