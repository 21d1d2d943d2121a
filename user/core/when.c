/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/when.h"

#include <time.h>

/* Exactly count digits at *s, then moves behind them. */
static bool digits(const char **s, int count, int *ret)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (**s < '0' || **s > '9')
			return false;
		value = value * 10 + (*(*s)++ - '0');
	}
	*ret = value;
	return true;
}

static bool literal(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

/* "Z", "+hh:mm" or "-hh:mm" as seconds east of Greenwich. */
static bool offset(const char **s, int64_t *ret)
{
	int sign, hours, minutes;

	if (**s == 'Z' || **s == 'z') {
		(*s)++;
		*ret = 0;
		return true;
	}
	if (**s != '+' && **s != '-')
		return false;
	sign = *(*s)++ == '-' ? -1 : 1;
	if (!digits(s, 2, &hours) || !literal(s, ':') || !digits(s, 2, &minutes))
		return false;
	if (hours > 23 || minutes > 59)
		return false;
	*ret = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool fraction(const char **s)
{
	int ignored;

	if (**s != '.')
		return true;
	(*s)++;
	if (!digits(s, 1, &ignored))
		return false;
	while (**s >= '0' && **s <= '9')
		(*s)++;
	return true;
}

static int rfc3339(const char *s, int64_t *ret)
{
	struct tm tm = {}, back;
	int year, month;
	int64_t east;
	time_t t;

	if (!digits(&s, 4, &year) || !literal(&s, '-') || !digits(&s, 2, &month) ||
	    !literal(&s, '-') || !digits(&s, 2, &tm.tm_mday))
		return -EINVAL;
	if (*s != 'T' && *s != 't' && *s != ' ')
		return -EINVAL;
	s++;
	if (!digits(&s, 2, &tm.tm_hour) || !literal(&s, ':') || !digits(&s, 2, &tm.tm_min) ||
	    !literal(&s, ':') || !digits(&s, 2, &tm.tm_sec) || !fraction(&s) ||
	    !offset(&s, &east) || *s)
		return -EINVAL;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	if (tm.tm_sec == 60) /* a leap second: unix time has none */
		tm.tm_sec = 59;
	back = tm;
	t = timegm(&back);
	/* timegm() makes 31 February the 3 March; a time that had to be moved is not one. */
	if (back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon || back.tm_hour != tm.tm_hour ||
	    back.tm_min != tm.tm_min || back.tm_sec != tm.tm_sec)
		return -EINVAL;
	t -= east;
	if (t < 0 || t > WHEN_MAX)
		return -EINVAL;
	*ret = t;
	return 0;
}

int when_parse_seconds(const char *text, int64_t *ret)
{
	int64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (*text - '0');
		if (value > WHEN_MAX)
			return -EINVAL;
	}
	*ret = value;
	return 0;
}

int when_parse(const char *text, int64_t *ret)
{
	if (when_parse_seconds(text, ret) == 0)
		return 0;
	return rfc3339(text, ret);
}
