/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every file of plane/ needs of bpf(2): errors in words, and the facts
 * the kernel tells about an fd. Private to plane/.
 */
#ifndef PLANE_KERNEL_H
#define PLANE_KERNEL_H

#include <linux/bpf.h>

#include "core/problem.h"

/*
 * Fills why with the text, the errno in words and, where a privilege is
 * missing, which one. Returns error (negative).
 */
_printf_(3, 4) int kernel_error(struct problem *why, int error, const char *fmt, ...);

/* Facts of an fd, which must be of that kind. 0 or negative errno. */
int kernel_map_info(int fd, struct bpf_map_info *ret);
int kernel_prog_info(int fd, struct bpf_prog_info *ret);
int kernel_link_info(int fd, struct bpf_link_info *ret);

/* Facts of a program by its id; -EPERM without CAP_SYS_ADMIN. */
int kernel_prog_info_by_id(uint32_t id, struct bpf_prog_info *ret);

/*
 * While quiet, libbpf's warnings are debug messages: for calls whose failure
 * is expected, or is explained better by the caller. Calls nest.
 */
void kernel_quiet(bool on);

/*
 * Whether kernel_cpus() can tell. The kernel writes a value for each CPU into
 * what is read from a per-CPU map, so a guess would be written beyond.
 */
int kernel_check_cpus(struct problem *why);

/* CPUs a per-CPU value has copies for. */
size_t kernel_cpus(void);

#endif
