/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two roads from raw claims into the kernel's maps.
 *
 * install_plain() is the obvious one: for each prefix, look at every claim.
 * install_chain() goes the way of the daemon: user/core's model and image.
 * What the program then does must be the same.
 *
 * Both begin by forgetting the list that was there, and end with the switches
 * of the world in force.
 */
#ifndef PROG_INSTALL_H
#define PROG_INSTALL_H

#include "tests/prog/harness.h"

/* As a daemon would at the time compiled_at (boot ns), when all claims to come are still live. */
void install_plain(struct harness *h, const struct reference *world, uint64_t compiled_at);
void install_chain(struct harness *h, const struct reference *world, uint64_t compiled_at);

/* The same road, a list after a list: only what changed is compiled and written. */
struct chain;
struct chain *chain_new(struct harness *h);
struct chain *chain_free(struct chain *c);
void chain_apply(struct chain *c, const struct reference *world, uint64_t compiled_at);

/* A policy as the maps have it; ret_ports may be NULL. */
void install_policy(const struct reference_policy *p, struct moat_policy *ret,
		    struct moat_ports *ret_ports);

#endif
