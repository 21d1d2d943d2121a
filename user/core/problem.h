/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to tell a person when something failed: what, why, and what to do.
 *
 * A function that can fail for reasons a person must read takes a struct
 * problem as its last argument, fills it, and returns a negative errno:
 *
 *	return problem_set(why, -EINVAL, "category '%s': unknown action '%s'", name, action);
 */
#ifndef CORE_PROBLEM_H
#define CORE_PROBLEM_H

#include <stdarg.h>

#include "core/base.h"

#define PROBLEM_MAX 512

struct problem {
	char text[PROBLEM_MAX]; /* one line, no newline; cut if longer */
};

/* Fills why (which may be NULL) and returns error. */
_printf_(3, 4) static inline int problem_set(struct problem *why, int error, const char *fmt, ...)
{
	va_list args;

	if (!why)
		return error;
	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	return error;
}

#endif
