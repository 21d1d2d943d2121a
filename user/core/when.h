/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times that people and programs send: seconds since 1970, or RFC 3339 with
 * any offset ("2026-11-23T11:00:00Z", "2026-11-23T12:00:00+01:00").
 */
#ifndef CORE_WHEN_H
#define CORE_WHEN_H

#include "core/base.h"

#define WHEN_MAX 253402300799LL /* the last second of the year 9999 */

/* 0..WHEN_MAX, fractions of a second cut off. 0 or -EINVAL. */
int when_parse(const char *text, int64_t *ret_unix_seconds);

/* Only digits: 0..WHEN_MAX. 0 or -EINVAL. */
int when_parse_seconds(const char *text, int64_t *ret_unix_seconds);

#endif
