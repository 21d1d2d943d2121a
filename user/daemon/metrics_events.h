/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events as Prometheus and status read them, and what is wrong with them.
 */
#ifndef DAEMON_METRICS_EVENTS_H
#define DAEMON_METRICS_EVENTS_H

#include "core/emit.h"
#include "core/text.h"
#include "daemon/daemon.h"

void metrics_events_write(struct daemon *d, struct text *out);

/* "events": { ... } of status. */
void status_emit_events(struct daemon *d, struct emit *e);

#endif
