/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts the feeder's child: this program again, with an order and with
 * nothing else of ours (memory, descriptors, environment).
 */
#ifndef DAEMON_FEEDER_SPAWN_H
#define DAEMON_FEEDER_SPAWN_H

#include <sys/types.h>

#include "daemon/feeder_wire.h"

/* -EINVAL: a string of the job is too long. */
int feeder_order_fill(const struct feeder_job *job, struct feeder_order *ret, struct problem *why);

/* A file in memory that has these bytes, to read from its start; or negative. */
int feeder_memory_file(const void *bytes, size_t size);

/*
 * input and keep are -1 or stay the caller's. *ret_out is the end of the pipe
 * to read, non-blocking; *ret_pid is to be killed and waited for.
 */
int feeder_spawn(const struct feeder_order *order, int input, int keep, pid_t *ret_pid,
		 int *ret_out, struct problem *why);

#endif
