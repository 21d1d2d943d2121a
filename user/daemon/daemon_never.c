/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/daemon_never.h"

#include "core/log.h"
#include "daemon/discover_watch.h"

int daemon_never_begin(struct daemon *d, struct never_block *ret, struct problem *why)
{
	int r = discover_watch_new(d->loop, daemon_never_apply, d, &d->never);

	if (r < 0)
		return problem_set(why, r, "never_block: cannot watch this host: %s", strerror(-r));
	if (*discover_watch_problem(d->never))
		log_warning("never-block: %s", discover_watch_problem(d->never));
	r = daemon_never_look(d, d->config, ret, why);
	if (!r)
		daemon_never_note(d, ret);
	return r;
}

void daemon_never_end(struct daemon *d)
{
	d->never = discover_watch_free(d->never);
}

int daemon_never_look(struct daemon *d, const struct config *config, struct never_block *ret,
		      struct problem *why)
{
	return d->never ? discover_watch_look(d->never, config, ret, why)
			: discover_never_block(config, ret, why);
}

void daemon_never_note(struct daemon *d, const struct never_block *now)
{
	char text[DISCOVER_TEXT];

	if (memcmp(&d->never_block, &now->counts, sizeof(now->counts)) != 0)
		log_notice("never-block: %s", discover_text(&now->counts, text));
	d->never_block = now->counts;
	d->never_problem[0] = '\0';
}

void daemon_never_apply(void *arg)
{
	struct daemon *d = arg;
	_cleanup_(never_block_free) struct never_block now = {};
	struct problem why = {};
	int r = discover_watch_known(d->never, d->config, &now, &why);

	if (!r && d->sync)
		r = sync_set_never(d->sync, now.prefix, now.count, &why);
	if (r >= 0) {
		if (r > 0 && !memcmp(&d->never_block, &now.counts, sizeof(now.counts)))
			log_notice("never-block: an address in place of another");
		daemon_never_note(d, &now);
		return;
	}
	if (strcmp(d->never_problem, why.text) != 0)
		log_error("never-block: what was found is not in force yet: %s", why.text);
	snprintf(d->never_problem, sizeof(d->never_problem), "%s", why.text);
}
