// SPDX-License-Identifier: BSD-2-Clause
#include <ctype.h>
#include <strings.h>

#include "core/units.h"

#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)

#define DURATION_MAX (36525LL * DAY) /* 100 years */

#define PACKETS_MAX 1000000000ULL
#define BITS_MIN    1000ULL
#define BITS_MAX    1000000000000ULL

/* The digits at the start of *text, which moves behind them. No sign, no leading zeros. */
static int take_number(const char **text, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	if (!isdigit((unsigned char)*p) || (*p == '0' && isdigit((unsigned char)p[1])))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return -EINVAL;
	}
	*text = p;
	*ret = value;
	return 0;
}

/* k, m or g: powers of 1000. No such letter: 1. */
static uint64_t take_scale(const char **text)
{
	switch (tolower((unsigned char)**text)) {
	case 'k':
		(*text)++;
		return 1000;
	case 'm':
		(*text)++;
		return 1000 * 1000;
	case 'g':
		(*text)++;
		return 1000 * 1000 * 1000;
	}
	return 1;
}

int units_number(const char *text, uint64_t *ret)
{
	uint64_t value;

	if (take_number(&text, &value) || *text)
		return -EINVAL;
	*ret = value;
	return 0;
}

int units_duration(const char *text, int64_t *ret_seconds)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} unit[] = { { 's', 1 }, { 'm', MINUTE }, { 'h', HOUR }, { 'd', DAY }, { 'w', WEEK } };
	uint64_t value;

	if (take_number(&text, &value) || !text[0] || text[1])
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(unit); i++) {
		if (unit[i].letter != text[0])
			continue;
		if (__builtin_mul_overflow(value, unit[i].seconds, &value) || !value ||
		    value > DURATION_MAX)
			return -EINVAL;
		*ret_seconds = value;
		return 0;
	}
	return -EINVAL;
}

const char *units_duration_format(int64_t seconds, char buf[static 32])
{
	static const struct {
		const char *letter;
		uint64_t seconds;
	} unit[] = { { "d", DAY }, { "h", HOUR }, { "m", MINUTE }, { "s", 1 } };
	uint64_t left = seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds;
	const char *sign = seconds < 0 ? "-" : "";
	size_t i = 0;
	uint8_t more; /* of the next unit: below 60 */

	while (i < ARRAY_SIZE(unit) - 1 && left < unit[i].seconds)
		i++;
	more = i + 1 < ARRAY_SIZE(unit) ? left % unit[i].seconds / unit[i + 1].seconds : 0;
	left /= unit[i].seconds;
	if (more)
		snprintf(buf, 32, "%s%llu%s %u%s", sign, (unsigned long long)left, unit[i].letter,
			 more, unit[i + 1].letter);
	else
		snprintf(buf, 32, "%s%llu%s", sign, (unsigned long long)left, unit[i].letter);
	return buf;
}

int units_rate(const char *text, struct rate *ret)
{
	uint64_t value;
	bool bits;

	if (take_number(&text, &value) || __builtin_mul_overflow(value, take_scale(&text), &value))
		return -EINVAL;
	bits = !strcasecmp(text, "bps");
	if (!bits && strcasecmp(text, "pps"))
		return -EINVAL;
	if (bits ? value < BITS_MIN || value > BITS_MAX : !value || value > PACKETS_MAX)
		return -EINVAL;
	*ret = (struct rate){ .bits = bits, .value = value };
	return 0;
}

int units_count(const char *text, uint64_t *ret)
{
	uint64_t value;

	if (take_number(&text, &value) ||
	    __builtin_mul_overflow(value, take_scale(&text), &value) || *text || !value)
		return -EINVAL;
	*ret = value;
	return 0;
}

#define TIME_MIN (-62167219200LL) /* 0000-01-01T00:00:00Z */
#define TIME_MAX 253402300799LL	  /* 9999-12-31T23:59:59Z: RFC 3339 has four digits of year */

#define DAYS_TO_1970 719468 /* from 0000-03-01 */
#define DAYS_ERA     146097 /* 400 years */

const char *units_time_format(int64_t unix_seconds, char buf[static 32])
{
	int64_t after = unix_seconds < TIME_MIN ? TIME_MIN : unix_seconds;
	int64_t seconds = after > TIME_MAX ? TIME_MAX : after;
	int64_t day = (seconds - TIME_MIN) / DAY + TIME_MIN / DAY;
	int clock = (seconds - TIME_MIN) % DAY;
	/* Gregorian calendar with years that start in March, so that the leap day is the last. */
	int64_t shifted = day + DAYS_TO_1970 + DAYS_ERA;
	int era = shifted / DAYS_ERA - 1;
	int of_era = shifted % DAYS_ERA;
	int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int march = (5 * of_year + 2) / 153; /* months since March */
	int month = march < 10 ? march + 3 : march - 9;
	int year = era * 400 + year_of_era + (month <= 2);

	snprintf(buf, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month,
		 of_year - (153 * march + 2) / 5 + 1, clock / HOUR, clock % HOUR / MINUTE,
		 clock % MINUTE);
	return buf;
}
