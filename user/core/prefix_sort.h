/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many items into the order of their prefixes: by radix, in place, a few times
 * as fast as qsort(). For what is to be looked up or put in a model of millions
 * of sources: in this order each is found a few steps from the one before.
 */
#ifndef CORE_PREFIX_SORT_H
#define CORE_PREFIX_SORT_H

#include "core/prefix.h"

#define PREFIX_SORT_STRIDE_MAX 64

/*
 * By prefix_compare(); equal ones in any order. stride: bytes an item, at most
 * PREFIX_SORT_STRIDE_MAX; each begins with its struct prefix.
 */
void prefix_sort(void *items, size_t count, size_t stride);

#endif
