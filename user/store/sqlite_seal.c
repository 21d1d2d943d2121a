/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/seal.h"

#include "store/sqlite.h"

#define ROWS                                                                                       \
	"SELECT rowid, hash, at, actor, origin, verb, detail FROM audit WHERE rowid > ?1 ORDER BY rowid"
#define COLUMN_AT 2

const char *audit_fault_label(enum audit_fault fault)
{
	static const char *const labels[] = {
#define X(name, label, text) [AUDIT_##name] = label,
		AUDIT_FAULTS(X)
#undef X
	};

	return labels[fault];
}

const char *audit_fault_text(enum audit_fault fault)
{
	static const char *const texts[] = {
#define X(name, label, text) [AUDIT_##name] = text,
		AUDIT_FAULTS(X)
#undef X
	};

	return texts[fault];
}

static int out_of_memory(struct store *s, struct problem *why)
{
	return problem_set(why, -ENOMEM, "database '%s': out of memory", s->path);
}

/* The hash as it stands, NULL if there is none; what cannot be one counts as CHAIN_START. */
static const char *hash_of(sqlite3_stmt *stmt, int column)
{
	const char *text;

	if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
		return NULL;
	text = (const char *)sqlite3_column_text(stmt, column);
	return text && chain_text_ok(text) ? text : CHAIN_START;
}

static size_t bytes_of(sqlite3_stmt *stmt)
{
	size_t bytes = 0;

	for (int c = COLUMN_AT; c < COLUMN_AT + 5; c++)
		bytes += (size_t)sqlite3_column_bytes(stmt, c);
	return bytes;
}

static int read_hash(struct store *s, int64_t entry, char ret[static CHAIN_TEXT],
		     struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	const char *hash = NULL;
	int err, rc;

	ret[0] = '\0';
	err = sqlite_prepare(s, SLOT_AUDIT_HASH, "SELECT hash FROM audit WHERE rowid = ?1", &stmt,
			     why);
	if (err)
		return err;
	sqlite3_bind_int64(stmt, 1, entry);
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sqlite_problem(s, rc, "reading the audit log", why);
	if (rc == SQLITE_ROW)
		hash = hash_of(stmt, 0);
	if (hash)
		memcpy(ret, hash, CHAIN_TEXT);
	return 0;
}

/* Whether the chain still is where it was left. */
static int check_head(struct store *s, const struct audit_head *head, enum audit_fault *ret,
		      struct problem *why)
{
	char hash[CHAIN_TEXT];
	int64_t entries = 0;
	int err;

	if (!head->entry)
		return 0;
	err = read_hash(s, head->entry, hash, why);
	err = err ?: store_audit_entries(s, &entries, why);
	if (err || !strcmp(hash, head->hash))
		return err;
	*ret = entries < head->entry ? AUDIT_CUT : AUDIT_REMADE;
	return 0;
}

/* ---- proving ---- */

static void walk_fault(struct audit_walk *walk, enum audit_fault fault, int64_t entry)
{
	if (!walk->faults++) {
		walk->fault = fault;
		walk->fault_entry = entry;
	}
}

static void compare_noted(struct audit_walk *walk, int64_t entry, const char *hash)
{
	if (entry == walk->noted.entry) {
		walk->noted_seen = true;
		if (strcmp(hash, walk->noted.hash) != 0)
			walk_fault(walk, AUDIT_REMADE, entry);
	}
	if (!walk->found && *walk->sought && !strcmp(hash, walk->sought))
		walk->found = entry;
}

/* must: the hash that follows from the entry before. */
static void walk_row(struct audit_walk *walk, int64_t entry, const char *hash, const char *must)
{
	int64_t before = walk->next.entry;

	walk->entries++;
	walk->next.entry = entry;
	memcpy(walk->next.hash, must, CHAIN_TEXT);
	if (!hash) {
		walk->unsealed++;
		return;
	}
	if (walk->unsealed) { /* moatd seals one after the other */
		walk_fault(walk, AUDIT_UNSEALED, before);
		walk->unsealed = 0;
	}
	if (strcmp(hash, must) != 0) {
		if (entry != before + 1)
			walk_fault(walk, AUDIT_MISSING, before + 1);
		else
			walk_fault(walk, AUDIT_CHANGED, entry);
		/* What follows may be whole: prove it against what stands there. */
		memcpy(walk->next.hash, hash, CHAIN_TEXT);
	}
	compare_noted(walk, entry, hash);
	walk->at = walk->next;
}

