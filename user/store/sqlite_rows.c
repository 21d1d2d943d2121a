/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a difference puts, as a table of this connection: one statement then
 * writes all of it, at a third of what a statement for each row costs, and
 * other writers wait a third as long.
 */
#include "store/sqlite.h"

enum column {
	COLUMN_SOURCE,
	COLUMN_CATEGORY,
	COLUMN_REASON,
	COLUMN_REFERENCE,
	COLUMN_CONFIDENCE,
	COLUMN_EXPIRES_AT,
	COLUMN_BASIS,
	COLUMN_REGION,
	COLUMN_REVIEW_AT,
};
#define DECLARATION                                                                                \
	"CREATE TABLE rows (source, category, reason, reference, confidence, expires_at,"          \
	" basis, region, review_at)"

struct table {
	sqlite3_vtab base; /* first: SQLite hands out pointers to it */
	struct store *store;
};

int feed_rows_next(struct feed_rows *rows)
{
	rows->state = rows->difference->next(rows->difference->arg, &rows->row, &rows->remove);
	return rows->state;
}

static struct feed_rows *rows_of(sqlite3_vtab_cursor *cursor)
{
	return ((struct table *)cursor->pVtab)->store->rows;
}

static int table_connect(sqlite3 *db, void *arg, int words, const char *const *word,
			 sqlite3_vtab **ret, char **ret_error)
{
	struct table *table = sqlite3_malloc(sizeof(*table));
	int rc;

	(void)words;
	(void)word;
	(void)ret_error;
	if (!table)
		return SQLITE_NOMEM;
	*table = (struct table){ .store = arg };
	rc = sqlite3_declare_vtab(db, DECLARATION);
	rc = rc ?: sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	if (rc != SQLITE_OK) {
		sqlite3_free(table);
		return rc;
	}
	*ret = &table->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

static int table_plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = 1e6; /* there is one way to read it */
	info->estimatedRows = 1000000;
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret)
{
	sqlite3_vtab_cursor *cursor = sqlite3_malloc(sizeof(*cursor));

	(void)table;
	if (!cursor)
		return SQLITE_NOMEM;
	*cursor = (sqlite3_vtab_cursor){};
	*ret = cursor;
	return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *cursor)
{
	sqlite3_free(cursor);
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *cursor)
{
	return feed_rows_next(rows_of(cursor)) < 0 ? SQLITE_ABORT : SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *cursor, int plan, const char *name, int count,
			 sqlite3_value **value)
{
	struct feed_rows *rows = rows_of(cursor);

	(void)plan;
	(void)name;
	(void)count;
	(void)value;
	if (!rows)
		return SQLITE_MISUSE; /* nothing is being written */
	rows->difference->rewind(rows->difference->arg);
	return cursor_next(cursor);
}

static int cursor_eof(sqlite3_vtab_cursor *cursor)
{
	const struct feed_rows *rows = rows_of(cursor);

	return rows->state <= 0 || rows->remove;
}

static void give_text(sqlite3_context *context, const char *text)
{
	if (text) /* it lives until the next row */
		sqlite3_result_text(context, text, -1, SQLITE_STATIC);
}

static void give_time(sqlite3_context *context, int64_t seconds)
{
	if (seconds)
		sqlite3_result_int64(context, seconds);
}

static int cursor_column(sqlite3_vtab_cursor *cursor, sqlite3_context *context, int column)
{
	const struct listing_input *row = &rows_of(cursor)->row;

	switch ((enum column)column) {
	case COLUMN_SOURCE:
		give_text(context, row->source);
		break;
	case COLUMN_CATEGORY:
		give_text(context, row->category);
		break;
	case COLUMN_REASON:
		give_text(context, row->reason);
		break;
	case COLUMN_REFERENCE:
		give_text(context, row->reference);
		break;
	case COLUMN_CONFIDENCE:
		if (row->confidence >= 0)
			sqlite3_result_int(context, row->confidence);
		break;
	case COLUMN_EXPIRES_AT:
		give_time(context, row->expires_at);
		break;
	case COLUMN_BASIS:
		give_text(context, row->basis);
		break;
	case COLUMN_REGION:
		give_text(context, row->region);
		break;
	case COLUMN_REVIEW_AT:
		give_time(context, row->review_at);
		break;
	}
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret)
{
	(void)cursor;
	*ret = 0; /* nobody asks */
	return SQLITE_OK;
}

int sqlite_add_rows_table(struct store *s)
{
	static const sqlite3_module module = {
		.xConnect = table_connect, /* without xCreate: only this name, in no schema */
		.xBestIndex = table_plan,
		.xDisconnect = table_disconnect,
		.xOpen = cursor_open,
		.xClose = cursor_close,
		.xFilter = cursor_filter,
		.xNext = cursor_next,
		.xEof = cursor_eof,
		.xColumn = cursor_column,
		.xRowid = cursor_rowid,
	};

	return sqlite3_create_module_v2(s->db, FEED_ROWS_TABLE, &module, s, NULL);
}
