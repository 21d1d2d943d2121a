/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/chain.h"

#include <openssl/evp.h>

#define COLUMNS 5

struct chain {
	EVP_MD_CTX *hash; /* owned */
};

int chain_new(struct chain **ret)
{
	_cleanup_(chain_freep) struct chain *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->hash = EVP_MD_CTX_new();
	if (!c->hash)
		return -ENOMEM;
	*ret = take_ptr(c);
	return 0;
}

struct chain *chain_free(struct chain *c)
{
	if (!c)
		return NULL;
	EVP_MD_CTX_free(c->hash);
	free(c);
	return NULL;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool chain_text_ok(const char *text)
{
	for (size_t i = 0; i < CHAIN_TEXT - 1; i++)
		if (digit(text[i]) < 0)
			return false;
	return !text[CHAIN_TEXT - 1];
}

static bool add(struct chain *c, const void *bytes, size_t size)
{
	return !size || EVP_DigestUpdate(c->hash, bytes, size);
}

static bool add_number(struct chain *c, uint64_t number)
{
	uint8_t bytes[sizeof(number)];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(number >> (8 * (sizeof(bytes) - 1 - i)));
	return add(c, bytes, sizeof(bytes));
}

static bool add_hash(struct chain *c, const char *text)
{
	uint8_t bytes[CHAIN_BYTES];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
	return add(c, bytes, sizeof(bytes));
}

static bool add_fixed(struct chain *c, char kind, uint64_t number)
{
	return add(c, &kind, 1) && add_number(c, sizeof(number)) && add_number(c, number);
}

static bool add_bytes(struct chain *c, char kind, const void *bytes, int size)
{
	return add(c, &kind, 1) && add_number(c, (uint64_t)size) && add(c, bytes, (size_t)size);
}

static bool add_column(struct chain *c, sqlite3_stmt *stmt, int column)
{
	uint64_t bits;
	double real;
	const void *value;

	switch (sqlite3_column_type(stmt, column)) {
	case SQLITE_NULL:
		return add_bytes(c, 'n', NULL, 0);
	case SQLITE_INTEGER:
		return add_fixed(c, 'i', (uint64_t)sqlite3_column_int64(stmt, column));
	case SQLITE_FLOAT:
		real = sqlite3_column_double(stmt, column);
		memcpy(&bits, &real, sizeof(bits));
		return add_fixed(c, 'f', bits);
	case SQLITE_BLOB:
		value = sqlite3_column_blob(stmt, column);
		return add_bytes(c, 'b', value, sqlite3_column_bytes(stmt, column));
	}
	value = sqlite3_column_text(stmt, column);
	return value && add_bytes(c, 't', value, sqlite3_column_bytes(stmt, column));
}

int chain_row(struct chain *c, const char *before, int64_t rowid, sqlite3_stmt *stmt, int column,
	      char ret[static CHAIN_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t bytes[CHAIN_BYTES];
	unsigned int size = 0;
	bool good = EVP_DigestInit_ex(c->hash, EVP_sha256(), NULL) && add_hash(c, before) &&
		    add_number(c, (uint64_t)rowid);

	for (int i = 0; good && i < COLUMNS; i++)
		good = add_column(c, stmt, column + i);
	if (!good || !EVP_DigestFinal_ex(c->hash, bytes, &size) || size != sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		ret[2 * i] = hex[bytes[i] >> 4];
		ret[2 * i + 1] = hex[bytes[i] & 15];
	}
	ret[CHAIN_TEXT - 1] = '\0';
	return 0;
}