static void walk_end(struct audit_walk *walk)
{
	walk->done = true;
	if (walk->noted.entry > walk->next.entry)
		walk_fault(walk, AUDIT_CUT, walk->noted.entry);
	else if (walk->noted.entry && !walk->noted_seen)
		walk_fault(walk, AUDIT_MISSING, walk->noted.entry);
	if (*walk->sought && !walk->found)
		walk_fault(walk, AUDIT_FOREIGN, walk->at.entry);
}

/* What it begins after must still be there. */
static int walk_begin(struct store *s, struct audit_walk *walk, struct problem *why)
{
	enum audit_fault fault = AUDIT_WHOLE;
	int err = check_head(s, &walk->at, &fault, why);

	if (err)
		return err;
	if (fault)
		walk_fault(walk, fault, walk->at.entry);
	walk->next = walk->at;
	walk->noted_seen = walk->noted.entry == walk->at.entry;
	if (*walk->sought && !strcmp(walk->sought, walk->at.hash))
		walk->found = walk->at.entry;
	return 0;
}

static int walk_rows(struct store *s, struct chain *chain, sqlite3_stmt *stmt,
		     struct audit_walk *walk, struct problem *why)
{
	char must[CHAIN_TEXT];
	size_t bytes = 0, rows = 0;
	int rc;

	while (rows < SEAL_STEP_ROWS && bytes < SEAL_STEP_BYTES &&
	       (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t entry = sqlite3_column_int64(stmt, 0), at;

		if (chain_row(chain, walk->next.hash, entry, stmt, COLUMN_AT, must))
			return out_of_memory(s, why);
		at = sqlite3_column_int64(stmt, COLUMN_AT);
		if (!walk->entries)
			walk->first = at;
		walk->last = at;
		bytes += bytes_of(stmt);
		rows++;
		walk_row(walk, entry, hash_of(stmt, 1), must);
	}
	if (rows == SEAL_STEP_ROWS || bytes >= SEAL_STEP_BYTES)
		return 0;
	if (rc != SQLITE_DONE)
		return sqlite_problem(s, rc, "reading the audit log", why);
	walk_end(walk);
	return 0;
}

int store_audit_walk(struct store *s, struct audit_walk *walk, struct problem *why)
{
	_cleanup_(chain_freep) struct chain *chain = NULL;
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_ready(s, why);
	err = err ?: sqlite_prepare(s, SLOT_AUDIT_ROWS, ROWS, &stmt, why);
	if (err)
		return err;
	if (chain_new(&chain))
		return out_of_memory(s, why);
	if (!*walk->next.hash) {
		err = walk_begin(s, walk, why);
		if (err)
			return err;
	}
	sqlite3_bind_int64(stmt, 1, walk->next.entry);
	return walk_rows(s, chain, stmt, walk, why);
}

/* ---- sealing ---- */

struct seal {
	int64_t entry;
	char hash[CHAIN_TEXT];
};

/* What is to be sealed, at most SEAL_STEP_ROWS, and where that leads. */
static int read_unsealed(struct store *s, struct audit_head *head, struct seal *seal,
			 struct audit_sealed *ret, struct problem *why)
{
	_cleanup_(chain_freep) struct chain *chain = NULL;
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	size_t rows = 0, bytes = 0;
	char must[CHAIN_TEXT];
	int err, rc;

	err = sqlite_prepare(s, SLOT_AUDIT_ROWS, ROWS, &stmt, why);
	if (err)
		return err;
	if (chain_new(&chain))
		return out_of_memory(s, why);
	sqlite3_bind_int64(stmt, 1, head->entry);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t entry = sqlite3_column_int64(stmt, 0);
		const char *hash = hash_of(stmt, 1);

