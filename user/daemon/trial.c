/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/trial.h"

#include <jansson.h>
#include <limits.h>

#include "core/log.h"
#include "core/units.h"
#include "daemon/apply_journal.h"
#include "daemon/durable.h"

#define SUFFIX	  "-attach"
#define FILE_SIZE (64 * 1024) /* bytes, at most */
#define LOOK_MS	  500

struct trial {
	char iface[16];
	bool over;		 /* not confirmed: it stays off */
	struct journal deadline; /* the times alone */
};

struct trials {
	struct daemon *d;
	int timer;
	struct trial trial[TRIALS_MAX];
	size_t count;
};

static const struct actor by_itself = { "moatd", "deadline" };

static struct trial *find(struct trials *t, const char *iface)
{
	for (size_t i = 0; i < t->count; i++)
		if (!strcmp(t->trial[i].iface, iface))
			return &t->trial[i];
	return NULL;
}

/* ---- on disk ---- */

static int path_of(const struct trials *t, char ret[static PATH_MAX])
{
	const char *path = strstr(t->d->config->database, "://");
	int size = path ? snprintf(ret, PATH_MAX, "%s" SUFFIX, path + 3) : -1;

	return size > 0 && size < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int save(const struct trials *t, struct problem *why)
{
	json_auto_t *list = json_array();
	char path[PATH_MAX];
	char *text;
	int r = path_of(t, path);

	if (r)
		return problem_set(why, r, "database: its path is too long");
	if (!t->count)
		return durable_remove(path, why);
	for (size_t i = 0; i < t->count; i++) {
		const struct trial *at = &t->trial[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:b, s:I, s:I, s:I, s:s}", "iface",
						at->iface, "over", at->over, "seconds",
						(json_int_t)at->deadline.seconds, "until",
						(json_int_t)at->deadline.until, "until_boot_ms",
						(json_int_t)at->deadline.until_boot, "boot",
						at->deadline.boot));
	}
	text = json_dumps(list, JSON_COMPACT);
	if (!text)
		return problem_set(why, -ENOMEM, "out of memory");
	r = durable_write(path, text, strlen(text), 0600, why);
	free(text);
	return r;
}

static bool take(json_t *entry, struct trial *ret)
{
	json_int_t seconds, until, until_boot;
	const char *iface, *boot;
	int over;

	if (json_unpack(entry, "{s:s, s:b, s:I, s:I, s:I, s:s !}", "iface", &iface, "over", &over,
			"seconds", &seconds, "until", &until, "until_boot_ms", &until_boot, "boot",
			&boot) ||
	    !*iface || strlen(iface) >= sizeof(ret->iface) ||
	    strlen(boot) >= sizeof(ret->deadline.boot) || seconds < 0 || seconds > INT64_MAX / 1000)
		return false;
	*ret = (struct trial){ .over = over };
	snprintf(ret->iface, sizeof(ret->iface), "%s", iface);
	snprintf(ret->deadline.boot, sizeof(ret->deadline.boot), "%s", boot);
	ret->deadline.seconds = seconds;
	ret->deadline.until = until;
	ret->deadline.until_boot = until_boot;
	return true;
}

static void load(struct trials *t)
{
	_cleanup_free_ char *text = NULL;
	json_auto_t *list = NULL;
	struct problem why = {};
	char path[PATH_MAX];
	json_t *entry;
	size_t size, i;
	int r = path_of(t, path) ?: durable_read(path, FILE_SIZE, &text, &size, &why);

	if (r == -ENOENT)
		return;
	list = r ? NULL : json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_array(list)) {
		log_warning("which interfaces wait to be confirmed is unknown: %s",
			    r ? why.text : "the list is none of moat's");
		return;
	}
	json_array_foreach(list, i, entry)
		if (t->count < TRIALS_MAX && take(entry, &t->trial[t->count]))
			t->count++;
}

/* ---- the end of one ---- */

static void forget(struct trials *t, struct trial *at)
{
	*at = t->trial[--t->count];
}

static void end(struct trials *t, struct trial *at)
{
	struct problem why = {};
	char detail[64];
	int r;

	at->over = true;
	r = save(t, &why);
	if (r < 0)
		log_warning("interface '%s': %s", at->iface, why.text);
	r = ifaces_detach(t->d->ifaces, at->iface, &why);
	if (r < 0 && r != -ENOENT)
		log_warning("%s", why.text);
	ifaces_keep_off(t->d->ifaces, at->iface);
	snprintf(detail, sizeof(detail), "%s: not confirmed in time", at->iface);
	daemon_audit(t->d, &by_itself, "detach", detail);
}

