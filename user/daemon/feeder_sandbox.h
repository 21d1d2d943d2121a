/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes every right from this process that fetching and parsing do not need.
 *
 * After it: another user if this was root and there is one, no capabilities,
 * no new privileges, bounded memory, CPU time, files and descriptors, and a
 * list of system calls; any other ends the process by SIGSYS. Sockets can be
 * connected, threads started, and of files those of the resolver and of TLS
 * opened to read (by Landlock; where a kernel has none, all that its user may
 * read); nothing else can be written to, run, or signalled. There is no way back.
 */
#ifndef DAEMON_FEEDER_SANDBOX_H
#define DAEMON_FEEDER_SANDBOX_H

#include <sys/types.h>

#include "core/problem.h"

#define SANDBOX_MEMORY	    (1ULL << 30) /* above what is mapped at the start */
#define SANDBOX_CPU_SECONDS 120
#define SANDBOX_DESCRIPTORS 64

/* parent: whose death ends this process. file_size: bytes a file may grow to. */
int sandbox_enter(pid_t parent, uint64_t file_size, struct problem *why);

#endif
