/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls that moatd may make from now on, and its children with it.
 *
 * It is a list of what is allowed. Any other call is not made: moatd says which
 * one it was and ends with exit code 2, as after a crash; the filter stays in
 * force. Children that other files start have shorter lists of their own
 * (feeder_sandbox.h); what those allow must be in this one.
 */
#ifndef DAEMON_SYSCALLS_H
#define DAEMON_SYSCALLS_H

#include "core/problem.h"

#define SYSCALLS_EXIT 2 /* exit code: system */

/* A kernel without system call filters is done without, and said. No way back. */
int syscalls_restrict(struct problem *why);

#endif