		if (rows == SEAL_STEP_ROWS || bytes >= SEAL_STEP_BYTES) {
			ret->more = true;
			return 0;
		}
		if (chain_row(chain, head->hash, entry, stmt, COLUMN_AT, must))
			return out_of_memory(s, why);
		if (hash && strcmp(hash, must) != 0) {
			ret->fault = AUDIT_CHANGED;
			ret->fault_entry = entry;
			return 0;
		}
		if (!hash) {
			seal[ret->sealed].entry = entry;
			memcpy(seal[ret->sealed++].hash, must, CHAIN_TEXT);
		}
		head->entry = entry;
		memcpy(head->hash, must, CHAIN_TEXT);
		rows++;
		bytes += bytes_of(stmt);
	}
	return rc == SQLITE_DONE ? 0 : sqlite_problem(s, rc, "reading the audit log", why);
}

static int write_seals(struct store *s, const struct seal *seal, size_t count, struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err;

	err = sqlite_prepare(s, SLOT_AUDIT_SEAL, "UPDATE audit SET hash = ?2 WHERE rowid = ?1",
			     &stmt, why);
	for (size_t i = 0; !err && i < count; i++) {
		sqlite3_bind_int64(stmt, 1, seal[i].entry);
		sqlite_bind(stmt, 2, seal[i].hash);
		err = sqlite_run(s, stmt, "sealing the audit log", why);
	}
	return err;
}

static int seal_step(struct store *s, struct audit_head *head, struct audit_sealed *ret,
		     struct problem *why)
{
	static const struct actor sealer = { "moatd", "seal" }; /* the log's guard asks for one */
	_cleanup_free_ struct seal *seal = calloc(SEAL_STEP_ROWS, sizeof(*seal));
	_cleanup_txn_ struct txn txn = { NULL };
	struct audit_head to = *head;
	int err;

	if (!seal)
		return out_of_memory(s, why);
	err = sqlite_begin_actor(s, &txn, &sealer, why);
	err = err ?: read_unsealed(s, &to, seal, ret, why);
	err = err ?: write_seals(s, seal, ret->sealed, why);
	err = err ?: sqlite_commit(s, &txn, why);
	if (!err)
		*head = to;
	return err;
}

int store_audit_seal(struct store *s, struct audit_head *head, struct audit_sealed *ret,
		     struct problem *why)
{
	int64_t entries = 0;
	int err;

	*ret = (struct audit_sealed){};
	err = sqlite_ready(s, why);
	err = err ?: check_head(s, head, &ret->fault, why);
	ret->fault_entry = ret->fault ? head->entry : 0;
	err = err ?: store_audit_entries(s, &entries, why);
	if (err || ret->fault || entries <= head->entry)
		return err;
	sqlite3_busy_timeout(s->db, 0); /* it can wait; the loop cannot */
	err = seal_step(s, head, ret, why);
	if (s->db)
		sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
	if (err)
		*ret = (struct audit_sealed){};
	return err;
}

int store_audit_last(struct store *s, struct audit_head *ret, struct problem *why)
{
	_cleanup_(sqlite_done) sqlite3_stmt *stmt = NULL;
	int err, rc;

	*ret = AUDIT_START;
	err = sqlite_ready(s, why);
	if (!err)
		err = sqlite_prepare(s, SLOT_AUDIT_LAST,
				     "SELECT rowid, hash FROM audit WHERE hash IS NOT NULL"
				     " ORDER BY rowid DESC LIMIT 1",
				     &stmt, why);
	if (err)
		return err;
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return sqlite_problem(s, rc, "reading the audit log", why);
	ret->entry = sqlite3_column_int64(stmt, 0);
	memcpy(ret->hash, hash_of(stmt, 1) ?: CHAIN_START, CHAIN_TEXT);
	return 0;
}

int store_audit_entries(struct store *s, int64_t *ret, struct problem *why)
{
	*ret = 0;
	return sqlite_ready(s, why)
		       ?: sqlite_number(s, SLOT_AUDIT_COUNT,
					"SELECT coalesce(max(rowid), 0) FROM audit", ret, why);
}
