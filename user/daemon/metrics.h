/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What GET /metrics and "moatctl metrics" say.
 */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include "core/text.h"
#include "daemon/daemon.h"

void metrics_write(struct daemon *d, struct text *out);

#endif
