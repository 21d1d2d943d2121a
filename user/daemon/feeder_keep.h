/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last good copy of a feed on disk: written beside as PATH.part, and put
 * in its place as a whole or not at all. One writer a path; what a dead one
 * left is overwritten.
 */
#ifndef DAEMON_FEEDER_KEEP_H
#define DAEMON_FEEDER_KEEP_H

#include "core/problem.h"

#define FEEDER_PART ".part"

struct feeder_keep;

/* -EBUSY: another job writes it. */
int feeder_keep_open(const char *path, struct feeder_keep **ret, struct problem *why);
int feeder_keep_fd(const struct feeder_keep *k);

/* On disk and in its place when it returns 0. */
int feeder_keep_commit(struct feeder_keep *k, struct problem *why);

/* What was not committed is removed. */
struct feeder_keep *feeder_keep_free(struct feeder_keep *k);
DEFINE_CLEANUP(struct feeder_keep, feeder_keep_free)

#endif
