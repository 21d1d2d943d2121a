/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Landlock (Linux 5.13 and later): takes the sight of files from a process by
 * itself, whoever it runs as. No library has it, so these are the raw calls.
 *
 * Who uses it: the feeds' child, which may run as the account that owns the
 * database, the tokens and the configuration. moatd itself does not: a domain
 * never widens, and a reload may name files that nobody knew of at the start.
 */
#ifndef DAEMON_LANDLOCK_H
#define DAEMON_LANDLOCK_H

#include <stddef.h>

#include "core/problem.h"

/* The version of its interface that the kernel has, 0: none, or it is switched off. */
unsigned int landlock_version(void);

/*
 * From now on this thread, and what it starts, opens no file but these and what
 * lies in these directories, and those to read; it makes, removes and renames
 * none, and listens on no TCP port (6.7). What is open stays so. Paths that are
 * not there are left out. Needs no_new_privs. There is no way back. 0, also
 * where the kernel has no Landlock, or negative errno with *why.
 */
int landlock_read_only(const char *const *paths, size_t count, struct problem *why);

#endif
