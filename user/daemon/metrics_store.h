/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of GET /metrics that is asked of the database: what is due for
 * review, and the audit log.
 */
#ifndef DAEMON_METRICS_STORE_H
#define DAEMON_METRICS_STORE_H

#include "core/text.h"
#include "daemon/daemon.h"

void metrics_store_write(struct daemon *d, struct text *out);

#endif
