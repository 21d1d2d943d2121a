/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/apply.h"

#include <limits.h>

#include "core/log.h"
#include "core/units.h"
#include "daemon/apply_journal.h"
#include "daemon/durable.h"

#define PREVIOUS "previous"
#define REJECTED "rejected"
#define RETRY_MS 2000 /* of what could not be finished */
#define LOOK_MS                                                                                    \
	1000 /* the timer's clock stands still while the machine sleeps; the deadline's does not */

struct apply {
	struct daemon *d; /* NULL before apply_begin() */
	char *path;	  /* owned: of the configuration, links followed */
	int timer;
	bool waiting; /* the journal's state is JOURNAL_WAITING */
	bool owed;    /* the journal says what is still to be done with files */
	struct journal journal;
	char keys[CHANGE_TEXT_MAX];
	char problem[PROBLEM_MAX]; /* what could not be done yet */
	uint64_t applied, confirmed, rolled_back;

	/* Decided at start, for an audit log that is not open yet. */
	const char *note_verb;
	char note[PROBLEM_MAX];
};

static const struct actor by_itself = { "moatd", "deadline" };

/* ---- files ---- */

static int aside(const struct apply *c, const char *suffix, char ret[static PATH_MAX],
		 struct problem *why)
{
	int size = snprintf(ret, PATH_MAX, "%s.%s", c->path, suffix);

	if (size > 0 && size < PATH_MAX)
		return 0;
	return problem_set(why, -ENAMETOOLONG, "'%.80s...': the path is too long", c->path);
}

/* Puts text into the file of the configuration; what was there is kept under the suffix. */
static int file_becomes(const struct apply *c, const char *text, const char *suffix,
			struct problem *why)
{
	_cleanup_free_ char *was = NULL;
	char kept[PATH_MAX];
	size_t size = 0;
	int r = durable_read(c->path, CONFIG_FILE_MAX, &was, &size, why);

	if (!r && !strcmp(was, text))
		return 0;
	r = aside(c, suffix, kept, why);
	if (!r && was)
		r = durable_write(kept, was, size, 0600, why);
	return r ?: durable_write(c->path, text, strlen(text), 0600, why);
}

/* What was edited in place and not confirmed is taken out of the file again. */
static int file_undone(const struct apply *c, const struct journal *j, struct problem *why)
{
	_cleanup_free_ char *is = NULL;
	size_t size = 0;

	if (durable_read(c->path, CONFIG_FILE_MAX, &is, &size, NULL) || strcmp(is, j->next) != 0)
		return 0;
	return file_becomes(c, j->was, REJECTED, why);
}

/* Does with the files what is decided. The journal goes last: until then it can be done again. */
static int finish(const struct apply *c, const char *database, struct problem *why)
{
	const struct journal *j = &c->journal;
	int r = j->state == JOURNAL_CONFIRMED ? file_becomes(c, j->next, PREVIOUS, why)
					      : file_undone(c, j, why);

	return r ?: journal_remove(database, why);
}

/* What a reload was refused for is over: the file says what runs, or is still to be read. */
static void settle_reload(struct daemon *d, bool confirmed)
{
	if (confirmed)
		d->reload_problem[0] = '\0';
	else if (*d->reload_problem)
		snprintf(d->reload_problem, sizeof(d->reload_problem),
			 "the file was not read before the rollback: reload again");
}

/* The same, and later once more if it fails. */
static void settle(struct apply *c)
{
	bool confirmed = c->journal.state == JOURNAL_CONFIRMED;
	struct problem why = {};

	c->waiting = false;
	c->owed = finish(c, c->d->config->database, &why) < 0;
	if (c->owed && strcmp(why.text, c->problem) != 0)
		log_error("configuration: %s; it is tried again", why.text);
	snprintf(c->problem, sizeof(c->problem), "%s", c->owed ? why.text : "");
	if (c->owed)
		loop_timer_set(c->d->loop, c->timer, RETRY_MS);
	else
		journal_free(&c->journal);
	if (!c->owed)
		settle_reload(c->d, confirmed);
}

/* ---- back ---- */

/* Calls fn for interfaces that the new configuration alone has put the filter on. */
static void each_added(const struct journal *j, const struct config *next, const struct config *was,
		       void (*fn)(void *arg, const char *name), void *arg)
{
	for (size_t i = 0; i < next->interfaces; i++) {
		const char *name = next->interface[i].name;
		bool had = journal_was_attached(j, name);

		for (size_t n = 0; n < was->interfaces && !had; n++)
			had = !strcmp(was->interface[n].name, name);
		if (!had)
			fn(arg, name);
	}
}

