/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ownership helpers and small macros, for every file of user space.
 *
 * A local that owns something carries a cleanup attribute and is initialised;
 * ownership leaves it only by take_ptr() or take_fd().
 */
#ifndef CORE_BASE_H
#define CORE_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define _cleanup_(fn)	    __attribute__((cleanup(fn)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

/* Defines name##p() for _cleanup_(name##p) from a destructor that takes NULL and returns NULL. */
#define DEFINE_CLEANUP(type, name)                                                                 \
	static inline void name##p(type **p)                                                       \
	{                                                                                          \
		*p = name(*p);                                                                     \
	}

static inline void base_freep(void *p)
{
	free(*(void **)p);
}

static inline void base_closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void base_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_	 _cleanup_(base_freep)
#define _cleanup_close_	 _cleanup_(base_closep)
#define _cleanup_fclose_ _cleanup_(base_fclosep)

#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(p) _taken = (p);                                                        \
		(p) = NULL;                                                                        \
		_taken;                                                                            \
	})

static inline int take_fd_(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define take_fd(fd) take_fd_(&(fd))

#endif
