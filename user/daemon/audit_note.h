/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of the audit chain, noted beside the database, in DATABASE-audit: a
 * log whose end was cut off, or whose chain was made anew, does not fit it.
 *
 *	moat audit 1
 *	from ENTRY HASH		what an operator accepted as it is; 0: nothing
 *	head ENTRY HASH		the last entry that was sealed
 *
 * Written as a new file that takes the place of the old one. After a power
 * failure it may be older than the database, which does no harm, or younger,
 * which is what it says: entries are gone.
 */
#ifndef DAEMON_AUDIT_NOTE_H
#define DAEMON_AUDIT_NOTE_H

#include "core/problem.h"
#include "store/seal.h"

struct audit_note {
	struct audit_head from, head;
};

/* uri of the database. 0; -ENOENT: none; -EINVAL: it cannot be understood; -errno. */
int audit_note_read(const char *uri, struct audit_note *ret, struct problem *why);
int audit_note_write(const char *uri, const struct audit_note *note, struct problem *why);

#endif
