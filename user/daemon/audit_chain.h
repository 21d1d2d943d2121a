/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the audit log sealed and proved (store/seal.h says what that means).
 *
 * Rows are sealed about a second after they were written, so that nobody's
 * next statement meets moatd's lock; a backlog in small steps. After each the
 * head is noted beside the database (audit_note.h), and now and then in the
 * log, where who can write the database cannot reach. When moatd starts, and
 * once a day, the whole chain is proved in the background.
 *
 * A chain that is broken stays so, and the note as it was, until a proof finds
 * it whole again (a backup was put back) or an operator accepts it as it is.
 * Meanwhile new rows are sealed all the same.
 *
 * Owned by struct daemon; one thread.
 */
#ifndef DAEMON_AUDIT_CHAIN_H
#define DAEMON_AUDIT_CHAIN_H

#include "daemon/daemon.h"
#include "store/seal.h"

#define AUDIT_SEAL_MS	 1000 /* from one look for new rows to the next */
#define AUDIT_STEP_MS	 10   /* between two steps of a backlog, or of a proof nobody waits for */
#define AUDIT_PROVE_MS	 (86400 * 1000) /* from one such proof to the next */
#define AUDIT_PROOFS_MAX 4		/* that are asked for at the same time */

struct audit_chain;

int audit_chain_new(struct daemon *d, struct audit_chain **ret);
struct audit_chain *audit_chain_free(struct audit_chain *c); /* ends proofs with -ECANCELED */
DEFINE_CLEANUP(struct audit_chain, audit_chain_free)

struct audit_view {
	bool known;		/* the log was looked at */
	int64_t entries;	/* the last one, sealed or not */
	int64_t sealed;		/* the last one that is */
	struct audit_head from; /* accepted as it is up to here */
	const char *broken;	/* "": whole as far as is known */
	const char *waiting;	/* why rows have not been sealed for a minute; "": they are */
};

/* c may be NULL: then nothing is known. */
void audit_chain_view(struct audit_chain *c, struct audit_view *ret);

/*
 * Proves the whole chain, what was written until now included. done is called
 * once, from the loop: error, or walk; not when this fails: -EBUSY (enough are
 * under way), -ENOMEM.
 */
typedef void (*audit_proved_fn)(void *arg, int error, const struct audit_walk *walk,
				const struct problem *why);

int audit_chain_prove(struct audit_chain *c, const char *sought, audit_proved_fn done, void *arg,
		      struct problem *why);

/*
 * Takes what is there as it is: proofs begin after the last entry of now. An
 * entry says so, and what was wrong.
 */
int audit_chain_accept(struct audit_chain *c, const struct actor *actor, struct problem *why);

/* "entry 17 is gone, ..."; "" if nothing is wrong. */
void audit_fault_describe(enum audit_fault fault, int64_t entry, int64_t faults,
			  struct problem *ret);

#endif
