/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of GET /metrics on configurations that are applied.
 */
#ifndef DAEMON_METRICS_APPLY_H
#define DAEMON_METRICS_APPLY_H

#include "core/text.h"
#include "daemon/daemon.h"

void metrics_apply_write(struct daemon *d, struct text *out);

#endif
