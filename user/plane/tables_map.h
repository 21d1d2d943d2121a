/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is behind struct tables. Private to plane/tables*.c and program*.c.
 */
#ifndef PLANE_TABLES_MAP_H
#define PLANE_TABLES_MAP_H

#include "plane/object.h"
#include "plane/tables.h"

struct tables {
	char *dir;
	int fd[SHARED_MAX];
	int flows;	    /* what lies in the slot; -1: nothing */
	uint32_t flow_room; /* its entries */
	bool adopted;	    /* the maps were pinned before */
	bool pinned;	    /* and are now */
	bool filled[2];	    /* by family: may hold entries */
	uint32_t capacity[2];
	uint32_t phases;   /* entries of moat_phases */
	uint64_t limiting; /* categories whose policy in force is limit */

	struct tables_sieve *sieve; /* owned; NULL: none */
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

/* Reads the policies in force again: which of them limit. */
void tables_note_policies(struct tables *t);

#endif
