/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Types of both sides. */
#ifndef MOAT_ABI_H
#define MOAT_ABI_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

#endif
