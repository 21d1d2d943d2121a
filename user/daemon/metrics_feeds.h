/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The part of GET /metrics that is about feeds.
 */
#ifndef DAEMON_METRICS_FEEDS_H
#define DAEMON_METRICS_FEEDS_H

#include "core/text.h"
#include "daemon/daemon.h"

void metrics_feeds_write(struct daemon *d, struct text *out);

#endif
