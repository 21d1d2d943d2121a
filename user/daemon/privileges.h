/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Gives up every right that moatd does not need, in two steps:
 *
 *	privileges_become(config, &why);   // before anything is opened or made
 *	... maps, programs, sockets ...
 *	privileges_drop(&why);             // before the first byte from outside
 *
 * With `user` in the configuration, root hands the directories that moatd
 * writes to over to that account and becomes it for good. A service manager
 * may have done so already; then nothing is left to do in the first step.
 *
 * The second step leaves the capabilities of the table in privileges.c, no way
 * to new ones, and the system calls of syscalls.h. Children that are started
 * later inherit all of it.
 */
#ifndef DAEMON_PRIVILEGES_H
#define DAEMON_PRIVILEGES_H

#include "core/config.h"
#include "core/problem.h"

/* Of the first step only the handing over of pins: for who starts moatd as that account. */
int privileges_prepare(const struct config *config, struct problem *why);

int privileges_become(const struct config *config, struct problem *why);
int privileges_drop(struct problem *why);

#endif
