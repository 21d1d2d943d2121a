// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any text as a number, a duration, a rate, a count and a time: what is taken
 * lies within the limits, and a time that is written is read as the same.
 */
#include "core/units.h"
#include "core/when.h"

#define CENTURY (100LL * 366 * 86400)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), written[32];
	int64_t seconds, again;
	struct rate rate;
	uint64_t number;

	must(text);
	if (!units_number(text, &number))
		must(*text >= '0' && *text <= '9' && (*text != '0' || !text[1]));
	if (!units_duration(text, &seconds)) {
		must(seconds >= 1 && seconds <= CENTURY);
		must(*units_duration_format(seconds, written));
	}
	if (!units_rate(text, &rate))
		must(rate.value >= 1 && rate.value <= 1000000000000ULL);
	if (!units_count(text, &number))
		must(number >= 1);
	if (!when_parse_seconds(text, &seconds))
		must(seconds >= 0 && seconds <= WHEN_MAX);
	if (!when_parse(text, &seconds)) {
		must(seconds >= 0 && seconds <= WHEN_MAX);
		must(!when_parse(units_time_format(seconds, written), &again) && again == seconds);
	}
	free(text);
	return 0;
}
