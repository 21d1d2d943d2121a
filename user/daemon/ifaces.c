/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ifaces.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "core/log.h"

struct iface {
	struct config_interface config;
	bool configured; /* false: attached by hand, or left from an earlier configuration */
	bool adopted;	 /* found by its pins: keep what they say of enforce */
	bool pinned;	 /* something was pinned for it at start */
	bool by_hand;	 /* detached by hand */
	bool trial;	 /* it comes off again unless confirmed */
	bool attached;	 /* as far as we know; program_check() tells */
	bool missing;	 /* there is no such interface */
	struct program *program;
	struct attachment attachment;
	char problem[PROBLEM_MAX];
	char notice[PROBLEM_MAX]; /* of the last attach that worked all the same */
};

struct ifaces {
	struct iface *iface;
	size_t count;
	struct tables *tables;
	struct loop *loop;
	char *pins;
	uint64_t drop_reasons;
	bool replies;
	bool marks;	/* a category sets marks */
	uint32_t chain; /* the priority under the dispatcher; 0: none */
	int netlink;
	int watch;
	int recheck;   /* timer: what cannot be attached is tried again */
	bool settling; /* recheck is due soon, because something happened */
};

#define IFACES_RECHECK_MS 2000
#define IFACES_SETTLE_MS  20 /* after a link event, before looking */

/* Says a problem once, not at every retry. */
static void iface_problem(struct iface *iface, const char *text)
{
	if (!strcmp(iface->problem, text))
		return;
	snprintf(iface->problem, sizeof(iface->problem), "%s", text);
	if (!strncmp(text, "interface ", strlen("interface ")))
		log_warning("%s", text);
	else if (*text)
		log_warning("interface '%s': %s", iface->config.name, text);
}

static int iface_load(struct ifaces *i, struct iface *iface, struct problem *why)
{
	struct moat_iface pinned;

	if (!iface->program) {
		int r = program_load(i->tables, i->pins, iface->config.name, &iface->program, why);

		if (r < 0)
			return r;
	}
	if (iface->adopted) {
		program_get_iface(iface->program, &pinned);
		iface->config.enforce = pinned.enforce;
	}
	program_set_iface(iface->program, iface->config.enforce, i->drop_reasons);
	program_set_replies(iface->program, i->replies);
	program_set_trial(iface->program, iface->trial);
	program_set_chain(iface->program, i->chain);
	return 0;
}

/* The new attachment, or what is wrong with it, told once. */
static int iface_look(struct iface *iface, struct problem *why)
{
	struct attachment now = {};
	int r = program_check(iface->program, &now, why);

	if (r < 0) {
		iface->attached = false;
		iface->attachment = (struct attachment){};
		return r;
	}
	if (!iface->attached)
		log_notice("interface '%s': filter attached in %s mode%s", iface->config.name,
			   now.mode == ATTACH_NATIVE ? "native" : "generic",
			   now.fallback ? ", because the driver refused native mode" : "");
	iface->attached = true;
	iface->attachment = now;
	return 0;
}

static int iface_attach(struct ifaces *i, struct iface *iface, struct problem *why)
{
	int r = iface_load(i, iface, why);

	if (r < 0)
		return r;
	why->text[0] = '\0';
	r = program_attach(iface->program, iface->config.mode, why);
	if (r < 0)
		return r;
	if (*why->text && strcmp(why->text, iface->notice) != 0)
		log_warning("%s", why->text);
	snprintf(iface->notice, sizeof(iface->notice), "%s", why->text);
	return iface_look(iface, why);
}

/* What is not as it should be with an interface that is attached; empty: nothing. */
static const char *iface_doubt(const struct ifaces *i, const struct iface *iface)
{
	if (!iface->configured)
		return "attached, but not in the configuration; add it there, or 'moatctl detach' it";
	if (iface->trial)
		return "unconfirmed: the filter comes off again by itself; 'moatctl confirm' with its "
		       "name keeps it";
	if (i->chain && !*iface->attachment.chain)
		return "not under libxdp's dispatcher, for that was refused (the log says why): it keeps "
		       "its own link, and filters alone";
	if (*iface->attachment.chain && i->marks)
		return "chained by libxdp: tagged packets get no mark, and count as tag_failed (DSCP and "
		       "drops are not affected)";
	if (!iface->attachment.tc)
		return "the tc program is not in place: tagged packets get no mark (drops are not affected)";
	if (i->replies && !iface->attachment.replies)
		return "the tc egress program is not in place: replies are judged like any packet "
		       "(replies: pass has no effect here)";
	return "";
}

static void iface_keep(struct ifaces *i, struct iface *iface)
{
	struct problem why = {};
	int r;

	if (iface->by_hand)
		return;
	if (iface->attached && !iface_look(iface, &why) && iface->attachment.tc &&
	    iface->attachment.replies == i->replies)
		return iface_problem(iface, iface_doubt(i, iface));
	r = iface_attach(i, iface, &why);
	iface->missing = r == -ENODEV;
	if (iface->missing)
		return iface_problem(iface,
				     "does not exist (yet); it is attached as soon as it does");
	iface_problem(iface, r < 0 ? why.text : iface_doubt(i, iface));
}

