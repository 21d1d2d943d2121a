/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tc programs: clsact filters with moat's own handle, so that they can be
 * found and replaced, and others' left alone. Private to plane/.
 */
#ifndef PLANE_TC_H
#define PLANE_TC_H

#include "core/problem.h"

enum tc_point {
	TC_POINT_INGRESS, /* moat_mark */
	TC_POINT_EGRESS,  /* moat_egress */
};

/* Puts the program there, in place of an older one of moat. 0 or negative, with why. */
int tc_attach(const char *iface, uint32_t ifindex, enum tc_point point, int program,
	      struct problem *why);

/* Whether a program of moat is there. */
bool tc_attached(uint32_t ifindex, enum tc_point point);

/* Removes it, and the clsact if nothing else is in it. None is no error. */
int tc_detach(uint32_t ifindex, enum tc_point point);

#endif