static void look(void *arg)
{
	struct trials *t = arg;

	for (size_t i = 0; i < t->count; i++)
		if (!t->trial[i].over && !journal_left(&t->trial[i].deadline))
			end(t, &t->trial[i]);
}

/* ---- the whole ---- */

int trials_new(struct daemon *d, struct trials **ret)
{
	_cleanup_(trials_freep) struct trials *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->d = d;
	load(t);
	for (size_t i = 0; i < t->count; i++) {
		struct trial *at = &t->trial[i];

		at->over |= !journal_left(&at->deadline);
		if (at->over)
			ifaces_keep_off(d->ifaces, at->iface);
		else
			ifaces_set_trial(d->ifaces, at->iface, true);
		log_notice("interface '%s': %s", at->iface,
			   at->over ? "its filter was not confirmed in time, it stays off"
				    : "its filter waits to be confirmed");
	}
	t->timer = loop_timer(d->loop, LOOK_MS, LOOK_MS, look, t);
	if (t->timer < 0)
		return t->timer;
	*ret = take_ptr(t);
	return 0;
}

struct trials *trials_free(struct trials *t)
{
	if (!t)
		return NULL;
	if (t->timer > 0)
		loop_timer_remove(t->d->loop, t->timer);
	free(t);
	return NULL;
}

static bool is_attached(const struct trials *t, const char *iface)
{
	ssize_t index = ifaces_find(t->d->ifaces, iface);
	struct iface_view view;

	if (index < 0)
		return false;
	ifaces_view(t->d->ifaces, (size_t)index, &view);
	return view.attachment.mode != ATTACH_NONE;
}

int trials_attach(struct trials *t, const char *iface, int64_t seconds, const struct actor *actor,
		  struct problem *why)
{
	struct trial *at = find(t, iface);
	char detail[96], time[32];
	int r;

	if (is_attached(t, iface))
		return problem_set(why, -EEXIST,
				   "interface '%s': the filter is on it already: there is nothing to "
				   "confirm",
				   iface);
	if (!at && (t->count == TRIALS_MAX || strlen(iface) >= sizeof(at->iface)))
		return problem_set(why, -EINVAL, "interface '%.32s': too many wait to be confirmed",
				   iface);
	at = at ?: &t->trial[t->count++];
	*at = (struct trial){};
	snprintf(at->iface, sizeof(at->iface), "%s", iface);
	journal_begin(&at->deadline, seconds);
	r = save(t, why);
	if (!r) {
		ifaces_set_trial(t->d->ifaces, iface, true);
		r = ifaces_attach(t->d->ifaces, iface, why);
	}
	if (r < 0) {
		ifaces_set_trial(t->d->ifaces, iface, false);
		forget(t, at);
		save(t, NULL);
		return r;
	}
	snprintf(detail, sizeof(detail), "%s: unless confirmed, for %s", iface,
		 units_duration_format(seconds, time));
	daemon_audit(t->d, actor, "attach", detail);
	return 0;
}

int trials_confirm(struct trials *t, const char *iface, const struct actor *actor,
		   struct problem *why)
{
	struct trial *at = find(t, iface);
	int r;

	if (!at || at->over)
		return problem_set(why, -ENODATA, "interface '%s' does not wait to be confirmed",
				   iface);
	ifaces_set_trial(t->d->ifaces, iface, false);
	r = ifaces_attach(t->d->ifaces, iface, why); /* pins the link */
	if (r < 0) {
		ifaces_set_trial(t->d->ifaces, iface, true);
		return r;
	}
	forget(t, at);
	r = save(t, why);
	daemon_audit(t->d, actor, "confirm", iface);
	return r;
}

void trials_forget(struct trials *t, const char *iface)
{
	struct trial *at = t ? find(t, iface) : NULL;
	struct problem why = {};

	if (!at)
		return;
	forget(t, at);
	ifaces_set_trial(t->d->ifaces, iface, false);
	if (save(t, &why) < 0)
		log_warning("interface '%s': %s", iface, why.text);
}

void trials_each(const struct trials *t, void (*fn)(void *arg, const char *iface, int64_t left),
		 void *arg)
{
	for (size_t i = 0; t && i < t->count; i++)
		if (!t->trial[i].over)
			fn(arg, t->trial[i].iface,
			   (journal_left(&t->trial[i].deadline) + 999) / 1000);
}
