/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public schema of the abuse database in SQLite, and whether a database
 * has it.
 *
 * A moat database says so in its header: application_id is "moat",
 * user_version is STORE_SCHEMA. Triggers are plain SQL, so that any client
 * writes a correct log; a database whose triggers are missing or changed is
 * refused, because its changes would be lost without a word.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <sqlite3.h>

#include "core/problem.h"

#define SCHEMA_APPLICATION_ID 0x6d6f6174 /* "moat" */

/* The statements that make it, for one transaction. */
extern const char schema_sql[];

enum schema_state {
	SCHEMA_EMPTY,	/* nothing in it yet */
	SCHEMA_CURRENT, /* version and shape are this program's */
	SCHEMA_NEWER,	/* of a later moat */
	SCHEMA_FOREIGN, /* another program's, or not moat's shape */
};

/*
 * Reads only. Fills what (the object at fault and why) for the last two.
 * Returns enum schema_state, or the negative of an SQLite result code.
 */
int schema_check(sqlite3 *db, struct problem *what);

#endif
