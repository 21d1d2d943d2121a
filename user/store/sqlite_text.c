/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a client left in a column comes out as a C string of valid UTF-8 of
 * bounded length. What had to be changed for that cannot pass the gate, and
 * cannot be mistaken for another row's key that does:
 *
 *	embedded NUL, invalid UTF-8   '?' for the byte
 *	longer than STORE_TEXT_MAX    cut, and TEXT_MORE behind it
 *	blob                          x'1f2e...'
 */
#include "store/sqlite.h"

/* Whether a word has a byte that is zero or not ASCII. */
static bool word_is_odd(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;

	return (word | (word - ones)) & highs;
}

static bool is_plain(const char *text, size_t length)
{
	uint64_t word;

	for (; length >= sizeof(word); text += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		if (word_is_odd(word))
			return false;
	}
	for (; length; text++, length--)
		if ((signed char)*text <= 0)
			return false;
	return true;
}

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xC0) == 0x80;
}

/* Bytes of the UTF-8 sequence (RFC 3629) at text, 0 if there is none or it is NUL. */
static size_t sequence_length(const unsigned char *text, size_t left)
{
	unsigned char lead = text[0];
	unsigned char low = 0x80, high = 0xBF; /* of the second byte */
	size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

	if (lead < 0x80)
		return lead ? 1 : 0;
	if (lead < 0xC2 || lead > 0xF4 || left < length)
		return 0;
	if (lead == 0xE0)
		low = 0xA0; /* overlong */
	if (lead == 0xED)
		high = 0x9F; /* surrogates */
	if (lead == 0xF0)
		low = 0x90; /* overlong */
	if (lead == 0xF4)
		high = 0x8F; /* above U+10FFFF */
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (!is_continuation(text[i]))
			return 0;
	return length;
}

static const char *mend(char *out, const char *text, size_t length)
{
	const unsigned char *in = (const unsigned char *)text;
	size_t at = 0, size = 0;

	while (at < length) {
		size_t step = sequence_length(in + at, length - at);

		if (size + (step ?: 1) > STORE_TEXT_MAX) {
			memcpy(out + size, TEXT_MORE, sizeof(TEXT_MORE));
			return out;
		}
		if (step)
			memcpy(out + size, in + at, step);
		else
			out[size] = '?';
		size += step ?: 1;
		at += step ?: 1;
	}
	out[size] = '\0';
	return out;
}

static const char *format_number(char *out, int64_t number)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

	*--at = '\0';
	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*--at = '-';
	memcpy(out, at, (size_t)(digits + sizeof(digits) - at));
	return out;
}

static const char *format_blob(char *out, const unsigned char *blob, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	size_t size = 0;

	out[size++] = 'x';
	out[size++] = '\'';
	for (size_t i = 0; i < length; i++) {
		if (size + 2 >= STORE_TEXT_MAX) {
			memcpy(out + size, TEXT_MORE, sizeof(TEXT_MORE));
			return out;
		}
		out[size++] = hex[blob[i] >> 4];
		out[size++] = hex[blob[i] & 15];
	}
	out[size++] = '\'';
	out[size] = '\0';
	return out;
}

const char *sqlite_text(struct store *s, sqlite3_stmt *stmt, int column, size_t slot)
{
	char *out = s->scratch[slot];
	const void *value;
	size_t length;

	switch (sqlite3_column_type(stmt, column)) {
	case SQLITE_NULL:
		return NULL;
	case SQLITE_INTEGER:
		return format_number(out, sqlite3_column_int64(stmt, column));
	case SQLITE_BLOB:
		value = sqlite3_column_blob(stmt, column); /* NULL if empty */
		return format_blob(out, value, (size_t)sqlite3_column_bytes(stmt, column));
	}
	value = sqlite3_column_text(stmt, column);
	length = (size_t)sqlite3_column_bytes(stmt, column);
	if (!value)
		return TEXT_MORE; /* out of memory for a conversion */
	if (length <= STORE_TEXT_MAX && is_plain(value, length))
		return value;
	return mend(out, value, length);
}
