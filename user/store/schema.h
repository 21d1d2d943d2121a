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

/* The statements that make it, one after the other in one transaction. */
extern const char schema_tables[];
extern const char schema_triggers[]; /* and the index that version 1 did not have */

enum schema_state {
	SCHEMA_EMPTY,	/* nothing in it yet */
	SCHEMA_CURRENT, /* version and shape are this program's */
	SCHEMA_OLDER,	/* of an earlier moat: schema_upgrade() says how to bring it here */
	SCHEMA_NEWER,	/* of a later moat */
	SCHEMA_FOREIGN, /* another program's, or not moat's shape */
};

/*
 * Reads only. Fills what (the object at fault and why) for the last three, and
 * *ret_version for SCHEMA_CURRENT and SCHEMA_OLDER.
 * Returns enum schema_state, or the negative of an SQLite result code.
 */
int schema_check(sqlite3 *db, int64_t *ret_version, struct problem *what);

/*
 * What brings the tables of this version to those of STORE_SCHEMA, with no
 * trigger left; schema_triggers comes next, in the same transaction. NULL:
 * there is no way from there.
 */
const char *schema_upgrade(int64_t version);

#endif
