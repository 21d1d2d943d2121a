/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is behind struct tables. Private to plane/tables*.c and program*.c.
 */
#ifndef PLANE_TABLES_MAP_H
#define PLANE_TABLES_MAP_H

#include "plane/object.h"
#include "plane/tables.h"

/* Tables that lie in a slot: of a size that can change while programs run, or not there. */
enum slot { SLOT_FLOWS, SLOT_HITS, SLOT_MAX };

struct slot_state {
	int fd;	       /* what lies in the slot; -1: nothing */
	uint32_t room; /* its entries */
};

extern const char *const slot_table_name[SLOT_MAX];

/* What is remembered of an entry. */
struct kept_entry {
	struct prefix source;
	uint32_t class, expires, next;
};

struct kept {
	struct kept_entry *entry; /* owned; sorted; NULL: nothing is kept */
	size_t count, room;
};

struct tables {
	char *dir;
	int fd[SHARED_MAX];
	struct slot_state slot[SLOT_MAX];
	bool adopted;	/* the maps were pinned before */
	bool pinned;	/* and are now */
	bool filled[2]; /* by family: may hold entries */
	uint32_t capacity[2];
	uint32_t phases;   /* entries of moat_phases */
	uint64_t limiting; /* categories whose policy in force is limit */

	struct kept kept[2]; /* by family: what the kernel has, while it is known */

	struct tables_events *events; /* owned; NULL: none */
	struct tables_sieve *sieve;   /* owned; NULL: none */
	bool sieve_wanted;
	char sieve_problem[PROBLEM_MAX]; /* why there is none, or it is out of use; or empty */

	/* Mapped. */
	struct moat_control *control;
	struct moat_class *class; /* 2 * MOAT_CLASSES */
	struct moat_phase *phase; /* phases */
};

/* The bank in force. */
static inline uint32_t tables_policy_bank(const struct tables *t)
{
	return __atomic_load_n(&t->control->policy_bank, __ATOMIC_ACQUIRE) & 1;
}

static inline uint32_t tables_lengths_bank(const struct tables *t, uint8_t family)
{
	return __atomic_load_n(&t->control->lengths_bank[family & 1], __ATOMIC_ACQUIRE) & 1;
}

/*
 * Puts a table with room for so many entries in its slot, the pinned one if it
 * is of that size. 0 takes it away, and so does a failure.
 */
int tables_set_slot(struct tables *t, enum slot slot, uint32_t entries, struct problem *why);

/* Reads all entries of a family from the kernel. */
int tables_read(const struct tables *t, uint8_t family, tables_each_fn fn, void *arg);

/*
 * Reads them into t->kept, for the caller and for the next tables_each(), with
 * which they are forgotten, as with the next write.
 */
int tables_keep(struct tables *t, uint8_t family);
void tables_forget(struct tables *t, uint8_t family);

/* Bytes of an LRU or hash map with so many entries. */
uint64_t tables_hash_memory(uint64_t entries, size_t key, size_t value);

/* Reads the policies in force again: which of them limit. */
void tables_note_policies(struct tables *t);

#endif
