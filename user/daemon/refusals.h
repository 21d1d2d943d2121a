/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows that are not in force, and why: refused by the gate, or by a full map.
 *
 * Kept in memory, in the order they came, and mirrored into table refused by
 * the daemon. A row is known by source, category and feed as text.
 */
#ifndef DAEMON_REFUSALS_H
#define DAEMON_REFUSALS_H

#include "core/gate.h"
#include "store/store.h"

struct refusals;

int refusals_new(struct refusals **ret);
struct refusals *refusals_free(struct refusals *r);
DEFINE_CLEANUP(struct refusals, refusals_free)

/* Remembers; a NULL text counts as empty. 1 new or changed, 0 known just so, -ENOMEM. */
int refusals_set(struct refusals *r, const char *source, const char *category, const char *feed,
		 enum gate_cause cause);
/* Forgets. 1 if it was there. */
int refusals_clear(struct refusals *r, const char *source, const char *category, const char *feed);

/* Why a row is refused, GATE_PASSED if it is not. */
enum gate_cause refusals_find(const struct refusals *r, const char *source, const char *category,
			      const char *feed);
size_t refusals_count(const struct refusals *r);
size_t refusals_by_cause(const struct refusals *r, enum gate_cause cause);

/* fn returns non-zero to stop, which is returned. */
int refusals_each(const struct refusals *r, int (*fn)(void *arg, const struct refusal *refusal),
		  void *arg);

/*
 * Changes not yet in table refused: up to limit rows (cause NULL: gone).
 * refusals_saved() forgets as many. Texts live until then.
 */
size_t refusals_unsaved(const struct refusals *r, struct refusal *rows, size_t limit);
void refusals_saved(struct refusals *r, size_t count);

#endif
