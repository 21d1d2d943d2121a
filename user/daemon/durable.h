/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small files that must survive: a reader, and a machine that lost its power,
 * finds the old one or the new one, whole, and what was reported as done is on
 * disk.
 */
#ifndef DAEMON_DURABLE_H
#define DAEMON_DURABLE_H

#include <sys/types.h>

#include "core/problem.h"

/*
 * Puts data in the place of path. Mode and owner stay those of the file that
 * was there (the owner as far as moatd may); a new one gets mode.
 */
int durable_write(const char *path, const char *data, size_t size, mode_t mode,
		  struct problem *why);

/* 0 also if there was none. */
int durable_remove(const char *path, struct problem *why);

/* The whole file, NUL-terminated, owned by the caller; -ENOENT, -EFBIG above max bytes. */
int durable_read(const char *path, size_t max, char **ret, size_t *ret_size, struct problem *why);

/* Whether durable_write() would be let: 0, -EACCES, -EROFS, ... */
int durable_check(const char *path, struct problem *why);

#endif
