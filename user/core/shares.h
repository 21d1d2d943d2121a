/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Divides something between those who want it: nobody gets more than he wants
 * while somebody else wants more than he gets (max-min fairness).
 */
#ifndef CORE_SHARES_H
#define CORE_SHARES_H

#include "core/base.h"

#define SHARES_FLOOR 16 /* a sixteenth of the total is divided equally, wanted or not */

/* The shares of count parties, whose sum is total, less what does not divide. O(count^2) at worst. */
void shares_divide(uint64_t total, const uint64_t *wanted, uint64_t *ret_share, size_t count);

#endif
