/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash that chains a row of audit to the row before it.
 *
 *	SHA-256( hash of the row before, 32 bytes (zeros before the first)
 *	         rowid, 8 bytes, big endian
 *	         at, actor, origin, verb, detail, each:
 *	           1 byte   n null, i integer, f real, t text, b blob
 *	           8 bytes  how many bytes follow, big endian
 *	           bytes    an integer or real as 8 bytes, big endian )
 *
 * Lengths stand before what they measure, so no two rows have the same bytes.
 * In table audit it stands as 64 lower-case hexadecimal digits.
 *
 * Owned by whoever called chain_new(); one hash at a time, from chain_begin()
 * to chain_end().
 */
#ifndef STORE_CHAIN_H
#define STORE_CHAIN_H

#include <sqlite3.h>

#include "core/base.h"

#define CHAIN_BYTES 32
#define CHAIN_TEXT  (2 * CHAIN_BYTES + 1) /* with NUL */

/* Before the first row. */
#define CHAIN_START "0000000000000000000000000000000000000000000000000000000000000000"

struct chain;

int chain_new(struct chain **ret); /* 0 or -ENOMEM */
struct chain *chain_free(struct chain *c);
DEFINE_CLEANUP(struct chain, chain_free)

/* Whether text is a hash as it stands in the table. */
bool chain_text_ok(const char *text);

/*
 * The hash of the row that stmt stands on: rowid, and the five columns from
 * column on. before passes chain_text_ok(). 0 or -EIO (libcrypto failed).
 */
int chain_row(struct chain *c, const char *before, int64_t rowid, sqlite3_stmt *stmt, int column,
	      char ret[static CHAIN_TEXT]);

#endif
