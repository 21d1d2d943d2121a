/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells the service manager how we are: the protocol of sd_notify(3), one
 * datagram to the socket named by NOTIFY_SOCKET.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include "core/base.h"

/* "READY=1", "STATUS=...", several lines at once. Nothing listens: nothing happens. */
void notify_send(const char *state);

/* Half the watchdog's period in ms, 0 if there is none. */
int64_t notify_watchdog_ms(void);

#endif
