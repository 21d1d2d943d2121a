/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of sources and what each is now, kept beside the tables of plane/ by
 * who writes them: tells what a packet must get by looking at every prefix
 * length, with nothing of the lookup under test.
 *
 * One thread writes, others may ask at the same time. What is being written
 * may be seen as it was or as it will be; all else as it is.
 */
#ifndef PROG_LEDGER_H
#define PROG_LEDGER_H

#include "core/prefix.h"
#include "plane/tables.h"

/* What a source is; LEDGER_ENDED: there, expired, and nothing comes after. */
enum ledger_state { LEDGER_ABSENT, LEDGER_ENDED, LEDGER_DROPPED, LEDGER_TAGGED, LEDGER_STATES };

struct ledger;

/* tables: with room for all, of fixture_tables_of(); their lengths are set to all there are. */
struct ledger *ledger_new(struct tables *tables, size_t room);
struct ledger *ledger_free(struct ledger *l);
DEFINE_CLEANUP(struct ledger, ledger_free)

/* Returns the number of a source, which is absent when it is new. It is masked. */
uint32_t ledger_add(struct ledger *l, struct prefix source);
size_t ledger_count(const struct ledger *l);
const struct prefix *ledger_source(const struct ledger *l, uint32_t number);
enum ledger_state ledger_state(const struct ledger *l, uint32_t number);

/* Writes sources, each once, to the tables in one batch of puts and one of deletes a family. */
void ledger_write(struct ledger *l, const uint32_t *number, const enum ledger_state *to,
		  size_t count);
/* All of them. */
void ledger_write_all(struct ledger *l, enum ledger_state (*to)(uint32_t number));

/* ---- asking ---- */

/* Every source that covers an address, longest first, as numbers. */
#define LEDGER_CHAIN MOAT_LENGTHS6
struct ledger_chain {
	struct prefix address;
	uint32_t count;
	uint32_t *number; /* owned */
};
void ledger_chain(const struct ledger *l, const struct prefix *address, struct ledger_chain *ret);

/* What the sources of a chain are at a moment; taken before and after a packet. */
struct ledger_view {
	uint64_t word[LEDGER_CHAIN];
};
void ledger_look(const struct ledger *l, const struct ledger_chain *chain, struct ledger_view *ret);

/*
 * What a packet between two views may have got, as bits of 1 << ledger_state;
 * LEDGER_ABSENT for both kinds of clean. *ret_steady: nothing that decides has
 * changed or was changing, so it is one bit.
 */
unsigned int ledger_allows(const struct ledger_chain *chain, const struct ledger_view *before,
			   const struct ledger_view *after, bool *ret_steady);

#endif
