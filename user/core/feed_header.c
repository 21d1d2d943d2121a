// SPDX-License-Identifier: BSD-2-Clause
#include "core/feed_header.h"

#include <strings.h>
#include <time.h>

#include "core/feed_private.h"
#include "core/feed_target.h"
#include "core/when.h"

#define WORD_MAX    32
#define WORDS_MAX   10
#define UNIX_DIGITS 9 /* seconds since 1970, from 1973 on; a shorter number is a day or a year */

/* A comment that begins so tells the date of the content. */
static const char *const dated[] = {
	"Last-Modified", "This File Date", "last updated", "Last update",
	"updated",	 "Generated",	   "Date",
};

struct date {
	int year, month, day; /* month from 1; 0: not seen */
	int hour, minute, second;
	int offset; /* minutes east of Greenwich */
};

static bool read_clock(const char *word, struct date *d)
{
	uint64_t hour, minute, second = 0;
	size_t size = strlen(word);

	if ((size != 8 && size != 5) || word[2] != ':' || (size == 8 && word[5] != ':'))
		return false;
	if (!feed_number(word, 2, 23, &hour) || !feed_number(word + 3, 2, 59, &minute) ||
	    (size == 8 && !feed_number(word + 6, 2, 59, &second)))
		return false;
	d->hour = hour;
	d->minute = minute;
	d->second = second;
	return true;
}

/* "+0200", "-03:30" */
static bool read_offset(const char *word, struct date *d)
{
	size_t size = strlen(word);
	size_t minutes_at = size == 6 && word[3] == ':' ? 4 : 3;
	uint64_t hours, minutes;

	if ((*word != '+' && *word != '-') || size != minutes_at + 2 ||
	    !feed_number(word + 1, 2, 14, &hours) ||
	    !feed_number(word + minutes_at, 2, 59, &minutes))
		return false;
	d->offset = (int)(hours * 60 + minutes) * (*word == '-' ? -1 : 1);
	return true;
}

static bool read_month(const char *word, struct date *d)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (!strncasecmp(word, names + 3 * (size_t)i, 3)) {
			d->month = i + 1;
			return true;
		}
	}
	return false;
}

/* "2026-08-22", "2026/08/22" */
static bool read_day(const char *word, struct date *d)
{
	uint64_t year, month, day;

	if (strlen(word) != 10 || (word[4] != '-' && word[4] != '/') || word[7] != word[4] ||
	    !feed_number(word, 4, 9999, &year) || !feed_number(word + 5, 2, 12, &month) ||
	    !feed_number(word + 8, 2, 31, &day))
		return false;
	d->year = year;
	d->month = month;
	d->day = day;
	return true;
}

static void read_word(const char *word, struct date *d)
{
	uint64_t number;

	if (read_clock(word, d) || read_offset(word, d) || read_day(word, d))
		return;
	if (feed_number(word, strlen(word), 9999, &number)) {
		if (number > 31)
			d->year = number;
		else
			d->day = number;
	} else if (!d->month) {
		read_month(word, d);
	}
}

static int to_seconds(const struct date *d, int64_t *ret)
{
	struct tm tm = { .tm_year = d->year - 1900,
			 .tm_mon = d->month - 1,
			 .tm_mday = d->day,
			 .tm_hour = d->hour,
			 .tm_min = d->minute,
			 .tm_sec = d->second };
	int64_t t;

	if (d->year < 1970 || !d->month || !d->day)
		return -EINVAL;
	t = timegm(&tm) - d->offset * 60;
	if (tm.tm_mday != d->day || t < 0) /* 31 February moved on */
		return -EINVAL;
	*ret = t;
	return 0;
}

int feed_date_parse(const char *text, size_t size, int64_t *ret)
{
	const char *end = text + size;
	struct date date = {};
	int64_t at;

	for (int i = 0; i < WORDS_MAX; i++) {
		char word[WORD_MAX];
		size_t length;

		while (text < end && (feed_is_blank(*text) || strchr(",()[]", *text)))
			text++;
		for (length = 0; text + length < end && length < sizeof(word) - 1 &&
				 !feed_is_blank(text[length]) && !strchr(",()[]", text[length]);)
			length++;
		if (!length)
			break;
		memcpy(word, text, length);
		word[length] = '\0';
		text += length;
		if (length >= UNIX_DIGITS && when_parse(word, &at) == 0) {
			*ret = at;
			return 0;
		}
		if (length >= 19 && word[10] == 'T') { /* RFC 3339 without a zone */
			word[10] = word[19] = '\0';
			read_clock(word + 11, &date);
		}
		read_word(word, &date);
	}
	return to_seconds(&date, ret);
}

static void read_addresses(struct feed_header *h, const char *text, size_t size)
{
	static const char unit[] = " unique IPs";
	const char *end = memmem(text, size, unit, strlen(unit));
	const char *begin = end;
	uint64_t number;

	while (begin && begin > text && begin[-1] >= '0' && begin[-1] <= '9')
		begin--;
	if (!begin || !feed_number(begin, end - begin, UINT64_MAX / 2, &number))
		return;
	h->addresses = number;
	h->has_addresses = true;
}

static bool starts_with(const char *text, size_t size, const char *with, size_t *ret_length)
{
	*ret_length = strlen(with);
	return size >= *ret_length && !strncasecmp(text, with, *ret_length);
}

static bool has_letter(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = text[i] | 0x20;

		if (c >= 'a' && c <= 'z')
			return true;
	}
	return false;
}

void feed_header_read(struct feed_header *h, const char *text, size_t size)
{
	size_t length;

	while (size && (feed_is_blank(*text) || *text == '#' || *text == ';' || *text == '/')) {
		text++;
		size--;
	}
	while (size && feed_is_blank(text[size - 1]))
		size--;
	if (!h->title[0] && has_letter(text, size))
		feed_text_copy(h->title, sizeof(h->title), text, size);
	if (!h->has_addresses && starts_with(text, size, "Entries", &length))
		read_addresses(h, text, size);
	for (size_t i = 0; i < ARRAY_SIZE(dated) && !h->timestamp; i++) {
		if (!starts_with(text, size, dated[i], &length))
			continue;
		while (length < size && (feed_is_blank(text[length]) || text[length] == ':'))
			length++;
		feed_date_parse(text + length, size - length, &h->timestamp);
	}
}
