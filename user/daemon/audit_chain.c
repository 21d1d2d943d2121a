/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/audit_chain.h"

#include <inttypes.h>
#include <time.h>

#include "core/log.h"
#include "daemon/audit_note.h"

#define WAITING_S 60 /* that rows may wait before somebody is told */

struct proof {
	struct audit_walk walk;
	audit_proved_fn done; /* NULL: free, or the background's */
	void *arg;
	bool running;
};

struct audit_chain {
	struct daemon *d;
	int seal_timer, prove_timer, step_timer;
	bool known;
	struct audit_note note; /* as it stands, or must stand, beside the database */
	struct audit_head head; /* sealed up to here; note.head, unless the chain is broken */
	struct proof proof[AUDIT_PROOFS_MAX + 1]; /* the last is the background's */
	int64_t sealed_at;			  /* unix seconds: the last time that none waited */
	char broken[PROBLEM_MAX];
	char waiting[PROBLEM_MAX];
};

void audit_fault_describe(enum audit_fault fault, int64_t entry, int64_t faults,
			  struct problem *ret)
{
	ret->text[0] = '\0';
	if (fault)
		problem_set(ret, 0, "entry %" PRId64 " %s", entry, audit_fault_text(fault));
	if (faults > 1)
		snprintf(ret->text + strlen(ret->text), sizeof(ret->text) - strlen(ret->text),
			 " (and %" PRId64 " more)", faults - 1);
}

static void break_chain(struct audit_chain *c, enum audit_fault fault, int64_t entry,
			int64_t faults)
{
	struct problem what;

	audit_fault_describe(fault, entry, faults, &what);
	if (strcmp(c->broken, what.text) != 0)
		log_error("audit: the chain is BROKEN: %s", what.text);
	snprintf(c->broken, sizeof(c->broken), "%s", what.text);
}

static void log_head(const struct audit_chain *c)
{
	log_notice("audit: sealed up to entry %" PRId64 ", head %s", c->head.entry, c->head.hash);
}

static void note_head(struct audit_chain *c)
{
	struct problem why = {};

	if (*c->broken)
		return; /* what was noted is the evidence */
	c->note.head = c->head;
	if (audit_note_write(c->d->config->database, &c->note, &why))
		log_warning("audit: the head of the chain is not noted: %s", why.text);
}

/* ---- the first look ---- */

/* Without a note the database's own word counts, but the whole chain is proved. */
static int begin_without_note(struct audit_chain *c, struct store *store, int error,
			      const struct problem *told, struct problem *why)
{
	int err = store_audit_last(store, &c->head, why);

	if (err)
		return err;
	c->note = (struct audit_note){ .from = AUDIT_START, .head = c->head };
	if (error != -ENOENT || c->head.entry)
		log_warning("audit: no note of the chain's head: %s; its end is taken as it is: "
			    "entry %" PRId64 ", hash %s",
			    told->text, c->head.entry, c->head.hash);
	return 0;
}

static int begin(struct audit_chain *c, struct store *store, struct problem *why)
{
	struct problem told = {};
	int err = audit_note_read(c->d->config->database, &c->note, &told);

	if (err)
		err = begin_without_note(c, store, err, &told, why);
	else
		c->head = c->note.head;
	if (err)
		return err;
	c->known = true;
	c->sealed_at = time(NULL);
	loop_timer_set(c->d->loop, c->prove_timer, AUDIT_STEP_MS);
	return 0;
}

/* ---- sealing ---- */

/* What is there goes on from its own end, whatever is wrong with it. */
static int go_on(struct audit_chain *c, struct store *store, const struct audit_sealed *sealed,
		 struct problem *why)
{
	break_chain(c, sealed->fault, sealed->fault_entry, 1);
	return store_audit_last(store, &c->head, why);
}

static void note_waiting(struct audit_chain *c, int err, const struct problem *why)
{
	int64_t now = time(NULL);

	if (!err)
		c->sealed_at = now;
	if (!err || now - c->sealed_at < WAITING_S)
		c->waiting[0] = '\0';
	else
		snprintf(c->waiting, sizeof(c->waiting), "%s", why->text);
}

/* -EAGAIN: there is no database now. */
static int seal(struct audit_chain *c, bool *ret_more, struct problem *why)
{
	struct store *store = sync_store(c->d->sync);
	struct audit_sealed sealed = {};
	int err = 0;

	*ret_more = false;
	if (!store)
		return problem_set(why, -EAGAIN, "the database is not open");
	if (!c->known)
		err = begin(c, store, why);
	if (err || store_read_only(store))
		return err;
	err = store_audit_seal(store, &c->head, &sealed, why);
	if (!err && sealed.fault)
		err = go_on(c, store, &sealed, why);
	if (!err && (sealed.sealed || c->head.entry != c->note.head.entry))
		note_head(c);
	*ret_more = !err && sealed.more && !sealed.fault;
	return err;
}

static void on_seal(void *arg)
{
	struct audit_chain *c = arg;
	struct problem why = {};
	bool more = false;
	int err = seal(c, &more, &why);

	note_waiting(c, more ? 0 : err, &why);
	loop_timer_set(c->d->loop, c->seal_timer, more ? AUDIT_STEP_MS : AUDIT_SEAL_MS);
}

/* ---- proving ---- */