/* Left from an earlier configuration, and nothing is left of it. */
static bool iface_is_past(const struct iface *iface)
{
	return !iface->configured && !iface->attached &&
	       (iface->by_hand || (iface->adopted && iface->missing));
}

/* Forgets interfaces, in place. */
static void ifaces_drop(struct ifaces *i, bool (*drop)(const struct iface *iface))
{
	size_t kept = 0;

	for (size_t n = 0; n < i->count; n++) {
		if (drop(&i->iface[n]))
			program_free(i->iface[n].program);
		else
			i->iface[kept++] = i->iface[n];
	}
	i->count = kept;
}

void ifaces_attach_all(struct ifaces *i)
{
	for (size_t n = 0; n < i->count; n++)
		iface_keep(i, &i->iface[n]);
	ifaces_drop(i, iface_is_past);
}

void ifaces_attach_pinned(struct ifaces *i)
{
	for (size_t n = 0; n < i->count; n++)
		if (i->iface[n].pinned)
			iface_keep(i, &i->iface[n]);
}

static void ifaces_recheck(void *arg)
{
	struct ifaces *i = arg;

	i->settling = false;
	ifaces_attach_all(i);
}

static void ifaces_event(void *arg, uint32_t events)
{
	struct ifaces *i = arg;
	char buffer[8192];

	(void)events;
	/* What happened does not matter, only that something did. */
	while (recv(i->netlink, buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
		;
	if (i->settling) /* events without a pause must not put it off for ever */
		return;
	i->settling = true;
	loop_timer_set(i->loop, i->recheck, IFACES_SETTLE_MS);
}

static int ifaces_listen(struct ifaces *i)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };

	i->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (i->netlink < 0)
		return -errno;
	if (bind(i->netlink, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	i->watch = loop_watch(i->loop, i->netlink, EPOLLIN, ifaces_event, i);
	i->recheck = loop_timer(i->loop, IFACES_RECHECK_MS, IFACES_RECHECK_MS, ifaces_recheck, i);
	return i->watch < 0 ? i->watch : i->recheck < 0 ? i->recheck : 0;
}

ssize_t ifaces_find(const struct ifaces *i, const char *name)
{
	for (size_t n = 0; n < i->count; n++)
		if (!strcmp(i->iface[n].config.name, name))
			return (ssize_t)n;
	return -ENOENT;
}

static struct iface *ifaces_add(struct ifaces *i, const struct config_interface *config,
				bool configured)
{
	struct iface *grown = reallocarray(i->iface, i->count + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	i->iface = grown;
	grown[i->count] = (struct iface){ .config = *config, .configured = configured };
	return &grown[i->count++];
}

static int ifaces_add_pinned(void *arg, const char *name)
{
	struct config_interface config = { .mode = CONFIG_AUTO, .enforce = true };
	struct ifaces *i = arg;
	ssize_t at = ifaces_find(i, name);

	if (strlen(name) >= sizeof(config.name))
		return 0;
	if (at >= 0) {
		i->iface[at].pinned = true;
		return 0;
	}
	memcpy(config.name, name, strlen(name));
	if (!ifaces_add(i, &config, false))
		return -ENOMEM;
	i->iface[i->count - 1].adopted = true;
	i->iface[i->count - 1].pinned = true;
	return 0;
}

int ifaces_new(const struct config *config, struct tables *tables, struct loop *loop,
	       struct ifaces **ret, struct problem *why)
{
	_cleanup_(ifaces_freep) struct ifaces *i = calloc(1, sizeof(*i));
	int r;

	if (!i)
		return problem_set(why, -ENOMEM, "out of memory");
	i->netlink = -1;
	i->tables = tables;
	i->loop = loop;
	i->drop_reasons = config->drop_reasons;
	i->replies = config->replies;
	i->marks = config_marks(config);
	i->chain = config_chain(config);
	i->pins = strdup(config->pins);
	if (!i->pins)
		return problem_set(why, -ENOMEM, "out of memory");
	for (size_t n = 0; n < config->interfaces; n++)
		if (!ifaces_add(i, &config->interface[n], true))
			return problem_set(why, -ENOMEM, "out of memory");
	r = program_each_pinned(i->pins, ifaces_add_pinned, i);
	if (r < 0)
		return problem_set(why, r, "pins '%s': cannot list interfaces: %s", i->pins,
				   strerror(-r));
	r = ifaces_listen(i);
	if (r < 0)
		return problem_set(why, r, "netlink: cannot watch interfaces: %s", strerror(-r));
	*ret = take_ptr(i);
	return 0;
}

struct ifaces *ifaces_free(struct ifaces *i)
{
	if (!i)
		return NULL;
	loop_unwatch(i->loop, i->watch);
	loop_timer_remove(i->loop, i->recheck);
	if (i->netlink >= 0)
		close(i->netlink);
	for (size_t n = 0; n < i->count; n++)
		program_free(i->iface[n].program);
	free(i->iface);
	free(i->pins);
	free(i);
	return NULL;
}

static bool iface_is_unused(const struct iface *iface)
{
	return !iface->configured && !iface->attached;
}

int ifaces_reload(struct ifaces *i, const struct config *config, struct problem *why)
{
	for (size_t n = 0; n < i->count; n++)
		i->iface[n].configured = false;
	i->drop_reasons = config->drop_reasons;
	i->replies = config->replies;
	i->marks = config_marks(config);

	for (size_t n = 0; n < config->interfaces; n++) {
		ssize_t at = ifaces_find(i, config->interface[n].name);
		struct iface *iface = at >= 0 ? &i->iface[at]
					      : ifaces_add(i, &config->interface[n], true);

		if (!iface)
			return problem_set(why, -ENOMEM, "out of memory");
		if (iface->config.mode != config->interface[n].mode)
			iface->attached = false; /* attach anew, in the new mode */
		iface->config = config->interface[n];
		iface->configured = true;
		iface->adopted = false;
		if (iface->program)
			program_set_iface(iface->program, iface->config.enforce, i->drop_reasons);
	}
	for (size_t n = 0; n < i->count; n++)
		if (i->iface[n].program)
			program_set_replies(i->iface[n].program, i->replies);
	ifaces_drop(i, iface_is_unused);
	ifaces_attach_all(i);
	return 0;
}

int ifaces_attach(struct ifaces *i, const char *name, struct problem *why)
{
	struct config_interface config = { .mode = CONFIG_AUTO, .enforce = true };
	ssize_t at = ifaces_find(i, name);
	struct iface *iface = at >= 0 ? &i->iface[at] : NULL;
	int r;

	if (!iface) {
		if (strlen(name) >= sizeof(config.name))
			return problem_set(why, -EINVAL, "'%.32s' is not an interface name", name);
		memcpy(config.name, name, strlen(name));
		iface = ifaces_add(i, &config, false);
		if (!iface)
			return problem_set(why, -ENOMEM, "out of memory");
	}
	/* What libxdp pins does not end with moatd. Refused here, it stays as it was. */
	if (iface->trial && i->chain)
		return problem_set(why, -EOPNOTSUPP,
				   "interface '%s': a chained program cannot be attached on trial: it "
				   "would not end with moatd",
				   name);
	iface->by_hand = false;
	r = iface_attach(i, iface, why);
	if (r == -ENODEV)
		problem_set(why, r, "interface '%s' does not exist", name);
	if (r < 0 && at < 0) { /* nothing that is kept */
		program_free(iface->program);
		i->count--;
		return r;
	}
	iface_problem(iface, r < 0 ? why->text : iface_doubt(i, iface));
	return r;
}

int ifaces_detach(struct ifaces *i, const char *name, struct problem *why)
{
	ssize_t at = ifaces_find(i, name);
	int r = program_detach(i->pins, name, why);
	struct iface *iface;

	if (r < 0)
		return r == -ENOENT ? problem_set(why, r, "interface '%s' is not attached", name)
				    : r;
	log_notice("interface '%s': filter detached by hand", name);
	if (at < 0)
		return 0;
	iface = &i->iface[at];
	iface->program = program_free(iface->program);
	iface->attached = false;
	iface->attachment = (struct attachment){};
	iface->by_hand = true;
	snprintf(iface->problem, sizeof(iface->problem),
		 "detached by hand: nothing is filtered there; 'moatctl attach %s' brings it back",
		 name);
	return 0;
}

void ifaces_set_trial(struct ifaces *i, const char *name, bool trial)
{
	ssize_t at = ifaces_find(i, name);

	if (at >= 0)
		i->iface[at].trial = trial;
}

void ifaces_keep_off(struct ifaces *i, const char *name)
{
	ssize_t at = ifaces_find(i, name);

	if (at < 0)
		return;
	i->iface[at].by_hand = true;
	i->iface[at].trial = false;
	snprintf(i->iface[at].problem, sizeof(i->iface[at].problem),
		 "attached, and not confirmed in time: nothing is filtered there; 'moatctl attach %s' "
		 "brings it back",
		 name);
}

size_t ifaces_count(const struct ifaces *i)
{
	return i->count;
}

void ifaces_view(struct ifaces *i, size_t index, struct iface_view *ret)
{
	const struct iface *iface = &i->iface[index];

	*ret = (struct iface_view){
		.name = iface->config.name,
		.attachment = iface->attachment,
		.enforce = iface->config.enforce,
		.by_hand = iface->by_hand,
		.problem = *iface->problem ? iface->problem : NULL,
		.program = iface->program,
	};
}
