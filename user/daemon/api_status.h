/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts of the status that other answers show too.
 */
#ifndef DAEMON_API_STATUS_H
#define DAEMON_API_STATUS_H

#include "core/emit.h"
#include "daemon/daemon.h"

/* "paused": null, or an object with "seconds_left" (null: until resumed). */
void status_emit_paused(struct daemon *d, struct emit *e);
/* "configuration": whether it is confirmed, and else how long it lasts. */
void status_emit_configuration(struct daemon *d, struct emit *e);
void status_emit_interface(struct emit *e, const char *key, const struct iface_view *view);

#endif