static void end_proof(struct audit_chain *c, struct proof *p, int error, const struct problem *why)
{
	struct proof ended = *p;
	const struct audit_walk *walk = &ended.walk;

	*p = (struct proof){};
	/* That a hash which somebody gave is not in it says nothing about the chain. */
	if (!error && walk->fault && walk->fault != AUDIT_FOREIGN) {
		break_chain(c, walk->fault, walk->fault_entry, walk->faults);
	} else if (!error && !walk->fault && *c->broken) {
		log_notice("audit: the chain is whole again");
		c->broken[0] = '\0';
		c->head = walk->at;
		note_head(c);
	}
	if (!ended.done) {
		if (!error)
			log_head(c);
		return;
	}
	ended.done(ended.arg, error, walk, why);
}

/* The whole of a proof is many steps; others have their turn in between. */
static void on_step(void *arg)
{
	struct audit_chain *c = arg;
	struct store *store = sync_store(c->d->sync);
	bool waited_for = false, running = false;

	for (size_t i = 0; i < ARRAY_SIZE(c->proof); i++) {
		struct proof *p = &c->proof[i];
		struct problem why = {};
		int err;

		if (!p->running)
			continue;
		err = store ? store_audit_walk(store, &p->walk, &why)
			    : problem_set(&why, -EAGAIN, "the database is not open");
		if (err || p->walk.done)
			end_proof(c, p, err, &why);
		waited_for |= p->running && p->done;
		running |= p->running;
	}
	if (running)
		loop_timer_set(c->d->loop, c->step_timer, waited_for ? 0 : AUDIT_STEP_MS);
}

static void start_proof(struct audit_chain *c, struct proof *p, const char *sought)
{
	p->walk = (struct audit_walk){ .at = c->note.from, .noted = c->note.head };
	if (sought)
		memcpy(p->walk.sought, sought, sizeof(p->walk.sought));
	p->running = true;
	loop_timer_set(c->d->loop, c->step_timer, 0);
}

static void on_prove(void *arg)
{
	struct audit_chain *c = arg;
	struct proof *p = &c->proof[AUDIT_PROOFS_MAX];

	if (c->known && !p->running)
		start_proof(c, p, NULL);
}

int audit_chain_prove(struct audit_chain *c, const char *sought, audit_proved_fn done, void *arg,
		      struct problem *why)
{
	struct problem later = {};
	bool more = true;
	size_t i;
	int err;

	/* What was written a moment ago belongs to it; what cannot be sealed now is counted. */
	err = seal(c, &more, &later);
	if (!c->known)
		return problem_set(why, err ?: -EAGAIN, "%s", later.text);
	for (i = 0; i < AUDIT_PROOFS_MAX && c->proof[i].running; i++)
		;
	if (i == AUDIT_PROOFS_MAX)
		return problem_set(why, -EBUSY, "%d proofs are under way: try again",
				   AUDIT_PROOFS_MAX);
	c->proof[i].done = done;
	c->proof[i].arg = arg;
	start_proof(c, &c->proof[i], sought);
	return 0;
}

int audit_chain_accept(struct audit_chain *c, const struct actor *actor, struct problem *why)
{
	struct store *store = sync_store(c->d->sync);
	struct audit_head last;
	char detail[PROBLEM_MAX + 128];
	int err;

	if (!store || !c->known)
		return problem_set(why, -EAGAIN, "the database is not open");
	err = store_audit_last(store, &last, why);
	if (err)
		return err;
	snprintf(detail, sizeof(detail), "the chain is taken as it is up to entry %" PRId64 "%s%s",
		 last.entry, *c->broken ? "; it was broken: " : "", c->broken);
	err = store_audit(store, actor, time(NULL), "accept", detail, why);
	if (err)
		return err;
	log_notice("audit: %s", detail);
	c->broken[0] = '\0';
	c->head = c->note.from = last;
	note_head(c);
	loop_timer_set(c->d->loop, c->seal_timer, 0);
	return 0;
}

/* ---- the whole ---- */

void audit_chain_view(struct audit_chain *c, struct audit_view *ret)
{
	struct store *store = c ? sync_store(c->d->sync) : NULL;

	*ret = (struct audit_view){ .broken = "", .waiting = "" };
	if (!store || !c->known || store_audit_entries(store, &ret->entries, NULL))
		return;
	ret->known = true;
	ret->sealed = c->head.entry < ret->entries ? c->head.entry : ret->entries;
	ret->from = c->note.from;
	ret->broken = c->broken;
	ret->waiting = c->waiting;
}

int audit_chain_new(struct daemon *d, struct audit_chain **ret)
{
	_cleanup_(audit_chain_freep) struct audit_chain *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->d = d;
	c->note = (struct audit_note){ .from = AUDIT_START, .head = AUDIT_START };
	c->head = AUDIT_START;
	c->seal_timer = loop_timer(d->loop, AUDIT_STEP_MS, 0, on_seal, c);
	c->prove_timer = loop_timer(d->loop, AUDIT_PROVE_MS, AUDIT_PROVE_MS, on_prove, c);
	c->step_timer = loop_timer(d->loop, AUDIT_PROVE_MS, 0, on_step, c);
	if (c->seal_timer < 0 || c->prove_timer < 0 || c->step_timer < 0)
		return -ENOMEM;
	*ret = take_ptr(c);
	return 0;
}

struct audit_chain *audit_chain_free(struct audit_chain *c)
{
	struct problem why = {};
	bool more = true;

	if (!c)
		return NULL;
	for (size_t i = 0; i < AUDIT_PROOFS_MAX; i++)
		if (c->proof[i].running)
			end_proof(c, &c->proof[i], -ECANCELED, &(struct problem){ "moatd stops" });
	if (c->known && !seal(c, &more, &why))
		log_head(c);
	loop_timer_remove(c->d->loop, c->seal_timer);
	loop_timer_remove(c->d->loop, c->prove_timer);
	loop_timer_remove(c->d->loop, c->step_timer);
	free(c);
	return NULL;
}
