/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's maps in memory, with the symbols of plane/tables.h, for tests
 * of what writes them. Needs no privilege.
 *
 * Each write is judged: what a program would read between any two of them must
 * make sense (the order of core/image.h). Any write can be made to fail, and
 * every write from one on, which is what the maps see of a kill.
 *
 * Also the program in plain C: what it would make of a packet.
 */
#ifndef TESTS_FAKE_TABLES_H
#define TESTS_FAKE_TABLES_H

#include "plane/hits.h"
#include "plane/tables.h"

enum fake_op {
	FAKE_PUT,
	FAKE_DELETE,
	FAKE_LENGTHS,
	FAKE_CLASS,
	FAKE_PHASE,
	FAKE_POLICIES, /* the bank not in force is being written */
	FAKE_NAME,
	FAKE_READ,
};

struct fake_write {
	enum fake_op op;
	struct prefix source; /* of puts and deletes */
};

/*
 * Called before each operation; a negative errno makes it fail. For a put,
 * -EPERM fails the call, others the entry. source is NULL but for puts and
 * deletes.
 */
typedef int (*fake_fail_fn)(void *arg, enum fake_op op, const struct prefix *source);

/* room: entries by family. */
struct tables *fake_tables_new(const uint32_t room[static 2], uint32_t phases);
void fake_tables_fail(struct tables *t, fake_fail_fn fn, void *arg); /* NULL: nothing fails */
/* Whether each write is judged; linear in the entries, so not for large lists. */
void fake_tables_judge(struct tables *t, bool judge);
/* The first write that was wrong, NULL if none was. */
const char *fake_tables_wrong(const struct tables *t);

size_t fake_tables_entries(const struct tables *t, uint8_t family);
uint32_t fake_tables_room(const struct tables *t, uint8_t family);

/* The writes since the last call of fake_tables_forget(). */
const struct fake_write *fake_tables_writes(const struct tables *t, size_t *ret_count);
size_t fake_tables_count(const struct tables *t, enum fake_op op);
void fake_tables_forget(struct tables *t);

/* What the program makes of a packet. */
struct fake_verdict {
	bool listed;	   /* some phase of some covering entry is live */
	struct prefix key; /* that decides, if listed */
	uint64_t set;	   /* of its class in the bank in force */
	bool in_scope;	   /* not allowed, and a category's policy fits: */
	uint8_t category;
	uint32_t action; /* of that category's policy in force */
	uint8_t shared;	 /* category whose tag takes the place of drop, or 0 */
};

void fake_tables_packet(const struct tables *t, const struct prefix *address, uint64_t boot_ns,
			uint8_t protocol, uint16_t port, struct fake_verdict *ret);

#endif
