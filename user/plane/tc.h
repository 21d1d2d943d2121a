/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tc program: a clsact filter with moat's own handle, so that it can be
 * found and replaced, and others' left alone. Private to plane/.
 */
#ifndef PLANE_TC_H
#define PLANE_TC_H

#include "core/problem.h"

/* Puts the program there, in place of an older one of moat. 0 or negative, with why. */
int tc_attach(const char *iface, uint32_t ifindex, int program, struct problem *why);

/* Whether a program of moat is there. */
bool tc_attached(uint32_t ifindex);

/* Removes it, and the clsact if nothing else is in it. None is no error. */
int tc_detach(uint32_t ifindex);

#endif
