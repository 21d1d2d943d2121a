/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sealing and proving the audit log. A row of audit is written without a hash,
 * by whatever client; moatd seals it within a second or so: chain.h says what
 * the hash is over. From then on, to change, remove, insert or reorder a row
 * that is sealed is to make all hashes behind it anew, and whoever kept the
 * hash of any of these rows elsewhere notices.
 *
 * It does not prove that what a client wrote about itself is true, nor anything
 * about a row before it is sealed. Rows are never pruned.
 *
 * Every call is one bounded step, so that a loop can go on in between.
 */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "store/chain.h"
#include "store/store.h"

#define SEAL_STEP_ROWS	1000	  /* looked at by one call */
#define SEAL_STEP_BYTES (4 << 20) /* of texts; a step ends after the row that passes it */

/* An entry, and the chain up to it. An entry's number is the rowid of its row. */
struct audit_head {
	int64_t entry; /* 0: before the first */
	char hash[CHAIN_TEXT];
};

#define AUDIT_START ((struct audit_head){ 0, CHAIN_START })

/*           name       label       after "entry N ", for people */
/* clang-format off */
#define AUDIT_FAULTS(X)                                                                            \
	X(CHANGED,   "changed",  "is not what was sealed there: it or its hash was changed, moved or put in") \
	X(MISSING,   "missing",  "is gone, and maybe others after it")                             \
	X(UNSEALED,  "unsealed", "has lost its hash")                                              \
	X(CUT,       "cut",      "was sealed here, but the log ends before it: its end was cut off, an older database was put back, or the power failed") \
	X(REMADE,    "remade",   "has another hash than was noted: the chain was made anew")       \
	X(FOREIGN,   "foreign",  "is the last one, and none has the hash that was given")
/* clang-format on */

enum audit_fault {
	AUDIT_WHOLE,
#define X(name, label, text) AUDIT_##name,
	AUDIT_FAULTS(X)
#undef X
		AUDIT_FAULT_MAX,
};

const char *audit_fault_label(enum audit_fault fault); /* NULL for AUDIT_WHOLE */
const char *audit_fault_text(enum audit_fault fault);

/* A walk along the chain, from start to end and by as many steps as it takes. */
struct audit_walk {
	/* Set by the caller before the first step. */
	struct audit_head at;	 /* where to begin: AUDIT_START, or what is taken as it is */
	struct audit_head noted; /* must lie on the way; entry 0: nothing was noted */
	char sought[CHAIN_TEXT]; /* must be the hash of an entry; "": none is sought */

	/* So far. at is the last entry with a hash. */
	bool done;
	int64_t entries;	/* seen, sealed or not */
	int64_t unsealed;	/* of those, behind the last sealed one: they wait */
	int64_t first, last;	/* at of the first and the last entry, seconds since 1970 */
	int64_t found;		/* the entry with the hash that is sought; 0: none */
	enum audit_fault fault; /* the first there is */
	int64_t fault_entry;
	int64_t faults;

	/* The walk's own. */
	struct audit_head next; /* the last entry, and the hash it has or must get */
	bool noted_seen;
};

/* Reads only. Call it until done. */
int store_audit_walk(struct store *s, struct audit_walk *walk, struct problem *why);

/*
 * Seals what comes after *head, which moves on to the last entry that was
 * looked at; what another moatd sealed meanwhile is proved on the way. Does not
 * wait for a lock: -EBUSY. more: call it again. fault and fault_entry say what
 * is wrong with *head or after it; nothing behind that is sealed.
 */
struct audit_sealed {
	size_t sealed;
	bool more;
	enum audit_fault fault;
	int64_t fault_entry;
};

int store_audit_seal(struct store *s, struct audit_head *head, struct audit_sealed *ret,
		     struct problem *why);

/* The last entry that has a hash, whatever it is; AUDIT_START if there is none. */
int store_audit_last(struct store *s, struct audit_head *ret, struct problem *why);

/* The number of the last entry, sealed or not. Entries have no gaps but where some are gone. */
int store_audit_entries(struct store *s, int64_t *ret, struct problem *why);

#endif
