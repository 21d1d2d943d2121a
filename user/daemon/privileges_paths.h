/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What moatd writes to, in the hands of the account that it runs as. Private
 * to privileges.c.
 */
#ifndef DAEMON_PRIVILEGES_PATHS_H
#define DAEMON_PRIVILEGES_PATHS_H

#include <pwd.h>

#include "core/config.h"
#include "core/problem.h"

/*
 * As root. Pins: made, theirs, and within reach: a directory of the BPF file
 * system above them that is closed to others is opened to their group. The
 * directory of the socket: made, or theirs if nothing else is in it. That of
 * the database: made. What is in it is never given away, only checked.
 */
int privileges_hand_over(const struct config *config, const struct passwd *account,
			 struct problem *why);

/*
 * The pins alone, below the usual mount of the BPF file system: by a configuration that the
 * account may write, root makes and gives nothing else.
 */
int privileges_hand_over_pins(const struct config *config, const struct passwd *account,
			      struct problem *why);

/* As the account. Says in the log what it cannot write to, and what to do. */
void privileges_check(const struct config *config, const struct passwd *account);

#endif