static void take_off(void *arg, const char *name)
{
	struct apply *c = arg;
	struct problem why = {};
	int r = ifaces_detach(c->d->ifaces, name, &why);

	if (r < 0 && r != -ENOENT)
		log_warning("rollback: %s", why.text);
}

/* Puts what ran before in force again. */
static int go_back(struct apply *c, struct problem *why)
{
	_cleanup_(config_freep) struct config *next = NULL;
	_cleanup_(config_freep) struct config *was = NULL;
	const struct journal *j = &c->journal;
	int r = config_parse(c->path, j->was, strlen(j->was), &was, why);

	r = r ?: config_parse(c->path, j->next, strlen(j->next), &next, why);
	r = r ?: daemon_use(c->d, take_ptr(was), why);
	if (!r)
		each_added(j, next, c->d->config, take_off, c);
	return r;
}

/* reason: after "rollback" in the audit log, with the keys. */
static int undo(struct apply *c, const struct actor *actor, const char *reason, struct problem *why)
{
	char detail[CHANGE_TEXT_MAX + 64];
	int r;

	c->journal.state = JOURNAL_UNDONE;
	r = journal_write(c->d->config->database, &c->journal, why);
	if (r < 0) /* the deadline alone will do */
		log_warning("configuration: %s", why->text);
	r = go_back(c, why);
	if (r < 0) {
		c->journal.state = JOURNAL_WAITING;
		return r;
	}
	c->rolled_back++;
	snprintf(detail, sizeof(detail), "%s: %s", reason, c->keys);
	daemon_audit(c->d, actor, "rollback", detail);
	settle(c);
	return 0;
}

/* ---- the timer ---- */

static void note_start(struct apply *c)
{
	if (!c->note_verb || !sync_store(c->d->sync))
		return;
	daemon_audit(c->d, &by_itself, c->note_verb, c->note);
	c->note_verb = NULL;
}

static void look_again(struct apply *c)
{
	int64_t left = c->waiting ? journal_left(&c->journal) : LOOK_MS;

	if (c->waiting || c->note_verb)
		loop_timer_set(c->d->loop, c->timer, left < LOOK_MS ? left + 1 : LOOK_MS);
}

static void tick(void *arg)
{
	struct apply *c = arg;
	struct problem why = {};

	note_start(c);
	if (c->owed)
		settle(c);
	if (c->waiting && !journal_left(&c->journal) &&
	    undo(c, &by_itself, "not confirmed in time", &why) < 0) {
		if (strcmp(why.text, c->problem) != 0)
			log_error("rollback: not possible yet: %s", why.text);
		snprintf(c->problem, sizeof(c->problem), "%s", why.text);
		loop_timer_set(c->d->loop, c->timer, RETRY_MS);
		return;
	}
	if (!c->owed)
		look_again(c);
}

/* ---- start ---- */

static void unpin(void *arg, const char *name)
{
	const char *pins = arg;
	struct problem why = {};
	int r = program_detach(pins, name, &why);

	if (r < 0 && r != -ENOENT)
		log_warning("rollback: %s", why.text);
}

/* What waits is over: the file, as it is to be, is what starts. */
static int start_over(struct apply *c, struct config **config, struct problem *why)
{
	_cleanup_(config_freep) struct config *next = NULL;
	_cleanup_(config_freep) struct config *file = NULL;
	struct journal *j = &c->journal;
	int r;

	if (j->state == JOURNAL_WAITING)
		j->state = JOURNAL_UNDONE;
	if (j->state == JOURNAL_UNDONE &&
	    !config_parse(c->path, j->next, strlen(j->next), &next, NULL))
		each_added(j, next, *config, unpin, next->pins);
	c->note_verb = j->state == JOURNAL_UNDONE ? "rollback" : "confirm";
	snprintf(c->note, sizeof(c->note), "%s: %s",
		 j->state == JOURNAL_UNDONE ? "not confirmed in time, moatd was not there"
					    : "finished at start",
		 c->keys);
	c->rolled_back += j->state == JOURNAL_UNDONE;
	log_notice("configuration: %s %s", c->note_verb, c->note);
	r = finish(c, (*config)->database, why);
	if (r < 0) {
		log_error("configuration: %s; it is tried again", why->text);
		snprintf(c->problem, sizeof(c->problem), "%s", why->text);
		c->owed = true;
		if (j->state != JOURNAL_CONFIRMED)
			r = config_parse(c->path, j->was, strlen(j->was), &file, why);
		else
			r = config_parse(c->path, j->next, strlen(j->next), &file, why);
	} else {
		r = config_load(c->path, &file, why);
		journal_free(j);
	}
	if (r < 0)
		return r;
	config_free(*config);
	*config = take_ptr(file);
	return 0;
}

