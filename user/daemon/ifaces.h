/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interfaces: attached while they exist, watched, attached again when they
 * return. One program instance each.
 */
#ifndef DAEMON_IFACES_H
#define DAEMON_IFACES_H

#include "core/config.h"
#include "core/problem.h"
#include "daemon/loop.h"
#include "plane/program.h"

struct ifaces;

int ifaces_new(const struct config *config, struct tables *tables, struct loop *loop,
	       struct ifaces **ret, struct problem *why);
struct ifaces *ifaces_free(struct ifaces *i); /* attachments stay */
DEFINE_CLEANUP(struct ifaces, ifaces_free)

/* Attaches what can be attached; what cannot stays in trouble and is tried again. */
void ifaces_attach_all(struct ifaces *i);

/* The same for those alone that something was pinned for when moatd started. */
void ifaces_attach_pinned(struct ifaces *i);

/* Takes over a new configuration: enforce and mode at once, new interfaces attach, gone ones stay. */
int ifaces_reload(struct ifaces *i, const struct config *config, struct problem *why);

/* By hand. attach clears, detach sets "detached by hand": then it is not attached again by itself. */
int ifaces_attach(struct ifaces *i, const char *name, struct problem *why);
int ifaces_detach(struct ifaces *i, const char *name, struct problem *why);

/*
 * On trial the filter ends with this process (program_set_trial()). Takes what
 * is attached by hand or later.
 */
void ifaces_set_trial(struct ifaces *i, const char *name, bool trial);
/* Nothing is attached there by itself, as after ifaces_detach(). */
void ifaces_keep_off(struct ifaces *i, const char *name);

/* An interface as it is now. Pointers live until the next call into ifaces. */
struct iface_view {
	const char *name;
	struct attachment attachment; /* mode ATTACH_NONE: not attached */
	bool enforce;
	bool by_hand;		 /* detached by hand */
	const char *problem;	 /* NULL: none; else what and what to do */
	struct program *program; /* NULL if not loaded */
};

size_t ifaces_count(const struct ifaces *i);
void ifaces_view(struct ifaces *i, size_t index, struct iface_view *ret);
/* Index by name, or -ENOENT. */
ssize_t ifaces_find(const struct ifaces *i, const char *name);

#endif
