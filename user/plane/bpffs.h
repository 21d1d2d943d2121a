/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pins directory: finds or makes it on a BPF file system, puts pins there.
 * Used by plane/, and by moatd before it becomes another user.
 */
#ifndef PLANE_BPFFS_H
#define PLANE_BPFFS_H

#include <limits.h>

#include "core/problem.h"

#define BPFFS_DEFAULT_MOUNT "/sys/fs/bpf"

/*
 * Makes dir (0700) on a BPF file system. Where there is none, mounts one: on
 * /sys/fs/bpf for a dir below it, else on dir itself if that is new or empty;
 * then why says so although 0 is returned.
 */
int bpffs_prepare(const char *dir, struct problem *why);

/* Whether path lies on a BPF file system. */
bool bpffs_is(const char *path);

/* "DIR/NAME" into buf. 0 or -ENAMETOOLONG. */
int bpffs_path(char buf[static PATH_MAX], const char *dir, const char *name);

/* Pins fd at dir/name; what was pinned there is replaced in one step. */
int bpffs_pin(int fd, const char *dir, const char *name);

/* fd of what is pinned at dir/name, or negative errno (-ENOENT: nothing). */
int bpffs_get(const char *dir, const char *name);

/* Removes a pin; none is no error. */
int bpffs_unpin(const char *dir, const char *name);

#endif