/* Still in time: the new configuration is what starts, if this moatd can read it. */
static int start_waiting(struct apply *c, struct config **config)
{
	struct config *next = NULL;
	struct problem why = {};
	int r = config_parse("configuration", c->journal.next, strlen(c->journal.next), &next,
			     &why);

	if (r < 0) {
		log_error("a configuration waits to be confirmed, and is given up: %s", why.text);
		return r;
	}
	log_notice("a configuration by %s waits to be confirmed (%s); it is rolled back in %lld s",
		   c->journal.actor, c->keys, (long long)(journal_left(&c->journal) + 999) / 1000);
	config_free(*config);
	*config = next;
	c->waiting = true;
	return 0;
}

static void describe(struct apply *c)
{
	_cleanup_(config_freep) struct config *next = NULL;
	_cleanup_(config_freep) struct config *was = NULL;

	snprintf(c->keys, sizeof(c->keys), "unknown");
	if (!config_parse("", c->journal.was, strlen(c->journal.was), &was, NULL) &&
	    !config_parse("", c->journal.next, strlen(c->journal.next), &next, NULL))
		config_changes_text(was, next, c->keys);
}

int apply_new(const char *path, struct config **config, struct apply **ret, struct problem *why)
{
	_cleanup_(apply_freep) struct apply *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return problem_set(why, -ENOMEM, "out of memory");
	c->path = realpath(path, NULL);
	if (!c->path) /* root could follow it, this user cannot, and so writes nothing there */
		c->path = strdup(path);
	if (!c->path)
		return problem_set(why, -ENOMEM, "out of memory");
	r = journal_read((*config)->database, &c->journal, why);
	if (r < 0 && r != -ENOENT)
		log_warning("what waits to be confirmed is unknown, the file of the configuration "
			    "starts: %s",
			    why->text);
	if (!r) {
		describe(c);
		if (c->journal.state != JOURNAL_WAITING || !journal_left(&c->journal) ||
		    start_waiting(c, config) < 0)
			r = start_over(c, config, why);
		if (r < 0)
			return r;
	}
	why->text[0] = '\0';
	*ret = take_ptr(c);
	return 0;
}

int apply_begin(struct apply *c, struct daemon *d)
{
	c->d = d;
	c->timer = loop_timer(d->loop, 0, 0, tick, c);
	if (c->timer < 0)
		return c->timer;
	d->apply = c;
	loop_timer_set(d->loop, c->timer, c->owed ? RETRY_MS : 1);
	return 0;
}

struct apply *apply_free(struct apply *c)
{
	if (!c)
		return NULL;
	if (c->timer > 0)
		loop_timer_remove(c->d->loop, c->timer);
	if (c->d)
		c->d->apply = NULL;
	journal_free(&c->journal);
	free(c->path);
	free(c);
	return NULL;
}

/* ---- by hand ---- */

int apply_check(const struct daemon *d, const char *text, size_t size, struct config **ret,
		struct problem *why)
{
	_cleanup_(config_freep) struct config *next = NULL;
	char fixed[CONFIG_FIXED_TEXT];
	int r = config_parse("configuration", text, size, &next, why);

	if (r < 0)
		return r;
	if (strlen(next->text) != size)
		return problem_set(why, -EINVAL, "configuration: it is no plain text");
	if (*config_fixed(d->config, next, fixed))
		return problem_set(why, -EPERM,
				   "%s cannot be changed while moatd runs: write it to %s and restart "
				   "moatd (the filter stays in force meanwhile)",
				   fixed, d->config_path);
	*ret = take_ptr(next);
	return 0;
}

static int note_attached(struct apply *c, struct journal *j)
{
	struct iface_view view;

	j->attached = calloc(ifaces_count(c->d->ifaces) + 1, sizeof(*j->attached));
	if (!j->attached)
		return -ENOMEM;
	for (size_t i = 0; i < ifaces_count(c->d->ifaces) && i < JOURNAL_NAMES_MAX; i++) {
		ifaces_view(c->d->ifaces, i, &view);
		if (view.attachment.mode != ATTACH_NONE)
			snprintf(j->attached[j->attacheds++], sizeof(*j->attached), "%s",
				 view.name);
	}
	return 0;
}

