/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock of the HTTP server's limits: it does not jump.
 */
#ifndef DAEMON_HTTP_CLOCK_H
#define DAEMON_HTTP_CLOCK_H

#include <time.h>

#include "core/base.h"

static inline int64_t http_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

#endif