static int journal_make(struct apply *c, const struct config *next, int64_t seconds,
			const struct actor *actor, struct problem *why)
{
	struct journal *j = &c->journal;

	journal_free(j);
	j->next = strdup(next->text);
	j->was = strdup(c->d->config->text);
	snprintf(j->actor, sizeof(j->actor), "%s", actor && actor->name ? actor->name : "?");
	snprintf(j->origin, sizeof(j->origin), "%s", actor && actor->origin ? actor->origin : "?");
	if (!j->next || !j->was || note_attached(c, j))
		return problem_set(why, -ENOMEM, "out of memory");
	journal_begin(j, seconds);
	return 0;
}

/* In force at once; the file follows, as after a confirmation. */
static int at_once(struct apply *c, struct config *next, struct problem *why)
{
	int r = daemon_use(c->d, next, why);

	if (r < 0)
		return r;
	c->journal.state = JOURNAL_CONFIRMED;
	if (journal_write(c->d->config->database, &c->journal, why))
		log_warning("configuration: %s", why->text);
	settle(c);
	return 0;
}

static int for_a_while(struct apply *c, struct config *next, struct problem *why)
{
	_cleanup_(config_freep) struct config *owned = next;
	const char *database = c->d->config->database;
	int r;

	c->journal.state = JOURNAL_WAITING;
	r = journal_write(database, &c->journal, why);
	r = r ?: daemon_use(c->d, take_ptr(owned), why);
	if (r < 0) {
		journal_remove(c->d->config->database, NULL);
		return r;
	}
	c->waiting = true;
	look_again(c);
	return 0;
}

static int refuse_second(const struct apply *c, struct problem *why)
{
	return problem_set(why, -EALREADY,
			   "a configuration by %s is not confirmed yet (rolls back in %lld s): "
			   "'moatctl confirm' or 'moatctl rollback' first",
			   c->journal.actor, (long long)(journal_left(&c->journal) + 999) / 1000);
}

int apply_config(struct apply *c, const char *text, size_t size, int64_t seconds,
		 const struct actor *actor, struct problem *why)
{
	_cleanup_(config_freep) struct config *next = NULL;
	char detail[CHANGE_TEXT_MAX + 64], time[32];
	ssize_t changes;
	int r;

	if (c->waiting)
		return refuse_second(c, why);
	if (c->owed)
		return problem_set(why, -EALREADY, "the last change is not finished: %s",
				   c->problem);
	r = apply_check(c->d, text, size, &next, why) ?: durable_check(c->path, why);
	if (r < 0)
		return r;
	changes = config_changes(c->d->config, next, NULL, NULL);
	if (!changes && seconds)
		return problem_set(why, -ENODATA,
				   "nothing to confirm: it changes nothing of what runs");
	config_changes_text(c->d->config, next, c->keys);
	r = journal_make(c, next, seconds, actor, why);
	r = r ?: seconds ? for_a_while(c, take_ptr(next), why) : at_once(c, take_ptr(next), why);
	if (r < 0) {
		journal_free(&c->journal);
		return r;
	}
	c->applied++;
	if (seconds)
		snprintf(detail, sizeof(detail), "unless confirmed, for %s: %s",
			 units_duration_format(seconds, time), c->keys);
	else
		snprintf(detail, sizeof(detail), "%s", c->keys);
	daemon_audit(c->d, actor, "apply", detail);
	return 0;
}

int apply_confirm(struct apply *c, const struct actor *actor, struct problem *why)
{
	int r;

	if (!c->waiting)
		return problem_set(why, -ENODATA, "nothing waits to be confirmed");
	r = durable_check(c->path, why);
	if (r < 0)
		return r;
	c->journal.state = JOURNAL_CONFIRMED;
	r = journal_write(c->d->config->database, &c->journal, why);
	if (r < 0) {
		c->journal.state = JOURNAL_WAITING;
		return r;
	}
	c->confirmed++;
	daemon_audit(c->d, actor, "confirm", c->keys);
	settle(c);
	return 0;
}

int apply_rollback(struct apply *c, const struct actor *actor, struct problem *why)
{
	if (!c->waiting)
		return problem_set(why, -ENODATA, "nothing waits to be confirmed or rolled back");
	return undo(c, actor, "by hand", why);
}

void apply_view(const struct apply *c, struct apply_view *ret)
{
	*ret = (struct apply_view){ .actor = "", .keys = "", .problem = "" };
	if (!c)
		return;
	ret->waiting = c->waiting;
	ret->owed = c->owed;
	ret->problem = c->problem;
	ret->applied = c->applied;
	ret->confirmed = c->confirmed;
	ret->rolled_back = c->rolled_back;
	if (!c->waiting)
		return;
	ret->seconds_left = (journal_left(&c->journal) + 999) / 1000;
	ret->until = c->journal.until;
	ret->actor = c->journal.actor;
	ret->keys = c->keys;
}
